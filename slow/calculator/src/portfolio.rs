//! `optimise` and `frontier`.

use clap::{Args, ValueEnum};
use quant::Fault;
use quant::portfolio::{
    Certificate, Covariance, Equality, MeanVariance, Solution, frontier_watched, max_sharpe, risk,
    risk_parity,
};
use serde_json::{Map, Value, json};

use crate::Refused;
use crate::answer::{Answer, columns, facts, percent};
use crate::constraints::{Limits, Reached};
use crate::market::{Market, Source};
use crate::picture::{Picture, Style};
use crate::views::Expected;
use crate::watch::Watch;

/// Lesser weights are not listed as held.
const HELD: f64 = 1e-9;
/// Points of the curve between two ends of the frontier.
const POINTS: usize = 200;

/// What is best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Goal {
    /// The least variance.
    Variance,
    /// The most return above --riskless for the deviation; long only.
    Sharpe,
    /// The most return less --aversion / 2 times the variance, of a period.
    Utility,
    /// The same share of the variance from each asset; long only.
    Parity,
}

/// Arguments of `optimise`.
#[derive(Debug, Args)]
pub(crate) struct Optimise {
    #[command(flatten)]
    source: Source,
    /// What is best.
    #[arg(long, value_enum, default_value = "variance")]
    goal: Goal,
    /// How much a variance counts with `--goal utility`.
    #[arg(long, default_value_t = 1.0)]
    aversion: f64,
    /// What is had without risk in a period.
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    riskless: f64,
    /// The return of a period that the portfolio shall have, with `--goal variance`.
    #[arg(long, value_name = "RETURN", allow_negative_numbers = true)]
    target: Option<f64>,
    #[command(flatten)]
    bounds: Bounds,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    expected: Expected,
}

/// Between what each weight is.
#[derive(Debug, Args)]
struct Bounds {
    /// The least weight of each asset: below 0 it may be sold short.
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    least: f64,
    /// The greatest weight of each asset.
    #[arg(long, default_value_t = 1.0)]
    most: f64,
}

/// Arguments of `frontier`.
#[derive(Debug, Args)]
pub(crate) struct Frontier {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    bounds: Bounds,
}

/// Weights, and what is known of them.
pub(crate) struct Found {
    pub weights: Vec<f64>,
    /// Names and values of the proof.
    pub proof: Vec<(&'static str, f64)>,
    /// Constraints and turnover, as they came out.
    pub limits: Option<Reached>,
}

pub(crate) fn optimise(args: &Optimise) -> Result<Answer, Refused> {
    let mut market = args.source.market()?;
    let views = args.expected.apply(&mut market, args.aversion)?;
    let covariance = Covariance::dense(&market.estimate.matrix, market.assets())?;
    let found = args.solve(&market, &covariance)?;
    let weights = &found.weights;
    let parts = risk::contributions(&covariance, weights)?;
    let deviation: f64 = parts.iter().sum();
    let shown = market.deviation(deviation);
    let mean = market.mean(weights);
    let sharpe = (mean - args.riskless * market.periods) / shown;
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|a, b| weights[*b].abs().total_cmp(&weights[*a].abs()));
    order.retain(|asset| weights[*asset].abs() > HELD);
    let row = |asset: &usize| {
        let share = parts[*asset] / deviation;
        let own = market.estimate.mean[*asset] * market.periods;
        let cells = [weights[*asset], own, share].map(percent);
        [vec![market.names[*asset].clone()], cells.to_vec()].concat()
    };
    let rows: Vec<Vec<String>> = order.iter().map(row).collect();
    let mut text = columns(&["asset", "weight", "return", "share of variance"], &rows);
    let mut lines = vec![
        ("return", percent(mean)),
        ("deviation", percent(shown)),
        ("return above riskless by deviation", format!("{sharpe:.4}")),
        (
            "held",
            format!("{} of {} assets", order.len(), weights.len()),
        ),
    ];
    if let Some(limits) = &found.limits {
        lines.extend(limits.facts());
        text.push('\n');
        text.push_str(&limits.table());
    }
    if let Some(views) = &views {
        text.push('\n');
        text.push_str(&views.table());
    }
    let proof = found.proof.iter();
    lines.extend(proof.map(|(name, value)| (*name, format!("{value:.1e}"))));
    text.push('\n');
    text.push_str(&facts(&lines));
    let named = |numbers: &[f64]| {
        let pairs = market.names.iter().zip(numbers);
        pairs
            .map(|(name, x)| (name.clone(), json!(x)))
            .collect::<Map<_, _>>()
    };
    let certificate: Map<String, Value> = found
        .proof
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let mut json = json!({
        "weights": named(weights), "return": mean, "deviation": shown, "sharpe": sharpe,
        "contributions": named(&parts), "certificate": certificate,
        "shrinkage": market.estimate.shrinkage,
    });
    if let (Some(limits), Some(json)) = (&found.limits, json.as_object_mut()) {
        json.extend(limits.json());
    }
    if let (Some(views), Some(json)) = (&views, json.as_object_mut()) {
        json.extend(views.json(&market));
    }
    Ok(Answer {
        text,
        json,
        picture: None,
        is_complete: true,
    })
}

