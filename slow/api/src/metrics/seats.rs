//! Who is connected and who is locked: bits of a counter for each user of the venue.

use super::family;
use queue::CounterReader;
use std::fmt::Write as _;

/// Each figure: its name, what it tells, and its bit.
pub(super) const SEATS: [(&str, &str, u64); 2] = [
    (
        "wirecross_session_connected",
        "1: the user is connected to the venue",
        1,
    ),
    (
        "wirecross_session_locked",
        "1: the user is locked, by a word or for wrong passwords",
        2,
    ),
];

/// Whose counter it is, if it is a user's.
pub(super) fn user_of(counter: &str) -> Option<&str> {
    counter.strip_prefix("session.")
}

/// All of them in the text format of Prometheus.
pub(super) fn figures(text: &mut String, reader: &CounterReader) {
    for (name, help, bit) in SEATS {
        family(text, name, "gauge", help);
        for (counter, bits) in reader.counters() {
            if let Some(user) = user_of(counter) {
                let value = u8::from(bits & bit != 0);
                let _ = writeln!(text, "{name}{{user={user:?}}} {value}");
            }
        }
    }
}
