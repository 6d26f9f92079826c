//! Where the kernel's time comes from.

use super::Ask;
use super::setting::Setting;
use crate::finding::{About, Finding};

const FOLDER: &str = "/sys/devices/system/clocksource/clocksource0";

const ABOUT: About = About {
    why: "with the time stamp counter a time is read without a system call in about 25 ns; with \
          another source it takes one, and up to microseconds",
    risk: "on hosts whose counters drift apart the kernel left `tsc` on purpose: look at `dmesg` \
           first",
};

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let offered = ask.host.read(&format!("{FOLDER}/available_clocksource"));
    let is_offered = offered.is_ok_and(|text| text.split_whitespace().any(|word| word == "tsc"));
    let setting = Setting {
        subject: "clock source",
        wanted: "tsc",
        lacking: "this kernel does not tell its clock source",
        about: ABOUT,
    };
    let mut finding = setting.check_one(ask, &format!("{FOLDER}/current_clocksource"));
    if !is_offered {
        // Writing it would be refused.
        finding.changes.clear();
        finding =
            finding.by_hand("tsc is not offered: start with tsc=reliable, or mend the firmware");
    }
    vec![finding, counter(ask)]
}

/// Whether the counter itself is fit.
fn counter(ask: Ask<'_>) -> Finding {
    const ABOUT: About = About {
        why: "stamps of two cores can be compared only if the counter runs at one rate, also in \
              deep sleep",
        risk: "none: this is only told",
    };
    let subject = "time stamp counter";
    let text = match ask.host.read("/proc/cpuinfo") {
        Ok(text) => text,
        Err(fault) => return Finding::absent(ABOUT, subject, fault.to_string()),
    };
    let flags = text
        .lines()
        .find(|line| line.starts_with("flags"))
        .unwrap_or_default();
    let has = |flag: &&str| flags.split_whitespace().any(|word| word == *flag);
    let wanted = ["constant_tsc", "nonstop_tsc"];
    let lacking: Vec<&str> = wanted.into_iter().filter(|flag| !has(flag)).collect();
    let found = match lacking.as_slice() {
        [] => "constant_tsc nonstop_tsc".to_owned(),
        _ => format!("no {}", lacking.join(", no ")),
    };
    Finding::judged(ABOUT, subject, lacking.is_empty())
        .found(found)
        .wanted("constant_tsc nonstop_tsc")
        .by_hand("another processor: nothing in the system changes this")
}
