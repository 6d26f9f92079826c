//! Hostile days of every character meet every rare event there is, and the engine answers them as
//! the reference does, also where its tables are full.

#[path = "../examples/differential/day.rs"]
mod day;

use day::{Comparison, Difference, caught};
use flow::Hostile;
use flow::hostile::{Character, Coverage, Trait};
use flow::naive::OFFERED;
use flow::naive::increments::ICEBERG;
use flow::{reduce, saved};
use matching::WORKS;
use wire::ring::Input;

/// Days, each by its seed.
const DAYS: u64 = 56;

/// Inputs of a day, and of one whose heaps or halts take many.
const INPUTS: usize = 4_000;
const INPUTS_SCRIPTED: usize = 14_000;

/// Each rare event happens so often in all of them.
const OFTEN: u64 = 3;

#[test]
fn rare_events_happen_in_some_days_and_are_answered_as_the_reference_answers() {
    let mut coverage = Coverage::new(&WORKS);
    let mut comparison = Comparison::new(OFFERED);
    for seed in 0..DAYS {
        let mut hostile = Hostile::new(seed, OFFERED);
        let scripted = [Trait::Heaps, Trait::Halts].map(|one| Character::of(seed).has(one));
        let inputs = if scripted.contains(&true) {
            INPUTS_SCRIPTED
        } else {
            INPUTS
        };
        let mut inputs: Vec<_> = hostile.by_ref().take(inputs).collect();
        inputs.push(hostile.closing());
        let difference = comparison.difference(Some(seed), &inputs);
        let difference = difference.expect("good limits");
        if let Some(Difference { index, text }) = difference {
            panic!("seed {seed}, input {index}: {text}");
        }
        coverage.add(&comparison.coverage());
    }
    let rare = coverage.counts().filter(|(_, count)| *count < OFTEN);
    let rare: Vec<_> = rare.collect();
    assert!(rare.is_empty(), "rare: {rare:?} in\n{coverage}");
}

#[test]
fn days_are_of_all_characters() {
    let traits = (0..100).flat_map(|seed| Character::of(seed).traits());
    let mut times = std::collections::BTreeMap::new();
    traits.for_each(|one| *times.entry(one as u8).or_insert(0) += 1);
    assert_eq!(times.len(), 12);
    assert!(times.values().all(|times| *times >= 10), "{times:?}");
    let usual = (0..100).filter(|seed| Character::of(*seed).traits().count() == 0);
    assert!((10..40).contains(&usual.count()));
}

#[test]
fn an_assertion_that_fails_is_told_with_its_place() {
    assert_eq!(caught(|| 7), Ok(7));
    let said = caught(|| assert_eq!(1, 2, "units")).expect_err("a panic");
    assert!(
        said.contains("coverage.rs:") && said.contains("units"),
        "{said}"
    );
    assert_eq!(caught(|| 8), Ok(8));
}

/// A reference without icebergs stands for an engine that is wrong about them.
#[test]
fn a_day_that_differs_is_cut_down_to_a_few_inputs_which_still_differ_when_read_again() {
    let inputs: Vec<Input> = Hostile::new(5, OFFERED).take(INPUTS).collect();
    let mut comparison = Comparison::new(OFFERED & !ICEBERG);
    let mut found = |part: &[Input]| comparison.difference(None, part).expect("good limits");
    let first = found(&inputs).expect("icebergs in such a day").index;
    let small = reduce(&inputs[..=first], |part| found(part).is_some());
    assert!((3..=8).contains(&small.len()), "{}", saved::write(&small));
    let again = saved::read(&saved::write(&small)).expect("what was written");
    let again = found(&again).expect("the same difference");
    assert_eq!(again.index, small.len() - 1);
    let said = ["Input {", "engine [", "reference ["];
    assert!(
        said.iter().all(|word| again.text.contains(word)),
        "{}",
        again.text
    );
}
