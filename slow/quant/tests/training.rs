//! Training: close to the best rate where that is known, no look ahead, the same bytes again.

#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;

use proptest::prelude::*;
use quant::Fault;
use quant::models::Forest;
use quant::training::{Booster, Example, Examples, Fold, Growth, Quality, walk};

fn on<T>(_: T) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn rate(labels: &[u32], answers: &[u32]) -> f64 {
    let right = labels.iter().zip(answers).filter(|(x, y)| x == y).count();
    right as f64 / labels.len() as f64
}

#[test]
fn the_best_rate_is_as_set() {
    for set in [0.75, 0.8, 1.0] {
        let example = Example::new(40_000, set, 3).unwrap();
        let found = rate(example.labels(), example.best());
        // Four standard errors and a half.
        assert!(
            (found - set).abs() <= 4.5 * (set * (1.0 - set) / 4e4).sqrt(),
            "{found}"
        );
        let mut shares = [0.0; 3];
        example
            .best()
            .iter()
            .for_each(|best| shares[*best as usize] += 1.0 / 4e4);
        assert!(shares.iter().all(|share| *share > 0.25), "{shares:?}");
    }
}

#[test]
fn trees_reach_95_in_100_of_the_best_rate_on_what_comes_later() {
    let growth = Growth::default();
    for (set, seed) in [(0.75, 1), (0.8, 2)] {
        let example = Example::new(20_000, set, seed).unwrap();
        let examples = example.examples().unwrap();
        let found = walk(&examples, (4, 10), growth, |_, _| ControlFlow::Continue(()));
        let found = found.unwrap();
        let judged = found.folds[0].0.judged.start..found.folds[3].0.judged.end;
        let best = rate(
            &example.labels()[judged.clone()],
            &example.best()[judged.clone()],
        );
        assert_eq!(found.all.count(), judged.len() as u64);
        assert!((best - set).abs() < 0.02, "{best}");
        let reached = found.all.accuracy();
        assert!(reached >= 0.95 * set, "{reached} of {set}");
        assert!(
            reached <= best + 0.01,
            "{reached}: better than can be, {best}"
        );
        assert!(found.all.balanced_accuracy() >= 0.95 * set);
        assert!(found.all.macro_f1() >= 0.95 * set);
        assert!(found.majority.accuracy() < 0.45);
    }
}

#[test]
fn the_text_is_read_back_and_the_same_again() {
    let example = Example::new(2_000, 0.8, 5).unwrap();
    let examples = example.examples().unwrap();
    let growth = Growth {
        rounds: 7,
        ..Growth::default()
    };
    let train = || Booster::train(&examples, None, growth, on).unwrap();
    let booster = train();
    assert_eq!(booster.rounds(), 7);
    let names: Vec<String> = Example::names().iter().map(ToString::to_string).collect();
    let text = booster.text(&names);
    assert_eq!(text, train().text(&names));
    assert!(text.contains("feature_names=imbalance flow momentum"));
    let forest = Forest::lightgbm(&text).unwrap();
    assert_eq!((forest.features(), forest.outputs()), (6, 3));
    let mut shares = vec![0.0; 3 * examples.len()];
    forest.predict(examples.rows(), &mut shares).unwrap();
    assert!(
        shares
            .chunks(3)
            .all(|row| (row.iter().sum::<f64>() - 1.0).abs() < 1e-9)
    );
    let answers = booster.answers(examples.rows()).unwrap();
    assert!(rate(examples.labels(), &answers) > 0.7);
}

#[test]
fn what_is_missing_goes_where_it_gains() {
    // Of class 1 is what is missing or great.
    let rows: Vec<f32> = (0..400)
        .map(|at| {
            if at % 4 == 0 {
                f32::NAN
            } else {
                (at % 4) as f32
            }
        })
        .collect();
    let labels: Vec<u32> = (0..400)
        .map(|at| u32::from(at % 4 == 0 || at % 4 == 3))
        .collect();
    let examples = Examples::new(&rows, &labels, 1, 2).unwrap();
    let booster = Booster::train(&examples, None, Growth::default(), on).unwrap();
    assert_eq!(booster.answers(&rows).unwrap(), labels);
    assert_eq!(booster.answers(&[f32::NAN, 9.0, -9.0]).unwrap(), [1, 1, 0]);
}

#[test]
fn pruned_trees_are_off_by_no_more_than_allowed() {
    let example = Example::new(4_000, 0.8, 6).unwrap();
    let examples = example.examples().unwrap();
    let growth = Growth {
        rounds: 40,
        ..Growth::default()
    };
    let sums = |booster: &Booster| {
        let forest = Forest::lightgbm(&booster.text(&[])).unwrap();
        // Rows that were learnt from, others, and holes.
        let mut rows = examples.rows().to_vec();
        rows.extend(examples.rows().iter().map(|x| -3.0 * x));
        rows.extend([f32::NAN; 6]);
        let mut sums = vec![0.0; rows.len() / 6 * 3];
        forest.margins(&rows, &mut sums).unwrap();
        sums
    };
    let whole = Booster::train(&examples, None, growth, on).unwrap();
    let before = sums(&whole);
    let mut leaves = whole.leaves();
    for off in [0.0, 0.005, 0.05, 1_000.0] {
        let mut pruned = Booster::train(&examples, None, growth, on).unwrap();
        pruned.prune(off).unwrap();
        let after = sums(&pruned);
        let pairs = before.iter().zip(&after);
        let most = pairs.map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
        assert!(most <= 40.0 * off + 1e-9, "{most} of {off}");
        assert!(pruned.leaves() <= leaves && pruned.rounds() == 40);
        leaves = pruned.leaves();
        if off == 0.05 {
            assert!(10 * leaves < 9 * whole.leaves(), "{leaves}");
            assert!(most > 0.01, "{most}");
        }
    }
    // A leaf for each tree is left.
    assert_eq!(leaves, 3 * 40);
    let mut whole = whole;
    assert!(whole.prune(-1.0).is_err() && whole.prune(f64::NAN).is_err());
    assert_eq!(sums(&whole), before);
}

