//! Portfolios within sectors and exposures, with a limit on turnover, with costs of trading.
//!
//! The peer is given purchases and sales as variables of their own. Objectives have to be the same.

use quant::portfolio::{
    Constrained, ConstrainedSolution, Constraint, Covariance, MeanVariance, Trading,
};

use super::peer::{Program, Row, bound, budget, objective, same};
use super::{Market, failed, timed};
use crate::compare::{Case, Subject, compare};
use crate::{BenchError, Effort};

/// What is wrong with a portfolio of ours, of the program's scale.
const PROOF: f64 = 1e-9;
const AVERSION: f64 = 100.0;
const SECTORS: usize = 10;
/// Of each sector.
const SECTOR_MAX: f64 = 0.15;
const TURNOVER: f64 = 0.6;
const COST: f64 = 0.002;

pub(super) fn cases(effort: Effort) -> Result<Vec<Case>, BenchError> {
    let count = effort.pick(40, 200, 500);
    let market = Market::new(count, 0.04);
    let covariance = Covariance::dense(&market.matrix, count).map_err(failed)?;
    let (lower, upper) = (vec![0.0; count], vec![0.1; count]);
    let held = vec![1.0 / count as f64; count];
    let names: Vec<String> = (0..SECTORS)
        .map(|sector| format!("sector {sector}"))
        .collect();
    let sector = |sector: usize| (0..count).map(move |at| f64::from(at % SECTORS == sector));
    let rows: Vec<Vec<f64>> = (0..SECTORS).map(|at| sector(at).collect()).collect();
    let factors = market.variances.len();
    let exposure: Vec<f64> = (0..count)
        .map(|at| market.loadings[at * factors + 1])
        .collect();
    let sectors = names
        .iter()
        .zip(&rows)
        .map(|(name, coefficients)| Constraint {
            name,
            coefficients,
            lower: 0.0,
            upper: SECTOR_MAX,
        });
    let neutral = Constraint {
        name: "the second factor",
        coefficients: &exposure,
        lower: 0.0,
        upper: 0.0,
    };
    let constraints: Vec<Constraint<'_>> = sectors.chain([neutral]).collect();
    let trading = |turnover, cost| Trading {
        held: &held,
        turnover,
        cost,
    };
    let mut cases = Vec::new();
    for (name, trading) in [
        ("sectors, an exposure", None),
        ("and turnover", Some(trading(TURNOVER, 0.0))),
        ("and costs", Some(trading(TURNOVER, COST))),
    ] {
        let program = Constrained {
            covariance: &covariance,
            mean: &market.mean,
            aversion: AVERSION,
            lower: &lower,
            upper: &upper,
            constraints: &constraints,
            trading,
        };
        let found = checked(&program)?;
        let ours = worth(&program, &found.weights);
        let theirs = peer(&program, &market.matrix);
        let subjects = vec![
            Subject::new("ours", || timed(1, || checked(&program))),
            Subject::new("clarabel", || {
                timed(1, || {
                    let weights = theirs.solve()?;
                    same(ours, worth(&program, &weights[..count]))
                })
            }),
        ];
        let case = format!("{count} assets, {name}");
        let note = format!("found by {:?}, {:?}", found.method, found.proof);
        let compared = compare(&[&case], effort.rounds(), subjects)?;
        cases.extend(compared.into_iter().map(|case| case.noted(&note)));
    }
    Ok(cases)
}

fn checked(program: &Constrained<'_>) -> Result<ConstrainedSolution, BenchError> {
    let found = program.solve();
    let found = found.map_err(|error| BenchError::failed("portfolio", error))?;
    let of = &found.proof;
    let misses = [of.budget, of.constraint, of.bound, of.turnover, of.gap];
    if misses.into_iter().all(|part| part <= PROOF) {
        return Ok(found);
    }
    Err(BenchError::WrongAnswer(format!("{of:?}")))
}

/// The objective.
fn worth(program: &Constrained<'_>, weights: &[f64]) -> f64 {
    let smooth = MeanVariance {
        covariance: program.covariance,
        mean: program.mean,
        aversion: program.aversion,
        lower: program.lower,
        upper: program.upper,
        equalities: &[],
    };
    let cost = program.trading.map_or(0.0, |trading| {
        let pairs = weights.iter().zip(trading.held);
        trading.cost
            * pairs
                .map(|(weight, held)| (weight - held).abs())
                .sum::<f64>()
    });
    objective(&smooth, weights) + cost
}

/// The same program as the peer takes it: weights, then purchases, then sales.
fn peer<'a>(program: &Constrained<'_>, matrix: &'a [f64]) -> Program<'a> {
    let count = program.mean.len();
    let mut slopes: Vec<f64> = program.mean.iter().map(|mean| -mean).collect();
    let mut equalities = vec![budget(count)];
    let mut inequalities = Vec::new();
    for at in 0..count {
        inequalities.push(bound(at, -1.0, -program.lower[at]));
        inequalities.push(bound(at, 1.0, program.upper[at]));
    }
    for constraint in program.constraints {
        let times = |sign: f64| -> Vec<(usize, f64)> {
            let all = constraint.coefficients.iter().enumerate();
            all.map(|(at, x)| (at, sign * x)).collect()
        };
        let row = |sign: f64, value: f64| Row {
            coefficients: times(sign),
            value,
        };
        if constraint.lower == constraint.upper {
            equalities.push(row(1.0, constraint.upper));
            continue;
        }
        inequalities.push(row(1.0, constraint.upper));
        inequalities.push(row(-1.0, -constraint.lower));
    }
    if let Some(trading) = program.trading {
        slopes.resize(3 * count, trading.cost);
        for (at, held) in trading.held.iter().enumerate() {
            equalities.push(Row {
                coefficients: vec![(at, 1.0), (count + at, -1.0), (2 * count + at, 1.0)],
                value: *held,
            });
        }
        inequalities.extend((count..3 * count).map(|at| bound(at, -1.0, 0.0)));
        inequalities.push(Row {
            coefficients: (count..3 * count).map(|at| (at, 1.0)).collect(),
            value: trading.turnover,
        });
    }
    Program {
        matrix,
        aversion: program.aversion,
        slopes,
        equalities,
        inequalities,
    }
}
