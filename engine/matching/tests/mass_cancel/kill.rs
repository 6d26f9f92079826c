//! Kill switches: who is taken off, who is refused, and how they are lifted.

use super::*;

#[test]
fn a_kill_takes_the_scope_off_refuses_it_until_it_is_lifted_and_nobody_else() {
    let in_scope = |scope: u8, session: u16, symbol: u16| match scope {
        0 => true,
        1 => ACCOUNTS[usize::from(session) - 1] == 10,
        2 => session == 2,
        _ => symbol == 2,
    };
    for scope in 0..4 {
        let mut rig = filled();
        check_left(
            &mut rig,
            kill(scope, 1),
            Reason::Killed,
            |session, symbol, _, _| in_scope(scope, session, symbol),
        );
        let mut number = 1_000;
        for lifted in [false, true] {
            for (session, symbol) in (1..=4).flat_map(|one| (1..=3).map(move |two| (one, two))) {
                number += 1;
                let order = Command {
                    session,
                    symbol,
                    ..day(number, Buy, 3, 100)
                };
                let answer = answers(&mut rig, order).remove(0);
                let is_killed = !lifted && in_scope(scope, session, symbol);
                let expected = if is_killed {
                    format!("Rejected {session}:{number} 3@100 left 0 Killed")
                } else {
                    format!("Accepted {session}:{number} 3@100 left 3 booked")
                };
                assert_eq!(answer, expected, "scope {scope}");
            }
            if !lifted {
                let answer = answers(&mut rig, kill(scope, 0));
                assert_eq!(answer, ["KillChanged 2:10 0@0 left 0"]);
            }
        }
    }
}

#[test]
fn switches_are_set_and_lifted_each_by_itself() {
    for first in 0..4 {
        for second in (0..4).filter(|second| *second != first) {
            let mut rig = rig(ROOMY);
            for scope in [first, second, second] {
                rig.apply(kill(scope, 1));
            }
            let order = |number| Command {
                session: 2,
                symbol: 2,
                ..day(number, Buy, 3, 100)
            };
            rig.apply(kill(first, 0));
            let answer = answers(&mut rig, order(1)).remove(0);
            assert!(answer.ends_with("Killed"), "{first}, {second}: {answer}");
            rig.apply(kill(second, 0));
            let answer = answers(&mut rig, order(1)).remove(0);
            assert!(
                answer.starts_with("Accepted"),
                "{first}, {second}: {answer}"
            );
        }
    }
}

#[test]
fn killed_stands_behind_the_checks_of_a_plain_order_and_ahead_of_attributes() {
    let mut rig = rig(ROOMY);
    rig.apply(day(5, Buy, 3, 100));
    rig.apply(Command {
        symbol: 1,
        ..kill(3, 1)
    });
    rig.apply(Command {
        symbol: 3,
        session: 4,
        ..day(7, Buy, 3, 100)
    });
    rig.apply(Command {
        session: 4,
        ..kill(2, 1)
    });
    for (order, reason) in [
        (day(5, Buy, 3, 100), "DuplicateUserRef"),
        (day(6, Buy, 0, 100), "InvalidQuantity"),
        (day(6, Buy, 3, 0), "InvalidPrice"),
        (day(6, Buy, 3, 100), "Killed"),
        (replace(5, 6, 3, 100), "UnknownOrder"),
        (
            Command {
                session: 4,
                ..replace(7, 8, 3, 100)
            },
            "UnknownOrder",
        ),
        (
            Command {
                session: 4,
                symbol: 9,
                ..day(8, Buy, 3, 100)
            },
            "UnknownSymbol",
        ),
        (
            Command {
                session: 4,
                symbol: 2,
                ..day(8, Buy, 3, 100)
            },
            "Killed",
        ),
    ] {
        let answer = answers(&mut rig, order).remove(0);
        assert!(answer.ends_with(reason), "{answer} instead of {reason}");
        let extra = Command {
            session: order.session,
            flags: 128,
            ..of(CommandKind::Extra)
        };
        rig.apply(extra);
        let answer = answers(&mut rig, order).remove(0);
        assert!(answer.ends_with(reason), "{answer} instead of {reason}");
    }
    rig.apply(Command {
        symbol: 1,
        ..kill(3, 0)
    });
    let answer = answers(&mut rig, day(6, Buy, 3, 100)).remove(0);
    assert_eq!(answer, "Accepted 1:6 3@100 left 3 booked");
}

