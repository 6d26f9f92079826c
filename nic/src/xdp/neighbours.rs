//! Which hardware address belongs to which IPv4 address.

use std::net::Ipv4Addr;

use crate::frame::Mac;

/// Most addresses learned from frames; beyond it the oldest goes.
const LEARNED_MAX: usize = 256;

/// Given entries, which nothing on the wire can change, and learned ones.
#[derive(Debug)]
pub(crate) struct Neighbours {
    given: Vec<(Ipv4Addr, Mac)>,
    learned: Vec<(Ipv4Addr, Mac)>,
    /// The learned entry to be replaced next.
    oldest: usize,
}

impl Neighbours {
    pub fn new(given: &[(Ipv4Addr, Mac)]) -> Neighbours {
        Neighbours {
            given: given.to_vec(),
            learned: Vec::with_capacity(LEARNED_MAX),
            oldest: 0,
        }
    }

    pub fn find(&self, address: Ipv4Addr) -> Option<Mac> {
        let known = self
            .given
            .iter()
            .chain(&self.learned)
            .find(|(ip, _)| *ip == address);
        known.map(|&(_, mac)| mac)
    }

    /// Notes the sender of a frame; a given entry for it still stands. A group address is nobody's.
    pub fn learn(&mut self, address: Ipv4Addr, mac: Mac) {
        if mac[0] & 1 != 0 {
            return;
        }
        if let Some(entry) = self.learned.iter_mut().find(|(ip, _)| *ip == address) {
            entry.1 = mac;
        } else if self.learned.len() < LEARNED_MAX {
            self.learned.push((address, mac));
        } else {
            self.learned[self.oldest] = (address, mac);
            self.oldest = (self.oldest + 1) % LEARNED_MAX;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_entries_stand_and_learned_ones_are_bounded() {
        let given = Ipv4Addr::new(10, 0, 0, 1);
        let mut table = Neighbours::new(&[(given, [2; 6])]);
        table.learn(given, [4; 6]);
        assert_eq!(table.find(given), Some([2; 6]));
        let nth = |n: u32| Ipv4Addr::from(0x0a01_0000 + n);
        for n in 0..300 {
            table.learn(nth(n), [2, 0, 0, 0, (n >> 8) as u8, n as u8]);
        }
        assert_eq!(
            (table.find(nth(43)), table.find(nth(44))),
            (None, Some([2, 0, 0, 0, 0, 44]))
        );
        assert_eq!(table.find(given), Some([2; 6]));
        assert_eq!(table.find(nth(299)), Some([2, 0, 0, 0, 1, 43]));
        table.learn(nth(299), [6; 6]);
        assert_eq!(table.find(nth(299)), Some([6; 6]));
        table.learn(nth(400), [1; 6]);
        assert_eq!((table.find(nth(400)), table.learned.len()), (None, 256));
    }
}
