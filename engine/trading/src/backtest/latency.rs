//! How long messages are under way.

/// Random numbers that are the same on every machine (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The numbers of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next one.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// How long a message is under way. One never overtakes another one of the same kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latency {
    /// As long as it was when it was recorded; of messages that were not, no time.
    Recorded,
    /// Always so long, in ns.
    Constant(u64),
    /// Any time from `least_ns` to `most_ns`, all alike, drawn for each.
    Drawn {
        /// The shortest.
        least_ns: u64,
        /// The longest.
        most_ns: u64,
    },
}

impl Latency {
    /// The time of a message of which none was recorded.
    pub fn draw(self, random: &mut Random) -> u64 {
        match self {
            Self::Recorded => 0,
            Self::Constant(ns) => ns,
            Self::Drawn { least_ns, most_ns } => {
                let range = most_ns.saturating_sub(least_ns).saturating_add(1);
                least_ns + random.next() % range.max(1)
            }
        }
    }
}
