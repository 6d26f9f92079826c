//! One day, by the engine and by the reference.

#[path = "../../tests/common/limits.rs"]
mod limits;

use limits::LIMITS;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use flow::Naive;
use flow::hostile::{Character, Coverage, Tables, Watcher};
use flow::naive::Lack;
use matching::{Engine, Events, Limits, Line, Step, WORKS};
use wire::ring::{Event, Input, Reason, Side};

/// More events than an input of so few orders comes to.
const EVENTS_MAX: usize = 100_000;

/// All-or-none orders of a symbol that wait at a time.
const WHOLE_MAX: usize = 64;

/// The first difference of a stream.
pub struct Difference {
    /// Its input.
    pub index: usize,
    /// What there is to say.
    pub text: String,
}

/// Compares days, one after the other.
pub struct Comparison {
    offered: u16,
    memory: Vec<Line>,
    coverage: Coverage,
}

impl Comparison {
    /// Of engines that offer a set of increments.
    pub fn new(offered: u16) -> Self {
        Self {
            offered,
            memory: vec![Line::ZERO; LIMITS.lines()],
            coverage: Coverage::new(&WORKS),
        }
    }

    /// What was rare in the last day.
    pub fn coverage(&self) -> Coverage {
        self.coverage.clone()
    }

    /// Compares a day, whose engine has the tables of a seed's.
    pub fn difference(
        &mut self,
        seed: Option<u64>,
        inputs: &[Input],
    ) -> Result<Option<Difference>, String> {
        let tables = seed.and_then(|seed| Character::of(seed).tables(seed));
        let limits = tables.map_or(LIMITS, limits_of);
        self.coverage = Coverage::new(&WORKS);
        let lines = limits.lines().min(self.memory.len());
        let memory = &mut self.memory[..lines];
        memory.fill(Line::ZERO);
        let mut both = Both {
            engine: Engine::new(limits, memory).map_err(|error| error.to_string())?,
            naive: Naive::offering(self.offered),
            watcher: Watcher::new(tables),
            limits,
        };
        for (index, input) in inputs.iter().enumerate() {
            let compared = caught(|| both.difference(input, &mut self.coverage));
            if let Some(text) = compared.unwrap_or_else(Some) {
                let text = format!("{input:?}\n{text}");
                return Ok(Some(Difference { index, text }));
            }
        }
        let index = inputs.len().saturating_sub(1);
        let compared = caught(|| book_difference(&both.engine, &both.naive));
        let text = compared.unwrap_or_else(Some);
        Ok(text.map(|text| Difference { index, text }))
    }
}

/// The engine and the reference on their way through a day.
struct Both<'m> {
    engine: Engine<'m>,
    naive: Naive,
    watcher: Watcher,
    limits: Limits,
}

impl Both<'_> {
    /// What the two say differently of an input.
    fn difference(&mut self, input: &Input, coverage: &mut Coverage) -> Option<String> {
        let found = applied(&mut self.engine, input, coverage);
        let expected = self.naive.apply_lacking(input, Lack::told(&found));
        if found != expected {
            return Some(format!("engine {found:#?}\nreference {expected:#?}"));
        }
        if let Some(wrong) = table_difference(&found, &self.limits, &self.naive) {
            return Some(format!("engine {found:#?}\n{wrong}"));
        }
        self.watcher.watch(coverage, input, &found, &self.naive);
        None
    }
}

thread_local! {
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
    static SAID: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Does some work, or gives what it said when it panicked: an assertion that fails is a difference,
/// too, and nothing is printed of the many times that a day which is cut down fails.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if IS_CAUGHT.get() {
                SAID.set(panic.to_string());
            } else {
                usual(panic);
            }
        }));
    });
    IS_CAUGHT.set(true);
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    IS_CAUGHT.set(false);
    done.map_err(|_| SAID.take())
}

fn limits_of(tables: Tables) -> Limits {
    Limits {
        symbols: tables.symbols,
        sessions: tables.sessions,
        orders: tables.orders,
        special: tables.special,
        price_groups: tables.price_groups,
        accounts: tables.accounts,
    }
}

/// What is wrong with how full the tables are, or are said to be. An order that was refused tells
/// of the tables as they are only if nothing else happened.
fn table_difference(events: &[Event], limits: &Limits, naive: &Naive) -> Option<&'static str> {
    let whole = |symbol| naive.parked(symbol).filter(|one| one.whole).count();
    let whole_most = naive.symbols().map(whole).max().unwrap_or(0);
    let (orders, special) = (limits.orders as usize, limits.special as usize);
    if naive.live_orders() > orders || whole_most > WHOLE_MAX {
        return Some("more orders than there is room for");
    }
    let [only] = events else { return None };
    let is_full = match Reason::from_byte(only.reason) {
        Some(Reason::PoolFull) => {
            naive.live_orders() == orders
                || naive.orders_special() >= special
                || whole_most == WHOLE_MAX
        }
        Some(Reason::LadderFull) => price_groups(naive) >= limits.price_groups as usize,
        _ => true,
    };
    (!is_full).then_some("but there is room")
}

/// Groups of neighbouring prices with an order in them: 64 whole cents, or 64 prices off the cent.
fn price_groups(naive: &Naive) -> usize {
    let mut groups = BTreeSet::new();
    for symbol in naive.symbols() {
        for side in [Side::Buy, Side::Sell] {
            for price in naive.orders(symbol, side).map(|order| order.price) {
                let is_cent = price % 100 == 0;
                let group = if is_cent { price / 6_400 } else { price / 64 };
                groups.insert((symbol, side as u8, is_cent, group));
            }
        }
    }
    groups.len()
}

fn applied(engine: &mut Engine<'_>, input: &Input, coverage: &mut Coverage) -> Vec<Event> {
    let mut events = Events::new();
    let mut all = Vec::new();
    let mut step = engine.apply(input, &mut events);
    let mut works: Vec<&'static str> = Vec::new();
    all.extend_from_slice(events.as_slice());
    while step == Step::More {
        let work = engine.unfinished();
        works.extend(work.filter(|work| !works.contains(work)));
        step = engine.resume(&mut events);
        all.extend_from_slice(events.as_slice());
        assert!(all.len() < EVENTS_MAX, "an input without end: {input:?}");
    }
    works.iter().for_each(|work| coverage.note_steps(work));
    all
}

fn book_difference(engine: &Engine<'_>, naive: &Naive) -> Option<String> {
    for symbol in naive.symbols() {
        for side in [Side::Buy, Side::Sell] {
            let mut found = Vec::new();
            engine.orders(symbol, side, |order| {
                found.push((order.order_ref, order.price, order.quantity));
            });
            let expected: Vec<(u64, i64, u32)> = naive
                .orders(symbol, side)
                .map(|order| (order.order_ref, order.price, order.open))
                .collect();
            if found != expected {
                return Some(format!(
                    "symbol {symbol} {side:?}: {found:?} instead of {expected:?}"
                ));
            }
        }
    }
    None
}
