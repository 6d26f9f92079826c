//! Files that hold one setting, alone or one a processor, and what they should say.

use super::Ask;
use crate::change::Change;
use crate::finding::{About, Finding, Verdict};
use crate::host::{Fault, choice_of};
use std::collections::BTreeMap;

/// One setting, in one file or in several that should agree.
pub(super) struct Setting<'a> {
    pub subject: &'a str,
    pub wanted: &'a str,
    /// What a host without it lacks.
    pub lacking: &'a str,
    pub about: About,
}

impl Setting<'_> {
    /// Compares files with what is wanted; other values are poor.
    pub fn check(&self, ask: Ask<'_>, paths: &[String]) -> Finding {
        self.compare(ask, paths, Verdict::Poor)
    }

    /// Compares files with what is wanted; other values are a choice.
    pub fn offer(&self, ask: Ask<'_>, paths: &[String]) -> Finding {
        self.compare(ask, paths, Verdict::Choice)
    }

    /// One file.
    pub fn check_one(&self, ask: Ask<'_>, path: &str) -> Finding {
        self.check(ask, &[path.to_owned()])
    }

    fn compare(&self, ask: Ask<'_>, paths: &[String], otherwise: Verdict) -> Finding {
        let mut values: BTreeMap<String, usize> = BTreeMap::new();
        let mut changes = Vec::new();
        let mut fault = Fault::Missing;
        for path in paths {
            match ask.host.read(path) {
                Ok(text) => {
                    let value = choice_of(&text);
                    if value != self.wanted {
                        changes.push(Change::write(path, self.wanted, &text));
                    }
                    *values.entry(value.to_owned()).or_default() += 1;
                }
                Err(other) => fault = other,
            }
        }
        if values.is_empty() {
            let reason = match fault {
                Fault::Missing => self.lacking.to_owned(),
                other => format!("{other}: {}", paths.join(", ")),
            };
            return Finding::absent(self.about, self.subject, reason);
        }
        let verdict = if changes.is_empty() {
            Verdict::Good
        } else {
            otherwise
        };
        Finding::new(self.about, self.subject, verdict)
            .found(counted(&values))
            .wanted(self.wanted)
            .changes(changes)
    }
}

/// The value, or each of several with its number of files.
fn counted(values: &BTreeMap<String, usize>) -> String {
    if let (1, Some((value, _))) = (values.len(), values.iter().next()) {
        return value.clone();
    }
    let each = values
        .iter()
        .map(|(value, count)| format!("{value} ({count}x)"));
    each.collect::<Vec<_>>().join(", ")
}

/// The same finding, whose change moves these settings along: they are to come back too, after all
/// that it changes came back.
pub(super) fn with_kept(ask: Ask<'_>, mut finding: Finding, paths: &[String]) -> Finding {
    if !finding.changes.is_empty() {
        let keep = |path: &String| Some(Change::keep(path, &ask.host.read(path).ok()?));
        let kept = paths.iter().filter_map(keep);
        finding.changes.splice(..0, kept);
    }
    finding
}

/// A file of each of these processors.
pub(super) fn of_cpus(cpus: &crate::cpus::Cpus, name: &str) -> Vec<String> {
    let path = |cpu| format!("/sys/devices/system/cpu/cpu{cpu}/{name}");
    cpus.iter().map(path).collect()
}
