//! What is left to an interior-point method (Clarabel): costs and limits of trading, and
//! constraints that the quick search does not settle.

use clarabel::algebra::CscMatrix;
use clarabel::solver::SupportedConeT::{NonnegativeConeT, ZeroConeT};
use clarabel::solver::{DefaultSettingsBuilder, DefaultSolver, IPSolver as _, SolverStatus};

use super::constrained::{Constraint, Method, Unsolved};
use super::proof::Candidate;
use super::task::{Side, Task};
use crate::fault::within;

/// The most assets: the equations of all are solved at once.
const ASSETS_MAX: usize = 2_048;
/// What is asked of it.
const TOLERANCE: f64 = 1e-10;
/// What may be wrong with what is answered, of the program's scale.
const ALLOWED: f64 = 1e-7;
/// Within what a limit is taken for one that binds, each tried.
const BINDING: [f64; 5] = [1e-4, 1e-5, 1e-6, 1e-7, 1e-8];

/// `matrix * x + slack = right` in the making.
struct Lines {
    /// By columns: lines and coefficients.
    columns: Vec<Vec<(usize, f64)>>,
    right: Vec<f64>,
    /// Lines of rows, and what makes a row's multiplier of a line's.
    of_rows: Vec<(usize, usize, f64)>,
    of_turnover: Option<usize>,
    equalities: usize,
}

impl Lines {
    fn push(&mut self, entries: impl IntoIterator<Item = (usize, f64)>, right: f64) {
        let line = self.right.len();
        for (column, x) in entries.into_iter().filter(|(_, x)| *x != 0.0) {
            self.columns[column].push((line, x));
        }
        self.right.push(right);
    }

    /// Weights, then what is bought and what is sold of each asset.
    fn of(task: &Task<'_>) -> Self {
        let count = task.mean.len();
        let parts = if task.held.is_some() { 3 } else { 1 };
        let mut lines = Self {
            columns: vec![Vec::new(); parts * count],
            right: Vec::new(),
            of_rows: Vec::new(),
            of_turnover: None,
            equalities: 0,
        };
        lines.rows(task, true);
        let is_fixed = |asset: &usize| task.lower[*asset] == task.upper[*asset];
        for asset in (0..count).filter(is_fixed) {
            lines.push([(asset, 1.0)], task.lower[asset]);
        }
        for (asset, held) in task.held.unwrap_or_default().iter().enumerate() {
            let [bought, sold] = [count + asset, 2 * count + asset];
            lines.push([(asset, 1.0), (bought, -1.0), (sold, 1.0)], *held);
        }
        lines.equalities = lines.right.len();
        lines.rows(task, false);
        for asset in (0..count).filter(|asset| !is_fixed(asset)) {
            lines.push([(asset, -1.0)], -task.lower[asset]);
            lines.push([(asset, 1.0)], task.upper[asset]);
        }
        for moved in count..parts * count {
            lines.push([(moved, -1.0)], 0.0);
        }
        if task.turnover.is_finite() {
            lines.of_turnover = Some(lines.right.len());
            lines.push(
                (count..parts * count).map(|moved| (moved, 1.0)),
                task.turnover,
            );
        }
        lines
    }

    fn rows(&mut self, task: &Task<'_>, are_equalities: bool) {
        for (at, row) in task.rows.iter().enumerate() {
            if (row.lower == row.upper) != are_equalities {
                continue;
            }
            let mut limit = |sign: f64, limit: f64| {
                if limit.is_finite() {
                    let by = sign / row.size;
                    self.of_rows.push((self.right.len(), at, -by));
                    let entries = row.coefficients.iter().map(|c| c * by).enumerate();
                    self.push(entries, by * limit);
                }
            };
            limit(1.0, row.upper);
            if !are_equalities {
                limit(-1.0, row.lower);
            }
        }
    }
}

