//! A recorded load played back: what would have been decided, and what it would have cost.

use crate::policy::{BUCKET_S, Decision, Policy, Rule, Scaler};
use crate::predictor::{DAY_S, Scores, scores};
use crate::trace::Row;

/// Seconds that a shard may take to start.
pub const START_MAX_S: u64 = 3_600;

/// How shards are provided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As many as the trace's highest load needs, all the time: nobody knows that beforehand.
    Static,
    /// By the load alone.
    Reactive,
    /// By the load and its prediction.
    Predictive,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Predictive, Self::Reactive, Self::Static];

    /// A word for people and programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Reactive => "reactive",
            Self::Predictive => "predictive",
        }
    }
}

/// What a way of providing shards costs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Hours of shards, from the decision that adds one to the one that takes it away.
    pub shard_hours: f64,
    /// Minutes in which the load was above what the started shards bear.
    pub minutes_over: f64,
    /// Commands that came in them beyond it.
    pub commands_over: f64,
    /// The most shards.
    pub shards_most: u32,
    /// Decisions that changed their number.
    pub changes: u32,
}

/// A way, played through a trace.
#[derive(Clone, Debug)]
pub struct Played {
    /// Which.
    pub way: Way,
    /// Its cost.
    pub cost: Cost,
    /// Decisions that differ from the one before in number or rule.
    pub decisions: Vec<Decision>,
    /// How often each rule of [`Rule::ALL`] was met.
    pub met: [u64; Rule::ALL.len()],
}

/// Plays a trace. A row's load came since the row before it and is known at its time: what is
/// decided then changes what comes later. A new shard costs at once and bears load `start_s` later;
/// the shards of the first row have started.
///
/// # Errors
/// As [`Policy::check`], or `start_s` is above [`START_MAX_S`].
pub fn play(rows: &[Row], policy: &Policy, start_s: u64, way: Way) -> Result<Played, String> {
    if start_s > START_MAX_S {
        return Err(format!("start_s: {start_s}: from 0 to {START_MAX_S}"));
    }
    let most = rows.iter().map(|row| row.load).fold(0.0, f64::max);
    let policy = match way {
        Way::Predictive => *policy,
        Way::Reactive => Policy {
            ahead_s: 0,
            ..*policy
        },
        Way::Static => {
            let shards = policy.needed(most);
            Policy {
                ahead_s: 0,
                shards_min: shards,
                shards_max: shards,
                ..*policy
            }
        }
    };
    let first = rows.first().map_or(0.0, |row| row.load);
    let mut scaler = Scaler::new(policy, policy.needed(first))?;
    let mut fleet = Fleet::new(scaler.shards(), start_s);
    let mut played = Played {
        way,
        cost: Cost::default(),
        decisions: Vec::new(),
        met: [0; Rule::ALL.len()],
    };
    let mut from_s = match rows {
        [first, second, ..] => first.time_s.saturating_sub(second.time_s - first.time_s),
        _ => 0,
    };
    for row in rows {
        played.cost.add(&mut fleet, (from_s, row), policy.capacity);
        from_s = row.time_s;
        let decision = scaler.decide(row.time_s, row.load);
        fleet.set(row.time_s, decision.shards);
        played.note(decision);
    }
    Ok(played)
}

impl Played {
    fn note(&mut self, decision: Decision) {
        let rule = Rule::ALL.iter().position(|rule| *rule == decision.rule);
        self.met[rule.unwrap_or(0)] += 1;
        self.cost.changes += u32::from(decision.shards != decision.before);
        let is_other =
            |last: &Decision| (last.shards, last.rule) != (decision.shards, decision.rule);
        if self.decisions.last().is_none_or(is_other) {
            self.decisions.push(decision);
        }
    }
}

impl Cost {
    /// What came from a time up to a row.
    fn add(&mut self, fleet: &mut Fleet, (from_s, row): (u64, &Row), capacity: f64) {
        self.shards_most = self.shards_most.max(fleet.shards());
        let mut at_s = from_s;
        while at_s < row.time_s {
            let to_s = fleet.bears_from(at_s).min(row.time_s);
            let seconds = (to_s - at_s) as f64;
            self.shard_hours += f64::from(fleet.shards()) * seconds / 3_600.0;
            let over = row.load - f64::from(fleet.bearing) * capacity;
            if over > 0.0 {
                self.minutes_over += seconds / 60.0;
                self.commands_over += over * seconds;
            }
            at_s = to_s;
        }
    }
}

/// Shards, those that start among them.
struct Fleet {
    bearing: u32,
    /// When they bear load, and how many; the times grow.
    starting: Vec<(u64, u32)>,
    start_s: u64,
}

impl Fleet {
    const fn new(bearing: u32, start_s: u64) -> Self {
        Self {
            bearing,
            starting: Vec::new(),
            start_s,
        }
    }

    fn shards(&self) -> u32 {
        self.bearing + self.starting.iter().map(|it| it.1).sum::<u32>()
    }

