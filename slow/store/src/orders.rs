//! What a session's replies say: orders as they stand, their trades, what was refused.
//!
//! A reply names an order by the member's number only; what else must be known of it (symbol, side,
//! account) is kept of live orders, in memory and in the table. Rows depend on the order of one
//! session's replies, never on how those of different sessions are mixed: sums are sums.

use crate::Error;
use crate::bars::Bars;
use crate::busts::{self, Bust};
use crate::place::{self, fill_id, reply_id};
use crate::rows::{self, Fill, Order, Refusal, Rows};
use crate::tables::{Cell, HOLDINGS, How, POSITIONS, Tables, Writer as _, each, first};
use journal::DirectoryFiles;
use journal::stream::Name;
use std::collections::{BTreeMap, HashMap};
use wire::ouch::outbound::{Accepted, Executed, Replaced};
use wire::ouch::{Outbound, Tag, Tags};

/// Where a reply stands.
#[derive(Clone, Copy, Debug)]
pub struct At {
    pub day: i64,
    pub session: u16,
    /// The account that the session trades for unless an order says otherwise.
    pub account: u32,
    /// Number of the reply.
    pub message: u64,
    pub time_ns: u64,
}

impl At {
    fn id(&self) -> Result<i64, Error> {
        reply_id(self.day, self.session, self.message)
    }
}

/// Units and values, bought and sold.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    units: [i64; 2],
    value: [i64; 2],
}

/// Orders that live, and what a transaction adds to positions and bars.
#[derive(Debug, Default)]
pub struct Orders {
    live: HashMap<(u16, u32), Order>,
    /// Those whose rows are not what they are.
    touched: Vec<(u16, u32)>,
    positions: BTreeMap<(i64, u32, [u8; 8]), Sums>,
    bars: Bars,
    /// Busts of which a shard cannot tell yet whether they were of a trade.
    doubtful: Vec<Bust>,
}

impl Orders {
    /// Reads the live orders of a day.
    ///
    /// # Errors
    /// The database fails.
    pub fn load(tables: &dyn Tables, day: i64) -> Result<Self, Error> {
        let text = "SELECT id, session, user_ref, account, symbol, side, units, price, \
                    time_in_force, display, order_ref, replaces, client_id, entered_ns, \
                    changed_ns, open_units, traded_units, traded_value, reason \
                    FROM orders WHERE state = 'live' AND id >= $1 AND id < $2";
        let range = [place::first_of(day), place::first_of(day + 1)].map(Into::into);
        let mut live = HashMap::new();
        each(tables, text, &range, &mut |row| {
            let order = stored(row)?;
            live.insert((order.session, order.user_ref), order);
            Ok(())
        })?;
        Ok(Self {
            live,
            ..Self::default()
        })
    }

    /// Takes a reply.
    ///
    /// # Errors
    /// It is none, names an order that is not live, or the database fails.
    pub fn take(&mut self, rows: &mut Rows<'_>, at: &At, message: &[u8]) -> Result<(), Error> {
        let broken = |error: wire::Error| unfit(at, &error.to_string());
        let reply = Outbound::parse(message).map_err(broken)?;
        if rows.tables().is_shard() && !self.is_kept(rows.tables(), at, &reply) {
            return Ok(());
        }
        match reply {
            Outbound::Accepted(accepted) => self.enter(at, accepted_order(at, &accepted)?),
            Outbound::Replaced(replaced) => self.replace(rows, at, &replaced),
            Outbound::Executed(executed) => self.execute(rows, at, &executed),
            Outbound::Canceled(it) => {
                self.reduce(rows, at, it.user_ref(), (it.quantity(), it.reason()))
            }
            Outbound::BrokenTrade(it) => {
                let of = (it.user_ref(), it.match_number());
                self.break_trade(rows, at, of, it.reason())
            }
            Outbound::Rejected(it) => rows.refusal(&Refusal {
                what: "order",
                code: it.reason().into(),
                client_id: Some(&it.client_id()),
                ..refusal(at, it.user_ref())?
            }),
            Outbound::CancelReject(it) => rows.refusal(&refusal(at, it.user_ref())?),
            Outbound::PriorityUpdate(it) => {
                let order = self.order(at, it.user_ref())?;
                (order.price, order.order_ref) = (it.price() as i64, it.order_ref());
                order.changed_ns = at.time_ns;
                self.touched.push((at.session, it.user_ref()));
                Ok(())
            }
            Outbound::Restated(it) => {
                let mut tags = it.tags();
                let shown = tags.find_map(|tag| match tag {
                    Tag::SecondaryRef(order_ref) => Some(order_ref),
                    _ => None,
                });
                let order = self.order(at, it.user_ref())?;
                order.order_ref = shown.unwrap_or(order.order_ref);
                order.changed_ns = at.time_ns;
                self.touched.push((at.session, it.user_ref()));
                Ok(())
            }
            // System events, and what this venue does not send.
            _ => Ok(()),
        }
    }

