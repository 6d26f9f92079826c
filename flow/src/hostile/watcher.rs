//! Looks at a day's inputs, their events and the reference's books for what is rare.

use std::collections::BTreeMap;

use wire::ring::{CommandKind, Event, EventKind, Input, MarketState, Reason, Side};

use super::{Coverage, Tables};
use crate::{Naive, Resting};

/// Events that a step of an engine may have.
const EVENTS_STEP: usize = 64;

/// All-or-none orders of a symbol that wait at a time.
const WHOLE_MAX: usize = 64;

/// The self-trade mode that lessens both orders.
const DECREMENT: u8 = 4;

/// Watches one day.
pub struct Watcher {
    tables: Option<Tables>,
    /// Self-trade modes of the sessions that are defined.
    modes: BTreeMap<u16, u8>,
    /// Codes of the states that symbols were put into.
    states: BTreeMap<u16, u32>,
    /// Elected stops that wait, by number: their symbols.
    elected: BTreeMap<u64, u16>,
    /// All-or-none orders that wait, by number: their symbols.
    whole: BTreeMap<u64, u16>,
    /// Where dynamic bands end.
    edges: BTreeMap<(u16, u8), i64>,
}

impl Watcher {
    /// At the beginning of a day, whose engine has these tables, or room for everything.
    #[must_use]
    pub const fn new(tables: Option<Tables>) -> Self {
        Self {
            tables,
            modes: BTreeMap::new(),
            states: BTreeMap::new(),
            elected: BTreeMap::new(),
            whole: BTreeMap::new(),
            edges: BTreeMap::new(),
        }
    }

    /// Counts what an input brought about; the reference applied it already.
    pub fn watch(
        &mut self,
        coverage: &mut Coverage,
        input: &Input,
        events: &[Event],
        naive: &Naive,
    ) {
        events.iter().for_each(|event| coverage.note_reason(event));
        coverage.note(
            usize::from(events.len() > EVENTS_STEP),
            "more than 64 events of an input",
        );
        self.watch_states(coverage, input, events);
        self.watch_tables(coverage, input, events, naive);
        watch_names(coverage, input, events);
        watch_masses(coverage, events);
        self.watch_parts(coverage, events);
        self.watch_pegs(coverage, events, naive);
        self.watch_waiting(coverage, events, naive);
        if is(&events[0], EventKind::SessionDefined) {
            let command = &input.command;
            self.modes.insert(command.session, command.letters[0]);
        }
    }

    fn watch_states(&mut self, coverage: &mut Coverage, input: &Input, events: &[Event]) {
        use MarketState::{Continuous, LimitState, VolatilityAuction};
        let command = &input.command;
        let is_asked = |event: &Event| {
            let is_of =
                event.symbol == command.symbol && event.quantity == u32::from(command.flags);
            is_of && command.kind == CommandKind::SetState as u8
        };
        let changed = events
            .iter()
            .filter(|event| is(event, EventKind::StateChanged));
        let asked = changed.clone().rfind(|event| is_asked(event));
        for event in changed.clone() {
            self.states.insert(event.symbol, event.quantity);
        }
        let by_itself = changed.filter(|event| asked.is_none_or(|asked| *event != asked));
        let times = |old: MarketState, new: MarketState| {
            let of = |event: &&Event| (event.leaves, event.quantity) == (old as u32, new as u32);
            by_itself.clone().filter(of).count()
        };
        let begun = times(LimitState, VolatilityAuction);
        let ended = times(VolatilityAuction, Continuous);
        let expired = |event: &Event| event.reason == Reason::Expired as u8;
        let is_expired = events
            .iter()
            .any(|event| expired(event) && is(event, EventKind::Canceled));
        let uncross = |event: &Event| is(event, EventKind::Uncrossed) && event.quantity > 0;
        let behind = events.iter().position(|event| ended > 0 && uncross(event));
        let behind = behind.map_or(&events[..0], |at| &events[at..]);
        let is_own = |event: &&Event| {
            let reasons = [Reason::User, Reason::MassCancel, Reason::Killed];
            is(event, EventKind::Replaced)
                || reasons.iter().any(|reason| event.reason == *reason as u8)
        };
        let rest = [
            (times(Continuous, LimitState), "limit state begun"),
            (times(LimitState, Continuous), "limit state ended by quotes"),
            (begun, "volatility auction begun by time"),
            (ended, "volatility auction ended by time"),
            (
                usize::from(begun + ended > 1),
                "two states ended by time at once",
            ),
            (
                usize::from(begun + ended > 0 && is_expired),
                "orders expired and a state ended at once",
            ),
            (
                usize::from(!behind.is_empty()),
                "timed uncross with a volume",
            ),
            (
                behind.iter().filter(is_own).count(),
                "order changed behind a timed uncross",
            ),
        ];
        rest.iter()
            .for_each(|(times, name)| coverage.note(*times, name));
    }

