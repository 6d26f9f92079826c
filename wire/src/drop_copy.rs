//! Drop copy: what happened to the orders of some accounts, for their risk desk.
//!
//! Our own messages, big-endian, sequenced in [`soup`](crate::soup): one for each reply that the
//! sessions of these accounts get, in the order of the engine, whole without those replies. Days
//! begin and end with OUCH's system event.

messages! {
    /// A message of the drop copy.
    Message, "drop copy",
    {
        /// Nanoseconds since midnight.
        1 timestamp: u64,
    }

    /// Something happened to an order.
    OrderEvent = b'D', 72, fixed {
        /// A accepted, U replaced, C units left, E executed, B trade broken, J refused, I cancel
        /// refused, R refreshed, T came to life, P repriced.
        9 event: letter,
        /// Account.
        10 account: u32,
        /// User name of the session.
        14 user: alpha6,
        /// The member's number of the order.
        20 user_ref: u32,
        /// The order that was replaced, or 0.
        24 old_user_ref: u32,
        /// The exchange's number of the order, 0 when it has none or a trade was broken.
        28 order_ref: u64,
        /// Symbol, blank when it is unknown.
        36 symbol: alpha8,
        /// B buy, S sell, blank when it is neither.
        44 side: letter,
        /// Units this is about; for an order that is taken, its open units.
        45 quantity: u32,
        /// Units that are left.
        49 leaves: u32,
        /// Price of the order or of the trade.
        53 price: price,
        /// Match number of a trade, or 0.
        61 match_number: u64,
        /// Reject code, or the letter of a cancellation or of a broken trade, or 0.
        69 reason: u16,
        /// Liquidity flag of a trade, or blank.
        71 liquidity: letter,
    }
}
