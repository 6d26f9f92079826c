//! Covariance, correlation and regression of the last pairs, by the recipe of [`Rolling`].
//!
//! [`Rolling`]: super::Rolling

use super::ring::Ring;
use super::rolling::OUTLIER;
use super::{NotFinite, OutOfRange, checked};

/// Sums of differences from anchors.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sums {
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

impl Sums {
    #[inline]
    fn add(&mut self, [x, y]: [f64; 2]) {
        self.x += x;
        self.y += y;
        self.xx += x * x;
        self.yy += y * y;
        self.xy += x * y;
    }

    /// Takes one of `1 / inverse` pairs off; says whether the others have lost digits, as for
    /// [`Rolling`](super::Rolling).
    #[inline]
    fn remove(&mut self, [x, y]: [f64; 2], inverse: f64) -> bool {
        self.x -= x;
        self.y -= y;
        self.xx -= x * x;
        self.yy -= y * y;
        self.xy -= x * y;
        let (far_x, far_y) = (self.x * self.x * inverse, self.y * self.y * inverse);
        (x * x).max(far_x) > OUTLIER * (self.xx - far_x)
            || (y * y).max(far_y) > OUTLIER * (self.yy - far_y)
    }
}

/// Covariance, correlation and regression of the last pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct RollingPair {
    ring: Ring<[f64; 2]>,
    anchor: [f64; 2],
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
            anchor: [0.0; 2],
            sums: Sums::default(),
        })
    }

    /// Takes a pair, for the oldest one if the window is full.
    ///
    /// # Errors
    /// One of them is not finite.
    #[inline]
    pub fn push(&mut self, x: f64, y: f64) -> Result<(), NotFinite> {
        let pair = [checked(x)?, checked(y)?];
        if self.ring.all().is_empty() {
            self.anchor = pair;
        }
        let from = self.anchor;
        let moved = |[x, y]: [f64; 2]| [x - from[0], y - from[1]];
        self.sums.add(moved(pair));
        let gone = self.ring.push(pair);
        let is_worn = gone.is_some_and(|gone| self.sums.remove(moved(gone), self.ring.inverse));
        if self.ring.is_turned() || is_worn {
            self.refresh();
        }
        Ok(())
    }

    /// Makes the sums anew.
    #[inline(never)]
    fn refresh(&mut self) {
        let [from_x, from_y] = self.anchor;
        let [mut x, mut y] = [0.0; 2];
        for pair in self.ring.all() {
            x += pair[0] - from_x;
            y += pair[1] - from_y;
        }
        self.anchor = [
            from_x + x * self.ring.inverse,
            from_y + y * self.ring.inverse,
        ];
        self.sums = Sums::default();
        for [x, y] in self.ring.all() {
            self.sums.add([x - self.anchor[0], y - self.anchor[1]]);
        }
    }

    /// Whether as many pairs came as the window holds.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.ring.is_full()
    }

    /// Sums of squared differences of both from their means, and of products of differences.
    #[inline]
    fn differences(&self) -> [f64; 3] {
        let Sums { x, y, xx, yy, xy } = self.sums;
        let inverse = self.ring.inverse;
        let squares = [xx - x * x * inverse, yy - y * y * inverse];
        let [xx, yy] = squares.map(|squares| squares.max(0.0));
        [xx, yy, xy - x * y * inverse]
    }

    /// Their covariance, the sum divided by `count - ddof`; `None` unless that is positive.
    #[must_use]
    pub fn covariance(&self, ddof: usize) -> Option<f64> {
        let [_, _, xy] = self.differences();
        let count = self.ring.all().len();
        (count > ddof).then(|| xy / (count - ddof) as f64)
    }

    /// Pearson's; `None` if one of both is constant.
    #[inline]
    #[must_use]
    pub fn correlation(&self) -> Option<f64> {
        let [xx, yy, xy] = self.differences();
        let both = (xx * yy).sqrt();
        // Products of tiny squares vanish before the squares do.
        let both = if both.is_normal() {
            both
        } else {
            xx.sqrt() * yy.sqrt()
        };
        (both > 0.0).then(|| (xy / both).clamp(-1.0, 1.0))
    }

    /// Slope and intercept of the least squares line that gives `x` for `y`; `None` if `y` is
    /// constant.
    #[must_use]
    pub fn line_of_x(&self) -> Option<(f64, f64)> {
        let [_, yy, xy] = self.differences();
        let mean_x = self.anchor[0] + self.sums.x * self.ring.inverse;
        let mean_y = self.anchor[1] + self.sums.y * self.ring.inverse;
        (yy > 0.0).then(|| {
            let slope = xy / yy;
            (slope, mean_x - slope * mean_y)
        })
    }
}
