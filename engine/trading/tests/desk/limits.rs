//! Every limit: what is just allowed leaves, what is beyond does not, says why, and is counted.

use crate::kit::{Rig, breaker, limits, listens, listing, money, once, order};
use trading::desk::{Answer, Kill, Limits, NewOrder, Refusal, Strategy};
use wire::ring::Side::{Buy, Sell};

/// Sends orders on a book of 10.00 to 10.02 and gives what became of each.
fn results(limits: Limits, orders: Vec<NewOrder>) -> (Rig, Vec<Option<Refusal>>) {
    let (told, results) = std::sync::mpsc::channel();
    let act = once(move |desk| {
        for new in &orders {
            told.send(desk.send(*new).err()).unwrap();
        }
    });
    let mut rig = Rig::new(vec![listing("AAA")], limits, vec![("s", 1, breaker(), act)]);
    rig.book(0, 1_000, 1_002);
    let results = results.try_iter().collect();
    (rig, results)
}

fn expect(limits: Limits, orders: Vec<NewOrder>, why: Refusal) {
    let count = orders.len();
    let (rig, results) = results(limits, orders);
    let mut expected = vec![None; count];
    expected[count - 1] = Some(why);
    assert_eq!(results, expected, "{why}");
    for reason in Refusal::ALL {
        let count = u64::from(reason == why);
        assert_eq!(rig.desk.risk().refused(reason), count, "{reason}");
    }
}

#[test]
fn of_an_order() {
    let good = order(Buy, 1_002, 1_000);
    expect(
        limits(),
        vec![good, order(Buy, 1_000, 0)],
        Refusal::Quantity,
    );
    expect(
        limits(),
        vec![good, order(Buy, 1_000, 1_001)],
        Refusal::Quantity,
    );
    let elsewhere = NewOrder { symbol: 1, ..good };
    expect(limits(), vec![good, elsewhere], Refusal::Market);
    // 1,000 at 10.02.
    let value = Limits {
        order_value_max: money("10020"),
        ..limits()
    };
    expect(value, vec![good, order(Buy, 1_003, 1_000)], Refusal::Value);
}

#[test]
fn of_a_price() {
    // 5 % of 10.01 are 50.05 ticks. A price that is good for us may be as far as it likes.
    let far = vec![order(Buy, 1, 1), order(Buy, 1_051, 1), order(Buy, 1_052, 1)];
    expect(limits(), far, Refusal::Band);
    let far = vec![
        order(Sell, 9_000, 1),
        order(Sell, 951, 1),
        order(Sell, 950, 1),
    ];
    expect(limits(), far, Refusal::Band);
}

#[test]
fn of_what_is_held() {
    // Twice 1,000 may become a position of 2,000; one more may not. The other side has its own.
    let bids = [990, 991].map(|price| order(Buy, price, 1_000));
    let mut orders = bids.to_vec();
    orders.extend([order(Sell, 1_010, 1_000), order(Buy, 992, 1)]);
    expect(limits(), orders, Refusal::Position);
    // 1,000 at 9.90 and 1,000 at 9.91.
    let exposure = Limits {
        exposure_max: money("19810"),
        ..limits()
    };
    let orders = [&bids[..], &[order(Sell, 1_010, 1)]].concat();
    expect(exposure, orders, Refusal::Exposure);
}

#[test]
fn of_how_many() {
    let two = || vec![order(Buy, 990, 1), order(Buy, 991, 1), order(Buy, 992, 1)];
    let open = Limits {
        open_orders_max: 2,
        ..limits()
    };
    expect(open, two(), Refusal::OpenOrders);
    let rate = Limits {
        orders_per_second: 2,
        ..limits()
    };
    expect(rate, two(), Refusal::Rate);
}

