//! Time that follows a system clock which drifts, is set, and stalls: a fake clock does all three.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

use std::cell::Cell;
use std::rc::Rc;

use nic::{Clock, Correction, Drift, RED_LINE_NS, RealSource, SLEW_PPM_MAX, SteeredClock};
use nic::{TimeSource, Tracker};
use proptest::prelude::*;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;
/// How often a venue looks.
const LOOK_NS: u64 = 2 * MS;
const START_NS: u64 = 1_700_000_000 * SECOND;

/// A machine's two clocks, moved by the test.
#[derive(Clone, Default)]
struct Fake(Rc<State>);

#[derive(Default)]
struct State {
    counter_ns: Cell<u64>,
    system_ns: Cell<u64>,
    /// Parts per billion by which the system clock is faster.
    drift_ppb: Cell<i64>,
    drift_rest: Cell<i64>,
    /// What passes between two readings.
    reading_ns: Cell<u64>,
}

impl Fake {
    fn new() -> Fake {
        let fake = Fake::default();
        fake.0.system_ns.set(START_NS);
        fake
    }

    fn pass(&self, ns: u64) {
        let state = &*self.0;
        state.counter_ns.set(state.counter_ns.get() + ns);
        let more = state.drift_rest.get() + ns as i64 * state.drift_ppb.get();
        state.drift_rest.set(more % 1_000_000_000);
        let system_ns = state.system_ns.get() + ns;
        let drifted_ns = system_ns.saturating_add_signed(more / 1_000_000_000);
        state.system_ns.set(drifted_ns);
    }

    /// Sets the system clock, as `settimeofday` does.
    fn step(&self, by_ns: i64) {
        let system_ns = self.0.system_ns.get();
        self.0.system_ns.set(system_ns.saturating_add_signed(by_ns));
    }
}

impl TimeSource for Fake {
    fn counter_ns(&self) -> u64 {
        self.pass(self.0.reading_ns.get());
        self.0.counter_ns.get()
    }

    fn system_ns(&self) -> u64 {
        self.pass(self.0.reading_ns.get());
        self.0.system_ns.get()
    }
}

#[derive(Clone, Default)]
struct Word(Rc<Cell<i64>>);

impl Correction for Word {
    fn correction_ns(&self) -> i64 {
        self.0.get()
    }
}

/// A venue's tracker and one of its threads.
struct Venue {
    fake: Fake,
    tracker: Tracker<Fake>,
    word: Word,
    clock: SteeredClock<Fake, Word>,
    last_ns: u64,
}

impl Venue {
    fn new() -> Venue {
        let fake = Fake::new();
        let tracker = Tracker::new(fake.clone());
        let word = Word::default();
        let clock = tracker.clock(word.clone());
        let last_ns = clock.now_ns();
        Venue {
            fake,
            tracker,
            word,
            clock,
            last_ns,
        }
    }

    /// Lets time pass, looks, and checks that the thread's time went on at nearly its pace.
    fn pass(&mut self, ns: u64) -> Drift {
        self.fake.pass(ns);
        let drift = self.tracker.look();
        self.word.0.set(drift.correction_ns());
        let now_ns = self.clock.now_ns();
        let passed_ns = now_ns.checked_sub(self.last_ns).expect("time went back");
        let slack_ns = ns * SLEW_PPM_MAX / 1_000_000 + 1;
        assert!(passed_ns <= ns + slack_ns, "{passed_ns} in {ns}");
        assert!(passed_ns + slack_ns >= ns, "{passed_ns} in {ns}");
        self.last_ns = now_ns;
        drift
    }

    fn pass_for(&mut self, ns: u64) -> Drift {
        (0..ns / LOOK_NS)
            .map(|_| self.pass(LOOK_NS))
            .last()
            .unwrap()
    }
}

#[test]
fn a_drifting_clock_is_followed_within_a_microsecond() {
    for ppm in [-200, -50, -20, 0, 20, 50, 200] {
        let mut venue = Venue::new();
        venue.fake.0.drift_ppb.set(ppm * 1_000);
        let drift = venue.pass_for(20 * SECOND);
        assert!(drift.divergence_ns_max <= 2_000, "{ppm} ppm: {drift:?}");
        assert!(!drift.is_over_line());
        assert_eq!(drift.steps, 0);
        // What was corrected is what was drifted.
        let corrected_ns = drift.correction_ns() - ppm * 20_000;
        assert!(corrected_ns.abs() <= 2_000, "{ppm} ppm: {drift:?}");
    }
}

