//! `forecast`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use quant::Fault;
use quant::forecasting::{Method, Score, Weights, backtest, choose_watched, forecast as expected};
use quant::montecarlo::Progress;
use serde_json::json;

use crate::Refused;
use crate::answer::{Answer, columns, facts, number};
use crate::picture::{Picture, Style};
use crate::table::Table;
use crate::watch::Watch;

/// What levels, trends and seasons may weigh when the best are looked for.
const LEVELS: [f64; 4] = [0.1, 0.3, 0.5, 0.8];
const TRENDS: [f64; 2] = [0.01, 0.1];
const SEASONS: [f64; 2] = [0.05, 0.2];
const DAMPINGS: [f64; 2] = [0.9, 1.0];
/// Numbers of the past in the picture, for each that is forecast.
const PAST: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Way {
    /// The one that forecast the end of the series best.
    Best,
    /// The last season again.
    Naive,
    /// A level.
    Simple,
    /// A level and a trend.
    Holt,
    /// A level, a trend and seasons.
    HoltWinters,
}

/// Arguments of `forecast`.
#[derive(Debug, Args)]
pub(crate) struct Forecast {
    /// The series, a number a row, the latest at the end.
    #[arg(value_name = "SERIES.csv")]
    file: PathBuf,
    /// Which column; without it the last one.
    #[arg(long)]
    column: Option<String>,
    /// The length of a season: 288 of five minutes are a day.
    #[arg(long, default_value_t = 1)]
    season: usize,
    /// How many numbers to forecast.
    #[arg(long, default_value_t = 1)]
    horizon: usize,
    /// How many numbers at the end the ways are judged by; without it the horizon, or a fifth.
    #[arg(long)]
    held: Option<usize>,
    /// How to forecast.
    #[arg(long, value_enum, default_value = "best")]
    method: Way,
}

pub(crate) fn forecast(args: &Forecast, watch: &Watch) -> Result<Answer, Refused> {
    let table = Table::read(&args.file)?;
    table.whole()?;
    let column = match &args.column {
        Some(name) => table.find(name)?,
        None => table.width.saturating_sub(1),
    };
    let series: Vec<f64> = table.column(column).collect();
    let refused = |fault: Fault| table.blame(&fault.to_string());
    let held = args
        .held
        .unwrap_or_else(|| args.horizon.min(series.len() / 5).max(1));
    let ways = args.ways();
    let mut tried = 0;
    watch.begin()?;
    let lengths = (held, args.horizon, args.season);
    let chosen = choose_watched(&series, lengths, &ways, |count| {
        tried = count;
        let [done, parts] = [tried, ways.len()].map(|count| count as u64);
        watch.on(Progress { done, parts })
    });
    let (method, score) = chosen.map_err(refused)?;
    let naive = Method::SeasonalNaive {
        season: args.season,
    };
    let train = series.len().saturating_sub(held);
    let yardstick = backtest(&series, train, args.horizon, args.season, naive);
    let ahead = expected(&series, method, args.horizon).map_err(refused)?;
    let rows = ahead.iter().enumerate();
    let rows: Vec<_> = rows
        .map(|(at, x)| vec![(at + 1).to_string(), number(*x)])
        .collect();
    let mut lines = vec![
        ("method", told(method)),
        ("judged by the last", format!("{held} of {}", series.len())),
        ("mean absolute error", number(score.mae)),
        (
            "by the seasonal change (MASE)",
            format!("{:.4}", score.mase),
        ),
    ];
    if let Ok(Score { mae, .. }) = yardstick {
        lines.push(("error of the last season again", number(mae)));
    }
    Ok(Answer {
        text: format!(
            "{}\n{}",
            columns(&["ahead", "forecast"], &rows),
            facts(&lines)
        ),
        json: json!({
            "method": told(method), "forecast": ahead, "mae": score.mae, "mase": score.mase,
            "held": held, "naive_mae": yardstick.ok().map(|score| score.mae),
            "complete": tried == ways.len(),
        }),
        picture: Some(drawn(&series, &ahead, score)),
        is_complete: tried == ways.len(),
    })
}

impl Forecast {
    /// All that may be chosen from, the plainest first.
    fn ways(&self) -> Vec<Method> {
        let season = self.season;
        let is = |way| self.method == way || self.method == Way::Best;
        let mut all = Vec::new();
        if is(Way::Naive) {
            all.push(Method::SeasonalNaive { season });
        }
        for level in LEVELS {
            if is(Way::Simple) {
                all.push(Method::Simple { weight: level });
            }
            for (trend, damping) in TRENDS.into_iter().flat_map(|x| DAMPINGS.map(|y| (x, y))) {
                let weights = Weights {
                    level,
                    trend,
                    season: 0.0,
                    damping,
                };
                if is(Way::Holt) {
                    all.push(Method::Holt { weights });
                }
                if is(Way::HoltWinters) && season > 1 {
                    all.extend(SEASONS.map(|weight| Method::HoltWinters {
                        weights: Weights {
                            season: weight,
                            ..weights
                        },
                        season,
                    }));
                }
            }
        }
        all
    }
}

fn told(method: Method) -> String {
    let with = |weights: Weights| {
        let Weights {
            level,
            trend,
            damping,
            ..
        } = weights;
        format!("level {level}, trend {trend}, damping {damping}")
    };
    match method {
        Method::SeasonalNaive { season } => format!("the last season of {season} again"),
        Method::Simple { weight } => format!("simple smoothing, level {weight}"),
        Method::Holt { weights } => format!("Holt, {}", with(weights)),
        Method::HoltWinters { weights, season } => {
            let [parts, own] = [with(weights), weights.season.to_string()];
            format!("Holt-Winters, seasons of {season}, {parts}, season {own}")
        }
    }
}

/// The end of the series, what comes after it, and by how much that was off on average.
fn drawn(series: &[f64], ahead: &[f64], score: Score) -> String {
    let first = series.len().saturating_sub((ahead.len() * PAST).max(20));
    let point = |at: usize, x: f64| [at as f64 - (series.len() - 1) as f64, x];
    let past = (first..series.len()).map(|at| point(at, series[at]));
    let next = || {
        ahead
            .iter()
            .enumerate()
            .map(|(at, x)| point(series.len() + at, *x))
    };
    let low = next().map(|[at, x]| [at, x - score.mae]);
    let high = next().rev().map(|[at, x]| [at, x + score.mae]);
    let mut picture = Picture::new("Forecast", "numbers from now on", "");
    picture.add(
        "mean absolute error",
        Style::Band,
        low.chain(high).collect(),
    );
    picture.add("forecast", Style::Line, next().collect());
    picture.add("known", Style::Line, past.collect());
    picture.svg()
}
