//! Engle and Granger's test for all pairs of many series, by sums that pairs share.
//!
//! The residual of a pair is `r = x - b * y`, so each sum of squares and products that its
//! Dickey-Fuller regression needs is `xx - 2b * xy + b^2 * yy` of the same sum over the series and
//! between them. A pair costs `lags + 2` dot products and a few operations, for both directions;
//! what stands at the ends of the series is put right one by one. Differences have sums of their
//! own, so that a spread that moves little loses no digits.

use analytics::arch::{Backend, Kernel, LANES, Lanes};
use analytics::kernels::total;

use super::adf::Lags;
use super::engle_granger::engle_granger;
use super::regression::Trend;
use crate::Fault;
use crate::fault::{moving, same_length, series as checked, within};

/// The most lagged differences of a scan.
const LAGS_MAX: usize = 4;
/// Regressors, and what they explain.
const ORDER_MAX: usize = LAGS_MAX + 2;
/// Spreads that leave less of a series' squares are tested one by one: sums would lose digits.
const LEFT_MIN: f64 = 1e-4;
/// So are those whose regressors have less than this of their own.
const PIVOT_MIN: f64 = 1e-8;

/// All pairs of some series of the same length.
#[derive(Debug)]
pub struct PairScan<'a> {
    series: &'a [&'a [f64]],
    lags: usize,
    backend: Backend,
    /// Numbers of a layer, with zeros up to a multiple of the lanes.
    stride: usize,
    /// For each series: levels about their mean, differences, and for each lag the sums of the
    /// differences so far before and behind.
    layers: Vec<f64>,
    /// For each series, the dot products of its layers with itself.
    own: Vec<[f64; ORDER_MAX]>,
}

/// What was found of a pair: first with the first series explained by the second, then the other
/// way round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairFound {
    /// The two series, the lesser number first.
    pub series: [usize; 2],
    /// Engle and Granger's statistic.
    pub statistic: [f64; 2],
    /// How much of the other series to hold against one of the explained.
    pub hedge: [f64; 2],
}

