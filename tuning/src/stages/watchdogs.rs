//! Threads and counters that look after hung cores.

use super::Ask;
use super::setting::Setting;
use crate::finding::{About, Finding};

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let soft = Setting {
        subject: "watchdog of cores",
        wanted: "0",
        lacking: "this kernel has none",
        about: About {
            why: "on each core a timer and a thread of highest priority run every few seconds, and \
                  a counter of the processor is taken",
            risk: "a core that hangs in the kernel is not reported",
        },
    };
    let hung = Setting {
        subject: "watchdog of tasks, seconds",
        wanted: "600",
        lacking: "this kernel has none",
        about: About {
            why: "every two minutes a thread walks through all tasks, on whatever core it is",
            risk: "tasks stuck on a dead disk are reported after ten minutes only",
        },
    };
    vec![
        soft.check_one(ask, "/proc/sys/kernel/watchdog"),
        hung.check_one(ask, "/proc/sys/kernel/hung_task_timeout_secs"),
    ]
}
