//! `features`.

use std::path::PathBuf;

use clap::Args;
use history::{Kind, Value};
use recorded::{Format, Options};
use serde_json::json;
use trading::{FEATURE_NAMES, Row, Step};

use crate::Refused;
use crate::answer::{Answer, facts, percent};
use crate::sheet::Sheet;
use crate::watch::Watch;

/// Rows at most.
const ROWS_MAX: u64 = 1 << 24;
/// What labels are called: the middle falls, stays, rises.
const LABELS: [&str; 3] = ["SELL", "HOLD", "BUY"];
/// Arguments of `features`.
#[derive(Debug, Args)]
pub(crate) struct Features {
    /// A recorded market of one symbol: Bitstamp's orders, a capture of Binance, DBN, LOBSTER.
    #[arg(value_name = "RECORDED")]
    file: PathBuf,
    /// Where the rows are written to: as Parquet if its name ends in .parquet.
    #[arg(value_name = "ROWS.csv")]
    rows: PathBuf,
    /// Which of the file's instruments, from 0.
    #[arg(long, default_value_t = 0)]
    instrument: u32,
    /// A row each so many ms.
    #[arg(long, default_value_t = 500)]
    every_ms: u64,
    /// How many rows ahead a label looks.
    #[arg(long, default_value_t = 20)]
    ahead: usize,
    /// By how many ticks the middle must have moved then to be BUY or SELL.
    #[arg(long = "move", default_value_t = 1.0, value_name = "TICKS")]
    least_move: f64,
    /// The least change of a price.
    #[arg(long, default_value = "0.01", value_parser = step)]
    tick: Step,
    /// The least change of a quantity.
    #[arg(long, default_value = "0.00000001", value_parser = step)]
    lot: Step,
}

fn step(text: &str) -> Result<Step, String> {
    Step::parse(text).ok_or_else(|| "is no decimal number above 0".to_owned())
}

pub(crate) fn features(args: &Features, watch: &Watch) -> Result<Answer, Refused> {
    if !(1..=ROWS_MAX).contains(&(args.ahead as u64)) {
        return Err(Refused(format!("--ahead: between 1 and {ROWS_MAX}")));
    }
    if !(args.least_move > 0.0 && args.least_move < 1e9) {
        return Err(Refused("--move: between 0 and 1e9 ticks".into()));
    }
    let (seen, is_complete) = seen(args, watch)?;
    let (sheet, counts) = rows(&seen, args)?;
    let all: usize = counts.iter().sum();
    if all == 0 {
        let what = "no row: at no time both sides stand, and later, too";
        return Err(Refused(format!("{}: {what}", args.file.display())));
    }
    sheet.finish()?;
    let share = |count: usize| percent(count as f64 / all as f64);
    let ahead_ms = args.ahead as u64 * args.every_ms;
    let mut lines = vec![
        ("rows", all.to_string()),
        ("labels look ahead", format!("{ahead_ms} ms")),
    ];
    lines.extend(LABELS.into_iter().zip(counts.map(share)));
    Ok(Answer {
        text: facts(&lines),
        json: json!({
            "rows": all, "ahead_ms": ahead_ms, "complete": is_complete,
            "labels": { "SELL": counts[0], "HOLD": counts[1], "BUY": counts[2] },
        }),
        picture: None,
        is_complete,
    })
}

/// Plays the recording into books and looks at them at even times. What is seen is what came
/// before that time, by our clock. Years without an event have no rows, and nothing stands where a
/// label would look across them. False if it was stopped before the recording's end.
fn seen(args: &Features, watch: &Watch) -> Result<(Vec<Option<Row>>, bool), Refused> {
    let refused = |error: recorded::Error| Refused(error.to_string());
    Format::of(&args.file).map_err(refused)?;
    let options = Options {
        tick: args.tick,
        lot: args.lot,
        day_ns: 0,
        symbol: 0,
    };
    let events = recorded::open(&args.file, &options).map_err(refused)?;
    let features = trading::Features::new(args.every_ms);
    let mut features = features.map_err(|bad| Refused(format!("--every-ms: {bad}")))?;
    let mut seen = Vec::new();
    let mut see = |row| {
        if seen.len() as u64 == ROWS_MAX {
            let what = format!("more than {ROWS_MAX} rows: take a longer --every-ms");
            return Err(Refused(format!("{}: {what}", args.file.display())));
        }
        seen.push(row);
        Ok(())
    };
    watch.begin()?;
    for event in events {
        if watch.goes_on().is_break() {
            return Ok((seen, false));
        }
        let event = event.map_err(refused)?;
        if event.symbol != args.instrument {
            continue;
        }
        let due_ns = features.due_ns();
        features.rested(event.received_ns);
        if features.due_ns() != due_ns {
            (0..args.ahead).try_for_each(|_| see(None))?;
        }
        while let Some((_, row)) = features.next_row(event.received_ns) {
            see(row)?;
        }
        features.on(&event);
    }
    Ok((seen, true))
}

/// Rows whose future is known, and how many have which label.
fn rows(seen: &[Option<Row>], args: &Features) -> Result<(Sheet, [usize; 3]), Refused> {
    let doubles = FEATURE_NAMES
        .into_iter()
        .chain(["future_buy", "future_sell"]);
    let mut columns: Vec<_> = doubles.map(|name| (name, Kind::Double)).collect();
    columns.push(("label", Kind::Text));
    let mut sheet = Sheet::new(&args.rows, &columns)?;
    let mut counts = [0; 3];
    let middle = |at: usize| seen.get(at)?.as_ref()?.touch.middle();
    for (at, now) in seen.iter().enumerate() {
        let Some(now) = now else { continue };
        let Some(Some(later)) = seen.get(at + args.ahead) else {
            continue;
        };
        let Some(change) = middle(at).zip(middle(at + args.ahead)) else {
            continue;
        };
        let change = change.1 - change.0;
        // Bought at the offer and sold at the bid then, and the other way round.
        let buy = later.touch.bid.price - now.touch.offer.price;
        let sell = now.touch.bid.price - later.touch.offer.price;
        let label = match change {
            _ if change >= args.least_move => 2,
            _ if change <= -args.least_move => 0,
            _ => 1,
        };
        counts[label] += 1;
        let futures = [buy, sell].map(|ticks| ticks as f64);
        let numbers = now.numbers.into_iter().chain(futures);
        let mut row: Vec<_> = numbers.map(Value::Double).collect();
        row.push(Value::Text(LABELS[label]));
        sheet.push(&row)?;
    }
    Ok((sheet, counts))
}
