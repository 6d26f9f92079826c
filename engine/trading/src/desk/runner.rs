//! The desk: what comes in goes to the books, to the strategies in order of their priority, and
//! what these ask for passes the risk and waits to be carried away.
//!
//! A desk is a function of its inputs: events, answers, times and words, in their order. That the
//! time a call took is among them, by the [`Stopwatch`], is what lets a recorded day be run again.

use analytics::bars::{Bars, EndedBar, Rule};

use super::account::Account;
use super::breaker::{Breaker, BreakerRule};
use super::decision::{Decided, Decision, Kill};
use super::floor::{DECISIONS_MAX, Floor, OPEN_ORDERS_MAX, Seat, SeatFigures};
use super::ladder::Ladder;
use super::listing::Listings;
use super::order::{Fill, OwnOrder, Report};
use super::risk::{Limits, Risk};
use super::stopwatch::{Overrun, Stopwatch};
use super::strategy::{Context, Print, Strategy};
use crate::{Event, What};

/// The most strategies of a desk.
pub const SEATS_MAX: usize = 64;
/// The most decisions that a stop of everything makes: they fit beside what there is already.
const STOP_DECISIONS_MAX: usize = OPEN_ORDERS_MAX + SEATS_MAX + 1;

const _: () = assert!(STOP_DECISIONS_MAX < DECISIONS_MAX / 4);

/// A strategy for a desk.
pub struct SeatPlan {
    /// What it is called.
    pub name: String,
    /// Lower ones are asked first; equal ones in the order in which they are given.
    pub priority: u32,
    /// What stops it.
    pub breaker: BreakerRule,
    /// What decides.
    pub strategy: Box<dyn Strategy>,
}

/// All that a desk is made of.
pub struct DeskPlan {
    /// What it trades.
    pub listings: Listings,
    /// What it allows itself; at most [`OPEN_ORDERS_MAX`] orders live at once in any case.
    pub limits: Limits,
    /// When bars end; by event time.
    pub bars: Rule,
    /// At most [`SEATS_MAX`]; others are not taken.
    pub seats: Vec<SeatPlan>,
}

/// What a report was to the desk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// How long ago the request left that it answers.
    pub answered_ns: Option<u64>,
    /// The fill that it tells.
    pub fill: Option<Fill>,
    /// The fill that it takes back.
    pub broken: Option<Fill>,
}

/// A desk at work.
pub struct Desk {
    pub(super) floor: Floor,
    pub(super) seats: Vec<(Seat, Box<dyn Strategy>)>,
    names: Vec<String>,
    /// Markets whose every event a strategy hears, and where it sits.
    hears: Vec<(u32, usize)>,
    bars: Bars,
    bars_key: u64,
    ended: Vec<EndedBar>,
    /// Markets whose books changed since the last end of a change.
    touched: Vec<u32>,
    calls: u64,
    overruns: Vec<Overrun>,
}

impl Desk {
    /// Takes all memory.
    #[must_use]
    pub fn new(plan: DeskPlan) -> Self {
        let markets = plan.listings.len();
        let account = Account::new(&plan.listings);
        let mut plans = plan.seats;
        plans.sort_by_key(|seat| seat.priority);
        plans.truncate(SEATS_MAX);
        let names = plans.iter().map(|seat| seat.name.clone()).collect();
        let seats = (0..).zip(plans).map(|(number, plan)| {
            let seat = Seat {
                number,
                account: account.clone(),
                breaker: Breaker::new(plan.breaker),
                timer_ns: None,
                figures: SeatFigures::default(),
            };
            (seat, plan.strategy)
        });
        let seats: Vec<(Seat, Box<dyn Strategy>)> = seats.collect();
        let hears = seats.iter().enumerate();
        let hears = hears.filter_map(|(at, (_, strategy))| Some((strategy.hears()?, at)));
        let limits = Limits {
            open_orders_max: plan.limits.open_orders_max.min(OPEN_ORDERS_MAX as u32),
            ..plan.limits
        };
        Self {
            floor: Floor {
                now_ns: 0,
                account: account.clone(),
                listings: plan.listings,
                books: (0..markets).map(|_| Ladder::new()).collect(),
                orders: Vec::with_capacity(OPEN_ORDERS_MAX),
                risk: Risk::new(limits),
                decisions: Vec::with_capacity(DECISIONS_MAX),
                order_last: 0,
            },
            hears: hears.collect(),
            seats,
            names,
            bars: Bars::new(plan.bars, markets),
            bars_key: 0,
            ended: Vec::with_capacity(markets + 2),
            touched: Vec::with_capacity(markets),
            calls: 0,
            overruns: Vec::with_capacity(SEATS_MAX),
        }
    }

