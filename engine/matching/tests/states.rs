//! Market states: which orders each takes, and what leaves or comes to life when it ends.

mod common;

use common::{Rig, answers, cancel, day, ioc, of};
use matching::Limits;
use wire::ring::Side::{Buy, Sell};
use wire::ring::{Command, CommandKind, EXTRA_POST_ONLY, MarketState, PRICE_MARKET, TimeInForce};

const MARKET: i64 = PRICE_MARKET;

/// Room for the books here.
const FEW: Limits = Limits {
    symbols: 3,
    sessions: 3,
    orders: 16,
    special: 16,
    price_groups: 16,
    accounts: 3,
};

/// Puts symbol 1 into a state.
fn state(state: MarketState) -> Command {
    Command {
        symbol: 1,
        flags: state as u8,
        ..of(CommandKind::SetState)
    }
}

fn indicate() -> Command {
    Command {
        symbol: 1,
        ..of(CommandKind::Indicate)
    }
}

/// What the next order of session 1 asks, all else zero.
fn extra() -> Command {
    Command {
        session: 1,
        ..of(CommandKind::Extra)
    }
}

/// An engine whose symbol 1 is in an opening auction, with these orders from number 1 on.
fn called(orders: &[Command]) -> Rig {
    let mut rig = Rig::open(FEW);
    rig.apply(state(MarketState::OpeningAuction));
    for order in orders {
        rig.apply(*order);
    }
    rig
}

#[test]
fn a_state_says_which_orders_it_takes() {
    use MarketState::{
        ClosingAuction, Continuous, Halt, OpeningAuction, PreOpen, Reopening, VolatilityAuction,
    };
    const BOOKED: &str = "Accepted 1:1 5@100 left 5 booked";
    const PARKED: &str = "Accepted 1:1 5@100 left 5 parked";
    const NOT_IN_STATE: &str = "Rejected 1:1 5@100 left 0 NotInState";
    const HALTED: &str = "Rejected 1:1 5@100 left 0 Halted";
    let order = |life: TimeInForce| Command {
        time_in_force: life as u8,
        ..day(1, Buy, 5, 100)
    };
    let (day, at_once) = (TimeInForce::Day, TimeInForce::ImmediateOrCancel);
    let (at_open, at_close) = (TimeInForce::AtOpen, TimeInForce::AtClose);
    let cases = [
        (PreOpen, [BOOKED, NOT_IN_STATE, BOOKED, PARKED]),
        (OpeningAuction, [BOOKED, NOT_IN_STATE, BOOKED, PARKED]),
        (
            VolatilityAuction,
            [BOOKED, NOT_IN_STATE, NOT_IN_STATE, PARKED],
        ),
        (Reopening, [BOOKED, NOT_IN_STATE, NOT_IN_STATE, PARKED]),
        (ClosingAuction, [BOOKED, NOT_IN_STATE, NOT_IN_STATE, BOOKED]),
        (Continuous, [BOOKED, "", NOT_IN_STATE, PARKED]),
        (Halt, [HALTED; 4]),
        (MarketState::Closed, [HALTED; 4]),
    ];
    for (to, expected) in cases {
        for (life, expected) in [day, at_once, at_open, at_close].into_iter().zip(expected) {
            let mut rig = Rig::open(FEW);
            rig.apply(state(to));
            let said = answers(&mut rig, order(life));
            if !expected.is_empty() {
                assert_eq!(said, [expected], "{to:?} {life:?}");
            }
        }
    }
}

#[test]
fn orders_that_trade_at_once_or_not_at_all_are_refused_in_a_call() {
    let refused = [
        Command {
            quantity: 1,
            ..extra()
        },
        Command {
            flags: EXTRA_POST_ONLY,
            ..extra()
        },
    ];
    for attribute in refused {
        let mut rig = called(&[]);
        rig.apply(attribute);
        assert_eq!(
            answers(&mut rig, day(1, Buy, 1, 100)),
            ["Rejected 1:1 1@100 left 0 NotInState"]
        );
    }
}

