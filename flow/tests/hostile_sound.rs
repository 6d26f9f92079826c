//! What must hold whatever the inputs are, checked on the hostile stream from the events alone.

use std::collections::BTreeMap;

use flow::naive::increments;
use flow::{Hostile, Naive, Resting};
use wire::ring::{
    CommandKind, EXTRA_POST_ONLY, Event, EventKind, Input, PRICE_MARKET, Reason, Side,
};

/// An order as its events tell it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Told {
    session: u16,
    symbol: u16,
    side: u8,
    price: i64,
    open: u32,
    tip: u32,
    hidden: bool,
    parked: bool,
}

/// Follows a venue by its events.
struct Follower {
    naive: Naive,
    offered: u16,
    /// Account and self-trade mode by session.
    sessions: BTreeMap<u16, (u32, u8)>,
    /// Flags of the `Extra` that waits, by session.
    flags: BTreeMap<u16, u8>,
    orders: BTreeMap<u64, Told>,
    order_refs: u64,
    matches: u64,
}

impl Follower {
    fn new(offered: u16) -> Self {
        Self {
            naive: Naive::offering(offered),
            offered,
            sessions: BTreeMap::new(),
            flags: BTreeMap::new(),
            orders: BTreeMap::new(),
            order_refs: 0,
            matches: 0,
        }
    }

    fn apply(&mut self, input: &Input) {
        let command = &input.command;
        let events = self.naive.apply(input);
        let lasts = events.iter().filter(|event| event.has(Event::LAST));
        assert_eq!(lasts.count(), 1);
        assert!(events.last().is_some_and(|event| event.has(Event::LAST)));
        events.iter().for_each(|event| self.hear(event));
        let is_defined = |event: &Event| event.kind == EventKind::SessionDefined as u8;
        if events.iter().any(is_defined) {
            let account = (command.user_ref, command.letters[0]);
            self.sessions.insert(command.session, account);
        }
        let flags = match CommandKind::from_byte(command.kind) {
            Some(CommandKind::Extra) => self.flags.insert(command.session, command.flags),
            Some(CommandKind::New | CommandKind::Replace) => self.flags.remove(&command.session),
            _ => None,
        };
        let aggressor =
            |event: &Event| event.kind == EventKind::Executed as u8 && !event.has(Event::MAKER);
        let is_order = command.kind != CommandKind::Extra as u8;
        if is_order && flags.is_some_and(|flags| flags & EXTRA_POST_ONLY != 0) {
            let mut own = events.iter().take_while(|event| !follows(event));
            assert!(!own.any(aggressor), "a post-only order trades");
        }
        for (event, next) in events.iter().zip(&events[1..]) {
            if event.has(Event::MAKER) {
                assert!(aggressor(next), "the aggressor's part comes next");
                self.check_trade(event, next);
            }
        }
        self.check_books(input.time_ns);
    }

    fn hear(&mut self, event: &Event) {
        let kind = EventKind::from_byte(event.kind).expect("a known kind");
        let numbered = [
            EventKind::Accepted,
            EventKind::Replaced,
            EventKind::Refreshed,
            EventKind::Triggered,
            EventKind::Repriced,
        ];
        if numbered.contains(&kind) {
            self.order_refs += 1;
            assert_eq!(event.order_ref, self.order_refs, "numbers have no gaps");
        }
        match kind {
            EventKind::Accepted => self.insert(event),
            EventKind::Booked => {
                let told = self.orders[&event.order_ref];
                assert_eq!((told.open, told.price), (event.leaves, event.price));
                self.insert(event);
            }
            EventKind::Replaced | EventKind::Refreshed => {
                let old = self.orders.remove(&event.related).expect("an old order");
                let was_hidden = kind == EventKind::Replaced && (old.hidden || old.parked);
                assert_eq!(was_hidden, event.has(Event::OLD_HIDDEN));
                assert!(kind == EventKind::Replaced || (old.tip == 0 && old.open == event.leaves));
                self.insert(event);
            }
            EventKind::Triggered | EventKind::Repriced => {
                let old = self.orders.remove(&event.related).expect("an old order");
                assert_eq!((old.open, old.tip), (event.leaves, event.quantity));
                assert!(old.parked || kind == EventKind::Repriced);
                assert!(old.price != event.price || kind == EventKind::Triggered);
                self.insert(event);
            }
            EventKind::Executed | EventKind::Reduced | EventKind::Canceled => self.lower(event),
            _ => {}
        }
    }

    fn insert(&mut self, event: &Event) {
        let told = Told {
            session: event.session,
            symbol: event.symbol,
            side: event.side,
            price: event.price,
            open: event.leaves,
            tip: event.quantity,
            hidden: event.has(Event::HIDDEN),
            parked: event.has(Event::PARKED),
        };
        assert!((1..=told.open).contains(&told.tip), "{event:?}");
        self.orders.insert(event.order_ref, told);
    }

    fn lower(&mut self, event: &Event) {
        let told = self.orders.get_mut(&event.order_ref).expect("a live order");
        assert_eq!(told.hidden, event.has(Event::HIDDEN), "{event:?}");
        assert_eq!(told.parked, event.has(Event::PARKED), "{event:?}");
        assert_eq!(told.open - event.quantity, event.leaves, "{event:?}");
        told.open = event.leaves;
        if event.flags & (Event::BOOKED | Event::PARKED) == 0 {
            // Still matched, or gone: it shows nothing.
        } else if event.kind == EventKind::Reduced as u8 {
            told.tip -= event.quantity - event.related as u32;
        } else if event.kind == EventKind::Executed as u8 {
            told.tip -= event.quantity;
        }
        if event.kind == EventKind::Executed as u8 && event.has(Event::MAKER) {
            self.matches += 1;
            assert_eq!(event.related, self.matches, "match numbers have no gaps");
        }
        if told.open == 0 {
            self.orders.remove(&event.order_ref);
        }
    }

