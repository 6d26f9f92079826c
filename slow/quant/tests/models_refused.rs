//! Files that are no models, or not such as can be followed, say where and why.

#![allow(clippy::unwrap_used)]

mod markets;

use markets::beside;
use proptest::prelude::*;
use quant::Fault;
use quant::models::{Forest, Network};
use serde_json::{Value, json};

fn text(name: &str) -> String {
    String::from_utf8(beside(&format!("vectors/ml/{name}"))).unwrap()
}

/// A small model of LightGBM: two splits, three leaves.
const SMALL: &str = "tree
num_class=1
num_tree_per_iteration=1
max_feature_idx=2
objective=binary sigmoid:2

Tree=0
num_leaves=3
split_feature=0 2
threshold=0.5 1.5
decision_type=0 6
left_child=1 -1
right_child=-3 -2
leaf_value=1 2 4

end of trees
";

/// The same with other words, refused for a reason.
fn lightgbm(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    let refused = Forest::lightgbm(&SMALL.replacen(from, to, 1));
    refused.err().unwrap().to_string()
}

#[test]
fn ways_of_what_is_missing() {
    let forest = Forest::lightgbm(SMALL).unwrap();
    let nan = f32::NAN;
    for (row, leaf) in [
        ([0.5, 0.0, 1.5], 1.0), // 0 is missing there and goes left
        ([0.5, 0.0, 0.0], 1.0),
        ([0.5, 0.0, 1.6], 2.0),
        ([0.5, 0.0, nan], 1.0),
        ([nan, 0.0, 2.0], 2.0), // no number is 0 there
        ([0.6, nan, nan], 4.0),
        ([f32::INFINITY, 0.0, 0.0], 4.0),
        ([f32::NEG_INFINITY, 0.0, f32::INFINITY], 2.0),
    ] {
        let mut sum = [0.0];
        forest.margins(&row, &mut sum).unwrap();
        assert_eq!(sum, [leaf], "{row:?}");
        forest.predict(&row, &mut sum).unwrap();
        assert!((sum[0] - 1.0 / (1.0 + (-2.0 * leaf).exp())).abs() < 1e-15);
    }
}

#[test]
fn a_model_of_lightgbm_says_its_line() {
    for (from, to, wanted) in [
        (
            "tree\n",
            "forest\n",
            "line 1: a model of LightGBM as text begins with",
        ),
        ("end of trees\n", "", "cut off"),
        (
            "max_feature_idx=2",
            "max_feature_idx=1",
            "tree 0, line 9, split_feature: split 1: feature 2 of 2",
        ),
        (
            "0.5 1.5",
            "0.5",
            "tree 0, line 10, threshold: 1 numbers, 2 are needed",
        ),
        (
            "0.5 1.5",
            "0.5 x",
            "tree 0, line 10, threshold: number 2: \"x\" is none",
        ),
        ("0.5 1.5", "0.5 nan", "split 1: the threshold is no number"),
        (
            "0 6",
            "0 1",
            "line 11, decision_type: split 1: categorical splits are not supported",
        ),
        (
            "0 6",
            "0 12",
            "line 11, decision_type: split 1: type 12 is not known",
        ),
        ("1 -1", "0 -1", "tree 0: node 0 of 5 has the child 0"),
        ("1 -1", "2 -1", "tree 0: node 0 of 5 has the child"),
        ("-3 -2", "-9 -2", "tree 0: node 0 of 5 has the child"),
        ("-3 -2", "-1 -2", "tree 0: node 1 of 5 has the child 2"),
        (
            "num_leaves=3",
            "num_leaves=0",
            "line 8, num_leaves: 0: between 1 and",
        ),
        (
            "leaf_value=1 2 4",
            "",
            "the part from line 7: no line \"leaf_value=\"",
        ),
        (
            "leaf_value",
            "is_linear=1\nleaf_value",
            "linear leaves are not supported",
        ),
        (
            "binary sigmoid:2",
            "custom",
            "\"custom\" is not an objective",
        ),
        ("binary sigmoid:2", "binary sigmoid:-1", "sigmoid"),
        ("objective=binary sigmoid:2", "", "no line \"objective=\""),
        (
            "num_class=1",
            "num_class=one",
            "line 2, num_class: \"one\" is not the number",
        ),
        ("iteration=1", "iteration=2", "1 trees, 2 at a time"),
        (
            "iteration=1",
            "iteration=0",
            "0 trees at a time for 1 classes",
        ),
    ] {
        let found = lightgbm(from, to);
        assert!(found.contains(wanted), "{found}\nfor {to}");
    }
}

