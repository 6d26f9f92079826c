//! The simulated exchange by hand: who stands before us, who fills us, and what we take.

use trading::backtest::{Exchange, REFUSED_POST, REFUSED_UNKNOWN};
use trading::desk::{Action, Answer, Life, NewOrder, OrderId, Report};
use trading::{Event, Standing, What};
use wire::ring::Side::{self, Buy, Sell};

struct Rig {
    exchange: Exchange,
    told: Vec<(u32, Answer)>,
}

impl Rig {
    /// Bids of 100 at 1000 and 50 at 999, offers of 80 at 1002 and 70 at 1003.
    fn new() -> Self {
        let mut rig = Self {
            exchange: Exchange::new(1),
            told: Vec::new(),
        };
        for (side, price, quantity) in [
            (Buy, 1_000, 100),
            (Buy, 999, 50),
            (Sell, 1_002, 80),
            (Sell, 1_003, 70),
        ] {
            rig.level(side, price, quantity);
        }
        assert!(rig.heard().is_empty());
        rig
    }

    fn tell(&mut self, what: What) {
        let event = Event {
            event_ns: 1,
            received_ns: 1,
            symbol: 0,
            what,
        };
        let told = &mut self.told;
        self.exchange.event(&event, &mut |Report { order, what }| {
            told.push((order.0, what))
        });
    }

    fn level(&mut self, side: Side, price: i64, quantity: u64) {
        self.tell(What::Level {
            side,
            price,
            quantity,
        });
    }

    fn trade(&mut self, price: i64, quantity: u64, aggressor: impl Into<Option<Side>>) {
        self.tell(What::Trade {
            price,
            quantity,
            aggressor: aggressor.into(),
        });
    }

    fn act(&mut self, action: Action) {
        let told = &mut self.told;
        self.exchange
            .action(&action, &mut |Report { order, what }| {
                told.push((order.0, what))
            });
    }

    fn enter(&mut self, order: u32, side: Side, (price, quantity): (i64, u64), life: Life) {
        let order = OrderId(order);
        let new = NewOrder {
            symbol: 0,
            side,
            price,
            quantity,
            life,
        };
        self.act(Action::New { order, new });
    }

    fn heard(&mut self) -> Vec<(u32, Answer)> {
        std::mem::take(&mut self.told)
    }
}

fn made(price: i64, quantity: u64) -> Answer {
    crate::kit::filled(price, quantity, true)
}

fn took(price: i64, quantity: u64) -> Answer {
    crate::kit::filled(price, quantity, false)
}

#[test]
fn trades_take_from_the_front() {
    let mut rig = Rig::new();
    rig.enter(1, Buy, (1_000, 30), Life::Post);
    assert_eq!(rig.heard(), [(1, Answer::Accepted)]);
    // 100 stand before us: 60 of them go.
    rig.trade(1_000, 60, Sell);
    rig.level(Buy, 1_000, 40);
    assert_eq!(rig.heard(), []);
    // 50 more: 40 of them were before us.
    rig.trade(1_000, 50, Sell);
    assert_eq!(rig.heard(), [(1, made(1_000, 10))]);
    rig.trade(1_000, 100, Sell);
    assert_eq!(rig.heard(), [(1, made(1_000, 20))]);
    rig.trade(1_000, 100, Sell);
    assert_eq!(rig.heard(), [], "it is gone");
}

#[test]
fn cancels_are_taken_for_those_behind() {
    let mut rig = Rig::new();
    rig.enter(1, Buy, (1_000, 30), Life::Day);
    // 40 more come behind us, then 60 of the 140 go without a trade: at most 40 behind us.
    rig.level(Buy, 1_000, 140);
    rig.level(Buy, 1_000, 80);
    rig.heard();
    rig.trade(1_000, 85, Sell);
    assert_eq!(rig.heard(), [(1, made(1_000, 5))]);
}

#[test]
fn a_level_that_vanishes_leaves_us_first() {
    let mut rig = Rig::new();
    rig.enter(1, Buy, (1_000, 30), Life::Day);
    rig.level(Buy, 1_000, 0);
    rig.heard();
    rig.trade(1_000, 7, Sell);
    assert_eq!(rig.heard(), [(1, made(1_000, 7))]);
}

#[test]
fn who_trades_on_the_other_side_or_at_a_better_price() {
    let mut rig = Rig::new();
    rig.enter(1, Buy, (1_000, 30), Life::Day);
    rig.enter(2, Buy, (1_001, 10), Life::Day);
    rig.heard();
    // A buyer does not sell to us, and at 1002 nobody sells at 1001.
    rig.trade(1_001, 500, Buy);
    rig.trade(1_002, 500, Sell);
    assert_eq!(rig.heard(), []);
    // Whoever sells at 999 would have sold to us first: by price, 15 in all.
    rig.trade(999, 15, Sell);
    assert_eq!(rig.heard(), [(2, made(1_001, 10)), (1, made(1_000, 5))]);
    // The venue does not say who came: only the price speaks.
    rig.trade(999, 5, None);
    assert_eq!(rig.heard(), [(1, made(1_000, 5))]);
}

#[test]
fn who_comes_to_our_price_meets_us() {
    let mut rig = Rig::new();
    rig.enter(1, Sell, (1_001, 30), Life::Post);
    rig.heard();
    rig.level(Buy, 1_001, 12);
    assert_eq!(rig.heard(), [(1, made(1_001, 12))]);
    // The rest of what is told of the same level: 20 stand there now, all of them are new.
    rig.level(Buy, 1_001, 20);
    assert_eq!(rig.heard(), [(1, made(1_001, 18))]);
}

