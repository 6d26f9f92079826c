//! How a venue's clock does on this machine: what a reading costs, how fine it is, and how it
//! follows the system clock. `cargo run --release -p nic --example clock [SECONDS]`.

#![allow(clippy::unwrap_used)] // a measurement: what fails must stop it

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use nic::{Clock, Correction, RED_LINE_NS, RealClock, RealSource, Tracker};

const LOOK: Duration = Duration::from_millis(2);
const READINGS: u32 = 10_000;
const ROUNDS: usize = 100;

#[derive(Clone, Default)]
struct Word(Rc<Cell<i64>>);

impl Correction for Word {
    fn correction_ns(&self) -> i64 {
        self.0.get()
    }
}

/// Picoseconds that one reading took.
fn price(clock: &impl Clock) -> u128 {
    let start = Instant::now();
    let sum = (0..READINGS).fold(0, |sum: u64, _| sum.wrapping_add(clock.now_ns()));
    std::hint::black_box(sum);
    start.elapsed().as_nanos() * 1_000 / u128::from(READINGS)
}

fn median(mut prices: Vec<u128>) -> f64 {
    prices.sort_unstable();
    prices[prices.len() / 2] as f64 / 1_000.0
}

fn main() {
    let seconds = std::env::args().nth(1).map_or(5, |it| it.parse().unwrap());
    let mut tracker = Tracker::new(RealSource::new());
    let word = Word::default();
    let (free, steered) = (RealClock::new(), tracker.clock(word.clone()));
    let prices = (0..ROUNDS).map(|_| (price(&free), price(&steered)));
    let (free, steered): (Vec<_>, Vec<_>) = prices.unzip();
    let (free, steered) = (median(free), median(steered));
    let ratio = steered / free;
    println!("a reading: {free:.1} ns, steered {steered:.1} ns, ratio {ratio:.2}");
    println!("granularity: {} ns", tracker.granularity_ns());
    println!("the system says: {:?}", tracker.system_state());
    tracker = Tracker::new(RealSource::new());
    for second in 1..=seconds {
        let start = Instant::now();
        let mut greatest_ns = 0;
        while start.elapsed() < Duration::from_secs(1) {
            let drift = tracker.look();
            word.0.set(drift.correction_ns());
            greatest_ns = greatest_ns.max(drift.divergence_ns.unsigned_abs());
            std::thread::sleep(LOOK);
        }
        let drift = tracker.look();
        let (corrected_ns, line) = (drift.correction_ns(), RED_LINE_NS);
        let (steps, unsound) = (drift.steps, drift.unsound);
        println!(
            "{second} s: at most {greatest_ns} ns off (red line {line}), corrected by \
             {corrected_ns} ns in all, {steps} steps, {unsound} looks unsound"
        );
    }
}
