//! `scale`: recorded loads, and what deciding on shards by them would have cost.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use scale::plan::{Cost, Played, Way, backtest, play};
use scale::predictor::Scores;
use scale::trace::{ROWS_MAX, Recipe, Row, made, parse, write};
use scale::{Decision, Policy, Rule};
use serde_json::{Value, json};

use crate::Refused;
use crate::answer::{Answer, columns, facts};
use crate::picture::{Picture, Style};
use crate::table;

/// Commands about shards.
#[derive(Debug, Args)]
pub(crate) struct Scale {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Play a recorded load back: decisions with their reasons, and what they cost beside shards
    /// for the highest load all the time and beside following the load alone.
    Plan(Box<Plan>),
    /// Make a load of a market's days, to try policies on.
    Trace(Trace),
}

#[derive(Debug, Args)]
struct Plan {
    /// Rows of time,load: whole seconds, and commands a second since the row before.
    #[arg(long, value_name = "FILE.csv")]
    trace: PathBuf,
    #[command(flatten)]
    policy: Settings,
    /// Seconds that a shard takes to start: it costs from the decision, and bears load after that.
    #[arg(long, default_value_t = 120)]
    start_s: u64,
}

/// A policy's fields; `scale::Policy` has the same, and says what they are.
#[derive(Debug, Args)]
struct Settings {
    /// Commands a second that a shard bears, measured (wirecross load).
    #[arg(long, default_value_t = Policy::default().capacity)]
    capacity: f64,
    /// The part of it that is to be used.
    #[arg(long, default_value_t = Policy::default().target)]
    target: f64,
    /// Shards at least.
    #[arg(long, default_value_t = Policy::default().shards_min)]
    shards_min: u32,
    /// Shards at most.
    #[arg(long, default_value_t = Policy::default().shards_max)]
    shards_max: u32,
    /// Shards that one decision may add.
    #[arg(long, default_value_t = Policy::default().step_up)]
    step_up: u32,
    /// Shards that one decision may take away.
    #[arg(long, default_value_t = Policy::default().step_down)]
    step_down: u32,
    /// Seconds after a change before more are added.
    #[arg(long, default_value_t = Policy::default().cooldown_up_s)]
    cooldown_up_s: u64,
    /// Seconds that fewer must have been enough before some are taken away.
    #[arg(long, default_value_t = Policy::default().cooldown_down_s)]
    cooldown_down_s: u64,
    /// How far ahead a predicted peak is prepared for, in seconds; 0: not at all.
    #[arg(long, default_value_t = Policy::default().ahead_s)]
    ahead_s: u64,
}

impl Settings {
    const fn policy(&self) -> Policy {
        Policy {
            capacity: self.capacity,
            target: self.target,
            shards_min: self.shards_min,
            shards_max: self.shards_max,
            step_up: self.step_up,
            step_down: self.step_down,
            cooldown_up_s: self.cooldown_up_s,
            cooldown_down_s: self.cooldown_down_s,
            ahead_s: self.ahead_s,
        }
    }
}

#[derive(Debug, Args)]
struct Trace {
    /// Days.
    #[arg(long, default_value_t = 8)]
    days: u32,
    /// Seconds between rows.
    #[arg(long, default_value_t = 60)]
    step_s: u64,
    /// Commands a second in a calm minute, about; the open and the close have 15 times as many.
    #[arg(long, default_value_t = 2_000)]
    base: u32,
    /// The same seed makes the same rows.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn scale(args: &Scale) -> Result<Answer, Refused> {
    match &args.command {
        What::Plan(plan) => planned(plan),
        What::Trace(trace) => traced(trace),
    }
}

fn traced(args: &Trace) -> Result<Answer, Refused> {
    let Trace {
        days,
        step_s,
        base,
        seed,
    } = *args;
    if !(1..=3_600).contains(&step_s) {
        return Err(Refused(format!("--step-s: {step_s}: from 1 to 3600")));
    }
    let rows = u64::from(days) * 86_400 / step_s;
    if !(2..=ROWS_MAX as u64).contains(&rows) {
        let what = format!("--days: {days}: {rows} rows; from 2 to {ROWS_MAX}");
        return Err(Refused(what));
    }
    let rows = made(&Recipe {
        days,
        step_s,
        base,
        seed,
    });
    let json = rows
        .iter()
        .map(|row| json!([row.time_s, row.load]))
        .collect();
    Ok(Answer {
        text: write(&rows),
        json,
        picture: Some(drawn(&rows, &[], 1.0)),
        is_complete: true,
    })
}

fn planned(args: &Plan) -> Result<Answer, Refused> {
    let file = args.trace.display();
    let text = table::text(&args.trace)?;
    let rows = parse(&text).map_err(|wrong| Refused(format!("{file}: {wrong}")))?;
    let policy = args.policy.policy();
    let played = Way::ALL.map(|way| play(&rows, &policy, args.start_s, way));
    let mut all = Vec::new();
    for played in played {
        all.push(played.map_err(|told| Refused(flagged(&told)))?);
    }
    let scores = (policy.ahead_s > 0)
        .then(|| backtest(&rows, &policy))
        .flatten();
    Ok(Answer {
        text: told(&rows, &all, scores),
        json: as_json(&rows, &all, scores),
        picture: Some(drawn(&rows, &all, policy.capacity)),
        is_complete: true,
    })
}

