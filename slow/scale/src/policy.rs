//! How many shards there are to be, and why.

use crate::predictor::{DAY_S, Predictor, Quiet};
use std::fmt;

/// A load is answered within this time: no wait before more shards is longer.
pub const SIGNAL_MAX_S: u64 = 60;

/// Shards at most.
pub const SHARDS_MAX: u32 = 1_000;

/// Seconds of a bucket of the forecast.
pub const BUCKET_S: u64 = 300;

/// Who decides, and by what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Load that a shard bears, measured: commands a second.
    pub capacity: f64,
    /// The part of it that is to be used, above 0 and up to 1.
    pub target: f64,
    /// Shards at least, from 1.
    pub shards_min: u32,
    /// Shards at most.
    pub shards_max: u32,
    /// Shards that one decision may add.
    pub step_up: u32,
    /// Shards that one decision may take away.
    pub step_down: u32,
    /// Seconds after a change before more shards are added: up to [`SIGNAL_MAX_S`].
    pub cooldown_up_s: u64,
    /// Seconds that fewer shards must have been enough, and seconds after a change, before some are
    /// taken away.
    pub cooldown_down_s: u64,
    /// How far ahead a predicted peak is prepared for, in seconds; 0: load is only followed.
    pub ahead_s: u64,
}

impl Default for Policy {
    /// Of a shard that bears 10,000 commands a second; everything else is a choice to begin with.
    fn default() -> Self {
        Self {
            capacity: 10_000.0,
            target: 0.7,
            shards_min: 1,
            shards_max: 16,
            step_up: 4,
            step_down: 1,
            cooldown_up_s: 60,
            cooldown_down_s: 600,
            ahead_s: 900,
        }
    }
}

impl Policy {
    /// Refuses what makes no sense, by its name.
    ///
    /// # Errors
    /// The field and what it may be.
    pub fn check(&self) -> Result<(), String> {
        let Self {
            capacity, target, ..
        } = *self;
        if !(capacity > 0.0 && capacity <= 1e12) {
            return Err(format!(
                "capacity: {capacity}: commands a second, from above 0 to 1e12"
            ));
        }
        if !(target > 0.0 && target <= 1.0) {
            return Err(format!(
                "target: {target}: a part of one, from above 0 to 1"
            ));
        }
        let most = SHARDS_MAX;
        if !(1..=most).contains(&self.shards_max) {
            return Err(format!("shards_max: {}: from 1 to {most}", self.shards_max));
        }
        for (name, value, least, most) in [
            (
                "shards_min",
                u64::from(self.shards_min),
                1,
                u64::from(self.shards_max),
            ),
            ("step_up", self.step_up.into(), 1, most.into()),
            ("step_down", self.step_down.into(), 1, most.into()),
            ("cooldown_up_s", self.cooldown_up_s, 0, SIGNAL_MAX_S),
            ("cooldown_down_s", self.cooldown_down_s, 0, DAY_S),
            ("ahead_s", self.ahead_s, 0, DAY_S / 2),
        ] {
            if !(least..=most).contains(&value) {
                return Err(format!("{name}: {value}: from {least} to {most}"));
            }
        }
        Ok(())
    }

    /// The shards that a load needs, within the limits.
    #[must_use]
    pub fn needed(&self, load: f64) -> u32 {
        let shards = (load / (self.capacity * self.target)).ceil();
        (shards.clamp(0.0, f64::from(SHARDS_MAX)) as u32).clamp(self.shards_min, self.shards_max)
    }
}

/// What a decision was made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The number is right.
    Enough,
    /// The load is above the target: more.
    Load,
    /// A load above the target is predicted: more.
    Peak,
    /// Fewer have been enough for long: fewer.
    Spare,
    /// More are needed, and the last change was a moment ago.
    WaitUp,
    /// Fewer would do, and did not for long enough.
    WaitDown,
    /// Fewer would do now, and more will be needed soon.
    Hold,
    /// The load needs more than there may be.
    Most,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Enough,
        Self::Load,
        Self::Peak,
        Self::Spare,
        Self::WaitUp,
        Self::WaitDown,
        Self::Hold,
        Self::Most,
    ];

    /// A word for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enough => "enough",
            Self::Load => "load",
            Self::Peak => "peak",
            Self::Spare => "spare",
            Self::WaitUp => "wait-up",
            Self::WaitDown => "wait-down",
            Self::Hold => "hold",
            Self::Most => "most",
        }
    }
}

