//! Orders that were taken: they meet the other side, then what is left rests or leaves.

use wire::ring::{Event, EventKind, Input, PRICE_MARKET, Reason, Side, TimeInForce};

use super::allocation::Allocation;
use super::checks::Good;
use super::market::Trade;
use super::{Mode, Naive};
use crate::answer::{about, about_order, canceled, lower};
use crate::book::Resting;

impl Naive {
    pub(super) fn new_order(&mut self, input: &Input) -> Vec<Event> {
        let mut good = match self.check_new(input) {
            Ok(good) => good,
            Err(reason) => return vec![about(&input.command, EventKind::Rejected, reason)],
        };
        self.number(&mut good.order);
        let accepted = about_order(&good.order, EventKind::Accepted, 0);
        self.enter(good, accepted)
    }

    pub(super) fn replace(&mut self, input: &Input) -> Vec<Event> {
        let (old, mut good) = match self.check_replace(input) {
            Ok(good) => good,
            Err(reason) => return vec![about(&input.command, EventKind::Rejected, reason)],
        };
        self.books.remove(&old);
        self.number(&mut good.order);
        let is_hidden = old.hidden || old.parked;
        let flags = if is_hidden { Event::OLD_HIDDEN } else { 0 };
        let replaced = Event {
            old_user_ref: old.user_ref,
            related: old.order_ref,
            ..about_order(&good.order, EventKind::Replaced, flags)
        };
        self.enter(good, replaced)
    }

    /// Gives an order its number and advances its user's last reference.
    fn number(&mut self, order: &mut Resting) {
        let session = self.sessions.get_mut(&self.user_of(order.session));
        if let Some(session) = session.filter(|session| !session.free_refs) {
            session.user_ref_last = order.user_ref;
        }
        order.order_ref = self.order_ref_next();
    }

    /// Parks an order that was taken, or lets it arrive at the book; `first` tells of it.
    fn enter(&mut self, good: Good, first: Event) -> Vec<Event> {
        let mut order = good.order;
        let needed = good.attributes.units_needed(&order);
        if self.units_for(&order) < u64::from(needed) {
            return vec![first, canceled(&order, Reason::MinimumQuantity, 0)];
        }
        if order.parked || order.whole && !self.fits_whole(&order) {
            self.elect_on_entry(&mut order);
            return vec![self.park(order, first)];
        }
        if self.is_call(order.symbol) {
            self.books.store(&order);
            return vec![Event {
                flags: first.flags | Event::BOOKED,
                ..first
            }];
        }
        let rests = order.price != PRICE_MARKET && order.life == TimeInForce::Day;
        self.arrive(order, rests, first)
    }

    /// Puts an order beside the book.
    pub(super) fn park(&mut self, order: Resting, first: Event) -> Event {
        self.books.store(&Resting {
            parked: true,
            ..order
        });
        Event {
            flags: first.flags | Event::PARKED,
            ..first
        }
    }

    /// Matches an order, then rests or cancels what is left, then looks at its trades.
    pub(super) fn arrive(
        &mut self,
        mut order: Resting,
        rests: bool,
        mut first: Event,
    ) -> Vec<Event> {
        let is_homeless = rests && self.lack.has_no_level(&order);
        let rests = rests && !is_homeless;
        // It holds nothing back while it is matched.
        order.tip = order.open;
        order.parked = false;
        let met = self.match_all(&mut order);
        order.tip = order.tip_next();
        if rests {
            self.books.store(&order);
        }
        self.look_at_trades(order.symbol, &met);
        if met.is_empty() && rests {
            first.flags |= Event::BOOKED;
            return vec![first];
        }
        let mut events = vec![first];
        events.extend(met);
        if order.open > 0 && rests {
            events.push(about_order(&order, EventKind::Booked, Event::BOOKED));
        } else if order.open > 0 {
            let reason = match is_homeless {
                true => Reason::LadderFull,
                false => Reason::ImmediateOrCancel,
            };
            events.push(canceled(&order, reason, 0));
        }
        events
    }

