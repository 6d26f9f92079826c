//! The statements that write rows, prepared once for a transaction.

use crate::Error;
use rusqlite::{CachedStatement, Connection, params};
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
    /// For what comes seldom.
    pub connection: &'c Connection,
    order: CachedStatement<'c>,
    fill: CachedStatement<'c>,
    refusal: CachedStatement<'c>,
}

impl<'c> Rows<'c> {
    /// Prepares the statements.
    ///
    /// # Errors
    /// The database does not know its tables.
    pub fn new(connection: &'c Connection) -> Result<Self, Error> {
        let values = |count: usize| vec!["?"; count].join(", ");
        let insert = |table: &str, columns| {
            let text = format!("INSERT INTO {table} VALUES ({})", values(columns));
            connection.prepare_cached(&text)
        };
        let replace = format!("INSERT OR REPLACE INTO orders VALUES ({})", values(20));
        Ok(Self {
            connection,
            order: connection.prepare_cached(&replace)?,
            fill: insert("fills", 11)?,
            refusal: insert("refusals", 7)?,
        })
    }

    /// Writes an order as it stands now.
    ///
    /// # Errors
    /// The database fails.
    pub fn order(&mut self, order: &Order) -> Result<(), Error> {
        let reason = (order.reason != 0).then(|| letter(order.reason));
        let mut buffers = [[0; 4]; 3];
        let [side, time_in_force, display] = &mut buffers;
        self.order.execute(params![
            order.id,
            order.session,
            order.user_ref,
            order.account,
            utf8(&order.symbol),
            char::from(order.side).encode_utf8(side) as &str,
            order.units,
            order.price,
            char::from(order.time_in_force).encode_utf8(time_in_force) as &str,
            char::from(order.display).encode_utf8(display) as &str,
            order.order_ref as i64,
            order.replaces,
            utf8(&order.client_id),
            order.entered_ns as i64,
            order.changed_ns as i64,
            order.open_units,
            order.traded_units,
            order.traded_value,
            order.state,
            reason,
        ])?;
        Ok(())
    }

    /// Writes one side of a trade.
    ///
    /// # Errors
    /// The database fails, or has it already.
    pub fn fill(&mut self, fill: &Fill<'_>) -> Result<(), Error> {
        let order = fill.order;
        let mut liquidity = [0; 4];
        self.fill.execute(params![
            fill.id,
            order.id,
            order.session,
            order.user_ref,
            order.account,
            utf8(&order.symbol),
            fill.time_ns as i64,
            fill.units,
            fill.price,
            char::from(fill.liquidity).encode_utf8(&mut liquidity) as &str,
            None::<&str>,
        ])?;
        Ok(())
    }

    /// Writes what was refused.
    ///
    /// # Errors
    /// The database fails, or has it already.
    pub fn refusal(&mut self, refusal: &Refusal<'_>) -> Result<(), Error> {
        self.refusal.execute(params![
            refusal.id,
            refusal.session,
            refusal.user_ref,
            refusal.time_ns as i64,
            refusal.what,
            refusal.code,
            refusal.client_id.map(utf8),
        ])?;
        Ok(())
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
