//! `wirecross run`: a venue, until SIGTERM or SIGINT.

use crate::topology::{Secret, Topology};
use crate::venue::runner::{self, Begin, Ready, Summary};
use crate::venue::{StartError, StopRequests};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The topology file.
    #[arg(long)]
    pub topology: PathBuf,
    /// Begin a new trading day instead of going on with the last one.
    #[arg(long)]
    pub new_day: bool,
    /// Keep every right that the process was started with. For trying things out: whoever breaks
    /// into the venue then has them, too.
    #[arg(long)]
    pub insecure_dev: bool,
}

/// Runs the venue: one `ready` line on stdout when members may connect, one `summary` line at the
/// end. Exit status 0 after an end by signal, 1 after a failure, which stderr explains.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    match venue(args) {
        Ok(summary) => {
            summary_print(&summary);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("wirecross: {error}");
            ExitCode::FAILURE
        }
    }
}

fn venue(args: &Args) -> Result<Summary, StartError> {
    // Signals first: whatever comes after may take long.
    let requests = StopRequests::listen()?;
    let mut topology =
        Topology::load(&args.topology).map_err(|e| StartError::new(e.to_string()))?;
    topology.read_keys().map_err(StartError::new)?;
    plain_warn(&topology);
    let begin = Begin {
        new_day: args.new_day,
        confined: !args.insecure_dev,
    };
    runner::run(&topology, begin, &requests, ready_print)
}

/// Says loudly who has a password that anybody can read who can read the topology.
fn plain_warn(topology: &Topology) {
    let plain = topology
        .secrets()
        .filter(|(_, secret)| matches!(secret, Secret::Plain(_)));
    let names: Vec<&str> = plain.map(|(name, _)| name).collect();
    if !names.is_empty() {
        eprintln!(
            "wirecross: WARNING: passwords stand in plain text in the topology, which is good for \
             a laboratory only: {}; replace each by a `password_hash` of `wirecross admin \
             hash-password`",
            names.join(", ")
        );
    }
}

/// Prints a line; that nobody reads stdout any more is no reason to stop a venue.
fn line(text: &str) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

fn ready_print(ready: &Ready) {
    for mode in &ready.modes {
        eprintln!("wirecross: {mode}");
    }
    for refused in &ready.recovery.refused {
        eprintln!("wirecross: {refused}");
    }
    if let Some(torn) = &ready.recovery.torn {
        eprintln!("wirecross: torn tail: {torn}");
    }
    let recovery = &ready.recovery;
    if recovery.inputs > 0 {
        let split = recovery.split;
        eprintln!(
            "wirecross: recovered {} inputs: snapshot of {} read in {:.3} s, engine restored in \
             {:.3} s, {} replayed in {:.3} s; streams held {} messages of these",
            recovery.inputs,
            recovery.inputs_skipped,
            split.snapshot.as_secs_f64(),
            split.restore.as_secs_f64(),
            recovery.inputs - recovery.inputs_skipped,
            split.replay.as_secs_f64(),
            recovery.messages_skipped
        );
        if recovery.inputs_skipped > 0 {
            eprintln!(
                "wirecross: of the journal before the snapshot only the beginning of each segment \
                 was looked at: `wirecross journal verify` reads it all"
            );
        }
    }
    let depth = ready
        .depth
        .map_or(String::new(), |depth| format!(" depth={depth}"));
    let snapshot = ready
        .snapshot
        .map_or(String::new(), |at| format!(" snapshot={at}"));
    line(&format!(
        "ready order_entry={} feed={} rerequest={} session={} recovered={} state_hash={:016x} \
         live_orders={}{depth}{snapshot}",
        ready.order_entry,
        ready.feed,
        ready.rerequest,
        ready.session,
        ready.recovery.inputs,
        ready.recovery.state_hash,
        ready.recovery.live_orders
    ));
}

fn summary_print(summary: &Summary) {
    if summary.cut_off > 0 {
        let count = summary.cut_off;
        eprintln!("wirecross: {count} connections were cut off: they did not read their replies");
    }
    line(&format!(
        "summary inputs={} logins={} messages={} packets={} cut_off={} state_hash={:016x} \
         live_orders={}",
        summary.inputs,
        summary.logins,
        summary.messages,
        summary.packets,
        summary.cut_off,
        summary.state_hash,
        summary.live_orders
    ));
}
