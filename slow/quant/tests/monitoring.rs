//! Alarms: raised when they must be, seldom otherwise; drift by hand and by chance.

#![allow(clippy::unwrap_used)]

use quant::Fault;
use quant::monitoring::{Alarm, Feature, Reference};
use quant::montecarlo::Philox;

/// Numbers from 0 to 1.
fn uniforms(seed: u64, count: usize) -> Vec<f64> {
    let philox = Philox::new(seed);
    let draw = |at: usize| f64::from(philox.block([at as u32, 0, 0, 0])[0]) / 2f64.powi(32);
    (0..count).map(draw).collect()
}

#[test]
fn a_fall_is_noticed_and_chance_seldom_is() {
    let draws = uniforms(3, 400_000);
    let mut false_alarms = 0;
    let mut alarm = Alarm::new(0.6, 0.1, 2_000.0).unwrap();
    for draw in &draws {
        if alarm.push(*draw < 0.6) {
            false_alarms += 1;
            alarm = Alarm::new(0.6, 0.1, 2_000.0).unwrap();
        }
    }
    // 200 at most on average; the bound is known to be kept by far.
    assert!((1..=200).contains(&false_alarms), "{false_alarms}");
    // Half as many more wrong: it takes about ln 2000 by what an answer tells, 0.02.
    let mut alarm = Alarm::new(0.6, 0.1, 2_000.0).unwrap();
    let raised = draws
        .iter()
        .position(|draw| alarm.push(*draw < 0.5))
        .unwrap();
    assert!((40..1_500).contains(&raised), "{raised}");
    assert_eq!(alarm.raised(), Some(raised as u64));
    assert!(alarm.level() >= 1.0 && alarm.push(true));
}

#[test]
fn an_alarm_counts_as_it_says() {
    // Each wrong answer adds ln 2, each right one takes off ln 2 of what there is: 2^3 is 8.
    let mut alarm = Alarm::new(2.0 / 3.0, 1.0 / 3.0, 7.999).unwrap();
    let told: Vec<bool> = [true, false, true, false, false, false, true]
        .map(|is_right| alarm.push(is_right))
        .into();
    assert_eq!(told, [false, false, false, false, false, true, true]);
    assert_eq!(alarm.raised(), Some(5));
}

#[test]
fn drift_is_the_index_by_hand() {
    let rows: Vec<f32> = (0..1_000).map(|at| at as f32).collect();
    let reference = Reference::of(&rows, 1).unwrap();
    assert_eq!(reference.drift(&rows).unwrap(), [0.0]);
    assert_eq!(reference.features()[0].edges.len(), 9);
    let kept = Reference::kept(vec![Feature {
        edges: vec![1.0],
        shares: vec![0.5, 0.5, 0.0],
    }]);
    // Three in four are above 1 now, and nothing is missing.
    let now: Vec<f32> = (0..400)
        .map(|at| if at % 4 == 0 { 1.0 } else { 2.0 })
        .collect();
    let found = kept.unwrap().drift(&now).unwrap();
    let wanted = 0.25 * (1.5_f64.ln() - 0.5_f64.ln());
    assert!((found[0] - wanted).abs() < 1e-12, "{found:?}");
    // What is missing now was there.
    let holes = vec![f32::NAN; 100];
    assert!(reference.drift(&holes).unwrap()[0] > 5.0);
}

#[test]
fn rows_of_the_same_kind_do_not_drift_and_others_do() {
    let numbers: Vec<f32> = uniforms(9, 8_000).iter().map(|x| *x as f32).collect();
    let mut rows: Vec<f32> = numbers.chunks(2).flat_map(|two| [two[0], two[1]]).collect();
    let reference = Reference::of(&rows[..4_000], 2).unwrap();
    let same = reference.drift(&rows[4_000..]).unwrap();
    assert!(same.iter().all(|index| *index < 0.05), "{same:?}");
    rows.iter_mut()
        .skip(1)
        .step_by(2)
        .for_each(|x| *x = x.sqrt());
    let moved = reference.drift(&rows[4_000..]).unwrap();
    assert!(moved[0] < 0.05 && moved[1] > 0.25, "{moved:?}");
}

#[test]
fn refused() {
    let rows = vec![1.0; 100];
    assert!(Reference::of(&rows, 1).is_ok());
    assert!(matches!(
        Reference::of(&rows[1..], 1),
        Err(Fault::TooShort { found: 99, .. })
    ));
    assert!(matches!(
        Reference::of(&rows, 3),
        Err(Fault::Lengths { .. })
    ));
    assert!(Reference::of(&rows, 0).is_err());
    let feature = |edges: &[f32], shares: &[f64]| {
        Reference::kept(vec![Feature {
            edges: edges.to_vec(),
            shares: shares.to_vec(),
        }])
    };
    assert!(feature(&[1.0], &[0.5, 0.5, 0.0]).is_ok());
    assert!(feature(&[1.0], &[0.5, 0.5]).is_err());
    assert!(feature(&[1.0, 1.0], &[0.5, 0.5, 0.0, 0.0]).is_err());
    assert!(feature(&[f32::NAN, 1.0], &[0.5, 0.5, 0.0, 0.0]).is_err());
    assert!(feature(&[1.0], &[0.5, 0.1, 0.0]).is_err());
    assert!(feature(&[1.0], &[1.5, -0.5, 0.0]).is_err());
    assert!(Reference::kept(vec![]).is_err());
    for (expected, fall, between) in [
        (0.0, 0.1, 10.0),
        (1.0, 0.1, 10.0),
        (f64::NAN, 0.1, 10.0),
        (0.5, 0.0, 10.0),
        (0.5, 0.5, 10.0),
        (0.5, 0.1, 1.0),
    ] {
        assert!(Alarm::new(expected, fall, between).is_err());
    }
}
