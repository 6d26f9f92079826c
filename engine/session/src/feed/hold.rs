//! Packets that came ahead of what is missing, in memory of fixed size.

use std::collections::BTreeMap;

use wire::mold::{DATAGRAM_BYTES_MAX, Packet};

/// What became of a packet that was to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// It has a place.
    Here,
    /// All of it was here.
    Known,
    /// There is no place, or it is too long for one.
    NoRoom,
}

#[derive(Clone, Copy)]
struct Place {
    /// Number after the packet's last message.
    next: u64,
    buffer: usize,
    bytes: usize,
}

/// Packets by the number of their first message.
pub(super) struct Hold {
    places: BTreeMap<u64, Place>,
    free: Vec<usize>,
    buffers: Vec<u8>,
}

impl Hold {
    pub(super) fn new(packets: usize) -> Self {
        Self {
            places: BTreeMap::new(),
            free: (0..packets).rev().collect(),
            buffers: vec![0; packets * DATAGRAM_BYTES_MAX],
        }
    }

    pub(super) fn clear(&mut self) {
        while let Some((_, place)) = self.places.pop_first() {
            self.free.push(place.buffer);
        }
    }

    /// Number of the first message that is here.
    pub(super) fn first(&self) -> Option<u64> {
        self.places.first_key_value().map(|(sequence, _)| *sequence)
    }

    /// Keeps a packet.
    pub(super) fn keep(&mut self, packet: &Packet<'_>, bytes: &[u8]) -> Kept {
        let (sequence, next) = (packet.sequence(), packet.next_sequence());
        let before = self.places.range(..=sequence).next_back();
        if before.is_some_and(|(_, place)| place.next >= next) {
            return Kept::Known;
        }
        if bytes.len() > DATAGRAM_BYTES_MAX {
            return Kept::NoRoom;
        }
        // One that begins at the same message and is shorter has nothing of its own.
        let shorter = self.places.remove(&sequence).map(|place| place.buffer);
        let Some(buffer) = shorter.or_else(|| self.free.pop()) else {
            return Kept::NoRoom;
        };
        let start = buffer * DATAGRAM_BYTES_MAX;
        self.buffers[start..start + bytes.len()].copy_from_slice(bytes);
        let bytes = bytes.len();
        let place = Place {
            next,
            buffer,
            bytes,
        };
        self.places.insert(sequence, place);
        Kept::Here
    }

    /// Lets the packet with the oldest messages go; whether there was one.
    pub(super) fn forget_first(&mut self) -> bool {
        let first = self.places.pop_first();
        first.is_some_and(|(_, place)| {
            self.free.push(place.buffer);
            true
        })
    }

    /// Takes out a packet that begins at `expected` or before; its bytes are valid until the next
    /// one is kept.
    pub(super) fn due(&mut self, expected: u64) -> Option<Packet<'_>> {
        let entry = self.places.first_entry()?;
        if *entry.key() > expected {
            return None;
        }
        let place = entry.remove();
        self.free.push(place.buffer);
        let start = place.buffer * DATAGRAM_BYTES_MAX;
        // It was read before it was kept.
        Packet::parse(&self.buffers[start..start + place.bytes]).ok()
    }
}
