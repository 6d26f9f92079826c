//! What accounts use of their limits: two counters of the venue for each account and limit.

use super::family;
use queue::CounterReader;
use std::fmt::Write as _;

/// Each figure: its name, what it tells, and the end of its counter's name.
pub(super) const RISK: [(&str, &str, &str); 2] = [
    (
        "wirecross_risk_used",
        "What an account has used of a limit, in the limit's unit",
        "used",
    ),
    (
        "wirecross_risk_limit",
        "The limit of an account; 0 for none",
        "limit",
    ),
];

/// Account, limit and what is told of it, if that is what a counter is for.
pub(super) fn of(counter: &str) -> Option<(&str, &str, &str)> {
    let (account, rest) = counter.strip_prefix("risk.")?.split_once('.')?;
    let (limit, what) = rest.split_once('.')?;
    Some((account, limit, what))
}

/// All of them in the text format of Prometheus.
pub(super) fn figures(text: &mut String, reader: &CounterReader) {
    for (name, help, end) in RISK {
        family(text, name, "gauge", help);
        for (counter, value) in reader.counters() {
            if let Some((account, limit, _)) = of(counter).filter(|(.., what)| *what == end) {
                let _ = writeln!(
                    text,
                    "{name}{{account={account:?},limit={limit:?}}} {value}"
                );
            }
        }
    }
}