impl<'a> PairScan<'a> {
    /// Prepares a scan with `lags` lagged differences and a constant.
    ///
    /// # Errors
    /// More than 4 lags; series of different lengths, too short for the lags, constant, or with
    /// numbers that are none.
    pub fn new(series: &'a [&'a [f64]], lags: usize) -> Result<Self, Fault> {
        within("lags", lags as f64, 0.0, LAGS_MAX as f64)?;
        let length = series.first().map_or(0, |first| first.len());
        for one in series {
            checked("series", one, 2 * lags + 6)?;
            same_length("series", one.len(), length)?;
            moving("series", one)?;
        }
        let mut scan = Self {
            series,
            lags,
            backend: Backend::best(),
            stride: length.next_multiple_of(LANES),
            layers: Vec::new(),
            own: Vec::new(),
        };
        series.iter().for_each(|one| scan.push(one));
        scan.own = (0..series.len()).map(|at| scan.products(at, at)).collect();
        Ok(scan)
    }

    /// The same with other instructions.
    #[must_use]
    pub fn with(self, backend: Backend) -> Self {
        Self { backend, ..self }
    }

    /// Tells what is found of each pair, in order.
    ///
    /// # Errors
    /// A pair whose regression cannot be computed.
    pub fn run(&self, mut tell: impl FnMut(PairFound)) -> Result<(), Fault> {
        let mut shared = vec![[0.0; ORDER_MAX]; self.series.len()];
        for first in 0..self.series.len() {
            let others = first + 1;
            self.backend.run(Row {
                scan: self,
                first,
                others,
                shared: &mut shared[others..],
            });
            for (second, shared) in shared.iter().enumerate().skip(others) {
                let one = self.found(first, second, shared)?;
                let other = self.found(second, first, shared)?;
                tell(PairFound {
                    series: [first, second],
                    statistic: [one.0, other.0],
                    hedge: [one.1, other.1],
                });
            }
        }
        Ok(())
    }

    fn push(&mut self, one: &[f64]) {
        let mean = self.backend.sum(one) / one.len() as f64;
        // The mean of what is left takes off what the first one's rounding left.
        let left = one.iter().map(|x| x - mean).sum::<f64>() / one.len() as f64;
        self.layer(one.iter().map(|x| (x - mean) - left));
        let differences: Vec<f64> = one.windows(2).map(|pair| pair[1] - pair[0]).collect();
        self.layer(differences.iter().copied());
        for lag in 1..=self.lags {
            let at = |place: Option<usize>| place.and_then(|place| differences.get(place));
            let near = |place: usize| {
                let both = [at(place.checked_sub(lag)), at(Some(place + lag))];
                both.into_iter().flatten().sum()
            };
            self.layer((0..differences.len()).map(near));
        }
    }

    fn layer(&mut self, numbers: impl Iterator<Item = f64>) {
        self.layers.extend(numbers);
        let whole = self.layers.len().next_multiple_of(self.stride);
        self.layers.resize(whole, 0.0);
    }

    fn layer_of(&self, series: usize, layer: usize) -> &[f64] {
        let at = (series * (self.lags + 2) + layer) * self.stride;
        &self.layers[at..at + self.stride]
    }

    fn products(&self, first: usize, second: usize) -> [f64; ORDER_MAX] {
        let mut shared = [[0.0; ORDER_MAX]];
        self.backend.run(Row {
            scan: self,
            first,
            others: second,
            shared: &mut shared,
        });
        let [shared] = shared;
        shared
    }

    /// Statistic and hedge ratio of `x` explained by `y`.
    fn found(&self, x: usize, y: usize, shared: &[f64; ORDER_MAX]) -> Result<(f64, f64), Fault> {
        let hedge = shared[0] / self.own[y][0];
        let mut sums = [0.0; ORDER_MAX];
        for (layer, sum) in sums[..self.lags + 2].iter_mut().enumerate() {
            let (xx, yy) = (self.own[x][layer], self.own[y][layer]);
            *sum = hedge.mul_add(hedge.mul_add(yy, -2.0 * shared[layer]), xx);
        }
        let lost = (0..2).any(|layer| sums[layer] <= LEFT_MIN * self.own[x][layer]);
        let residual = Residual {
            x: [self.layer_of(x, 0), self.layer_of(x, 1)],
            y: [self.layer_of(y, 0), self.layer_of(y, 1)],
            hedge,
            length: self.series[x].len(),
        };
        // A compiler that knows the number of lags unrolls all loops over them.
        let quick = match self.lags {
            _ if lost => None,
            0 => residual.statistic::<0>(&sums),
            1 => residual.statistic::<1>(&sums),
            2 => residual.statistic::<2>(&sums),
            3 => residual.statistic::<3>(&sums),
            _ => residual.statistic::<LAGS_MAX>(&sums),
        };
        if let Some(statistic) = quick {
            return Ok((statistic, hedge));
        }
        let lags = Lags::Fixed(self.lags);
        let single = engle_granger(self.series[x], &[self.series[y]], Trend::Constant, lags)?;
        Ok((single.statistic, single.regression.coefficients[1]))
    }
}

/// Dot products of the layers of one series with those of some others.
struct Row<'a> {
    scan: &'a PairScan<'a>,
    first: usize,
    others: usize,
    shared: &'a mut [[f64; ORDER_MAX]],
}

impl Kernel for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let scan = self.scan;
        let (levels, _) = scan.layer_of(self.first, 0).as_chunks::<LANES>();
        let (moves, _) = scan.layer_of(self.first, 1).as_chunks::<LANES>();
        for (other, shared) in (self.others..).zip(self.shared) {
            for (layer, shared) in shared[..scan.lags + 2].iter_mut().enumerate() {
                let mine = if layer == 0 { levels } else { moves };
                let (theirs, _) = scan.layer_of(other, layer).as_chunks::<LANES>();
                let mut sums = lanes.splat(0.0);
                for (x, y) in mine.iter().zip(theirs) {
                    sums = lanes.mul_add(lanes.load(x), lanes.load(y), sums);
                }
                // Differences a lag apart stand in both sums of neighbours.
                let share = if layer > 1 { 0.5 } else { 1.0 };
                *shared = total(lanes, sums) * share;
            }
        }
    }
}