#[test]
fn what_we_take_is_gone_until_it_is_told_again() {
    let mut rig = Rig::new();
    rig.enter(1, Buy, (1_003, 100), Life::Immediate);
    let filled = [
        (1, Answer::Accepted),
        (1, took(1_002, 80)),
        (1, took(1_003, 20)),
    ];
    assert_eq!(rig.heard(), filled);
    rig.enter(2, Buy, (1_003, 100), Life::Immediate);
    let partly = [
        (2, Answer::Accepted),
        (2, took(1_003, 50)),
        (2, Answer::Canceled { quantity: 50 }),
    ];
    assert_eq!(rig.heard(), partly);
    rig.level(Sell, 1_002, 60);
    rig.enter(3, Buy, (1_002, 100), Life::Day);
    assert_eq!(rig.heard(), [(3, Answer::Accepted), (3, took(1_002, 60))]);
    // The rest of it rests at 1002, where nobody bids.
    rig.trade(1_002, 9, Sell);
    assert_eq!(rig.heard(), [(3, made(1_002, 9))]);
}

#[test]
fn post_only_does_not_take() {
    let mut rig = Rig::new();
    rig.enter(1, Buy, (1_002, 5), Life::Post);
    assert_eq!(rig.heard(), [(1, Answer::Refused(REFUSED_POST))]);
    rig.enter(2, Buy, (1_001, 5), Life::Post);
    let order = OrderId(2);
    let (price, total) = (1_002, 5);
    rig.act(Action::Replace {
        order,
        price,
        total,
    });
    let refused = Answer::ReplaceRefused(REFUSED_POST);
    assert_eq!(rig.heard(), [(2, Answer::Accepted), (2, refused)]);
    rig.act(Action::Cancel { order });
    rig.act(Action::Cancel { order });
    let gone = Answer::Canceled { quantity: 5 };
    assert_eq!(rig.heard(), [(2, gone), (2, Answer::CancelRefused)]);
    rig.act(Action::Replace {
        order,
        price,
        total,
    });
    assert_eq!(rig.heard(), [(2, Answer::ReplaceRefused(REFUSED_UNKNOWN))]);
}

#[test]
fn a_replacement_loses_its_place_and_counts_what_was_filled() {
    let mut rig = Rig::new();
    rig.enter(1, Buy, (1_000, 30), Life::Day);
    rig.trade(1_000, 110, Sell);
    rig.level(Buy, 1_000, 25);
    assert_eq!(rig.heard(), [(1, Answer::Accepted), (1, made(1_000, 10))]);
    let order = OrderId(1);
    let (price, total) = (1_000, 40);
    rig.act(Action::Replace {
        order,
        price,
        total,
    });
    let open = 30;
    assert_eq!(rig.heard(), [(1, Answer::Replaced { price, open })]);
    rig.trade(1_000, 26, Sell);
    assert_eq!(rig.heard(), [(1, made(1_000, 1))]);
    // Eleven were filled: a total of eleven leaves nothing.
    rig.act(Action::Replace {
        order,
        price,
        total: 11,
    });
    assert_eq!(rig.heard(), [(1, Answer::Canceled { quantity: 29 })]);
}

#[test]
fn a_book_told_anew_bounds_what_stands_before_us() {
    let mut rig = Rig::new();
    rig.enter(1, Buy, (999, 10), Life::Day);
    rig.enter(2, Buy, (998, 10), Life::Day);
    rig.tell(What::Clear);
    rig.level(Buy, 999, 20);
    rig.level(Sell, 1_002, 5);
    rig.tell(What::End);
    rig.heard();
    rig.trade(999, 21, Sell);
    assert_eq!(rig.heard(), [(1, made(999, 1))]);
    rig.trade(998, 3, Sell);
    // The better order of ours would have been first.
    assert_eq!(rig.heard(), [(1, made(999, 3))]);
}

#[test]
fn quotes_are_levels_where_there_are_no_others() {
    let mut exchange = Exchange::new(2);
    let mut told = Vec::new();
    let quote = |bid, offer| {
        let standing = |(price, quantity)| Standing { price, quantity };
        What::Quote {
            bid: standing(bid),
            offer: standing(offer),
        }
    };
    let new = NewOrder {
        symbol: 1,
        side: Buy,
        price: 1_000,
        quantity: 5,
        life: Life::Post,
    };
    let event = |what| Event {
        event_ns: 1,
        received_ns: 1,
        symbol: 1,
        what,
    };
    let order = OrderId(1);
    exchange.event(&event(quote((1_000, 40), (1_002, 8))), &mut |it| {
        told.push(it.what)
    });
    exchange.action(&Action::New { order, new }, &mut |it| told.push(it.what));
    exchange.event(&event(quote((1_000, 4), (1_001, 8))), &mut |it| {
        told.push(it.what)
    });
    let trade = What::Trade {
        price: 1_000,
        quantity: 6,
        aggressor: Some(Sell),
    };
    exchange.event(&event(trade), &mut |it| told.push(it.what));
    exchange.event(&event(quote((998, 4), (1_000, 8))), &mut |it| {
        told.push(it.what)
    });
    assert_eq!(told, [Answer::Accepted, made(1_000, 2), made(1_000, 3)]);
}