    fn watch_tables(
        &self,
        coverage: &mut Coverage,
        input: &Input,
        events: &[Event],
        naive: &Naive,
    ) {
        for event in events {
            let name = match (
                EventKind::from_byte(event.kind),
                Reason::from_byte(event.reason),
            ) {
                (Some(EventKind::Rejected), Some(Reason::PoolFull)) => self.pool(naive),
                (Some(EventKind::Rejected), Some(Reason::LadderFull)) => {
                    "price groups full on entry"
                }
                (Some(EventKind::Canceled), Some(Reason::LadderFull)) => {
                    "price groups full among consequences"
                }
                (Some(EventKind::Refused), Some(Reason::TableFull)) => match self.table(input) {
                    Some(name) => name,
                    None => continue,
                },
                _ => continue,
            };
            coverage.note(1, name);
        }
    }

    /// Which pool is full.
    fn pool(&self, naive: &Naive) -> &'static str {
        let is_full = |tables: Tables| naive.live_orders() >= tables.orders as usize;
        let is_whole = |symbol| naive.parked(symbol).filter(|one| one.whole).count() >= WHOLE_MAX;
        if self.tables.is_some_and(is_full) {
            "orders full"
        } else if naive.symbols().any(is_whole) {
            "all-or-none orders of a symbol full"
        } else {
            "special orders full"
        }
    }

    /// Which table is full, if it is not that the number is taken.
    fn table(&self, input: &Input) -> Option<&'static str> {
        let command = &input.command;
        let tables = self.tables?;
        match CommandKind::from_byte(command.kind)? {
            CommandKind::SetLimit => Some("no accounts kept"),
            CommandKind::DefineSymbol if command.symbol > tables.symbols => Some("symbols full"),
            CommandKind::DefineSession if !self.modes.contains_key(&command.session) => {
                Some("sessions or accounts full")
            }
            _ => None,
        }
    }

    /// Orders of one account that met.
    fn watch_parts(&self, coverage: &mut Coverage, events: &[Event]) {
        let parts = |event: &Event| event.reason == Reason::SelfTrade as u8;
        for pair in events.windows(2) {
            let [maker, aggressor] = [&pair[0], &pair[1]];
            let is_pair = parts(maker)
                && parts(aggressor)
                && maker.has(Event::BOOKED)
                && !aggressor.has(Event::BOOKED);
            if !is_pair || self.modes.get(&aggressor.session) != Some(&DECREMENT) {
                continue;
            }
            let [of_maker, of_aggressor] =
                [maker, aggressor].map(|event| is(event, EventKind::Reduced));
            let name = match (of_maker, of_aggressor) {
                (true, _) => "decrement of the maker",
                (false, true) => "decrement of the aggressor",
                (false, false) => "decrement to zero of both",
            };
            coverage.note(1, name);
        }
    }

    fn watch_pegs(&mut self, coverage: &mut Coverage, events: &[Event], naive: &Naive) {
        let mut edges = BTreeMap::new();
        for symbol in naive.symbols() {
            for side in [Side::Buy, Side::Sell] {
                let edge = naive.edge_dynamic(symbol, side);
                edges.extend(edge.map(|edge| ((symbol, side as u8), edge)));
            }
        }
        for event in events.iter().filter(|event| is(event, EventKind::Repriced)) {
            let [now, before] =
                [&edges, &self.edges].map(|edges| edges.get(&(event.symbol, event.side)));
            let is_at_edge = now == Some(&event.price);
            let notes = [
                (is_at_edge, "peg repriced to the edge of a band"),
                (
                    is_at_edge && now != before,
                    "peg repriced as its band moved",
                ),
                (event.has(Event::PARKED), "peg left without a price"),
            ];
            notes
                .iter()
                .for_each(|(is, name)| coverage.note(usize::from(*is), name));
        }
        self.edges = edges;
    }

    /// Orders that wait, and those that do no more.
    fn watch_waiting(&mut self, coverage: &mut Coverage, events: &[Event], naive: &Naive) {
        let triggered = |number: &u64| {
            let of = |event: &&Event| is(event, EventKind::Triggered) && event.related == *number;
            events.iter().find(of)
        };
        let parked = || naive.symbols().flat_map(|symbol| naive.parked(symbol));
        let of = |one: &Resting| (one.order_ref, one.symbol);
        let elected: BTreeMap<u64, u16> = parked()
            .filter(|one| one.elected.is_some())
            .map(of)
            .collect();
        let whole: BTreeMap<u64, u16> = parked().filter(|one| one.whole).map(of).collect();
        let fresh = elected
            .iter()
            .filter(|(number, _)| !self.elected.contains_key(number));
        coverage.note(fresh.count(), "elected stop waited");
        let halted = elected.values();
        let halted =
            halted.filter(|symbol| self.states.get(symbol) == Some(&(MarketState::Halt as u32)));
        coverage.note(halted.count(), "elected stop waited through a halt");
        let left = self.elected.keys();
        let left =
            left.filter(|number| !elected.contains_key(number) && triggered(number).is_none());
        coverage.note(left.count(), "elected stop left while it waited");
        let woken = events
            .iter()
            .filter(|event| is(event, EventKind::Triggered));
        let closing = |event: &&Event| {
            self.states.get(&event.symbol) == Some(&(MarketState::ClosingAuction as u32))
        };
        coverage.note(
            usize::from(woken.clone().count() >= 4),
            "four orders came to life at one input",
        );
        coverage.note(
            woken.clone().filter(closing).count(),
            "at-the-close order came to life",
        );
        let skips = |event: &&Event| {
            let Some(symbol) = self.whole.get(&event.related) else {
                return false;
            };
            let mut earlier = self.whole.range(..event.related);
            earlier.any(|(number, of)| of == symbol && whole.contains_key(number))
        };
        coverage.note(woken.filter(skips).count(), "all-or-none order skipped");
        (self.elected, self.whole) = (elected, whole);
    }
}

