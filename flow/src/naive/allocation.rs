//! How an arriving order is shared out among the orders of a price level.

use wire::ring::Event;

use super::{Mode, Naive};
use crate::book::Resting;

/// Who of a level trades with an arriving order, and how much.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Allocation {
    /// One after the other, the oldest first.
    Time,
    /// All of them by their units, after the oldest got so many percent of the arriving order.
    Shared { percent_first: u32 },
}

impl Allocation {
    /// Reads a `SetAllocation`; nothing if it makes no sense.
    pub(super) const fn of(code: u8, percent: u32) -> Option<Self> {
        match (code, percent) {
            (0, 0) => Some(Self::Time),
            (1, 0) | (2, 0..=100) => Some(Self::Shared {
                percent_first: percent,
            }),
            _ => None,
        }
    }
}

impl Naive {
    /// Lets an order meet the best level of those that it meets as a whole: one order of its own
    /// account, if there is one that it must not trade with, else all of them at once.
    pub(super) fn meet_level(
        &mut self,
        order: &mut Resting,
        met: &[Resting],
        percent_first: u32,
    ) -> Vec<Event> {
        let is_best = |maker: &&Resting| maker.price == met[0].price;
        let level: Vec<Resting> = met.iter().take_while(is_best).copied().collect();
        let own = |maker: &&Resting| self.mode(order, maker) != Mode::Trade;
        if let Some(maker) = level.iter().find(own).copied() {
            return self.part(self.mode(order, &maker), order, maker);
        }
        let tips: Vec<u32> = level.iter().map(|maker| maker.tip).collect();
        let parts = parts(order.open, &tips, percent_first);
        let trades = level.into_iter().zip(parts).filter(|(_, part)| *part > 0);
        trades
            .flat_map(|(maker, part)| self.trade(order, maker, part))
            .collect()
    }
}

/// What each of the units `tips` of a level gives to an order with `open` units.
fn parts(open: u32, tips: &[u32], percent_first: u32) -> Vec<u32> {
    let [open, percent_first] = [open, percent_first].map(u64::from);
    let tips: Vec<u64> = tips.iter().copied().map(u64::from).collect();
    let sum: u64 = tips.iter().sum();
    let mut parts = vec![0; tips.len()];
    if open >= sum {
        parts = tips;
    } else {
        parts[0] = tips[0].min(open * percent_first / 100);
        let (shared, sum) = (open - parts[0], sum - parts[0]);
        for (part, tip) in parts.iter_mut().zip(&tips) {
            *part += shared * (tip - *part) / sum;
        }
        let mut rest = open - parts.iter().sum::<u64>();
        for (part, tip) in parts.iter_mut().zip(&tips) {
            let more = rest.min(tip - *part);
            *part += more;
            rest -= more;
        }
    }
    // Each is at most a tip, which came as a `u32`.
    parts.into_iter().map(|part| part as u32).collect()
}
