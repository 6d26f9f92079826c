//! What crosses a ring between two threads: commands to the engine and its events.
//!
//! A ring slot is one cache line: 8 bytes of time stamp, a body of 48 bytes, 8 bytes of sequence
//! number. [`Command`] and [`Event`] are such bodies: plain data, little-endian, every bit pattern
//! valid, so that a reader can look at memory it does not trust. [`Input`] is a command that the
//! sequencer numbered and timed: what the engine applies and what the journal keeps.
//!
//! Prices are signed integers in 1/10,000 of the currency; quantities are units; times are
//! nanoseconds since the Unix epoch.

use bytemuck::{Pod, Zeroable};

/// Bytes of a ring message.
pub const BODY_BYTES: usize = 48;

/// The price that asks for any price: 200,000.0000, the greatest price of OUCH and ITCH.
pub const PRICE_MARKET: i64 = 2_000_000_000;

/// The greatest price an order may have, one unit below [`PRICE_MARKET`].
pub const PRICE_MAX: i64 = PRICE_MARKET - 1;

/// The greatest quantity an order may have.
pub const QUANTITY_MAX: u32 = 999_999;

/// A bit of an `Extra`'s `flags`: the order must not trade on entry.
pub const EXTRA_POST_ONLY: u8 = 1;

/// A bit of an `Extra`'s `flags`, with [`EXTRA_POST_ONLY`]: instead of trading on entry the order
/// moves one tick off the other side's best price.
pub const EXTRA_SLIDE: u8 = 2;

/// A bit of an `Extra`'s `flags`: nothing of the order is shown but its trades.
pub const EXTRA_HIDDEN: u8 = 4;

/// Which side of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Side {
    /// Wants to buy.
    Buy = 0,
    /// Wants to sell.
    Sell = 1,
}

impl Side {
    /// The side that trades with this one.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// Reads a side from its byte in a ring message.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Buy),
            1 => Some(Self::Sell),
            _ => None,
        }
    }
}

/// Makes a set of `u8` codes with their names and a checked reading.
macro_rules! codes {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $item:ident = $value:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$doc])* $item = $value,)*
        }

        impl $name {
            /// Every code, in the order of its number.
            pub const ALL: &[Self] = &[$(Self::$item),*];

            /// Reads a code from its byte in a ring message.
            #[must_use]
            pub const fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($value => Some(Self::$item),)*
                    _ => None,
                }
            }
        }
    };
}

codes! {
    /// What a command asks for.
    CommandKind {
        /// Nothing: a command that only carries the time of its input.
        Time = 0,
        /// Enter an order: `symbol`, `side`, `quantity`, `price`, `time_in_force`, `user_ref`.
        New = 1,
        /// Lower the order `user_ref` to `quantity` in all, executed units included, keeping its
        /// priority; 0, or no more than is executed already, takes it off the book.
        Cancel = 2,
        /// Replace the order `old_user_ref` by `user_ref` with a new price and a new total
        /// quantity, executed units of the old order included. Loses priority.
        Replace = 3,
        /// Define symbol number `symbol`: its name, eight letters padded with spaces, is in
        /// `client_id`, its tick (0 means 1) in `price`: good prices are multiples of it.
        DefineSymbol = 16,
        /// Bind session number `session` to an account: its number is in `user_ref`, the firm's
        /// four letters are the first bytes of `client_id`, the self-trade mode is `letters[0]`:
        /// 0 trade, 1 cancel newest, 2 cancel oldest, 3 cancel both, 4 decrement and cancel.
        DefineSession = 17,
        /// The trading day begins; order entry opens.
        OpenDay = 18,
        /// The trading day ends: every order is taken off the book, by symbol, buys before sells,
        /// then by price and time; nothing is accepted after, and the day does not open again.
        CloseDay = 19,
        /// What the next `New` or `Replace` of the same session asks beyond the plain order; the
        /// order itself follows as the next input of that session. `quantity` is the minimum
        /// quantity, `old_user_ref` the displayed quantity, `price` the expiry in nanoseconds since
        /// the Unix epoch, each 0 for none; `flags` holds [`EXTRA_POST_ONLY`], [`EXTRA_SLIDE`],
        /// [`EXTRA_HIDDEN`]. `letters[0]` or `client_id[0]` is not 0 when something is asked that
        /// is not offered.
        Extra = 32,
    }
}

codes! {
    /// How long an order lives.
    TimeInForce {
        /// Until the day ends.
        Day = 0,
        /// What does not trade at once is cancelled.
        ImmediateOrCancel = 1,
    }
}

