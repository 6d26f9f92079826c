//! Steps that are run one after the other, timed, and summed up.

use crate::Outcome;
use std::time::Instant;

/// One step: its name and what it does.
pub struct Step {
    pub name: &'static str,
    pub run: fn() -> Outcome,
}

/// Runs all steps, or the one called `only`; a failure does not stop the others.
pub fn run(steps: &[Step], only: Option<&str>) -> Outcome {
    let chosen: Vec<&Step> = steps
        .iter()
        .filter(|step| only.is_none_or(|only| only == step.name))
        .collect();
    if chosen.is_empty() {
        let names: Vec<_> = steps.iter().map(|step| step.name).collect();
        return Err(format!("no such step; there are: {}", names.join(", ")));
    }
    let start = Instant::now();
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    for step in chosen {
        println!("==> {}", step.name);
        let step_start = Instant::now();
        let outcome = (step.run)();
        let seconds = step_start.elapsed().as_secs_f64();
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        lines.push(format!("{:<10} {word:<7} {seconds:>8.1} s", step.name));
        if let Err(message) = outcome {
            println!("==> {} FAILED after {seconds:.1} s: {message}", step.name);
            failed.push(step.name);
        } else {
            println!("==> {} ok, {seconds:.1} s", step.name);
        }
    }
    println!("\nsteps:");
    for line in &lines {
        println!("  {line}");
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{} steps, {} failed, {seconds:.1} s",
        lines.len(),
        failed.len()
    );
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!("failed: {}", failed.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: &[Step] = &[
        Step {
            name: "good",
            run: || Ok(()),
        },
        Step {
            name: "bad",
            run: || Err("no".into()),
        },
        Step {
            name: "worse",
            run: || Err("no".into()),
        },
    ];

    #[test]
    fn every_failure_is_named() {
        assert_eq!(run(STEPS, None), Err("failed: bad, worse".into()));
        assert_eq!(run(STEPS, Some("good")), Ok(()));
        assert_eq!(run(STEPS, Some("bad")), Err("failed: bad".into()));
        assert_eq!(
            run(STEPS, Some("x")),
            Err("no such step; there are: good, bad, worse".into())
        );
    }
}
