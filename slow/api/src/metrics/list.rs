//! Every counter of a venue: what kind of figure it is, and what it tells.

/// What kind of figure a counter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It only grows while the venue runs.
    Total,
    /// It goes up and down.
    Gauge,
}

use Kind::{Gauge, Total};

/// By the counter's name; a name that ends with `_ns` is told in seconds.
pub(super) const LIST: &[(&str, Kind, &str)] = &[
    (
        "venue.phase",
        Gauge,
        "0 running, 1 draining, 2 ending, 3 stopped, 4 failing",
    ),
    (
        "venue.insecure",
        Gauge,
        "1: the venue kept the rights of its process (--insecure-dev)",
    ),
    (
        "gate.commands",
        Total,
        "Commands that members sent and the gate handed to the engine",
    ),
    (
        "gate.stopped",
        Gauge,
        "At the venue's end: commands in all, and one; else 0",
    ),
    (
        "gate.inputs",
        Total,
        "Inputs whose events the gate has seen",
    ),
    (
        "gate.through",
        Gauge,
        "At the venue's end: 1 when the gate has handed on everything",
    ),
    (
        "gate.done",
        Gauge,
        "At the venue's end: 1 when members have everything",
    ),
    ("gate.connections", Gauge, "Connections of order entry"),
    ("gate.logins", Total, "Logins that were accepted"),
    (
        "gate.disconnects",
        Total,
        "Connections that the gate ended for what they did",
    ),
    ("gate.refused", Total, "Connections beyond connections_max"),
    (
        "gate.accept_errors",
        Total,
        "Connections that were given up before they were whole",
    ),
    ("gate.resets", Total, "Connections that broke"),
    (
        "gate.login_rejects",
        Total,
        "Logins that were refused, for any reason",
    ),
    (
        "gate.logins_busy",
        Total,
        "Logins that were refused because too many waited",
    ),
    (
        "gate.locks",
        Total,
        "Users that were locked for wrong passwords",
    ),
    (
        "gate.locked_out",
        Total,
        "Logins that were refused because of a lock",
    ),
    (
        "gate.wrong_address",
        Total,
        "Logins that were refused because of where they came from",
    ),
    (
        "gate.refused_address",
        Total,
        "Connections closed at once because of where they came from",
    ),
    (
        "gate.throttled",
        Total,
        "Messages that were refused for their rate",
    ),
    (
        "gate.throttled_out",
        Total,
        "Connections that were ended for their rate",
    ),
    (
        "gate.overloaded",
        Total,
        "Orders refused because the venue had too much to do",
    ),
    (
        "gate.wrong_account",
        Total,
        "Orders refused because the user does not have the account",
    ),
    (
        "gate.not_permitted",
        Total,
        "Orders and cancels refused because of the user's role",
    ),
    ("gate.malformed", Total, "Messages that were no message"),
    (
        "gate.rings_refused",
        Total,
        "What gateways wrote into their rings and made no sense",
    ),
    (
        "gate.stalled",
        Total,
        "Connections ended because they took no reply",
    ),
    (
        "gate.unreadable",
        Total,
        "Connections ended because replies could not be read back",
    ),
    (
        "gate.held_bytes",
        Gauge,
        "Bytes of members that wait for room in the engine's link",
    ),
    (
        "gate.cut_off",
        Total,
        "Connections whose last words were cut off",
    ),
    (
        "gate.xdp_received",
        Total,
        "Frames that came around the kernel",
    ),
    (
        "gate.xdp_refused",
        Total,
        "Frames around the kernel that were not for the gate",
    ),
    ("gate.xdp_lost", Total, "Frames that the driver dropped"),
    (
        "gate.xdp_ring_full",
        Total,
        "Frames that found the receive ring full",
    ),
    (
        "gate.xdp_fill_empty",
        Total,
        "Frames that found no free buffer",
    ),
    (
        "gate.xdp_invalid",
        Total,
        "Descriptors that the driver refused",
    ),
    (
        "gate.xdp_send_errors",
        Total,
        "Frames that could not be sent",
    ),
    ("gate.doing", Gauge, "What part of its turn the gate is in"),
    (
        "gate.busy_ns",
        Total,
        "Time of the gate's turns that did something",
    ),
    (
        "gate.waiting_ns",
        Total,
        "Time of the gate's turns that waited for room",
    ),
    (
        "gate.idle_ns",
        Total,
        "Time of the gate's turns without work",
    ),
    ("engine.commands", Total, "Commands that the engine took"),
    ("engine.inputs", Total, "Inputs that the engine sequenced"),
    ("engine.events", Total, "Events that the engine told"),
    ("engine.live_orders", Gauge, "Orders on the books"),
    (
        "engine.waits",
        Total,
        "Turns in which the engine waited for room in a link",
    ),
    (
        "engine.refused",
        Total,
        "Commands of the venue that the engine refused",
    ),
    (
        "engine.last",
        Gauge,
        "At the venue's end: the last input, and one; else 0",
    ),
    (
        "engine.doing",
        Gauge,
        "What part of its turn the engine is in",
    ),
    (
        "engine.busy_ns",
        Total,
        "Time of the engine's turns that did something",
    ),
    (
        "engine.waiting_ns",
        Total,
        "Time of the engine's turns that waited for room",
    ),
    (
        "engine.idle_ns",
        Total,
        "Time of the engine's turns without work",
    ),
    ("journal.durable", Gauge, "The last input that is on disk"),
    (
        "journal.groups",
        Total,
        "Groups of inputs that were written",
    ),
    (
        "journal.disk_full",
        Gauge,
        "1: the disk has no room for the next segment",
    ),
    (
        "journal.reserve",
        Gauge,
        "0 room for all, 1 orders are refused, 2 all wait",
    ),
    (
        "journal.held",
        Gauge,
        "1: inputs wait for room, and nothing is acknowledged",
    ),
    (
        "journal.room_bytes",
        Gauge,
        "Bytes left of the segment that is written",
    ),
    (
        "journal.lag_ns",
        Gauge,
        "Age of the oldest input that is not on disk",
    ),
    (
        "journal.closed",
        Gauge,
        "At the venue's end: 1 when the journal is closed",
    ),
    (
        "journal.failed",
        Gauge,
        "1: a write or a flush failed, and nothing is acknowledged",
    ),
    (
        "journal.doing",
        Gauge,
        "What part of its turn the journal is in",
    ),
    (
        "journal.busy_ns",
        Total,
        "Time of the journal's turns that did something",
    ),
    (
        "journal.waiting_ns",
        Total,
        "Time of the journal's turns that waited",
    ),
    (
        "journal.idle_ns",
        Total,
        "Time of the journal's turns without work",
    ),
    ("keeper.indexed", Total, "Closed segments that were indexed"),
    (
        "keeper.archived",
        Total,
        "Closed segments that were compressed",
    ),
    (
        "keeper.removed",
        Total,
        "Segments that were removed by retention",
    ),
    ("keeper.failing", Gauge, "1: something of that fails"),
    (
        "publish.inputs",
        Total,
        "Inputs whose events the feed has seen",
    ),
    (
        "publish.through",
        Gauge,
        "At the venue's end: 1 when the feed has sent everything",
    ),
    (
        "publish.done",
        Gauge,
        "At the venue's end: 1 when receivers were told",
    ),
    ("publish.messages", Total, "Messages of the feed"),
    ("publish.packets", Total, "Packets of the feed"),
    (
        "publish.depth_messages",
        Total,
        "Messages of the feed by levels",
    ),
    (
        "publish.dropped",
        Total,
        "Packets that the first line did not take",
    ),
    (
        "publish.dropped_b",
        Total,
        "Packets that the second line did not take",
    ),
    (
        "publish.dropped_follower",
        Total,
        "Packets that the follower did not take",
    ),
    ("publish.requests", Total, "Re-requests that were answered"),
    ("publish.request_bytes", Total, "Bytes of re-requests"),
    (
        "publish.answer_bytes",
        Total,
        "Bytes of answers to re-requests",
    ),
    (
        "publish.requests_unlisted",
        Total,
        "Re-requests from addresses that are not listed",
    ),
    (
        "publish.requests_spent",
        Total,
        "Re-requests beyond what their address may have",
    ),
    (
        "publish.requests_refused",
        Total,
        "Re-requests that made no sense",
    ),
    (
        "publish.send_errors",
        Total,
        "Packets that could not be sent",
    ),
    (
        "publish.receive_errors",
        Total,
        "Requests that could not be received",
    ),
    (
        "publish.xdp_received",
        Total,
        "Frames that came around the kernel",
    ),
    (
        "publish.xdp_refused",
        Total,
        "Frames around the kernel that were not for the feed",
    ),
    ("publish.xdp_lost", Total, "Frames that the driver dropped"),
    (
        "publish.xdp_ring_full",
        Total,
        "Frames that found the receive ring full",
    ),
    (
        "publish.xdp_fill_empty",
        Total,
        "Frames that found no free buffer",
    ),
    (
        "publish.xdp_invalid",
        Total,
        "Descriptors that the driver refused",
    ),
    (
        "publish.xdp_send_errors",
        Total,
        "Frames that could not be sent",
    ),
    (
        "publish.doing",
        Gauge,
        "What part of its turn the feed is in",
    ),
    (
        "publish.busy_ns",
        Total,
        "Time of the feed's turns that did something",
    ),
    (
        "publish.waiting_ns",
        Total,
        "Time of the feed's turns that waited",
    ),
    (
        "publish.idle_ns",
        Total,
        "Time of the feed's turns without work",
    ),
    ("shadow.inputs", Total, "Inputs that the shadow ran"),
    (
        "shadow.lag",
        Gauge,
        "Inputs on disk that the shadow has not run",
    ),
    (
        "shadow.messages",
        Total,
        "Messages that the shadow wrote into streams",
    ),
    ("shadow.snapshots", Total, "Snapshots that the shadow wrote"),
    (
        "shadow.snapshot_inputs",
        Gauge,
        "The last input of the newest snapshot",
    ),
    (
        "shadow.snapshot_bytes",
        Gauge,
        "Bytes of the newest snapshot",
    ),
    (
        "shadow.snapshot_ns",
        Gauge,
        "How long the newest snapshot took",
    ),
    ("shadow.errors", Total, "Writes of the shadow that failed"),
    ("shadow.failed", Gauge, "1: the shadow cannot go on"),
    (
        "shadow.ready",
        Gauge,
        "1: the shadow has caught up with the start",
    ),
    (
        "recall.reads",
        Total,
        "Reads of old replies and messages from the streams",
    ),
    ("recall.failures", Total, "Of them those that failed"),
    (
        "clock.divergence_ns",
        Gauge,
        "How far the venue's clock is from the system's",
    ),
    (
        "clock.divergence_ns_max",
        Gauge,
        "The most that it ever was",
    ),
    ("clock.over_line", Gauge, "1: that is more than 100 us"),
    (
        "clock.steps",
        Total,
        "Times that the system's clock was set",
    ),
    (
        "clock.unsound",
        Total,
        "Comparisons of both clocks that were interrupted",
    ),
    (
        "clock.forward_ns",
        Total,
        "How far the system's clock was set forward",
    ),
    (
        "clock.back_ns",
        Total,
        "How far the system's clock was set back",
    ),
    (
        "clock.granularity_ns",
        Gauge,
        "The smallest advance of the clock, seen at the start",
    ),
    (
        "clock.system_error_ns",
        Gauge,
        "The most that the system says its clock may be off",
    ),
    (
        "clock.system_unsynchronised",
        Gauge,
        "1: the system's clock follows no other one",
    ),
];

/// Every hop's latency.
pub(super) const HOPS: &[(&str, &str)] = &[
    (
        "hop.gate_engine_ns",
        "From a command's arrival to its place in the sequence",
    ),
    ("hop.engine_durable_ns", "From there to the disk"),
    (
        "hop.engine_reply_ns",
        "From there to the reply in the member's stream",
    ),
    ("hop.engine_feed_ns", "From there to the feed's packet"),
];
