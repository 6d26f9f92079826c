//! Interrupts that wait for company.

use super::Ask;
use super::setting::Setting;
use crate::finding::{About, Finding};

const ABOUT: About = About {
    why: "the card waits so many microseconds for more frames before it tells of the first",
    risk: "an interrupt for each frame: more work for the cores that take them",
};

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let each = ask.setup.interfaces.iter();
    each.flat_map(|interface| one(ask, interface)).collect()
}

fn one(ask: Ask<'_>, interface: &str) -> Vec<Finding> {
    let names = ["adaptive_rx", "adaptive_tx", "rx_usecs", "tx_usecs"];
    let paths = names.map(|name| format!("/ethtool/{interface}/{name}"));
    if paths.iter().all(|path| ask.host.number(path).is_err()) {
        let subject = format!("waiting of {interface}");
        return vec![Finding::absent(
            ABOUT,
            subject,
            "the driver does not tell how long it waits",
        )];
    }
    let labels = ["adaptive rx", "adaptive tx", "rx wait, us", "tx wait, us"];
    let pairs = labels.iter().zip(&paths);
    let findings = pairs.map(|(label, path)| {
        let setting = Setting {
            subject: &format!("{label}, {interface}"),
            wanted: "0",
            lacking: "the driver has no such setting",
            about: ABOUT,
        };
        setting.check_one(ask, path)
    });
    findings.collect()
}