    /// Whether a reply is about an order whose rows are in this shard: it takes in what is entered
    /// in its symbols, and what it does not know later is of another one.
    fn is_kept(&self, tables: &dyn Tables, at: &At, reply: &Outbound<'_>) -> bool {
        let user_ref = match reply {
            Outbound::Accepted(it) => return tables.keeps(&rows::utf8(&it.symbol())),
            Outbound::Replaced(it) => it.old_user_ref(),
            Outbound::Executed(it) => it.user_ref(),
            Outbound::Canceled(it) => it.user_ref(),
            Outbound::PriorityUpdate(it) => it.user_ref(),
            Outbound::Restated(it) => it.user_ref(),
            _ => return true,
        };
        self.live.contains_key(&(at.session, user_ref))
    }

    /// Tells by a stream, as far as it was read, which busts were of no trade, and writes these.
    ///
    /// # Errors
    /// The database fails, or the stream cannot be read.
    pub fn settle(
        &mut self,
        rows: &mut Rows<'_>,
        files: &mut DirectoryFiles,
        name: Name,
    ) -> Result<(), Error> {
        if self.doubtful.is_empty() {
            return Ok(());
        }
        for bust in busts::unfounded(files, name, std::mem::take(&mut self.doubtful))? {
            rows.refusal(&bust_refusal(&bust.at, (bust.user_ref, bust.match_number))?)?;
        }
        Ok(())
    }

    /// Writes what is only in memory.
    ///
    /// # Errors
    /// The database fails.
    pub fn write(&mut self, rows: &mut Rows<'_>) -> Result<(), Error> {
        self.touched.sort_unstable();
        self.touched.dedup();
        for key in self.touched.drain(..) {
            if let Some(order) = self.live.get_mut(&key) {
                rows.order(order)?;
            }
        }
        for ((day, account, symbol), sums) in std::mem::take(&mut self.positions) {
            let (units, value) = (sums.units, sums.value);
            let symbol = rows::utf8(&symbol);
            let row = [
                day.into(),
                account.into(),
                (&*symbol).into(),
                units[0].into(),
                value[0].into(),
                units[1].into(),
                value[1].into(),
            ];
            rows.writer.write(&POSITIONS, How::Merge, &row)?;
            rows.writer.write(&HOLDINGS, How::Merge, &row[1..])?;
        }
        self.bars.write(&mut rows.writer)
    }

    fn order(&mut self, at: &At, user_ref: u32) -> Result<&mut Order, Error> {
        let found = self.live.get_mut(&(at.session, user_ref));
        found.ok_or_else(|| unfit(at, &format!("order {user_ref} is not live")))
    }

    fn enter(&mut self, at: &At, order: Order) -> Result<(), Error> {
        let key = (order.session, order.user_ref);
        if self.live.contains_key(&key) {
            let words = format!("order {} was live already", order.user_ref);
            return Err(unfit(at, &words));
        }
        self.live.insert(key, order);
        self.touched.push(key);
        Ok(())
    }

