//! Models of LightGBM, XGBoost, scikit-learn: their answers and ours.

#![allow(clippy::unwrap_used)]

mod markets;

use analytics::arch::Backend;
use markets::beside;
use proptest::prelude::*;
use quant::models::{Forest, Network};
use serde_json::Value;

/// Rows of numbers, and how long one is.
fn table(name: &str) -> (Vec<f64>, usize) {
    let text = String::from_utf8(beside(&format!("vectors/ml/{name}.csv"))).unwrap();
    let width = text.lines().next().unwrap().split(',').count();
    let numbers = text.lines().flat_map(|line| line.split(','));
    (numbers.map(|x| x.parse().unwrap()).collect(), width)
}

/// A table of numbers that are `f32`.
fn rows(name: &str) -> (Vec<f32>, usize) {
    let text = String::from_utf8(beside(&format!("vectors/ml/{name}.csv"))).unwrap();
    let width = text.lines().next().unwrap().split(',').count();
    let numbers = text.lines().flat_map(|line| line.split(','));
    (numbers.map(|x| x.parse().unwrap()).collect(), width)
}

fn lightgbm(name: &str) -> Forest {
    let text = String::from_utf8(beside(&format!("vectors/ml/{name}.txt"))).unwrap();
    Forest::lightgbm(&text).unwrap()
}

fn xgboost(name: &str) -> Forest {
    Forest::xgboost(&beside(&format!("vectors/ml/{name}.json"))).unwrap()
}

/// All at once, one by one, and with wide ranks: the same bits.
fn margins(forest: &Forest, rows: &[f32]) -> Vec<f64> {
    let (features, outputs) = (forest.features(), forest.outputs());
    let mut all = vec![0.0; rows.len() / features * outputs];
    forest.margins(rows, &mut all).unwrap();
    let (mut single, mut wide) = (all.clone(), all.clone());
    for (row, sums) in rows.chunks(features).zip(single.chunks_exact_mut(outputs)) {
        forest.margins(row, sums).unwrap();
    }
    let widened = forest.clone().widened();
    widened.margins(rows, &mut wide).unwrap();
    assert_eq!((&single, &wide), (&all, &all));
    all
}

fn assert_near(found: &[f64], wanted: &[f64], distance: f64) {
    assert_eq!(found.len(), wanted.len());
    for (at, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        assert!((found - wanted).abs() <= distance, "{at}: {found} {wanted}");
    }
}

#[test]
fn lightgbm_says_the_same_to_the_last_bit() {
    let (inputs, width) = rows("ml_inputs");
    for name in ["lgb_binary", "lgb_multiclass", "lgb_regression"] {
        let forest = lightgbm(name);
        assert_eq!(forest.features(), width);
        let raw = margins(&forest, &inputs);
        assert_eq!(raw, table(&format!("{name}_raw")).0, "{name}");
        let mut results = raw.clone();
        forest.predict(&inputs, &mut results).unwrap();
        assert_near(&results, &table(&format!("{name}_prob")).0, 1e-15);
    }
}

#[test]
fn xgboost_says_the_same_to_the_last_bit() {
    let (inputs, width) = rows("ml_inputs");
    for name in ["xgb_binary", "xgb_multiclass"] {
        let forest = xgboost(name);
        assert_eq!(forest.features(), width);
        let raw = margins(&forest, &inputs);
        assert_eq!(raw, table(&format!("{name}_raw")).0, "{name}");
        let mut results = raw.clone();
        forest.predict(&inputs, &mut results).unwrap();
        assert_near(&results, &table(&format!("{name}_prob")).0, 2e-7);
    }
}

