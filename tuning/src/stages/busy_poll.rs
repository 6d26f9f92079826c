//! Sockets of the kernel that spin, and settings that fight spinning.

use super::Ask;
use super::setting::Setting;
use crate::finding::{About, Finding};

const SOCKETS: About = About {
    why: "a thread that reads a kernel socket looks into the card's queue itself for so many \
          microseconds instead of waiting for an interrupt",
    risk: "readers of sockets use processor time while they wait; AF_XDP and virtual devices gain \
           nothing",
};

const DEFERRAL: About = About {
    why: "these put the card's work off, for threads that poll it themselves; where nobody does, \
          every frame waits for a timer: on a veth pair a round trip went from 3.5 to 213 us",
    risk: "with many flows, more interrupts",
};

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let sockets = |subject| Setting {
        subject,
        wanted: "50",
        lacking: "a kernel without busy polling",
        about: SOCKETS,
    };
    let core = |name: &str| vec![format!("/proc/sys/net/core/{name}")];
    let mut findings = vec![
        sockets("reads spin, us").offer(ask, &core("busy_read")),
        sockets("polls spin, us").offer(ask, &core("busy_poll")),
    ];
    for interface in &ask.setup.interfaces {
        let names = ["napi_defer_hard_irqs", "gro_flush_timeout", "threaded"];
        findings.extend(names.map(|name| {
            let setting = Setting {
                subject: &format!("{name} of {interface}"),
                wanted: "0",
                lacking: "the kernel has no such setting",
                about: DEFERRAL,
            };
            setting.check_one(ask, &format!("/sys/class/net/{interface}/{name}"))
        }));
    }
    findings
}