    fn replace(
        &mut self,
        rows: &mut Rows<'_>,
        at: &At,
        replaced: &Replaced<'_>,
    ) -> Result<(), Error> {
        let old_ref = replaced.old_user_ref();
        self.order(at, old_ref)?;
        let Some(mut old) = self.live.remove(&(at.session, old_ref)) else {
            return Ok(());
        };
        (old.open_units, old.changed_ns, old.state) = (0, at.time_ns, rows::REPLACED);
        rows.order(&mut old)?;
        let order = Order {
            id: at.id()?,
            user_ref: replaced.user_ref(),
            account: account_of(at, replaced.tags()),
            units: replaced.quantity(),
            open_units: replaced.quantity(),
            price: replaced.price() as i64,
            time_in_force: replaced.time_in_force(),
            display: replaced.display(),
            order_ref: replaced.order_ref(),
            client_id: replaced.client_id(),
            replaces: Some(old.id),
            entered_ns: at.time_ns,
            traded_units: 0,
            traded_value: 0,
            state: rows::LIVE,
            reason: 0,
            is_stored: false,
            ..old
        };
        self.enter(at, order)
    }

    fn execute(
        &mut self,
        rows: &mut Rows<'_>,
        at: &At,
        executed: &Executed<'_>,
    ) -> Result<(), Error> {
        let (units, price) = (executed.quantity(), executed.price() as i64);
        let match_number = executed.match_number();
        let key = (at.session, executed.user_ref());
        let order = self.order(at, key.1)?;
        let is_sell = order.is_sell();
        let value = price.saturating_mul(units.into());
        let traded_value = sum(at, order.traded_value, value)?;
        let open_units = order.open_units.checked_sub(units);
        order.open_units = open_units.ok_or_else(|| unfit(at, "more traded than was open"))?;
        order.traded_units = order.traded_units.saturating_add(units);
        (order.traded_value, order.changed_ns) = (traded_value, at.time_ns);
        let (account, symbol) = (order.account, order.symbol);
        let id = fill_id(at.day, match_number, is_sell)?;
        rows.fill(&Fill {
            id,
            order,
            time_ns: at.time_ns,
            units,
            price,
            liquidity: executed.liquidity(),
        })?;
        if order.open_units == 0 {
            order.state = rows::FILLED;
            rows.order(order)?;
            self.live.remove(&key);
        } else {
            self.touched.push(key);
        }
        if !is_sell {
            self.bars.trade(symbol, (id, at.time_ns), (price, units))?;
        }
        self.moved(
            at,
            (account, symbol),
            (usize::from(is_sell), units.into(), value),
        )
    }

    /// Adds to a position; what is taken back is negative.
    fn moved(
        &mut self,
        at: &At,
        (account, symbol): (u32, [u8; 8]),
        (side, units, value): (usize, i64, i64),
    ) -> Result<(), Error> {
        let sums = self.positions.entry((at.day, account, symbol)).or_default();
        sums.units[side] = sum(at, sums.units[side], units)?;
        sums.value[side] = sum(at, sums.value[side], value)?;
        Ok(())
    }

    fn reduce(
        &mut self,
        rows: &mut Rows<'_>,
        at: &At,
        user_ref: u32,
        (units, reason): (u32, u8),
    ) -> Result<(), Error> {
        let key = (at.session, user_ref);
        let order = self.order(at, user_ref)?;
        let open_units = order.open_units.checked_sub(units);
        order.open_units = open_units.ok_or_else(|| unfit(at, "more left than was open"))?;
        (order.changed_ns, order.reason) = (at.time_ns, reason);
        if order.open_units > 0 {
            self.touched.push(key);
            return Ok(());
        }
        order.state = rows::CANCELED;
        rows.order(order)?;
        self.live.remove(&key);
        Ok(())
    }

    fn break_trade(
        &mut self,
        rows: &mut Rows<'_>,
        at: &At,
        (user_ref, match_number): (u32, u64),
        reason: u8,
    ) -> Result<(), Error> {
        let text = "UPDATE fills SET broken = $1 WHERE id = $2 AND session = $3 \
                    AND user_ref = $4 AND broken IS NULL \
                    RETURNING account, symbol, time_ns, units, price";
        for is_sell in [false, true] {
            let id = fill_id(at.day, match_number, is_sell)?;
            let letter = rows::letter(reason);
            let which: [Cell<'_>; 4] = [
                letter.as_str().into(),
                id.into(),
                at.session.into(),
                user_ref.into(),
            ];
            let broken = first(rows.tables(), text, &which, |row| {
                let symbol = wire::padded(row[1].text()?);
                let (units, price): (i64, i64) = (row[3].integer()?, row[4].integer()?);
                Ok((row[0].integer()?, symbol, row[2].bits()?, units, price))
            })?;
            let Some((account, symbol, time_ns, units, price)) = broken else {
                continue;
            };
            if !is_sell {
                self.bars.broke(symbol, time_ns);
            }
            let back = (usize::from(is_sell), -units, price.saturating_mul(-units));
            return self.moved(at, (account, symbol), back);
        }
        // The trade may be in another shard. A refusal belongs to where nothing has a symbol.
        if rows.tables().is_shard() {
            if rows.tables().keeps("") {
                self.doubtful.push(Bust {
                    at: *at,
                    user_ref,
                    match_number,
                });
            }
            return Ok(());
        }
        rows.refusal(&bust_refusal(at, (user_ref, match_number))?)
    }
}