    /// Takes in those that have started, and says when the next ones have.
    fn bears_from(&mut self, at_s: u64) -> u64 {
        while let Some((due_s, count)) = self.starting.first().copied() {
            if due_s > at_s {
                return due_s;
            }
            self.bearing += count;
            self.starting.remove(0);
        }
        u64::MAX
    }

    fn set(&mut self, at_s: u64, shards: u32) {
        let mut spare = self.shards().saturating_sub(shards);
        if let Some(more) = shards.checked_sub(self.shards()).filter(|more| *more > 0) {
            self.starting.push((at_s + self.start_s, more));
        }
        // Who has not started is not missed.
        while let Some(last) = self.starting.last_mut().filter(|_| spare > 0) {
            let gone = last.1.min(spare);
            (last.1, spare) = (last.1 - gone, spare - gone);
            if last.1 == 0 {
                self.starting.pop();
            }
        }
        self.bearing -= spare;
    }
}

/// Loads by buckets of the forecast: their means, the last one's left out if it is not over.
#[must_use]
pub fn buckets(rows: &[Row]) -> Vec<f64> {
    let mut means: Vec<f64> = Vec::new();
    let (mut open, mut sum, mut count) = (None, 0.0, 0u32);
    for row in rows {
        let bucket = row.time_s / BUCKET_S;
        let begun = *open.get_or_insert(bucket);
        if bucket != begun {
            let mean = sum / f64::from(count.max(1));
            means.extend((begun..bucket).map(|_| mean));
            (open, sum, count) = (Some(bucket), 0.0, 0);
        }
        (sum, count) = (sum + row.load, count + 1);
    }
    means
}

/// How well the days of a trace are forecast, as far ahead as the policy looks. Nothing with less
/// than four days.
#[must_use]
pub fn backtest(rows: &[Row], policy: &Policy) -> Option<Scores> {
    let steps = policy.ahead_s.div_ceil(BUCKET_S) as usize + 1;
    scores(&buckets(rows), (DAY_S / BUCKET_S) as usize, steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy {
        capacity: 100.0,
        target: 1.0,
        shards_min: 1,
        shards_max: 9,
        step_up: 9,
        step_down: 9,
        cooldown_up_s: 0,
        cooldown_down_s: 0,
        ahead_s: 0,
    };

    fn rows(loads: &[f64]) -> Vec<Row> {
        let rows = loads.iter().enumerate();
        rows.map(|(at, load)| Row {
            time_s: 60 * (at as u64 + 1),
            load: *load,
        })
        .collect()
    }

    #[test]
    fn costs_are_those_of_a_calculation_by_hand() {
        let rows = rows(&[100.0, 300.0, 300.0, 300.0, 300.0, 100.0, 100.0]);
        // Decided at 120 s, borne from 210 s: 90 s with 200 too many, and the minute before it.
        let played = play(&rows, &POLICY, 90, Way::Reactive).unwrap();
        let cost = played.cost;
        assert_eq!(
            (cost.minutes_over, cost.commands_over),
            (2.5, 200.0 * 150.0)
        );
        // One for 2 minutes, three for 4, one for 1.
        assert!((cost.shard_hours - 15.0 / 60.0).abs() < 1e-12, "{cost:?}");
        assert_eq!((cost.changes, cost.shards_most), (2, 3));
        let rules: Vec<_> = played
            .decisions
            .iter()
            .map(|it| (it.time_s, it.rule))
            .collect();
        let wanted = [
            (60, Rule::Enough),
            (120, Rule::Load),
            (180, Rule::Enough),
            (360, Rule::Spare),
            (420, Rule::Enough),
        ];
        assert_eq!(rules, wanted);
        assert_eq!(played.met.iter().sum::<u64>(), 7);
        let fixed = play(&rows, &POLICY, 90, Way::Static).unwrap().cost;
        assert!((fixed.shard_hours - 21.0 / 60.0).abs() < 1e-12 && fixed.minutes_over == 0.0);
        assert!(play(&rows, &POLICY, 3_601, Way::Static).is_err());
    }

    #[test]
    fn shards_that_start_go_first() {
        let mut fleet = Fleet::new(2, 90);
        fleet.set(0, 5);
        fleet.set(60, 6);
        assert_eq!(
            (fleet.bears_from(0), fleet.bearing, fleet.shards()),
            (90, 2, 6)
        );
        fleet.set(61, 4);
        assert_eq!((fleet.shards(), fleet.bears_from(89)), (4, 90));
        assert_eq!((fleet.bears_from(90), fleet.bearing), (u64::MAX, 4));
        fleet.set(91, 1);
        assert_eq!(fleet.bearing, 1);
    }

    #[test]
    fn buckets_are_means_and_silence_repeats() {
        let rows = [(0, 1.0), (60, 3.0), (300, 5.0), (900, 7.0), (1_200, 9.0)];
        let rows = rows.map(|(time_s, load)| Row { time_s, load });
        assert_eq!(buckets(&rows), [2.0, 5.0, 5.0, 7.0]);
    }
}
