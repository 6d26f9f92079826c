//! Nasdaq TotalView-ITCH 5.0: the market data messages.
//!
//! Big-endian; text is left-justified and padded with spaces; `price4` is 1/10,000 and `price8` is
//! 1/100,000,000 of the currency; the time is nanoseconds since midnight of the exchange's day.
//! Lengths exclude any framing: see [`mold`](crate::mold) and [`binary_file`](crate::binary_file).
//! Codes in letter fields are given as seen in the field; a reader must not refuse others.

/// The longest message: [`Noii`].
pub const MESSAGE_BYTES_MAX: usize = 50;

/// Bytes that every message starts with.
pub const HEADER_BYTES: usize = 11;

/// What every message starts with, after its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The stock's number of the day, 0 when the message is not about one stock.
    pub stock_locate: u16,
    /// Nasdaq's internal number.
    pub tracking_number: u16,
    /// Nanoseconds since midnight.
    pub timestamp: u64,
}

messages! {
    /// An ITCH 5.0 message.
    Message, "ITCH 5.0",
    {
        /// The stock's number of the day; 0 when the message is not about one stock.
        1 stock_locate: u16,
        /// Nasdaq's internal number.
        3 tracking_number: u16,
        /// Nanoseconds since midnight.
        5 timestamp: u48,
    }

    /// System event: a turn of the trading day.
    SystemEvent = b'S', 12, fixed {
        /// O start of messages, S start of system, Q start of market, M end of market, E end
        /// of system, C end of messages.
        11 event: letter,
    }

    /// Stock directory: what a stock is.
    StockDirectory = b'R', 39, fixed {
        /// Symbol.
        11 stock: alpha8,
        /// Listing market.
        19 market_category: letter,
        /// Financial status.
        20 financial_status: letter,
        /// Units of a round lot.
        21 round_lot: u32,
        /// Y if only round lots are accepted.
        25 round_lots_only: letter,
        /// Issue classification.
        26 issue_class: letter,
        /// Issue subtype.
        27 issue_subtype: alpha2,
        /// P live, T test.
        29 authenticity: letter,
        /// Short sale threshold: Y, N or space.
        30 short_sale_threshold: letter,
        /// IPO flag: Y, N or space.
        31 ipo_flag: letter,
        /// Limit up limit down tier: 1, 2 or space.
        32 luld_tier: letter,
        /// Exchange traded product: Y, N or space.
        33 etp_flag: letter,
        /// Leverage of the exchange traded product.
        34 etp_leverage: u32,
        /// Y if the product is inverse.
        38 inverse: letter,
    }

    /// Stock trading action: the stock's trading state changes.
    TradingAction = b'H', 25, fixed {
        /// Symbol.
        11 stock: alpha8,
        /// H halted, P paused, Q quotation only, T trading.
        19 state: letter,
        /// Reserved.
        20 reserved: letter,
        /// Reason.
        21 reason: alpha4,
    }

    /// Regulation SHO short sale price test.
    RegSho = b'Y', 20, fixed {
        /// Symbol.
        11 stock: alpha8,
        /// 0 no test, 1 in effect after an intraday drop, 2 remains in effect.
        19 action: letter,
    }

    /// Market participant position.
    ParticipantPosition = b'L', 26, fixed {
        /// Market participant.
        11 mpid: alpha4,
        /// Symbol.
        15 stock: alpha8,
        /// Y if a primary market maker.
        23 primary_market_maker: letter,
        /// Market maker mode.
        24 market_maker_mode: letter,
        /// Participant state.
        25 state: letter,
    }

    /// Market-wide circuit breaker levels.
    MwcbLevels = b'V', 35, fixed {
        /// Level 1.
        11 level_1: price8,
        /// Level 2.
        19 level_2: price8,
        /// Level 3.
        27 level_3: price8,
    }

    /// Market-wide circuit breaker status: a level was breached.
    MwcbStatus = b'W', 12, fixed {
        /// 1, 2 or 3.
        11 level: letter,
    }

    /// IPO quoting period update.
    IpoQuoting = b'K', 28, fixed {
        /// Symbol.
        11 stock: alpha8,
        /// Release time, seconds since midnight.
        19 release_time: u32,
        /// A anticipated, C canceled or postponed.
        23 qualifier: letter,
        /// IPO price.
        24 price: price4,
    }

    /// Limit up limit down auction collar.
    LuldCollar = b'J', 35, fixed {
        /// Symbol.
        11 stock: alpha8,
        /// Reference price.
        19 reference_price: price4,
        /// Upper collar.
        23 upper_price: price4,
        /// Lower collar.
        27 lower_price: price4,
        /// Number of extensions.
        31 extension: u32,
    }

    /// Operational halt of one market.
    OperationalHalt = b'h', 21, fixed {
        /// Symbol.
        11 stock: alpha8,
        /// Q Nasdaq, B BX, X PSX.
        19 market_code: letter,
        /// H halted, T halt lifted.
        20 action: letter,
    }

    /// An order was added to the book.
    AddOrder = b'A', 36, fixed {
        /// Order reference number.
        11 order_ref: u64,
        /// B buy, S sell.
        19 side: letter,
        /// Units.
        20 shares: u32,
        /// Symbol.
        24 stock: alpha8,
        /// Price.
        32 price: price4,
    }

    /// An order was added to the book, with its owner's name.
    AddOrderMpid = b'F', 40, fixed {
        /// Order reference number.
        11 order_ref: u64,
        /// B buy, S sell.
        19 side: letter,
        /// Units.
        20 shares: u32,
        /// Symbol.
        24 stock: alpha8,
        /// Price.
        32 price: price4,
        /// Market participant.
        36 attribution: alpha4,
    }

    /// A resting order traded at its own price.
    OrderExecuted = b'E', 31, fixed {
        /// Order reference number.
        11 order_ref: u64,
        /// Units that traded.
        19 shares: u32,
        /// Match number.
        23 match_number: u64,
    }

    /// A resting order traded at another price.
    OrderExecutedPrice = b'C', 36, fixed {
        /// Order reference number.
        11 order_ref: u64,
        /// Units that traded.
        19 shares: u32,
        /// Match number.
        23 match_number: u64,
        /// Y if the trade counts for the tape, N if it is told elsewhere.
        31 printable: letter,
        /// Price of the trade.
        32 price: price4,
    }

    /// Units were taken off a resting order, which keeps its priority.
    OrderCancel = b'X', 23, fixed {
        /// Order reference number.
        11 order_ref: u64,
        /// Units removed.
        19 shares: u32,
    }

    /// A resting order left the book.
    OrderDelete = b'D', 19, fixed {
        /// Order reference number.
        11 order_ref: u64,
    }

    /// A resting order was replaced: side, stock and owner stay, priority is lost.
    OrderReplace = b'U', 35, fixed {
        /// Reference number of the order that goes.
        11 old_order_ref: u64,
        /// Reference number of the order that comes.
        19 new_order_ref: u64,
        /// Units.
        27 shares: u32,
        /// Price.
        31 price: price4,
    }

    /// A trade against an order that was not displayed; the book does not change.
    Trade = b'P', 44, fixed {
        /// Order reference number, 0 since 2010.
        11 order_ref: u64,
        /// Always B since 2014.
        19 side: letter,
        /// Units.
        20 shares: u32,
        /// Symbol.
        24 stock: alpha8,
        /// Price.
        32 price: price4,
        /// Match number.
        36 match_number: u64,
    }

    /// Cross trade: the result of an auction.
    CrossTrade = b'Q', 40, fixed {
        /// Units, may be 0.
        11 shares: u64,
        /// Symbol.
        19 stock: alpha8,
        /// Price.
        27 price: price4,
        /// Match number.
        31 match_number: u64,
        /// O opening, C closing, H halt or IPO, I intraday, A extended close.
        39 cross_type: letter,
    }

    /// A trade was broken.
    BrokenTrade = b'B', 19, fixed {
        /// Match number.
        11 match_number: u64,
    }

    /// Net order imbalance indicator.
    Noii = b'I', 50, fixed {
        /// Units that would trade.
        11 paired: u64,
        /// Units that would not.
        19 imbalance: u64,
        /// B buy, S sell, N none, O too few orders, P paused.
        27 direction: letter,
        /// Symbol.
        28 stock: alpha8,
        /// Far price.
        36 far_price: price4,
        /// Near price.
        40 near_price: price4,
        /// Reference price.
        44 reference_price: price4,
        /// O opening, C closing, H halt or IPO, A extended close.
        48 cross_type: letter,
        /// Price variation.
        49 variation: letter,
    }

    /// Retail price improvement indicator.
    Rpii = b'N', 20, fixed {
        /// Symbol.
        11 stock: alpha8,
        /// B buy, S sell, A both, N none.
        19 flag: letter,
    }

    /// Direct listing with capital raise.
    DirectListing = b'O', 48, fixed {
        /// Symbol.
        11 stock: alpha8,
        /// Y if it may open.
        19 open_eligibility: letter,
        /// Least price.
        20 min_price: price4,
        /// Greatest price.
        24 max_price: price4,
        /// Near execution price.
        28 near_price: price4,
        /// Near execution time.
        32 near_time: u64,
        /// Lower collar.
        40 lower_price: price4,
        /// Upper collar.
        44 upper_price: price4,
    }
}

impl Message<'_> {
    /// What every message starts with.
    #[must_use]
    pub fn header(&self) -> Header {
        // Every message's fixed bytes hold a header: its fields stand first in every row.
        let bytes = self.fixed_bytes();
        Header {
            stock_locate: u16::from_be_bytes(crate::field::take(bytes, 1)),
            tracking_number: u16::from_be_bytes(crate::field::take(bytes, 3)),
            timestamp: crate::field::u48_from(crate::field::take(bytes, 5)),
        }
    }
}
