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

mod access;
mod command;
mod event;

pub use access::{
    ACCESS_GONE, ACCESS_GRACE, ACCESS_NAME, ACCESS_NETWORK, ACCESS_RATE, ACCESS_SECRET,
};
pub use event::Event;

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

/// What `flags` of a `MassCancel` are that a user asks for.
pub const MASS_OF_USER: u8 = 1;

/// A bit of an `Extra`'s `flags`: the order trades whole or not at all.
pub const EXTRA_ALL_OR_NONE: u8 = 8;

/// A bit of an `Extra`'s `flags`: the market price becomes the other side's best price.
pub const EXTRA_TO_LIMIT: u8 = 16;

/// A bit of a `Grant`'s `flags`: the user may enter and replace orders of the account.
pub const MAY_ENTER: u8 = 1;

/// A bit of a `Grant`'s `flags`: the user may cancel its orders of the account.
pub const MAY_CANCEL: u8 = 2;

/// All bits of a `Grant`'s `flags`: what a user may do of which nothing was said.
pub const MAY_TRADE: u8 = MAY_ENTER | MAY_CANCEL;

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
        /// Give the order `user_ref` another price or another number of open units, `quantity`:
        /// fewer units at the same price keep its priority. All else is a `Replace` under the same
        /// reference.
        Amend = 4,
        /// Define symbol number `symbol`: its name, eight letters padded with spaces, is in
        /// `client_id`, its tick (0 means 1) in `price`: good prices are multiples of it.
        DefineSymbol = 16,
        /// Bind session number `session` to an account: its number is in `user_ref`, the firm's
        /// four letters are the first bytes of `client_id`, the self-trade mode is `letters[0]`:
        /// 0 trade, 1 cancel newest, 2 cancel oldest, 3 cancel both, 4 decrement and cancel;
        /// `letters[1]` is 0 if its references grow, 1 if they are free.
        DefineSession = 17,
        /// The trading day begins; order entry opens.
        OpenDay = 18,
        /// The trading day ends: every order is taken off the book, by symbol, buys before sells,
        /// then by price and time; nothing is accepted after, and the day does not open again.
        CloseDay = 19,
        /// Put `symbol` into the [`MarketState`] in `flags`; `price` is its reference price, 0 to
        /// leave that as it is.
        SetState = 20,
        /// Price bands of `symbol`: `quantity` is the static width and `old_user_ref` the dynamic
        /// one, in 1/10,000; `user_ref` is the time in the limit state and `price` that of the
        /// volatility auction, in milliseconds.
        SetBands = 21,
        /// How arriving orders are shared out in `symbol`: `flags` 0 by time, 1 pro-rata, 2 split
        /// with `quantity` percent for the top order.
        SetAllocation = 22,
        /// Limit number `flags` of the account `user_ref` is `price`, 0 for none.
        SetLimit = 23,
        /// Kill (`flags` 1) or revive (0) a scope: `letters[0]` is 0 for all, 1 for the account
        /// `user_ref`, 2 for `session`, 3 for `symbol`.
        Kill = 25,
        /// Take off all orders that fit: bits of `letters[0]` say what must: 1 `session`, 2 the
        /// account `user_ref`, 4 `side`, 8 `symbol`, 16 a price from `old_user_ref` to `price`.
        /// `flags` is [`MASS_OF_USER`] if the user of `session`, which must fit then, asks for it:
        /// `old_user_ref` is its reference, of the row of its orders', and no price can be named.
        MassCancel = 26,
        /// Tell what the auction of `symbol` would do now.
        Indicate = 27,
        /// What the next `New` or `Replace` of the same session asks beyond the plain order; the
        /// order itself follows as the next input of that session. `quantity` is the minimum
        /// quantity, `old_user_ref` the displayed quantity, `price` the expiry in nanoseconds since
        /// the Unix epoch, each 0 for none; `flags` holds [`EXTRA_POST_ONLY`] and its neighbours.
        /// `letters[1]` is a [`Condition`], its amount an `i32` in `client_id[4..8]`.
        /// `letters[0]` or `client_id[0]` is not 0 when something is asked that is not offered.
        Extra = 32,
        /// A `New`, or a `Replace` of `old_user_ref`, that the venue refused ahead of the engine:
        /// it is answered as `Rejected` with the [`Reason`] in `flags`, and nothing else changes.
        Refuse = 33,
        /// The connection of `session` ended (`flags` 0) or began (1): nothing changes in the
        /// books. `price` is after how many nanoseconds the sequencer asks for a `MassCancel` of
        /// the session, unless it began again.
        Presence = 34,
        /// Fourteen letters of what an operator said, number `flags` of them from 0, in
        /// `client_id`; `quantity` are in all, `user_ref` is the operator's user number. The act
        /// itself follows its last letters.
        Remark = 35,
        /// What an operator does to `session`: `flags` 0 lets it log in again, 1 locks it, 2 ends
        /// its connection; [`ACCESS_RATE`] and its neighbours change what a topology says of it.
        Access = 36,
        /// What a `Bust`, the next one, takes back: the trade whose match number is in `price`, of
        /// which the order `user_ref` of `session` was the aggressor; the order's text is in
        /// `client_id`.
        Trade = 37,
        /// Take back the trade that the last `Trade` named: `quantity` units of `symbol` at
        /// `price`, with the order `user_ref` of `session`, whose side is `side` and whose text is
        /// in `client_id`, as the maker. `flags` is why: a [`Reason`] from `Erroneous` to
        /// `External`.
        Bust = 38,
        /// What the user of `session` may do for the account `user_ref` from now on: `flags` holds
        /// [`MAY_ENTER`] and its neighbours, 0 takes everything away. An account that the user did
        /// not have gets a session number of its own, the first free one above the user's: a
        /// *mandate*. Orders under that number are that account's, and their references are the
        /// user's. Commands that name the user's own number are about the orders of all of them.
        Grant = 39,
    }
}

