//! What was traded before the desk began counts for what it holds.

use trading::desk::{Fill, Input, OrderId, Timeless};
use wire::ring::Side::{self, Buy, Sell};

use crate::kit::{Heard, Rig, breaker, limits, listens, listing, money};

/// A fill of a strategy's order of before.
fn fill(seat: u16, symbol: u32, side: Side, price: i64, quantity: u64) -> Input {
    Input::Before(Fill {
        time_ns: 1_000_000_000,
        seat,
        order: OrderId::default(),
        symbol,
        side,
        price,
        quantity,
        is_maker: true,
    })
}

fn rig() -> Rig {
    let limits = trading::desk::Limits {
        loss_max: money("50"),
        ..limits()
    };
    let parts = vec![
        ("first", 1, breaker(), listens()),
        ("second", 2, breaker(), listens()),
    ];
    Rig::new(vec![listing("AAA"), listing("BBB")], limits, parts)
}

fn lots(rig: &Rig, symbol: u32) -> [i64; 3] {
    let mut seats = rig.desk.seats().map(|it| it.0.position(symbol).lots);
    let [first, second] = [(); 2].map(|()| seats.next().unwrap());
    [rig.desk.account().position(symbol).lots, first, second]
}

#[test]
fn it_is_the_strategy_s_that_sent_it() {
    let mut rig = rig();
    let inputs = [
        fill(1, 0, Buy, 1_000, 30),
        fill(0, 0, Sell, 1_010, 10),
        // Of a strategy that there is not any more, and of a market.
        fill(7, 1, Buy, 500, 5),
        fill(0, 9, Buy, 500, 5),
    ];
    let heard = inputs.map(|it| rig.desk.input(&it, &mut Timeless).fill.is_some());
    assert_eq!(heard, [true, true, true, false]);
    assert_eq!(lots(&rig, 0), [20, -10, 30]);
    assert_eq!(lots(&rig, 1), [5, 5, 0]);
    let told = [("second", 30), ("first", 10), ("first", 5)];
    assert_eq!(
        rig.heard(),
        told.map(|(who, lots)| (who, Heard::Fill(lots)))
    );
}

#[test]
fn it_is_no_loss_before_its_market_is_heard_of() {
    let mut rig = rig();
    for input in [fill(0, 0, Buy, 1_000, 30), fill(1, 1, Buy, 500, 100)] {
        rig.desk.input(&input, &mut Timeless);
    }
    rig.book(0, 999, 1_001);
    // 300 and 500 were paid, and BBB has no price yet.
    assert!(!rig.desk.risk().is_killed());
    assert_eq!(rig.desk.account().equity(), money("0"));
    rig.book(1, 459, 461);
    // 40 lost, and 0.08 paid by the venue.
    assert_eq!(rig.desk.account().equity(), money("-39.92"));
    assert_eq!(rig.desk.account().drawdown(), money("39.92"));
    assert!(!rig.desk.risk().is_killed());
    rig.book(1, 448, 450);
    // The day's loss counts, whoever made it.
    assert!(rig.desk.risk().is_killed());
}

#[test]
fn what_the_venue_takes_back_was_never_held() {
    let mut rig = rig();
    rig.book(0, 999, 1_001);
    rig.book(1, 459, 461);
    let once = fill(1, 0, Buy, 1_000, 30);
    let account = |rig: &Rig| {
        let account = rig.desk.account();
        (account.position(0), account.position(1), account.equity())
    };
    let before = account(&rig);
    rig.desk.input(&once, &mut Timeless);
    let held = account(&rig);
    let other = fill(1, 1, Sell, 470, 7);
    rig.desk.input(&other, &mut Timeless);
    let broken = |input: &Input| match input {
        Input::Before(fill) => Input::Broken(*fill),
        other => *other,
    };
    let heard = rig.desk.input(&broken(&other), &mut Timeless);
    assert!(heard.broken.is_some() && heard.fill.is_none());
    assert_eq!(account(&rig), held);
    rig.desk.input(&broken(&once), &mut Timeless);
    assert_eq!(account(&rig), before);
    assert_eq!(lots(&rig, 0), [0, 0, 0]);
    // Once, and nothing that was not booked.
    assert!(
        rig.desk
            .input(&broken(&once), &mut Timeless)
            .broken
            .is_none()
    );
    assert_eq!(account(&rig), before);
}
