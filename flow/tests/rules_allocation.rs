//! How levels are shared out: parts worked out by hand.

mod desk;

use desk::Desk;
use flow::naive::increments::{self, ALLOCATION};

const OFFERED: u16 = increments::first(4) | ALLOCATION;

const PRO_RATA: &str = "SetAllocation symbol=1 flags=1";

/// What the orders of a level, told by their units, give to one that arrives.
fn parts(allocation: &str, level: &[u32], arriving: u32) -> Vec<u32> {
    let mut desk = Desk::new(OFFERED, 0);
    assert!(desk.answer(allocation).starts_with("Configured"));
    for (units, user_ref) in level.iter().zip(1..) {
        desk.answer(&format!("2/{user_ref} S {units}@100"));
    }
    // Another level and another symbol have no part in it.
    desk.answer("2/90 S 100@101");
    desk.answer("2/91 S 100@100 sym=2");
    let open = |desk: &Desk| -> Vec<(u32, u32)> {
        let orders = desk.naive.orders(1, wire::ring::Side::Sell);
        let at_100 = orders.filter(|order| order.price == 100);
        at_100.map(|order| (order.user_ref, order.open)).collect()
    };
    let before = open(&desk);
    desk.answer(&format!("1/1 B {arriving}@100"));
    let after = open(&desk);
    let left = |user_ref| after.iter().find(|(one, _)| *one == user_ref);
    let part =
        |(user_ref, units): &(u32, u32)| units - left(*user_ref).map_or(0, |(_, open)| *open);
    before.iter().map(part).collect()
}

#[test]
fn pro_rata_parts_are_rounded_down_and_the_rest_goes_to_the_oldest() {
    let cases: [(&[u32], u32, &[u32]); 8] = [
        // 10 x 60 / 100, 10 x 30 / 100, 10 x 10 / 100: nothing is left over.
        (&[60, 30, 10], 10, &[6, 3, 1]),
        // 3, 3, 3 and one left.
        (&[10, 10, 10], 10, &[4, 3, 3]),
        // 1 x 1 / 3 is 0 for all: the oldest gets it.
        (&[1, 1, 1], 1, &[1, 0, 0]),
        // 5 x 1 / 12 = 0, 5 x 10 / 12 = 4, 0: the one left is all that the first has.
        (&[1, 10, 1], 5, &[1, 4, 0]),
        // 5 x 1 / 6 is 0 for all: one each, the last has none.
        (&[1, 1, 1, 1, 1, 1], 5, &[1, 1, 1, 1, 1, 0]),
        // 98 x 1 / 101 = 0, 98 x 100 / 101 = 97; one left for the first.
        (&[1, 100], 98, &[1, 97]),
        // As many units as there are, and more.
        (&[5, 7], 12, &[5, 7]),
        (&[5, 7], 50, &[5, 7]),
    ];
    for (level, arriving, expected) in cases {
        assert_eq!(
            parts(PRO_RATA, level, arriving),
            expected,
            "{level:?} {arriving}"
        );
    }
}

#[test]
fn split_gives_the_oldest_its_share_first() {
    let cases: [(u32, &[u32], u32, &[u32]); 7] = [
        // 40 of 100 first, then 60 among 60, 50, 50: 22.5, 18.75, 18.75, and 2 are left.
        (40, &[100, 50, 50], 100, &[40 + 22 + 2, 18, 18]),
        // 40 of 50 are more than its 10 units; 40 are left for 100 and 100.
        (80, &[10, 100, 100], 50, &[10, 20, 20]),
        // Nothing is left for others.
        (100, &[30, 100, 100], 20, &[20, 0, 0]),
        // 10 x 5 / 100 is 0: as pro-rata.
        (5, &[10, 10, 10], 10, &[4, 3, 3]),
        (0, &[60, 30, 10], 10, &[6, 3, 1]),
        // A third of 10 is 3; 7 among 7, 10: 2.88, 4.11, and one left.
        (33, &[10, 10], 10, &[3 + 2 + 1, 4]),
        // As many as there are.
        (50, &[3, 3], 6, &[3, 3]),
    ];
    for (share, level, arriving, expected) in cases {
        let allocation = format!("SetAllocation symbol=1 flags=2 quantity={share}");
        let found = parts(&allocation, level, arriving);
        assert_eq!(found, expected, "{share} percent of {level:?} {arriving}");
    }
}

#[test]
fn by_time_the_oldest_gives_all() {
    let allocation = "SetAllocation symbol=1";
    assert_eq!(parts(allocation, &[5, 7, 9], 10), [5, 5, 0]);
}

