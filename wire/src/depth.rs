//! Depth: a book by its levels, and its top.
//!
//! Our own messages, big-endian. They travel in [`mold`](crate::mold), whose numbers are their
//! sequence. After each input of the engine there is one [`Level`] for each level whose shown units
//! or shown orders are others now, in the order in which they were touched, then one [`Top`] for
//! each symbol whose best prices, or units there, are others now. Hidden units are never counted,
//! icebergs with what they show. Market orders, which only rest while an auction is called, stand
//! at the greatest price to buy and at 0 to sell.

/// The longest message: [`Top`].
pub const MESSAGE_BYTES_MAX: usize = 33;

messages! {
    /// A message of the depth.
    Message, "depth",
    {
        /// The symbol's number of the day.
        1 stock_locate: u16,
        /// Nanoseconds since midnight.
        3 timestamp: u48,
    }

    /// A symbol is listed; its book is empty.
    Directory = b'R', 17, fixed {
        /// Symbol.
        9 stock: alpha8,
    }

    /// What stands at a price now.
    Level = b'L', 26, fixed {
        /// B buy, S sell.
        9 side: letter,
        /// Price.
        10 price: price4,
        /// Shown units of all orders, 0 when the level is gone.
        14 units: u64,
        /// Orders that show units.
        22 orders: u32,
    }

    /// What stands at the best prices now; a side without orders has no units and price 0.
    Top = b'T', 33, fixed {
        /// Best price to buy at.
        9 bid_price: price4,
        /// Shown units there.
        13 bid_units: u64,
        /// Best price to sell at.
        21 offer_price: price4,
        /// Shown units there.
        25 offer_units: u64,
    }
}
