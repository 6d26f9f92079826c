//! Edges of price bands where prices end: a reference off the tick, at which a peg traded.

mod desk;

use desk::Desk;
use flow::naive::increments::{self, BANDS, STATES};

const OFFERED: u16 = increments::first(7) | STATES | BANDS;

fn check(lines: &[(&str, &str)]) {
    let mut desk = Desk::new(OFFERED, 0);
    desk.answer("SetBands symbol=2 old_user_ref=2");
    desk.answer("DefineSymbol symbol=4 price=1000000");
    desk.answer("SetBands symbol=4 old_user_ref=2");
    desk.check(lines);
}

#[test]
fn an_upper_edge_is_at_least_a_tick() {
    // Ticks of 5, and a trade at 2: rounded down the edge would be no price.
    check(&[
        ("2/1 S 1@15 sym=2", "Accepted(2/1 1@15 1 B)"),
        ("2/2 B 1@10 sym=2", "Accepted(2/2 1@10 1 B)"),
        ("1/1 B 1@any sym=2 middle=10", "Accepted(1/1 1@2 1 BH)"),
        ("SetState symbol=2 flags=6", "StateChanged(0/0 6@0 3)"),
        ("3/1 S 2@any sym=2", "Accepted(3/1 2@any 2 B)"),
        (
            "SetState symbol=2 flags=3",
            "Uncrossed(0/0 2@2 0)B Executed(2/2 1@2 0 MBA) Executed(3/1 1@2 1 MBA) \
             Executed(1/1 1@2 0 MBHA) Executed(3/1 1@2 0 MBA) StateChanged(0/0 3@2 6)",
        ),
        ("1/2 B 7@35 sym=2", "Accepted(1/2 7@5 7 B)"),
        (
            "3/2 S 1@any sym=2 limit",
            "Accepted(3/2 1@5 1) Executed(1/2 1@5 6 MB) Executed(3/2 1@5 0)",
        ),
    ]);
}

#[test]
fn a_lower_edge_is_at_most_the_greatest_price() {
    // Ticks of 1,000,000, and a trade at the greatest price of all: the next multiple is none.
    check(&[
        ("2/1 B 1@1998000000 sym=4", "Accepted(2/1 1@1998000000 1 B)"),
        ("2/2 S 1@1999000000 sym=4", "Accepted(2/2 1@1999000000 1 B)"),
        (
            "1/1 S 1@any sym=4 middle=1499999",
            "Accepted(1/1 1@1999999999 1 BH)",
        ),
        ("SetState symbol=4 flags=6", "StateChanged(0/0 6@0 3)"),
        ("3/1 B 2@any sym=4", "Accepted(3/1 2@any 2 B)"),
        (
            "SetState symbol=4 flags=3",
            "Uncrossed(0/0 2@1999999999 0)B Executed(3/1 1@1999999999 1 MBA) \
             Executed(2/2 1@1999999999 0 MBA) Executed(3/1 1@1999999999 0 MBA) \
             Executed(1/1 1@1999999999 0 MBHA) StateChanged(0/0 3@1999999999 6)",
        ),
        ("1/2 S 7@1000000 sym=4", "Accepted(1/2 7@1999000000 7 B)"),
    ]);
}
