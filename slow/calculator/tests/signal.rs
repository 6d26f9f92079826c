//! What a model is asked while it trades are the rows that it learnt from, bit for bit.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use recorded::{Options, open};
use trading::backtest::{Backtest, Latency, Models, Watcher};
use trading::desk::{
    BreakerRule, Desk, DeskPlan, Limits, Listing, Listings, Money, SeatPlan, Timeless,
};
use trading::strategies::{Class, Model, Signal, SignalRule};
use trading::{Event, FEATURES, Instrument, REST_NS_MAX, Step};

/// Rows between a row and its label.
const AHEAD: usize = 1;

type Rows = Arc<Mutex<Vec<[u32; FEATURES]>>>;

/// Keeps the bits of what it is asked, and wants nothing.
struct Spy(Rows);

impl Model for Spy {
    fn features(&self) -> usize {
        FEATURES
    }

    fn names(&self) -> &[String] {
        &[]
    }

    fn results(&self) -> usize {
        3
    }

    fn ask(&mut self, row: &[f32], results: &mut [f64]) -> bool {
        let bits: Vec<u32> = row.iter().map(|number| number.to_bits()).collect();
        self.0.lock().unwrap().push(bits.try_into().unwrap());
        results.copy_from_slice(&[0.0, 1.0, 0.0]);
        true
    }
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

/// A desk whose strategy asks the spy on a market with these steps.
fn desk(tick: Step, lot: Step, every_ms: u64) -> (Desk, Rows) {
    let rows = Rows::default();
    let rule = SignalRule {
        symbol: 0,
        quantity: 1,
        every_ms,
        classes: vec![Class::Buy, Class::Hold, Class::Sell],
        buy_at: 0.5,
        sell_at: 0.5,
        hold_ns: 1,
        age_ns_max: 1,
        slip_ticks: 0,
    };
    let signal = Signal::new(rule, Box::new(Spy(rows.clone()))).unwrap();
    let listing = Listing {
        instrument: Instrument {
            name: "X".to_owned(),
            venue: String::new(),
            tick,
            lot,
        },
        base: "X".to_owned(),
        quote: "USD".to_owned(),
        maker_ppm: 0,
        taker_ppm: 0,
        order_max: 1,
        position_max: 1,
    };
    let plan = DeskPlan {
        listings: Listings::new(vec![listing], "USD").unwrap(),
        limits: Limits {
            order_value_max: money("1"),
            exposure_max: money("1"),
            band_ppm: 1,
            orders_per_second: 1,
            open_orders_max: 1,
            loss_max: money("1"),
        },
        bars: Default::default(),
        seats: vec![SeatPlan {
            name: "signal".to_owned(),
            priority: 0,
            breaker: BreakerRule {
                loss_max: money("1"),
                orders_max: 1,
                orders_window_ns: 1,
                budget_ns: 1,
                overruns_max: 1,
                answer_ns_max: 1,
            },
            strategy: Box::new(signal),
        }],
    };
    (Desk::new(plan), rows)
}

/// The rows that the command writes, as the trainer reads them.
fn written(file: &Path, options: &Options, every_ms: u64) -> Vec<[u32; FEATURES]> {
    let folder = tempfile::tempdir().unwrap();
    let rows = folder.path().join("rows.csv");
    let step = |step: Step| step.times(1).to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_wirecross-quant"))
        .args(["features", file.to_str().unwrap(), rows.to_str().unwrap()])
        .args(["--tick", &step(options.tick), "--lot", &step(options.lot)])
        .args([
            "--every-ms",
            &every_ms.to_string(),
            "--ahead",
            &AHEAD.to_string(),
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = std::fs::read_to_string(rows).unwrap();
    let bits = |cell: &str| {
        let number = if cell.is_empty() {
            f64::NAN
        } else {
            cell.parse().unwrap()
        };
        (number as f32).to_bits()
    };
    let row = |line: &str| {
        let cells: Vec<u32> = line.split(',').take(FEATURES).map(bits).collect();
        cells.try_into().unwrap()
    };
    text.lines().skip(1).map(row).collect()
}

fn events(file: &Path, options: &Options) -> Vec<Event> {
    let events = open(file, options).unwrap();
    events
        .map(|event| event.unwrap())
        .filter(|event| event.symbol == 0)
        .collect()
}

/// What a strategy asks when these events come in, and time passes between them: years without an
/// event at their end alone.
fn asked(events: &[Event], options: &Options, every_ms: u64) -> Vec<[u32; FEATURES]> {
    let (mut live, rows) = desk(options.tick, options.lot, every_ms);
    let mut now_ns = 0;
    for event in events {
        let is_resting = event.received_ns.saturating_sub(now_ns) > REST_NS_MAX;
        let is_due = |due_ns: &u64| !is_resting && *due_ns < event.received_ns;
        while let Some(due_ns) = live.timer_next_ns().filter(is_due) {
            now_ns = now_ns.max(due_ns);
            live.time(now_ns, &mut Timeless);
        }
        now_ns = event.received_ns;
        live.event(event, &mut Timeless);
    }
    std::mem::take(&mut *rows.lock().unwrap())
}

/// The events as they came to a desk.
#[derive(Default)]
struct Heard(Vec<Event>);

impl Watcher for Heard {
    fn event(&mut self, _desk: &Desk, event: &Event) {
        self.0.push(*event);
    }
}

/// A strategy's rows are those that are written, and a backtest's those of the times at which the
/// events come to its desk; how many.
fn assert_alike(file: &Path, options: &Options, every_ms: u64, market: Latency) -> usize {
    let events = events(file, options);
    let rows = assert_written(file, options, every_ms, &events);
    let models = Models {
        market,
        order: Latency::Constant(0),
        answer: Latency::Constant(0),
        seed: 7,
    };
    let (again, tested) = desk(options.tick, options.lot, every_ms);
    let mut heard = Heard::default();
    let told = events.into_iter().map(Ok::<_, String>);
    Backtest::new(again, models).run(told, &mut heard).unwrap();
    let tested = std::mem::take(&mut *tested.lock().unwrap());
    assert!(
        tested == asked(&heard.0, options, every_ms),
        "the backtest asked otherwise"
    );
    assert!(tested.len() > 50);
    rows
}

/// A strategy's rows are those that are written; how many.
fn assert_written(file: &Path, options: &Options, every_ms: u64, events: &[Event]) -> usize {
    let live = asked(events, options, every_ms);
    // A strategy begins with the first whole book. The command leaves out rows without a future.
    let all = written(file, options, every_ms);
    let before = all.iter().position(|row| *row == live[0]).unwrap();
    assert!(
        before * every_ms as usize <= 5_000,
        "{before} rows before the first"
    );
    let written = &all[before..];
    let mut all = live.iter();
    for (at, row) in written.iter().enumerate() {
        assert!(all.any(|it| it == row), "row {at} was never asked: {row:?}");
    }
    assert!(
        written.len() * 10 >= live.len() * 9,
        "{} of {}",
        written.len(),
        live.len()
    );
    written.len()
}

#[test]
fn rows_of_a_recorded_market_are_those_that_the_strategy_asks() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let file = data.join("crypto/binance_spot_ethusdt_20240808.gz");
    let missing = "is missing: lay shared/data beside the checkout";
    assert!(file.exists(), "{} {missing}", file.display());
    let step = |text| Step::parse(text).unwrap();
    let options = Options {
        tick: step("0.01"),
        lot: step("0.00000001"),
        day_ns: 0,
        symbol: 0,
    };
    for every_ms in [100, 500] {
        let rows = assert_alike(&file, &options, every_ms, Latency::Recorded);
        assert!(rows > 50, "{rows} rows");
    }
}

/// A market of a minute and a half whose book moves and has holes, and rests for so long halfway,
/// from a generator.
fn session(rest_ns: u64) -> String {
    let mut text = "wirecross desk session 1\n".to_owned();
    let (mut number, mut state) = (0_u64, 1_u64);
    let mut random = |most: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % most
    };
    let mut now_ns = 1_000_000_007_u64;
    for step in 0..4_000 {
        now_ns += random(45_000_000);
        now_ns += if step == 2_000 { rest_ns } else { 0 };
        let middle = 10_000 + random(9);
        let mut line = |words: &str| {
            number += 1;
            let (kind, rest) = words.split_once(' ').unwrap_or((words, ""));
            let _ = writeln!(text, "{number} {kind} {now_ns} {} 0 {rest}", now_ns - 7);
        };
        match random(40) {
            0 => line(&format!("trade - {middle} {}", 1 + random(50))),
            1 => line("clear"),
            _ => {
                let (bid, offer) = (middle - 1 - random(3), middle + 1 + random(3));
                line("clear");
                line(&format!("level buy {bid} {}", 1 + random(90)));
                line(&format!("level buy {} {}", bid - 2, 1 + random(90)));
                line(&format!("level sell {offer} {}", 1 + random(90)));
                line("end");
            }
        }
    }
    text
}

#[test]
fn rows_of_a_session_are_those_that_the_strategy_asks() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("day.txt");
    let options = Options {
        tick: Step::parse("0.0001").unwrap(),
        lot: Step::ONE,
        day_ns: 0,
        symbol: 0,
    };
    std::fs::write(&file, session(2 * REST_NS_MAX)).unwrap();
    let rows = assert_written(&file, &options, 250, &events(&file, &options));
    assert!(rows > 200, "{rows} rows");
    std::fs::write(&file, session(0)).unwrap();
    let market = Latency::Drawn {
        least_ns: 0,
        most_ns: 3_000_000,
    };
    let rows = assert_alike(&file, &options, 250, market);
    assert!(rows > 200, "{rows} rows");
}