#[test]
fn trades_are_in_the_order_of_the_queue_and_levels_one_after_the_other() {
    let mut desk = Desk::new(OFFERED, 0);
    desk.check(&[
        (PRO_RATA, "Configured(0/0 0@0 0)"),
        ("2/1 S 4@100", "Accepted(2/1 4@100 4 B)"),
        ("2/2 S 1@100 hide", "Accepted(2/2 1@100 1 BH)"),
        // It gives by the units that it shows.
        ("2/3 S 20@100 show=5", "Accepted(2/3 5@100 20 B)"),
        ("2/4 S 9@101", "Accepted(2/4 9@101 9 B)"),
        // 5 x 4 / 10, 5 x 1 / 10, 5 x 5 / 10: 2, 0, 2 and one left for the first.
        (
            "1/1 B 5@100",
            "Accepted(1/1 5@100 5) \
             Executed(2/1 3@100 1 MB) Executed(1/1 3@100 2) \
             Executed(2/3 2@100 18 MB) Executed(1/1 2@100 0)",
        ),
        // 1, 1 and 3 are all that is shown; then the iceberg shows 5 again, of which 4 go, then
        // one that is left over.
        (
            "1/2 B 9@100",
            "Accepted(1/2 9@100 9) \
             Executed(2/1 1@100 0 MB) Executed(1/2 1@100 8) \
             Executed(2/2 1@100 0 MBH) Executed(1/2 1@100 7) \
             Executed(2/3 3@100 15 MB) Executed(1/2 3@100 4) Refreshed(2/3 5@100 15 B)7<3 \
             Executed(2/3 4@100 11 MB) Executed(1/2 4@100 0)",
        ),
        // What is shown of the better level, then again and again, then the other level.
        (
            "1/3 B 15@101",
            "Accepted(1/3 15@101 15) \
             Executed(2/3 1@100 10 MB) Executed(1/3 1@100 14) Refreshed(2/3 5@100 10 B)9<7 \
             Executed(2/3 5@100 5 MB) Executed(1/3 5@100 9) Refreshed(2/3 5@100 5 B)10<9 \
             Executed(2/3 5@100 0 MB) Executed(1/3 5@100 4) \
             Executed(2/4 4@101 5 MB) Executed(1/3 4@101 0)",
        ),
        (
            "1/4 B 7@99 min=6",
            "Accepted(1/4 7@99 7) Canceled:MinimumQuantity(1/4 7@99 0)",
        ),
    ]);
}

#[test]
fn orders_of_its_own_account_are_met_first_where_they_must_not_trade() {
    let with_level = |mode| {
        let mut desk = Desk::new(OFFERED, mode);
        for command in [
            PRO_RATA,
            "2/1 S 10@100",
            "3/1 S 4@100",
            "2/2 S 10@100",
            "3/2 S 3@100",
        ] {
            desk.answer(command);
        }
        desk.answer("1/1 B 10@100")
    };
    // 10 of 27 units: 3, 1, 3, 1 and two left.
    assert_eq!(
        with_level(0),
        "Accepted(1/1 10@100 10) \
         Executed(2/1 5@100 5 MB) Executed(1/1 5@100 5) \
         Executed(3/1 1@100 3 MB) Executed(1/1 1@100 4) \
         Executed(2/2 3@100 7 MB) Executed(1/1 3@100 1) \
         Executed(3/2 1@100 2 MB) Executed(1/1 1@100 0)"
    );
    assert_eq!(
        with_level(1),
        "Accepted(1/1 10@100 10) Canceled:SelfTrade(1/1 10@100 0)"
    );
    assert_eq!(
        with_level(2),
        "Accepted(1/1 10@100 10) \
         Canceled:SelfTrade(3/1 4@100 0 B) Canceled:SelfTrade(3/2 3@100 0 B) \
         Executed(2/1 5@100 5 MB) Executed(1/1 5@100 5) \
         Executed(2/2 5@100 5 MB) Executed(1/1 5@100 0)"
    );
    assert_eq!(
        with_level(4),
        "Accepted(1/1 10@100 10) \
         Canceled:SelfTrade(3/1 4@100 0 B) Reduced:SelfTrade(1/1 4@100 6)0 \
         Canceled:SelfTrade(3/2 3@100 0 B) Reduced:SelfTrade(1/1 3@100 3)0 \
         Executed(2/1 2@100 8 MB) Executed(1/1 2@100 1) \
         Executed(2/2 1@100 9 MB) Executed(1/1 1@100 0)"
    );
}

#[test]
fn a_way_to_share_out_that_is_none_is_refused() {
    for (command, answer) in [
        (
            "SetAllocation symbol=9 flags=7",
            "Refused:UnknownSymbol(0/0 0@0 0)",
        ),
        (
            "SetAllocation symbol=1 flags=3",
            "Refused:InvalidField(0/0 0@0 0)",
        ),
        (
            "SetAllocation symbol=1 flags=0 quantity=1",
            "Refused:InvalidField(0/0 1@0 0)",
        ),
        (
            "SetAllocation symbol=1 flags=1 quantity=1",
            "Refused:InvalidField(0/0 1@0 0)",
        ),
        (
            "SetAllocation symbol=1 flags=2 quantity=101",
            "Refused:InvalidField(0/0 101@0 0)",
        ),
        (
            "SetAllocation symbol=1 flags=2 quantity=100",
            "Configured(0/0 100@0 0)",
        ),
    ] {
        assert_eq!(Desk::new(OFFERED, 0).answer(command), answer, "{command}");
        let unknown = Desk::new(OFFERED & !ALLOCATION, 0).answer(command);
        assert!(unknown.starts_with("Refused:InvalidField"), "{unknown}");
    }
}
