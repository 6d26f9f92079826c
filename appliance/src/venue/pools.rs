//! What a venue has set aside: how much its pools hold, and what they take of memory. It tells that
//! beside what its process takes, for who compares both with what is used.

use super::{drop_copies, engine_limits};
use crate::topology::{Link, Topology};
use matching::Line;

/// Names and values: `pool.` and what holds so many, `set_aside.` and bytes.
pub(super) fn known(topology: &Topology) -> Vec<(String, u64)> {
    let limits = topology.limits;
    let entry = &topology.order_entry;
    let links = Link::ALL.map(|link| (link.name(), topology.depth(link)));
    let pools = [
        ("orders".to_owned(), limits.orders as usize),
        ("connections".to_owned(), entry.connections_max),
    ];
    let copies = drop_copies(topology);
    let copies: usize = copies.iter().map(|copy| copy.store_bytes).sum();
    let depth = topology.feed.depth.as_ref();
    let memory = [
        (
            "engine",
            engine_limits(topology).lines() * size_of::<Line>(),
        ),
        ("replies", entry.reply_bytes * topology.users.len()),
        ("drop_copies", copies),
        ("feed_history", topology.feed.history_bytes),
        (
            "depth_history",
            depth.map_or(0, |depth| depth.history_bytes),
        ),
    ];
    let pools = pools.into_iter().chain(links);
    let pools = pools.map(|(name, size)| (format!("pool.{name}"), size as u64));
    let memory = memory.map(|(name, bytes)| (format!("set_aside.{name}_bytes"), bytes as u64));
    pools.chain(memory).collect()
}