/// The venue believes what an operator says of a trade; this one was not this order's.
fn bust_refusal(at: &At, (user_ref, match_number): (u32, u64)) -> Result<Refusal<'static>, Error> {
    Ok(Refusal {
        what: "bust",
        code: match_number as i64,
        ..refusal(at, user_ref)?
    })
}

/// What cannot be in a stream of this venue.
fn unfit(at: &At, what: &str) -> Error {
    Error::Venue(format!(
        "stream of replies {}: message {}: {what}; look at it with `wirecross journal verify`, \
         then rebuild",
        at.session, at.message
    ))
}

fn sum(at: &At, one: i64, other: i64) -> Result<i64, Error> {
    one.checked_add(other)
        .ok_or_else(|| unfit(at, "a sum is beyond 2^63"))
}

fn refusal(at: &At, user_ref: u32) -> Result<Refusal<'static>, Error> {
    Ok(Refusal {
        id: at.id()?,
        session: at.session,
        user_ref,
        time_ns: at.time_ns,
        what: "cancel",
        code: 0,
        client_id: None,
    })
}

fn accepted_order(at: &At, accepted: &Accepted<'_>) -> Result<Order, Error> {
    Ok(Order {
        id: at.id()?,
        session: at.session,
        user_ref: accepted.user_ref(),
        account: account_of(at, accepted.tags()),
        symbol: accepted.symbol(),
        side: accepted.side(),
        units: accepted.quantity(),
        price: accepted.price() as i64,
        time_in_force: accepted.time_in_force(),
        display: accepted.display(),
        order_ref: accepted.order_ref(),
        replaces: None,
        client_id: accepted.client_id(),
        entered_ns: at.time_ns,
        changed_ns: at.time_ns,
        open_units: accepted.quantity(),
        traded_units: 0,
        traded_value: 0,
        state: rows::LIVE,
        reason: 0,
        is_stored: false,
    })
}

/// The account that an order is for. Replies that name none are about the session's own account:
/// so streams of venues that knew no other are read as today's.
fn account_of(at: &At, mut tags: Tags<'_>) -> u32 {
    let named = tags.find_map(|tag| match tag {
        Tag::Account(account) => Some(account),
        _ => None,
    });
    named.unwrap_or(at.account)
}

/// A live order from its row.
fn stored(row: &[Cell<'_>]) -> Result<Order, Error> {
    let first = |text: &str| text.chars().next().map_or(b' ', |letter| letter as u8);
    let letter = |column: usize| row[column].text().map(first);
    Ok(Order {
        id: row[0].integer()?,
        session: row[1].integer()?,
        user_ref: row[2].integer()?,
        account: row[3].integer()?,
        symbol: wire::padded(row[4].text()?),
        side: letter(5)?,
        units: row[6].integer()?,
        price: row[7].integer()?,
        time_in_force: letter(8)?,
        display: letter(9)?,
        order_ref: row[10].bits()?,
        replaces: row[11].maybe()?,
        client_id: wire::padded(row[12].text()?),
        entered_ns: row[13].bits()?,
        changed_ns: row[14].bits()?,
        open_units: row[15].integer()?,
        traded_units: row[16].integer()?,
        traded_value: row[17].integer()?,
        state: rows::LIVE,
        reason: match row[18] {
            Cell::Null => 0,
            _ => letter(18)?,
        },
        is_stored: true,
    })
}
