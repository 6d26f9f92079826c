//! What the kernel counted on a core meanwhile.
//!
//! These are counts, no proofs: the kernel does not say which gap was whose.

use crate::host::Host;
use serde::Serialize;
use std::collections::BTreeMap;

/// Milliseconds of a tick in `/proc/stat`: the kernel's unit towards programs.
const STAT_TICK_MS: u64 = 10;
/// Field of stolen time behind a processor's name in `/proc/stat`.
const STAT_STEAL: usize = 8;

/// A thing that was counted, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// Its name: a line of interrupts, a soft interrupt, a switch, a fault.
    pub name: String,
    /// How often; for stolen time how many milliseconds.
    pub count: u64,
}

/// Counts of one core, and of the thread that takes them.
#[derive(Clone, Debug)]
pub struct Snapshot(BTreeMap<String, u64>);

impl Snapshot {
    /// Reads the counts of a core and of the calling thread. What cannot be read is left out.
    #[must_use]
    pub fn take(host: &Host, cpu: usize) -> Self {
        let read = |path: &str| host.read(path).unwrap_or_default();
        let mut counts = BTreeMap::new();
        columns(&read("/proc/interrupts"), cpu, "interrupt", &mut counts);
        columns(&read("/proc/softirqs"), cpu, "softirq", &mut counts);
        let mut add = |name: &str, count: Option<u64>| {
            if let Some(count) = count {
                counts.insert(name.to_owned(), count);
            }
        };
        let status = read("/proc/thread-self/status");
        add(
            "switch, forced",
            number_after(&status, "nonvoluntary_ctxt_switches:"),
        );
        add(
            "switch, own",
            number_after(&status, "\nvoluntary_ctxt_switches:"),
        );
        let stat = read("/proc/thread-self/stat");
        // Behind the name in brackets, which may hold anything: state is the first field.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let field = |index| fields.split_whitespace().nth(index)?.parse().ok();
        add("page fault, small", field(7));
        add("page fault, large", field(9));
        let steal = stolen(&read("/proc/stat"), cpu);
        add(
            "stolen by the hypervisor, ms",
            steal.map(|ticks| ticks * STAT_TICK_MS),
        );
        Self(counts)
    }

    /// What was counted since, the most frequent first.
    #[must_use]
    pub fn since(&self, before: &Self) -> Vec<Cause> {
        let old = |name: &String| before.0.get(name).copied().unwrap_or(0);
        let mut causes: Vec<Cause> = self
            .0
            .iter()
            .map(|(name, now)| Cause {
                name: name.clone(),
                count: now.saturating_sub(old(name)),
            })
            .filter(|cause| cause.count > 0)
            .collect();
        causes.sort_by(|left, right| {
            right
                .count
                .cmp(&left.count)
                .then(left.name.cmp(&right.name))
        });
        causes
    }
}

/// The number behind a word.
pub(super) fn number_after(text: &str, word: &str) -> Option<u64> {
    let (_, rest) = text.split_once(word)?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Reads a table whose head names processors: the core's column, by the name of each line and what
/// stands behind the columns.
fn columns(text: &str, cpu: usize, kind: &str, counts: &mut BTreeMap<String, u64>) {
    let mut lines = text.lines();
    let head: Vec<&str> = lines
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let wanted = format!("CPU{cpu}");
    let Some(column) = head.iter().position(|name| *name == wanted) else {
        return;
    };
    for line in lines {
        let Some((name, rest)) = line.split_once(':') else {
            continue;
        };
        let words: Vec<&str> = rest.split_whitespace().collect();
        let count = words.get(column).and_then(|word| word.parse().ok());
        // Totals of the whole host have one column only.
        let (Some(count), true) = (count, words.len() >= head.len()) else {
            continue;
        };
        let about = words[head.len()..].join(" ");
        let name = format!("{kind} {} {about}", name.trim());
        counts.insert(name.trim_end().to_owned(), count);
    }
}

fn stolen(text: &str, cpu: usize) -> Option<u64> {
    let name = format!("cpu{cpu}");
    let mut lines = text.lines().map(|line| line.split_whitespace());
    let mut words = lines.find_map(|mut words| (words.next() == Some(&name)).then_some(words))?;
    words.nth(STAT_STEAL - 1)?.parse().ok()
}
