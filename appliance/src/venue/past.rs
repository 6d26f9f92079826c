//! What of a venue's outputs lies in streams: what was told before a snapshot, and what was told
//! behind it and need not be made again.

use super::kept::store_of;
use super::replay::Outputs;
use crate::topology::Topology;
use journal::stream::{Kind, Name, Position};

/// Lets outputs that are still empty go on behind so many messages of a stream.
pub(super) fn begin_behind(topology: &Topology, outputs: &mut Outputs, name: Name, messages: u64) {
    match (name.kind, store_of(topology, name)) {
        (Kind::Feed, _) => outputs.publisher.begin(messages + 1),
        (Kind::Depth, _) => outputs
            .depth
            .iter_mut()
            .for_each(|it| it.begin(messages + 1)),
        (_, store) => outputs.entry.begin_behind(store.unwrap_or(0), messages),
    }
}

/// Tells outputs how far the streams go: what these hold is counted and not made.
pub(super) fn cover(topology: &Topology, outputs: &mut Outputs, streams: &[(Name, Position)]) {
    for (name, position) in streams {
        let count = position.messages;
        match (name.kind, store_of(topology, *name)) {
            (Kind::Feed, _) => outputs.publisher.cover(count),
            (Kind::Depth, _) => outputs.depth.iter_mut().for_each(|it| it.cover(count)),
            (_, store) => outputs.entry.cover(store.unwrap_or(0), count),
        }
    }
}

/// The first stream that holds more than there was to tell: it is not this journal's.
pub(super) fn beyond(
    topology: &Topology,
    outputs: &Outputs,
    streams: &[(Name, Position)],
) -> Option<(Name, u64, u64)> {
    streams.iter().find_map(|(name, position)| {
        let told = match (name.kind, store_of(topology, *name)) {
            (Kind::Feed, _) => outputs.publisher.sequence_next() - 1,
            (Kind::Depth, _) => outputs
                .depth
                .as_ref()
                .map_or(0, |it| it.sequence_next() - 1),
            (_, store) => outputs.entry.replies(store.unwrap_or(0) as u16 + 1),
        };
        (position.messages > told).then_some((*name, position.messages, told))
    })
}
