//! How many shards the venues of this host are to be, from their counters, live.
//!
//! Every few seconds the counters of all shards are read, as a scrape reads them; the crate `scale`
//! makes a load of them and decides. What was decided is told as metrics, over HTTP and to KEDA;
//! who acts on it is not here.

mod figures;

pub(crate) use figures::figures;

use crate::config::Config;
use crate::metrics::is_alive;
use queue::CounterReader;
use scale::gauges::{Capacity, Gauge, Gauges, Reading};
use scale::predictor::DAY_S;
use scale::trace::{Row, parse};
use scale::{Decision, Policy, Rule, Scaler};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Decisions that are told.
const DECISIONS_KEPT: usize = 100;

/// Shards of one host at most.
const VENUES_MAX: usize = 64;

/// A load shows in the second reading after it began, at the latest, and is then answered behind
/// the cooldown: within this many seconds.
const SIGNAL_MAX_S: u64 = scale::policy::SIGNAL_MAX_S;

/// What is decided and by what: `[scaling]` in the settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scaling {
    /// Commands a second that a shard bears, measured.
    pub capacity: f64,
    /// Messages with which a link of a venue is full.
    pub link_depth: u32,
    /// The part of the capacity that is to be used.
    pub target: f64,
    /// Shards at least.
    pub shards_min: u32,
    /// Shards at most.
    pub shards_max: u32,
    /// Shards that one decision may add.
    pub step_up: u32,
    /// Shards that one decision may take away.
    pub step_down: u32,
    /// Seconds after a change before more are added.
    pub cooldown_up_s: u64,
    /// Seconds that fewer must have been enough.
    pub cooldown_down_s: u64,
    /// How far ahead a predicted peak is prepared for.
    pub ahead_s: u64,
    /// Seconds between two readings.
    pub read_s: u64,
    /// Data directories of the other shards on this host.
    pub shards: Vec<PathBuf>,
    /// Loads to learn from at the start, as `wirecross scale plan` reads them.
    pub history: Option<PathBuf>,
    /// What stood there.
    #[serde(skip)]
    learnt: Vec<Row>,
}

impl Default for Scaling {
    fn default() -> Self {
        let policy = Policy::default();
        Self {
            capacity: policy.capacity,
            link_depth: 4_096,
            target: policy.target,
            shards_min: policy.shards_min,
            shards_max: policy.shards_max,
            step_up: policy.step_up,
            step_down: policy.step_down,
            cooldown_up_s: 40,
            cooldown_down_s: policy.cooldown_down_s,
            ahead_s: policy.ahead_s,
            read_s: 10,
            shards: Vec::new(),
            history: None,
            learnt: Vec::new(),
        }
    }
}

impl Scaling {
    const fn policy(&self) -> Policy {
        Policy {
            capacity: self.capacity,
            target: self.target,
            shards_min: self.shards_min,
            shards_max: self.shards_max,
            step_up: self.step_up,
            step_down: self.step_down,
            cooldown_up_s: self.cooldown_up_s,
            cooldown_down_s: self.cooldown_down_s,
            ahead_s: self.ahead_s,
        }
    }

    /// Refuses what makes no sense, and reads the history while files can be read.
    pub(crate) fn checked(mut self) -> Result<Self, String> {
        self.policy().check()?;
        if self.link_depth == 0 {
            return Err("link_depth: 0: from 1".to_owned());
        }
        let signal_s = 2 * self.read_s + self.cooldown_up_s;
        if self.read_s == 0 || signal_s > SIGNAL_MAX_S {
            let Self {
                read_s,
                cooldown_up_s,
                ..
            } = self;
            return Err(format!(
                "read_s: {read_s}: from 1, and twice that with cooldown_up_s, {cooldown_up_s}, up \
                 to {SIGNAL_MAX_S}: a load has its signal within that time"
            ));
        }
        if self.shards.len() >= VENUES_MAX {
            return Err(format!("shards: no more than {VENUES_MAX} in all"));
        }
        if let Some(path) = &self.history {
            let told =
                |what: &dyn std::fmt::Display| format!("history: {}: {what}", path.display());
            let text = std::fs::read_to_string(path).map_err(|e| told(&e))?;
            self.learnt = parse(&text).map_err(|e| told(&e))?;
        }
        Ok(self)
    }
}

/// A venue whose load counts.
struct Shard {
    counters: PathBuf,
    last: Option<(u64, Reading)>,
    gauges: Option<Gauges>,
}

struct Inside {
    shards: Vec<Shard>,
    scaler: Scaler,
    /// The latest at the end.
    decisions: VecDeque<(Decision, Option<Gauge>)>,
    /// How often each rule was met.
    met: [u64; Rule::ALL.len()],
    changes: u64,
    time_s: u64,
}

/// The live decision.
pub(crate) struct Scales {
    capacity: Capacity,
    every: Duration,
    begun: Instant,
    inside: Mutex<Inside>,
    /// Shards that there are to be, once that is known.
    told: watch::Sender<Option<u32>>,
}

