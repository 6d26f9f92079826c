//! What the engine tells.

use bytemuck::{Pod, Zeroable};

use super::BODY_BYTES;

/// What the engine says happened.
///
/// Every input yields at least one event and exactly one with [`Event::LAST`]: a reader that counts
/// them knows which input it is at. In a ring, the slot's stamp is the input's `time_ns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Event {
    /// An [`EventKind`](super::EventKind).
    pub kind: u8,
    /// A [`Side`](super::Side): that of the order this event is about.
    pub side: u8,
    /// A [`Reason`](super::Reason).
    pub reason: u8,
    /// [`Event::MAKER`], [`Event::BOOKED`], [`Event::LAST`], [`Event::HIDDEN`],
    /// [`Event::OLD_HIDDEN`], [`Event::PARKED`], [`Event::AUCTION`].
    pub flags: u8,
    /// Number of the symbol.
    pub symbol: u16,
    /// The session, or the mandate, whose order this is about.
    pub session: u16,
    /// The member's number of the order.
    pub user_ref: u32,
    /// The member's number of the order that was replaced.
    pub old_user_ref: u32,
    /// Units this event is about.
    pub quantity: u32,
    /// Units of the order that are left, resting or still being matched.
    pub leaves: u32,
    /// Price of the order, or of the trade.
    pub price: i64,
    /// The engine's number of the order: 1, 2, 3 ... in order of acceptances and refreshes.
    pub order_ref: u64,
    /// The match number, the number before, a name, or held back units: see
    /// [`EventKind`](super::EventKind).
    pub related: u64,
}

const _: () = assert!(size_of::<Event>() == BODY_BYTES);

impl Event {
    /// The order was resting and the other side came to it.
    pub const MAKER: u8 = 1;
    /// The units are, or were, on the book.
    pub const BOOKED: u8 = 2;
    /// No further event comes from the same input.
    pub const LAST: u8 = 4;
    /// The order is not shown.
    pub const HIDDEN: u8 = 8;
    /// Of a `Replaced`: the replaced order was not shown.
    pub const OLD_HIDDEN: u8 = 16;
    /// The units are, or were, live beside the book.
    pub const PARKED: u8 = 32;
    /// An auction's trade: both orders were resting.
    pub const AUCTION: u8 = 64;
    /// Of a `MassCanceled` or `Refused`: it answers a mass cancel of the session's user.
    pub const OF_USER: u8 = 128;

    /// Of a `Broken`: the member's text for the order; of an `AccessChanged`: its letters.
    #[must_use]
    pub const fn client_id(&self) -> [u8; 14] {
        let [a, b, c, d, e, f, g, h] = self.order_ref.to_le_bytes();
        let ([i, j, k, l], [m, n, ..]) =
            (self.old_user_ref.to_le_bytes(), self.leaves.to_le_bytes());
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n]
    }

    /// The same `Broken` or `AccessChanged` with such letters.
    #[must_use]
    pub const fn with_client_id(mut self, text: [u8; 14]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = text;
        self.order_ref = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        self.old_user_ref = u32::from_le_bytes([i, j, k, l]);
        self.leaves = u32::from_le_bytes([m, n, 0, 0]);
        self
    }

    /// Whether a flag is set.
    #[must_use]
    pub const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}
