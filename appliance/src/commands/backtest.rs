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
    #[command(flatten)]
    out: Out,
}

/// Where the results of a desk go beside the screen.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Out {
    /// Writes the decisions to this file, a line each.
    #[arg(long, value_name = "FILE")]
    pub(super) decisions: Option<PathBuf>,
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
    let mut ledger = Ledger::new(&file, args.out.decisions()?);
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
    args.out.tell(&desk, &mut ledger, &[], &file)
}

impl Out {
    /// Opens the file of decisions before anything runs.
    pub(super) fn decisions(&self) -> Result<Lines, String> {
        match &self.decisions {
            None => Ok(Box::new(std::io::sink())),
            Some(path) => {
                let file = File::create(path).map_err(|e| format!("{}: {e}", path.display()))?;
                Ok(Box::new(BufWriter::new(file)))
            }
        }
    }

    /// Prints what became of a run, with `latencies` beside those of the answers, and writes what
    /// was asked for.
    pub(super) fn tell(
        &self,
        desk: &Desk,
        ledger: &mut Ledger<Lines>,
        latencies: &[(&str, LatencyRow)],
        file: &DeskFile,
    ) -> Result<(), String> {
        ledger.end()?;
        let summary = ledger.summary(desk);
        super::say(&ledger.fills_text(desk));
        super::say(&summary.text(latencies));
        if let Some(path) = &self.json {
            let text = serde_json::to_string_pretty(&summary).map_err(|error| error.to_string())?;
            super::store(path, text + "\n")?;
        }
        if let Some(path) = &self.svg {
            let picture = picture::svg(desk, &ledger.points, &ledger.fills, file.home());
            super::store(path, picture)?;
        }
        Ok(())
    }
}
