//! Models in ONNX give onnxruntime's answers, and those of our own networks of the same weights.

#![allow(clippy::unwrap_used)]
#![cfg(feature = "onnx")]

#[path = "onnx/made.rs"]
mod made;
// Where `cargo x setup` puts it is the builder's tool's business.
#[path = "../../../tools/src/setup/venv.rs"]
#[allow(dead_code, reason = "a part is used here")]
mod venv;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use made::{FLOAT, Graph, INT64, Size};
use serde_json::{Value, json};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_wirecross-quant");
/// Sizes of the layers of the network.
const LAYERS: [usize; 3] = [4, 6, 3];
/// More than are handed over at once.
const ROWS: usize = 5_000;

fn run(folder: &Path, words: &[&str], library: &str) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(words).current_dir(folder);
    command.env("ORT_DYLIB_PATH", library).output().unwrap()
}

fn said(folder: &Path, words: &[&str], library: &str) -> Vec<Vec<f64>> {
    let output = run(folder, &[words, &["--json"]].concat(), library);
    assert!(output.status.success(), "{words:?}: {output:?}");
    assert!(output.stderr.is_empty(), "{words:?}: {output:?}");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = said["rows"].as_array().unwrap().iter();
    rows.map(|row| serde_json::from_value(row["results"].clone()).unwrap())
        .collect()
}

fn error_of(folder: &Path, words: &[&str], library: &str) -> String {
    let output = run(folder, words, library);
    assert!(!output.status.success(), "{words:?}: {output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("panicked"), "{words:?}: {said}");
    said
}

/// What `onnx_rows.py` says.
fn python(python: &PathBuf, arguments: &[&Path]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx_rows.py");
    let mut command = Command::new(python);
    let output = command.arg(script).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Numbers between -1 and 1 that are the same each time.
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1 << 23) as f32) - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// A network with softmax: its graph up to the probabilities, and the same for us.
fn network() -> (Graph, Value) {
    let [inputs, hidden, outputs] = LAYERS;
    let (first, second) = (numbers(inputs * hidden, 1), numbers(hidden * outputs, 2));
    let shifts = [numbers(hidden, 3), numbers(outputs, 4)];
    let graph = Graph::default()
        .node("Gemm", &["rows", "w1", "b1"], &["sums"], &[])
        .node("Relu", &["sums"], &["known"], &[])
        .node("Gemm", &["known", "w2", "b2"], &["scores"], &[])
        .node("Softmax", &["scores"], &["probabilities"], &[("axis", 1)])
        .weights("w1", &[inputs, hidden], &first)
        .weights("w2", &[hidden, outputs], &second)
        .weights("b1", &[hidden], &shifts[0])
        .weights("b2", &[outputs], &shifts[1]);
    let rows = |weights: &[f32], width| {
        let rows = weights.chunks(width);
        rows.map(<[f32]>::to_vec).collect::<Vec<_>>()
    };
    let ours = json!({
        "coefs": [rows(&first, hidden), rows(&second, outputs)], "intercepts": shifts,
        "activation": "relu", "out": "softmax",
    });
    (graph, ours)
}

/// A folder with rows, and onnxruntime with the Python that has it.
fn begun() -> Option<(TempDir, String, PathBuf)> {
    let found = venv::python_with(PROGRAM, &["onnxruntime", "numpy"])?;
    let folder = tempfile::tempdir().unwrap();
    let mut text = "a,b,c,d\n".to_owned();
    for row in numbers(ROWS * LAYERS[0], 5).chunks(LAYERS[0]) {
        let [a, b, c, d] = row else { unreachable!() };
        let _ = writeln!(text, "{a},{b},{c},{d}");
    }
    std::fs::write(folder.path().join("rows.csv"), text).unwrap();
    let library = python(&found, &[]);
    Some((folder, library, found))
}

