//! `risk`.

use std::path::PathBuf;

use clap::Args;
use quant::Fault;
use quant::montecarlo::{Custom, Path, Progress, Settings, Shocks, Simulation, tail};
use quant::portfolio::{Covariance, risk};
use serde_json::{Map, Value, json};

use crate::Refused;
use crate::answer::{Answer, columns, facts, percent};
use crate::market::{Market, Source};
use crate::picture::{Picture, Style};
use crate::rows::Rows;
use crate::watch::Watch;

/// Bars of the picture.
const BARS: usize = 60;

/// Arguments of `risk`.
#[derive(Debug, Args)]
pub(crate) struct Risk {
    #[command(flatten)]
    source: Source,
    /// What is held: rows of a name and a weight. Without it all assets equally.
    #[arg(long, value_name = "FILE.csv")]
    weights: Option<PathBuf>,
    /// The probability that no more is lost than the value at risk.
    #[arg(long, default_value_t = 0.99)]
    level: f64,
    /// Simulate so many periods, too: normal returns with the means and covariances learnt.
    #[arg(long, value_name = "PATHS")]
    simulate: Option<u64>,
    /// What would happen: rows of a name and a return for each asset.
    ///
    /// The first line names the columns: name, and assets. An asset without a number, or without a
    /// column, does not move.
    #[arg(long, value_name = "FILE.csv")]
    scenarios: Option<PathBuf>,
    /// Makes other random numbers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Risk {
    /// Periods that are simulated.
    pub fn paths(&self) -> u64 {
        self.simulate.unwrap_or(0)
    }
}

pub(crate) fn risk(args: &Risk, watch: &Watch) -> Result<Answer, Refused> {
    let market = args.source.market()?;
    market.table.whole()?;
    let weights = args.weights(&market)?;
    let covariance = Covariance::dense(&market.estimate.matrix, market.assets())?;
    let parts = risk::contributions(&covariance, &weights)?;
    let deviation: f64 = parts.iter().sum();
    let gains = market.gains(&weights);
    let seen = risk::historical(&gains, args.level)?;
    let mean = market.mean(&weights) / market.periods;
    let normal = risk::gaussian(mean, deviation, args.level)?;
    let mut values = vec![1.0];
    values.extend(gains.iter().scan(1.0, |value, gain| {
        *value *= 1.0 + gain;
        Some(*value)
    }));
    // Of a value at or below 0 there is no return any more: what is held was lost at that row.
    let lost = values.iter().position(|value| *value <= 0.0);
    values.truncate(lost.unwrap_or(values.len()));
    let fall = risk::drawdown(&values)?;
    let tails = [("as it was", seen), ("normal", normal)];
    let row = |(name, at_risk, shortfall): (&str, String, String)| {
        vec![name.to_owned(), at_risk, shortfall]
    };
    let told = |loss: risk::TailLoss| [loss.value_at_risk, loss.shortfall].map(percent);
    let mut rows: Vec<_> = tails
        .into_iter()
        .map(|(name, loss)| {
            let [at_risk, shortfall] = told(loss);
            row((name, at_risk, shortfall))
        })
        .collect();
    let (mut simulated, mut is_complete, mut note) = (Value::Null, true, String::new());
    if let Some(paths) = args.simulate {
        let mut profits = args.profits(&market, &weights, paths, watch)?;
        let count = profits.len();
        is_complete = count as u64 >= paths;
        simulated = json!({ "paths": count, "complete": is_complete });
        match tail(&mut profits, args.level) {
            Ok(found) => {
                let with = |x: f64, error: f64| format!("{} +- {}", percent(x), percent(error));
                rows.push(row((
                    "simulated",
                    with(found.value_at_risk, found.value_at_risk_error),
                    with(found.shortfall, found.shortfall_error),
                )));
                simulated["value_at_risk"] = json!(found.value_at_risk);
                simulated["value_at_risk_error"] = json!(found.value_at_risk_error);
                simulated["shortfall"] = json!(found.shortfall);
                simulated["shortfall_error"] = json!(found.shortfall_error);
            }
            Err(Fault::TooShort { needed, .. }) => {
                let why = format!(
                    "{count} periods are too few for --level {}: --simulate {needed} at least",
                    args.level
                );
                simulated["refused"] = json!(why);
                note = format!("not simulated: {why}\n");
            }
            Err(fault) => return Err(fault.into()),
        }
    }
    let at_risk = format!("lost at most, {} %", args.level * 100.0);
    let losses = columns(&["one period", &at_risk, "and beyond, on average"], &rows);
    let mut order: Vec<usize> = (0..weights.len())
        .filter(|at| weights[*at] != 0.0)
        .collect();
    order.sort_by(|a, b| parts[*b].total_cmp(&parts[*a]));
    let held = order.iter().map(|asset| {
        let cells = [
            weights[*asset],
            market.deviation(parts[*asset]),
            parts[*asset] / deviation,
        ];
        [
            vec![market.names[*asset].clone()],
            cells.map(percent).to_vec(),
        ]
        .concat()
    });
    let head = ["asset", "weight", "part of deviation", "share"];
    let assets = columns(&head, &held.collect::<Vec<_>>());
    let place = |at: usize| match at.checked_sub(1) {
        Some(row) => market.table.label(row + usize::from(args.source.prices)),
        None => "the start".to_owned(),
    };
    let [peak, trough] = [fall.peak, fall.trough].map(place);
    let lost = lost.map(place);
    let worst = match &lost {
        Some(row) => format!("all is lost at {row}"),
        None => format!("{}, from {peak} to {trough}", percent(fall.depth)),
    };
    let lines = facts(&[
        ("return", percent(market.mean(&weights))),
        ("deviation", percent(market.deviation(deviation))),
        ("worst fall", worst),
        ("periods", gains.len().to_string()),
    ]);
    let stressed = args.stressed(&market, &weights)?;
    let pairs = market.names.iter().zip(&parts);
    let contributions: Map<_, _> = pairs.map(|(name, x)| (name.clone(), json!(x))).collect();
    let loss =
        |x: risk::TailLoss| json!({"value_at_risk": x.value_at_risk, "shortfall": x.shortfall});
    let mut json = json!({
        "level": args.level, "historical": loss(seen), "gaussian": loss(normal),
        "simulated": simulated, "deviation": market.deviation(deviation),
        "return": market.mean(&weights), "contributions": contributions,
        "drawdown": {"depth": fall.depth, "from": peak, "to": trough, "all_lost_at": lost},
    });
    let mut scenarios = String::new();
    if let Some(stressed) = &stressed {
        scenarios = format!("{}\n", table_of(stressed, &market, &weights));
        let all = stressed.iter();
        json["scenarios"] = all.map(|it| it.json(&market, &weights)).collect();
    }
    Ok(Answer {
        text: format!("{losses}{note}\n{scenarios}{assets}\n{lines}"),
        json,
        picture: Some(drawn(&gains, seen)),
        is_complete,
    })
}

