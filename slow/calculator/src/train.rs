//! `train` and `generate`.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use history::{Kind, Value};
use quant::monitoring::Reference;
use quant::montecarlo::Progress;
use quant::training::{Example, Examples, Growth, Quality, Walk, walk};
use serde_json::{Value as Json, json};

use crate::Refused;
use crate::answer::{Answer, columns, facts, percent};
use crate::pruned::Pruned;
use crate::registry::{Card, Registry};
use crate::sheet::{Sheet, digits};
use crate::table::{Table, is_given};
use crate::watch::Watch;
use crate::worth::{Beats, Earned, Gains};

/// What columns are called that tell the future.
const FUTURE: &str = "future_";
/// Rows that are trained on at most if who asks is another program.
const GIVEN_ROWS_MAX: usize = 200_000;
/// What generated labels are called.
const WORTH: [&str; 3] = ["SELL", "HOLD", "BUY"];

/// Arguments of `train`.
#[derive(Debug, Args)]
pub(crate) struct Train {
    /// Rows, the oldest first, with names, a column of labels, and one for each feature, empty
    /// where a number is missing.
    #[arg(value_name = "ROWS.csv")]
    rows: PathBuf,
    /// Where the model is written to, as LightGBM's text; without it that is a part of the JSON.
    #[arg(long, value_name = "MODEL.txt", required_unless_present = "json")]
    model: Option<PathBuf>,
    /// Cut off leaves of the model where that changes what a tree says of no row by more than this.
    #[arg(long, value_name = "OFF")]
    prune: Option<f64>,
    /// A folder of versions that the model is added to, as well.
    #[arg(long, value_name = "FOLDER")]
    versions: Option<PathBuf>,
    /// The column of labels, which are words or numbers.
    #[arg(long, default_value = "label")]
    label: String,
    /// How often what was learnt is judged by the rows that follow.
    #[arg(long, default_value_t = 4)]
    folds: usize,
    /// Rows that are left out before those that judge: as many as labels look ahead.
    #[arg(long, default_value_t = 0)]
    gap: usize,
    /// What answering a label would have brought, as LABEL=COLUMN: the column is no feature then.
    /// Other answers bring nothing.
    #[arg(long = "earns", value_name = "LABEL=COLUMN", value_parser = earning)]
    earns: Vec<(String, String)>,
    /// All labels weigh the same, however rare: for the balanced accuracy, not the accuracy.
    #[arg(long)]
    balanced: bool,
    /// Rounds of trees at most; it ends before where held back rows say so.
    #[arg(long, default_value_t = Growth::default().rounds)]
    rounds: usize,
    /// Leaves of a tree at most.
    #[arg(long, default_value_t = Growth::default().leaves)]
    leaves: usize,
    /// Rows of a leaf at least.
    #[arg(long, default_value_t = Growth::default().least_rows)]
    least_rows: u32,
    /// How much of each tree counts.
    #[arg(long, default_value_t = Growth::default().rate)]
    rate: f64,
}

/// Arguments of `generate`.
#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// Where the rows are written to: as Parquet if its name ends in .parquet.
    #[arg(value_name = "ROWS.csv")]
    rows: PathBuf,
    /// How many.
    #[arg(long, default_value_t = 20_000)]
    count: usize,
    /// How often the best possible answer is right.
    #[arg(long, default_value_t = 0.78)]
    rate: f64,
    /// Makes other rows.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Takes out what is only known later, which `features` writes as well, so that nobody learns from
/// it by accident: the names of the columns.
pub(crate) fn left_out(table: &mut Table) -> Result<Vec<String>, Refused> {
    let is_later = |name: &String| name.to_ascii_lowercase().starts_with(FUTURE);
    let mut names = Vec::new();
    while let Some(column) = table.names.iter().position(is_later) {
        names.push(table.name(column));
        table.take(column);
    }
    if table.width == 0 {
        return Err(table.blame("no column is left to learn from"));
    }
    Ok(names)
}

/// The numbers of a table as models take them.
pub(crate) fn singles(table: &Table) -> Result<Vec<f32>, Refused> {
    let rows: Vec<f32> = table.numbers.iter().map(|x| *x as f32).collect();
    if let Some(at) = rows.iter().position(|x| x.is_infinite()) {
        let [row, column] = [at / table.width, at % table.width];
        return Err(table.blame_cell(row, column, "is too great for 32 bits: scale the column"));
    }
    Ok(rows)
}

