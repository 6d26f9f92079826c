//! Figures of rounds that follow one another, and how sure they are.

/// Samples of the rounds from which the interval of a figure is read.
const RESAMPLES: usize = 2_000;

/// Of those, the part that lies outside the interval on each side.
const OUTSIDE: f64 = 0.025;

/// Numbers without a pattern, the same in each run.
pub struct Random(pub u64);

impl Random {
    /// Above 0, and at most 1.
    pub fn unit(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        ((self.0 >> 33) as f64 + 1.0) / f64::from(1u32 << 31)
    }

    /// Below a number.
    pub fn below(&mut self, end: usize) -> usize {
        ((1.0 - self.unit()) * end as f64) as usize
    }
}

/// A figure, and the interval in which it lies in 95 of 100 days such as this one.
#[derive(Clone, Copy, Debug)]
pub struct Sure {
    pub value: f64,
    pub from: f64,
    pub to: f64,
}

impl std::fmt::Display for Sure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3} ({:.3} to {:.3})", self.value, self.from, self.to)
    }
}

/// The value below which this part of all values lies.
pub fn quantile(values: impl IntoIterator<Item = f64>, part: f64) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * part) as usize]
}

/// A figure of rounds, and by drawing rounds from them again and again how sure it is.
pub fn sure<R: Copy>(rounds: &[R], random: &mut Random, figure: impl Fn(&[R]) -> f64) -> Sure {
    let mut draw = || {
        let drawn = rounds.iter().map(|_| rounds[random.below(rounds.len())]);
        figure(&drawn.collect::<Vec<_>>())
    };
    let drawn: Vec<f64> = (0..RESAMPLES).map(|_| draw()).collect();
    Sure {
        value: figure(rounds),
        from: quantile(drawn.iter().copied(), OUTSIDE),
        to: quantile(drawn, 1.0 - OUTSIDE),
    }
}
