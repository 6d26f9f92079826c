//! A cable that loses, repeats and disorders packets, by a seed.

use std::collections::BTreeMap;

/// Numbers by a seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, of: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % of
    }

    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// How a cable treats packets, in percent.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    pub loss: u64,
    pub duplication: u64,
    pub reordering: u64,
}

impl Faults {
    pub const USUAL: Self = Self {
        loss: 5,
        duplication: 2,
        reordering: 10,
    };
    pub const NONE: Self = Self {
        loss: 0,
        duplication: 0,
        reordering: 0,
    };
}

/// Time from one end to the other.
const DELAY_NS: u64 = 10_000;

/// How much later a packet may come that others overtake.
const LATE_NS: u64 = 400_000;

/// One direction of a cable.
pub struct Link {
    random: Random,
    faults: Faults,
    under_way: BTreeMap<(u64, u64), Vec<u8>>,
    serial: u64,
    pub is_cut: bool,
    pub lost: u64,
}

impl Link {
    pub fn new(seed: u64, faults: Faults) -> Self {
        Self {
            random: Random::new(seed),
            faults,
            under_way: BTreeMap::new(),
            serial: 0,
            is_cut: false,
            lost: 0,
        }
    }

    pub fn send(&mut self, packet: &[u8], now_ns: u64) {
        if self.is_cut || self.random.percent(self.faults.loss) {
            self.lost += 1;
            return;
        }
        let copies = 1 + u64::from(self.random.percent(self.faults.duplication));
        for _ in 0..copies {
            let is_late = self.random.percent(self.faults.reordering);
            let late_ns = self.random.below(LATE_NS) * u64::from(is_late);
            self.serial += 1;
            let arrival = (now_ns + DELAY_NS + late_ns, self.serial);
            self.under_way.insert(arrival, packet.to_vec());
        }
    }

    /// The next packet that is there by now.
    pub fn receive(&mut self, now_ns: u64) -> Option<Vec<u8>> {
        let first = self.under_way.first_entry()?;
        (first.key().0 <= now_ns).then(|| first.remove())
    }
}
