//! Queues of the cards.

use super::Ask;
use crate::change::Change;
use crate::finding::{About, Finding};

const ABOUT: About = About {
    why: "frames of one flow must come to the queue that the pinned thread serves; with one queue \
          they cannot go elsewhere",
    risk: "the link goes down for a moment; the kernel's own traffic shares that queue",
};

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let each = ask.setup.interfaces.iter();
    each.map(|interface| queues(ask, interface)).collect()
}

fn queues(ask: Ask<'_>, interface: &str) -> Finding {
    let subject = format!("queues of {interface}");
    let path = |name: &str| format!("/ethtool/{interface}/{name}");
    // A card has combined queues, or such for each way, or both.
    let name = match ask.host.number(&path("channels_combined")) {
        Ok(0) => "channels_rx",
        Ok(_) => "channels_combined",
        Err(fault) => {
            let reason = format!("{fault}: the driver does not tell its queues");
            return Finding::absent(ABOUT, subject, reason);
        }
    };
    let count = ask.host.number(&path(name)).unwrap_or(1);
    let names: &[&str] = match name {
        "channels_combined" => &["channels_combined"],
        _ => &["channels_rx", "channels_tx"],
    };
    let changes = names.iter().filter_map(|name| {
        let count = ask
            .host
            .number(&path(name))
            .ok()
            .filter(|count| *count > 1)?;
        Some(Change::write(&path(name), "1", &count.to_string()))
    });
    let counts: Vec<Change> = changes.collect();
    let mut changes = Vec::new();
    if !counts.is_empty() {
        changes = masks_lost(ask, interface);
    }
    changes.extend(counts);
    Finding::judged(ABOUT, subject, count <= 1)
        .found(count.to_string())
        .wanted("1, or a rule that steers the port to its queue")
        .changes(changes)
        .by_hand(format!(
            "instead: ethtool -N {interface} flow-type udp4 dst-port PORT action QUEUE"
        ))
}

/// A queue that is taken away comes back without what was set for it: those settings are cleared
/// first, one by one, so that undoing brings them back too.
fn masks_lost(ask: Ask<'_>, interface: &str) -> Vec<Change> {
    let folder = format!("/sys/class/net/{interface}/queues");
    let mut queues = ask.host.list(&folder);
    queues.retain(|queue| !queue.ends_with("-0"));
    let mut changes = Vec::new();
    for queue in queues {
        for name in ["rps_cpus", "rps_flow_cnt", "xps_cpus"] {
            let path = format!("{folder}/{queue}/{name}");
            let text = ask.host.read(&path).unwrap_or_default();
            if text.contains(|c: char| c.is_ascii_hexdigit() && c != '0') {
                changes.push(Change::write(&path, "0", &text));
            }
        }
    }
    changes
}
