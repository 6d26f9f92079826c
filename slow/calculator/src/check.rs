//! `versions` and `check`.

use std::path::PathBuf;

use clap::Args;
use quant::monitoring::Alarm;
use serde_json::{Value, json};

use crate::Refused;
use crate::answer::{Answer, columns, facts, number, percent};
use crate::asked::{Asked, likeliest};
use crate::entered::Entered;
use crate::registry::{Registry, Version};
use crate::table::Table;

/// Answers that were always right are expected to be wrong so often.
const CERTAIN: f64 = 1e-3;

/// Arguments of `versions`.
#[derive(Debug, Args)]
pub(crate) struct Versions {
    /// The folder of a model's versions, which `train --versions` made.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Have this version asked from now on.
    #[arg(long = "use", value_name = "VERSION")]
    chosen: Option<u32>,
    /// Add this model, of any kind that predict asks, as the next version.
    #[arg(long, value_name = "MODEL", requires = "rows")]
    add: Option<PathBuf>,
    /// What the added model is judged by and compared with later: rows that it did not learn from,
    /// with a column for each feature, in the model's order, and labels, whose names by size or
    /// letters are the model's results.
    #[arg(long, value_name = "ROWS.csv", requires = "add")]
    rows: Option<PathBuf>,
    /// The column of labels.
    #[arg(long, default_value = "label")]
    label: String,
    /// The library that answers models in ONNX, as for predict.
    #[arg(long, value_name = "LIBRARY")]
    onnxruntime: Option<PathBuf>,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The folder of a model's versions.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Rows that came since, the oldest first, with the columns that the model learnt from.
    #[arg(value_name = "ROWS.csv")]
    rows: PathBuf,
    /// Another version than the current one.
    #[arg(long)]
    version: Option<u32>,
    /// The column of what was right, if it is known: answers are compared with it.
    #[arg(long)]
    label: Option<String>,
    /// The index of a feature from which on it counts as drifted.
    #[arg(long, default_value_t = 0.25)]
    drift: f64,
    /// By how much fewer right answers shall be noticed.
    #[arg(long, default_value_t = 0.05)]
    fall: f64,
    /// Answers between two false alarms, on average at least.
    #[arg(long, default_value_t = 10_000.0)]
    between: f64,
    /// The library that answers models in ONNX, as for predict.
    #[arg(long, value_name = "LIBRARY")]
    onnxruntime: Option<PathBuf>,
}

pub(crate) fn versions(args: &Versions) -> Result<Answer, Refused> {
    let added = match (&args.add, &args.rows) {
        (Some(model), Some(rows)) => {
            let entered = Entered {
                model,
                rows,
                label: &args.label,
                library: args.onnxruntime.as_deref(),
            };
            Some(entered.add(&args.folder)?)
        }
        _ => None,
    };
    let registry = Registry::open(&args.folder)?;
    if let Some(chosen) = args.chosen {
        registry.choose(chosen)?;
    }
    let current = registry.current()?;
    let (mut lines, mut all) = (Vec::new(), Vec::new());
    for number in registry.numbers()? {
        // One that is damaged is told as such: the others are still to be seen.
        let mark = if number == current { "current" } else { "" };
        match registry.version(number) {
            Ok(version) => {
                let trained = &version.card.trained["all"];
                let rate = |name: &str| trained[name].as_f64().map_or("-".to_owned(), percent);
                let mut line = vec![number.to_string()];
                line.extend(["accuracy", "balanced_accuracy", "macro_f1"].map(rate));
                line.push(mark.to_owned());
                lines.push(line);
                all.push(json!({
                    "version": number, "current": number == current, "trained": trained,
                }));
            }
            Err(refused) => {
                let dash = || "-".to_owned();
                lines.push(vec![
                    number.to_string(),
                    dash(),
                    dash(),
                    dash(),
                    "damaged".into(),
                ]);
                all.push(json!({
                    "version": number, "current": number == current,
                    "damaged": refused.to_string(),
                }));
            }
        }
    }
    Ok(Answer {
        text: columns(&["version", "right", "balanced", "macro F1", ""], &lines),
        json: json!({ "current": current, "added": added, "versions": all }),
        picture: None,
        is_complete: true,
    })
}