/// A number of shards, and what it follows from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// When, in seconds.
    pub time_s: u64,
    /// The load then.
    pub load: f64,
    /// The highest load that is predicted, and in how many seconds; or why none is.
    pub peak: Option<Result<(f64, u64), Quiet>>,
    /// Shards before.
    pub before: u32,
    /// Shards that there are to be.
    pub shards: u32,
    /// Shards that load and prediction need.
    pub needed: u32,
    /// By what it was decided.
    pub rule: Rule,
    /// Seconds until a cooldown is over, with a rule that waits.
    pub wait_s: u64,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            load,
            needed,
            before,
            wait_s,
            ..
        } = self;
        match self.rule {
            Rule::Enough => write!(f, "load {load:.0}: {before} are right")?,
            Rule::Load => write!(f, "load {load:.0} needs {needed}")?,
            Rule::Peak | Rule::Hold => {
                let (peak, ahead_s) = self.peak.and_then(Result::ok).unwrap_or((*load, 0));
                write!(f, "load {peak:.0} expected in {ahead_s} s needs {needed}")?;
            }
            Rule::Spare => write!(f, "load {load:.0} needs no more than {needed}")?,
            Rule::WaitUp => write!(f, "load needs {needed}: cooling down for {wait_s} s")?,
            Rule::WaitDown => write!(f, "{needed} would do: so for {wait_s} s more")?,
            Rule::Most => write!(f, "load {load:.0}: {before} are all that there may be")?,
        }
        if matches!(self.rule, Rule::Load | Rule::Peak | Rule::Spare) && self.shards != *needed {
            write!(f, "; one step is {}", self.shards.abs_diff(*before))?;
        }
        if let Some(Err(quiet)) = self.peak {
            write!(f, " (no prediction yet: {quiet})")?;
        }
        Ok(())
    }
}

/// Decides, load by load.
#[derive(Clone, Debug)]
pub struct Scaler {
    policy: Policy,
    predictor: Option<Predictor>,
    shards: u32,
    changed_s: Option<u64>,
    /// When more than the shards but one were needed last.
    used_s: Option<u64>,
}

impl Scaler {
    /// Begins with so many shards, whatever they are.
    ///
    /// # Errors
    /// As [`Policy::check`].
    pub fn new(policy: Policy, shards: u32) -> Result<Self, String> {
        policy.check()?;
        let predictor = (policy.ahead_s > 0).then(|| Predictor::new(BUCKET_S, policy.ahead_s));
        Ok(Self {
            policy,
            predictor,
            shards: shards.clamp(policy.shards_min, policy.shards_max),
            changed_s: None,
            used_s: None,
        })
    }

    /// Learns a load of the past, and decides nothing. Times grow, from here to the decisions.
    pub fn learn(&mut self, time_s: u64, load: f64) {
        if let Some(predictor) = &mut self.predictor {
            predictor.observe(time_s, load);
        }
    }

    /// Shards that there are to be.
    #[must_use]
    pub const fn shards(&self) -> u32 {
        self.shards
    }

    /// Decides. Times do not go back, loads are not negative.
    pub fn decide(&mut self, time_s: u64, load: f64) -> Decision {
        self.learn(time_s, load);
        let peak = self
            .predictor
            .as_ref()
            .map(|predictor| predictor.peak(time_s));
        let now = self.policy.needed(load);
        let soon = peak
            .and_then(Result::ok)
            .map_or(0, |peak| self.policy.needed(peak.0));
        let needed = now.max(soon);
        if needed >= self.shards || self.used_s.is_none() {
            self.used_s = Some(time_s);
        }
        let before = self.shards;
        let (rule, wait_s) = self.rule(time_s, load, now, soon);
        match rule {
            Rule::Load | Rule::Peak => {
                self.shards = needed.min(before + self.policy.step_up);
            }
            Rule::Spare => {
                self.shards = needed.max(before.saturating_sub(self.policy.step_down));
            }
            _ => {}
        }
        if self.shards != before {
            self.changed_s = Some(time_s);
        }
        Decision {
            time_s,
            load,
            peak,
            before,
            shards: self.shards,
            needed,
            rule,
            wait_s,
        }
    }