#[test]
fn auction_orders_have_no_other_attributes() {
    for life in [TimeInForce::AtOpen, TimeInForce::AtClose] {
        for attribute in [
            Command {
                quantity: 1,
                ..extra()
            },
            Command {
                old_user_ref: 1,
                ..extra()
            },
            Command {
                price: i64::MAX,
                ..extra()
            },
            Command {
                flags: EXTRA_POST_ONLY,
                ..extra()
            },
        ] {
            let mut rig = called(&[]);
            rig.apply(attribute);
            let order = Command {
                time_in_force: life as u8,
                ..day(1, Buy, 2, 100)
            };
            assert_eq!(
                answers(&mut rig, order),
                ["Rejected 1:1 2@100 left 0 InvalidField"]
            );
        }
    }
}

#[test]
fn orders_for_an_auction_leave_after_it_by_number() {
    let mut rig = called(&[day(1, Buy, 1, 90), day(2, Sell, 4, MARKET)]);
    let at_open = |command| Command {
        time_in_force: TimeInForce::AtOpen as u8,
        ..command
    };
    rig.apply(at_open(day(3, Sell, 5, 120)));
    rig.apply(day(4, Buy, 2, MARKET));
    rig.apply(at_open(day(5, Sell, 6, 125)));
    assert_eq!(
        answers(&mut rig, state(MarketState::Continuous)),
        [
            "Uncrossed 0:0 3@90 left 1",
            "Executed 1:4 2@90 left 0 maker booked auction",
            "Executed 1:2 2@90 left 2 maker booked auction",
            "Executed 1:1 1@90 left 0 maker booked auction",
            "Executed 1:2 1@90 left 1 maker booked auction",
            "Canceled 1:2 1@2000000000 left 0 booked AuctionOver",
            "Canceled 1:3 5@120 left 0 booked AuctionOver",
            "Canceled 1:5 6@125 left 0 booked AuctionOver",
            "StateChanged 0:0 3@90 left 2",
        ]
    );
    assert_eq!(rig.engine.live_orders(), 0);
}

#[test]
fn at_the_close_orders_come_to_life_for_the_closing_auction() {
    let mut rig = Rig::open(FEW);
    let at_close = |command| Command {
        time_in_force: TimeInForce::AtClose as u8,
        ..command
    };
    rig.apply(at_close(day(1, Buy, 4, 100)));
    rig.apply(at_close(day(2, Sell, 3, MARKET)));
    assert_eq!(
        answers(&mut rig, cancel(1, 3)),
        ["Reduced 1:1 1@100 left 3 parked User"]
    );
    // Nobody trades with them before.
    assert_eq!(
        answers(&mut rig, ioc(1, Sell, 1, 1)),
        [
            "Accepted 2:1 1@1 left 1",
            "Canceled 2:1 1@1 left 0 ImmediateOrCancel"
        ]
    );
    assert_eq!(
        answers(&mut rig, state(MarketState::ClosingAuction)),
        [
            "StateChanged 0:0 7@0 left 3",
            "Triggered 1:1 3@100 left 3 booked",
            "Triggered 1:2 3@2000000000 left 3 booked",
        ]
    );
    rig.apply(at_close(day(3, Buy, 1, 99)));
    assert_eq!(
        answers(&mut rig, state(MarketState::Continuous)),
        [
            "Uncrossed 0:0 3@100 left 0",
            "Executed 1:1 3@100 left 0 maker booked auction",
            "Executed 1:2 3@100 left 0 maker booked auction",
            "Canceled 1:3 1@99 left 0 booked AuctionOver",
            "StateChanged 0:0 3@100 left 7",
        ]
    );
}