codes! {
    /// What an event tells.
    EventKind {
        /// A new order was taken: first event of its input, but for orders that expire. With
        /// [`Event::BOOKED`] it rests whole; `leaves` are its units, `quantity` the shown ones.
        Accepted = 1,
        /// A replacement was taken, as with `Accepted`. `old_user_ref` and `related` name the
        /// replaced order, whose rest left the book; [`Event::OLD_HIDDEN`] says that it was hidden.
        Replaced = 2,
        /// `quantity` units left the order and nothing is left of it; `reason` says why. With
        /// [`Event::BOOKED`] they were resting, without it they never reached the book.
        Canceled = 3,
        /// `quantity` units were taken off an order that keeps its priority; `leaves` stay. Of the
        /// units `related` were held back by an iceberg. Without [`Event::BOOKED`] the order is
        /// still being matched.
        Reduced = 4,
        /// `quantity` units traded at `price`; `related` is the match number, `leaves` is what is
        /// left. The resting order's event has [`Event::MAKER`] and comes first, then the
        /// aggressor's.
        Executed = 5,
        /// What is left of an order that traded on entry (`leaves`, of which `quantity` is shown)
        /// now rests at `price`.
        Booked = 6,
        /// A new order or a replacement was refused: `reason` says why. Last event of its input.
        Rejected = 7,
        /// A cancel named an order that is not live. Last event of its input.
        CancelRejected = 8,
        /// The shown units of an iceberg were gone: it shows `quantity` of its `leaves` and moved
        /// behind its level's queue under the new number `order_ref`; `related` is the old one.
        Refreshed = 9,
        /// Symbol number `symbol` was defined; its name is in `related`, first letter lowest.
        SymbolDefined = 16,
        /// Session number `session` was bound to the account in `user_ref`.
        SessionDefined = 17,
        /// The day began.
        DayOpened = 18,
        /// The day ended; the orders' cancellations came before.
        DayClosed = 19,
        /// A command that defines or opens something was refused: `reason` says why.
        Refused = 20,
        /// A command was taken that changes nothing by itself: `Time`, `Extra`, or a `Cancel` to a
        /// total that is not below the present one.
        Noted = 21,
    }
}

codes! {
    /// Why an event says no, or why units left the book.
    Reason {
        /// No reason is needed.
        None = 0,
        /// The member asked for it.
        User = 1,
        /// The rest of an immediate-or-cancel or market order.
        ImmediateOrCancel = 2,
        /// The day is over.
        DayClosed = 3,
        /// Such a symbol is not listed.
        UnknownSymbol = 4,
        /// Such a session was never defined.
        UnknownSession = 5,
        /// Zero, or above the maximum.
        InvalidQuantity = 6,
        /// Not positive, above the maximum, or no multiple of the symbol's tick.
        InvalidPrice = 7,
        /// Not greater than the session's last accepted user reference number.
        DuplicateUserRef = 8,
        /// The order to be cancelled or replaced is not live in this session.
        UnknownOrder = 9,
        /// The order pool is full.
        PoolFull = 10,
        /// The price ladder has no room for another group of prices.
        LadderFull = 11,
        /// A field holds a value this engine does not know.
        InvalidField = 12,
        /// An order attribute that this engine does not offer.
        Unsupported = 13,
        /// Order entry is not open.
        NotOpen = 14,
        /// The table of symbols or sessions is full, or the entry is taken.
        TableFull = 15,
        /// The order names a firm that is not the session's.
        WrongFirm = 16,
        /// A post-only order would trade on entry.
        WouldTrade = 17,
        /// Fewer units than the order's minimum quantity are there for it.
        MinimumQuantity = 18,
        /// The order's time is over.
        Expired = 19,
        /// The order would have traded with another one of the same account.
        SelfTrade = 20,
    }
}

/// A request to the engine.
///
/// Fields that a kind does not use are zero. The letters of OUCH that the engine does not read
/// travel along because a reply must repeat them, also after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Command {
    /// A [`CommandKind`].
    pub kind: u8,
    /// A [`Side`].
    pub side: u8,
    /// A [`TimeInForce`].
    pub time_in_force: u8,
    /// Of an `Extra`: [`EXTRA_POST_ONLY`] and its neighbours. Zero for all others.
    pub flags: u8,
    /// Number of the symbol in the directory, from 1; 0 for a symbol that is not listed.
    pub symbol: u16,
    /// Number of the session, from 1.
    pub session: u16,
    /// The member's number of this order, growing within a session.
    pub user_ref: u32,
    /// The order that a replacement replaces.
    pub old_user_ref: u32,
    /// Units.
    pub quantity: u32,
    /// OUCH display, capacity, intermarket sweep and cross type letters, as the member sent them.
    pub letters: [u8; 4],
    /// Limit price, or [`PRICE_MARKET`].
    pub price: i64,
    /// The member's own text for the order (OUCH ClOrdID).
    pub client_id: [u8; 14],
    /// OUCH side and time-in-force letters, as the member sent them.
    pub wire_letters: [u8; 2],
}

const _: () = assert!(size_of::<Command>() == BODY_BYTES);

/// What the engine says happened.
///
/// Every input yields at least one event and exactly one with [`Event::LAST`]: a reader that counts
/// them knows which input it is at. In a ring, the slot's stamp is the input's `time_ns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Event {
    /// An [`EventKind`].
    pub kind: u8,
    /// A [`Side`]: that of the order this event is about.
    pub side: u8,
    /// A [`Reason`].
    pub reason: u8,
    /// [`Event::MAKER`], [`Event::BOOKED`], [`Event::LAST`], [`Event::HIDDEN`],
    /// [`Event::OLD_HIDDEN`].
    pub flags: u8,
    /// Number of the symbol.
    pub symbol: u16,
    /// The session whose order this is about.
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
    /// The match number, the number before, a name, or held back units: see [`EventKind`].
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

    /// Whether a flag is set.
    #[must_use]
    pub const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// A command with its place in the sequence: the engine's input and the journal's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Input {
    /// Position in the sequence, from 1, without gaps.
    pub sequence: u64,
    /// When the sequencer took it: nanoseconds since the Unix epoch, never decreasing.
    pub time_ns: u64,
    /// What is asked.
    pub command: Command,
}

const _: () = assert!(size_of::<Input>() == 64);
