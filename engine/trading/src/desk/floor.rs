//! What all strategies of a desk share: books, orders, the account, risk, and the way out.

use super::account::Account;
use super::breaker::Breaker;
use super::decision::{Decided, Decision};
use super::ladder::Ladder;
use super::listing::Listings;
use super::order::{Action, NewOrder, OrderId, OwnOrder, Pending};
use super::risk::{Judged, Refusal, Risk};

/// Decisions that may wait for being carried away.
pub const DECISIONS_MAX: usize = 1_024;
/// Of these, so many are kept for taking orders off: whatever a strategy asks for, that has room.
const DECISIONS_KEPT: usize = 256;
/// The most orders that may live at once: each can be taken off at a stroke.
pub const OPEN_ORDERS_MAX: usize = DECISIONS_KEPT / 2;

const _: () = assert!(DECISIONS_KEPT < DECISIONS_MAX);

/// A strategy's place at the desk, without the strategy.
pub(super) struct Seat {
    pub(super) number: u16,
    pub(super) account: Account,
    pub(super) breaker: Breaker,
    pub(super) timer_ns: Option<u64>,
    pub(super) figures: SeatFigures,
}

/// What a strategy did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeatFigures {
    /// Orders that left.
    pub orders: u64,
    /// Replacements that left.
    pub replaces: u64,
    /// Cancels that left.
    pub cancels: u64,
    /// What the desk's risk refused.
    pub refused: u64,
    /// Orders and replacements that the venue refused.
    pub refused_by_venue: u64,
}

/// See the module.
pub(super) struct Floor {
    pub(super) now_ns: u64,
    pub(super) listings: Listings,
    pub(super) books: Vec<Ladder>,
    pub(super) orders: Vec<OwnOrder>,
    pub(super) account: Account,
    pub(super) risk: Risk,
    pub(super) decisions: Vec<Decision>,
    pub(super) order_last: u32,
}

impl Floor {
    pub(super) fn send(&mut self, seat: &mut Seat, new: NewOrder) -> Result<OrderId, Refusal> {
        if let Err(why) = self.may(seat, &new, None) {
            self.refuse(seat, Decided::NewRefused(new, why), why);
            return Err(why);
        }
        self.order_last += 1;
        let order = OrderId(self.order_last);
        self.orders.push(OwnOrder {
            id: order,
            seat: seat.number,
            symbol: new.symbol,
            side: new.side,
            price: new.price,
            open: new.quantity,
            filled: 0,
            pending: Pending::New,
            sent_ns: self.now_ns,
            is_leaving: false,
        });
        seat.figures.orders += 1;
        self.decide(seat, Decided::Send(Action::New { order, new }));
        Ok(order)
    }

    pub(super) fn replace(
        &mut self,
        seat: &mut Seat,
        id: OrderId,
        price: i64,
        open: u64,
    ) -> Result<(), Refusal> {
        let judged = self.own(seat, id).and_then(|at| {
            let old = self.orders[at];
            let new = NewOrder {
                symbol: old.symbol,
                side: old.side,
                price,
                quantity: open,
                life: super::order::Life::Day,
            };
            self.may(seat, &new, Some(&old)).map(|()| at)
        });
        let at = match judged {
            Ok(at) => at,
            Err(why) => {
                self.refuse(seat, Decided::ChangeRefused(id, why), why);
                return Err(why);
            }
        };
        let order = &mut self.orders[at];
        order.pending = Pending::Replace { price, open };
        order.sent_ns = self.now_ns;
        let total = order.filled + open;
        seat.figures.replaces += 1;
        let action = Action::Replace {
            order: id,
            price,
            total,
        };
        self.decide(seat, Decided::Send(action));
        Ok(())
    }

    pub(super) fn cancel(&mut self, seat: &mut Seat, id: OrderId) -> Result<(), Refusal> {
        let judged = self.own(seat, id).and_then(|at| {
            let has_room = self.decisions.len() < DECISIONS_MAX - DECISIONS_KEPT;
            if !has_room {
                return Err(Refusal::Room);
            }
            // A cancel only makes less: its rate trips the breaker, and it leaves all the same.
            seat.breaker.request(self.now_ns);
            Ok(at)
        });
        match judged {
            Ok(at) => {
                self.take_off(seat, at);
                Ok(())
            }
            Err(why) => {
                self.refuse(seat, Decided::ChangeRefused(id, why), why);
                Err(why)
            }
        }
    }

    /// Takes an order of a seat off, as soon as the venue has answered what is under way.
    pub(super) fn take_off(&mut self, seat: &mut Seat, at: usize) {
        let order = &mut self.orders[at];
        order.is_leaving = true;
        if order.pending != Pending::None {
            return;
        }
        order.pending = Pending::Cancel;
        order.sent_ns = self.now_ns;
        let order = order.id;
        seat.figures.cancels += 1;
        self.decide(seat, Decided::Send(Action::Cancel { order }));
    }

    /// Takes all orders of a seat off.
    pub(super) fn take_off_all(&mut self, seat: &mut Seat) {
        for at in 0..self.orders.len() {
            if self.orders[at].seat == seat.number && !self.orders[at].is_leaving {
                self.take_off(seat, at);
            }
        }
    }

    pub(super) fn decide(&mut self, seat: &Seat, what: Decided) {
        self.push(Some(seat.number), what);
    }

    pub(super) fn push(&mut self, seat: Option<u16>, what: Decided) {
        assert!(self.decisions.len() < DECISIONS_MAX, "room was looked for");
        self.decisions.push(Decision {
            time_ns: self.now_ns,
            seat,
            what,
        });
    }

    /// Where an order of a seat stands that nothing is under way for.
    fn own(&self, seat: &Seat, id: OrderId) -> Result<usize, Refusal> {
        let is_it = |order: &OwnOrder| order.id == id && order.seat == seat.number;
        let at = self.orders.iter().position(is_it).ok_or(Refusal::Order)?;
        let is_busy = self.orders[at].pending != Pending::None || self.orders[at].is_leaving;
        if is_busy { Err(Refusal::Busy) } else { Ok(at) }
    }

    fn may(
        &mut self,
        seat: &mut Seat,
        new: &NewOrder,
        old: Option<&OwnOrder>,
    ) -> Result<(), Refusal> {
        if self.decisions.len() >= DECISIONS_MAX - DECISIONS_KEPT {
            return Err(Refusal::Room);
        }
        if !seat.breaker.request(self.now_ns) {
            return Err(Refusal::Stopped);
        }
        let judged = Judged {
            now_ns: self.now_ns,
            listings: &self.listings,
            account: &self.account,
            orders: &self.orders,
        };
        self.risk.judge(new, old, &judged)
    }

    pub(super) fn withhold(&mut self, seat: &mut Seat, new: Option<NewOrder>, why: Refusal) {
        match new {
            Some(new) => self.refuse(seat, Decided::NewRefused(new, why), why),
            None => {
                self.risk.count(why);
                seat.figures.refused += 1;
            }
        }
    }

    fn refuse(&mut self, seat: &mut Seat, what: Decided, why: Refusal) {
        self.risk.count(why);
        seat.figures.refused += 1;
        // The counters know of refusals for which there was no room to be told.
        if self.decisions.len() < DECISIONS_MAX - DECISIONS_KEPT {
            self.decide(seat, what);
        }
    }
}
