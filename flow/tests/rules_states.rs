//! Market states: which orders each of them takes, and what becomes of them.

mod desk;

use desk::Desk;
use flow::naive::increments::{self, KILL, STATES};
use wire::ring::MarketState;

const OFFERED: u16 = increments::first(4) | STATES | KILL;

fn in_state(state: MarketState) -> Desk {
    let mut desk = Desk::new(OFFERED, 0);
    desk.answer("2/1 S 5@100");
    desk.answer("1/1 B 5@90");
    desk.answer(&format!("SetState symbol=1 flags={}", state as u8));
    desk
}

#[test]
fn each_state_takes_its_orders() {
    use MarketState::{
        Closed, ClosingAuction, Continuous, Halt, OpeningAuction, PreOpen, Reopening,
        VolatilityAuction,
    };
    let orders = [
        "3/1 B 1@99",
        "3/1 B 1@101",
        "3/1 B 1@any",
        "3/1 B 1@any ioc",
        "3/1 B 1@101 min=1",
        "3/1 B 1@99 post",
        "3/1 B 1@101 open",
        "3/1 B 1@101 close",
        "3/1 B 1@99 exp=900",
        "3/1 B 2@99 show=1 hide",
    ];
    // `r` rests, `t` trades, `p` is parked, `H` Halted, `N` NotInState, `F` InvalidField.
    for (state, expected) in [
        (PreOpen, "rrrNNNrprF"),
        (OpeningAuction, "rrrNNNrprF"),
        (Continuous, "rttttrNprF"),
        (Halt, "HHHHHHHHHH"),
        (VolatilityAuction, "rrrNNNNprF"),
        (Reopening, "rrrNNNNprF"),
        (ClosingAuction, "rrrNNNNrrF"),
        (Closed, "HHHHHHHHHH"),
    ] {
        let became = |order: &&str| {
            let mut desk = in_state(state);
            match desk.answer(order) {
                one if one.contains("Executed") => 't',
                one if one.starts_with("Rejected:Halted") => 'H',
                one if one.starts_with("Rejected:NotInState") => 'N',
                one if one.starts_with("Rejected:InvalidField") => 'F',
                one if one.starts_with("Accepted") && one.ends_with(" P)") => 'p',
                one if one.starts_with("Accepted") && one.ends_with(" B)") => 'r',
                one => panic!("{order}: {one}"),
            }
        };
        let found: String = orders.iter().map(became).collect();
        assert_eq!(found, expected, "{state:?}");
        // Replacements are as new orders, and cancels are taken.
        let mut desk = in_state(state);
        let answer = desk.answer("1/2 R1 5@89");
        let takes = !matches!(state, Halt | Closed);
        let replaced = answer.starts_with("Replaced(1/2 5@89 5 B)");
        assert_eq!(replaced, takes, "{state:?}: {answer}");
        let gone = if state == Closed {
            "CancelRejected"
        } else {
            "Canceled:User"
        };
        let answer = desk.answer(if takes { "1/2 X0" } else { "1/1 X0" });
        assert!(answer.starts_with(gone), "{state:?}: {answer}");
    }
}

#[test]
fn checks_of_states_stand_at_their_places() {
    for (state, order, reason) in [
        (MarketState::Halt, "3/1 B 1@0 flags=128", "InvalidPrice"),
        (MarketState::Halt, "3/1 B 1@99 flags=128", "Halted"),
        (MarketState::Halt, "3/1 B 1@99 flags=128 kill", "Halted"),
        (MarketState::PreOpen, "3/1 B 1@99 flags=128 kill", "Killed"),
        (MarketState::PreOpen, "3/1 B 1@99 min=2", "InvalidQuantity"),
        (MarketState::PreOpen, "3/1 B 1@99 post exp=1", "Expired"),
        (MarketState::PreOpen, "3/1 B 1@101 post exp=9", "NotInState"),
        (
            MarketState::PreOpen,
            "3/1 B 1@99 open min=1",
            "InvalidField",
        ),
        (MarketState::PreOpen, "3/1 B 1@99 open post", "InvalidField"),
        (
            MarketState::PreOpen,
            "3/1 B 1@99 open show=1",
            "InvalidField",
        ),
        (
            MarketState::PreOpen,
            "3/1 B 1@99 open exp=9",
            "InvalidField",
        ),
        (
            MarketState::Continuous,
            "3/1 B 1@99 close min=1",
            "InvalidField",
        ),
        (
            MarketState::Continuous,
            "3/1 B 1@99 close post",
            "InvalidField",
        ),
        (
            MarketState::Continuous,
            "3/1 B 1@99 close show=1",
            "InvalidField",
        ),
        (
            MarketState::Continuous,
            "3/1 B 1@99 close exp=9",
            "InvalidField",
        ),
    ] {
        let mut desk = in_state(state);
        desk.answer("- at=5");
        if order.ends_with(" kill") {
            desk.answer("Kill flags=1");
        }
        let answer = desk.answer(order.trim_end_matches(" kill"));
        let expected = format!("Rejected:{reason}(");
        assert!(answer.starts_with(&expected), "{state:?} {order}: {answer}");
    }
}

#[test]
fn a_state_that_makes_no_sense_is_refused() {
    for (state, answer) in [
        ("symbol=9 flags=0", "Refused:UnknownSymbol"),
        ("symbol=1 flags=0", "Refused:InvalidField"),
        ("symbol=1 flags=9", "Refused:InvalidField"),
        ("symbol=1 flags=10", "Refused:InvalidField"),
        ("symbol=1 flags=3 price=-1", "Refused:InvalidField"),
        ("symbol=1 flags=3 price=2000000000", "Refused:InvalidField"),
        ("symbol=2 flags=3 price=12", "Refused:InvalidField"),
        ("symbol=2 flags=3 price=15", "StateChanged"),
        ("symbol=1 flags=3 price=1999999999", "StateChanged"),
        ("symbol=1 flags=3", "StateChanged"),
    ] {
        let command = format!("SetState {state}");
        let found = Desk::new(OFFERED, 0).answer(&command);
        assert!(found.starts_with(&format!("{answer}(")), "{state}: {found}");
        let unknown = Desk::new(increments::first(4), 0).answer(&command);
        assert!(unknown.starts_with("Refused:InvalidField("), "{unknown}");
    }
    let mut desk = Desk::new(OFFERED, 0);
    desk.check(&[
        ("Indicate symbol=9", "Refused:UnknownSymbol(0/0 0@0 0)"),
        ("Indicate symbol=1", "Refused:NotInState(0/0 0@0 0)"),
        ("SetState symbol=1 flags=4", "StateChanged(0/0 4@0 3)"),
        ("Indicate symbol=1", "Refused:NotInState(0/0 0@0 0)"),
        ("SetState symbol=1 flags=1", "StateChanged(0/0 1@0 4)"),
        ("Indicate symbol=1", "Indicative(0/0 0@0 0)B"),
    ]);
    let unknown = Desk::new(increments::first(4), 0).answer("Indicate symbol=1");
    assert!(unknown.starts_with("Refused:InvalidField("), "{unknown}");
    let unknown = Desk::new(increments::first(4), 0).answer("1/1 B 1@90 close");
    assert!(unknown.starts_with("Rejected:InvalidField("), "{unknown}");
}
