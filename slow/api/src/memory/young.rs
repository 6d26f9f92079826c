//! Which answers are young enough for who does not need the present: the last one of each
//! statement, with the moment at which it was known where the tables stood.

use crate::asked::AGE_MAX;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Statements that are remembered at most; nobody takes what is older than [`AGE_MAX`].
const STATEMENTS_MAX: usize = 4_096;

/// The last answers.
#[derive(Debug, Default)]
pub(super) struct Young(Mutex<HashMap<String, Stood>>);

#[derive(Debug)]
struct Stood {
    key: String,
    looked: Instant,
}

impl Young {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Stood>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Under which key a statement's answer is kept that is younger than this; none if there is
    /// none.
    pub(super) fn key(&self, statement: &str, age_max: Duration) -> Option<String> {
        // Whoever wants the present needs no lock.
        if age_max.is_zero() {
            return None;
        }
        let all = self.all();
        let stood = all.get(statement)?;
        (stood.looked.elapsed() < age_max).then(|| stood.key.clone())
    }

    /// A statement's answer is kept under this key, of the tables as they stood at `looked` or
    /// later.
    pub(super) fn stood(&self, statement: String, key: String, looked: Instant) {
        let mut all = self.all();
        if all.get(&statement).is_some_and(|it| it.looked > looked) {
            return;
        }
        if all.len() >= STATEMENTS_MAX && !all.contains_key(&statement) {
            all.retain(|_, it| it.looked.elapsed() < AGE_MAX);
            if all.len() >= STATEMENTS_MAX {
                all.clear();
            }
        }
        all.insert(statement, Stood { key, looked });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_last_answer_is_found_while_it_is_young() {
        let young = Young::default();
        let now = Instant::now();
        let put = |key: &str, looked| young.stood("tops".to_owned(), key.to_owned(), looked);
        assert_eq!(young.key("tops", SECOND), None);
        put("old", now.checked_sub(2 * SECOND).unwrap_or(now));
        assert_eq!(young.key("tops", SECOND), None);
        assert_eq!(young.key("tops", 60 * SECOND).as_deref(), Some("old"));
        put("new", now);
        // Who looked before and comes later changes nothing.
        put("older", now.checked_sub(SECOND).unwrap_or(now));
        assert_eq!(young.key("tops", 60 * SECOND).as_deref(), Some("new"));
        assert_eq!(young.key("tops", Duration::ZERO), None);
        assert_eq!(young.key("tape", SECOND), None);
    }

    #[test]
    fn statements_without_end_take_no_memory_without_end() {
        let young = Young::default();
        for number in 0..3 * STATEMENTS_MAX {
            young.stood(number.to_string(), String::new(), Instant::now());
            assert!(young.all().len() <= STATEMENTS_MAX);
        }
    }
}