impl Optimise {
    fn solve(&self, market: &Market, covariance: &Covariance<'_>) -> Result<Found, Refused> {
        let mean = &market.estimate.mean;
        let is_bounded = self.bounds.least != 0.0 || self.bounds.most != 1.0;
        if is_bounded && matches!(self.goal, Goal::Sharpe | Goal::Parity) {
            let what = "--least, --most: this goal is long only, without bounds";
            return Err(Refused(what.into()));
        }
        if self.target.is_some() && self.goal != Goal::Variance {
            return Err(Refused("--target: only with --goal variance".into()));
        }
        self.limits.fit(self.goal)?;
        let count = market.assets();
        self.bounds.fit(count)?;
        let refused = |fault| market.refused(fault);
        match self.goal {
            Goal::Sharpe => {
                let found = max_sharpe(covariance, mean, self.riskless, None);
                Ok(Found::of(found.map_err(refused)?))
            }
            Goal::Parity => {
                let parity = risk_parity(covariance, &vec![1.0; count]).map_err(refused)?;
                Ok(Found {
                    weights: parity.weights,
                    proof: vec![("shares differ by", parity.error)],
                    limits: None,
                })
            }
            Goal::Variance | Goal::Utility => {
                let is_utility = self.goal == Goal::Utility;
                let problem = MeanVariance {
                    covariance,
                    mean: if is_utility { mean } else { &[] },
                    aversion: if is_utility { self.aversion } else { 1.0 },
                    lower: &vec![self.bounds.least; count],
                    upper: &vec![self.bounds.most; count],
                    equalities: &[],
                };
                if !self.limits.are_none() {
                    return self.limits.solve(market, problem, self.target);
                }
                let wanted = self.target.map(|value| Equality {
                    coefficients: mean,
                    value,
                });
                let problem = MeanVariance {
                    equalities: wanted.as_slice(),
                    ..problem
                };
                let found = problem.solve(None).map_err(|fault| match fault {
                    Fault::Outside {
                        what: "equality's value",
                        found,
                        least,
                        most,
                    } => Refused(format!(
                        "--target: {found} a period is asked for, weights within their bounds \
                         reach {least} to {most}"
                    )),
                    fault => market.refused(fault),
                });
                Ok(Found::of(found?))
            }
        }
    }
}

impl Bounds {
    /// Refuses bounds between which no weights of so many assets add up to 1.
    fn fit(&self, count: usize) -> Result<(), Refused> {
        let rounding = 1e-12;
        for (option, bound, is_off) in [
            ("--least", self.least, f64::gt as fn(&f64, &f64) -> bool),
            ("--most", self.most, f64::lt),
        ] {
            let sum = bound * count as f64;
            if (sum - 1.0).abs() > rounding && is_off(&sum, &1.0) {
                let what = format!("{bound} of each of {count} assets is {sum}");
                return Err(Refused(format!("{option}: {what}, weights add up to 1")));
            }
        }
        Ok(())
    }
}

