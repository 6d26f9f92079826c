//! An order as FIX tells of it: its fields, its price, and in which words it was refused.

use crate::message::Body;
use std::collections::BTreeMap;
use wire::ring::Reason;

/// Letters of a ClOrdID: what OUCH keeps.
pub const ID_LETTERS_MAX: usize = 14;

/// Prices are counted in 1/10,000.
pub const PRICE_SCALE: u64 = 10_000;

/// The price that stands for any.
pub const PRICE_MARKET: u64 = 2_000_000_000;

/// Rejected orders carry this and the reason.
const REASON_OWN: u16 = 0x8000;

/// Where an order stands, as OrdStatus (39) says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Live, nothing of it traded.
    New,
    /// Live, some of it traded.
    Partial,
    /// All of it traded.
    Filled,
    /// Nothing more of it trades: taken off.
    Canceled,
    /// Nothing more of it trades: another one stands in its place.
    Replaced,
    /// It was refused.
    Rejected,
    /// Nothing more of it trades: its time was over.
    Expired,
}

impl Status {
    /// OrdStatus (39).
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::New => '0',
            Self::Partial => '1',
            Self::Filled => '2',
            Self::Canceled => '4',
            Self::Replaced => '5',
            Self::Rejected => '8',
            Self::Expired => 'C',
        }
    }

    /// Whether more of the order may trade.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::New | Self::Partial)
    }
}

/// An order that the venue took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The member's name for it (11).
    pub id: String,
    /// The name of the one that it replaced (41).
    pub id_before: Option<String>,
    /// The venue's number (37).
    pub order_ref: u64,
    /// Its account (1), if it is not the member's first one.
    pub account: Option<u32>,
    /// Padded.
    pub symbol: [u8; 8],
    /// Side (54).
    pub side: char,
    /// Limit in 1/10,000, or [`PRICE_MARKET`].
    pub price: u64,
    /// TimeInForce (59).
    pub time_in_force: char,
    /// Units asked for (38), with those that an order before it traded.
    pub quantity: u64,
    /// Units that may still trade.
    pub leaves: u64,
    /// Units that traded.
    pub done: u64,
    /// Sum of units times price over all trades, in 1/10,000.
    pub value: u128,
    /// Its own trades by match number, which may be taken back.
    pub trades: BTreeMap<u64, Trade>,
    /// The order that replaced it.
    pub next: Option<u32>,
    /// Where it stands.
    pub status: Status,
}

/// A trade of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Number of the reply that told it (17).
    pub exec: u64,
    /// Units (32).
    pub units: u64,
    /// Price (31) in 1/10,000.
    pub price: u64,
}

impl Order {
    /// Undoes what a trade did to it.
    pub(crate) fn take_back(&mut self, trade: &Trade) {
        self.done = self.done.saturating_sub(trade.units);
        let value = u128::from(trade.units) * u128::from(trade.price);
        self.value = self.value.saturating_sub(value);
        self.status = match self.status {
            Status::Partial if self.done == 0 => Status::New,
            Status::Filled => Status::Canceled,
            other => other,
        };
    }

    /// Its fields in a report.
    pub(crate) fn fields(&self, exec: (u64, char), when: &str) -> Body {
        let before = self.id_before.as_ref().filter(|_| exec.1 == '5');
        Body::default()
            .with(37, self.order_ref)
            .with(17, exec.0)
            .with(150, exec.1)
            .with(39, self.status.letter())
            .with(11, &self.id)
            .with_some(41, before)
            .with_some(1, self.account)
            .with(55, trimmed(&self.symbol))
            .with(54, self.side)
            .with(38, self.quantity)
            .with(40, if self.price == PRICE_MARKET { '1' } else { '2' })
            .with_some(
                44,
                (self.price != PRICE_MARKET).then(|| price_text(self.price)),
            )
            .with(59, self.time_in_force)
            .with(
                151,
                if self.status.is_live() {
                    self.leaves
                } else {
                    0
                },
            )
            .with(14, self.done)
            .with(6, self.price_average())
            .with(60, when)
    }

    /// The average price, to six places, rounded down.
    fn price_average(&self) -> String {
        let millionths = self.value * 100 / u128::from(self.done.max(1));
        format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
    }

    /// The answer to OrderStatusRequest.
    #[must_use]
    pub fn status_report(&self, when: &str) -> Body {
        self.fields((0, 'I'), when)
    }
}

