//! Mutants: the proof that the loom models, the tests of the market's rules and the simulator have
//! teeth.
//!
//! A copy of some packages is broken in one place at a time; something must fail each time. The
//! copy is a workspace of its own with its own target folder, so that a broken algorithm never
//! mixes with the real build. A mutant that does not compile, or that nothing fails for within the
//! time limit, counts as a survivor, and so does one that a model only notices by exploring too
//! little. Where one build takes long, all mutants of a suite stand in the same copy, each behind a
//! switch: what is built for use knows none of them.

mod list;
mod rings;
mod rules;
mod safety;
mod scratch;
mod suite;
mod switches;

use crate::Outcome;
use crate::command::root;
use list::Mutant;
use scratch::{Scratch, Verdict};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use suite::{SUITES, Suite};

/// Copies of a suite's packages that are built and judged at the same time.
const COPIES: usize = 2;

/// Breaks the code one way after the other, or only the ways whose name, or whose suite's, is among
/// `only`: parts of names with commas between them.
pub fn run(only: Option<&str>) -> Outcome {
    let mut survivors = Vec::new();
    let mut count = 0;
    for suite in SUITES {
        let mut mutants = mutants_of(suite)?;
        let is_meant = |mutant: &Mutant, part| suite.name == part || mutant.name.contains(part);
        mutants.retain(|mutant| {
            only.is_none_or(|only| only.split(',').any(|part| is_meant(mutant, part)))
        });
        if !mutants.is_empty() {
            count += mutants.len();
            survivors.extend(try_all(suite, mutants)?);
        }
    }
    if count == 0 {
        return Err("no mutant has such a name".into());
    }
    println!("{count} mutants, {} survived", survivors.len());
    if survivors.is_empty() {
        return Ok(());
    }
    Err(format!("nothing fails for: {}", survivors.join("; ")))
}

fn mutants_of(suite: &Suite) -> Result<Vec<Mutant>, String> {
    let mut mutants = Vec::new();
    for file in suite.files() {
        let text =
            std::fs::read_to_string(root().join(file)).map_err(|e| format!("{file}: {e}"))?;
        mutants.extend(list::of_file(suite, file, &text)?);
    }
    Ok(mutants)
}

/// Judges mutants of a suite; gives the names of those that survive.
fn try_all(suite: &'static Suite, mutants: Vec<Mutant>) -> Result<Vec<String>, String> {
    println!("{:<72} | {:<40} | seconds", "mutant", "killed by");
    if suite.has_switches {
        let names: Vec<_> = mutants.into_iter().map(|mutant| mutant.name).collect();
        return switches::try_all(suite, &names);
    }
    let (queue, survivors) = (Mutex::new(mutants.into_iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        let (queue, survivors) = (&queue, &survivors);
        let copies =
            (0..COPIES).map(|copy| scope.spawn(move || work(suite, copy, queue, survivors)));
        let copies: Vec<_> = copies.collect();
        copies.into_iter().try_for_each(|copy| {
            let done = copy.join();
            done.unwrap_or_else(|_| Err(format!("{}: a copy's thread panicked", suite.name)))
        })
    })?;
    Ok(survivors
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner))
}

/// Judges mutants from the queue on a copy of its own; the first copy begins with the code as it
/// is.
fn work(
    suite: &'static Suite,
    copy: usize,
    queue: &Mutex<std::vec::IntoIter<Mutant>>,
    survivors: &Mutex<Vec<String>>,
) -> Outcome {
    let scratch = Scratch::new(suite, copy)?;
    if copy == 0 {
        match scratch.judge()? {
            Verdict::Survived => println!("{}: all pass on the code as it is", suite.name),
            other => return Err(format!("{} do not pass unbroken: {other:?}", suite.name)),
        }
    }
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let Some(mutant) = next else {
            return Ok(());
        };
        if !try_one(&scratch, &mutant)? {
            let mut survivors = survivors.lock().unwrap_or_else(PoisonError::into_inner);
            survivors.push(mutant.name);
        }
    }
}

/// Judges one mutant and prints its line; whether it was killed.
fn try_one(scratch: &Scratch, mutant: &Mutant) -> Result<bool, String> {
    let start = Instant::now();
    scratch.write(mutant.file, &mutant.text)?;
    let verdict = scratch.judge();
    scratch.restore(mutant.file)?;
    let (killed, by) = verdict?.told();
    let file = mutant.file.rsplit('/').next().unwrap_or(mutant.file);
    let name = format!("{file}: {}", mutant.name);
    println!(
        "{name:<72} | {by:<40} | {:.1}",
        start.elapsed().as_secs_f64()
    );
    Ok(killed)
}
