//! `seeds`: runs many seeds of the simulation, or one of them again.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use sim::{Campaign, Fault, Outcome, Plan};

/// Seeds between two lines about how far it is.
const STRIDE: u64 = 10_000;

/// In which the kernel tells what a process used.
const TICKS_PER_SECOND: f64 = 100.0;

/// From so many seeds on every kind of fault must have struck.
const SEEDS_FOR_ALL: u64 = 1_000;

/// The whole appliance under a seeded simulator.
#[derive(Parser)]
#[command(name = "seeds")]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first one.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// Threads.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Runs this seed alone, twice, and shows its plan.
    #[arg(long)]
    seed: Option<u64>,
    /// Ends at the first seed that breaks a promise.
    #[arg(long)]
    fail_fast: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let is_kept = match arguments.seed {
        Some(seed) => again(seed),
        None => many(&arguments),
    };
    if is_kept {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs one seed twice: the same bytes must come of it.
fn again(seed: u64) -> bool {
    let plan = Plan::of(seed);
    println!("{plan:#?}");
    match (sim::run(&plan), sim::run(&plan)) {
        (Ok(first), Ok(second)) if first == second => {
            println!("{first:#?}\nseed {seed} keeps every promise, twice with the same bytes");
            true
        }
        (Ok(first), Ok(second)) => {
            println!("seed {seed} is not the same twice: {first:?}, then {second:?}");
            false
        }
        (Err(error), _) | (_, Err(error)) => {
            println!("{error}");
            false
        }
    }
}

fn many(arguments: &Arguments) -> bool {
    let campaign = Campaign {
        first: arguments.first,
        seeds: arguments.seeds,
        jobs: arguments.jobs,
        broken_max: if arguments.fail_fast { 1 } else { 20 },
    };
    let start = Instant::now();
    let outcome = campaign.run(&|done| {
        if done.is_multiple_of(STRIDE) {
            println!("{done} seeds, {:.0} s", start.elapsed().as_secs_f64());
        }
    });
    let seconds = start.elapsed().as_secs_f64();
    tell(&outcome);
    println!(
        "{} seeds from {} in {seconds:.1} s on {} threads: {:.1} seeds a second and thread, {} a \
         second of a core's time; {} broke a promise",
        outcome.seeds,
        arguments.first,
        arguments.jobs,
        outcome.seeds as f64 / seconds / arguments.jobs.max(1) as f64,
        core_seconds().map_or("nobody knows how many".to_owned(), |spent| {
            format!("{:.1}", outcome.seeds as f64 / spent)
        }),
        outcome.broken.len()
    );
    if let Some((seed, _)) = outcome.broken.first() {
        let count = seed - arguments.first + 1;
        println!("broken by seed {seed}, the {count}. of the run");
    }
    for (seed, error) in &outcome.broken {
        println!("{error}\n  again: cargo x sim --seed {seed}");
    }
    let missing = outcome.total.faults.missing();
    let is_long = outcome.seeds >= SEEDS_FOR_ALL && outcome.broken.is_empty();
    for fault in missing.iter().filter(|_| is_long) {
        println!("never struck: {}", fault.name());
    }
    outcome.broken.is_empty() && (missing.is_empty() || !is_long)
}

/// What this process used of its cores' time, on Linux: a busy machine gives it less than all.
fn core_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name, which may hold anything, stand the state and ten numbers, then the ticks as
    // a user and in the kernel.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(11);
    let mut next = || ticks.next()?.parse::<u64>().ok();
    let spent = next()? + next()?;
    (spent > 0).then_some(spent as f64 / TICKS_PER_SECOND)
}

fn tell(outcome: &Outcome) {
    let total = &outcome.total;
    println!("{:<28} {:>12}", "fault", "times");
    for fault in Fault::ALL {
        println!("{:<28} {:>12}", fault.name(), total.faults.of(*fault));
    }
    println!(
        "{} lives, {} logins, {} commands sent, {} journaled ({} with attributes, {} of a \
         further account, {} mass cancels), {} answered again, \
         {} replies, {} drop copies, {} feed messages, {} times \
         that orders left with their member, {} units crossed, {} \
         operator's words, {} gaps filled, {} \
         torn tails cut, {} damaged journals refused, {} disk failures, {} orders refused on a \
         full disk; {} depth messages, {} inputs that snapshots stood for, {} starts from an older \
         snapshot, {} shadows stopped, {} segments compressed, {} let go of; {} \
         snapshots of the feed taken, {} times a book by two lines compared",
        total.lives,
        total.logins,
        total.sent,
        total.journaled,
        total.special,
        total.mandated,
        total.masses,
        total.repeats,
        total.replies,
        total.copies,
        total.messages,
        total.left,
        total.crossed,
        total.words,
        total.gaps,
        total.torn,
        total.refused,
        total.disk_failures,
        total.refused_for_room,
        total.levels,
        total.skipped,
        total.fallbacks,
        total.shadows_failed,
        total.archived,
        total.retired,
        total.spliced,
        total.compared
    );
}
