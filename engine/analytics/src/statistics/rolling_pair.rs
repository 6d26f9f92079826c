//! Covariance, correlation and regression of the last pairs, by the recipe of [`Rolling`].
//!
//! [`Rolling`]: super::Rolling

use super::ring::Ring;
use super::rolling::OUTLIER;
use super::{NotFinite, OutOfRange, are_finite};

/// A pair of the whole window and one of this turn alone, side by side for a wide register.
type Both = [f64; 4];

/// Sums of differences from anchors: of all pairs, and of those of this turn.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(align(32))]
struct Sums {
    anchors: Both,
    sums: Both,
    squares: Both,
    /// Each twice.
    products: Both,
}

/// Sums of squared differences of both from their means, and of products of differences.
#[derive(Clone, Copy, Debug)]
struct Differences {
    xx: f64,
    yy: f64,
    xy: f64,
}

/// Two numbers with two others, or four with four.
#[inline(always)]
fn each<const N: usize>(a: [f64; N], b: [f64; N], what: impl Fn(f64, f64) -> f64) -> [f64; N] {
    std::array::from_fn(|at| what(a[at], b[at]))
}

#[inline(always)]
fn swapped([a, b, c, d]: Both) -> Both {
    [b, a, d, c]
}

impl Sums {
    fn from([x, y]: [f64; 2]) -> Self {
        Self {
            anchors: [x, y, x, y],
            ..Self::default()
        }
    }

    /// Adds a pair to both, and takes one off those of the window: by how much it differed.
    #[inline(always)]
    fn add(&mut self, [x, y]: [f64; 2], [gone_x, gone_y]: [f64; 2]) {
        let gone = [gone_x, gone_y, 0.0, 0.0];
        let pair = each([x, y, x, y], self.anchors, |x, anchor| x - anchor);
        let less = |a: Both, b: Both| each(a, b, |a, b| a - b);
        let times = |a: Both, b: Both| each(a, b, |a, b| a * b);
        let plus = |sums: Both, more: Both| each(sums, more, |sum, x| sum + x);
        self.sums = plus(self.sums, less(pair, gone));
        self.squares = plus(self.squares, less(times(pair, pair), times(gone, gone)));
        let products = less(times(pair, swapped(pair)), times(gone, swapped(gone)));
        self.products = plus(self.products, products);
    }

    /// Says where all pairs are, each of which is `inverse` of them, and whether a pair that
    /// differed by so much has cost the sums digits, as for [`Rolling`](super::Rolling).
    #[inline(always)]
    fn differences(&self, gone: [f64; 2], inverse: f64) -> (Differences, bool) {
        let ([x, y, ..], [xx, yy, ..], [xy, ..]) = (self.sums, self.squares, self.products);
        let far = [x * x * inverse, y * y * inverse];
        let squares = each([xx, yy], far, |squares, far| squares - far);
        let gone = each(gone, gone, |x, same| x * same);
        let greatest = each(gone, far, |gone, far| if gone > far { gone } else { far });
        let least = squares.map(|squares| OUTLIER * squares);
        let is_worn = (greatest[0] > least[0]) | (greatest[1] > least[1]);
        let [xx, yy] = squares.map(|squares| if squares > 0.0 { squares } else { 0.0 });
        let xy = xy - x * y * inverse;
        (Differences { xx, yy, xy }, is_worn)
    }
}

impl Differences {
    /// Pearson's; `None` if one of both is constant.
    #[inline(always)]
    fn correlation(&self) -> Option<f64> {
        let Self { xx, yy, xy } = *self;
        let both = xx * yy;
        // Products of tiny squares vanish before the squares do, those of great ones are infinite.
        let both = if both > f64::MIN_POSITIVE && both < f64::INFINITY {
            both.sqrt()
        } else {
            far_root(xx, yy)?
        };
        Some((xy / both).clamp(-1.0, 1.0))
    }
}

/// Covariance, correlation and regression of the last pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct RollingPair {
    ring: Ring<[f64; 2]>,
    sums: Sums,
}

impl RollingPair {
    /// A window of so many pairs.
    ///
    /// # Errors
    /// None, or more than [`WINDOW_MAX`](super::WINDOW_MAX).
    pub fn new(length: usize) -> Result<Self, OutOfRange> {
        Ok(Self {
            ring: Ring::new(length)?,
            sums: Sums::default(),
        })
    }

