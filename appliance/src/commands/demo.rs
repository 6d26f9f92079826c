//! `wirecross demo`: the whole path on this machine, judged.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use flow::recorded;
use queue::CounterReader;

use crate::client::members::Login;
use crate::client::report::{LatencyRow, table};
use crate::demo::{Addresses, Arena, Generated, Judged, Plan, Played, Shown, Tables};
use crate::demo::{compare_tables, judge, run_generated, run_recorded};
use crate::tiles::HISTOGRAMS;
use crate::topology::Topology;
use crate::venue::runner::COUNTERS_FILE;
use crate::venue::slow_program;

/// Exit code when something differs.
const EXIT_DIFFERENT: u8 = 1;
/// Orders that the venue takes memory for.
const ORDERS: u32 = 200_000;
/// Differences that are printed; the others are counted.
const DIFFERENCES_SHOWN: usize = 10;

/// Fills of the desk that are printed, and the lines of its end.
const DESK_FILLS_SHOWN: usize = 3;
const DESK_LINES: [&str; 6] = [
    "maker: ",
    "spread: ",
    "around: ",
    "profit ",
    "tick -> ",
    "decisions ",
];

/// A wait for the disk that is worth a line.
const SETTLED: Duration = Duration::from_secs(1);

/// What `wirecross demo` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Seconds of generated flow.
    #[arg(long, default_value_t = 15.0)]
    seconds: f64,
    /// Commands a second.
    #[arg(long, default_value_t = 5_000.0)]
    rate: f64,
    /// Order entry sessions.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=16))]
    sessions: u16,
    /// Symbols; the first is the busiest.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    symbols: u16,
    /// Orders that stand on the books once they are filled.
    #[arg(long, default_value_t = 2_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    standing: u32,
    /// Seed of the order flow.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds in which a desk trades with a flow of its own, behind the measured ones; 0 for none.
    #[arg(long, default_value_t = 3.0)]
    desk_seconds: f64,
    /// Acknowledge from memory instead of waiting for the disk.
    #[arg(long)]
    memory: bool,
    /// Use loopback even where namespaces are possible.
    #[arg(long)]
    loopback: bool,
    /// Play this recorded flow instead and compare every fill.
    #[arg(long, value_name = "FILE")]
    flow: Option<PathBuf>,
    /// Kill the venue after so many answers of the recorded flow and start it again.
    #[arg(long, value_name = "ANSWERS", requires = "flow")]
    kill_after: Option<usize>,
    /// Directory for the venue's data, kept afterwards; a temporary one otherwise.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Runs the command.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let directory = args.keep.clone().unwrap_or_else(temporary);
    let outcome = fs::create_dir_all(&directory)
        .map_err(|error| format!("{}: {error}", directory.display()))
        .and_then(|()| show(args, &directory));
    if args.keep.is_none() {
        // What cannot be removed from the temporary folder is the system's to remove.
        let _ = fs::remove_dir_all(&directory);
    }
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(EXIT_DIFFERENT),
        Err(error) => super::failed("demo", error),
    }
}

fn temporary() -> PathBuf {
    std::env::temp_dir().join(format!("wirecross-demo-{}", std::process::id()))
}

fn show(args: &Args, directory: &Path) -> Result<bool, String> {
    let arena = Arena::open(args.loopback);
    println!("venue and members: {}", arena.describe());
    arena
        .enter()
        .map_err(|error| format!("entering our namespace: {error}"))?;
    let ack = if args.memory { "memory" } else { "disk" };
    let has_slow_path = match slow_program() {
        Ok(_) => true,
        Err(error) => {
            println!("no tables: {error}");
            false
        }
    };
    let plan_of = |addresses: Addresses, logins: Vec<Login>, symbols: Vec<String>| Plan {
        directory: directory.to_owned(),
        symbols,
        logins,
        ack,
        orders: ORDERS,
        has_slow_path,
        addresses,
    };
    if let Some(file) = &args.flow {
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let text = fs::read_to_string(file).map_err(|error| named(&error))?;
        let lines = recorded::read(&text).map_err(|error| named(&error))?;
        let (plan, played) = run_recorded(&arena, plan_of, lines, args.kill_after)?;
        let topology = topology_of(&plan)?;
        let judged = judge(&topology, &played.books, played.summary.state_hash)?;
        let tables = compare_tables(&topology)?;
        return Ok(tell_recorded(&played, (&judged, &tables)));
    }
    settle(directory);
    let wanted = Generated {
        rate: args.rate,
        seconds: args.seconds,
        sessions: args.sessions,
        symbols: args.symbols,
        standing: args.standing,
        seed: args.seed,
        desk_seconds: args.desk_seconds,
    };
    println!(
        "{} commands a second for {} s, acknowledged from {ack}",
        args.rate, args.seconds
    );
    let (plan, shown) = run_generated(&arena, plan_of, &wanted)?;
    let topology = topology_of(&plan)?;
    let judged = judge(&topology, &shown.books, shown.summary.state_hash)?;
    let tables = compare_tables(&topology)?;
    let hops = hops(&topology)?;
    Ok(tell_generated(&shown, (&judged, &tables), &hops))
}

