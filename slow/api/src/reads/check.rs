//! Kept answers are looked at now and then: what is in memory must be what the tables give.

use super::thread::{OldDays, Reading, Unread, Whose, read_until};
use crate::answer::Refusal;
use crate::memory::{Answers, read_statement};
use cache::{Checked, Loaded, VALUE_BYTES_MAX};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use store::query::{Filter, Reader};

/// Answers that are compared at once.
const SAMPLE: usize = 32;

impl Reading {
    /// Compares some answers each `every`, for as long as the process lives.
    pub(super) fn check(mut self, every: Duration) {
        loop {
            sleep(every);
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let seed = now.map_or(1, |now| now.as_nanos() as u64);
            match self.compared(seed) {
                Ok(Some(checked)) => tell(&checked),
                Ok(None) => {}
                Err(error) => {
                    let why = error.words();
                    tracing::warn!(why, "kept answers were not compared");
                }
            }
        }
    }

    /// None where nothing is kept.
    fn compared(&mut self, seed: u64) -> Result<Option<Checked>, Refusal> {
        let Some(answers) = self.answers.clone() else {
            return Ok(None);
        };
        let old_days = self.old_days.clone();
        let sampled = &mut |reader: &Reader, whose: Whose<'_>| {
            sampled(&answers, (reader, old_days.as_deref()), whose, seed)
        };
        self.with_reader(None, sampled).map(|(checked, _)| checked)
    }
}

/// Compares answers of the tables as they stand now: those of before can be had no more.
fn sampled(
    answers: &Answers,
    (reader, old_days): (&Reader, Option<&OldDays>),
    whose: &dyn Fn() -> Result<String, store::Error>,
    seed: u64,
) -> Result<Checked, Unread> {
    reader.freeze()?;
    let head = format!("{}|", whose()?);
    let asked = |key: &str| -> Option<(u64, &'static str, Filter)> {
        let (version, statement) = key.strip_prefix(&head)?.split_once('|')?;
        let (name, filter) = read_statement(statement)?;
        let now = reader.version(name).ok()?;
        (version == now.to_string()).then_some((now.stand(), name, filter))
    };
    // Of all together: the tables are held still meanwhile.
    let until = old_days.map(OldDays::until);
    let checked = answers.cache().check(
        (SAMPLE, seed),
        |key| asked(key).is_some(),
        |key| {
            let Some((version, name, filter)) = asked(key) else {
                return Ok(Loaded::default());
            };
            let from = (reader, old_days, until);
            Ok::<_, Unread>(Loaded {
                version,
                value: Some(read_until(from, (name, &filter), VALUE_BYTES_MAX)?),
                tags: Vec::new(),
            })
        },
    );
    reader.thaw()?;
    checked
}

fn tell(checked: &Checked) {
    for it in &checked.differences {
        let level = if it.level == 2 { "Redis" } else { "the tables" };
        tracing::error!(
            key = it.key,
            version = it.here,
            theirs = it.there,
            "WRONG: a kept answer is not what {level} gave: it is forgotten; does anything but \
             wirecross-slow write there?"
        );
    }
}