    /// Takes a pair, for the oldest one if the window is full.
    ///
    /// # Errors
    /// One of them is not finite.
    #[inline]
    pub fn push(&mut self, x: f64, y: f64) -> Result<(), NotFinite> {
        if !are_finite([x, y]) {
            return Err(NotFinite(if x.is_finite() { y } else { x }));
        }
        self.push_finite([x, y]);
        Ok(())
    }

    /// Takes a pair that is finite; says where all of them are now.
    #[inline(always)]
    fn push_finite(&mut self, pair: [f64; 2]) -> Differences {
        let Some(gone) = self.ring.replace(pair) else {
            self.grow(pair);
            return self.differences();
        };
        let [x, y, ..] = self.sums.anchors;
        let gone = [gone[0] - x, gone[1] - y];
        self.sums.add(pair, gone);
        let (differences, is_worn) = self.sums.differences(gone, self.ring.inverse);
        if is_worn | self.ring.is_turned() {
            self.settle(is_worn);
            return self.differences();
        }
        differences
    }

    /// Takes a pair for which there is room.
    #[cold]
    fn grow(&mut self, pair: [f64; 2]) {
        if self.ring.all().is_empty() {
            self.sums = Sums::from(pair);
        }
        self.ring.grow(pair);
        self.sums.add(pair, [0.0; 2]);
        self.settle(false);
    }

    /// At the end of a turn its sums are those of all pairs; worn ones are made anew.
    #[inline(never)]
    fn settle(&mut self, mut is_worn: bool) {
        if self.ring.is_turned() {
            let means = self.means();
            let of_turn = |both: &mut Both, next: [f64; 2]| {
                *both = [both[2], both[3], next[0], next[1]];
            };
            of_turn(&mut self.sums.anchors, means);
            of_turn(&mut self.sums.sums, [0.0; 2]);
            of_turn(&mut self.sums.squares, [0.0; 2]);
            of_turn(&mut self.sums.products, [0.0; 2]);
            is_worn |= self.sums.differences([0.0; 2], self.ring.inverse).1;
        }
        if is_worn {
            self.refresh();
        }
    }

    /// Makes the sums anew.
    #[cold]
    fn refresh(&mut self) {
        let [x, y, ..] = self.sums.anchors;
        let of = |anchors: [f64; 2], pairs: &[[f64; 2]]| {
            let mut sums = Sums::from(anchors);
            pairs.iter().for_each(|pair| sums.add(*pair, [0.0; 2]));
            sums
        };
        self.sums = of([x, y], self.ring.all());
        let anchors = self.means();
        self.sums = of(anchors, self.ring.all());
        let turn = of(anchors, self.ring.of_this_turn());
        let with = |both: &mut Both, turn: Both| both[2..].copy_from_slice(&turn[2..]);
        with(&mut self.sums.sums, turn.sums);
        with(&mut self.sums.squares, turn.squares);
        with(&mut self.sums.products, turn.products);
    }

    #[inline(always)]
    fn means(&self) -> [f64; 2] {
        let ([from_x, from_y, ..], [x, y, ..]) = (self.sums.anchors, self.sums.sums);
        let inverse = self.ring.inverse;
        [from_x + x * inverse, from_y + y * inverse]
    }

    #[inline(always)]
    fn differences(&self) -> Differences {
        self.sums.differences([0.0; 2], self.ring.inverse).0
    }

    /// Whether as many pairs came as the window holds.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.ring.is_full()
    }

    /// Their covariance, the sum divided by `count - ddof`; `None` unless that is positive.
    #[must_use]
    pub fn covariance(&self, ddof: usize) -> Option<f64> {
        let Differences { xy, .. } = self.differences();
        let count = self.ring.all().len();
        (count > ddof).then(|| xy / (count - ddof) as f64)
    }

    /// Pearson's; `None` if one of both is constant.
    #[inline]
    #[must_use]
    pub fn correlation(&self) -> Option<f64> {
        self.differences().correlation()
    }

    /// Slope and intercept of the least squares line that gives `x` for `y`; `None` if `y` is
    /// constant.
    #[must_use]
    pub fn line_of_x(&self) -> Option<(f64, f64)> {
        let Differences { yy, xy, .. } = self.differences();
        let [mean_x, mean_y] = self.means();
        (yy > 0.0).then(|| {
            let slope = xy / yy;
            (slope, mean_x - slope * mean_y)
        })
    }
}

/// The root of a product that may be out of range; none of nothing.
#[cold]
fn far_root(xx: f64, yy: f64) -> Option<f64> {
    let both = xx.sqrt() * yy.sqrt();
    (both > 0.0).then_some(both)
}
