//! What a book shows, against a count of its orders.

mod common;

use common::{ROOMY, Rig};
use flow::naive::OFFERED;
use flow::{Hostile, hostile};
use matching::Engine;
use wire::ring::Side::{self, Buy, Sell};

/// The best price at which an order shows something, and what all of that price show.
fn counted(engine: &Engine<'_>, symbol: u16, side: Side) -> Option<(i64, u64)> {
    let mut best = None;
    engine.orders(symbol, side, |order| {
        let shown = if order.is_hidden { 0 } else { order.tip };
        match &mut best {
            Some((price, units)) if *price == order.price => *units += u64::from(shown),
            None if shown > 0 => best = Some((order.price, u64::from(shown))),
            _ => {}
        }
    });
    best
}

#[test]
fn a_book_shows_what_its_orders_show() {
    let mut seen = 0;
    for seed in 0..4 {
        let mut rig = Rig::new(ROOMY);
        for input in Hostile::new(seed, OFFERED).take(4_000) {
            rig.sequence = input.time_ns - 1;
            rig.apply(input.command);
            for symbol in 1..=hostile::SYMBOLS {
                for side in [Buy, Sell] {
                    let shown = rig.engine.best_shown(symbol, side);
                    assert_eq!(
                        shown,
                        counted(&rig.engine, symbol, side),
                        "seed {seed}, {input:?}"
                    );
                    seen += usize::from(shown != rig.engine.best(symbol, side));
                }
            }
        }
    }
    assert!(
        seen > 1_000,
        "{seen} looks found something that is not shown"
    );
}
