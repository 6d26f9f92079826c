//! What the exchange answers.

messages! {
    /// An OUCH 5.0 message from the exchange.
    Outbound, "OUCH 5.0 outbound",
    {
        /// Nanoseconds since midnight.
        1 timestamp: u64,
    }

    /// System event.
    SystemEvent = b'S', 10, fixed {
        /// S start of day, E end of day.
        9 event: letter,
    }

    /// An order was accepted.
    Accepted = b'A', 64, tagged {
        /// The member's number of the order.
        9 user_ref: u32,
        /// B buy, S sell, T sell short, E sell short exempt.
        13 side: letter,
        /// Units.
        14 quantity: u32,
        /// Symbol.
        18 symbol: alpha8,
        /// Limit price.
        26 price: price,
        /// Time in force.
        34 time_in_force: letter,
        /// Display.
        35 display: letter,
        /// The exchange's number of the order.
        36 order_ref: u64,
        /// Capacity.
        44 capacity: letter,
        /// Intermarket sweep.
        45 intermarket_sweep: letter,
        /// Cross type.
        46 cross_type: letter,
        /// L live, D dead.
        47 state: letter,
        /// The member's own text.
        48 client_id: alpha14,
    }

    /// An order was replaced.
    Replaced = b'U', 68, tagged {
        /// Number of the order that was replaced.
        9 old_user_ref: u32,
        /// Number of the new order.
        13 user_ref: u32,
        /// B buy, S sell, T sell short, E sell short exempt.
        17 side: letter,
        /// Units.
        18 quantity: u32,
        /// Symbol.
        22 symbol: alpha8,
        /// Limit price.
        30 price: price,
        /// Time in force.
        38 time_in_force: letter,
        /// Display.
        39 display: letter,
        /// The exchange's number of the new order.
        40 order_ref: u64,
        /// Capacity.
        48 capacity: letter,
        /// Intermarket sweep.
        49 intermarket_sweep: letter,
        /// Cross type.
        50 cross_type: letter,
        /// L live, D dead.
        51 state: letter,
        /// The member's own text.
        52 client_id: alpha14,
    }

    /// Units of an order were canceled.
    Canceled = b'C', 18, fixed {
        /// The member's number of the order.
        9 user_ref: u32,
        /// Units removed.
        13 quantity: u32,
        /// U user, I immediate or cancel, T timeout, S supervisory, D regulatory, Q self
        /// match, Z system, C cross, K collars, H halted, X open protection, E closed, F and
        /// G post only.
        17 reason: letter,
    }

    /// Units of an order were canceled because both sides were the same member's.
    AiqCanceled = b'D', 31, fixed {
        /// The member's number of the order.
        9 user_ref: u32,
        /// Units removed.
        13 decremented: u32,
        /// Q self match.
        17 reason: letter,
        /// Units that would have traded.
        18 prevented: u32,
        /// Price at which they would have traded.
        22 price: price,
        /// Liquidity flag.
        30 liquidity: letter,
    }

    /// An order traded.
    Executed = b'E', 36, tagged {
        /// The member's number of the order.
        9 user_ref: u32,
        /// Units that traded.
        13 quantity: u32,
        /// Price of the trade.
        17 price: price,
        /// A added, R removed, others.
        25 liquidity: letter,
        /// Match number.
        26 match_number: u64,
    }

    /// A trade was broken.
    BrokenTrade = b'B', 36, fixed {
        /// The member's number of the order.
        9 user_ref: u32,
        /// Match number.
        13 match_number: u64,
        /// Reason.
        21 reason: letter,
        /// The member's own text.
        22 client_id: alpha14,
    }

    /// A trade's price was corrected.
    TradeCorrection = b'F', 49, fixed {
        /// The member's number of the order.
        9 user_ref: u32,
        /// Units that traded.
        13 quantity: u32,
        /// Corrected price.
        17 price: price,
        /// Liquidity flag.
        25 liquidity: letter,
        /// Match number.
        26 match_number: u64,
        /// Reason.
        34 reason: letter,
        /// The member's own text.
        35 client_id: alpha14,
    }

    /// An order or a replacement was refused.
    Rejected = b'J', 29, fixed {
        /// The member's number of the order.
        9 user_ref: u32,
        /// Reason: 0x01 quote unavailable, 0x13 invalid quantity, 0x17 invalid symbol, 0x1D
        /// invalid price, 0x21 market impact, others.
        13 reason: u16,
        /// The member's own text.
        15 client_id: alpha14,
    }

    /// A cancel waits, the order being in a cross.
    CancelPending = b'P', 13, fixed {
        /// The member's number of the order.
        9 user_ref: u32,
    }

    /// A cancel was refused.
    CancelReject = b'I', 13, fixed {
        /// The member's number of the order.
        9 user_ref: u32,
    }

    /// An order's priority changed.
    PriorityUpdate = b'T', 30, fixed {
        /// The member's number of the order.
        9 user_ref: u32,
        /// Price.
        13 price: price,
        /// Display.
        21 display: letter,
        /// The exchange's number of the order.
        22 order_ref: u64,
    }

    /// An order was modified.
    Modified = b'M', 18, fixed {
        /// The member's number of the order.
        9 user_ref: u32,
        /// Side.
        13 side: letter,
        /// Units.
        14 quantity: u32,
    }

    /// An order was restated.
    Restated = b'R', 16, tagged {
        /// The member's number of the order.
        9 user_ref: u32,
        /// R refresh of the displayed quantity, P price of the displayed order.
        13 reason: letter,
    }

    /// Orders were taken off at once; each was told before.
    MassCancelResponse = b'X', 27, tagged {
        /// The member's number of the request.
        9 user_ref: u32,
        /// Firm.
        13 firm: alpha4,
        /// Symbol, blank for all.
        17 symbol: alpha8,
    }

    /// The next user reference number.
    AccountQueryResponse = b'Q', 13, fixed {
        /// Next number that the exchange will take.
        9 next_user_ref: u32,
    }
}
