//! `predict`.

use std::path::{Path, PathBuf};

use clap::Args;
use history::{Kind, Value};
use serde_json::json;

use crate::Refused;
use crate::answer::{Answer, columns, number};
use crate::asked::Asked;
use crate::registry::Registry;
use crate::sheet::Sheet;
use crate::table::{Table, is_given};

/// Arguments of `predict`.
#[derive(Debug, Args)]
pub(crate) struct Predict {
    /// The model: LightGBM's text, XGBoost's JSON or UBJSON, scikit-learn's weights as JSON, ONNX;
    /// or a folder of versions, of which the current one is asked.
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// Rows, with a column for each feature, in the model's order; empty where one is missing.
    #[arg(value_name = "ROWS.csv")]
    rows: PathBuf,
    /// Show the sums, before they are made probabilities, rates or values; of trees only.
    #[arg(long)]
    raw: bool,
    /// Write the results as a table, too: as Parquet if its name ends in .parquet.
    #[arg(long, value_name = "RESULTS.csv")]
    results: Option<PathBuf>,
    /// The library that answers models in ONNX, libonnxruntime.so, 1.17 or later; without this that
    /// of the variable `ORT_DYLIB_PATH`, or else the system's.
    #[arg(long, value_name = "LIBRARY")]
    onnxruntime: Option<PathBuf>,
}

pub(crate) fn predict(args: &Predict) -> Result<Answer, Refused> {
    let file = if !is_given() && args.model.is_dir() {
        let registry = Registry::open(&args.model)?;
        registry.version(registry.current()?)?.model
    } else {
        args.model.clone()
    };
    let mut model = Asked::read(&file, args.onnxruntime.as_deref())?;
    let table = Table::read(&args.rows)?;
    let features = model.features().unwrap_or(table.width);
    if table.width != features {
        let what = format!(
            "{} columns of numbers, the model has {features}",
            table.width
        );
        return Err(table.blame(&what));
    }
    let rows: Vec<f32> = table.numbers.iter().map(|x| *x as f32).collect();
    let (results, outputs) = model.predict(&rows, features, args.raw)?;
    if let Some(file) = &args.results {
        written(file, &table, &results, outputs)?;
    }
    let names: Vec<String> = (0..outputs).map(|at| format!("result {at}")).collect();
    let mut head = vec!["row"];
    head.extend(names.iter().map(String::as_str));
    let each = results.chunks_exact(outputs).enumerate();
    let lines: Vec<Vec<String>> = each
        .clone()
        .map(|(row, results)| {
            let cells = results.iter().map(|x| number(*x)).collect();
            [vec![table.label(row)], cells].concat()
        })
        .collect();
    let all: Vec<_> = each
        .map(|(row, results)| json!({"row": table.label(row), "results": results}))
        .collect();
    Ok(Answer {
        text: columns(&head, &lines),
        json: json!({ "rows": all }),
        picture: None,
        is_complete: true,
    })
}

/// Writes results, a row for each that was asked about.
fn written(file: &Path, table: &Table, results: &[f64], outputs: usize) -> Result<(), Refused> {
    let names: Vec<String> = (0..outputs).map(|at| format!("result_{at}")).collect();
    let row = (
        "row",
        if table.labels.is_some() {
            Kind::Text
        } else {
            Kind::Integer
        },
    );
    let columns: Vec<_> = [row]
        .into_iter()
        .chain(names.iter().map(|name| (name.as_str(), Kind::Double)))
        .collect();
    let mut sheet = Sheet::new(file, &columns)?;
    for (row, results) in results.chunks_exact(outputs).enumerate() {
        let label = table.label(row);
        let first = match table.labels {
            Some(_) => Value::Text(&label),
            None => Value::Integer(row as i64 + 1),
        };
        let results = results.iter().map(|x| Value::Double(*x));
        let row: Vec<_> = [first].into_iter().chain(results).collect();
        sheet.push(&row)?;
    }
    sheet.finish()
}