/// An order that the venue does not have.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// ExecID (17): the number of the venue's reply, 0 where it was not asked.
    pub exec: u64,
    /// ClOrdID (11).
    pub id: &'a str,
    /// Symbol (55).
    pub symbol: &'a str,
    /// Side (54).
    pub side: char,
    /// OrderQty (38), where it is known.
    pub quantity: Option<u32>,
}

impl Refused<'_> {
    /// Its execution report, with OrdRejReason (103) in a number and in words.
    #[must_use]
    pub fn report(&self, why: (u32, &str), when: &str) -> Body {
        Body::default()
            .with(37, "NONE")
            .with(17, self.exec)
            .with(150, '8')
            .with(39, '8')
            .with(11, self.id)
            .with(55, self.symbol)
            .with(54, self.side)
            .with_some(38, self.quantity)
            .with(151, 0)
            .with(14, 0)
            .with(6, 0)
            .with(103, why.0)
            .with(58, why.1)
            .with(60, when)
    }
}

/// OrderCancelReject about an order, or about none that is known: the request's ClOrdID, what it
/// was (434) and the reason (102).
#[must_use]
pub fn cancel_reject(order: Option<&Order>, request: (&str, char, u32), text: &str) -> Body {
    let reference = order.map_or("NONE".to_owned(), |order| order.order_ref.to_string());
    let status = order.map_or(Status::Rejected, |order| order.status);
    let before = order.map_or("NONE", |order| &order.id);
    Body::default()
        .with(37, reference)
        .with(11, request.0)
        .with(41, before)
        .with(39, status.letter())
        .with(434, request.1)
        .with(102, request.2)
        .with(58, text)
}

pub(crate) fn cancel_text(reason: u8) -> Option<&'static str> {
    match reason {
        b'I' => Some("the rest did not trade at once"),
        b'Q' => Some("it would have traded with an order of the same account"),
        b'C' => Some("the auction is over"),
        b'S' => Some("killed or mass cancelled by the venue"),
        b'K' => Some("outside the price band"),
        b'Z' => Some("no room"),
        _ => None,
    }
}

pub(crate) fn reject_text(code: u16) -> String {
    match code {
        0x13 => "invalid quantity".into(),
        0x17 => "unknown symbol".into(),
        0x1D => "invalid price".into(),
        _ => {
            let own = code
                .checked_sub(REASON_OWN)
                .and_then(|own| u8::try_from(own).ok());
            let name = own.and_then(Reason::from_byte);
            name.map_or_else(|| format!("reason {code:#06x}"), |name| format!("{name:?}"))
        }
    }
}

/// Side (54) of OUCH's letter.
pub(crate) fn side_letter(letter: u8) -> char {
    match letter {
        b'B' => '1',
        b'T' => '5',
        b'E' => '6',
        _ => '2',
    }
}

/// Text without the spaces that pad it.
#[must_use]
pub fn trimmed(text: &[u8]) -> String {
    String::from_utf8_lossy(wire::trimmed(text)).into_owned()
}

/// A price with as many places as it needs, at least two.
#[must_use]
pub fn price_text(price: u64) -> String {
    let (whole, part) = (price / PRICE_SCALE, price % PRICE_SCALE);
    if part % 100 == 0 {
        format!("{whole}.{:02}", part / 100)
    } else {
        format!("{whole}.{part:04}")
    }
}

/// A price in 1/10,000; `None` for what is none, or has more than four places.
#[must_use]
pub fn price_read(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let part = part.trim_end_matches('0');
    if whole.is_empty() || part.len() > 4 || !is_digits(whole) || !is_digits(part) {
        return None;
    }
    let part: u64 = format!("{part:0<4}").parse().ok()?;
    let whole: u64 = whole.parse().ok()?;
    whole.checked_mul(PRICE_SCALE)?.checked_add(part)
}

/// The answer to a mass cancel of a ClOrdID (11) and MassCancelRequestType (530): how many orders
/// left, or why none did.
#[must_use]
pub fn mass_report((id, scope): (&str, char), outcome: Result<u32, &str>, when: &str) -> Body {
    let body = Body::default()
        .with(37, "NONE")
        .with(11, id)
        .with(530, scope);
    match outcome {
        Ok(count) => body.with(531, scope).with(533, count),
        Err(why) => body.with(531, 0).with(532, 99).with(58, why),
    }
    .with(60, when)
}
