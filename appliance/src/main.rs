//! The program `wirecross`.

use appliance::commands;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A trading venue in one program.
#[derive(Debug, Parser)]
#[command(name = "wirecross", version)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Act as the operator, with a reason that is kept; list sessions and acts; hash a password.
    Admin(commands::admin::Args),
    /// Try a desk's strategies on recorded data, or run a desk's day again.
    Backtest(commands::backtest::Args),
    /// Trade beside the venue that started us, as its topology says: a running venue asks for it.
    #[command(hide = true)]
    Beside(commands::beside::Args),
    /// Find the first input after which two builds of this program differ.
    Bisect(commands::bisect::Args),
    /// Show a book of a feed, live.
    Book(commands::book::Args),
    /// Say a word to a running venue: states, bands, limits, kill switches, mass cancels.
    Control(commands::control::Args),
    /// Show and judge the whole path on this machine.
    Demo(commands::demo::Args),
    /// Trade on a live venue by strategies, from a feed to its order entry.
    Desk(commands::desk::Args),
    /// Say what of this host disturbs a pinned thread, why, and how to change it.
    Doctor(commands::doctor::Args),
    /// Receive a feed by both lines, with requests and snapshots, and show live how they do.
    Feed(commands::feed::Args),
    /// Measure how quiet the cores are: gaps of a thread that does nothing but look.
    Jitter(commands::jitter::Args),
    /// Look into a journal: verify, show, count, export.
    Journal(commands::journal::Args),
    /// Drive a venue with generated order flow and judge its answers.
    Load(commands::load::Args),
    /// Configure a pool in front of the tables' servers; `pgbouncer config --help` says how.
    Pgbouncer(commands::handed::Args),
    /// Say where the time of each tile of a running venue goes.
    Profile(commands::profile::Args),
    /// Portfolios, options, risks, models and forecasts from tables; `quant --help` lists them.
    Quant(commands::handed::Args),
    /// Send an ITCH file as a MoldUDP64 feed, or run a day's journal again.
    Replay(commands::replay::Args),
    /// Run a venue until SIGTERM or SIGINT.
    Run(commands::run::Args),
    /// Decide how many shards a load needs, on a recorded one; `scale --help` says how.
    Scale(commands::handed::Args),
    /// Show what a running venue counts, live.
    Top(commands::top::Args),
    /// Check a topology file and draw it.
    Topology(commands::topology::Args),
    /// Change this host for the appliance, or change it back; a dry run unless told otherwise.
    Tune(commands::tune::Args),
    /// Start a program beside a venue, and again when it ends: a running venue asks for it.
    #[command(hide = true)]
    Watch(commands::watch::Args),
}

fn main() -> ExitCode {
    match &Program::parse().command {
        Command::Admin(args) => commands::admin::run(args),
        Command::Backtest(args) => commands::backtest::run(args),
        Command::Beside(args) => commands::beside::run(args),
        Command::Bisect(args) => commands::bisect::run(args),
        Command::Book(args) => commands::book::run(args),
        Command::Control(args) => commands::control::run(args),
        Command::Demo(args) => commands::demo::run(args),
        Command::Desk(args) => commands::desk::run(args),
        Command::Doctor(args) => commands::doctor::run(args),
        Command::Feed(args) => commands::feed::run(args),
        Command::Jitter(args) => commands::jitter::run(args),
        Command::Journal(args) => commands::journal::run(args),
        Command::Load(args) => commands::load::run(args),
        Command::Pgbouncer(args) => commands::handed::pgbouncer(args),
        Command::Profile(args) => commands::profile::run(args),
        Command::Quant(args) => commands::handed::quant(args),
        Command::Replay(args) => commands::replay::run(args),
        Command::Run(args) => commands::run::run(args),
        Command::Scale(args) => commands::handed::scale(args),
        Command::Top(args) => commands::top::run(args),
        Command::Topology(args) => commands::topology::run(args),
        Command::Tune(args) => commands::tune::run(args),
        Command::Watch(args) => commands::watch::run(args),
    }
}