/// A value as XGBoost writes it in UBJSON: lists of numbers have one kind, floats are of 32 bits.
fn ubjson(value: &Value, into: &mut Vec<u8>) {
    let length = |count: usize, into: &mut Vec<u8>| {
        into.push(b'L');
        into.extend((count as i64).to_be_bytes());
    };
    let single = |value: &Value| (value.as_f64().unwrap() as f32).to_be_bytes();
    match value {
        Value::Null => into.push(b'Z'),
        Value::Bool(is_so) => into.push(if *is_so { b'T' } else { b'F' }),
        Value::Number(number) => {
            into.push(if number.is_i64() { b'L' } else { b'd' });
            match number.as_i64() {
                Some(whole) => into.extend(whole.to_be_bytes()),
                None => into.extend(single(value)),
            }
        }
        Value::String(text) => {
            into.push(b'S');
            length(text.len(), into);
            into.extend(text.as_bytes());
        }
        Value::Array(all) if !all.is_empty() && all.iter().all(Value::is_f64) => {
            into.extend(b"[$d#");
            length(all.len(), into);
            all.iter().for_each(|value| into.extend(single(value)));
        }
        Value::Array(all) => {
            into.extend(b"[#");
            length(all.len(), into);
            all.iter().for_each(|value| ubjson(value, into));
        }
        Value::Object(all) => {
            into.push(b'{');
            for (name, value) in all {
                length(name.len(), into);
                into.extend(name.as_bytes());
                ubjson(value, into);
            }
            into.push(b'}');
        }
    }
}

#[test]
fn ubjson_says_what_json_says() {
    let (inputs, _) = rows("ml_inputs");
    for name in ["xgb_binary", "xgb_multiclass"] {
        let json: Value =
            serde_json::from_slice(&beside(&format!("vectors/ml/{name}.json"))).unwrap();
        let mut written = Vec::new();
        ubjson(&json, &mut written);
        let forest = Forest::xgboost(&written).unwrap();
        assert_eq!(margins(&forest, &inputs), margins(&xgboost(name), &inputs));
    }
}

#[test]
fn three_classes_are_told_apart_as_well_as_the_libraries_do() {
    let (inputs, _) = rows("eval3_X");
    let (classes, _) = table("eval3_y");
    for (forest, share) in [
        (lightgbm("lgb_multiclass"), 0.759),
        (xgboost("xgb_multiclass"), 0.7245),
    ] {
        let mut results = vec![0.0; classes.len() * 3];
        forest.predict(&inputs, &mut results).unwrap();
        let right = results.chunks(3).zip(&classes).filter(|(row, class)| {
            let most = (0..3).max_by(|a, b| row[*a].total_cmp(&row[*b]));
            most == Some(**class as usize)
        });
        let found = right.count() as f64 / classes.len() as f64;
        assert!((found - share).abs() < 1e-12, "{found} instead of {share}");
    }
}

#[test]
fn networks_say_the_same_on_all_backends() {
    let (inputs, width) = rows("mlp_inputs");
    let (wanted, outputs) = table("mlp_prob");
    let (exact, _) = table("mlp_prob_f64");
    let network = Network::json(&beside("vectors/ml/mlp_weights.json")).unwrap();
    assert_eq!([network.features(), network.outputs()], [width, outputs]);
    let mut first = None;
    for backend in Backend::all() {
        let mut results = vec![0.0; wanted.len()];
        let network = network.clone().with(backend);
        network.predict(&inputs, &mut results).unwrap();
        assert_near(&results, &wanted, 1e-6);
        assert_eq!(first.get_or_insert(results.clone()), &results);
    }
    let mut results = vec![0.0; outputs];
    for (row, exact) in inputs.chunks(width).zip(exact.chunks(outputs)) {
        let row: Vec<f64> = row.iter().map(|x| f64::from(*x)).collect();
        network.predict_exactly(&row, &mut results).unwrap();
        assert_near(&results, exact, 1e-12);
    }
}

