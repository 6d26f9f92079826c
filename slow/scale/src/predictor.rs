//! What load comes: the day's shape, learnt as it goes.
//!
//! Loads are collected in buckets. Once a day has passed it is expected to repeat; once there are
//! three, whatever forecast the last ones best is taken, from seasonal naive and Holt and Winters'
//! smoothing with a daily season under several weights (`quant::forecasting`). That choice is made
//! anew each day.

use quant::forecasting::{Method, Weights, backtest, choose, forecast};
use std::fmt;

/// Seconds of a season.
pub const DAY_S: u64 = 86_400;

/// Days that are remembered.
const DAYS_MAX: usize = 14;

/// Days at the end that methods are judged by, at most.
const HELD_MAX: usize = 3;

/// A forecast above this many times the most that ever was is taken for that.
const BEYOND_MAX: f64 = 2.0;

/// What levels, trends and seasons may weigh, and what a trend keeps.
const LEVELS: [f64; 4] = [0.01, 0.05, 0.2, 0.6];
const TRENDS: [f64; 2] = [0.001, 0.02];
const SEASONS: [f64; 3] = [0.05, 0.2, 0.5];
const DAMPINGS: [f64; 2] = [0.9, 1.0];

/// Why there is no forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quiet {
    /// Less than a day was seen: these are the seconds.
    Learning(u64),
}

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Learning(seconds) = self;
        write!(f, "{:.1} of 24 hours are learnt", *seconds as f64 / 3_600.0)
    }
}

/// Loads of the past, and how they are continued.
#[derive(Clone, Debug)]
pub struct Predictor {
    bucket_s: u64,
    /// Buckets to look ahead.
    steps: usize,
    /// Means of buckets that are over, one for each; `first` is the number of the first one.
    loads: Vec<f64>,
    next: Option<u64>,
    /// Sum and count of what came in the bucket that is not over.
    open: (f64, u32),
    method: Option<Method>,
    /// Buckets until the method is chosen anew.
    until_choice: usize,
    /// What is expected of the bucket that is not over and of those behind it.
    expected: Vec<f64>,
}

impl Predictor {
    /// Knows nothing yet; it is to look ahead by so many seconds. A day is a whole number of
    /// buckets of 60 seconds at least: see [`crate::Policy::check`].
    #[must_use]
    pub fn new(bucket_s: u64, ahead_s: u64) -> Self {
        Self {
            bucket_s,
            steps: ahead_s.div_ceil(bucket_s) as usize + 1,
            loads: Vec::new(),
            next: None,
            open: (0.0, 0),
            method: None,
            until_choice: 0,
            expected: Vec::new(),
        }
    }

    const fn season(&self) -> usize {
        (DAY_S / self.bucket_s) as usize
    }

    /// A load at a time, in seconds; times do not go back.
    pub fn observe(&mut self, time_s: u64, load: f64) {
        let bucket = time_s / self.bucket_s;
        let next = *self.next.get_or_insert(bucket);
        if bucket > next {
            self.pass(bucket - next);
            self.next = Some(bucket);
        }
        self.open = (self.open.0 + load, self.open.1 + 1);
    }

    /// So many buckets are over: the open one, and those in which nothing was heard, which are
    /// taken for what was expected of them. After a silent day nothing is known any more.
    fn pass(&mut self, buckets: u64) {
        if buckets > self.season() as u64 {
            *self = Self::new(self.bucket_s, (self.steps as u64 - 1) * self.bucket_s);
            return;
        }
        let (sum, count) = std::mem::replace(&mut self.open, (0.0, 0));
        let mean = (count > 0).then(|| sum / f64::from(count));
        for passed in 0..buckets {
            let heard = mean.filter(|_| passed == 0);
            let last = self.loads.last().copied().unwrap_or(0.0);
            let load = heard.or(self.expected.first().copied()).unwrap_or(last);
            self.close(load);
        }
    }

    fn close(&mut self, load: f64) {
        self.loads.push(load);
        let season = self.season();
        if self.loads.len() > DAYS_MAX * season {
            self.loads.drain(..season);
        }
        self.until_choice = self.until_choice.saturating_sub(1);
        if self.until_choice == 0 && self.loads.len() >= season {
            self.until_choice = season;
            self.method = Some(best(&self.loads, season, self.steps));
        }
        let Some(method) = self.method else { return };
        let most = self.loads.iter().copied().fold(0.0, f64::max) * BEYOND_MAX;
        // Loads are finite and there are enough of them: nothing is refused.
        let expected = forecast(&self.loads, method, self.steps).unwrap_or_default();
        self.expected = expected.iter().map(|load| load.clamp(0.0, most)).collect();
    }

    /// The highest load that is expected from now to as far as is looked ahead, and how many
    /// seconds after `time_s` its bucket begins.
    ///
    /// # Errors
    /// Too little was seen.
    pub fn peak(&self, time_s: u64) -> Result<(f64, u64), Quiet> {
        let begin = self.next.unwrap_or(0) * self.bucket_s;
        let mut peak: Option<(f64, u64)> = None;
        for (step, load) in self.expected.iter().enumerate() {
            if peak.is_none_or(|peak| *load > peak.0) {
                let at = begin + step as u64 * self.bucket_s;
                peak = Some((*load, at.saturating_sub(time_s)));
            }
        }
        peak.ok_or(Quiet::Learning(self.loads.len() as u64 * self.bucket_s))
    }