/// Waits until what was written before is on the demo's disk. Else its first flushes would wait for
/// that too, for a second and more behind a compiler's files, and the table would say so of us.
fn settle(directory: &Path) {
    let begun = Instant::now();
    let synced = Command::new("sync").arg("-f").arg(directory).status();
    if synced.is_ok_and(|status| status.success()) && begun.elapsed() > SETTLED {
        let seconds = begun.elapsed().as_secs_f64();
        println!("waited {seconds:.1} s until what was written before was on the disk");
    }
}

fn topology_of(plan: &Plan) -> Result<Topology, String> {
    Topology::load(&plan.topology_path()).map_err(|error| error.to_string())
}

/// The venue's own histograms, from the file that it left.
fn hops(topology: &Topology) -> Result<Vec<(&'static str, LatencyRow)>, String> {
    let path = topology.data_dir.join(COUNTERS_FILE);
    let reader = CounterReader::attach(&path).map_err(|error| error.to_string())?;
    let row = |&name: &&'static str| {
        let row = histogram_row(&reader, name);
        let row = row.map_err(|why| format!("{}: {why}", path.display()))?;
        Ok((hop_name(name), row))
    };
    HISTOGRAMS.iter().map(row).collect()
}

/// A histogram as a row of a table.
///
/// # Errors
/// There is none of this name.
pub(super) fn histogram_row(reader: &CounterReader, name: &str) -> Result<LatencyRow, String> {
    let summary = reader.summary(name);
    let summary = summary.ok_or_else(|| format!("no histogram {name}: another version's file?"))?;
    Ok(LatencyRow::of(&summary))
}

/// A hop in words.
fn hop_name(name: &'static str) -> &'static str {
    match name {
        "hop.gate_engine_ns" => "  gate -> sequenced",
        "hop.engine_durable_ns" => "  sequenced -> on disk",
        "hop.engine_reply_ns" => "  sequenced -> reply written",
        "hop.engine_feed_ns" => "  sequenced -> feed packet",
        other => other,
    }
}

/// A judgement of the venue, and one of its tables.
type Judgement<'j> = (&'j Judged, &'j Tables);

fn tell_generated(shown: &Shown, judgement: Judgement<'_>, hops: &[(&str, LatencyRow)]) -> bool {
    let report = &shown.report;
    println!(
        "orders: {} commands, {} answered, {} accepted, {}, {} executions",
        report.sent,
        report.answered,
        report.accepted,
        report.rejected_text(),
        report.executions
    );
    println!(
        "feed ({}): {} messages in {} packets, {} gaps, {} requests, {} lost",
        shown.feed_mode,
        shown.feed.messages,
        shown.feed.packets,
        shown.feed.gaps,
        shown.feed.requests,
        shown.summary.messages.saturating_sub(shown.feed.messages)
    );
    let mut rows = vec![
        ("order due -> reply", report.due_to_reply),
        ("order sent -> reply", report.sent_to_reply),
        ("order due -> feed message", shown.due_to_feed),
    ];
    rows.extend_from_slice(hops);
    println!("\n{}", table(&rows));
    tell_desk(&shown.desk);
    verdict(judgement, &shown.faults)
}

/// What the desk's words come to: its first fills, and how it stands.
fn tell_desk(words: &[String]) {
    if words.is_empty() {
        return;
    }
    println!(
        "a desk behind that: a market maker on the first symbol, the spread of the next two, and \
         the way around three currencies"
    );
    let is_fill = |line: &&String| line.ends_with(" maker") || line.ends_with(" taker");
    for fill in words.iter().filter(is_fill).take(DESK_FILLS_SHOWN) {
        println!("  {fill}");
    }
    for line in words {
        if DESK_LINES.iter().any(|it| line.starts_with(it)) {
            println!("  {line}");
        }
    }
    println!();
}

fn tell_recorded(played: &Played, judgement: Judgement<'_>) -> bool {
    println!(
        "{} commands answered in {:.2} s",
        played.commands, played.seconds
    );
    if let Some(answers) = played.killed_after {
        println!(
            "killed after {answers} answers and started again; {} commands sent again",
            played.sent_again
        );
    }
    println!("replies: {}", played.replies);
    println!(
        "feed: {} trades, {} different from the replies",
        played.feed_trades,
        played.feed_differences.len()
    );
    let faults = [
        &played.replies.differences[..],
        &played.feed_differences[..],
    ]
    .concat();
    verdict(judgement, &faults)
}

/// Prints whether all is well.
fn verdict((judged, tables): Judgement<'_>, faults: &[String]) -> bool {
    println!(
        "journal: {} inputs replayed, {} orders rest, state hash {:016x}",
        judged.inputs, judged.orders, judged.state_hash
    );
    let mut faults = [faults, &judged.differences].concat();
    match tables {
        Tables::Absent => {}
        Tables::Agreed(what) => println!("tables, journal and feed, row by row: {what}"),
        Tables::Different(what) => faults.push(format!("tables: {what}")),
    }
    let shown = faults.len().min(DIFFERENCES_SHOWN);
    for fault in &faults[..shown] {
        println!("different: {fault}");
    }
    if faults.len() > shown {
        println!("and {} more", faults.len() - shown);
    }
    println!(
        "{}",
        if faults.is_empty() {
            "the feed's books, the journal's books and the venue's state hash agree"
        } else {
            "NOT the same: see above"
        }
    );
    faults.is_empty()
}
