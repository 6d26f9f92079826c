//! `wirecross replay --journal`: a day again, from its journal, and whether it comes to the same.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use journal::{FileSegments, Walker};
use matching::Line;
use queue::Pages;

use super::journal::{EXIT_DAMAGED, day_of};
use super::say;
use crate::topology::Topology;
use crate::venue::closing::Closing;
use crate::venue::rerun::{Compared, Rerun, Standing, Verdict, limits_of, rerun};

/// What `wirecross replay` takes for a journal.
#[derive(Clone, Debug, clap::Args)]
#[group(id = "day")]
pub struct Args {
    /// Run a day again instead: its directory, or a data directory, whose newest day is taken.
    #[arg(long, value_name = "DIR")]
    pub journal: Option<PathBuf>,
    /// Stop behind this input.
    #[arg(long, requires = "journal")]
    at: Option<u64>,
    /// Tell where the run stands behind every so many inputs too.
    #[arg(long, requires = "journal", value_parser = clap::value_parser!(u64).range(1..))]
    every: Option<u64>,
    /// The venue's topology: its drop copies are compared too.
    #[arg(long, requires = "journal", value_name = "FILE")]
    topology: Option<PathBuf>,
}

/// Runs the day; exit code 1 when it comes to something else than the venue said or its streams
/// hold, or the journal is damaged.
#[must_use]
pub fn run(args: &Args, directory: &Path) -> ExitCode {
    match replay(args, directory) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(difference)) => {
            eprintln!("replay: {difference}");
            ExitCode::from(EXIT_DAMAGED)
        }
        Err(error) => super::failed("replay", error),
    }
}

/// Gives what differs from what the venue said at its end, if something does.
fn replay(args: &Args, directory: &Path) -> Result<Option<String>, String> {
    let day = day_of(directory)?;
    let walker = || Walker::new(FileSegments::new(&day)).map_err(|error| error.to_string());
    let limits = limits_of(&day, &mut walker()?)?;
    let closing = Closing::read(&day)?;
    let mut lines = Pages::<Line>::zeroed(limits.lines())
        .ok_or("there is no memory for an engine of these limits")?;
    let name = day.file_name().unwrap_or_default().to_string_lossy();
    let session = wire::padded(name.get(..10).unwrap_or(&name));
    let run = Rerun::new(limits, &mut lines, session)?;
    let topology = args.topology.as_deref().map(Topology::load).transpose();
    let topology = topology.map_err(|error| error.to_string())?;
    let mut run = run.beside_streams(&day, &mut walker()?, topology.as_ref())?;

    let due = closing.map_or(0, |closing| closing.inputs);
    let mut at_closing = None;
    let until = args.at.unwrap_or(u64::MAX);
    rerun(&mut walker()?, &mut run, until, &mut |run| {
        let sequence = run.sequence();
        if sequence == due {
            at_closing = Some(run.standing());
        }
        if args
            .every
            .is_some_and(|every| sequence.is_multiple_of(every))
            && sequence < until
        {
            tell(&run.standing());
        }
    })
    .map_err(|error| error.to_string())?;
    tell(&run.standing());
    let is_whole = closing.is_some_and(|closing| run.sequence() == closing.inputs);
    if let Some(difference) = streams(&run.streams(), is_whole) {
        return Ok(Some(difference));
    }
    Ok(match closing {
        None => said("the day never ended cleanly: there is nothing to compare with"),
        Some(closing) if until < closing.inputs => None,
        Some(closing) => compare(&closing, at_closing),
    })
}

/// Says how the day's streams compare; gives what differs, if something does. A stream may hold
/// more or fewer messages than a run says, unless the run is the whole of a day that ended cleanly.
fn streams(compared: &[Compared], is_whole: bool) -> Option<String> {
    let mut difference = None;
    for Compared {
        file,
        same,
        verdict,
    } in compared
    {
        let (how, is_wrong) = match verdict {
            Verdict::Same => ("and no more".to_owned(), false),
            Verdict::Short(more) => (format!("{more} more are not in it"), is_whole),
            Verdict::Long => ("it goes on behind them".to_owned(), is_whole),
            Verdict::Damaged(why) => (why.clone(), true),
            Verdict::Differs {
                sequence,
                found,
                due,
            } => {
                let [found, due] = [found, due].map(|bytes| hex(bytes));
                let next = same + 1;
                let what = format!(
                    "message {next}, of input {sequence}, is {found} where this program says {due}"
                );
                (what, true)
            }
        };
        let line = format!("{file}: {same} messages are the same; {how}");
        if is_wrong {
            difference.get_or_insert(line);
        } else {
            say(&format!("{line}\n"));
        }
    }
    difference
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn compare(closing: &Closing, found: Option<Standing>) -> Option<String> {
    let inputs = closing.inputs;
    let Some(found) = found else {
        return Some(format!(
            "the venue ended behind input {inputs}, and the journal does not hold it"
        ));
    };
    let found = Closing {
        inputs,
        state_hash: found.state_hash,
        messages: found.messages,
    };
    if found == *closing {
        return said(&format!("as the venue said behind input {inputs}"));
    }
    Some(format!(
        "behind input {inputs} the venue had state {:016x} and {} feed messages; this program \
         comes to {:016x} and {}",
        closing.state_hash, closing.messages, found.state_hash, found.messages
    ))
}

/// Says it, and that nothing differs.
fn said(text: &str) -> Option<String> {
    say(&format!("{text}\n"));
    None
}

fn tell(standing: &Standing) {
    say(&format!(
        "at={} state_hash={:016x} output_hash={:016x} messages={} live_orders={}\n",
        standing.sequence,
        standing.state_hash,
        standing.output_hash,
        standing.messages,
        standing.live_orders
    ));
}
