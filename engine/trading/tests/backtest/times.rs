//! What a day's clock says where its venue says no time, and where nothing happens for years.

use std::sync::mpsc::channel;

use trading::backtest::{Backtest, Latency, Models, Watcher};
use trading::{Event, REST_NS_MAX, Standing, What};

use crate::kit::{Heard, Rig};

const MS: u64 = 1_000_000;
/// A time of today.
const TODAY: u64 = 1_790_000_000_000_000_000;
/// More timers than any of these days has, were it lived through step by step from 1970.
const TIMERS_MAX: usize = 100;

/// Keeps nothing.
struct Deaf;

impl Watcher for Deaf {}

const MODELS: Models = Models {
    market: Latency::Constant(7),
    order: Latency::Constant(0),
    answer: Latency::Constant(0),
    seed: 1,
};

/// A quote, whole with the event behind it; both came in at `received_ns`.
fn quote(event_ns: u64, received_ns: u64) -> [Event; 2] {
    let side = |price| Standing {
        price,
        quantity: 100,
    };
    let (bid, offer) = (side(1_000), side(1_004));
    [What::Quote { bid, offer }, What::End].map(|what| Event {
        event_ns,
        received_ns,
        symbol: 0,
        what,
    })
}

/// When a strategy was called that asks for a call so many ns behind its first book, and behind
/// each call.
fn timers(events: &[Event], every_ns: u64, models: Models) -> Vec<u64> {
    let (tell, told) = channel();
    let (mut count, mut is_first) = (0, true);
    let rig = Rig::plain(Box::new(move |desk, heard| {
        if let Heard::Timer(at_ns) = *heard {
            count += 1;
            assert!(count < TIMERS_MAX, "timer {count} at {at_ns}");
            tell.send(at_ns).unwrap();
        } else if !std::mem::take(&mut is_first) {
            return;
        }
        desk.timer_at(desk.now_ns() + every_ns);
    }));
    let events = events.iter().map(|event| Ok::<_, ()>(*event));
    let run = Backtest::new(rig.desk, models).run(events, &mut Deaf);
    run.unwrap();
    told.try_iter().collect()
}

#[test]
fn what_has_no_time_happens_with_the_first_that_has_one() {
    let mut events = quote(0, TODAY + 5).to_vec();
    events.extend(quote(0, TODAY + 6));
    events.extend(quote(TODAY, TODAY + 9));
    events.extend(quote(TODAY + 3 * MS, TODAY + 3 * MS + 9));
    let due = [1, 2, 3].map(|ms| TODAY + 7 + ms * MS);
    assert_eq!(timers(&events, MS, MODELS), due);
    // As recorded, each is at the desk when it came in.
    let models = Models {
        market: Latency::Recorded,
        ..MODELS
    };
    let due = [1, 2, 3].map(|ms| TODAY + 5 + ms * MS);
    assert_eq!(timers(&events, MS, models), due);
}

#[test]
fn what_has_no_time_behind_one_that_has_happened_then() {
    let mut events = quote(TODAY, TODAY + 5).to_vec();
    events.extend(quote(0, TODAY + MS));
    events.extend(quote(TODAY + 2 * MS, TODAY + 2 * MS + 5));
    events.extend(quote(0, TODAY + 3 * MS));
    let due = [1, 2].map(|ms| TODAY + 7 + ms * MS);
    assert_eq!(timers(&events, MS, MODELS)[..2], due);
    // As recorded, each is at the desk when it came in.
    let models = Models {
        market: Latency::Recorded,
        ..MODELS
    };
    let due = [1, 2].map(|ms| TODAY + 5 + ms * MS);
    assert_eq!(timers(&events, MS, models), due);
}

#[test]
fn a_day_without_any_time_goes_by_the_clock_that_recorded_it() {
    // More than are read ahead.
    let day = (0..5_000).flat_map(|step| quote(0, TODAY + step * MS / 100));
    let day: Vec<Event> = day.collect();
    let due = [1, 2, 3, 4].map(|part| TODAY + 7 + part * 10 * MS);
    assert_eq!(timers(&day, 10 * MS, MODELS), due);
}

#[test]
fn years_without_an_event_are_not_lived_through() {
    let mut events = quote(MS, MS).to_vec();
    events.extend(quote(3 * MS, 3 * MS));
    events.extend(quote(TODAY, TODAY));
    events.extend(quote(TODAY + MS, TODAY + MS));
    // Of the years between there is one, at their end.
    let due = [2 * MS + 7, 3 * MS + 7, TODAY, TODAY + MS];
    assert_eq!(timers(&events, MS, MODELS), due);
    // A week is.
    let mut events = quote(TODAY, TODAY).to_vec();
    events.extend(quote(TODAY + REST_NS_MAX, TODAY + REST_NS_MAX));
    let due = [1, 2, 3, 4].map(|part| TODAY + 7 + REST_NS_MAX / 4 * part);
    assert_eq!(timers(&events, REST_NS_MAX / 4, MODELS), due);
}