    /// The resting orders that an arriving one meets now.
    pub(super) fn met(&self, order: &Resting) -> impl Iterator<Item = &Resting> {
        let limit = self.price_bounded(order);
        self.books.met(order.symbol, order.side, limit)
    }

    /// The units that an arriving order could trade with.
    pub(super) fn units_for(&self, order: &Resting) -> u64 {
        let trades = |maker: &&Resting| self.mode(order, maker) == Mode::Trade;
        let makers = self.met(order).filter(trades);
        makers.map(|maker| u64::from(maker.open)).sum()
    }

    /// Lets an order meet the other side while it has open units and prices meet: best price first,
    /// then the oldest.
    fn match_all(&mut self, order: &mut Resting) -> Vec<Event> {
        let mut events = Vec::new();
        // Its trades may move the edges for those that come later.
        let limit = self.price_bounded(order);
        while order.open > 0 {
            let met = self.books.met(order.symbol, order.side, limit);
            let met: Vec<Resting> = met.copied().collect();
            let Some(maker) = met.first().copied() else {
                break;
            };
            let quantity = maker.tip.min(order.open);
            let met = match (self.allocation(order.symbol), self.mode(order, &maker)) {
                (Allocation::Shared { percent_first }, _) => {
                    self.meet_level(order, &met, percent_first)
                }
                (Allocation::Time, Mode::Trade) => self.trade(order, maker, quantity),
                (Allocation::Time, mode) => self.part(mode, order, maker),
            };
            events.extend(met);
        }
        events
    }

    pub(super) fn trade(
        &mut self,
        order: &mut Resting,
        mut maker: Resting,
        quantity: u32,
    ) -> Vec<Event> {
        for one in [&mut maker, &mut *order] {
            one.open -= quantity;
            one.tip -= quantity;
            one.executed += quantity;
        }
        self.books.store(&maker);
        self.matches += 1;
        let (buyer, seller) = match order.side {
            Side::Buy => (order.session, maker.session),
            Side::Sell => (maker.session, order.session),
        };
        self.traded(&Trade {
            symbol: order.symbol,
            quantity,
            price: maker.price,
            buyer,
            seller,
        });
        let executed = |one: &Resting, flags| Event {
            quantity,
            price: maker.price,
            related: self.matches,
            ..about_order(one, EventKind::Executed, flags)
        };
        let mut events = vec![
            executed(&maker, Event::MAKER | Event::BOOKED),
            executed(order, 0),
        ];
        if maker.tip == 0 && maker.open > 0 {
            events.push(self.refresh(maker));
        }
        events
    }

    /// An iceberg whose shown units are gone shows the next ones, behind its level's queue.
    pub(super) fn refresh(&mut self, old: Resting) -> Event {
        self.books.remove(&old);
        let order = Resting {
            tip: old.tip_next(),
            order_ref: self.order_ref_next(),
            ..old
        };
        self.books.store(&order);
        Event {
            related: old.order_ref,
            ..about_order(&order, EventKind::Refreshed, Event::BOOKED)
        }
    }

    /// Keeps an order from trading with one of the same account.
    pub(super) fn part(
        &mut self,
        mode: Mode,
        order: &mut Resting,
        mut maker: Resting,
    ) -> Vec<Event> {
        let (of_maker, of_order) = match mode {
            Mode::Trade => (0, 0),
            Mode::CancelNewest => (0, order.open),
            Mode::CancelOldest => (maker.open, 0),
            Mode::CancelBoth => (maker.open, order.open),
            Mode::Decrement => {
                let both = maker.open.min(order.open);
                (both, both)
            }
        };
        let mut events = Vec::new();
        if of_maker > 0 {
            events.push(lower(
                &mut maker,
                of_maker,
                Reason::SelfTrade,
                Event::BOOKED,
            ));
            self.books.store(&maker);
        }
        if of_order > 0 {
            events.push(lower(order, of_order, Reason::SelfTrade, 0));
        }
        events
    }
}