#[test]
fn balanced_classes_weigh_the_same() {
    // One row in ten is of class 1. Of these x is 1 in four of five, of the others in one of five:
    // class 0 is the likelier one, whatever x is, but not by what each class says.
    let row = |at: usize| {
        let (label, turn) = (u32::from(at.is_multiple_of(10)), at / 10);
        let is_usual = !(turn + 3 * (at % 10)).is_multiple_of(5);
        ((label == 1) == is_usual, label)
    };
    let (rows, labels): (Vec<bool>, Vec<u32>) = (0..4_000).map(row).unzip();
    let rows: Vec<f32> = rows.into_iter().map(|x| f32::from(u8::from(x))).collect();
    let examples = Examples::new(&rows, &labels, 1, 2).unwrap();
    for (is_balanced, wanted) in [(false, [0, 0]), (true, [0, 1])] {
        let growth = Growth {
            is_balanced,
            rounds: 30,
            ..Growth::default()
        };
        let booster = Booster::train(&examples, None, growth, on).unwrap();
        assert_eq!(booster.answers(&[0.0, 1.0]).unwrap(), wanted);
        let found = walk(&examples, (2, 0), growth, |_, _| ControlFlow::Continue(()));
        let found = found.unwrap();
        let balanced = found.all.balanced_accuracy();
        let share = if is_balanced { 0.8 } else { 0.5 };
        assert!((balanced - share).abs() < 0.02, "{balanced}");
        let answered: usize = found.answers.iter().map(Vec::len).sum();
        assert_eq!(answered as u64, found.all.count());
    }
}

#[test]
fn what_comes_later_changes_nothing_that_was_judged_before() {
    let example = Example::new(3_000, 0.8, 8).unwrap();
    let growth = Growth {
        rounds: 20,
        ..Growth::default()
    };
    let judged = |rows: &[f32], labels: &[u32]| -> Vec<Quality> {
        let examples = Examples::new(rows, labels, 6, 3).unwrap();
        let found = walk(&examples, (3, 5), growth, |_, _| ControlFlow::Continue(()));
        let folds = found.unwrap().folds;
        folds.into_iter().map(|(_, _, quality)| quality).collect()
    };
    let before = judged(example.rows(), example.labels());
    // All that follows the second fold is turned around, and the labels of what is in its gap.
    let (mut rows, mut labels) = (example.rows().to_vec(), example.labels().to_vec());
    rows[6 * 2_250..].iter_mut().for_each(|x| *x = -*x);
    labels[2_250..].iter_mut().for_each(|x| *x = 2 - *x);
    labels[1_495..1_500].fill(0);
    let after = judged(&rows, &labels);
    assert_eq!(before[0].count(), after[0].count());
    assert_eq!(before[1], after[1]);
    assert_ne!(before[2], after[2]);
}

#[test]
fn what_is_stopped_gives_the_folds_that_were_judged() {
    let example = Example::new(2_000, 0.8, 5).unwrap();
    let examples = example.examples().unwrap();
    let growth = Growth {
        rounds: 10,
        ..Growth::default()
    };
    // In the middle of the round's fold, and of the model that is last.
    for (stop, judged) in [(1, 0), (15, 1), (25, 2), (35, 3), (99, 3)] {
        let found = walk(&examples, (3, 5), growth, |done, _| match done >= stop {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        });
        let found = found.unwrap();
        assert_eq!((found.folds.len(), found.answers.len()), (judged, judged));
        let each: u64 = found
            .folds
            .iter()
            .map(|(.., quality)| quality.count())
            .sum();
        assert_eq!(each, found.all.count());
        assert_eq!(each, found.majority.count());
        assert_eq!(found.booster.is_some(), stop == 99);
    }
}

#[test]
fn what_is_unfit_is_refused() {
    let example = Example::new(2_000, 0.8, 5).unwrap();
    let examples = example.examples().unwrap();
    let few = Examples::new(&example.rows()[..6 * 100], &example.labels()[..100], 6, 3).unwrap();
    let refused = walk(&few, (4, 5), Growth::default(), |_, _| {
        ControlFlow::Continue(())
    });
    assert!(matches!(refused, Err(Fault::TooShort { .. })));
    assert!(Examples::new(&[1.0], &[0, 1], 1, 2).is_err());
    assert!(Examples::new(&[1.0, 2.0], &[0, 2], 1, 2).is_err());
    assert!(Examples::new(&[1.0, f32::INFINITY], &[0, 1], 1, 2).is_err());
    let growth = Growth {
        leaves: 1,
        ..Growth::default()
    };
    assert!(Booster::train(&examples, None, growth, on).is_err());
}

proptest! {
    #[test]
    fn nothing_is_learnt_from_that_is_near_what_is_judged(
        rows in 0usize..5_000, folds in 1usize..12, gap in 0usize..200,
    ) {
        let Ok(all) = Fold::all(rows, folds, gap) else {
            return Ok(());
        };
        prop_assert_eq!(all.len(), folds);
        for fold in &all {
            prop_assert!(fold.learnt.end + gap <= fold.held_back.start);
            prop_assert!(fold.held_back.end + gap <= fold.judged.start);
            prop_assert!(fold.judged.end <= rows && fold.learnt.len() >= 20);
        }
        prop_assert!(all.windows(2).all(|two| two[0].judged.end == two[1].judged.start));
        prop_assert_eq!(all[folds - 1].judged.end, rows);
    }
}
