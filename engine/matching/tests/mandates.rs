//! Users with several accounts: whose an order is, who reaches it, and what a user may do.
#![allow(clippy::unwrap_used)]

mod common;

use common::{ROOMY, Rig, SMALL, answers, cancel, day, of, replace};
use matching::{Engine, Limits, Line, MANDATES_MAX, Mandated};
use wire::ring::{
    Command, CommandKind, Event, EventKind, MAY_CANCEL, MAY_ENTER, MAY_TRADE, Reason, Side,
};

fn grant(session: u16, account: u32, may: u8) -> Command {
    Command {
        session,
        user_ref: account,
        flags: may,
        ..of(CommandKind::Grant)
    }
}

/// The number that a grant gives.
fn granted(rig: &mut Rig, session: u16, account: u32, may: u8) -> u16 {
    let [event] = rig.apply(grant(session, account, may))[..] else {
        panic!("one answer");
    };
    assert_eq!(event.kind, EventKind::Granted as u8, "{event:?}");
    let told = (event.old_user_ref, event.user_ref, event.quantity);
    assert_eq!(told, (session.into(), account, may.into()));
    event.session
}

fn under(number: u16, command: Command) -> Command {
    Command {
        session: number,
        ..command
    }
}

/// Sessions 1 to 3 have account 0 in this rig; session 1 gets account 7.
fn rig() -> (Rig, u16) {
    let mut rig = Rig::open(ROOMY);
    let number = granted(&mut rig, 1, 7, MAY_TRADE);
    assert_eq!(number, 4, "the first number that is free");
    (rig, number)
}

#[test]
fn an_order_is_of_the_account_whose_number_it_names_and_the_user_reaches_all() {
    let (mut rig, number) = rig();
    rig.apply(day(1, Side::Buy, 5, 100));
    rig.apply(under(number, day(2, Side::Buy, 5, 101)));
    let taken = answers(&mut rig, replace(2, 3, 8, 102));
    assert_eq!(
        taken,
        ["Replaced 4:3 8@102 left 8 booked"],
        "the account stays"
    );
    // The number of the second account names that one's orders alone, another user's none.
    for (named, user_ref) in [(number, 1), (2, 1), (2, 3), (3, 3)] {
        let told = answers(&mut rig, under(named, cancel(user_ref, 0)));
        let expected = format!("CancelRejected {named}:{user_ref} 0@0 left 0 UnknownOrder");
        assert_eq!(told, [expected]);
    }
    let lowered = answers(&mut rig, cancel(3, 6));
    assert_eq!(lowered, ["Reduced 4:3 2@102 left 6 booked User"]);
    let left = answers(&mut rig, under(number, cancel(3, 0)));
    assert_eq!(left, ["Canceled 4:3 6@102 left 0 booked User"]);
}

#[test]
fn references_grow_through_all_accounts_of_a_user() {
    let (mut rig, number) = rig();
    rig.apply(under(number, day(5, Side::Buy, 5, 100)));
    for named in [1, number] {
        let told = answers(&mut rig, under(named, day(5, Side::Buy, 5, 100)));
        let expected = format!("Rejected {named}:5 5@100 left 0 DuplicateUserRef");
        assert_eq!(told, [expected]);
    }
    let told = answers(&mut rig, under(2, day(5, Side::Buy, 5, 100)));
    assert_eq!(told, ["Accepted 2:5 5@100 left 5 booked"], "another user's");
}

#[test]
fn limits_and_self_trades_are_the_accounts() {
    let mut rig = Rig::new(ROOMY);
    rig.apply(Command {
        symbol: 1,
        ..of(CommandKind::DefineSymbol)
    });
    for (session, account) in [(1, 10), (2, 20)] {
        rig.apply(Command {
            session,
            user_ref: account,
            letters: [1, 0, 0, 0],
            ..of(CommandKind::DefineSession)
        });
    }
    let number = granted(&mut rig, 1, 20, MAY_TRADE);
    rig.apply(Command {
        user_ref: 20,
        flags: 1,
        price: 50,
        ..of(CommandKind::SetLimit)
    });
    rig.apply(of(CommandKind::OpenDay));
    let told = answers(&mut rig, under(number, day(1, Side::Buy, 51, 100)));
    assert_eq!(told, ["Rejected 3:1 51@100 left 0 MaxQuantity"]);
    let told = answers(&mut rig, day(1, Side::Buy, 51, 100));
    assert_eq!(told, ["Accepted 1:1 51@100 left 51 booked"]);
    rig.apply(cancel(1, 0));
    rig.apply(under(2, day(1, Side::Buy, 50, 100)));
    let told = answers(&mut rig, under(number, day(2, Side::Sell, 50, 100)));
    assert_eq!(told[1], "Canceled 3:2 50@100 left 0 SelfTrade");
    let told = answers(&mut rig, day(3, Side::Sell, 50, 100));
    assert_eq!(told[1], "Executed 2:1 50@100 left 0 maker booked");
    assert_eq!(rig.engine.account_units(20, 1), [50, -50]);
    assert_eq!(rig.engine.account_units(10, 1), [-50, 50]);
}

