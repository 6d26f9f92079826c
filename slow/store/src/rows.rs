//! The rows that come often, as their tables have them.

use crate::Error;
use crate::tables::{Cell, FILLS, How, ORDERS, REFUSALS, Tables, Writer as _};
use crate::versions::Noting;
use std::borrow::Cow;

/// An order as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Where the reply that made it known stands.
    pub id: i64,
    pub session: u16,
    pub user_ref: u32,
    pub account: u32,
    pub symbol: [u8; 8],
    /// B or S, or T and E, which sell too.
    pub side: u8,
    pub units: u32,
    pub price: i64,
    pub time_in_force: u8,
    pub display: u8,
    pub order_ref: u64,
    /// The order that it took the place of.
    pub replaces: Option<i64>,
    pub client_id: [u8; 14],
    pub entered_ns: u64,
    pub changed_ns: u64,
    pub open_units: u32,
    pub traded_units: u32,
    pub traded_value: i64,
    pub state: &'static str,
    /// Why units left, as the reply said.
    pub reason: u8,
    /// The table has it.
    pub is_stored: bool,
}

/// What an order may be.
pub const LIVE: &str = "live";
pub const FILLED: &str = "filled";
pub const CANCELED: &str = "canceled";
pub const REPLACED: &str = "replaced";

impl Order {
    /// Whether it sells.
    pub const fn is_sell(&self) -> bool {
        self.side != b'B'
    }
}

/// One side of a trade.
#[derive(Clone, Debug)]
pub struct Fill<'o> {
    pub id: i64,
    pub order: &'o Order,
    pub time_ns: u64,
    pub units: u32,
    pub price: i64,
    pub liquidity: u8,
}

/// A reply that refused something.
#[derive(Clone, Debug)]
pub struct Refusal<'a> {
    pub id: i64,
    pub session: u16,
    pub user_ref: u32,
    pub time_ns: u64,
    /// `order`, `cancel`, or `bust` of a trade that was not this order's.
    pub what: &'static str,
    /// Why an order was refused; the match number of a bust.
    pub code: i64,
    pub client_id: Option<&'a [u8]>,
}

/// Writes the rows that come often.
pub struct Rows<'c> {
    /// Everything else goes by it.
    pub writer: Noting<'c>,
}

impl<'c> Rows<'c> {
    /// Begins to write.
    pub fn new(tables: &'c dyn Tables) -> Self {
        Self {
            writer: Noting::new(tables),
        }
    }

    /// The database, as it stands after the rows that were written.
    pub fn tables(&self) -> &dyn Tables {
        self.writer.tables()
    }

    /// Writes an order as it stands now.
    ///
    /// # Errors
    /// The database fails.
    pub fn order(&mut self, order: &mut Order) -> Result<(), Error> {
        let mut buffers = [[0; 4]; 4];
        let [side, time_in_force, display, reason] = &mut buffers;
        let reason = char::from(order.reason).encode_utf8(reason);
        let (symbol, client_id) = (utf8(&order.symbol), utf8(&order.client_id));
        let row = [
            order.id.into(),
            order.session.into(),
            order.user_ref.into(),
            order.account.into(),
            (&*symbol).into(),
            Cell::Text(char::from(order.side).encode_utf8(side)),
            order.units.into(),
            order.price.into(),
            Cell::Text(char::from(order.time_in_force).encode_utf8(time_in_force)),
            Cell::Text(char::from(order.display).encode_utf8(display)),
            order.order_ref.into(),
            order.replaces.into(),
            (&*client_id).into(),
            order.entered_ns.into(),
            order.changed_ns.into(),
            order.open_units.into(),
            order.traded_units.into(),
            order.traded_value.into(),
            order.state.into(),
            (order.reason != 0).then_some(&*reason).into(),
        ];
        let how = if order.is_stored { How::Put } else { How::Add };
        order.is_stored = true;
        self.writer.write(&ORDERS, how, &row)
    }

    /// Writes one side of a trade.
    ///
    /// # Errors
    /// The database fails, or has it already.
    pub fn fill(&mut self, fill: &Fill<'_>) -> Result<(), Error> {
        let order = fill.order;
        let mut liquidity = [0; 4];
        let symbol = utf8(&order.symbol);
        let row = [
            fill.id.into(),
            order.id.into(),
            order.session.into(),
            order.user_ref.into(),
            order.account.into(),
            (&*symbol).into(),
            fill.time_ns.into(),
            fill.units.into(),
            fill.price.into(),
            Cell::Text(char::from(fill.liquidity).encode_utf8(&mut liquidity)),
            Cell::Null,
        ];
        self.writer.write(&FILLS, How::Add, &row)
    }

    /// Writes what was refused.
    ///
    /// # Errors
    /// The database fails, or has it already.
    pub fn refusal(&mut self, refusal: &Refusal<'_>) -> Result<(), Error> {
        let client_id = refusal.client_id.map(utf8);
        let row = [
            refusal.id.into(),
            refusal.session.into(),
            refusal.user_ref.into(),
            refusal.time_ns.into(),
            refusal.what.into(),
            refusal.code.into(),
            client_id.as_deref().into(),
        ];
        self.writer.write(&REFUSALS, How::Add, &row)
    }
}

/// A field's text: without spaces and zeros at its end, and with `?` for what is no plain letter.
pub fn utf8(field: &[u8]) -> Cow<'_, str> {
    let is_filling = |byte: &u8| matches!(byte, 0 | b' ');
    let filling = field.iter().rev().take_while(|byte| is_filling(byte));
    let letters = &field[..field.len() - filling.count()];
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~');
    match std::str::from_utf8(letters) {
        Ok(text) if letters.iter().all(is_plain) => text.into(),
        _ => {
            let plain = |byte: &u8| if is_plain(byte) { *byte } else { b'?' };
            letters.iter().map(|byte| char::from(plain(byte))).collect()
        }
    }
}

/// A letter as text.
pub fn letter(byte: u8) -> String {
    char::from(byte).to_string()
}