#[test]
fn a_killed_order_is_not_there_for_a_replacement_or_a_cancel() {
    let mut rig = rig(ROOMY);
    rig.apply(day(1, Buy, 3, 100));
    assert_eq!(rig.apply(kill(1, 1)).len(), 2);
    let answer = answers(&mut rig, replace(1, 2, 3, 100)).remove(0);
    assert_eq!(answer, "Rejected 1:2 3@100 left 0 UnknownOrder");
    let answer = answers(&mut rig, cancel(1, 0)).remove(0);
    assert_eq!(answer, "CancelRejected 1:1 0@0 left 0 UnknownOrder");
}

#[test]
fn who_is_defined_later_is_killed_with_the_rest() {
    let mut rig = rig(ROOMY);
    rig.apply(kill(1, 1));
    rig.apply(session(5, 10));
    rig.apply(session(6, 20));
    let order = |session, number| Command {
        session,
        ..day(number, Buy, 3, 100)
    };
    let is_killed = |rig: &mut Rig, order| answers(rig, order).remove(0).ends_with("Killed");
    assert!(is_killed(&mut rig, order(5, 1)));
    assert!(!is_killed(&mut rig, order(6, 1)));
    rig.apply(kill(0, 1));
    rig.apply(session(7, 40));
    for one in [1, 5, 6, 7] {
        assert!(is_killed(&mut rig, order(one, 2)), "session {one}");
    }
    rig.apply(kill(0, 0));
    for (one, killed) in [(1, true), (5, true), (6, false), (7, false)] {
        assert_eq!(is_killed(&mut rig, order(one, 2)), killed, "session {one}");
    }
    rig.apply(kill(1, 0));
    rig.apply(session(8, 10));
    for one in [1, 5, 8] {
        assert!(!is_killed(&mut rig, order(one, 3)), "session {one}");
    }
}

#[test]
fn kills_of_what_is_not_there_are_refused_and_the_day_does_not_matter() {
    let mut rig = rig(ROOMY);
    for (command, reason) in [
        (kill(4, 1), Reason::InvalidField),
        (kill(0, 2), Reason::InvalidField),
        (kill(2, 255), Reason::InvalidField),
        (
            Command {
                user_ref: 11,
                ..kill(1, 1)
            },
            Reason::UnknownSession,
        ),
        (
            Command {
                session: 0,
                ..kill(2, 1)
            },
            Reason::UnknownSession,
        ),
        (
            Command {
                session: 9,
                ..kill(2, 0)
            },
            Reason::UnknownSession,
        ),
        (
            Command {
                session: u16::MAX,
                ..kill(2, 0)
            },
            Reason::UnknownSession,
        ),
        (
            Command {
                symbol: 0,
                ..kill(3, 1)
            },
            Reason::UnknownSymbol,
        ),
        (
            Command {
                symbol: 4,
                ..kill(3, 1)
            },
            Reason::UnknownSymbol,
        ),
        (
            Command {
                symbol: u16::MAX,
                ..kill(3, 0)
            },
            Reason::UnknownSymbol,
        ),
    ] {
        let events = rig.apply(command);
        let found = (events[0].kind, events[0].reason);
        assert_eq!(
            found,
            (EventKind::Refused as u8, reason as u8),
            "{command:?}"
        );
    }
    let mut early = Rig::new(ROOMY);
    for command in [kill(0, 1), mass(0)] {
        let events = early.apply(command);
        assert!(
            events.len() == 1 && events[0].quantity == 0,
            "{}",
            say(&events[0])
        );
    }
    rig.apply(of(CommandKind::CloseDay));
    assert_eq!(
        answers(&mut rig, kill(0, 1)),
        ["KillChanged 2:10 0@0 left 0"]
    );
}

#[test]
fn a_state_hash_knows_of_every_switch() {
    let mut hashes = vec![rig(ROOMY).engine.state_hash()];
    for scope in 0..4 {
        let mut rig = rig(ROOMY);
        rig.apply(kill(scope, 1));
        hashes.push(rig.engine.state_hash());
        rig.apply(kill(scope, 0));
        assert_eq!(rig.engine.state_hash(), hashes[0], "scope {scope}");
    }
    let empty = Rig::new(ROOMY).engine.state_hash();
    let mut killed = Rig::new(ROOMY);
    killed.apply(kill(0, 1));
    assert_ne!(killed.engine.state_hash(), empty);
    let count = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), count);
}
