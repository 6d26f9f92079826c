//! `desk`: from a change of a market to the end of what strategies make of it, and to an order,
//! through the tiles, rings and threads of the desk.
//!
//! Recorded or generated events are played at a multiple of their pace. Feed and orders share the
//! first core where there are but two, and the strategy tile has the other one. The exchange is in
//! the port of the orders tile, and answers at the next poll. What came is kept in deep rings and
//! run again behind the end: by the book-keeper, and as `wirecross backtest` does it from the
//! session's file; all three must have decided the same.

mod check;
mod detector;
mod exchange;
mod feeds;
mod tiles;

use crate::compare::{Case, Figures};
use crate::stats::Stats;
use crate::{BenchError, Options, Row};
use feeds::Feed;
use tiles::{Measured, Turned, turn};

/// The row.
pub const ROW: Row = Row {
    name: "desk",
    about: "tick to signal, tick to order, an event and a call through the desk's tiles",
    run,
};

/// What is shown of a run, in the order of its histograms. The last is the machine's: what one who
/// comes at any time waits for a strategy thread that has nothing to do.
const SHOWN: [&str; 5] = [
    "event",
    "call",
    "tick to signal",
    "tick to order",
    "wait for the idle core",
];

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let mut cases = Vec::new();
    for make in [feeds::recorded, feeds::generated, feeds::detected] {
        match make(options.effort) {
            Ok(feed) => cases.extend(measured(options, &feed)?),
            Err(BenchError::Skipped(why)) => eprintln!("benches: desk: skipped: {why}"),
            Err(error) => return Err(error),
        }
    }
    Ok(cases)
}

fn measured(options: &Options, feed: &Feed) -> Result<Vec<Case>, BenchError> {
    let rounds = options.effort.pick(1, 2, 3);
    let turns: Vec<Turned> = (0..rounds)
        .map(|_| turn(options, feed))
        .collect::<Result<_, _>>()?;
    let first = &turns[0];
    let note = format!(
        "{}; {} events, {}; {} decisions, the same three times; median of {rounds} runs for all \
         but the maximum; figures are at most 3 % above what was; {}",
        feed.about,
        feed.events.len(),
        feed.pace_text(),
        first.decisions,
        first.place
    );
    let case = |(at, what): (usize, &&str)| {
        let found: Vec<Measured> = turns.iter().map(|turn| turn.measured[at]).collect();
        case(&format!("{}, {what}", feed.name), &found).map(|case| case.noted(&note))
    };
    Ok(SHOWN.iter().enumerate().filter_map(case).collect())
}

/// Figures of several runs; none where nothing was measured.
fn case(name: &str, found: &[Measured]) -> Option<Case> {
    let count = found.iter().map(|it| it.summary.count as usize).sum();
    if count == 0 {
        return None;
    }
    let sorted = |of: fn(&Measured) -> u64| {
        let mut all: Vec<u64> = found.iter().map(of).collect();
        all.sort_unstable();
        all
    };
    let median = |of| {
        let all = sorted(of);
        all[(all.len() - 1) / 2] as f64
    };
    let medians = sorted(|it| it.summary.p50);
    Some(Case {
        name: name.to_string(),
        unit: "ns",
        ours: Figures {
            subject: "ours".to_string(),
            stats: Stats {
                count,
                max: *sorted(|it| it.summary.max).last()? as f64,
                p999: median(|it| it.summary.p99_9),
                p99: median(|it| it.summary.p99),
                median: median(|it| it.summary.p50),
                min: *sorted(|it| it.min).first()? as f64,
            },
            ratios: None,
        },
        peers: Vec::new(),
        ratio: None,
        noise: *medians.last()? as f64 / (*medians.first()?).max(1) as f64 - 1.0,
        note: None,
    })
}
