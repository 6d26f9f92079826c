//! What a load run does: stages of order rates, and the thresholds that decide its exit code.
//!
//! A scenario is a TOML file:
//!
//! ```toml
//! [[stage]]
//! kind = "ramp"        # constant | ramp | step | burst
//! seconds = 5.0
//! from = 1000          # commands a second
//! to = 20000
//!
//! [thresholds]
//! p99_us = 20000       # order due to reply, over all sessions
//! rejects = 0
//! ```
//!
//! Times are a function of the stages alone: a load generator that falls behind still measures from
//! the moment a command was due, so a stall shows in the figures instead of hiding in them.

use std::fmt;

use serde::Deserialize;

/// The highest rate a stage may ask for, in commands a second.
pub const RATE_MAX: f64 = 10_000_000.0;
/// The longest stage, in seconds.
pub const STAGE_SECONDS_MAX: f64 = 86_400.0;

const NS_PER_SECOND: f64 = 1e9;

/// Stages in the order they run, and what must hold at the end.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What runs, in order.
    #[serde(rename = "stage")]
    pub stages: Vec<Stage>,
    /// What must hold for exit code 0.
    #[serde(default)]
    pub thresholds: Thresholds,
}

/// One stretch of time with its order rate, in commands a second over all sessions.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Stage {
    /// The same rate throughout.
    Constant {
        /// Length in seconds.
        seconds: f64,
        /// Commands a second.
        rate: f64,
    },
    /// From one rate to another in a straight line.
    Ramp {
        /// Length in seconds.
        seconds: f64,
        /// Commands a second at the start.
        from: f64,
        /// Commands a second at the end.
        to: f64,
    },
    /// From one rate to another in equal steps.
    Step {
        /// Length in seconds.
        seconds: f64,
        /// Commands a second in the first step.
        from: f64,
        /// Commands a second in the last step.
        to: f64,
        /// Number of steps, at least 2.
        steps: u32,
    },
    /// A base rate with a peak at the start of each period.
    Burst {
        /// Length in seconds.
        seconds: f64,
        /// Commands a second between peaks.
        rate: f64,
        /// Commands a second in a peak.
        peak: f64,
        /// From one peak to the next, in milliseconds.
        period_ms: f64,
        /// Length of a peak in milliseconds.
        burst_ms: f64,
    },
}

/// Limits on the result; one that is absent is not looked at. Latencies in microseconds.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Median from due to reply.
    pub p50_us: Option<u64>,
    /// 99th percentile from due to reply.
    pub p99_us: Option<u64>,
    /// 99.9th percentile from due to reply.
    pub p999_us: Option<u64>,
    /// Worst from due to reply.
    pub max_us: Option<u64>,
    /// Orders refused.
    pub rejects: Option<u64>,
    /// Commands without an answer at the end; 0 when it is absent.
    pub unanswered: Option<u64>,
}

/// What is wrong with a scenario, with the stage it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError(String);

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ScenarioError {}

impl Scenario {
    /// One constant stage.
    #[must_use]
    pub fn constant(rate: f64, seconds: f64) -> Self {
        Self {
            stages: vec![Stage::Constant { seconds, rate }],
            thresholds: Thresholds::default(),
        }
    }

    /// Reads a scenario; `name` is the file that errors name.
    ///
    /// # Errors
    /// What is wrong, with the line or the stage.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self =
            toml::from_str(text).map_err(|error| ScenarioError(format!("{name}: {error}")))?;
        scenario
            .check()
            .map_err(|error| ScenarioError(format!("{name}: {error}")))?;
        Ok(scenario)
    }

    /// Checks every number of every stage.
    ///
    /// # Errors
    /// The stage and the value that is out of range.
    pub fn check(&self) -> Result<(), ScenarioError> {
        if self.stages.is_empty() {
            return Err(ScenarioError("no [[stage]]: add at least one".to_owned()));
        }
        for (index, stage) in self.stages.iter().enumerate() {
            stage
                .check()
                .map_err(|error| ScenarioError(format!("stage {}: {error}", index + 1)))?;
        }
        Ok(())
    }

    /// Length of all stages in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.stages.iter().map(Stage::seconds).sum()
    }

    /// When each command is due, in nanoseconds from the start, until the last stage ends.
    #[must_use]
    pub fn schedule(&self) -> Schedule<'_> {
        Schedule {
            stages: &self.stages,
            stage_start_ns: 0.0,
            next_ns: 0.0,
        }
    }
}