fn earning(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(label, column)| {
        let is_there = |part: &str| !part.trim().is_empty();
        is_there(label) && is_there(column)
    });
    let (label, column) = pair.ok_or("is not LABEL=COLUMN")?;
    Ok((label.trim().to_owned(), column.trim().to_owned()))
}

impl Train {
    /// Of all rounds at most, of a class.
    pub fn leaves(&self) -> usize {
        self.rounds.saturating_mul(self.leaves)
    }
}

pub(crate) fn train(args: &Train, watch: &Watch) -> Result<Answer, Refused> {
    let (mut table, labels) = Table::read_labelled(&args.rows, &args.label)?;
    if is_given() && labels.len() > GIVEN_ROWS_MAX {
        let rows = labels.len();
        return Err(table.blame(&format!("{rows} rows: up to {GIVEN_ROWS_MAX}")));
    }
    let names = classes(&labels);
    let gains = Gains::take(&mut table, &names, &args.earns)?;
    let left_out = left_out(&mut table)?;
    let rows = singles(&table)?;
    let of = |label: &String| names.iter().position(|name| name == label).unwrap_or(0) as u32;
    let labels: Vec<u32> = labels.iter().map(of).collect();
    let refused = |fault| table.blame(&format!("{fault}"));
    let examples = Examples::new(&rows, &labels, table.width, names.len()).map_err(refused)?;
    let growth = Growth {
        rounds: args.rounds,
        leaves: args.leaves,
        least_rows: args.least_rows,
        rate: args.rate,
        is_balanced: args.balanced,
        ..Growth::default()
    };
    watch.begin()?;
    let found = walk(&examples, (args.folds, args.gap), growth, |done, parts| {
        let [done, parts] = [done, parts].map(|rounds| rounds as u64);
        watch.on(Progress { done, parts })
    });
    let mut found = found.map_err(refused)?;
    let beats = Beats::new(&found, examples.labels(), names.len())?;
    let gains = gains.map(|gains| gains.earned(&found));
    let mut answer = told(&found, &names, (&beats, gains.as_ref()));
    if !left_out.is_empty() {
        let names = left_out.join(", ");
        let _ = writeln!(answer.text, "not learnt from, as it is the future: {names}");
    }
    answer.json["left_out"] = json!(left_out);
    let Some(booster) = &mut found.booster else {
        answer.text.push_str("stopped: no model was written\n");
        return Ok(answer);
    };
    let pruned = match args.prune {
        Some(off) => Some(Pruned::of(booster, &rows, off)?),
        None => None,
    };
    let (text, rounds) = (booster.text(&table.names), booster.rounds());
    match &args.model {
        Some(model) => std::fs::write(model, &text)
            .map_err(|error| Refused(format!("{}: {error}", model.display())))?,
        None => answer.json["text"] = json!(text),
    }
    let model = args.model.as_ref().map(|model| model.display().to_string());
    let name = model.as_deref().unwrap_or("the model");
    let _ = writeln!(answer.text, "{name}: {rounds} rounds");
    answer.json["model"] = json!(model);
    answer.json["rounds"] = json!(rounds);
    if let Some(pruned) = pruned {
        answer.text.push_str(&pruned.text());
        answer.json["pruned"] = pruned.json();
    }
    if let Some(folder) = &args.versions {
        let card = Card {
            features: table.names.clone(),
            classes: names,
            accuracy: found.all.accuracy(),
            reference: Reference::of(&rows, table.width).map_err(refused)?,
            trained: answer.json.clone(),
        };
        let version = Registry::add(folder, text.as_bytes(), &card)?;
        answer.json["version"] = json!(version);
        let folder = folder.display();
        let _ = writeln!(answer.text, "{folder}: version {version}");
    }
    Ok(answer)
}

/// The labels that there are, in the order of results: numbers by size, others by letters.
pub(crate) fn classes(labels: &[String]) -> Vec<String> {
    let mut names = labels.to_vec();
    names.sort_by(|a, b| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) => x.total_cmp(&y).then_with(|| a.cmp(b)),
        (x, y) => y.is_ok().cmp(&x.is_ok()).then_with(|| a.cmp(b)),
    });
    names.dedup();
    names
}