#[test]
fn what_a_user_may_do_is_by_account_and_orders_stay() {
    let (mut rig, number) = rig();
    rig.apply(under(number, day(1, Side::Buy, 5, 100)));
    granted(&mut rig, 1, 7, MAY_CANCEL);
    for command in [
        under(number, day(2, Side::Buy, 5, 100)),
        replace(1, 2, 5, 101),
        under(number, replace(1, 2, 5, 101)),
    ] {
        let told = rig.apply(command)[0];
        assert_eq!(told.reason, Reason::NotPermitted as u8, "{command:?}");
    }
    let own = rig.apply(day(2, Side::Buy, 5, 100))[0];
    assert_eq!(own.kind, EventKind::Accepted as u8, "the first account's");
    granted(&mut rig, 1, 0, 0);
    let own = rig.apply(day(3, Side::Buy, 5, 100))[0];
    assert_eq!(own.reason, Reason::NotPermitted as u8);
    granted(&mut rig, 1, 7, MAY_ENTER);
    let again = rig.apply(replace(1, 3, 5, 101))[0];
    assert_eq!(
        (again.kind, again.session),
        (EventKind::Replaced as u8, number)
    );
    let may = |user, session, account, may| Mandated {
        user,
        session,
        account,
        may,
    };
    let all: Vec<Mandated> = rig.engine.mandates().collect();
    let others = [2, 3].map(|session| may(session, session, 0, MAY_TRADE));
    let expected = [
        may(1, 1, 0, 0),
        others[0],
        others[1],
        may(1, number, 7, MAY_ENTER),
    ];
    assert_eq!(all, expected);
}

#[test]
fn kill_switches_and_mass_cancels_of_a_user_meet_all_its_accounts_and_no_others() {
    let (mut rig, number) = rig();
    rig.apply(day(1, Side::Buy, 5, 100));
    rig.apply(under(number, day(2, Side::Buy, 5, 100)));
    rig.apply(under(2, day(1, Side::Buy, 5, 100)));
    let leave = |letters: [u8; 4], named: u16, account: u32| Command {
        letters,
        session: named,
        user_ref: account,
        ..of(CommandKind::MassCancel)
    };
    let count = |events: &[Event]| events.last().unwrap().quantity;
    // Of the user and the second account: that one's.
    assert_eq!(count(&rig.apply(leave([3, 0, 0, 0], 1, 7))), 1);
    rig.apply(under(number, day(3, Side::Buy, 5, 100)));
    assert_eq!(count(&rig.apply(leave([1, 0, 0, 0], 1, 0))), 2);
    rig.apply(day(4, Side::Buy, 5, 100));
    rig.apply(under(number, day(5, Side::Buy, 5, 100)));
    let kill = |flags| Command {
        flags,
        session: 1,
        letters: [2, 0, 0, 0],
        ..of(CommandKind::Kill)
    };
    assert_eq!(count(&rig.apply(kill(1))), 2);
    let later = granted(&mut rig, 1, 8, MAY_TRADE);
    for named in [1, number, later] {
        let told = rig.apply(under(named, day(6, Side::Buy, 5, 100)))[0];
        assert_eq!(told.reason, Reason::Killed as u8, "{named}");
    }
    rig.apply(kill(0));
    for (named, user_ref) in [(1, 6), (number, 7), (later, 8)] {
        let told = rig.apply(under(named, day(user_ref, Side::Buy, 5, 100)))[0];
        assert_eq!(told.kind, EventKind::Accepted as u8, "{named}");
    }
}

#[test]
fn a_grant_that_makes_no_sense_is_refused_for_its_reason() {
    let (mut rig, number) = rig();
    let free = rig.apply(Command {
        session: 9,
        letters: [0, 1, 0, 0],
        ..of(CommandKind::DefineSession)
    });
    assert_eq!(free[0].kind, EventKind::SessionDefined as u8);
    for (command, reason) in [
        (grant(1, 7, MAY_TRADE + 1), Reason::InvalidField),
        (grant(8, 7, MAY_TRADE), Reason::UnknownSession),
        (grant(60_000, 7, MAY_TRADE), Reason::UnknownSession),
        (grant(number, 8, MAY_TRADE), Reason::UnknownSession),
        (grant(1, 8, 0), Reason::WrongAccount),
        (grant(9, 8, MAY_TRADE), Reason::Unsupported),
    ] {
        let told = rig.apply(command)[0];
        let said = (told.kind, told.reason);
        assert_eq!(
            said,
            (EventKind::Refused as u8, reason as u8),
            "{command:?}"
        );
    }
    let mut small = Rig::open(SMALL);
    let told = small.apply(grant(1, 8, MAY_TRADE))[0];
    assert_eq!(told.reason, Reason::TableFull as u8, "no number is free");
    let limits = Limits {
        sessions: 100,
        accounts: 0,
        ..ROOMY
    };
    let mut rig = Rig::open(limits);
    for account in 1..=MANDATES_MAX as u32 {
        granted(&mut rig, 1, account, MAY_TRADE);
    }
    let told = rig.apply(grant(1, 1_000, MAY_TRADE))[0];
    assert_eq!(told.reason, Reason::TableFull as u8, "the most of a user");
    granted(&mut rig, 2, 1_000, MAY_TRADE);
}

#[test]
fn a_snapshot_carries_what_users_may_do() {
    let (mut rig, number) = rig();
    granted(&mut rig, 2, 0, MAY_CANCEL);
    granted(&mut rig, 1, 9, MAY_ENTER);
    rig.apply(under(number, day(3, Side::Buy, 5, 100)));
    let mut bytes = Vec::new();
    rig.engine
        .snapshot(&mut |piece| bytes.extend_from_slice(piece));
    let mut lines = vec![Line::ZERO; ROOMY.lines()];
    let other = Engine::restore(ROOMY, &mut lines, &bytes).unwrap();
    assert_eq!(other.state_hash(), rig.engine.state_hash());
    assert!(other.mandates().eq(rig.engine.mandates()));
    let mut other = Rig::restore(ROOMY, &bytes).unwrap();
    let told = answers(&mut other, cancel(3, 0));
    assert_eq!(told, ["Canceled 4:3 5@100 left 0 booked User"]);
    let told = other.apply(under(2, day(1, Side::Buy, 5, 100)))[0];
    assert_eq!(told.reason, Reason::NotPermitted as u8);
}