    fn check_trade(&self, maker: &Event, aggressor: &Event) {
        assert_eq!(maker.related, aggressor.related);
        assert_eq!(
            (maker.quantity, maker.price),
            (aggressor.quantity, aggressor.price)
        );
        assert_ne!(maker.side, aggressor.side);
        let [of_maker, of_aggressor] =
            [maker, aggressor].map(|event| self.sessions[&event.session]);
        let prevented = self.offered & increments::SELF_TRADE != 0 && of_aggressor.1 != 0;
        assert!(!prevented || of_maker.0 != of_aggressor.0, "a self-trade");
    }

    fn check_books(&self, now_ns: u64) {
        let mut resting = BTreeMap::new();
        for symbol in self.naive.symbols() {
            for side in [Side::Buy, Side::Sell] {
                for order in self.naive.orders(symbol, side) {
                    assert!(order.expiry_ns == 0 || order.expiry_ns > now_ns);
                    assert!(order.price != PRICE_MARKET);
                    assert!(order.tip > 0 && (order.tip == order.open || order.displayed > 0));
                    assert!(order.displayed == 0 || order.tip <= order.displayed);
                    assert!(!order.whole && !order.parked);
                    resting.insert(order.order_ref, told(order));
                }
            }
            for order in self.naive.parked(symbol) {
                assert!(order.expiry_ns == 0 || order.expiry_ns > now_ns);
                assert!(order.parked && order.elected.is_none());
                assert!(order.whole || order.is_stop() || (order.is_peg() && order.price == 0));
                resting.insert(order.order_ref, told(order));
            }
            let best = [Side::Buy, Side::Sell].map(|side| self.naive.best(symbol, side));
            if let [Some((bid, _)), Some((offer, _))] = best {
                assert!(bid < offer, "{bid} {offer}");
            }
        }
        assert_eq!(resting, self.orders);
    }
}

/// Whether an event begins what another order does among the consequences.
fn follows(event: &Event) -> bool {
    let kinds = [EventKind::Triggered, EventKind::Repriced];
    kinds.iter().any(|kind| event.kind == *kind as u8)
}

fn told(order: &Resting) -> Told {
    Told {
        session: order.session,
        symbol: order.symbol,
        side: order.side as u8,
        price: order.price,
        open: order.open,
        tip: order.tip,
        hidden: order.hidden,
        parked: order.parked,
    }
}

#[test]
fn the_events_tell_the_books_and_keep_every_promise() {
    let mut matches = 0;
    for (seed, level) in (0..).zip([0, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7]) {
        let offered = increments::first(level);
        let mut hostile = Hostile::new(seed, offered);
        let mut follower = Follower::new(offered);
        for input in hostile.by_ref().take(4_000) {
            follower.apply(&input);
        }
        follower.apply(&hostile.closing());
        assert!(follower.orders.is_empty());
        assert!(follower.matches > 50, "{}", follower.matches);
        matches += follower.matches;
    }
    assert!(matches > 5_000, "{matches}");
}

#[test]
fn a_minimum_quantity_is_traded_at_least_unless_a_self_trade_ends_the_order() {
    let mut traded_enough = 0;
    // An amendment that only reduces asks for no order.
    let stays = |event: &Event| {
        let is_reduced = event.kind == EventKind::Reduced as u8;
        event.kind == EventKind::Noted as u8 || is_reduced && event.reason == Reason::User as u8
    };
    for seed in 0..12 {
        let mut naive = Naive::offering(increments::first(4));
        let mut minimum = BTreeMap::new();
        for input in Hostile::new(seed, increments::first(4)).take(4_000) {
            let events = naive.apply(&input);
            let command = &input.command;
            let asked = match CommandKind::from_byte(command.kind) {
                Some(CommandKind::Extra) => {
                    minimum.insert(command.session, command.quantity);
                    continue;
                }
                Some(CommandKind::New | CommandKind::Replace) => minimum.remove(&command.session),
                Some(CommandKind::Amend) if !events.iter().any(stays) => {
                    minimum.remove(&command.session)
                }
                _ => None,
            };
            let is_of =
                |event: &&Event| event.session == command.session && !event.has(Event::MAKER);
            let mine = || events.iter().filter(is_of);
            let has = |kind: EventKind| move |event: &Event| event.kind == kind as u8;
            let taken =
                mine().any(has(EventKind::Accepted)) || mine().any(has(EventKind::Replaced));
            let ended = |reason: Reason| mine().any(|event| event.reason == reason as u8);
            if !taken || ended(Reason::MinimumQuantity) || ended(Reason::SelfTrade) {
                continue;
            }
            let traded: u32 = mine()
                .filter(|event| event.kind == EventKind::Executed as u8)
                .map(|event| event.quantity)
                .sum();
            assert!(
                traded >= asked.unwrap_or(0),
                "{traded} of {asked:?}: {events:?}"
            );
            traded_enough += u32::from(asked.is_some_and(|asked| asked > 0));
        }
    }
    assert!(traded_enough > 100, "{traded_enough}");
}
