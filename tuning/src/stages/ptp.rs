//! Who keeps the clock.

use super::Ask;
use crate::finding::{About, Finding, Verdict};

const ABOUT: About = About {
    why: "a venue must be within 100 us of UTC (RTS 25 of MiFID II); a card with a clock and PTP \
          keep it within 1 us, NTP within some 100",
    risk: "two programs that both set the clock fight",
};

/// Programs that set the system's clock from the network or from a card.
const KEEPERS: &[&str] = &[
    "phc2sys",
    "ptp4l",
    "chronyd",
    "ntpd",
    "systemd-timesyn",
    "timemaster",
];

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let mut findings = vec![keepers(ask)];
    findings.extend(
        ask.setup
            .interfaces
            .iter()
            .map(|interface| card(ask, interface)),
    );
    findings
}

fn keepers(ask: Ask<'_>) -> Finding {
    let found: Vec<&str> = KEEPERS
        .iter()
        .copied()
        .filter(|name| is_running(ask, name))
        .collect();
    let is_precise = found.contains(&"phc2sys") || found.contains(&"timemaster");
    let verdict = match (is_precise, found.is_empty()) {
        (true, _) => Verdict::Good,
        (false, true) => Verdict::Poor,
        (false, false) => Verdict::Choice,
    };
    let text = if found.is_empty() {
        "nobody".to_owned()
    } else {
        found.join(", ")
    };
    Finding::new(ABOUT, "clock kept by", verdict)
        .found(text)
        .wanted("phc2sys and ptp4l")
        .by_hand("apt install linuxptp; ptp4l -i INTERFACE -s; phc2sys -a -r")
}

/// Whether the card stamps frames with a clock of its own.
fn card(ask: Ask<'_>, interface: &str) -> Finding {
    let subject = format!("clock of {interface}");
    match ask.host.number(&format!("/ethtool/{interface}/ptp_clock")) {
        Ok(number) => Finding::new(ABOUT, subject, Verdict::Good)
            .found(format!("/dev/ptp{number}"))
            .wanted("a clock on the card"),
        Err(_) => {
            let reason = "the card has none: stamps are those of software";
            Finding::absent(ABOUT, subject, reason)
        }
    }
}

/// Whether a program of this name runs; the kernel keeps 15 letters of it.
pub(super) fn is_running(ask: Ask<'_>, name: &str) -> bool {
    let mut processes = ask.host.list("/proc");
    processes.retain(|entry| entry.parse::<u32>().is_ok());
    let is_it = |id: &String| ask.host.read(&format!("/proc/{id}/comm")).as_deref() == Ok(name);
    processes.iter().any(is_it)
}