impl Stage {
    /// Length in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        match *self {
            Self::Constant { seconds, .. }
            | Self::Ramp { seconds, .. }
            | Self::Step { seconds, .. }
            | Self::Burst { seconds, .. } => seconds,
        }
    }

    /// Commands a second at a time counted from the start of the stage.
    fn rate_at(&self, ns: f64) -> f64 {
        let part = (ns / (self.seconds() * NS_PER_SECOND)).clamp(0.0, 1.0);
        match *self {
            Self::Constant { rate, .. } => rate,
            Self::Ramp { from, to, .. } => from + (to - from) * part,
            Self::Step {
                from, to, steps, ..
            } => {
                let last = f64::from(steps - 1);
                from + (to - from) * (part * f64::from(steps)).floor().min(last) / last
            }
            Self::Burst {
                rate,
                peak,
                period_ms,
                burst_ms,
                ..
            } => {
                if ns / 1e6 % period_ms < burst_ms {
                    peak
                } else {
                    rate
                }
            }
        }
    }

    fn check(&self) -> Result<(), ScenarioError> {
        in_range("seconds", self.seconds(), 0.001, STAGE_SECONDS_MAX)?;
        match *self {
            Self::Constant { rate, .. } => in_range("rate", rate, 1.0, RATE_MAX),
            Self::Ramp { from, to, .. } => {
                in_range("from", from, 1.0, RATE_MAX)?;
                in_range("to", to, 1.0, RATE_MAX)
            }
            Self::Step {
                from, to, steps, ..
            } => {
                in_range("from", from, 1.0, RATE_MAX)?;
                in_range("to", to, 1.0, RATE_MAX)?;
                in_range("steps", f64::from(steps), 2.0, 10_000.0)
            }
            Self::Burst {
                rate,
                peak,
                period_ms,
                burst_ms,
                ..
            } => {
                in_range("rate", rate, 1.0, RATE_MAX)?;
                in_range("peak", peak, rate, RATE_MAX)?;
                in_range("period_ms", period_ms, 0.01, STAGE_SECONDS_MAX * 1e3)?;
                in_range("burst_ms", burst_ms, 0.001, period_ms)
            }
        }
    }
}

fn in_range(name: &str, value: f64, least: f64, most: f64) -> Result<(), ScenarioError> {
    if value >= least && value <= most {
        return Ok(());
    }
    Err(ScenarioError(format!(
        "{name} = {value}: choose a number from {least} to {most}"
    )))
}

/// When commands are due: see [`Scenario::schedule`].
#[derive(Clone, Debug)]
pub struct Schedule<'s> {
    stages: &'s [Stage],
    stage_start_ns: f64,
    next_ns: f64,
}

impl Iterator for Schedule<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        loop {
            let stage = self.stages.first()?;
            let stage_end_ns = self.stage_start_ns + stage.seconds() * NS_PER_SECOND;
            if self.next_ns < stage_end_ns {
                let due_ns = self.next_ns;
                let rate = stage.rate_at(due_ns - self.stage_start_ns);
                self.next_ns += NS_PER_SECOND / rate;
                return Some(due_ns as u64);
            }
            self.stage_start_ns = stage_end_ns;
            self.stages = &self.stages[1..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        Scenario::parse("test.toml", text)
            .unwrap()
            .schedule()
            .count()
    }

    #[test]
    fn stages_give_the_commands_they_promise() {
        let constant = "[[stage]]\nkind = 'constant'\nseconds = 2.0\nrate = 500.0";
        assert_eq!(count(constant), 1_000);
        let ramp = "[[stage]]\nkind = 'ramp'\nseconds = 10.0\nfrom = 100.0\nto = 300.0";
        assert!((1_990..=2_010).contains(&count(ramp)), "{}", count(ramp));
        let step = "[[stage]]\nkind = 'step'\nseconds = 3.0\nfrom = 100.0\nto = 300.0\nsteps = 3";
        assert!((598..=602).contains(&count(step)), "{}", count(step));
        let burst = "[[stage]]\nkind = 'burst'\nseconds = 1.0\nrate = 100.0\npeak = 1000.0\n\
                     period_ms = 100.0\nburst_ms = 10.0";
        assert!((180..=210).contains(&count(burst)), "{}", count(burst));
    }

    #[test]
    fn due_times_never_go_back_over_a_change_of_stage() {
        let text = "[[stage]]\nkind='constant'\nseconds=0.5\nrate=3.0\n\
                    [[stage]]\nkind='constant'\nseconds=0.5\nrate=1000.0";
        let scenario = Scenario::parse("t", text).unwrap();
        let due: Vec<u64> = scenario.schedule().collect();
        assert!(due.is_sorted());
        assert!(*due.last().unwrap() < 1_000_000_000);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            ("", "missing field `stage`"),
            ("stage = []", "no [[stage]]"),
            (
                "[[stage]]\nkind='constant'\nseconds=1.0\nrate=0.0",
                "stage 1: rate = 0",
            ),
            (
                "[[stage]]\nkind='constant'\nseconds=1.0\nrate=nan",
                "stage 1: rate = NaN",
            ),
            (
                "[[stage]]\nkind='ramp'\nseconds=-1.0\nfrom=1.0\nto=2.0",
                "seconds = -1",
            ),
            (
                "[[stage]]\nkind='step'\nseconds=1.0\nfrom=1.0\nto=2.0\nsteps=1",
                "steps = 1",
            ),
            (
                "[[stage]]\nkind='burst'\nseconds=1.0\nrate=9.0\npeak=8.0\n\
                 period_ms=1.0\nburst_ms=1.0",
                "peak = 8",
            ),
            ("[[stage]]\nkind='wave'\nseconds=1.0", "wave"),
            (
                "[[stage]]\nkind='constant'\nseconds=1.0\nrate=1.0\nsped=2",
                "sped",
            ),
        ];
        for (text, want) in cases {
            let error = Scenario::parse("test.toml", text).unwrap_err().to_string();
            assert!(error.starts_with("test.toml: "), "{error}");
            assert!(error.contains(want), "{error:?} does not say {want:?}");
        }
    }
}