#[test]
fn at_the_close_orders_stay_until_a_closing_auction_ends() {
    let mut rig = Rig::open(FEW);
    rig.apply(Command {
        time_in_force: TimeInForce::AtClose as u8,
        ..day(1, Buy, 2, 100)
    });
    rig.apply(state(MarketState::ClosingAuction));
    rig.apply(state(MarketState::Reopening));
    assert_eq!(
        answers(&mut rig, state(MarketState::Continuous)),
        ["Uncrossed 0:0 0@0 left 0", "StateChanged 0:0 3@0 left 6"]
    );
    assert_eq!(
        answers(&mut rig, ioc(1, Sell, 1, 100)),
        [
            "Accepted 2:1 1@100 left 1",
            "Executed 1:1 1@100 left 1 maker booked",
            "Executed 2:1 1@100 left 0",
        ]
    );
    rig.apply(state(MarketState::ClosingAuction));
    assert_eq!(
        answers(&mut rig, state(MarketState::Continuous)),
        [
            "Uncrossed 0:0 0@0 left 0",
            "Canceled 1:1 1@100 left 0 booked AuctionOver",
            "StateChanged 0:0 3@0 left 7",
        ]
    );
}

#[test]
fn a_symbol_that_closes_loses_its_orders() {
    let mut rig = called(&[
        day(1, Sell, 4, 101),
        day(2, Buy, 2, MARKET),
        day(3, Buy, 1, 90),
    ]);
    rig.apply(Command {
        time_in_force: TimeInForce::AtClose as u8,
        ..day(4, Buy, 1, 95)
    });
    assert_eq!(
        answers(&mut rig, state(MarketState::Closed)),
        [
            "Canceled 1:2 2@2000000000 left 0 booked DayClosed",
            "Canceled 1:3 1@90 left 0 booked DayClosed",
            "Canceled 1:1 4@101 left 0 booked DayClosed",
            "Canceled 1:4 1@95 left 0 parked DayClosed",
            "StateChanged 0:0 8@0 left 2",
        ]
    );
    assert_eq!(
        answers(&mut rig, state(MarketState::Continuous)),
        ["Refused 0:0 0@0 left 0 NotOpen"]
    );
}

#[test]
fn the_closing_auction_trades_before_the_symbol_closes() {
    let mut rig = Rig::open(FEW);
    rig.apply(state(MarketState::ClosingAuction));
    rig.apply(day(1, Buy, 2, 100));
    rig.apply(day(2, Sell, 3, 100));
    assert_eq!(
        answers(&mut rig, state(MarketState::Closed)),
        [
            "Uncrossed 0:0 2@100 left 1",
            "Executed 1:1 2@100 left 0 maker booked auction",
            "Executed 1:2 2@100 left 1 maker booked auction",
            "Canceled 1:2 1@100 left 0 booked DayClosed",
            "StateChanged 0:0 8@100 left 7",
        ]
    );
}

#[test]
fn states_and_indications_are_refused_for_a_reason() {
    let mut rig = Rig::open(FEW);
    for (command, reason) in [
        (
            Command {
                symbol: 9,
                ..indicate()
            },
            "UnknownSymbol",
        ),
        (indicate(), "NotInState"),
        (
            Command {
                symbol: 0,
                ..state(MarketState::Halt)
            },
            "UnknownSymbol",
        ),
        (
            Command {
                flags: 0,
                ..state(MarketState::Halt)
            },
            "InvalidField",
        ),
        (
            Command {
                flags: 10,
                ..state(MarketState::Halt)
            },
            "InvalidField",
        ),
        (state(MarketState::LimitState), "InvalidField"),
        (
            Command {
                price: -1,
                ..state(MarketState::Halt)
            },
            "InvalidField",
        ),
        (
            Command {
                price: MARKET,
                ..state(MarketState::Halt)
            },
            "InvalidField",
        ),
    ] {
        let said = answers(&mut rig, command);
        assert!(
            said[0].starts_with("Refused") && said[0].ends_with(reason),
            "{said:?}"
        );
    }
}
