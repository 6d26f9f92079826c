//! Suites that build all their mutants at once, each behind a switch in the environment.

use super::scratch::{Scratch, Verdict};
use super::suite::{Fault, Suite};
use crate::command::root;
use std::time::Instant;

/// The word of a replacement that asks whether its mutant is on.
const WORD: &str = "MUTANT";

/// The variable that names it.
pub const VARIABLE: &str = "WIRECROSS_MUTANT";

/// Judges the mutants of these names; gives the names of those that survive.
pub fn try_all(suite: &'static Suite, names: &[String]) -> Result<Vec<String>, String> {
    let mut scratch = Scratch::new(suite, 0)?;
    for file in suite.files() {
        let text =
            std::fs::read_to_string(root().join(file)).map_err(|e| format!("{file}: {e}"))?;
        scratch.write(file, &switched(suite, file, &text)?)?;
    }
    let start = Instant::now();
    match scratch.judge()? {
        Verdict::Survived => println!(
            "{}: with all switches off nothing fails, {:.0} s with building",
            suite.name,
            start.elapsed().as_secs_f64()
        ),
        other => return Err(format!("{} do not pass unbroken: {other:?}", suite.name)),
    }
    let mut survivors = Vec::new();
    for name in names {
        let start = Instant::now();
        scratch.switch(name);
        let (killed, by) = scratch.judge()?.told();
        let seconds = start.elapsed().as_secs_f64();
        println!("{name:<72} | {by:<40} | {seconds:.1}");
        if !killed {
            survivors.push(name.clone());
        }
    }
    Ok(survivors)
}

/// A file with all its mutants in it.
pub fn switched(suite: &Suite, file: &str, text: &str) -> Result<String, String> {
    let mut places = Vec::new();
    for fault in suite.faults.iter().filter(|fault| fault.file == file) {
        let mut found = text.match_indices(fault.find).map(|(at, _)| at);
        let (Some(at), None) = (found.next(), found.next()) else {
            return Err(format!(
                "{file}: the text of mutant `{}` is not there exactly once",
                fault.name
            ));
        };
        places.push((at, fault));
    }
    places.sort_by_key(|(at, _)| *at);
    let mut broken = text.to_owned();
    for (at, fault) in places.into_iter().rev() {
        broken.replace_range(at..at + fault.find.len(), &behind_switch(fault));
    }
    Ok(broken)
}

/// The replacement; the question works in crates without the standard library, too.
fn behind_switch(fault: &Fault) -> String {
    let question = format!(
        "{{ extern crate std; \
            static IS_ON: std::sync::OnceLock<bool> = std::sync::OnceLock::new(); \
            *IS_ON.get_or_init(|| std::env::var({VARIABLE:?}).is_ok_and(|it| it == {:?})) }}",
        fault.name
    );
    fault.replace.replace(WORD, &question)
}

#[cfg(test)]
mod tests {
    use super::super::suite::SUITES;
    use super::*;

    #[test]
    fn every_switch_stands_in_its_file_and_asks_for_its_mutant() {
        for suite in SUITES.iter().filter(|suite| suite.has_switches) {
            for file in suite.files() {
                let text = std::fs::read_to_string(root().join(file)).unwrap();
                assert!(!text.contains(VARIABLE), "{file}");
                let broken = switched(suite, file, &text).unwrap();
                assert!(!broken.contains(WORD.trim()) || broken.contains(VARIABLE));
                for fault in suite.faults.iter().filter(|fault| fault.file == file) {
                    let asked = format!("it == {:?}", fault.name);
                    assert!(broken.contains(&asked), "{}", fault.name);
                    assert!(fault.replace.contains(WORD), "{}", fault.name);
                }
            }
        }
    }

    #[test]
    fn a_text_that_is_not_there_once_is_an_error() {
        let suite = SUITES.iter().find(|suite| suite.has_switches).unwrap();
        let file = suite.files()[0];
        assert!(switched(suite, file, "fn nothing() {}\n").is_err());
    }
}
