//! What was measured, as people and programs read it: the worst number first.

use super::causes::Cause;
use super::gaps::{Gap, Gaps};
use serde::Serialize;
use std::fmt::Write as _;

/// Letters of the longest bar.
const BAR_MAX: usize = 40;
/// Causes that are printed.
const CAUSES_MAX: usize = 12;
/// Longest gaps that are printed.
const LONGEST_MAX: usize = 8;

/// Gaps of about one length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// The shortest, in nanoseconds.
    pub from_ns: u64,
    /// The first length that is not in it.
    pub to_ns: u64,
    /// How many.
    pub count: u64,
}

/// What one core gave.
#[derive(Clone, Debug, Serialize)]
pub struct CoreReport {
    /// The core.
    pub cpu: usize,
    /// Whether the thread could be bound to it: if not, nothing here is about that core.
    pub is_pinned: bool,
    /// How long was measured.
    pub time_ns: u64,
    /// Readings of the counter.
    pub looks: u64,
    /// The shortest time between two readings: nothing below it can be seen.
    pub shortest_ns: u64,
    /// The shortest gap that counts.
    pub threshold_ns: u64,
    /// The longest gap.
    pub max_ns: u64,
    /// 999 of 1,000 gaps are no longer.
    pub p99_9_ns: u64,
    /// 99 of 100 gaps are no longer.
    pub p99_ns: u64,
    /// 9 of 10 gaps are no longer.
    pub p90_ns: u64,
    /// Half of the gaps are no longer.
    pub median_ns: u64,
    /// Gaps.
    pub gaps: u64,
    /// Gaps in a second.
    pub gaps_per_s: f64,
    /// Their sum.
    pub lost_ns: u64,
    /// Their share of the time, 0 to 1.
    pub lost_share: f64,
    /// Gaps by length, each bucket twice as wide as the one before.
    pub buckets: Vec<Bucket>,
    /// The longest gaps, in the order of their time.
    pub longest: Vec<Gap>,
    /// What the kernel counted on the core meanwhile, the most frequent first.
    pub causes: Vec<Cause>,
}

impl CoreReport {
    /// Sums a measurement up.
    #[must_use]
    pub fn of(cpu: usize, is_pinned: bool, gaps: &Gaps, causes: Vec<Cause>) -> Self {
        let (looks, shortest_ns, time_ns) = gaps.told();
        let share = |part: f64| part / time_ns.max(1) as f64;
        Self {
            cpu,
            is_pinned,
            time_ns,
            looks,
            shortest_ns,
            threshold_ns: gaps.threshold_ns(),
            max_ns: gaps.max_ns(),
            p99_9_ns: gaps.quantile_ns(0.999),
            p99_ns: gaps.quantile_ns(0.99),
            p90_ns: gaps.quantile_ns(0.9),
            median_ns: gaps.quantile_ns(0.5),
            gaps: gaps.count(),
            gaps_per_s: share(gaps.count() as f64 * 1e9),
            lost_ns: gaps.lost_ns(),
            lost_share: share(gaps.lost_ns() as f64),
            buckets: buckets(gaps),
            longest: gaps.longest(),
            causes,
        }
    }
}

/// From the threshold on, doubling, up to the longest gap.
fn buckets(gaps: &Gaps) -> Vec<Bucket> {
    let mut buckets = Vec::new();
    let mut from_ns = gaps.threshold_ns().max(1);
    while from_ns <= gaps.max_ns() {
        let to_ns = from_ns.saturating_mul(2);
        buckets.push(Bucket {
            from_ns,
            to_ns,
            count: gaps.between(from_ns, to_ns),
        });
        if to_ns == u64::MAX {
            break;
        }
        from_ns = to_ns;
    }
    buckets
}

/// All cores, one after the other.
#[must_use]
pub fn jitter_text(reports: &[CoreReport]) -> String {
    let mut text = String::new();
    for report in reports {
        head(&mut text, report);
        bars(&mut text, report);
        longest(&mut text, report);
        causes(&mut text, report);
    }
    text
}

fn head(text: &mut String, report: &CoreReport) {
    let bound = if report.is_pinned {
        ""
    } else {
        ", NOT PINNED: another core may be meant"
    };
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        text,
        "core {}{bound}: {:.1} s, {} looks, at best {} ns apart; gaps of {} ns and more count",
        report.cpu,
        report.time_ns as f64 / 1e9,
        report.looks,
        report.shortest_ns,
        report.threshold_ns
    );
    let _ = writeln!(
        text,
        "  max {} ns, p99.9 {}, p99 {}, p90 {}, median {}",
        report.max_ns, report.p99_9_ns, report.p99_ns, report.p90_ns, report.median_ns
    );
    let _ = writeln!(
        text,
        "  {} gaps, {:.0} a second, {:.3} % of the time lost",
        report.gaps,
        report.gaps_per_s,
        report.lost_share * 100.0
    );
}

/// Bars grow with the logarithm of the count: one long gap must be seen beside a thousand ticks.
fn bars(text: &mut String, report: &CoreReport) {
    let size = |count: u64| (count as f64 + 1.0).log2();
    let most = report
        .buckets
        .iter()
        .map(|bucket| size(bucket.count))
        .fold(1.0, f64::max);
    for bucket in &report.buckets {
        let letters = (size(bucket.count) / most * BAR_MAX as f64).round() as usize;
        let bar = "#".repeat(letters);
        let line = format!("  {:>12} ns {:>9}  {bar}", bucket.from_ns, bucket.count);
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

fn longest(text: &mut String, report: &CoreReport) {
    let mut longest = report.longest.clone();
    longest.sort_unstable_by_key(|gap| std::cmp::Reverse(gap.ns));
    for gap in longest.iter().take(LONGEST_MAX) {
        let cause = if gap.was_switched {
            "another thread ran"
        } else {
            ""
        };
        let at_s = gap.at_ns as f64 / 1e9;
        let line = format!("  at {at_s:>10.6} s {:>12} ns  {cause}", gap.ns);
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

fn causes(text: &mut String, report: &CoreReport) {
    let _ = writeln!(text, "  counted on this core meanwhile:");
    for cause in report.causes.iter().take(CAUSES_MAX) {
        let _ = writeln!(text, "  {:>12}  {}", cause.count, cause.name);
    }
    if report.causes.is_empty() {
        let _ = writeln!(text, "             0  of everything that the kernel counts");
    }
    text.push('\n');
}
