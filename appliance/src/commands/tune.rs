//! `wirecross tune`: changes this host for the appliance, and changes it back.

use super::host::HostArgs;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use tuning::{Applying, DMA_LATENCY, Host, Journal, JournalError, Outcome, STATE_FILE, Undoing};
use tuning::{doctor, plan, plan_text};

use crate::venue::StopRequests;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Stages; all of the profile's if none is named. Choices (see `doctor`) are made only for
    /// stages that are named.
    stages: Vec<String>,
    #[command(flatten)]
    host: HostArgs,
    /// Makes the changes; without it they are only printed.
    #[arg(long, conflicts_with = "undo")]
    apply: bool,
    /// Undoes what was applied, exactly, also after a crash in the middle.
    #[arg(long)]
    undo: bool,
    /// Undoes also what somebody else changed since.
    #[arg(long, requires = "undo")]
    force: bool,
    /// Keeps all cores from sleeping until SIGINT or SIGTERM; nothing is left to undo.
    #[arg(long, conflicts_with_all = ["apply", "undo", "stages"])]
    hold: bool,
    /// Where the texts from before are kept [default: /var/lib/wirecross/tune.journal].
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

/// Runs the command; a change that was refused is no success.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let done = if args.hold {
        hold(&args.host.host()).map(|()| true)
    } else if args.undo {
        undo(args)
    } else {
        change(args)
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => super::failed("tune", error),
    }
}

fn change(args: &Args) -> Result<bool, String> {
    let only = tuning::stages_named(&args.stages)?;
    let host = args.host.host();
    let setup = args.host.setup(&host)?;
    let findings = doctor(&host, &setup, &only);
    let plan = plan(&findings, !only.is_empty());
    if !args.apply {
        super::say(&plan_text(&plan));
        let what = match plan.len() {
            0 => "nothing to change".to_owned(),
            count => format!("{count} changes; nothing was changed: --apply makes them"),
        };
        super::say(&format!("# {what}\n"));
        return Ok(true);
    }
    let mut journal = journal(args, &host)?;
    let mut applying = Applying::new(&host, &mut journal, plan);
    let is_whole = steps(|| applying.step())?;
    journal.close().map_err(|error| error.to_string())?;
    Ok(is_whole)
}

fn undo(args: &Args) -> Result<bool, String> {
    tuning::stages_named(&args.stages)?;
    let host = args.host.host();
    let mut journal = journal(args, &host)?;
    let mut undoing = Undoing::new(&host, &mut journal, &args.stages, args.force);
    let is_whole = steps(|| undoing.step())?;
    journal.close().map_err(|error| error.to_string())?;
    Ok(is_whole)
}

fn journal(args: &Args, host: &Host) -> Result<Journal, String> {
    let path = args.state.clone().unwrap_or_else(|| host.place(STATE_FILE));
    Journal::open(&path).map_err(|error| error.to_string())
}

/// Steps to the end and tells what became of each change; whether all went well.
fn steps(
    mut step: impl FnMut() -> Result<Option<Vec<Outcome>>, JournalError>,
) -> Result<bool, String> {
    let (mut made, mut refused) = (0, 0);
    while let Some(outcomes) = step().map_err(|error| error.to_string())? {
        for outcome in outcomes {
            let Outcome {
                stage,
                command,
                result,
            } = outcome;
            let line = match result {
                Ok(note) if note.is_empty() => format!("ok       {stage}: {command}\n"),
                Ok(note) => format!("ok       {stage}: {command}  # {note}\n"),
                Err(why) => {
                    refused += 1;
                    format!("REFUSED  {stage}: {command}  # {why}\n")
                }
            };
            made += 1;
            super::say(&line);
        }
    }
    super::say(&format!("# {made} changes, {refused} refused\n"));
    Ok(refused == 0)
}

/// The kernel lifts the bound when its file is closed, whatever ends this process.
fn hold(host: &Host) -> Result<(), String> {
    let requests = StopRequests::listen().map_err(|error| error.to_string())?;
    let path = host.place(DMA_LATENCY);
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = OpenOptions::new().write(true).open(&path).map_err(failed)?;
    file.write_all(&0i32.to_ne_bytes()).map_err(failed)?;
    let told = requests.started();
    super::say("no core sleeps until this ends\n");
    told.recv().map(drop).map_err(|error| error.to_string())
}