#[test]
fn a_model_of_xgboost_says_its_place() {
    let file: Value = serde_json::from_slice(&beside("vectors/ml/xgb_binary.json")).unwrap();
    let refused = |pointer: &str, to: Value| {
        let mut file = file.clone();
        *file.pointer_mut(pointer).unwrap() = to;
        let found = Forest::xgboost(file.to_string().as_bytes()).err();
        found.unwrap_or_else(|| panic!("{pointer}")).to_string()
    };
    let tree = |part: &str| format!("/learner/gradient_booster/model/trees/3/{part}");
    for (pointer, to, wanted) in [
        (
            tree("split_indices/0"),
            json!(24),
            "tree 3, node 0: feature 24 of 24",
        ),
        (
            tree("split_type/0"),
            json!(1),
            "tree 3, node 0: categorical splits",
        ),
        (tree("left_children/0"), json!(0), "tree 3: node 0 of"),
        (tree("right_children/0"), json!(999), "has the child 999"),
        (
            tree("right_children"),
            json!([1]),
            "tree 3: columns of nodes are not of one length",
        ),
        (
            tree("tree_param/size_leaf_vector"),
            json!("3"),
            "leaves of several numbers",
        ),
        (
            "/learner/objective/name".into(),
            json!("survival:cox"),
            "\"survival:cox\" is not",
        ),
        (
            "/learner/gradient_booster/name".into(),
            json!("gblinear"),
            "\"gblinear\" is not",
        ),
        (
            "/learner/learner_model_param/base_score".into(),
            json!("[a]"),
            "base_score: \"[a]\"",
        ),
        (
            "/learner/learner_model_param/base_score".into(),
            json!("1.5"),
            "base_score: \"1.5\"",
        ),
        (
            "/learner/learner_model_param/num_feature".into(),
            json!("-1"),
            "num_feature: \"-1\"",
        ),
        (
            "/learner/learner_model_param/num_target".into(),
            json!("2"),
            "several targets",
        ),
        (
            "/learner/learner_model_param/num_class".into(),
            json!("1025"),
            "num_class: 1025 classes, up to 1024 are read",
        ),
        (
            "/learner/learner_model_param/num_class".into(),
            json!(usize::MAX.to_string()),
            "classes, up to 1024 are read",
        ),
        (
            "/learner/gradient_booster/model/tree_info/3".into(),
            json!(1),
            "tree 3: class 1 of 1",
        ),
        (
            "/learner/gradient_booster/model/tree_info".into(),
            json!([0]),
            "not of one length",
        ),
    ] {
        let found = refused(&pointer, to);
        assert!(found.contains(wanted), "{found}\nfor {pointer}");
    }
    let found = Forest::xgboost(b"{\n\"learner\": 3}")
        .err()
        .unwrap()
        .to_string();
    assert!(found.contains("line 2 column 12"), "{found}");
}