    /// The market says something, which came in at [`Event::received_ns`].
    pub fn event(&mut self, event: &Event, watch: &mut impl Stopwatch) {
        self.time(event.received_ns, watch);
        let Some(book) = self.floor.books.get_mut(event.symbol as usize) else {
            return;
        };
        book.apply(&event.what);
        for &(symbol, at) in &self.hears {
            if symbol == event.symbol {
                self.seats[at].1.on_event(event);
            }
        }
        match event.what {
            What::Level { .. } | What::Quote { .. } | What::Clear => {
                if !self.touched.contains(&event.symbol) {
                    self.touched.push(event.symbol);
                }
            }
            What::Trade {
                price,
                quantity,
                aggressor,
            } => {
                let print = Print {
                    symbol: event.symbol,
                    price,
                    quantity,
                    aggressor,
                    event_ns: event.event_ns,
                };
                self.print(&print, watch);
            }
            What::End => self.books_changed(watch),
        }
    }

    /// Time has come so far, whatever else happens or not; timers that are due come first.
    pub fn time(&mut self, now_ns: u64, watch: &mut impl Stopwatch) {
        self.floor.now_ns = self.floor.now_ns.max(now_ns);
        // Each at most once: who asks for a time that has passed is called next time.
        for at in 0..self.seats.len() {
            let seat = &mut self.seats[at].0;
            if seat.timer_ns.is_some_and(|due| due <= self.floor.now_ns) {
                seat.timer_ns = None;
                self.call(at, watch, |strategy, desk| strategy.on_timer(desk));
            }
        }
    }

    /// The next time that a strategy asked for, in ns.
    #[must_use]
    pub fn timer_next_ns(&self) -> Option<u64> {
        let live = self.seats.iter().map(|(seat, _)| seat);
        let live = live.filter(|seat| seat.breaker.tripped().is_none());
        live.filter_map(|seat| seat.timer_ns).min()
    }

    /// The venue says something of an order, at `now_ns`.
    pub fn report(&mut self, now_ns: u64, report: &Report, watch: &mut impl Stopwatch) -> Heard {
        self.time(now_ns, watch);
        self.reported(report, watch)
    }

    /// The venue says what an order traded that was sent before this desk began: it counts for what
    /// is held, by the strategy whose it was, or the first one if there is no such. What that is
    /// worth is not asked before all markets that say so have a middle.
    pub fn before(&mut self, fill: &Fill, watch: &mut impl Stopwatch) -> Heard {
        self.time(fill.time_ns, watch);
        let Some(at) = self.seat_of(fill) else {
            return Heard::default();
        };
        let (seat, floor) = (&mut self.seats[at].0, &mut self.floor);
        for account in [&mut seat.account, &mut floor.account] {
            account.fill(fill, &floor.listings);
            account.wait_for_middles();
        }
        floor.risk.forget();
        self.mark();
        self.call(at, watch, |strategy, desk| strategy.on_fill(desk, fill));
        Heard {
            fill: Some(*fill),
            ..Heard::default()
        }
    }

    /// The venue took a trade back, by its time in the fill: nobody holds it any more, and its fee
    /// was not paid. One that was not booked changes nothing.
    pub fn broken(&mut self, fill: &Fill, watch: &mut impl Stopwatch) -> Heard {
        self.time(fill.time_ns, watch);
        let Some(at) = self.seat_of(fill) else {
            return Heard::default();
        };
        let (seat, floor) = (&mut self.seats[at].0, &mut self.floor);
        let position = seat.account.position(fill.symbol);
        let makers = if fill.is_maker { 1 } else { 0 };
        let is_booked = position.fills > 0
            && position.fills_maker >= makers
            && position.lots_traded >= fill.quantity;
        if !is_booked {
            return Heard::default();
        }
        for account in [&mut seat.account, &mut floor.account] {
            account.take_back(fill, &floor.listings);
        }
        floor.risk.forget();
        self.mark();
        self.call(at, watch, |strategy, desk| strategy.on_broken(desk, fill));
        Heard {
            broken: Some(*fill),
            ..Heard::default()
        }
    }

    /// The strategy whose a fill is; the first one if there is no such. None of a market that the
    /// desk has not.
    fn seat_of(&self, fill: &Fill) -> Option<usize> {
        self.floor.listings.get(fill.symbol)?;
        let is_there = usize::from(fill.seat) < self.seats.len();
        let at = if is_there { usize::from(fill.seat) } else { 0 };
        (at < self.seats.len()).then_some(at)
    }

    /// Stops everything: all orders are taken off, and none leaves any more.
    pub fn kill(&mut self, now_ns: u64, why: Kill) {
        self.floor.now_ns = self.floor.now_ns.max(now_ns);
        if self.floor.risk.is_killed() {
            return;
        }
        self.floor.risk.kill();
        self.floor.push(None, Decided::Kill(why));
        for (seat, _) in &mut self.seats {
            self.floor.take_off_all(seat);
        }
    }

    /// Carries away what was decided since the last time.
    pub fn take_decisions(&mut self, mut on: impl FnMut(&Decision)) {
        self.floor.decisions.drain(..).for_each(|it| on(&it));
    }

    /// Carries away which calls took too long since the last time.
    pub fn take_overruns(&mut self, on: impl FnMut(Overrun)) {
        self.overruns.drain(..).for_each(on);
    }