codes! {
    /// How long an order lives.
    TimeInForce {
        /// Until the day ends.
        Day = 0,
        /// What does not trade at once is cancelled.
        ImmediateOrCancel = 1,
        /// For the opening auction only.
        AtOpen = 2,
        /// For the closing auction only.
        AtClose = 3,
    }
}

codes! {
    /// What a symbol's market does.
    MarketState {
        /// Orders rest; nothing trades.
        PreOpen = 1,
        /// Orders rest until the opening uncross.
        OpeningAuction = 2,
        /// Orders trade as they arrive.
        Continuous = 3,
        /// Orders are refused; cancels are taken.
        Halt = 4,
        /// Orders rest until the uncross that ends it.
        VolatilityAuction = 5,
        /// Orders rest until the uncross that ends it.
        Reopening = 6,
        /// Orders rest until the closing uncross.
        ClosingAuction = 7,
        /// The symbol's day is over.
        Closed = 8,
        /// As [`Continuous`](Self::Continuous), with the best price at the edge of its band and a
        /// timer running.
        LimitState = 9,
    }
}

codes! {
    /// What an order waits for, or follows.
    Condition {
        /// Nothing.
        None = 0,
        /// A trade at its trigger price, or beyond.
        Stop = 1,
        /// As a stop; the trigger follows the market at a distance.
        TrailingStop = 2,
        /// Its own side's best shown price.
        PrimaryPeg = 3,
        /// The other side's best shown price.
        MarketPeg = 4,
        /// The middle between them.
        MidpointPeg = 5,
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
        /// A parked order came to life under the new number `order_ref`; `related` is the old one.
        /// Otherwise as `Accepted`.
        Triggered = 10,
        /// A pegged order left its price for another one, under the new number `order_ref`;
        /// `related` is the old one. Otherwise as `Accepted`.
        Repriced = 11,
        /// What the auction would do now: fields as in `Uncrossed`.
        Indicative = 12,
        /// The symbol is in [`MarketState`] `quantity`, and was in `leaves`; `price` is its
        /// reference price, `related` the time in nanoseconds at which a timer ends it, or 0.
        StateChanged = 13,
        /// An auction traded `quantity` units at `price`; `leaves` units of `side` found nobody.
        Uncrossed = 14,
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
        /// `SetBands`, `SetAllocation` or `SetLimit` was taken.
        Configured = 22,
        /// A mass cancel is done; `quantity` orders left. With [`Event::OF_USER`] the session's
        /// user asked for it as `old_user_ref`.
        MassCanceled = 23,
        /// A kill switch was set or lifted; `quantity` orders left.
        KillChanged = 24,
        /// An operator's `Access` was taken: `quantity` is its `flags`, its letters stand where
        /// those of `Broken` do: [`Event::client_id`].
        AccessChanged = 25,
        /// A trade of `quantity` units at `price` was taken back, its match number is in `related`:
        /// once for the maker's order, with [`Event::MAKER`], then for the aggressor's. The order
        /// itself stays what it is; its text stands in `order_ref`, `old_user_ref` and `leaves`:
        /// [`Event::client_id`].
        Broken = 26,
        /// A `Grant` was taken: `session` is the number that the user of `old_user_ref` has for the
        /// account in `user_ref`, `quantity` what it may do.
        Granted = 27,
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
        /// A market-to-limit order found nobody on the other side.
        NoLiquidity = 21,
        /// The symbol takes no orders now.
        Halted = 22,
        /// The symbol takes no orders of this kind now.
        NotInState = 23,
        /// The auction that the order was for is over.
        AuctionOver = 24,
        /// The price is outside the symbol's static band.
        PriceBand = 25,
        /// The account may not trade the symbol.
        Restricted = 26,
        /// A kill switch is set.
        Killed = 27,
        /// More units than the account may enter at once.
        MaxQuantity = 28,
        /// More value than the account may enter at once.
        MaxNotional = 29,
        /// The price is too far beyond the market.
        FatFinger = 30,
        /// The account has as many live orders as it may have.
        MaxOpenOrders = 31,
        /// The account's position could become too large.
        MaxPosition = 32,
        /// The account's gross credit is used up.
        GrossCredit = 33,
        /// The account's net credit is used up.
        NetCredit = 34,
        /// The account enters orders too fast.
        RateLimit = 35,
        /// A mass cancel took it off.
        MassCancel = 36,
        /// The journal's disk is full: what is left of it is for orders to leave.
        DiskFull = 37,
        /// The venue has more to do than it can: try again.
        Overloaded = 38,
        /// A trade was taken back because it was an error.
        Erroneous = 39,
        /// Both sides wanted a trade taken back.
        Consent = 40,
        /// The venue's supervision took a trade back.
        Supervisory = 41,
        /// A third party had a trade taken back.
        External = 42,
        /// No such trade was made.
        UnknownTrade = 43,
        /// The trade was taken back before.
        TradeBroken = 44,
        /// The user may not act for this account at all.
        WrongAccount = 45,
        /// The user may not do this for this account.
        NotPermitted = 46,
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
    /// Of an `Extra`: [`EXTRA_POST_ONLY`] and its neighbours; else what its [`CommandKind`] says.
    pub flags: u8,
    /// Number of the symbol in the directory, from 1; 0 for a symbol that is not listed.
    pub symbol: u16,
    /// Number of the session, or of one of its user's mandates, from 1.
    pub session: u16,
    /// The member's number of this order, growing within a session, its mandates included.
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