impl Risk {
    fn weights(&self, market: &Market) -> Result<Vec<f64>, Refused> {
        let count = market.assets();
        match &self.weights {
            Some(file) => market.weights(file),
            None => Ok(vec![1.0 / count as f64; count]),
        }
    }

    /// What each scenario would do, in the order of the file; nothing without such a file.
    fn stressed(&self, market: &Market, weights: &[f64]) -> Result<Option<Vec<Stressed>>, Refused> {
        let Some(file) = &self.scenarios else {
            return Ok(None);
        };
        let rows = Rows::read(file, market, &[])?;
        let (names, moves): (Vec<String>, Vec<Vec<f64>>) = rows.each().unzip();
        let gains = risk::stress(weights, &moves.concat())?;
        let each = names.into_iter().zip(gains).zip(moves);
        let each = each.map(|((name, gain), moves)| Stressed { name, gain, moves });
        Ok(Some(each.collect()))
    }

    /// Gains of a period, as many as were simulated when it was stopped.
    fn profits(
        &self,
        market: &Market,
        weights: &[f64],
        paths: u64,
        watch: &Watch,
    ) -> Result<Vec<f64>, Refused> {
        let model = Shocks::new(&market.estimate.mean, &market.estimate.matrix)?;
        let gain = Custom(|path: &Path<'_>| {
            let each = weights.iter().enumerate();
            each.map(|(asset, weight)| weight * path.last(asset)).sum()
        });
        let settings = Settings::new(paths, self.seed);
        let simulation = Simulation::new(&model, &gain, settings)?;
        let parts = simulation.parts();
        watch.begin()?;
        let mut profits = Vec::new();
        for part in 0..parts {
            profits.extend(simulation.samples(part));
            let done = part + 1;
            if watch.on(Progress { done, parts }).is_break() {
                break;
            }
        }
        Ok(profits)
    }
}

/// A scenario, and what it would do.
struct Stressed {
    name: String,
    gain: f64,
    /// Of each asset.
    moves: Vec<f64>,
}

impl Stressed {
    /// What each asset that is held would gain of the whole.
    fn parts(&self, weights: &[f64]) -> impl Iterator<Item = (usize, f64)> {
        let pairs = self.moves.iter().zip(weights).enumerate();
        pairs
            .filter(|(_, (_, weight))| **weight != 0.0)
            .map(|(asset, (moved, weight))| (asset, moved * weight))
    }

    fn json(&self, market: &Market, weights: &[f64]) -> Value {
        let parts = self.parts(weights);
        let parts: Map<_, _> = parts
            .map(|(asset, part)| (market.names[asset].clone(), json!(part)))
            .collect();
        json!({"name": self.name, "gain": self.gain, "contributions": parts})
    }
}

/// Scenarios for people, with the asset that would lose the most.
fn table_of(all: &[Stressed], market: &Market, weights: &[f64]) -> String {
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|it| {
            let worst = it.parts(weights).min_by(|a, b| a.1.total_cmp(&b.1));
            let worst = worst.filter(|(_, part)| *part < 0.0);
            let worst = worst.map_or_else(String::new, |(asset, part)| {
                format!("{} {}", market.names[asset], percent(part))
            });
            vec![it.name.clone(), percent(it.gain), worst]
        })
        .collect();
    columns(&["scenario", "gain", "most is lost by"], &rows)
}

/// How often which gain was, and where the losses begin that are beyond.
fn drawn(gains: &[f64], loss: risk::TailLoss) -> String {
    let low = gains.iter().copied().fold(f64::INFINITY, f64::min);
    let high = gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let width = ((high - low) / BARS as f64).max(f64::MIN_POSITIVE);
    let mut counts = vec![0.0; BARS + 1];
    for gain in gains {
        counts[(((gain - low) / width) as usize).min(BARS - 1)] += 1.0;
    }
    let bars = counts.iter().enumerate();
    let bars = bars.map(|(at, count)| [low + at as f64 * width, *count]);
    let mut picture = Picture::new("Gains and losses", "gain of a period", "periods");
    picture = picture.across_in_percent();
    picture.add("gains", Style::Bars, bars.collect());
    picture.add(
        "value at risk",
        Style::Mark,
        vec![[-loss.value_at_risk, 0.0]],
    );
    picture.add(
        "expected shortfall",
        Style::Mark,
        vec![[-loss.shortfall, 0.0]],
    );
    picture.svg()
}