    /// Everything together.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.floor.account
    }

    /// The desk's risk.
    #[must_use]
    pub const fn risk(&self) -> &Risk {
        &self.floor.risk
    }

    /// The markets.
    #[must_use]
    pub const fn listings(&self) -> &Listings {
        &self.floor.listings
    }

    /// The book of a market.
    #[must_use]
    pub fn book(&self, symbol: u32) -> Option<&Ladder> {
        self.floor.books.get(symbol as usize)
    }

    /// Orders that live.
    #[must_use]
    pub fn orders(&self) -> &[OwnOrder] {
        &self.floor.orders
    }

    /// Names of the strategies, in order of priority.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The strategies' accounts, breakers and figures, in order of priority.
    pub fn seats(&self) -> impl Iterator<Item = (&Account, &Breaker, SeatFigures)> {
        let seats = self.seats.iter().map(|(seat, _)| seat);
        seats.map(|seat| (&seat.account, &seat.breaker, seat.figures))
    }

    fn print(&mut self, print: &Print, watch: &mut impl Stopwatch) {
        let (ended, bars) = (&mut self.ended, &mut self.bars);
        let key = bars.key(print.event_ns);
        if key > self.bars_key {
            self.bars_key = key;
            bars.advance(print.event_ns, |bar| ended.push(bar));
        }
        // What has more ticks or lots than a bar counts is in none; late ones are counted there.
        if let (Ok(price), Ok(lots)) = (print.price.try_into(), print.quantity.try_into()) {
            let _ = bars.trade(print.symbol, print.event_ns, (price, lots), |bar| {
                ended.push(bar);
            });
        }
        self.call_all(watch, |strategy, desk| strategy.on_trade(desk, print));
        while let Some(bar) = self.ended.pop() {
            self.call_all(watch, |strategy, desk| strategy.on_bar(desk, &bar));
        }
    }

    fn books_changed(&mut self, watch: &mut impl Stopwatch) {
        // Taken out for the calls: strategies do not touch books.
        let mut touched = core::mem::take(&mut self.touched);
        let mut is_moved = false;
        for &symbol in &touched {
            is_moved |= self.moves(symbol);
        }
        if is_moved {
            self.mark();
        }
        for symbol in touched.drain(..) {
            self.call_all(watch, |strategy, desk| strategy.on_book(desk, symbol));
        }
        self.touched = touched;
    }

    /// Takes the touch of a market; whether that changes what anybody holds.
    fn moves(&mut self, symbol: u32) -> bool {
        let floor = &mut self.floor;
        let touch = floor.books[symbol as usize].touch();
        let prices = touch.map(|touch| (touch.bid.price, touch.offer.price));
        floor.listings.touch(symbol, prices);
        floor.risk.forget();
        let currencies = floor.listings.moved(symbol);
        let mut is_moved = floor.account.value(currencies, &floor.listings);
        for (seat, _) in &mut self.seats {
            is_moved |= seat.account.value(currencies, &floor.listings);
        }
        is_moved
    }

    /// Values everything, and stops who lost too much.
    pub(super) fn mark(&mut self) {
        let floor = &mut self.floor;
        for (seat, _) in &mut self.seats {
            seat.account.mark(&floor.listings);
            seat.breaker.profit(seat.account.equity());
        }
        floor.account.mark(&floor.listings);
        let is_lost = floor.account.equity() < -floor.risk.limits().loss_max;
        (0..self.seats.len()).for_each(|at| self.stop_tripped(at));
        if is_lost {
            self.kill(self.floor.now_ns, Kill::Loss);
        }
    }

    fn call_all(
        &mut self,
        watch: &mut impl Stopwatch,
        mut what: impl FnMut(&mut dyn Strategy, &mut Context<'_>),
    ) {
        for at in 0..self.seats.len() {
            self.call(at, watch, &mut what);
        }
    }

    /// Calls a strategy that was not stopped, and stops it if that was too much.
    pub(super) fn call(
        &mut self,
        at: usize,
        watch: &mut impl Stopwatch,
        what: impl FnOnce(&mut dyn Strategy, &mut Context<'_>),
    ) {
        let (seat, strategy) = &mut self.seats[at];
        if seat.breaker.tripped().is_some() || self.floor.risk.is_killed() {
            return;
        }
        self.calls += 1;
        watch.start();
        let floor = &mut self.floor;
        let context = &mut Context {
            floor,
            seat,
            watch: &mut *watch,
        };
        what(strategy.as_mut(), context);
        let took_ns = watch.took_ns(self.calls);
        if took_ns > seat.breaker.budget_ns() {
            seat.breaker.overrun(took_ns);
            let call = self.calls;
            self.overruns.push(Overrun { call, took_ns });
        }
        self.stop_tripped(at);
    }

    /// Takes the orders of a strategy off whose breaker has just tripped.
    pub(super) fn stop_tripped(&mut self, at: usize) {
        let seat = &mut self.seats[at].0;
        if let Some(trip) = seat.breaker.tripped_now() {
            self.floor.decide(seat, Decided::Stop(trip));
            self.floor.take_off_all(seat);
        }
    }
}