fn is(event: &Event, kind: EventKind) -> bool {
    event.kind == kind as u8
}

/// Orders that keep their name.
fn watch_names(coverage: &mut Coverage, input: &Input, events: &[Event]) {
    let amends = input.command.kind == CommandKind::Amend as u8;
    for event in events {
        let keeps = is(event, EventKind::Replaced) && event.user_ref == event.old_user_ref;
        let reduces = is(event, EventKind::Reduced) && event.reason == Reason::User as u8;
        let name = match (amends, keeps, reduces) {
            (true, true, _) => "order amended",
            (true, _, true) => "order reduced by an amendment",
            (false, true, _) => "order replaced under its own name",
            _ => continue,
        };
        coverage.note(1, name);
    }
}

/// What users' own mass cancels came to.
fn watch_masses(coverage: &mut Coverage, events: &[Event]) {
    let of_user = events.iter().filter(|event| event.has(Event::OF_USER));
    for event in of_user {
        let took = is(event, EventKind::MassCanceled) && event.quantity > 0;
        let is_used = event.reason == Reason::DuplicateUserRef as u8;
        let name = match (took, is_used) {
            (true, _) => "mass cancel of a user took orders off",
            (_, true) => "mass cancel of a user under a used reference",
            _ => continue,
        };
        coverage.note(1, name);
    }
}