#[test]
fn answers_are_those_of_onnxruntime_and_of_our_network() {
    let Some((folder, library, program)) = begun() else {
        return;
    };
    let folder = folder.path();
    let (graph, ours) = network();
    std::fs::write(folder.join("ours.json"), ours.to_string()).unwrap();
    let ours = said(folder, &["predict", "ours.json", "rows.csv"], "");
    let answer = |graph: Graph, rows: Size| {
        let graph = graph.input("rows", FLOAT, &[rows, Size::Is(4)]);
        graph.output("probabilities", FLOAT, &[rows, Size::Is(3)])
    };
    // Any number of rows; one at a time, and a label beside the answer.
    let likeliest = graph
        .clone()
        .node(
            "ArgMax",
            &["probabilities"],
            &["label"],
            &[("axis", 1), ("keepdims", 0)],
        )
        .output("label", INT64, &[Size::Any]);
    for (name, graph) in [
        ("any.onnx", answer(graph.clone(), Size::Any)),
        ("one.onnx", answer(graph, Size::Is(1))),
        ("label.onnx", answer(likeliest, Size::Any)),
    ] {
        std::fs::write(folder.join(name), graph.model()).unwrap();
        let due = python(&program, &[&folder.join(name), &folder.join("rows.csv")]);
        let due: Vec<Vec<f64>> = serde_json::from_str(&due).unwrap();
        let found = said(folder, &["predict", name, "rows.csv"], &library);
        assert_eq!(found.len(), ROWS);
        assert!(found == due, "{name}: {:?}, not {:?}", found[0], due[0]);
        for (found, ours) in found.iter().flatten().zip(ours.iter().flatten()) {
            assert!((found - ours).abs() < 1e-6, "{name}: {found}, not {ours}");
        }
    }
    // By its option as by the variable, and whatever the file is called.
    std::fs::copy(folder.join("any.onnx"), folder.join("model")).unwrap();
    let words = ["predict", "model", "rows.csv", "--onnxruntime", &library];
    assert_eq!(said(folder, &words, "/nowhere").len(), ROWS);
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let Some((folder, library, _)) = begun() else {
        return;
    };
    let folder = folder.path();
    let (graph, _) = network();
    let rows = [Size::Any, Size::Is(4)];
    let classes = [Size::Any, Size::Is(3)];
    let asked = graph.clone().input("rows", FLOAT, &rows);
    let whole = asked
        .clone()
        .output("probabilities", FLOAT, &classes)
        .model();
    let two = asked.clone().output("probabilities", FLOAT, &classes);
    let two = two.output("scores", FLOAT, &classes);
    let maps = asked
        .clone()
        .zip_map("probabilities", "maps")
        .output_maps("maps");
    let whole_numbers = Graph::default()
        .node("Cast", &["rows"], &["x"], &[("to", FLOAT as i64)])
        .input("rows", INT64, &rows)
        .output("x", FLOAT, &rows);
    let lot = graph.input("rows", FLOAT, &[Size::Is(8), Size::Is(4)]);
    let lot = lot.output("probabilities", FLOAT, &[Size::Is(8), Size::Is(3)]);
    let inputs = Graph::default()
        .node("Add", &["rows", "others"], &["x"], &[])
        .input("rows", FLOAT, &rows)
        .input("others", FLOAT, &rows)
        .output("x", FLOAT, &rows);
    for (model, wanted) in [
        (
            two.model(),
            "one of them is to be a tensor of f32, it has 2",
        ),
        (maps.model(), "zipmap=False"),
        (whole_numbers.model(), "a tensor of f32 [rows, features]"),
        (lot.model(), "a tensor of f32 [rows, features]"),
        (inputs.model(), "2 inputs (rows "),
        (whole[..whole.len() / 2].to_vec(), "bad.onnx: "),
        (Vec::new(), "bad.onnx: "),
    ] {
        std::fs::write(folder.join("bad.onnx"), model).unwrap();
        let refused = error_of(folder, &["predict", "bad.onnx", "rows.csv"], &library);
        assert!(refused.contains(wanted), "{refused}");
    }
    std::fs::write(folder.join("good.onnx"), whole).unwrap();
    std::fs::write(folder.join("few.csv"), "a,b\n1,2\n").unwrap();
    for (words, library, wanted) in [
        (
            &["few.csv"][..],
            &*library,
            "few.csv: 2 columns of numbers, the model has 4",
        ),
        (&["rows.csv", "--raw"], &library, "--raw: only of trees"),
        (&["rows.csv"], "/nowhere", "/nowhere: No such file"),
        (
            &["rows.csv"],
            "/nowhere",
            "by --onnxruntime or ORT_DYLIB_PATH",
        ),
        (
            &["rows.csv", "--onnxruntime", "rows.csv"],
            &library,
            "failed to load",
        ),
    ] {
        let words = [&["predict", "good.onnx"], words].concat();
        let refused = error_of(folder, &words, library);
        assert!(refused.contains(wanted), "{refused}");
    }
}

#[test]
fn a_folder_of_versions_takes_a_model_and_checks_it() {
    let Some((folder, library, _)) = begun() else {
        return;
    };
    let folder = folder.path();
    let (graph, _) = network();
    let rows = [Size::Any, Size::Is(4)];
    let graph = graph.input("rows", FLOAT, &rows);
    let model = graph.output("probabilities", FLOAT, &[Size::Any, Size::Is(3)]);
    std::fs::write(folder.join("net.onnx"), model.model()).unwrap();
    let said_before = said(folder, &["predict", "net.onnx", "rows.csv"], &library);
    // Labels are what the model says, but one in ten.
    let text = std::fs::read_to_string(folder.join("rows.csv")).unwrap();
    let mut labelled = "a,b,c,d,label\n".to_owned();
    for (at, (line, shares)) in text.lines().skip(1).zip(&said_before).enumerate() {
        let better = |best: usize, at: usize| if shares[at] > shares[best] { at } else { best };
        let class = ((1..3).fold(0, better) + usize::from(at % 10 == 0)) % 3;
        let _ = writeln!(labelled, "{line},{class}");
    }
    std::fs::write(folder.join("labelled.csv"), labelled).unwrap();
    let words = [
        "versions",
        "nets",
        "--add",
        "net.onnx",
        "--rows",
        "labelled.csv",
    ];
    let refused = error_of(folder, &words, "/nowhere");
    assert!(refused.contains("takes onnxruntime"), "{refused}");
    let output = run(folder, &[&words[..], &["--json"]].concat(), &library);
    assert!(output.status.success(), "{output:?}");
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&listed["added"], &listed["current"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(listed["versions"][0]["trained"]["accuracy"], json!(0.9));
    assert_eq!(
        said(folder, &["predict", "nets", "rows.csv"], &library),
        said_before
    );
    let words = [
        "check",
        "nets",
        "labelled.csv",
        "--label",
        "label",
        "--json",
    ];
    let output = run(folder, &words, &library);
    assert!(output.status.success(), "{output:?}");
    let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(checked["answers"]["accuracy"], json!(0.9));
    std::fs::write(
        folder.join("two.csv"),
        "a,b,c,d,label\n1,2,3,4,x\n1,2,3,4,y\n",
    )
    .unwrap();
    let words = ["versions", "nets", "--add", "net.onnx", "--rows", "two.csv"];
    let refused = error_of(folder, &words, &library);
    assert!(
        refused.contains("two.csv: 2 labels, the model has 3 results"),
        "{refused}"
    );
}