impl Task<'_> {
    /// The portfolio by the interior-point method, settled where that brings it nearer.
    pub fn by_interior(&self, constraints: &[Constraint<'_>]) -> Result<Candidate, Unsolved> {
        let count = self.mean.len();
        within(
            "assets with such constraints or costs",
            count as f64,
            1.0,
            ASSETS_MAX as f64,
        )?;
        // Gaps are bounds because the variance is convex: that is made sure of.
        self.covariance.system(&(0..count).collect::<Vec<_>>())?;
        let (found, status) = self.ask()?;
        let named = |rows: Vec<usize>| {
            rows.into_iter()
                .map(|row| constraints[row - 1].name.to_owned())
        };
        if matches!(
            status,
            SolverStatus::PrimalInfeasible | SolverStatus::AlmostPrimalInfeasible
        ) {
            return Err(
                match self.contradiction(&found.multipliers, found.turnover) {
                    Some((rows, turnover)) => Unsolved::Contradiction {
                        names: named(rows).collect(),
                        turnover,
                    },
                    None => Unsolved::Unsettled { miss: ALLOWED },
                },
            );
        }
        if found.weights.iter().any(|weight| !weight.is_finite()) {
            return Err(Unsolved::Unsettled {
                miss: f64::INFINITY,
            });
        }
        let mut best = (self.prove(&found).1, found.clone());
        for near in BINDING {
            for candidate in self.nearby(&found, near) {
                let (_, worst) = self.prove(&candidate);
                if worst < best.0 {
                    best = (worst, candidate);
                }
            }
        }
        match best {
            (worst, found) if worst <= ALLOWED => Ok(found),
            (miss, _) => Err(Unsolved::Unsettled { miss }),
        }
    }

    /// With all that is near a limit at it: as it is, and after the quick search.
    fn nearby(&self, found: &Candidate, near: f64) -> Vec<Candidate> {
        let mut snapped = found.clone();
        let mut sides = Vec::new();
        for (asset, weight) in snapped.weights.iter_mut().enumerate() {
            let [lower, upper] = [self.lower[asset], self.upper[asset]];
            let held = self.held.map(|held| held[asset]);
            let limits = [
                Some(lower),
                Some(upper),
                held.filter(|held| (lower..=upper).contains(held)),
            ];
            let limit = limits
                .into_iter()
                .flatten()
                .rfind(|limit| (*weight - limit).abs() <= near);
            *weight = limit.unwrap_or(*weight);
            sides.push(match held {
                Some(held) if *weight > held => Side::Bought,
                Some(held) if *weight < held => Side::Sold,
                _ => Side::Left,
            });
        }
        let binding = self.rows.iter().map(|row| {
            let value = row.value(&found.weights);
            let limits = [row.lower, row.upper].into_iter();
            limits
                .filter(|limit| limit.is_finite())
                .find(|limit| (value - limit).abs() <= near * row.size)
        });
        let binding: Vec<Option<f64>> = binding.collect();
        let is_full = (self.turnover - self.traded(&found.weights)).abs() <= near;
        let sides = self.held.map(|_| (&sides[..], is_full));
        let settled = self.settled(&binding, sides, Some(&snapped.weights));
        let settled = settled.map(|settled| Candidate {
            method: Method::Settled,
            ..settled
        });
        [Ok(snapped), settled].into_iter().flatten().collect()
    }

    fn ask(&self) -> Result<(Candidate, SolverStatus), Unsolved> {
        let count = self.mean.len();
        let lines = Lines::of(self);
        let width = lines.columns.len();
        let scale = self.scale();
        let matrix = sparse(lines.right.len(), &lines.columns);
        let mut slopes: Vec<f64> = self.mean.iter().map(|mean| -mean / scale).collect();
        slopes.resize(width, self.cost / scale);
        let mut squares = vec![Vec::new(); width];
        for (asset, square) in squares.iter_mut().take(count).enumerate() {
            let mut column = vec![0.0; count];
            self.covariance
                .add(asset, self.aversion / scale, &mut column);
            column.truncate(asset + 1);
            *square = column.into_iter().enumerate().collect();
        }
        let squares = sparse(width, &squares);
        let cones = [
            ZeroConeT(lines.equalities),
            NonnegativeConeT(lines.right.len() - lines.equalities),
        ];
        let unsettled = Unsolved::Unsettled {
            miss: f64::INFINITY,
        };
        let settings = DefaultSettingsBuilder::default()
            .verbose(false)
            .direct_solve_method("qdldl".to_string())
            .tol_gap_abs(TOLERANCE)
            .tol_gap_rel(TOLERANCE)
            .tol_feas(TOLERANCE)
            .build();
        let settings = settings.map_err(|_| unsettled.clone())?;
        let solver = DefaultSolver::new(&squares, &slopes, &matrix, &lines.right, &cones, settings);
        let mut solver = solver.map_err(|_| unsettled)?;
        solver.solve();
        let solution = &solver.solution;
        let mut multipliers = vec![0.0; self.rows.len()];
        for (line, row, by) in &lines.of_rows {
            multipliers[*row] += by * solution.z[*line] * scale;
        }
        let turnover = lines
            .of_turnover
            .map_or(0.0, |line| solution.z[line] * scale);
        let bounded = |(asset, x): (usize, &f64)| x.max(self.lower[asset]).min(self.upper[asset]);
        let weights = solution
            .x
            .iter()
            .take(count)
            .enumerate()
            .map(bounded)
            .collect();
        let found = Candidate {
            weights,
            multipliers,
            turnover,
            method: Method::Interior,
        };
        Ok((found, solution.status))
    }
}

fn sparse(height: usize, columns: &[Vec<(usize, f64)>]) -> CscMatrix<f64> {
    let mut starts = vec![0];
    starts.extend(columns.iter().scan(0, |end, column| {
        *end += column.len();
        Some(*end)
    }));
    let (rows, numbers) = columns.iter().flatten().copied().unzip();
    CscMatrix::new(height, columns.len(), starts, rows, numbers)
}