impl Found {
    fn of(solution: Solution) -> Self {
        let certificate = solution.certificate;
        Self {
            weights: solution.weights,
            proof: named_proof(&certificate).to_vec(),
            limits: None,
        }
    }
}

/// A proof in words.
fn named_proof(certificate: &Certificate) -> [(&'static str, f64); 4] {
    [
        ("sum misses 1 by", certificate.equality),
        ("weights miss bounds by", certificate.bound),
        ("an asset could still gain", certificate.stationarity),
        ("the best is at most better by", certificate.gap),
    ]
}

pub(crate) fn frontier(args: &Frontier, watch: &Watch) -> Result<Answer, Refused> {
    let market = args.source.market()?;
    let count = market.assets();
    let covariance = Covariance::dense(&market.estimate.matrix, count)?;
    args.bounds.fit(count)?;
    let bounds = [args.bounds.least, args.bounds.most].map(|bound| vec![bound; count]);
    let [least, most] = &bounds;
    let mean = &market.estimate.mean;
    watch.begin()?;
    let found = frontier_watched(&covariance, mean, least, most, |_| watch.goes_on());
    let found = found.map_err(|fault| market.refused(fault))?;
    let corners = found.corners.iter().rev();
    let place = |mean: f64, variance: f64| {
        [
            market.deviation(variance.max(0.0).sqrt()),
            mean * market.periods,
        ]
    };
    let (mut rows, mut all, mut proofs) = (Vec::new(), Vec::new(), [0.0f64; 4]);
    for corner in corners {
        let [deviation, mean] = place(corner.mean, corner.variance);
        let held = corner.weights.iter().filter(|x| x.abs() > HELD);
        rows.push(vec![
            percent(deviation),
            percent(mean),
            held.count().to_string(),
        ]);
        let pairs = market.names.iter().zip(&corner.weights);
        let weights: Map<_, _> = pairs.map(|(name, x)| (name.clone(), json!(x))).collect();
        let proof = named_proof(&corner.prove(&covariance, &market.estimate.mean, least, most)?);
        for (worst, (_, value)) in proofs.iter_mut().zip(&proof) {
            *worst = value.max(*worst);
        }
        let proof: Map<_, _> = proof
            .into_iter()
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        all.push(json!({
            "return": mean, "deviation": deviation, "weights": weights, "certificate": proof,
        }));
    }
    let worst = facts(&[
        ("a sum misses 1 by at most", format!("{:.1e}", proofs[0])),
        (
            "a weight misses its bounds by at most",
            format!("{:.1e}", proofs[1]),
        ),
        (
            "an asset could still gain at most",
            format!("{:.1e}", proofs[2]),
        ),
        (
            "the best is at most better by",
            format!("{:.1e}", proofs[3]),
        ),
    ]);
    let head = ["deviation", "return", "assets held"];
    let note = "Between two portfolios of this list all efficient ones are mixtures of both.\n";
    let mut picture = Picture::new("Efficient frontier", "deviation", "return").in_percent();
    let assets =
        (0..count).map(|asset| place(market.estimate.mean[asset], covariance.variance(asset)));
    picture.add("assets", Style::Dots, assets.collect());
    let means = found.corners.iter().map(|corner| corner.mean);
    let low = means.clone().fold(f64::INFINITY, f64::min);
    let high = means.fold(f64::NEG_INFINITY, f64::max);
    let curve = (0..=POINTS).filter_map(|at| {
        let mean = low + (high - low) * at as f64 / POINTS as f64;
        let (_, variance) = found.at_mean(mean)?;
        Some(place(mean, variance))
    });
    picture.add("efficient portfolios", Style::Line, curve.collect());
    Ok(Answer {
        text: format!("{}\n{note}\n{worst}", columns(&head, &rows)),
        json: json!({ "portfolios": all, "complete": found.complete }),
        picture: Some(picture.svg()),
        is_complete: found.complete,
    })
}
