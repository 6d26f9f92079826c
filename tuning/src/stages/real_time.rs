//! What the scheduler takes from threads of FIFO priority.

use super::Ask;
use super::setting::Setting;
use crate::finding::{About, Finding};

const ABOUT: About = About {
    why: "a FIFO thread that never rests is stopped for 50 ms each second; the appliance's own \
          threads are of normal priority and do not meet this",
    risk: "a FIFO thread in an endless loop keeps its core for good, and what the kernel wants \
           to run there never runs",
};

const DEBUG: &str = "/sys/kernel/debug/sched";

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let throttling = Setting {
        subject: "throttling, us of a second",
        wanted: "-1",
        lacking: "this kernel does not throttle FIFO threads",
        about: ABOUT,
    };
    let lacking = if ask.host.has(DEBUG) {
        "a kernel before 6.12"
    } else {
        "debugfs is not mounted, or a kernel before 6.12 (mount -t debugfs none /sys/kernel/debug)"
    };
    let server = Setting {
        subject: "fair server, ns of a second",
        wanted: "0",
        lacking,
        about: ABOUT,
    };
    let hot = ask.setup.hot.iter();
    let servers: Vec<String> = hot
        .map(|cpu| format!("{DEBUG}/fair_server/cpu{cpu}/runtime"))
        .collect();
    vec![
        throttling.offer(ask, &["/proc/sys/kernel/sched_rt_runtime_us".to_owned()]),
        server.offer(ask, &servers),
    ]
}