/// What is refused, by the name of its flag.
fn flagged(told: &str) -> String {
    let (name, rest) = told.split_once(": ").unwrap_or((told, ""));
    format!("--{}: {rest}", name.replace('_', "-"))
}

fn told(rows: &[Row], all: &[Played], scores: Option<Scores>) -> String {
    let lowest = rows
        .iter()
        .map(|row| row.load)
        .fold(f64::INFINITY, f64::min);
    let highest = rows.iter().map(|row| row.load).fold(0.0, f64::max);
    let last_s = rows.last().map_or(0, |row| row.time_s);
    let first_s = rows.first().map_or(0, |row| row.time_s);
    let forecasts = match scores {
        None => "not judged: that takes four days, and --ahead-s above 0".to_owned(),
        Some(Scores {
            days,
            mae,
            naive_mae,
            mase,
            ..
        }) => format!(
            "{days} days, mean error {mae:.1} ({naive_mae:.1} with the day before again), MASE \
             {mase:.3}"
        ),
    };
    let head = facts(&[
        (
            "rows",
            format!(
                "{} in {:.1} hours",
                rows.len(),
                (last_s - first_s) as f64 / 3_600.0
            ),
        ),
        (
            "load",
            format!("{lowest:.0} to {highest:.0} commands a second"),
        ),
        ("forecasts", forecasts),
    ]);
    let costs: Vec<Vec<String>> = all.iter().map(|it| cost_row(it.way, &it.cost)).collect();
    let names = [
        "way",
        "shard hours",
        "minutes over",
        "commands over",
        "most",
        "changes",
    ];
    let costs = columns(&names, &costs);
    let decided = all.first().map_or(&[][..], |it| &it.decisions);
    let changes = decided.iter().filter(|it| it.shards != it.before);
    let line = |it: &Decision| {
        let number = format!("{} -> {}", it.before, it.shards);
        format!(
            "{:>10}  {number:>10}  {:<6} {it}\n",
            it.time_s,
            it.rule.name()
        )
    };
    let changes: String = changes.map(line).collect();
    let met: Vec<String> = all.first().map_or_else(Vec::new, |it| {
        let met = Rule::ALL.iter().zip(it.met);
        met.map(|(rule, count)| format!("{} {count}", rule.name()))
            .collect()
    });
    let names = format!("{:>10}  {:>10}  {:<6} why\n", "time", "shards", "rule");
    let met = met.join(", ");
    format!("{head}\n{costs}\n{names}{changes}\nrules met: {met}\n")
}

fn cost_row(way: Way, cost: &Cost) -> Vec<String> {
    vec![
        way.name().to_owned(),
        format!("{:.1}", cost.shard_hours),
        format!("{:.1}", cost.minutes_over),
        format!("{:.0}", cost.commands_over),
        cost.shards_most.to_string(),
        cost.changes.to_string(),
    ]
}

fn as_json(rows: &[Row], all: &[Played], scores: Option<Scores>) -> Value {
    let decision = |it: &Decision| {
        let peak = it.peak.and_then(Result::ok);
        json!({
            "time_s": it.time_s, "load": it.load, "before": it.before, "shards": it.shards,
            "needed": it.needed, "rule": it.rule.name(), "why": it.to_string(),
            "peak": peak.map(|it| it.0), "peak_in_s": peak.map(|it| it.1),
        })
    };
    let way = |it: &Played| {
        let Cost {
            shard_hours,
            minutes_over,
            commands_over,
            shards_most,
            changes,
        } = it.cost;
        let met = Rule::ALL.iter().zip(it.met);
        let met: serde_json::Map<_, _> = met
            .map(|(rule, count)| (rule.name().to_owned(), count.into()))
            .collect();
        json!({
            "way": it.way.name(), "shard_hours": shard_hours, "minutes_over": minutes_over,
            "commands_over": commands_over, "shards_most": shards_most, "changes": changes,
            "rules_met": met, "decisions": it.decisions.iter().map(decision).collect::<Vec<_>>(),
        })
    };
    let scores = scores.map(|it| {
        json!({
            "days": it.days, "mae": it.mae, "mase": it.mase, "naive_mae": it.naive_mae,
            "naive_mase": it.naive_mase,
        })
    });
    let ways: Vec<Value> = all.iter().map(way).collect();
    json!({ "rows": rows.len(), "forecasts": scores, "ways": ways })
}

/// The load, and what the shards of each way are to bear.
fn drawn(rows: &[Row], all: &[Played], capacity: f64) -> String {
    let hours = |time_s: u64| time_s as f64 / 3_600.0;
    let mut picture = Picture::new("Load and shards", "hours", "commands a second");
    let load = rows.iter().map(|row| [hours(row.time_s), row.load]);
    picture.add("load", Style::Line, load.collect());
    for played in all.iter().filter(|it| it.way != Way::Static) {
        let mut points = Vec::new();
        for it in &played.decisions {
            let of = |shards: u32| [hours(it.time_s), f64::from(shards) * capacity];
            points.extend([of(it.before), of(it.shards)]);
        }
        picture.add(played.way.name(), Style::Line, points);
    }
    picture.svg()
}