#[test]
fn older_files_of_xgboost_are_read_too() {
    let whole = beside("vectors/ml/xgb_binary.json");
    let mut file: Value = serde_json::from_slice(&whole).unwrap();
    let score = file
        .pointer_mut("/learner/learner_model_param/base_score")
        .unwrap();
    *score = json!(score.as_str().unwrap().trim_matches(['[', ']']));
    let trees = "/learner/gradient_booster/model/trees";
    for tree in file.pointer_mut(trees).unwrap().as_array_mut().unwrap() {
        for flag in tree["default_left"].as_array_mut().unwrap() {
            *flag = json!(flag.as_u64() == Some(1));
        }
    }
    let [old, new] =
        [file.to_string().into_bytes(), whole].map(|file| Forest::xgboost(&file).unwrap());
    let rows: Vec<f32> = (0..240u16).map(|x| f32::from(x) / 60.0 - 2.0).collect();
    let [mut a, mut b] = [[0.0; 10]; 2];
    old.predict(&rows, &mut a).unwrap();
    new.predict(&rows, &mut b).unwrap();
    assert_eq!(a, b);
    let dart = json!({"name": "dart", "weight_drop": vec![0.5; new.trees()],
        "gbtree": {"model": file["learner"]["gradient_booster"]["model"]}});
    file["learner"]["gradient_booster"] = dart;
    let dart = Forest::xgboost(file.to_string().as_bytes()).unwrap();
    let [mut whole, mut half] = [[0.0; 10]; 2];
    new.margins(&rows, &mut whole).unwrap();
    dart.margins(&rows, &mut half).unwrap();
    let start = -(1.0f64 / 0.488_333_34 - 1.0).ln();
    for (half, whole) in half.iter().zip(whole) {
        assert!(((half - start) * 2.0 - (whole - start)).abs() < 1e-5);
    }
}

#[test]
fn a_random_forest_says_a_mean() {
    let tree = SMALL.split_once("Tree=0").unwrap().1;
    let tree = tree.split_once("end").unwrap().0;
    let twice = SMALL.replace("end", &format!("Tree=1{tree}end"));
    let forest = Forest::lightgbm(&twice.replace("binary sigmoid:2", "regression\naverage_output"));
    let forest = forest.unwrap();
    let mut result = [0.0];
    forest.predict(&[0.0, 0.0, 2.0], &mut result).unwrap();
    assert_eq!((result, forest.trees()), ([2.0], 2));
    forest.margins(&[0.0, 0.0, 2.0], &mut result).unwrap();
    assert_eq!(result, [4.0]);
}

#[test]
fn a_network_says_what_is_wrong() {
    for (file, wanted) in [
        ("{\n1", "line 2 column 1"),
        ("{}", "no network"),
        (r#"{"coef": [], "intercept": 1}"#, "layer 0: weights"),
        (
            r#"{"coef": [[1], [1, 2]], "intercept": [1, 2]}"#,
            "not of one length",
        ),
        (
            r#"{"coef": [[1], [2]], "intercept": [1]}"#,
            "layer 0: weights are not 1 rows of 1",
        ),
        (
            r#"{"coef": [1e39], "intercept": 1}"#,
            "no number of 32 bits",
        ),
        (
            r#"{"coefs": [[[1, 2]], [[1]]], "intercepts": [[0, 0], [0]],
                "activation": "relu", "out": "identity"}"#,
            "layer 1: weights are not 2 rows of 1",
        ),
        (
            r#"{"coefs": [], "intercepts": [], "activation": "relu", "out": "identity"}"#,
            "0 layers and 0 intercepts",
        ),
    ] {
        let found = Network::json(file.as_bytes()).err().unwrap().to_string();
        assert!(found.contains(wanted), "{found}\nfor {file}");
    }
}

#[test]
fn rows_that_are_not_whole_are_refused() {
    let forest = Forest::lightgbm(SMALL).unwrap();
    let mut sums = [0.0; 2];
    let lengths = |what, found, wanted| {
        Err(Fault::Lengths {
            what,
            found,
            wanted,
        })
    };
    assert_eq!(forest.margins(&[0.0; 7], &mut sums), lengths("rows", 7, 6));
    assert_eq!(forest.predict(&[0.0; 9], &mut sums), lengths("sums", 2, 3));
    assert_eq!(forest.margins(&[], &mut []), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_damaged_file_is_refused_or_answers(
        at in 0usize..60_000,
        byte in any::<u8>(),
        name in prop::sample::select(vec!["lgb_regression.txt", "xgb_binary.json"]),
    ) {
        let mut file = text(name).into_bytes();
        let at = at % file.len();
        file[at] = byte;
        let forest = match name {
            "lgb_regression.txt" => Forest::lightgbm(&String::from_utf8_lossy(&file)),
            _ => Forest::xgboost(&file),
        };
        if let Ok(forest) = forest {
            let row = vec![0.25; forest.features()];
            let mut sums = vec![0.0; forest.outputs()];
            prop_assert!(forest.predict(&row, &mut sums).is_ok());
        }
    }
}
