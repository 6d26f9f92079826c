//! Memory that goes to disk.

use super::Ask;
use super::setting::Setting;
use crate::finding::{About, Finding};

const ABOUT: About = About {
    why: "a page that went to disk costs its thread 100 us to milliseconds when it is touched; the \
          appliance locks its own memory, other programs on its path do not",
    risk: "without swap a host that runs out of memory ends programs at once",
};

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let eagerness = Setting {
        subject: "eagerness",
        wanted: "1",
        lacking: "a kernel without swap",
        about: ABOUT,
    };
    vec![
        areas(ask),
        eagerness.check_one(ask, "/proc/sys/vm/swappiness"),
    ]
}

fn areas(ask: Ask<'_>) -> Finding {
    let subject = "areas";
    let text = match ask.host.read("/proc/swaps") {
        Ok(text) => text,
        Err(_) => return Finding::absent(ABOUT, subject, "a kernel without swap"),
    };
    let lines = text.lines().skip(1);
    let names: Vec<&str> = lines
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let found = match names.as_slice() {
        [] => "none".to_owned(),
        _ => names.join(" "),
    };
    let names = names.join(" ");
    Finding::judged(ABOUT, subject, names.is_empty())
        .found(found)
        .wanted("none")
        .by_hand(format!(
            "swapoff {names} (undo: swapon {names}), and the line in /etc/fstab"
        ))
}