#[test]
fn a_clock_that_is_set_is_counted_shown_and_followed_slowly() {
    for by_ns in [300_000_i64, -300_000, 5 * MS as i64, -(5 * MS as i64)] {
        let mut venue = Venue::new();
        venue.pass_for(SECOND);
        venue.fake.step(by_ns);
        let drift = venue.pass(LOOK_NS);
        assert_eq!((drift.steps, drift.step_last_ns), (1, by_ns));
        assert_eq!(drift.divergence_ns, -by_ns);
        assert!(drift.is_over_line());
        // 500 ppm are half a millisecond a second.
        let drift = venue.pass_for(SECOND / 2);
        assert_eq!(drift.is_over_line(), by_ns.abs() > MS as i64);
        let drift = venue.pass_for(12 * SECOND);
        assert!(!drift.is_over_line());
        assert!(drift.divergence_ns.abs() < 10, "{drift:?}");
        assert_eq!(drift.steps, 1);
        assert_eq!(drift.divergence_ns_max, by_ns.unsigned_abs());
    }
}

#[test]
fn a_mistyped_year_moves_no_time() {
    let year_ns = 365 * 86_400 * SECOND as i64;
    for by_ns in [year_ns, -year_ns, -(START_NS as i64) - 1] {
        let mut venue = Venue::new();
        venue.pass_for(SECOND);
        let before_ns = venue.last_ns;
        venue.fake.step(by_ns);
        let drift = venue.pass_for(10 * SECOND);
        assert!(drift.is_over_line());
        let passed_ns = venue.last_ns - before_ns;
        assert!(passed_ns.abs_diff(10 * SECOND) <= 5 * MS, "{passed_ns}");
        venue
            .fake
            .step(START_NS as i64 + 11 * SECOND as i64 - venue.fake.0.system_ns.get() as i64);
        let drift = venue.pass_for(15 * SECOND);
        assert!(!drift.is_over_line() && drift.steps == 2, "{drift:?}");
    }
}

#[test]
fn the_red_line_is_at_100_microseconds() {
    assert_eq!(RED_LINE_NS, 100_000);
    for (divergence_ns, is_over) in [
        (100_000, false),
        (-100_000, false),
        (100_001, true),
        (-100_001, true),
    ] {
        let drift = Drift {
            divergence_ns,
            ..Drift::default()
        };
        assert_eq!(drift.is_over_line(), is_over);
    }
}

#[test]
fn readings_far_apart_say_nothing() {
    let mut venue = Venue::new();
    venue.pass_for(SECOND);
    venue.fake.step(SECOND as i64);
    venue.fake.0.reading_ns.set(50_000);
    let drift = venue.tracker.look();
    assert_eq!((drift.unsound, drift.steps, drift.divergence_ns), (1, 0, 0));
    venue.fake.0.reading_ns.set(20);
    assert_eq!(venue.tracker.look().steps, 1);
}

#[test]
fn a_look_long_after_the_last_one_changes_little() {
    let mut venue = Venue::new();
    venue.fake.0.drift_ppb.set(200_000);
    venue.fake.pass(3_600 * SECOND);
    let drift = venue.tracker.look();
    // 200 ppm of an hour, and no step.
    assert_eq!((drift.divergence_ns, drift.steps), (-720 * MS as i64, 0));
    assert_eq!(drift.correction_ns(), 5_000);
}

proptest! {
    #[test]
    fn time_never_goes_back_and_keeps_its_pace(
        moves in prop::collection::vec(
            (
                1..20 * MS,
                -500_000..500_000_i64,
                prop::option::weighted(0.1, -10_i64.pow(15)..10_i64.pow(15)),
            ),
            1..200,
        )
    ) {
        let mut venue = Venue::new();
        let mut steps = 0;
        for (ns, drift_ppb, step_ns) in moves {
            venue.fake.0.drift_ppb.set(drift_ppb);
            if let Some(step_ns) = step_ns.filter(|ns| ns.abs() > 10 * MS as i64) {
                venue.fake.step(step_ns);
                steps += 1;
            }
            prop_assert_eq!(venue.pass(ns).steps, steps);
        }
    }
}

#[test]
fn the_machines_own_clock_is_close() {
    let mut tracker = Tracker::new(RealSource::new());
    assert!(tracker.is_fine(), "{} ns", tracker.granularity_ns());
    let word = Word::default();
    let clock = tracker.clock(word.clone());
    let mut last_ns = clock.now_ns();
    for _ in 0..1_000 {
        word.0.set(tracker.look().correction_ns());
        let now_ns = clock.now_ns();
        assert!(now_ns >= last_ns);
        last_ns = now_ns;
    }
    assert!(tracker.system_state().is_some());
}
