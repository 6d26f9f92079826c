//! `benches NAME...`: measures rows against their peers and prints, stores or records them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use benches::calibration::{Calibration, ping_pong};
use benches::machine::Machine;
use benches::report::{CSV_HEADER, Report, RowReport};
use benches::{BenchError, Effort, Options, ROWS, Row, row};
use clap::Parser;

/// Benchmarks that check their answers and name their peers.
#[derive(Parser)]
#[command(name = "benches")]
struct Arguments {
    /// Rows to run, or `all`; none lists them.
    names: Vec<String>,
    /// Less work: seconds instead of minutes.
    #[arg(long)]
    quick: bool,
    /// Store the report here too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Append the figures to benches/record/MACHINE/DATE.csv.
    #[arg(long)]
    record: bool,
    /// Where rows may write files: on the disk to be measured.
    #[arg(long, value_name = "DIR", default_value = "target/benches")]
    dir: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.names.is_empty() {
        ROWS.iter()
            .for_each(|row| println!("{:<12}{}", row.name, row.about));
        return ExitCode::SUCCESS;
    }
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("benches: {error}");
            ExitCode::from(if matches!(error, BenchError::Request(_)) {
                2
            } else {
                1
            })
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), BenchError> {
    let rows = chosen(&arguments.names)?;
    if cfg!(debug_assertions) {
        eprintln!("benches: not an optimised build: use `cargo run --profile bench -p benches`");
    }
    let effort = if arguments.quick {
        Effort::Quick
    } else {
        Effort::Full
    };
    let machine = Machine::here();
    let before = ping_pong(effort)?;
    let options = Options {
        effort,
        directory: arguments.dir.clone(),
    };
    let mut reports = Vec::new();
    for row in rows {
        eprintln!("benches: {} ...", row.name);
        reports.push(match (row.run)(&options) {
            Ok(cases) => RowReport::new(row.name, cases),
            Err(BenchError::Skipped(why)) => RowReport {
                skipped: Some(why),
                ..RowReport::new(row.name, Vec::new())
            },
            Err(error) => return Err(error),
        });
    }
    let calibration = Calibration {
        before,
        after: ping_pong(effort)?,
    };
    let command = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    let report = Report {
        machine,
        command: format!("benches {command}"),
        calibration,
        rows: reports,
    };
    print!("{}", report.text());
    if let Some(file) = &arguments.json {
        let text = serde_json::to_string_pretty(&report)
            .map_err(|error| BenchError::failed("the report as JSON", error))?;
        fs::write(file, text + "\n")
            .map_err(|error| BenchError::failed(&file.display().to_string(), error))?;
    }
    if arguments.record {
        let file = record(&report)
            .map_err(|error| BenchError::failed("appending to benches/record", error))?;
        println!("\nrecorded in {}", file.display());
    }
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<&'static Row>, BenchError> {
    if names == ["all"] {
        return Ok(ROWS.iter().collect());
    }
    names.iter().map(|name| row(name)).collect()
}

/// Appends to the record of this machine and day, in the working tree the program was built from.
fn record(report: &Report) -> std::io::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("record");
    let folder = folder.join(report.machine.file_name());
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{}.csv", report.machine.date));
    let is_new = !path.exists();
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)?;
    if is_new {
        writeln!(file, "{CSV_HEADER}")?;
    }
    file.write_all(report.csv().as_bytes())?;
    Ok(path)
}