    /// The method in use.
    #[must_use]
    pub const fn method(&self) -> Option<Method> {
        self.method
    }
}

/// The method that forecast the last seasons best, `steps` at a time, of those that can.
fn best(loads: &[f64], season: usize, steps: usize) -> Method {
    let naive = Method::SeasonalNaive { season };
    let methods: Vec<Method> = std::iter::once(naive).chain(smoothings(season)).collect();
    let held = (loads.len() / season).saturating_sub(2).clamp(1, HELD_MAX) * season;
    choose(loads, held, steps, season, &methods).map_or(naive, |(method, _)| method)
}

fn smoothings(season: usize) -> impl Iterator<Item = Method> {
    let weights = LEVELS.into_iter().flat_map(|level| {
        TRENDS.into_iter().flat_map(move |trend| {
            let of = move |(season, damping)| Weights {
                level,
                trend,
                season,
                damping,
            };
            let rest = SEASONS.into_iter();
            rest.flat_map(|season| DAMPINGS.map(|damping| (season, damping)))
                .map(of)
        })
    });
    weights.map(move |weights| Method::HoltWinters { weights, season })
}

/// How good forecasts of days were.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scores {
    /// Days that were forecast.
    pub days: usize,
    /// The mean absolute error of what was chosen on the days before each.
    pub mae: f64,
    /// The same beside the mean absolute change from day to day before each.
    pub mase: f64,
    /// The mean absolute error of the day before, again.
    pub naive_mae: f64,
    /// The same beside those changes.
    pub naive_mase: f64,
    /// What was chosen for the last one.
    pub method: Method,
}

/// How well the days of a series are forecast, `steps` at a time, each by what was chosen on the
/// days before it; from the fourth day on. Nothing if there are less than four.
#[must_use]
pub fn scores(loads: &[f64], season: usize, steps: usize) -> Option<Scores> {
    let naive = Method::SeasonalNaive { season };
    let (mut all, days) = (None, loads.len() / season);
    for day in 3..days {
        let (train, until) = (day * season, &loads[..(day + 1) * season]);
        let method = best(&until[..train], season, steps);
        let score = |method| backtest(until, train, steps, season, method).ok();
        let (ours, again) = (score(method)?, score(naive)?);
        let all = all.get_or_insert(Scores {
            days: days - 3,
            mae: 0.0,
            mase: 0.0,
            naive_mae: 0.0,
            naive_mase: 0.0,
            method,
        });
        all.method = method;
        for (sum, more) in [
            (&mut all.mae, ours.mae),
            (&mut all.mase, ours.mase),
            (&mut all.naive_mae, again.mae),
            (&mut all.naive_mase, again.mase),
        ] {
            *sum += more / (days - 3) as f64;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKET_S: u64 = 900;

    /// A day with one peak at noon, seen every 5 minutes.
    fn load(time_s: u64) -> f64 {
        let hour = (time_s % DAY_S) as f64 / 3_600.0;
        100.0 + (300.0 - 100.0 * (hour - 12.0).abs()).max(0.0)
    }

    fn learnt(days: u64) -> Predictor {
        let mut predictor = Predictor::new(BUCKET_S, 3_600);
        for time_s in (0..=days * DAY_S).step_by(300) {
            predictor.observe(time_s, load(time_s));
        }
        predictor
    }

    #[test]
    fn a_day_that_was_seen_comes_again() {
        let mut predictor = learnt(0);
        assert_eq!(predictor.peak(0), Err(Quiet::Learning(0)));
        for time_s in (0..DAY_S + 11 * 3_600 + 1).step_by(300) {
            predictor.observe(time_s, load(time_s));
        }
        let (peak, ahead_s) = predictor.peak(DAY_S + 11 * 3_600).unwrap();
        assert_eq!(
            ahead_s, 3_600,
            "noon, and the quarter of an hour behind it, are the peak"
        );
        assert!((380.0..400.0).contains(&peak), "{peak}");
        assert!(matches!(
            predictor.method(),
            Some(Method::SeasonalNaive { .. })
        ));
    }

    #[test]
    fn silence_is_filled_and_a_silent_day_forgets() {
        let mut predictor = learnt(4);
        let noon = 4 * DAY_S + 12 * 3_600;
        predictor.observe(noon - 1_800, load(noon - 1_800));
        let (peak, _) = predictor.peak(noon - 1_800).unwrap();
        assert!((370.0..410.0).contains(&peak), "{peak}");
        predictor.observe(noon + 2 * DAY_S, 1.0);
        assert_eq!(predictor.peak(noon + 2 * DAY_S), Err(Quiet::Learning(0)));
    }

    #[test]
    fn a_forecast_has_bounds() {
        let mut predictor = Predictor::new(BUCKET_S, 3_600);
        for time_s in (0..5 * DAY_S).step_by(BUCKET_S as usize) {
            let up = if time_s > 5 * DAY_S - 7_200 { 1e6 } else { 0.0 };
            predictor.observe(time_s, load(time_s) + up);
            assert!(
                predictor
                    .peak(time_s)
                    .is_ok_and(|it| (0.0..=2.1e6).contains(&it.0))
                    || time_s < DAY_S + BUCKET_S
            );
        }
    }
}
