//! Frames that card or kernel glue together.

use super::Ask;
use super::setting::Setting;
use crate::finding::{About, Finding};

const ABOUT: About = About {
    why: "joined frames arrive late, and are larger than a frame of the UMEM: AF_XDP loses them",
    risk: "bulk transfers through the kernel's stack take more processor time",
};

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let each = ask.setup.interfaces.iter();
    each.flat_map(|interface| one(ask, interface)).collect()
}

fn one(ask: Ask<'_>, interface: &str) -> Vec<Finding> {
    let findings = ["gro", "lro", "tso", "gso"].map(|name| {
        let setting = Setting {
            subject: &format!("{name} of {interface}"),
            wanted: "off",
            lacking: "the driver has no such setting",
            about: ABOUT,
        };
        setting.check_one(ask, &format!("/ethtool/{interface}/{name}"))
    });
    findings.to_vec()
}
