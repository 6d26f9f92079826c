//! `wirecross bisect`: the first input of a day after which two builds of this program differ.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use super::journal::{EXIT_DAMAGED, day_of, show};
use super::say;

/// What `wirecross bisect` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Both programs replay beginnings of the journal; what they have said so far, and the states that
they came to, are compared by hash. Exit codes: 0 no difference, 1 a difference, 2 not readable.

  wirecross bisect ./wirecross-old ./wirecross data/my-venue")]
pub struct Args {
    /// One build.
    a: PathBuf,
    /// The other one.
    b: PathBuf,
    /// The day's directory, or a data directory, whose newest day is taken.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Runs the command.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    match bisect(args) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(difference)) => {
            say(&difference);
            ExitCode::from(EXIT_DAMAGED)
        }
        Err(error) => super::failed("bisect", error),
    }
}

/// The first difference in words, if there is one.
fn bisect(args: &Args) -> Result<Option<String>, String> {
    let day = day_of(&args.directory)?;
    let both = |at: Option<u64>| -> Result<[Said; 2], String> {
        Ok([said(&args.a, &day, at)?, said(&args.b, &day, at)?])
    };
    let [a, b] = both(None)?;
    if a == b {
        say(&format!("no difference in {} inputs\n", a.at));
        return Ok(None);
    }
    // They agree behind `low` inputs, differ behind `high`, and what they said stays different.
    let (mut low, mut high) = (0, a.at.max(b.at));
    let mut last = both(Some(0))?;
    if last[0] != last[1] {
        return Ok(Some(format!(
            "they differ before the first input:\n  {}\n  {}\n",
            last[0].line, last[1].line
        )));
    }
    last = [a, b];
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        let found = both(Some(middle))?;
        if found[0] == found[1] {
            low = middle;
        } else {
            (high, last) = (middle, found);
        }
    }
    let input = show(&day, high)?;
    Ok(Some(format!(
        "they differ behind input {high}, and not before it:\n  {input}\n  {}: {}\n  {}: {}\n",
        args.a.display(),
        last[0].line,
        args.b.display(),
        last[1].line
    )))
}

/// Where a build says that it stands.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    at: u64,
    line: String,
}

fn said(program: &Path, day: &Path, at: Option<u64>) -> Result<Said, String> {
    let mut command = Command::new(program);
    command.arg("replay").arg("--journal").arg(day);
    if let Some(at) = at {
        command.args(["--at", &at.to_string()]);
    }
    let failed = |why: &str| format!("{}: {why}", program.display());
    let output = command
        .output()
        .map_err(|error| failed(&error.to_string()))?;
    // 1 says that the day came to something else than it did: that is what is looked for.
    if !matches!(output.status.code(), Some(0 | 1)) {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim_end()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| line.starts_with("at="));
    let line = line.ok_or_else(|| failed("it does not say where it stands"))?;
    let number = line.split_whitespace().next();
    let number = number.and_then(|word| word.strip_prefix("at=")?.parse().ok());
    Ok(Said {
        at: number.ok_or_else(|| failed("it does not say where it stands"))?,
        line: line.to_owned(),
    })
}
