//! `wirecross tune`: changes this host for the appliance, and changes it back.

use super::host::{HostArgs, RootArgs};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use tuning::{
    Applying, Change, DMA_LATENCY, Host, Journal, JournalError, Outcome, STATE_FILE, Undoing,
};
use tuning::{doctor, plan, plan_text};

use crate::venue::StopRequests;

/// Arguments. Without a word it is `plan`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    act: Option<Act>,
    #[command(flatten)]
    plan: PlanArgs,
}

/// What is to be done.
#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Prints what would be changed, as commands; changes nothing.
    Plan(PlanArgs),
    /// Makes these changes.
    Apply {
        #[command(flatten)]
        plan: PlanArgs,
        #[command(flatten)]
        state: StateArgs,
    },
    /// Undoes what was applied, exactly, also after a crash in the middle.
    Undo {
        /// Stages; all that were applied if none is named.
        #[arg(value_name = "STAGE")]
        stages: Vec<String>,
        /// Undoes also what somebody else changed since.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        root: RootArgs,
        #[command(flatten)]
        state: StateArgs,
    },
    /// Keeps all cores from sleeping until SIGINT or SIGTERM; nothing is left to undo.
    Hold(RootArgs),
}

/// What is wanted, of which host.
#[derive(Debug, clap::Args)]
struct PlanArgs {
    /// Stages; all of the profile's if none is named. Choices (see `doctor`) are made only for
    /// stages that are named.
    #[arg(value_name = "STAGE")]
    stages: Vec<String>,
    #[command(flatten)]
    host: HostArgs,
}

/// Where the texts from before are.
#[derive(Debug, clap::Args)]
struct StateArgs {
    /// Where the texts from before are kept [default: /var/lib/wirecross/tune.journal].
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

/// Runs the command; a change that was refused is no success.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let done = match args.act.as_ref() {
        None => print(&args.plan),
        Some(Act::Plan(plan)) => print(plan),
        Some(Act::Apply { plan, state }) => apply(plan, state),
        Some(Act::Undo {
            stages,
            force,
            root,
            state,
        }) => undo((stages, *force), &root.host(), state),
        Some(Act::Hold(root)) => hold(&root.host()).map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => super::failed("tune", error),
    }
}

fn changes(args: &PlanArgs, host: &Host) -> Result<Vec<(&'static str, Change)>, String> {
    let only = tuning::stages_named(&args.stages)?;
    let setup = args.host.setup(host)?;
    let findings = doctor(host, &setup, &only);
    Ok(plan(&findings, !only.is_empty()))
}

fn print(args: &PlanArgs) -> Result<bool, String> {
    let plan = changes(args, &args.host.host())?;
    super::say(&plan_text(&plan));
    super::say(&match plan.len() {
        0 => "# nothing to change\n".to_owned(),
        count => format!("# {count} changes; nothing was changed: `tune apply` makes them\n"),
    });
    Ok(true)
}

fn apply(args: &PlanArgs, state: &StateArgs) -> Result<bool, String> {
    let host = args.host.host();
    let plan = changes(args, &host)?;
    let mut journal = journal(state, &host)?;
    let mut applying = Applying::new(&host, &mut journal, plan);
    let is_whole = steps(|| applying.step())?;
    journal.close().map_err(|error| error.to_string())?;
    Ok(is_whole)
}

fn undo(
    (stages, is_forced): (&[String], bool),
    host: &Host,
    state: &StateArgs,
) -> Result<bool, String> {
    tuning::stages_named(stages)?;
    let mut journal = journal(state, host)?;
    let mut undoing = Undoing::new(host, &mut journal, stages, is_forced);
    let is_whole = steps(|| undoing.step())?;
    journal.close().map_err(|error| error.to_string())?;
    Ok(is_whole)
}

fn journal(args: &StateArgs, host: &Host) -> Result<Journal, String> {
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
