//! Clarabel, an interior-point method, asked for 1e-9.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettingsBuilder, DefaultSolver, IPSolver, SolverStatus, SupportedConeT,
};
use quant::portfolio::{MeanVariance, Solution};

use crate::BenchError;

const TOLERANCE: f64 = 1e-9;
/// By how much objectives may differ.
const NEAR: f64 = 1e-6;

/// From so many numbers on the factor by blocks (faer) is the faster of Clarabel's two: of a
/// thousand assets by more than twice. Of 200 the plain one is, as much.
const DENSE: usize = 1_000;

/// `coefficients * x` is, or is at most, a value.
pub struct Row {
    pub coefficients: Vec<(usize, f64)>,
    pub value: f64,
}

/// The least of `x'Sx / 2 + slopes'x` within rows; S is of the first numbers of x.
pub struct Program<'a> {
    pub matrix: &'a [f64],
    pub aversion: f64,
    pub slopes: Vec<f64>,
    pub equalities: Vec<Row>,
    /// At most.
    pub inequalities: Vec<Row>,
}

/// The first numbers add up to 1.
pub fn budget(count: usize) -> Row {
    Row {
        coefficients: (0..count).map(|at| (at, 1.0)).collect(),
        value: 1.0,
    }
}

/// `sign * x[at]` is at most a value.
pub fn bound(at: usize, sign: f64, value: f64) -> Row {
    Row {
        coefficients: vec![(at, sign)],
        value,
    }
}

/// Solves the same program and compares objectives.
pub fn checked(
    program: &MeanVariance<'_>,
    matrix: &[f64],
    ours: &Solution,
) -> Result<(), BenchError> {
    let count = program.mean.len();
    let theirs = Program {
        matrix,
        aversion: program.aversion,
        slopes: program.mean.iter().map(|mean| -mean).collect(),
        equalities: vec![budget(count)],
        // Upper bounds of 1 follow from the others.
        inequalities: (0..count).map(|at| bound(at, -1.0, 0.0)).collect(),
    };
    let theirs = theirs.solve()?;
    let [ours, theirs] = [&ours.weights, &theirs].map(|weights| objective(program, weights));
    same(ours, theirs)
}

/// Whether objectives are the same.
pub fn same(ours: f64, theirs: f64) -> Result<(), BenchError> {
    if (ours - theirs).abs() <= NEAR * ours.abs().max(1.0) {
        return Ok(());
    }
    Err(BenchError::WrongAnswer(format!(
        "clarabel: {theirs} instead of {ours}"
    )))
}

/// What weights come to.
pub fn objective(program: &MeanVariance<'_>, weights: &[f64]) -> f64 {
    let held = program.covariance.times(weights);
    let parts = held.iter().zip(program.mean).zip(weights);
    let part = |((held, mean), weight): ((&f64, &f64), &f64)| {
        (0.5 * program.aversion * held - mean) * weight
    };
    parts.map(part).sum()
}

impl Program<'_> {
    /// The best x.
    pub fn solve(&self) -> Result<Vec<f64>, BenchError> {
        let whole = self.slopes.len();
        let count = self.matrix.len().isqrt();
        let upper = (0..whole).map(|column| if column < count { 0..column + 1 } else { 0..0 });
        let mut starts = vec![0];
        let (mut places, mut numbers) = (Vec::new(), Vec::new());
        for (column, rows) in upper.enumerate() {
            let entries = rows.clone().map(|row| self.matrix[column * count + row]);
            numbers.extend(entries.map(|x| self.aversion * x));
            places.extend(rows);
            starts.push(places.len());
        }
        let squares = CscMatrix::new(whole, whole, starts, places, numbers);
        let (limits, right) = self.limits();
        let cones = [
            SupportedConeT::ZeroConeT(self.equalities.len()),
            SupportedConeT::NonnegativeConeT(self.inequalities.len()),
        ];
        let failed = |error: &dyn std::fmt::Debug| BenchError::Failed(format!("{error:?}"));
        let factor = if whole < DENSE { "qdldl" } else { "faer" };
        let settings = DefaultSettingsBuilder::default()
            .verbose(false)
            .direct_solve_method(factor.to_string())
            .max_threads(1)
            .tol_gap_abs(TOLERANCE)
            .tol_gap_rel(TOLERANCE)
            .tol_feas(TOLERANCE)
            .build();
        let settings = settings.map_err(|error| failed(&error))?;
        let solver = DefaultSolver::new(&squares, &self.slopes, &limits, &right, &cones, settings);
        let mut solver = solver.map_err(|error| failed(&error))?;
        solver.solve();
        match solver.solution.status {
            SolverStatus::Solved | SolverStatus::AlmostSolved => Ok(solver.solution.x),
            status => Err(failed(&status)),
        }
    }

    /// All rows, equalities first, column by column, and their values.
    fn limits(&self) -> (CscMatrix<f64>, Vec<f64>) {
        let all = || self.equalities.iter().chain(&self.inequalities);
        let mut columns = vec![Vec::new(); self.slopes.len()];
        for (place, row) in all().enumerate() {
            for (column, x) in &row.coefficients {
                columns[*column].push((place, *x));
            }
        }
        let ends = columns.iter().scan(0, |sum, column: &Vec<_>| {
            *sum += column.len();
            Some(*sum)
        });
        let starts = std::iter::once(0).chain(ends).collect();
        let (places, numbers) = columns.iter().flatten().copied().unzip();
        let right: Vec<f64> = all().map(|row| row.value).collect();
        let limits = CscMatrix::new(right.len(), columns.len(), starts, places, numbers);
        (limits, right)
    }
}