/// The residual of a pair, by the levels and differences of both.
struct Residual<'a> {
    x: [&'a [f64]; 2],
    y: [&'a [f64]; 2],
    hedge: f64,
    length: usize,
}

impl Residual<'_> {
    fn level_squared(&self, at: usize) -> f64 {
        let level = self.x[0][at] - self.hedge * self.y[0][at];
        level * level
    }

    /// The difference that leads to the level at a place.
    fn moved(&self, at: usize) -> f64 {
        self.x[1][at - 1] - self.hedge * self.y[1][at - 1]
    }

    /// Dickey and Fuller's statistic from sums over the whole residual: of its squares, and of
    /// products of differences 0, 1, ... apart. `None` where it would be imprecise.
    fn statistic<const LAGS: usize>(&self, sums: &[f64; ORDER_MAX]) -> Option<f64> {
        let (lags, order) = (LAGS, LAGS + 2);
        // Lagged differences, the level, the difference.
        let mut normal = [[0.0; ORDER_MAX]; ORDER_MAX];
        let place = |lag: usize| if lag == 0 { lags + 1 } else { lag - 1 };
        let mut products = [[0.0; ORDER_MAX]; ORDER_MAX];
        for later in 0..=lags {
            for earlier in later..=lags {
                let product = self.differences::<LAGS>(later, earlier, sums[1 + earlier - later]);
                products[later][earlier] = product;
                let (row, column) = (place(later), place(earlier));
                normal[row.max(column)][row.min(column)] = product;
            }
        }
        let head: f64 = (0..lags).map(|at| self.level_squared(at)).sum();
        normal[lags][lags] = sums[0] - head - self.level_squared(self.length - 1);
        for lag in 0..=lags {
            let product = self.with_level::<LAGS>(lag, &products);
            let other = place(lag);
            normal[other.max(lags)][other.min(lags)] = product;
        }
        let observations = self.length - 1 - lags;
        root(&mut normal, order)?;
        let degrees = (observations - lags - 1) as f64;
        let [level, rest] = [normal[lags + 1][lags], normal[lags + 1][lags + 1]];
        Some(level / rest * degrees.sqrt())
    }

    /// The sum of products of levels and the differences `lag` steps behind them. A level times the
    /// move from it is half of what its square gains, less the move's own.
    fn with_level<const LAGS: usize>(
        &self,
        lag: usize,
        products: &[[f64; ORDER_MAX]; ORDER_MAX],
    ) -> f64 {
        let last = self.level_squared(self.length - 1 - lag);
        let gained = last - self.level_squared(LAGS - lag);
        let between = products.iter().take(lag + 1).skip(1);
        let between: f64 = between.map(|products| products[lag]).sum();
        0.5 * (gained - products[lag][lag]) + between
    }

    /// The sum of products of differences `later` and `earlier` steps back over all observations,
    /// from that over the whole residual.
    fn differences<const LAGS: usize>(&self, later: usize, earlier: usize, whole: f64) -> f64 {
        let apart = earlier - later;
        let head = 1 + apart..=LAGS - later;
        let tail = self.length - later..self.length;
        let outside = head.chain(tail);
        let outside: f64 = outside
            .map(|at| self.moved(at) * self.moved(at - apart))
            .sum();
        whole - outside
    }
}

/// The Cholesky factor of the lower half of a matrix; `None` if a pivot is next to nothing.
#[inline(always)]
fn root(matrix: &mut [[f64; ORDER_MAX]; ORDER_MAX], order: usize) -> Option<()> {
    for row in 0..order {
        for column in 0..=row {
            let known: f64 = (0..column)
                .map(|k| matrix[row][k] * matrix[column][k])
                .sum();
            let left = matrix[row][column] - known;
            if row == column {
                let least = PIVOT_MIN * matrix[row][row];
                if left.is_nan() || left <= least {
                    return None;
                }
                matrix[row][row] = left.sqrt();
            } else {
                matrix[row][column] = left / matrix[column][column];
            }
        }
    }
    Some(())
}