#[test]
fn of_a_second() {
    let act = Box::new(|desk: &mut trading::desk::Context<'_>, _: &_| {
        let _ = desk.send(order(Buy, 990, 1));
    });
    let rate = Limits {
        orders_per_second: 2,
        ..limits()
    };
    let mut rig = Rig::new(vec![listing("AAA")], rate, vec![("s", 1, breaker(), act)]);
    let mut left = |ahead_ns| {
        rig.now_ns += ahead_ns;
        rig.book(0, 1_000, 1_002);
        rig.sent().len()
    };
    assert_eq!([left(0), left(400), left(0)], [1, 1, 0]);
    // The first one was a second ago, the other one was not.
    assert_eq!([left(999_999_599), left(1), left(0)], [0, 1, 0]);
    assert_eq!([left(399), left(1)], [0, 1]);
}

#[test]
fn of_our_own_orders() {
    let orders = vec![
        order(Buy, 1_001, 5),
        order(Sell, 1_002, 5),
        order(Sell, 1_001, 5),
    ];
    expect(limits(), orders, Refusal::Own);
    let orders = vec![
        order(Sell, 1_001, 5),
        order(Buy, 1_000, 5),
        order(Buy, 1_003, 5),
    ];
    expect(limits(), orders, Refusal::Own);
}

#[test]
fn nothing_leaves_without_a_market() {
    let act = Box::new(|desk: &mut trading::desk::Context<'_>, _: &_| {
        assert_eq!(desk.send(order(Buy, 990, 1)), Err(Refusal::NoMiddle));
    });
    let mut rig = Rig::plain(act);
    rig.tell(0, trading::What::Clear);
    rig.tell(0, trading::What::End);
    assert_eq!(
        rig.lines(),
        ["1000000000 s refused no-middle buy AAA 1 at 990 day"]
    );
}

#[test]
fn a_stop_takes_everything_off() {
    let act = once(|desk| {
        desk.send(order(Buy, 990, 1)).unwrap();
        desk.send(order(Buy, 991, 1)).unwrap();
    });
    let mut rig = Rig::plain(act);
    rig.book(0, 1_000, 1_002);
    rig.answer(1, Answer::Accepted);
    rig.lines();
    rig.desk.kill(rig.now_ns, Kill::Word);
    // The second one is not answered yet: it is taken off when it is.
    let expected = [
        "1000000000 desk kill it was told to stop",
        "1000000000 s cancel #1",
    ];
    assert_eq!(rig.lines(), expected);
    rig.answer(2, Answer::Accepted);
    assert_eq!(rig.lines(), ["1000000000 s cancel #2"]);
    rig.desk.kill(rig.now_ns, Kill::Word);
    rig.heard();
    rig.book(0, 1_000, 1_003);
    assert!(rig.lines().is_empty() && rig.heard().is_empty());
    for id in [1, 2] {
        rig.answer(id, Answer::Canceled { quantity: 1 });
    }
    assert!(rig.desk.orders().is_empty());
}

#[test]
fn a_loss_stops_the_desk() {
    let loss = Limits {
        loss_max: money("10"),
        ..limits()
    };
    let act = once(|desk| {
        desk.send(order(Buy, 1_002, 100)).unwrap();
        desk.send(order(Buy, 990, 1)).unwrap();
    });
    let parts = vec![("s", 1, breaker(), act), ("t", 2, breaker(), listens())];
    let mut rig = Rig::new(vec![listing("AAA")], loss, parts);
    rig.book(0, 1_000, 1_002);
    for id in [1, 2] {
        rig.answer(id, Answer::Accepted);
    }
    // At the middle of 9.92 it has lost 10.00 and a fee.
    let maker = crate::kit::filled(1_002, 100, false);
    rig.answer(1, maker);
    rig.lines();
    rig.book(0, 991, 993);
    let expected = [
        "1000000000 desk kill the desk lost more than it may",
        "1000000000 s cancel #2",
    ];
    assert_eq!(rig.lines(), expected);
    assert!(rig.desk.risk().is_killed());
}

/// A strategy may leave out all that it does not care for.
#[test]
fn a_strategy_may_do_nothing() {
    struct Idle;
    impl Strategy for Idle {}
    let _: Box<dyn Strategy> = Box::new(Idle);
}
