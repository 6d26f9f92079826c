//! What is asked for at which time of the day, so that it can be loaded before it is asked for.
//!
//! A day has 96 quarters of an hour. For each of them and each name it is kept how often the name
//! is asked for as a rule: the mean over days, of which yesterday counts most.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

/// Seconds of a slot of the day.
const SLOT_S: u64 = 900;

/// Slots of a day.
const SLOTS: u64 = 86_400 / SLOT_S;

/// What a day counts for on the next one, in all that is kept.
const WEIGHT: f32 = 0.3;

/// Less is forgotten: what was asked for once is, after ten days.
const LEAST: f32 = 0.01;

/// Names and slots that are kept; of more, those that are asked for most.
const KEPT_MAX: usize = 50_000;

const _: () = assert!(SLOTS <= 256);

/// How often a name is asked for in a slot.
#[derive(Clone, Copy, Debug, Default)]
struct Use {
    /// As a rule.
    usual: f32,
    /// Today.
    today: f32,
}

/// The memory of what was asked for.
#[derive(Debug, Default)]
pub struct History {
    uses: HashMap<(u8, String), Use>,
    /// The day of what counts as today, since the epoch.
    day: u64,
}

/// Day and slot of a time since the epoch.
const fn slot(time: Duration) -> (u64, u8) {
    let seconds = time.as_secs();
    let slot = seconds % 86_400 / SLOT_S;
    (seconds / 86_400, slot as u8)
}

impl History {
    /// A name was asked for at a time since the epoch.
    pub fn note(&mut self, name: &str, time: Duration) {
        let (day, slot) = slot(time);
        self.turn(day);
        self.uses.entry((slot, name.to_owned())).or_default().today += 1.0;
        // Twice as many, so that it is sorted seldom.
        if self.uses.len() >= 2 * KEPT_MAX {
            self.forget_rare();
        }
    }

    /// Days that are over become part of the rule.
    fn turn(&mut self, day: u64) {
        if self.day == 0 {
            self.day = day;
        }
        // A clock that goes back changes nothing.
        let days = day.saturating_sub(self.day).min(64);
        for _ in 0..days {
            for it in self.uses.values_mut() {
                it.usual = it.usual * (1.0 - WEIGHT) + it.today * WEIGHT;
                it.today = 0.0;
            }
        }
        if days > 0 {
            self.day = day;
            self.uses.retain(|_, it| it.usual >= LEAST);
        }
    }

    fn forget_rare(&mut self) {
        let mut uses: Vec<f32> = self.uses.values().map(|it| it.usual + it.today).collect();
        let at = uses.len().saturating_sub(KEPT_MAX);
        let (_, least, _) = uses.select_nth_unstable_by(at, f32::total_cmp);
        let least = *least;
        self.uses.retain(|_, it| it.usual + it.today > least);
    }

    /// The names that are most likely to be asked for from a time on, within a while, at most so
    /// many, the likeliest first. What is asked for only today counts a little.
    #[must_use]
    pub fn likely(&self, from: Duration, within: Duration, count: usize) -> Vec<String> {
        let first = from.as_secs() / SLOT_S;
        let last = (from + within).as_secs().div_ceil(SLOT_S).max(first + 1);
        let mut expected = HashMap::<&str, f32>::new();
        for ((slot, name), it) in &self.uses {
            let is_within = (first..last)
                .take(SLOTS as usize)
                .any(|at| at % SLOTS == (*slot).into());
            if is_within {
                *expected.entry(name).or_default() += it.usual + it.today * WEIGHT;
            }
        }
        let mut names: Vec<(&str, f32)> = expected.into_iter().collect();
        names.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
        names
            .into_iter()
            .take(count)
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    /// As lines of text: the day, then slot, usual and today's count, and name of each.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.day);
        for ((slot, name), it) in &self.uses {
            let _ = writeln!(
                text,
                "{slot} {} {} {}",
                it.usual,
                it.today,
                name.escape_debug()
            );
        }
        text
    }

    /// Reads such lines; those that make no sense are left out, for nothing depends on them. A name
    /// with letters that a line cannot hold is not found again.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut lines = text.lines();
        let day = lines.next().and_then(|line| line.parse().ok()).unwrap_or(0);
        let uses = lines.filter_map(|line| {
            let mut words = line.splitn(4, ' ');
            let slot: u8 = words.next()?.parse().ok()?;
            let mut count = || words.next()?.parse().ok().filter(|it: &f32| *it >= 0.0);
            let it = Use {
                usual: count()?,
                today: count()?,
            };
            let is_slot = u64::from(slot) < SLOTS;
            is_slot.then_some(((slot, words.next()?.to_owned()), it))
        });
        Self {
            uses: uses.take(2 * KEPT_MAX - 1).collect(),
            day,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: u64, hour: u64, minute: u64) -> Duration {
        Duration::from_secs(day * 86_400 + hour * 3_600 + minute * 60)
    }

    const HALF: Duration = Duration::from_secs(1_800);

    #[test]
    fn what_opens_each_day_is_likely_before_it_does() {
        let mut history = History::default();
        for day in 1..=5 {
            for _ in 0..10 {
                history.note("bars AAPL", at(day, 14, 31));
            }
            history.note("tops", at(day, 14, 40));
            history.note("profits", at(day, 21, 0));
        }
        let likely = |history: &History, hour| history.likely(at(6, hour, 30), HALF, 8);
        assert_eq!(likely(&history, 14), ["bars AAPL", "tops"]);
        assert_eq!(history.likely(at(6, 14, 30), HALF, 1), ["bars AAPL"]);
        assert_eq!(likely(&history, 3), Vec::<String>::new());
        // Over midnight, and a whole day.
        assert_eq!(history.likely(at(6, 23, 0), 30 * HALF, 8).len(), 0);
        assert_eq!(history.likely(at(6, 23, 0), 48 * HALF, 8).len(), 3);
        let again = History::of(&history.text());
        assert_eq!(likely(&again, 14), likely(&history, 14));
    }

    #[test]
    fn what_nobody_asks_for_any_more_is_forgotten() {
        let mut history = History::default();
        (0..100).for_each(|_| history.note("old", at(1, 9, 0)));
        history.note("new", at(3, 9, 0));
        assert_eq!(history.likely(at(3, 9, 0), HALF, 9), ["old", "new"]);
        history.note("new", at(40, 9, 0));
        assert_eq!(history.likely(at(40, 9, 0), HALF, 9), ["new"]);
    }

    #[test]
    fn it_stays_bounded() {
        let mut history = History::default();
        (0..5).for_each(|_| history.note("often", at(1, 9, 0)));
        (0..3 * KEPT_MAX).for_each(|it| history.note(&it.to_string(), at(1, 9, 0)));
        assert!(history.uses.len() < 2 * KEPT_MAX);
        assert_eq!(history.likely(at(1, 9, 0), HALF, 1), ["often"]);
        assert!(
            History::of("x\n1 2\n300 1 1 a\n1 -1 1 a\n1 NaN 1 a\n")
                .uses
                .is_empty()
        );
    }
}
