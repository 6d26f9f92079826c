//! Timers that move to busy cores, and statistics that are gathered on each.

use super::Ask;
use super::setting::Setting;
use crate::finding::{About, Finding};

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let migration = Setting {
        subject: "timer migration",
        wanted: "0",
        lacking: "this kernel does not move timers",
        about: About {
            why: "timers of idle cores move to one that is awake: a spinning core is always awake",
            risk: "idle cores wake up for their own timers and use more power",
        },
    };
    let statistics = Setting {
        subject: "statistics of memory, seconds",
        wanted: "120",
        lacking: "this kernel does not say how often it gathers them",
        about: About {
            why: "every so many seconds each core runs work that folds its counters into the \
                  system's",
            risk: "`free` and `vmstat` lag behind by as much",
        },
    };
    vec![
        migration.check_one(ask, "/proc/sys/kernel/timer_migration"),
        statistics.check_one(ask, "/proc/sys/vm/stat_interval"),
    ]
}
