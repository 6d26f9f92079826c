//! What the desk's orders traded, by the venue's numbers of the trades: so the venue may take one
//! back by its number.

use trading::desk::Fill;

/// Fills that memory is taken for at first; a longer day takes more.
const FILLS: usize = 1 << 14;

#[derive(Clone, Copy, Debug)]
struct Kept {
    match_number: u64,
    user_ref: u32,
    fill: Fill,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Fills(Vec<Kept>);

impl Default for Fills {
    fn default() -> Self {
        Self(Vec::with_capacity(FILLS))
    }
}

impl Fills {
    /// An order traded under this reference.
    pub(super) fn add(&mut self, match_number: u64, user_ref: u32, fill: Fill) {
        self.0.push(Kept {
            match_number,
            user_ref,
            fill,
        });
    }

    /// The venue takes a trade back: what it was, once. Where both of its sides were ours the
    /// reference says which.
    pub(super) fn take_back(&mut self, match_number: u64, user_ref: u32) -> Option<Fill> {
        let is_ours = |it: &Kept| it.match_number == match_number;
        let same = |it: &Kept| is_ours(it) && it.user_ref == user_ref;
        let at = self.0.iter().rposition(same);
        let at = at.or_else(|| self.0.iter().rposition(is_ours))?;
        Some(self.0.remove(at).fill)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trading::desk::OrderId;
    use wire::ring::Side;

    fn fill(side: Side) -> Fill {
        Fill {
            time_ns: 1,
            seat: 0,
            order: OrderId(1),
            symbol: 0,
            side,
            price: 100,
            quantity: 5,
            is_maker: true,
        }
    }

    #[test]
    fn a_trade_with_ourselves_is_taken_back_on_both_sides_and_once() {
        let mut fills = Fills::default();
        fills.add(7, 1, fill(Side::Buy));
        fills.add(7, 2, fill(Side::Sell));
        fills.add(8, 3, fill(Side::Buy));
        assert_eq!(fills.take_back(9, 1), None);
        assert_eq!(fills.take_back(7, 1), Some(fill(Side::Buy)));
        assert_eq!(fills.take_back(7, 2), Some(fill(Side::Sell)));
        assert_eq!(fills.take_back(7, 2), None);
        assert_eq!(fills.0.len(), 1);
    }
}