/// The answer, and whether an alarm is raised.
pub(crate) fn check(args: &Check) -> Result<(Answer, bool), Refused> {
    if !(args.drift > 0.0 && args.drift <= 1e3) {
        return Err(Refused("--drift: between 0 and 1000".into()));
    }
    let registry = Registry::open(&args.folder)?;
    let number = args.version.map_or_else(|| registry.current(), Ok)?;
    let version = registry.version(number)?;
    let (table, labels) = match &args.label {
        Some(label) => Table::read_labelled(&args.rows, label)?,
        None => (Table::read(&args.rows)?, Vec::new()),
    };
    let rows = picked(&table, &version)?;
    let (drifted, drift, mut text) = drift(args, &version, &rows, &table)?;
    let mut raised = drifted > 0;
    let mut right = Value::Null;
    if args.label.is_some() {
        let (told, lines, is_raised) = answered(args, &version, &rows, &labels, &table)?;
        (right, raised) = (told, raised || is_raised);
        text.push('\n');
        text.push_str(&lines);
    }
    let verdict = if raised { "ALARM" } else { "no alarm" };
    let text = format!("version {number}: {verdict}\n\n{text}");
    let json = json!({ "version": number, "alarm": raised, "drift": drift, "answers": right });
    let answer = Answer {
        text,
        json,
        picture: None,
        is_complete: true,
    };
    Ok((answer, raised))
}

/// The model's columns of a table, in its order.
fn picked(table: &Table, version: &Version) -> Result<Vec<f32>, Refused> {
    let places: Result<Vec<usize>, Refused> = version
        .card
        .features
        .iter()
        .map(|name| table.find(name))
        .collect();
    let places = places?;
    let rows = table.numbers.chunks_exact(table.width.max(1));
    let pick = |row: &[f64]| places.iter().map(|at| row[*at] as f32).collect::<Vec<_>>();
    Ok(rows.flat_map(pick).collect())
}

fn drift(
    args: &Check,
    version: &Version,
    rows: &[f32],
    table: &Table,
) -> Result<(usize, Value, String), Refused> {
    let found = version.card.reference.drift(rows);
    let found = found.map_err(|fault| table.blame(&fault.to_string()))?;
    let mut drifted = 0;
    let (mut lines, mut all) = (Vec::new(), serde_json::Map::new());
    for (name, index) in version.card.features.iter().zip(found) {
        let is_drifted = index >= args.drift;
        drifted += usize::from(is_drifted);
        let mark = if is_drifted { "drifted" } else { "" };
        lines.push(vec![name.clone(), number(index), mark.to_owned()]);
        all.insert(name.clone(), json!(index));
    }
    let text = columns(&["feature", "drift", ""], &lines);
    Ok((drifted, Value::Object(all), text))
}

/// How often the model is right, and whether that is less than it was.
fn answered(
    args: &Check,
    version: &Version,
    rows: &[f32],
    labels: &[String],
    table: &Table,
) -> Result<(Value, String, bool), Refused> {
    let card = &version.card;
    let classes = card.classes.len();
    let mut model = Asked::read(&version.model, args.onnxruntime.as_deref())?;
    let shares = model.shares(rows, table, classes)?;
    // What was always right may be wrong once.
    let expected = card.accuracy.clamp(CERTAIN, 1.0 - CERTAIN);
    let mut alarm = Alarm::new(expected, args.fall, args.between)?;
    let (mut right, mut unanswered) = (0_u64, 0_u64);
    for (at, (shares, label)) in shares.chunks_exact(classes).zip(labels).enumerate() {
        let Some(class) = card.classes.iter().position(|name| name == label) else {
            let all = card.classes.join(", ");
            let what = format!(
                "row {}: the model knows no label {label:?}, but {all}",
                at + 1
            );
            return Err(table.blame(&what));
        };
        let said = likeliest(shares);
        unanswered += u64::from(said.is_none());
        let is_right = said == Some(class);
        right += u64::from(is_right);
        alarm.push(is_right);
    }
    let found = right as f64 / labels.len() as f64;
    let raised = alarm.raised();
    let mut lines = vec![
        ("right", percent(found)),
        ("right when trained", percent(card.accuracy)),
        (
            "alarm",
            raised.map_or("none".to_owned(), |at| format!("at row {}", at + 1)),
        ),
    ];
    if unanswered > 0 {
        lines.push(("no number, so not right", unanswered.to_string()));
    }
    let text = facts(&lines);
    let json = json!({
        "accuracy": found, "expected": card.accuracy, "rows": labels.len(),
        "unanswered": unanswered,
        "raised_at": raised.map(|at| at + 1), "level": alarm.level(),
    });
    Ok((json, text, raised.is_some()))
}