    fn rule(&self, time_s: u64, load: f64, now: u32, soon: u32) -> (Rule, u64) {
        let left = |since: Option<u64>, cooldown_s: u64| {
            let over_s = since.map_or(0, |since| since + cooldown_s);
            over_s.saturating_sub(time_s)
        };
        let Policy {
            capacity,
            target,
            shards_max,
            ..
        } = self.policy;
        if now.max(soon) > self.shards {
            let wait_s = left(self.changed_s, self.policy.cooldown_up_s);
            return match wait_s {
                0 if now > self.shards => (Rule::Load, 0),
                0 => (Rule::Peak, 0),
                wait_s => (Rule::WaitUp, wait_s),
            };
        }
        if self.shards == shards_max && load > capacity * target * f64::from(shards_max) {
            return (Rule::Most, 0);
        }
        if now.max(soon) == self.shards {
            return (if now < soon { Rule::Hold } else { Rule::Enough }, 0);
        }
        let cooldown_s = self.policy.cooldown_down_s;
        match left(self.changed_s, cooldown_s).max(left(self.used_s, cooldown_s)) {
            0 => (Rule::Spare, 0),
            wait_s => (Rule::WaitDown, wait_s),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shard is to take 100.
    const POLICY: Policy = Policy {
        capacity: 200.0,
        target: 0.5,
        shards_min: 1,
        shards_max: 5,
        step_up: 2,
        step_down: 1,
        cooldown_up_s: 30,
        cooldown_down_s: 300,
        ahead_s: 0,
    };

    fn decided(scaler: &mut Scaler, time_s: u64, load: f64) -> (u32, Rule) {
        let decision = scaler.decide(time_s, load);
        (decision.shards, decision.rule)
    }

    #[test]
    fn every_rule_is_met() {
        let mut scaler = Scaler::new(POLICY, 1).unwrap();
        for (time_s, load, wanted) in [
            (0, 100.0, (1, Rule::Enough)),
            (10, 401.0, (3, Rule::Load)),
            (20, 401.0, (3, Rule::WaitUp)),
            (40, 401.0, (5, Rule::Load)),
            (50, 501.0, (5, Rule::Most)),
            (60, 250.0, (5, Rule::WaitDown)),
            (349, 250.0, (5, Rule::WaitDown)),
            (350, 250.0, (4, Rule::Spare)),
            (360, 350.0, (4, Rule::Enough)),
            (659, 250.0, (4, Rule::WaitDown)),
            (660, 250.0, (3, Rule::Spare)),
            (960, 0.0, (2, Rule::Spare)),
            (1_260, 0.0, (1, Rule::Spare)),
            (2_000, 0.0, (1, Rule::Enough)),
        ] {
            assert_eq!(decided(&mut scaler, time_s, load), wanted, "at {time_s}");
        }
    }

    #[test]
    fn a_load_has_its_signal_within_a_minute() {
        // Whatever was before: a load that needs more gets more, or all that there may be, within
        // 60 s, and one that stays gets all that it needs.
        let policy = Policy {
            cooldown_up_s: SIGNAL_MAX_S,
            cooldown_down_s: 30,
            ..POLICY
        };
        let mut state = 1u64;
        let mut random = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        let (mut scaler, mut time_s, mut raised) = (Scaler::new(policy, 1).unwrap(), 0, 0);
        for _ in 0..2_000 {
            let load = random(700) as f64;
            let (before, due) = (scaler.shards(), time_s + SIGNAL_MAX_S);
            let needed = policy.needed(load);
            while time_s <= due {
                scaler.decide(time_s, load);
                time_s += 15;
            }
            if needed > before {
                raised += 1;
                assert!(scaler.shards() > before, "{load} at {time_s}");
            }
            while random(3) > 0 {
                time_s += 15;
                scaler.decide(time_s, random(700) as f64);
            }
        }
        assert!(raised > 100, "{raised}");
    }

    #[test]
    fn a_peak_is_prepared_for_and_held() {
        let policy = Policy {
            ahead_s: 1_800,
            shards_max: 16,
            step_up: 16,
            ..POLICY
        };
        // 700 between 9 and 10 o'clock, 50 else.
        let load = |time_s: u64| {
            let is_busy = (32_400..36_000).contains(&(time_s % DAY_S));
            if is_busy { 700.0 } else { 50.0 }
        };
        let mut scaler = Scaler::new(policy, 1).unwrap();
        for time_s in (0..DAY_S).step_by(60) {
            scaler.learn(time_s, load(time_s));
        }
        let mut before = Vec::new();
        for time_s in (DAY_S..2 * DAY_S).step_by(60) {
            let decision = scaler.decide(time_s, load(time_s));
            if (32_400 - 1_800..32_400).contains(&(time_s % DAY_S)) {
                before.push((decision.shards, decision.rule));
            }
            assert!(decision.load < 700.0 || decision.shards == 7, "{decision}");
        }
        assert_eq!(before[0], (7, Rule::Peak));
        assert!(
            before[1..].iter().all(|it| *it == (7, Rule::Hold)),
            "{before:?}"
        );
        assert_eq!(scaler.shards(), 1);
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let bad = |change: fn(&mut Policy)| {
            let mut policy = POLICY;
            change(&mut policy);
            Scaler::new(policy, 1).unwrap_err()
        };
        for (told, name) in [
            (bad(|it| it.capacity = f64::NAN), "capacity"),
            (bad(|it| it.target = 1.5), "target"),
            (bad(|it| it.shards_min = 6), "shards_min"),
            (bad(|it| it.shards_max = 0), "shards_max"),
            (bad(|it| it.step_up = 0), "step_up"),
            (bad(|it| it.cooldown_up_s = 61), "cooldown_up_s"),
            (bad(|it| it.ahead_s = DAY_S), "ahead_s"),
        ] {
            assert!(told.starts_with(&format!("{name}: ")), "{told}");
        }
    }
}
