//! Orders through their lives, and who hears of what in which order.

use crate::kit::{Heard, Rig, breaker, filled, limits, listens, listing, once, order};
use trading::What;
use trading::desk::{Action, Answer, Context, OrderId, Pending, Refusal};
use wire::ring::Side::{Buy, Sell};

fn trade(price: i64) -> What {
    What::Trade {
        price,
        quantity: 1,
        aggressor: None,
    }
}

#[test]
fn priorities_then_the_order_given() {
    let part = |name, priority| (name, priority, breaker(), listens());
    let parts = vec![
        part("late", 9),
        part("one", 3),
        part("two", 3),
        part("soon", 1),
    ];
    let mut rig = Rig::new(vec![listing("AAA")], limits(), parts);
    rig.tell(0, trade(5));
    let names: Vec<_> = rig.heard().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["soon", "one", "two", "late"]);
    assert_eq!(rig.desk.names(), names);
}

#[test]
fn what_is_heard() {
    let act = Box::new(|desk: &mut Context<'_>, heard: &Heard| {
        if *heard == Heard::Trade(1_001) {
            desk.timer_at(desk.now_ns() + 10);
        }
    });
    let mut rig = Rig::plain(act);
    rig.book(0, 1_000, 1_002);
    // Without an end the book is none yet.
    let level = What::Level {
        side: Buy,
        price: 1_001,
        quantity: 1,
    };
    rig.tell(0, level);
    assert_eq!(rig.heard(), [("s", Heard::Book(0))]);
    rig.tell(0, What::End);
    rig.tell(0, What::End);
    rig.tell(0, trade(1_001));
    assert_eq!(rig.desk.timer_next_ns(), Some(rig.now_ns + 10));
    rig.now_ns += 15;
    rig.tell(0, trade(1_000));
    rig.tell(0, trade(999));
    let expected = [
        Heard::Book(0),
        Heard::Trade(1_001),
        Heard::Timer(1_000_000_015),
        Heard::Trade(1_000),
        Heard::Trade(999),
        Heard::Bar(999),
    ];
    let heard: Vec<_> = rig.heard().into_iter().map(|(_, heard)| heard).collect();
    assert_eq!(heard, expected);
    assert_eq!(rig.desk.timer_next_ns(), None);
}

#[test]
fn a_fill_on_the_way_to_a_replacement_makes_less_open() {
    let act = Box::new(|desk: &mut Context<'_>, heard: &Heard| match heard {
        Heard::Book(_) if desk.orders().next().is_none() => {
            desk.send(order(Buy, 1_000, 10)).unwrap();
        }
        Heard::Book(_) => desk.replace(OrderId(1), 1_001, 8).unwrap(),
        Heard::Fill(4) if desk.orders().next().is_some() => {
            assert_eq!(desk.replace(OrderId(1), 999, 1), Err(Refusal::Busy));
            assert_eq!(desk.cancel(OrderId(1)), Err(Refusal::Busy));
        }
        _ => {}
    });
    let mut rig = Rig::plain(act);
    rig.book(0, 1_000, 1_002);
    rig.answer(1, Answer::Accepted);
    rig.answer(1, filled(1_000, 3, true));
    rig.sent();
    rig.book(0, 1_000, 1_002);
    let replace = Action::Replace {
        order: OrderId(1),
        price: 1_001,
        total: 11,
    };
    assert_eq!(rig.sent(), [replace]);
    // Seven were open when it left; four of these trade before it is there.
    rig.answer(1, filled(1_000, 4, true));
    let open = 4;
    rig.answer(1, Answer::Replaced { price: 1_001, open });
    let [own] = rig.desk.orders() else {
        panic!("one order")
    };
    assert_eq!((own.price, own.open, own.filled), (1_001, 4, 7));
    assert_eq!(own.pending, Pending::None);
    rig.heard();
    rig.answer(1, filled(1_001, 4, true));
    let gone = [("s", Heard::Fill(4)), ("s", Heard::Gone(OrderId(1)))];
    assert_eq!(rig.heard(), gone);
    assert_eq!(rig.desk.account().position(0).lots, 11);
    // What the venue says of an order that is gone changes nothing.
    rig.answer(1, Answer::ReplaceRefused(5));
    rig.answer(77, Answer::Accepted);
    assert!(rig.desk.orders().is_empty() && rig.heard().is_empty());
}

#[test]
fn an_order_that_is_filled_before_its_replacement_is_gone_with_the_refusal() {
    let act = Box::new(|desk: &mut Context<'_>, heard: &Heard| {
        if matches!(heard, Heard::Book(_)) {
            let own = desk.orders().next().map(|own| own.id);
            match own {
                Some(id) => desk.replace(id, 999, 10).unwrap(),
                None => assert!(desk.send(order(Sell, 1_002, 10)).is_ok()),
            }
        }
    });
    let mut rig = Rig::plain(act);
    rig.book(0, 1_000, 1_002);
    rig.answer(1, Answer::Accepted);
    rig.book(0, 1_000, 1_002);
    rig.answer(1, filled(1_002, 10, true));
    assert_eq!(rig.desk.orders().len(), 1);
    rig.answer(1, Answer::ReplaceRefused(3));
    assert!(rig.desk.orders().is_empty());
    assert_eq!(rig.heard().last(), Some(&("s", Heard::Gone(OrderId(1)))));
    assert_eq!(rig.desk.account().position(0).lots, -10);
}

#[test]
fn refused_cancelled_and_not_ours() {
    let act = once(|desk| {
        desk.send(order(Buy, 990, 5)).unwrap();
        desk.send(order(Buy, 991, 5)).unwrap();
        assert_eq!(desk.cancel(OrderId(9)), Err(Refusal::Order));
    });
    let other = Box::new(|desk: &mut Context<'_>, _: &Heard| {
        assert_eq!(desk.cancel(OrderId(1)), Err(Refusal::Order));
        assert_eq!(desk.orders().count(), 0);
    });
    let parts = vec![("s", 1, breaker(), act), ("t", 2, breaker(), other)];
    let mut rig = Rig::new(vec![listing("AAA")], limits(), parts);
    rig.book(0, 1_000, 1_002);
    rig.heard();
    rig.answer(1, Answer::Refused(0x1D));
    rig.answer(2, Answer::Accepted);
    rig.answer(2, Answer::Canceled { quantity: 5 });
    let gone = [1, 2].map(|id| ("s", Heard::Gone(OrderId(id))));
    assert_eq!(rig.heard(), gone);
    let figures: Vec<_> = rig.desk.seats().map(|(_, _, figures)| figures).collect();
    assert_eq!((figures[0].orders, figures[0].refused_by_venue), (2, 1));
    assert_eq!((figures[0].refused, figures[1].refused), (1, 1));
}
