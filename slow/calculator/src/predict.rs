//! `predict`.

use std::path::{Path, PathBuf};

use clap::Args;
use quant::Fault;
use quant::models::{Forest, Network, Unread};
use serde_json::json;

use crate::Refused;
use crate::answer::{Answer, columns, number};
use crate::registry::Registry;
use crate::table::{Table, bytes};

/// Arguments of `predict`.
#[derive(Debug, Args)]
pub(crate) struct Predict {
    /// The model: LightGBM's text, XGBoost's JSON or UBJSON, scikit-learn's weights as JSON; or a
    /// folder of versions, of which the current one is asked.
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// Rows, with a column for each feature, in the model's order; empty where one is missing.
    #[arg(value_name = "ROWS.csv")]
    rows: PathBuf,
    /// Show the sums, before they are made probabilities, rates or values; of trees only.
    #[arg(long)]
    raw: bool,
}

/// A model of any kind.
enum Model {
    Forest(Forest),
    Network(Network),
}

pub(crate) fn predict(args: &Predict) -> Result<Answer, Refused> {
    let model = if args.model.is_dir() {
        let registry = Registry::open(&args.model)?;
        Model::read(&registry.version(registry.current()?)?.model)?
    } else {
        Model::read(&args.model)?
    };
    let table = Table::read(&args.rows)?;
    let (features, outputs) = model.shape();
    if table.width != features {
        let what = format!(
            "{} columns of numbers, the model has {features}",
            table.width
        );
        return Err(table.blame(&what));
    }
    let rows: Vec<f32> = table.numbers.iter().map(|x| *x as f32).collect();
    let mut results = vec![0.0; table.height() * outputs];
    model.ask(&rows, &mut results, args.raw)?;
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
    })
}

impl Model {
    /// By what the file begins with.
    fn read(file: &Path) -> Result<Self, Refused> {
        let bytes = bytes(file)?;
        let begin = String::from_utf8_lossy(&bytes[..bytes.len().min(4_096)]).into_owned();
        let forest = if begin.starts_with("tree") {
            let text = String::from_utf8_lossy(&bytes);
            Forest::lightgbm(&text).map(Self::Forest)
        } else if begin.contains("\"coef") || begin.contains("\"intercept") {
            Network::json(&bytes).map(Self::Network)
        } else {
            Forest::xgboost(&bytes).map(Self::Forest)
        };
        forest.map_err(|unread: Unread| Refused(format!("{}: {unread}", file.display())))
    }

    /// Numbers of a row, and results.
    fn shape(&self) -> (usize, usize) {
        match self {
            Self::Forest(forest) => (forest.features(), forest.outputs()),
            Self::Network(network) => (network.features(), network.outputs()),
        }
    }

    fn ask(&self, rows: &[f32], results: &mut [f64], is_raw: bool) -> Result<(), Refused> {
        let asked: Result<(), Fault> = match self {
            Self::Forest(forest) if is_raw => forest.margins(rows, results),
            Self::Forest(forest) => forest.predict(rows, results),
            Self::Network(_) if is_raw => {
                return Err(Refused("--raw: only of trees".into()));
            }
            Self::Network(network) => network.predict(rows, results),
        };
        Ok(asked?)
    }
}
