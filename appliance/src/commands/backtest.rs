//! `wirecross backtest`: a desk's strategies on recorded data, or a desk's day once more.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use trading::backtest::Backtest;
use trading::desk::Desk;

use crate::client::report::LatencyRow;
use crate::desk::file::DeskFile;
use crate::desk::ledger::Ledger;
use crate::desk::session::{Session, events, replay};
use crate::desk::{data, picture};

/// What `wirecross backtest` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Markets, limits and strategies, in TOML.
    #[arg(long, value_name = "FILE")]
    strategy: PathBuf,
    /// Recorded data, or one desk's session, which is run again with the answers that came.
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    data: Vec<PathBuf>,
    /// Let a simulated exchange answer the orders of a session, too.
    #[arg(long)]
    simulate: bool,
    /// Writes the decisions to this file, a line each.
    #[arg(long, value_name = "FILE")]
    decisions: Option<PathBuf>,
    /// Writes the result as JSON to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draws price, fills and profit into this file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// Where decisions go.
pub(super) type Lines = Box<dyn Write + Send>;

/// Runs the command.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    match play(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::failed("backtest", error),
    }
}

fn play(args: &Args) -> Result<(), String> {
    let file = DeskFile::load(&args.strategy)?;
    let mut ledger = Ledger::new(&file, lines(args.decisions.as_ref())?);
    let desk = file.desk()?;
    let desk = match args.data.as_slice() {
        [session] if Session::is_one(session) => {
            if args.simulate {
                Backtest::new(desk, file.models()).run(events(session)?, &mut ledger)?
            } else {
                replay(desk, Session::open(session)?, &mut ledger)?
            }
        }
        paths => {
            let events = data::open(&file, paths)?;
            Backtest::new(desk, file.models()).run(events, &mut ledger)?
        }
    };
    let out = Out {
        json: args.json.as_ref(),
        svg: args.svg.as_ref(),
        latencies: &[],
    };
    tell(&desk, &mut ledger, &out, &file)
}

/// Where results go beside the screen, and rows beside those of the answers.
pub(super) struct Out<'o> {
    pub(super) json: Option<&'o PathBuf>,
    pub(super) svg: Option<&'o PathBuf>,
    pub(super) latencies: &'o [(&'o str, LatencyRow)],
}

/// Opens the file of decisions before anything runs.
pub(super) fn lines(path: Option<&PathBuf>) -> Result<Lines, String> {
    match path {
        None => Ok(Box::new(std::io::sink())),
        Some(path) => {
            let file = File::create(path).map_err(|e| format!("{}: {e}", path.display()))?;
            Ok(Box::new(BufWriter::new(file)))
        }
    }
}

/// Prints what became of a run, and writes what was asked for.
pub(super) fn tell(
    desk: &Desk,
    ledger: &mut Ledger<Lines>,
    out: &Out<'_>,
    file: &DeskFile,
) -> Result<(), String> {
    ledger.end()?;
    let summary = ledger.summary(desk);
    super::say(&ledger.fills_text(desk));
    super::say(&summary.text(out.latencies));
    if let Some(path) = out.json {
        let text = serde_json::to_string_pretty(&summary).map_err(|error| error.to_string())?;
        super::store(path, text + "\n")?;
    }
    if let Some(path) = out.svg {
        let picture = picture::svg(desk, &ledger.points, &ledger.fills, file.home());
        super::store(path, picture)?;
    }
    Ok(())
}
