//! What a member sends to the exchange.

messages! {
    /// An OUCH 5.0 message from the member.
    Inbound, "OUCH 5.0 inbound",
    {}

    /// Enter an order.
    EnterOrder = b'O', 47, tagged {
        /// The member's number of the order, strictly growing within a session.
        1 user_ref: u32,
        /// B buy, S sell, T sell short, E sell short exempt.
        5 side: letter,
        /// Units.
        6 quantity: u32,
        /// Symbol.
        10 symbol: alpha8,
        /// Limit price.
        18 price: price,
        /// Time in force: 0 day, 3 immediate or cancel, 5 extended hours, 6 until the expire
        /// time, E after hours.
        26 time_in_force: letter,
        /// Y displayed, N hidden, A attributed.
        27 display: letter,
        /// A agency, P principal, R riskless principal, O other.
        28 capacity: letter,
        /// Intermarket sweep: Y or N.
        29 intermarket_sweep: letter,
        /// N continuous, O opening, C closing, H halt or IPO, S supplemental, R retail, E
        /// extended life, A after hours close.
        30 cross_type: letter,
        /// The member's own text.
        31 client_id: alpha14,
    }

    /// Replace an order: new number, price and quantity; priority is lost.
    ReplaceOrder = b'U', 40, tagged {
        /// Number of the order to replace.
        1 old_user_ref: u32,
        /// Number of the new order.
        5 user_ref: u32,
        /// Units.
        9 quantity: u32,
        /// Limit price.
        13 price: price,
        /// Time in force, as in Enter order.
        21 time_in_force: letter,
        /// Y displayed, N hidden, A attributed.
        22 display: letter,
        /// Intermarket sweep: Y or N.
        23 intermarket_sweep: letter,
        /// The member's own text.
        24 client_id: alpha14,
    }

    /// Cancel an order, or lower its quantity.
    CancelOrder = b'X', 9, fixed {
        /// Number of the order.
        1 user_ref: u32,
        /// New intended quantity, executed units included; 0 takes it off the book.
        5 quantity: u32,
    }

    /// Modify an order: its side among the sell sides, or a lower quantity.
    ModifyOrder = b'M', 10, fixed {
        /// Number of the order.
        1 user_ref: u32,
        /// S sell, T sell short, E sell short exempt.
        5 side: letter,
        /// Units.
        6 quantity: u32,
    }

    /// Take many orders off at once.
    MassCancel = b'C', 19, tagged {
        /// The member's number of the request, of the same row as those of orders.
        1 user_ref: u32,
        /// Firm, or blank.
        5 firm: alpha4,
        /// Symbol, blank for all.
        9 symbol: alpha8,
    }

    /// Ask for the next user reference number.
    AccountQuery = b'Q', 1, fixed {}
}