impl Scales {
    /// Of the venue of the settings and of those that its `[scaling]` names.
    ///
    /// # Errors
    /// The policy makes no sense.
    pub(crate) fn new(config: &Config, scaling: &Scaling) -> Result<Self, String> {
        let venues = std::iter::once(&config.venue).chain(&scaling.shards);
        let shards: Vec<Shard> = venues
            .map(|venue| Shard {
                counters: venue.join(crate::metrics::COUNTERS_FILE),
                last: None,
                gauges: None,
            })
            .collect();
        let mut scaler = Scaler::new(scaling.policy(), shards.len() as u32)?;
        let now_s = now_s();
        // The day's shape counts, whenever it was: it is moved by whole days.
        let last_s = scaling.learnt.last().map_or(0, |row| row.time_s);
        let shift_s = now_s.saturating_sub(last_s) / DAY_S * DAY_S;
        for row in scaling
            .learnt
            .iter()
            .filter(|row| row.time_s + shift_s <= now_s)
        {
            scaler.learn(row.time_s + shift_s, row.load);
        }
        Ok(Self {
            capacity: Capacity {
                rate: scaling.capacity,
                link_depth: scaling.link_depth.into(),
            },
            every: Duration::from_secs(scaling.read_s),
            begun: Instant::now(),
            inside: Mutex::new(Inside {
                shards,
                scaler,
                decisions: VecDeque::new(),
                met: [0; Rule::ALL.len()],
                changes: 0,
                time_s: now_s,
            }),
            told: watch::Sender::new(None),
        })
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads and decides for as long as the service runs.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut ticks = interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            self.look(self.begun.elapsed().as_nanos() as u64, now_s());
        }
    }

    /// Reads all counters once. No decision where a shard says nothing: what it bears is not known.
    fn look(&self, now_ns: u64, now_s: u64) {
        let mut inside = self.inside();
        let capacity = self.capacity;
        for shard in &mut inside.shards {
            shard.look(now_ns, &capacity);
        }
        let mut load = Some((0.0, None::<(f64, Gauge)>));
        for shard in &inside.shards {
            let loads = shard.gauges.map(|gauges| gauges.load(&capacity));
            load = load.zip(loads).map(|((sum, most), (load, gauge))| {
                let is_most = most.is_none_or(|most| load > most.0);
                (sum + load, if is_most { Some((load, gauge)) } else { most })
            });
        }
        let Some((load, most)) = load else { return };
        // Who sets the clock back does not set the decisions back.
        inside.time_s = inside.time_s.max(now_s);
        let time_s = inside.time_s;
        let decision = inside.scaler.decide(time_s, load);
        inside.note(decision, most.map(|most| most.1));
        let shards = inside.scaler.shards();
        drop(inside);
        self.told
            .send_if_modified(|told| told.replace(shards) != Some(shards));
    }

    /// Shards that there are to be, and when that changes; nothing until all shards were heard.
    pub(crate) fn told(&self) -> watch::Receiver<Option<u32>> {
        self.told.subscribe()
    }

    /// The last decision and those before it that changed something, with their reasons.
    pub(crate) fn json(&self) -> Value {
        let inside = self.inside();
        let told = |(decision, gauge): &(Decision, Option<Gauge>)| {
            let peak = decision.peak.and_then(Result::ok);
            json!({
                "time_s": decision.time_s, "load": decision.load, "before": decision.before,
                "shards": decision.shards, "needed": decision.needed,
                "rule": decision.rule.name(), "why": decision.to_string(),
                "gauge": gauge.map(|gauge| gauge.to_string()),
                "peak": peak.map(|it| it.0), "peak_in_s": peak.map(|it| it.1),
            })
        };
        let decisions: Vec<Value> = inside.decisions.iter().map(told).collect();
        json!({ "shards": *self.told.borrow(), "decisions": decisions })
    }
}

impl Inside {
    fn note(&mut self, decision: Decision, gauge: Option<Gauge>) {
        let rule = Rule::ALL.iter().position(|rule| *rule == decision.rule);
        self.met[rule.unwrap_or(0)] += 1;
        self.changes += u64::from(decision.shards != decision.before);
        // Of those that changed nothing the last one is told.
        if self
            .decisions
            .back()
            .is_some_and(|it| it.0.shards == it.0.before)
        {
            self.decisions.pop_back();
        }
        self.decisions.push_back((decision, gauge));
        if self.decisions.len() > DECISIONS_KEPT {
            self.decisions.pop_front();
        }
    }
}

impl Shard {
    fn look(&mut self, now_ns: u64, capacity: &Capacity) {
        let reader = CounterReader::attach(&self.counters).ok();
        let reader = reader.filter(|reader| is_alive(reader.process_id()));
        let now = reader.and_then(|reader| {
            let reading = Reading::take(now_ns, |name| reader.get(name))?;
            Some((reader.process_id(), reading))
        });
        self.gauges = self.last.zip(now).and_then(|(last, now)| {
            // Another process counts from the beginning.
            let is_same = last.0 == now.0;
            is_same
                .then(|| Gauges::between(&last.1, &now.1, capacity))
                .flatten()
        });
        self.last = now;
    }
}

fn now_s() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let scaling: Scaling = toml::from_str(text).unwrap();
        scaling.checked().unwrap_err()
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        assert!(told("capacity = 0.0").starts_with("capacity: 0: "));
        assert!(told("link_depth = 0").starts_with("link_depth: 0: "));
        assert!(
            told("read_s = 11").starts_with("read_s: 11: "),
            "22 and 40 seconds are too late"
        );
        assert!(told("read_s = 0").starts_with("read_s: 0: "));
        assert!(told("history = \"/nowhere\"").starts_with("history: /nowhere: "));
        assert!(toml::from_str::<Scaling>("").unwrap().checked().is_ok());
        assert!(toml::from_str::<Scaling>("sped = 1").is_err());
    }
}
