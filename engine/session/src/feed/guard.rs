//! Who may ask for what was missed, and how many bytes the answers may come to.
//!
//! A request is a datagram of 20 bytes whose sender nobody proves, and its answer is up to seventy
//! times as long: a server that answers everybody is a gun for who forges the address of a victim.
//! So only listed networks get an answer at all, and each of them no more bytes than its bucket
//! holds.

use core::net::Ipv4Addr;

use wire::mold::DATAGRAM_BYTES_MAX;

use crate::{Network, SECOND_NS};

/// The most networks of a list.
pub const NETWORKS_MAX: usize = 64;

/// The slowest bucket, in bytes a second.
pub const BYTES_PER_SECOND_MIN: u64 = 1 << 10;

/// The fastest one; what a packet costs then is still more than nothing.
pub const BYTES_PER_SECOND_MAX: u64 = 1 << 32;

const _: () = assert!(DATAGRAM_BYTES_MAX as u64 * SECOND_NS / BYTES_PER_SECOND_MAX > 0);

/// What somebody who asks may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// No list names the address: it gets nothing.
    Unlisted,
    /// Its network's bucket holds too little for a packet: it gets nothing now.
    Spent,
    /// It may have one packet; its bytes are to be charged to this place of the list.
    Admitted(usize),
}

/// A bucket as the time at which it will be full again.
#[derive(Clone, Copy)]
struct Bucket {
    network: Network,
    full_ns: u64,
}

/// A list of networks, each with a bucket of bytes.
pub struct Guard {
    buckets: Vec<Bucket>,
    bytes_per_second: u64,
    burst_ns: u64,
}

impl Guard {
    /// Takes the first [`NETWORKS_MAX`] of the networks; each bucket holds what it gets in a
    /// second, but at least four packets, and is full.
    #[must_use]
    pub fn new(networks: &[Network], bytes_per_second: u64) -> Self {
        let bytes_per_second = bytes_per_second.clamp(BYTES_PER_SECOND_MIN, BYTES_PER_SECOND_MAX);
        let bucket = |&network: &Network| Bucket {
            network,
            full_ns: 0,
        };
        let packets_ns = cost_ns(4 * DATAGRAM_BYTES_MAX, bytes_per_second);
        Self {
            buckets: networks.iter().take(NETWORKS_MAX).map(bucket).collect(),
            bytes_per_second,
            burst_ns: SECOND_NS.max(packets_ns),
        }
    }

    /// Whether somebody at this address gets an answer now.
    #[must_use]
    pub fn admits(&self, from: Ipv4Addr, now_ns: u64) -> Admission {
        let mut buckets = self.buckets.iter();
        let Some(place) = buckets.position(|bucket| bucket.network.contains(from)) else {
            return Admission::Unlisted;
        };
        let packet_ns = cost_ns(DATAGRAM_BYTES_MAX, self.bytes_per_second);
        let used_ns = self.buckets[place].full_ns.saturating_sub(now_ns);
        if used_ns + packet_ns > self.burst_ns {
            return Admission::Spent;
        }
        Admission::Admitted(place)
    }

    /// An answer of so many bytes went to somebody of this place.
    pub fn charge(&mut self, place: usize, bytes: usize, now_ns: u64) {
        let cost_ns = cost_ns(bytes, self.bytes_per_second);
        if let Some(bucket) = self.buckets.get_mut(place) {
            bucket.full_ns = bucket.full_ns.max(now_ns).saturating_add(cost_ns);
        }
    }

    /// The most bytes that one network gets in a stretch of time.
    #[must_use]
    pub fn bytes_max(&self, stretch_ns: u64) -> u64 {
        let ns = u128::from(self.burst_ns) + u128::from(stretch_ns);
        let bytes = ns * u128::from(self.bytes_per_second) / u128::from(SECOND_NS);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

/// How long a bucket takes to get so many bytes.
fn cost_ns(bytes: usize, bytes_per_second: u64) -> u64 {
    (bytes as u64 * SECOND_NS).div_ceil(bytes_per_second)
}
