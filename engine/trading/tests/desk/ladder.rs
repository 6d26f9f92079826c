//! Levels and quotes of a market.

use trading::desk::Ladder;
use trading::{Standing, Touch, What};
use wire::ring::Side;

fn level(side: Side, price: i64, quantity: u64) -> What {
    What::Level {
        side,
        price,
        quantity,
    }
}

fn touch(bid: (i64, u64), offer: (i64, u64)) -> Touch {
    let standing = |(price, quantity)| Standing { price, quantity };
    Touch {
        bid: standing(bid),
        offer: standing(offer),
    }
}

fn quote(bid: (i64, u64), offer: (i64, u64)) -> What {
    let Touch { bid, offer } = touch(bid, offer);
    What::Quote { bid, offer }
}

#[test]
fn quotes_stand_for_levels_only_where_there_are_none() {
    let mut ladder = Ladder::new();
    ladder.apply(&quote((9, 5), (11, 6)));
    assert_eq!(ladder.touch(), Some(touch((9, 5), (11, 6))));
    ladder.apply(&quote((8, 1), (0, 0)));
    assert_eq!(ladder.depth().at(Side::Buy, 8), 1);
    assert_eq!(ladder.depth().at(Side::Buy, 9), 0);
    assert_eq!(ladder.touch(), None);
    ladder.apply(&level(Side::Buy, 7, 2));
    assert_eq!(ladder.depth().levels(Side::Buy).len(), 1);
    ladder.apply(&quote((9, 5), (11, 6)));
    assert_eq!(ladder.depth().at(Side::Buy, 9), 0);
    ladder.apply(&level(Side::Sell, 9, 2));
    assert_eq!(ladder.touch(), Some(touch((7, 2), (9, 2))));
    ladder.apply(&level(Side::Sell, 7, 2));
    assert_eq!(ladder.touch(), None, "locked");
    ladder.apply(&What::Clear);
    assert!(!ladder.depth().touch().is_two_sided());
}
