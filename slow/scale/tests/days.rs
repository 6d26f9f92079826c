//! Whole days: forecasts that beat the last day again, and decisions that prepare for peaks.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

#[path = "../../../engine/analytics/tests/vectors/mod.rs"]
mod vectors;

use scale::plan::{Cost, Way, backtest, play};
use scale::policy::Policy;
use scale::predictor::scores;
use scale::trace::{Recipe, Row, made};

const SEASON: usize = 288;

#[test]
fn forecasts_beat_the_last_day_again() {
    for kind in ["daily", "growth", "open_close", "spikes"] {
        let name = format!("forecast/load_{kind}.csv");
        let loads = vectors::Table::read(&name).column("req_per_5min").to_vec();
        for (what, steps) in [("a quarter of an hour", 4), ("a day", SEASON)] {
            let scores = scores(&loads, SEASON, steps).unwrap();
            println!("{kind}, {what}: {scores:?}");
            assert!(scores.mae < scores.naive_mae, "{kind}, {what}");
            // Spikes that no day before had are large beside the changes of calm days.
            assert!(scores.mase < 1.0 || kind == "spikes", "{kind}, {what}");
        }
    }
}

const POLICY: Policy = Policy {
    capacity: 2_000.0,
    target: 0.7,
    shards_min: 1,
    shards_max: 32,
    step_up: 8,
    step_down: 2,
    cooldown_up_s: 30,
    cooldown_down_s: 600,
    ahead_s: 900,
};

fn costs(rows: &[Row], policy: &Policy) -> [Cost; 3] {
    Way::ALL.map(|way| play(rows, policy, 120, way).unwrap().cost)
}

#[test]
fn prediction_saves_most_of_the_time_over_capacity_for_less_than_the_peak_costs() {
    for seed in 1..=5 {
        let recipe = Recipe {
            days: 8,
            step_s: 60,
            base: 500,
            seed,
        };
        let rows = made(&recipe);
        let scores = backtest(&rows, &POLICY).unwrap();
        println!("{seed}: {scores:?}");
        assert!(scores.mae < scores.naive_mae, "{scores:?}");
        let [predictive, reactive, fixed] = costs(&rows, &POLICY);
        println!("{predictive:?}\n{reactive:?}\n{fixed:?}");
        assert!(predictive.minutes_over < reactive.minutes_over);
        assert!(predictive.commands_over < 0.5 * reactive.commands_over);
        assert!(predictive.shard_hours < 0.6 * fixed.shard_hours);
        assert_eq!(fixed.minutes_over, 0.0);
    }
}

#[test]
fn without_a_day_to_learn_from_prediction_is_reaction() {
    let recipe = Recipe {
        days: 1,
        step_s: 60,
        base: 500,
        seed: 9,
    };
    let rows = made(&recipe);
    let [predictive, reactive, _] = costs(&rows[..1_400], &POLICY);
    assert_eq!(predictive, reactive);
    assert!(backtest(&rows, &POLICY).is_none());
}
