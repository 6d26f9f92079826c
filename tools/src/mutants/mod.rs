//! Mutants: the proof that the loom models have teeth.
//!
//! A copy of `queue` and `loom-tests` is broken in one place at a time; a model must fail each
//! time. The copy is a workspace of its own with its own target folder, so that a broken algorithm
//! never mixes with the real build. A mutant that does not compile, or that no model fails for
//! within the time limit, counts as a survivor, and so does one that a model only notices by
//! exploring too little.

mod list;
mod scratch;

use crate::Outcome;
use crate::command::root;
use list::{FILES, Mutant};
use scratch::{Scratch, Verdict};
use std::time::Instant;

/// Breaks the algorithms one way after the other, or only the ways whose name contains `only`.
pub fn run(only: Option<&str>) -> Outcome {
    let mut mutants = Vec::new();
    for file in FILES {
        let text =
            std::fs::read_to_string(root().join(file)).map_err(|e| format!("{file}: {e}"))?;
        mutants.extend(list::of_file(file, &text)?);
    }
    mutants.retain(|mutant| only.is_none_or(|only| mutant.name.contains(only)));
    if mutants.is_empty() {
        return Err("no mutant has such a name".into());
    }
    let scratch = Scratch::new()?;
    match scratch.judge()? {
        Verdict::Survived => println!("mutants: the models pass on the algorithms as they are"),
        other => return Err(format!("the models do not pass unbroken: {other:?}")),
    }
    println!("{:<58} | {:<40} | seconds", "mutant", "killed by");
    let mut survivors = Vec::new();
    for mutant in &mutants {
        if !try_one(&scratch, mutant)? {
            survivors.push(mutant.name.as_str());
        }
    }
    println!("{} mutants, {} survived", mutants.len(), survivors.len());
    if survivors.is_empty() {
        return Ok(());
    }
    Err(format!("no model fails for: {}", survivors.join("; ")))
}

/// Judges one mutant and prints its line; whether it was killed.
fn try_one(scratch: &Scratch, mutant: &Mutant) -> Result<bool, String> {
    let start = Instant::now();
    scratch.write(mutant.file, &mutant.text)?;
    let verdict = scratch.judge();
    scratch.restore(mutant.file)?;
    let (killed, by) = match verdict? {
        Verdict::Killed(models) => (true, models.join(", ")),
        Verdict::Survived => (false, "SURVIVED".to_owned()),
        Verdict::Undecided(why) => (false, format!("UNDECIDED: {why}")),
    };
    let name = format!(
        "{}: {}",
        mutant.file.trim_start_matches("queue/src/"),
        mutant.name
    );
    println!(
        "{name:<58} | {by:<40} | {:.1}",
        start.elapsed().as_secs_f64()
    );
    Ok(killed)
}
