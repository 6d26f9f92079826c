//! Where the kernel's network stack runs.

use super::Ask;
use crate::change::Change;
use crate::cpus::Cpus;
use crate::finding::{About, Finding};

const ABOUT: About = About {
    why: "with RPS the stack's work for a frame is sent to other cores by an interrupt, and with \
          XPS a core's sends share a queue: hot cores must be in neither",
    risk: "the rest of the host does the stack's work",
};

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let each = ask.setup.interfaces.iter();
    each.flat_map(|interface| ["rps", "xps"].map(|kind| masks(ask, interface, kind)))
        .collect()
}

fn masks(ask: Ask<'_>, interface: &str, kind: &str) -> Finding {
    let subject = format!("{kind} of {interface}");
    let folder = format!("/sys/class/net/{interface}/queues");
    let way = if kind == "rps" { "rx-" } else { "tx-" };
    let mut queues = ask.host.list(&folder);
    queues.retain(|queue| queue.starts_with(way));
    let (mut seen, mut changes) = (0, Vec::new());
    for queue in queues {
        let path = format!("{folder}/{queue}/{kind}_cpus");
        let Ok(text) = ask.host.read(&path) else {
            continue;
        };
        seen += 1;
        let cpus = Cpus::of_mask(&text).unwrap_or_default();
        if !cpus.both(&ask.setup.hot).is_empty() {
            changes.push(Change::write(
                &path,
                &cpus.without(&ask.setup.hot).mask(),
                &text,
            ));
        }
    }
    if seen == 0 {
        let reason = "no queue tells: a kernel without it, or a single queue";
        return Finding::absent(ABOUT, subject, reason);
    }
    let found = format!("{} of {seen} queues on hot cores", changes.len());
    Finding::judged(ABOUT, subject, changes.is_empty())
        .found(found)
        .wanted("none")
        .changes(changes)
}
