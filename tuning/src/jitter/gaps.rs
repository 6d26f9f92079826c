//! Gaps of one core: how many, how long, which were the longest.

use hdrhistogram::Histogram;
use serde::Serialize;

/// Gaps whose time is kept.
const LONGEST_MAX: usize = 32;
/// The longest gap that is told apart from longer ones: a minute.
const GAP_NS_MAX: u64 = 60_000_000_000;
/// Digits that a length keeps.
const DIGITS: u8 = 3;

/// One gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// When it began, in nanoseconds from the start.
    pub at_ns: u64,
    /// How long it was.
    pub ns: u64,
    /// Whether the kernel gave the core to another thread meanwhile; asked of long gaps only.
    pub was_switched: bool,
}

/// All gaps of a measurement. Nothing is allocated while it runs.
#[derive(Debug)]
pub struct Gaps {
    threshold_ns: u64,
    histogram: Option<Histogram<u64>>,
    longest: Vec<Gap>,
    lost_ns: u64,
    looks: u64,
    shortest_ns: u64,
    time_ns: u64,
}

impl Gaps {
    /// None yet; gaps below the threshold are not recorded.
    #[must_use]
    pub fn new(threshold_ns: u64) -> Self {
        Self {
            threshold_ns,
            histogram: Histogram::new_with_bounds(1, GAP_NS_MAX, DIGITS).ok(),
            longest: Vec::with_capacity(LONGEST_MAX),
            lost_ns: 0,
            looks: 0,
            shortest_ns: 0,
            time_ns: 0,
        }
    }

    /// The shortest gap that counts.
    #[must_use]
    pub const fn threshold_ns(&self) -> u64 {
        self.threshold_ns
    }

    /// Takes a gap.
    pub fn record(&mut self, gap: Gap) {
        self.lost_ns = self.lost_ns.saturating_add(gap.ns);
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record(gap.ns);
        }
        if self.longest.len() < LONGEST_MAX {
            self.longest.push(gap);
            return;
        }
        let least = self.longest.iter_mut().min_by_key(|kept| kept.ns);
        if let Some(least) = least.filter(|least| least.ns < gap.ns) {
            *least = gap;
        }
    }

    /// Says how often the counter was read, how close two readings came, and how long it took.
    pub fn finish(&mut self, looks: u64, shortest_ns: u64, time_ns: u64) {
        (self.looks, self.shortest_ns, self.time_ns) = (looks, shortest_ns, time_ns);
    }

    /// Gaps.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.histogram.as_ref().map_or(0, Histogram::len)
    }

    /// Their sum.
    #[must_use]
    pub const fn lost_ns(&self) -> u64 {
        self.lost_ns
    }

    /// Readings, the shortest time between two, and the time of all, in nanoseconds.
    #[must_use]
    pub const fn told(&self) -> (u64, u64, u64) {
        (self.looks, self.shortest_ns, self.time_ns)
    }

    /// The longest gaps, in the order of their time.
    #[must_use]
    pub fn longest(&self) -> Vec<Gap> {
        let mut longest = self.longest.clone();
        longest.sort_unstable_by_key(|gap| gap.at_ns);
        longest
    }

    /// The longest of all, exactly.
    #[must_use]
    pub fn max_ns(&self) -> u64 {
        self.longest.iter().map(|gap| gap.ns).max().unwrap_or(0)
    }

    /// The length that a part (0 to 1) of all gaps does not exceed; 0 if there is none.
    #[must_use]
    pub fn quantile_ns(&self, part: f64) -> u64 {
        let found = self
            .histogram
            .as_ref()
            .filter(|histogram| !histogram.is_empty());
        let length = found.map_or(0, |histogram| histogram.value_at_quantile(part));
        length.min(self.max_ns())
    }

    /// How many gaps are at least `from_ns` and shorter than `to_ns`.
    #[must_use]
    pub fn between(&self, from_ns: u64, to_ns: u64) -> u64 {
        let counted = self.histogram.iter().flat_map(Histogram::iter_recorded);
        let inside = counted.filter(|step| (from_ns..to_ns).contains(&step.value_iterated_to()));
        inside.map(|step| step.count_at_value()).sum()
    }
}