fn told(found: &Walk, names: &[String], (beats, earned): (&Beats, Option<&Earned>)) -> Answer {
    let line = |name: &str, quality: &Quality, rounds: String, learnt: String| {
        let rates = [
            quality.accuracy(),
            quality.balanced_accuracy(),
            quality.macro_f1(),
        ];
        let mut cells = vec![name.to_owned(), learnt, quality.count().to_string(), rounds];
        cells.extend(rates.map(percent));
        cells
    };
    let mut lines = Vec::new();
    let mut folds = Vec::new();
    for (at, (fold, rounds, quality)) in found.folds.iter().enumerate() {
        let learnt = fold.learnt.len().to_string();
        let name = format!("fold {}", at + 1);
        lines.push(line(&name, quality, rounds.to_string(), learnt.clone()));
        let mut one = rates(quality);
        one["learnt"] = json!(fold.learnt.len());
        one["rounds"] = json!(rounds);
        folds.push(one);
    }
    // Of no answer there is no rate.
    let of_all = [("all", &found.all), ("majority", &found.majority)];
    let of_all = of_all.iter().filter(|_| !folds.is_empty());
    lines.extend(of_all.map(|(name, quality)| line(name, quality, String::new(), String::new())));
    let head = [
        "",
        "learnt from",
        "judged by",
        "rounds",
        "right",
        "balanced",
        "macro F1",
    ];
    let mut text = columns(&head, &lines);
    text.push('\n');
    let results: Vec<(String, String)> = names
        .iter()
        .enumerate()
        .map(|(at, name)| (format!("result {at}"), name.clone()))
        .collect();
    let results: Vec<(&str, String)> = results
        .iter()
        .map(|(result, name)| (result.as_str(), name.clone()))
        .collect();
    text.push_str(&facts(&results));
    if !folds.is_empty() {
        text.push_str(&beats.text());
    }
    if let Some(earned) = earned {
        text.push_str(&earned.text());
    }
    Answer {
        text,
        json: json!({
            "folds": folds, "all": rates(&found.all), "majority": rates(&found.majority),
            "model": null, "rounds": null, "classes": names, "complete": found.booster.is_some(),
            "beats_majority": beats.json(), "earned": earned.map(Earned::json),
        }),
        picture: None,
        is_complete: found.booster.is_some(),
    }
}

pub(crate) fn rates(quality: &Quality) -> Json {
    json!({
        "judged": quality.count(), "accuracy": quality.accuracy(),
        "balanced_accuracy": quality.balanced_accuracy(), "macro_f1": quality.macro_f1(),
    })
}

pub(crate) fn generate(args: &Generate, watch: &Watch) -> Result<Answer, Refused> {
    let example = Example::new(args.count, args.rate, args.seed)?;
    let names = Example::names().iter();
    let mut columns: Vec<_> = names.map(|name| (*name, Kind::Double)).collect();
    columns.push(("label", Kind::Text));
    let mut sheet = Sheet::new(&args.rows, &columns)?;
    let rows = example.rows().chunks_exact(Example::names().len());
    let mut written = 0;
    watch.begin()?;
    for (row, label) in rows.zip(example.labels()) {
        if watch.goes_on().is_break() {
            break;
        }
        let mut row: Vec<_> = row.iter().map(|x| Value::Double(digits(*x))).collect();
        row.push(Value::Text(WORTH[*label as usize]));
        sheet.push(&row)?;
        written += 1;
    }
    sheet.finish()?;
    let right = example.labels().iter().zip(example.best());
    let right = right.take(written).filter(|(label, best)| label == best);
    let reached = right.count() as f64 / written.max(1) as f64;
    let is_complete = written == args.count;
    Ok(Answer {
        text: facts(&[
            ("rows", written.to_string()),
            ("best possible rate", percent(args.rate)),
            ("what it is in these rows", percent(reached)),
        ]),
        json: json!({
            "rows": written, "rate": args.rate, "reached": reached, "complete": is_complete,
        }),
        picture: None,
        is_complete,
    })
}