#[test]
fn a_logistic_regression_is_a_network_of_one_layer() {
    let (inputs, width) = rows("mlp_inputs");
    let (wanted, _) = table("logreg_prob");
    let network = Network::json(&beside("vectors/ml/logreg.json")).unwrap();
    let mut results = vec![0.0; wanted.len()];
    network.predict(&inputs, &mut results).unwrap();
    assert_near(&results, &wanted, 1e-6);
    for ((row, wanted), result) in inputs.chunks(width).zip(&wanted).zip(&mut results) {
        let row: Vec<f64> = row.iter().map(|x| f64::from(*x)).collect();
        network
            .predict_exactly(&row, std::slice::from_mut(result))
            .unwrap();
        assert_near(&[*result], &[*wanted], 1e-12);
    }
}

/// A network of any shape, as a file.
fn network() -> impl Strategy<Value = (String, usize)> {
    let sizes = prop::collection::vec(1usize..90, 2..5);
    let activation = prop::sample::select(vec!["identity", "relu", "tanh", "logistic"]);
    let out = prop::sample::select(vec!["identity", "softmax", "logistic"]);
    (sizes, activation, out, any::<u64>()).prop_map(|(sizes, activation, out, seed)| {
        let mut state = seed;
        let mut number = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 40) as f64 / f64::from(1 << 24) - 0.5
        };
        let mut row = |count: usize| (0..count).map(|_| number()).collect::<Vec<_>>();
        let layers = sizes.windows(2).map(|pair| {
            let weights: Vec<_> = (0..pair[0]).map(|_| row(pair[1])).collect();
            (weights, row(pair[1]))
        });
        let (coefs, intercepts): (Vec<_>, Vec<_>) = layers.unzip();
        let file = serde_json::json!({
            "coefs": coefs, "intercepts": intercepts, "activation": activation, "out": out,
        });
        (file.to_string(), sizes[0])
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn networks_of_any_shape_give_the_same_bits_and_are_near_what_is_exact(
        (file, inputs) in network(),
        numbers in prop::collection::vec(-3f32..3.0, 90),
    ) {
        let network = Network::json(file.as_bytes()).unwrap();
        let row = &numbers[..inputs];
        let mut exact = vec![0.0; network.outputs()];
        let wide: Vec<f64> = row.iter().map(|x| f64::from(*x)).collect();
        network.predict_exactly(&wide, &mut exact).unwrap();
        let mut first = None;
        for backend in Backend::all() {
            let mut results = vec![0.0; network.outputs()];
            network.clone().with(backend).predict(row, &mut results).unwrap();
            prop_assert_eq!(first.get_or_insert_with(|| results.clone()), &results);
            for (found, exact) in results.iter().zip(&exact) {
                prop_assert!((found - exact).abs() <= 1e-3 * exact.abs().max(1.0));
            }
        }
    }

    #[test]
    fn a_row_among_many_has_the_bits_of_a_row_alone(
        (file, inputs) in network(),
        count in 1usize..40,
        numbers in prop::collection::vec(-3f32..3.0, 90),
        missing in 0usize..40,
    ) {
        let network = Network::json(file.as_bytes()).unwrap();
        let number = |at: usize| numbers[(at * 7 + at / 90) % 90] * (1.0 + at as f32 / 1e3);
        let mut rows: Vec<f32> = (0..count * inputs).map(number).collect();
        if let Some(x) = rows.get_mut(missing * inputs) {
            *x = f32::NAN;
        }
        for backend in Backend::all() {
            let network = network.clone().with(backend);
            let mut many = vec![0.0; count * network.outputs()];
            let mut alone = many.clone();
            network.predict(&rows, &mut many).unwrap();
            let results = alone.chunks_exact_mut(network.outputs());
            for (row, results) in rows.chunks_exact(inputs).zip(results) {
                network.predict(row, results).unwrap();
            }
            for (many, alone) in many.iter().zip(&alone) {
                prop_assert!(many.to_bits() == alone.to_bits() || many.is_nan() && alone.is_nan());
            }
        }
    }
}
