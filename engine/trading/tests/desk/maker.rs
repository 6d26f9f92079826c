//! A maker whose quotes both move: they never meet, and none is refused for that.

use crate::kit::Rig;
use trading::desk::{Action, Answer, OrderId, Refusal};
use trading::strategies::{Maker, MakerRule};

fn maker() -> Rig {
    let rule = MakerRule {
        symbol: 0,
        quantity: 10,
        half_spread_ticks: 2.0,
        skew_ticks: 0.0,
        inventory_max: 100,
        requote_ticks: 1,
        pause_ns: 0,
    };
    Rig::with(Box::new(Maker::new(rule).unwrap()))
}

const fn moved(order: u32, price: i64) -> Action {
    Action::Replace {
        order: OrderId(order),
        price,
        total: 10,
    }
}

/// Moves of the market, and which quote goes first: the one that moves away.
#[test]
fn quotes_that_both_move_never_meet() {
    let mut rig = maker();
    rig.book(0, 1_000, 1_002);
    assert_eq!(rig.sent().len(), 2);
    rig.answer(1, Answer::Accepted);
    rig.answer(2, Answer::Accepted);
    assert!(rig.sent().is_empty());
    let mut quotes = [999, 1_003];
    // Each time by more than the quotes are apart, up and down.
    for (bid, offer) in [(1_010, 1_012), (1_030, 1_032), (1_005, 1_007), (990, 992)] {
        let wanted = [bid - 1, offer + 1];
        let is_up = wanted[0] > quotes[0];
        let order: [usize; 2] = if is_up { [1, 0] } else { [0, 1] };
        rig.book(0, bid, offer);
        let id = |side: usize| side as u32 + 1;
        for side in order {
            assert_eq!(rig.sent(), [moved(id(side), wanted[side])]);
            // The other one waits for the answer.
            rig.book(0, bid, offer);
            assert!(rig.sent().is_empty());
            let (price, open) = (wanted[side], 10);
            rig.answer(id(side), Answer::Replaced { price, open });
        }
        assert!(rig.sent().is_empty());
        quotes = wanted;
    }
    assert_eq!(rig.desk.risk().refused(Refusal::Own), 0);
}

/// A replacement that the venue refuses is asked for again.
#[test]
fn a_refused_move_is_tried_again() {
    let mut rig = maker();
    rig.book(0, 1_000, 1_002);
    rig.answer(1, Answer::Accepted);
    rig.answer(2, Answer::Accepted);
    rig.sent();
    rig.book(0, 1_001, 1_003);
    assert_eq!(rig.sent(), [moved(2, 1_004), moved(1, 1_000)]);
    rig.answer(2, Answer::ReplaceRefused(1));
    assert_eq!(rig.sent(), [moved(2, 1_004)]);
}
