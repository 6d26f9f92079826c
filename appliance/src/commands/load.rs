//! `wirecross load`: drives a venue with generated order flow and judges how it answered.

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use flow::{Generator, Mix, Shape};
use nic::{Clock, Net, RealClock, RealNet, TcpLimits};

use crate::client::load::{Load, Phase};
use crate::client::members::{Login, Members};
use crate::client::report::Report;
use crate::client::scenario::Scenario;
use crate::venue::idle;

/// Exit code when a threshold of the scenario is broken.
const EXIT_BROKEN: u8 = 1;

/// What `wirecross load` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Order entry address of the venue.
    #[arg(long, value_name = "ADDRESS")]
    connect: SocketAddr,
    /// A member's session, as USER:PASSWORD; repeat it for more sessions.
    #[arg(long = "login", value_name = "USER:PASSWORD", required = true)]
    #[arg(value_parser = Login::parse)]
    logins: Vec<Login>,
    /// Symbols of the venue, separated by commas; the first is the busiest.
    #[arg(long, value_delimiter = ',', required = true)]
    symbols: Vec<String>,
    /// Stages and thresholds, in TOML.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rate", "seconds"])]
    scenario: Option<PathBuf>,
    /// Commands a second over all sessions.
    #[arg(long, default_value_t = 5_000.0)]
    rate: f64,
    /// Length of the run in seconds.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Orders that stand on the books once they are filled.
    #[arg(long, default_value_t = 2_000)]
    standing: u32,
    /// Shares of the commands in percent; without it the published ones, 49/43.5/7/0.5/3.7.
    #[arg(long, value_name = "NEW/CANCEL/REPLACE/REDUCE/AGGRESSOR", value_parser = Mix::parse)]
    mix: Option<Mix>,
    /// Seed of the order flow.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds to wait for a login, for a command to be taken, or for answers missing at the end.
    #[arg(long, default_value_t = 30.0)]
    patience: f64,
    /// Writes the report as JSON to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draws latency over time into this file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// Runs the command.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    match drive(args) {
        Ok(report) if report.broken.is_empty() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(EXIT_BROKEN),
        Err(error) => super::failed("load", error),
    }
}

fn drive(args: &Args) -> Result<Report, String> {
    let scenario = scenario(args)?;
    // Opened first: a run of an hour must not end without its report.
    let mut json = args.json.as_deref().map(create).transpose()?;
    let mut svg = args.svg.as_deref().map(create).transpose()?;
    let shape = Shape {
        seed: args.seed,
        symbols: count("symbols", args.symbols.len())?,
        sessions: count("logins", args.logins.len())?,
        standing: args.standing,
        mix: args.mix.unwrap_or(Mix::PUBLISHED),
        ..Shape::default()
    };
    let generator = Generator::new(&shape).map_err(|error| error.to_string())?;
    let limits = TcpLimits {
        connections: shape.sessions,
        ..TcpLimits::default()
    };
    let tcp = RealNet::new()
        .tcp_client(limits)
        .map_err(|error| error.to_string())?;
    let members = Members::new(tcp, args.connect, &args.logins, 0);
    let mut load = Load::new(members, generator, &args.symbols, &scenario);
    let clock = RealClock::new();
    finish(&mut load, &clock, args.patience)?;

    let mut report = load.report();
    report.judge(&scenario.thresholds);
    print!("{}", report.text());
    if let Some(file) = &mut json {
        let text = report.json().map_err(|error| error.to_string())?;
        file.write_all(text.as_bytes())
            .map_err(|error| format!("--json: {error}"))?;
    }
    if let Some(file) = &mut svg {
        file.write_all(report.svg().as_bytes())
            .map_err(|error| format!("--svg: {error}"))?;
    }
    Ok(report)
}

/// Polls until everything is answered, or nothing was taken or has come for `patience` seconds.
fn finish<T: nic::TcpPort>(
    load: &mut Load<'_, T>,
    clock: &RealClock,
    patience: f64,
) -> Result<(), String> {
    let patience_ns = (patience * 1e9) as u64;
    let mut waiting_since_ns = clock.now_ns();
    let mut idle_turns = 0;
    loop {
        let now_ns = clock.now_ns();
        let waited = now_ns - waiting_since_ns > patience_ns;
        match load.poll(now_ns).map_err(|error| error.to_string())? {
            Phase::Done => return Ok(()),
            Phase::Sending if waited && load.is_held() => {
                return Err(format!(
                    "no command was taken for {patience} s: did the venue end?"
                ));
            }
            Phase::Sending if !load.is_held() => waiting_since_ns = now_ns,
            Phase::LoggingIn if waited => {
                return Err(format!(
                    "no login after {patience} s: is the venue running?"
                ));
            }
            Phase::Waiting if waited => return Ok(()),
            Phase::LoggingIn | Phase::Sending | Phase::Waiting => {}
        }
        idle_turns = if load.was_busy() { 0 } else { idle_turns + 1 };
        idle(idle_turns);
    }
}

fn scenario(args: &Args) -> Result<Scenario, String> {
    let scenario = match &args.scenario {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            Scenario::parse(&path.display().to_string(), &text)
        }
        None => {
            let scenario = Scenario::constant(args.rate, args.seconds);
            scenario.check().map(|()| scenario)
        }
    };
    scenario.map_err(|error| error.to_string())
}

fn create(path: &Path) -> Result<File, String> {
    File::create(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn count(name: &str, count: usize) -> Result<u16, String> {
    u16::try_from(count).map_err(|_| format!("{count} {name}: at most {}", u16::MAX))
}
