//! Kill switches and mass cancels: whom they meet, in which order.

mod desk;

use desk::Desk;
use flow::naive::increments::{self, KILL};

const OFFERED: u16 = increments::first(4) | KILL;

/// Orders of three sessions, of which 1 and 3 are of one account, on both sides of two symbols.
const ORDERS: [&str; 9] = [
    "2/1 S 5@110 sym=2",
    "1/1 B 5@90",
    "3/1 B 6@95",
    "2/2 B 7@95 hide",
    "1/2 S 8@105",
    "3/2 S 9@100 show=2",
    "2/3 S 4@100",
    "1/3 B 3@100 sym=2",
    "3/3 B 2@100 sym=2",
];

/// The user references, behind their sessions, of those that a command takes off.
fn taken(command: &str, reason: &str) -> (Vec<String>, String) {
    let mut desk = Desk::new(OFFERED, 0);
    for order in ORDERS {
        desk.answer(order);
    }
    let answer = desk.answer(command);
    let mut events: Vec<&str> = answer.split(") ").collect();
    let last = events.pop().expect("an event").to_owned();
    let live = desk.naive.live_orders();
    assert_eq!(live, ORDERS.len() - events.len());
    let start = format!("Canceled:{reason}(");
    let who = |event: &str| {
        let of = event.strip_prefix(start.as_str()).expect("a cancellation");
        assert!(of.contains(" B"), "{event}");
        of.split(' ').next().unwrap_or("").to_owned()
    };
    (events.into_iter().map(who).collect(), last)
}

#[test]
fn a_mass_cancel_takes_what_fits_by_symbol_side_price_and_time() {
    let all = [
        "3/1", "2/2", "1/1", "3/2", "2/3", "1/2", "1/3", "3/3", "2/1",
    ];
    let cases: [(&str, &[&str]); 17] = [
        ("", &all),
        ("letters=01000000 session=1", &["1/1", "1/2", "1/3"]),
        (
            "letters=02000000 user_ref=1",
            &["3/1", "1/1", "3/2", "1/2", "1/3", "3/3"],
        ),
        ("letters=02000000 user_ref=9", &[]),
        ("letters=04000000", &["3/1", "2/2", "1/1", "1/3", "3/3"]),
        ("letters=04000000 side=1", &["3/2", "2/3", "1/2", "2/1"]),
        ("letters=08000000 symbol=2", &["1/3", "3/3", "2/1"]),
        ("letters=08000000", &[]),
        (
            "letters=10000000 old_user_ref=95 price=100",
            &["3/1", "2/2", "3/2", "2/3", "1/3", "3/3"],
        ),
        ("letters=10000000 old_user_ref=96 price=99", &[]),
        ("letters=10000000 old_user_ref=100 price=95", &[]),
        ("letters=10000000 price=90", &["1/1"]),
        ("letters=10000000 price=-1", &[]),
        (
            "letters=03000000 session=3 user_ref=1",
            &["3/1", "3/2", "3/3"],
        ),
        ("letters=03000000 session=3 user_ref=2", &[]),
        (
            "letters=1d000000 session=2 side=1 symbol=1 old_user_ref=1 price=999",
            &["2/3"],
        ),
        // What need not fit is not looked at.
        (
            "letters=08000000 symbol=2 session=9 side=9 user_ref=9",
            &["1/3", "3/3", "2/1"],
        ),
    ];
    for (filter, expected) in cases {
        let (found, last) = taken(format!("MassCancel {filter}").trim(), "MassCancel");
        assert_eq!(found, expected, "{filter}");
        assert!(last.starts_with("MassCanceled("), "{last}");
        let counted = format!(" {}@", expected.len());
        assert!(last.contains(&counted), "{last}");
    }
}

#[test]
fn a_filter_that_makes_no_sense_is_refused() {
    for (filter, is_good) in [
        ("letters=20000000", false),
        ("letters=80000000", false),
        ("letters=04000000 side=2", false),
        ("letters=0b000000 side=2", true),
        ("letters=00ffffff side=2", true),
    ] {
        let answer = Desk::new(OFFERED, 0).answer(&format!("MassCancel {filter}"));
        let expected = if is_good {
            "MassCanceled("
        } else {
            "Refused:InvalidField("
        };
        assert!(answer.starts_with(expected), "{filter}: {answer}");
        let unknown = Desk::new(increments::first(4), 0).answer(&format!("MassCancel {filter}"));
        assert!(unknown.starts_with("Refused:InvalidField("), "{unknown}");
    }
}

#[test]
fn a_kill_switch_takes_its_scope_off_and_keeps_it_off_until_it_is_lifted() {
    let cases: [(&str, &[&str], &str); 4] = [
        (
            "letters=00000000",
            &[
                "3/1", "2/2", "1/1", "3/2", "2/3", "1/2", "1/3", "3/3", "2/1",
            ],
            "1/9 2/9 3/9 1/10:2 2/10:2",
        ),
        (
            "letters=01000000 user_ref=1",
            &["3/1", "1/1", "3/2", "1/2", "1/3", "3/3"],
            "1/9 3/9 1/10:2",
        ),
        ("letters=02000000 session=3", &["3/1", "3/2", "3/3"], "3/9"),
        (
            "letters=03000000 symbol=2",
            &["1/3", "3/3", "2/1"],
            "1/10:2 2/10:2",
        ),
    ];
    for (scope, expected, killed) in cases {
        let (found, last) = taken(&format!("Kill flags=1 {scope}"), "Killed");
        assert_eq!(found, expected, "{scope}");
        assert!(last.starts_with("KillChanged("), "{last}");
        assert!(last.contains(&format!(" {}@", expected.len())), "{last}");
        let mut desk = Desk::new(OFFERED, 0);
        desk.answer(&format!("Kill flags=1 {scope}"));
        let rejected = |desk: &mut Desk| {
            let orders = ["1/9", "2/9", "3/9", "1/10:2", "2/10:2"];
            let is_rejected = |who: &&str| {
                let (order, symbol) = who.split_once(':').unwrap_or((who, "1"));
                let answer = desk.answer(&format!("{order} B 1@10 sym={symbol}"));
                assert!(answer.starts_with("Accepted") || answer.starts_with("Rejected:Killed"));
                answer.starts_with("Rejected:Killed")
            };
            orders
                .into_iter()
                .filter(is_rejected)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(rejected(&mut desk), killed, "{scope}");
        assert!(desk.answer(&format!("Kill {scope}")).contains(" 0@0 0)"));
        assert_eq!(
            desk.answer("3/20 B 1@10 sym=2"),
            "Accepted(3/20 1@10 1 B)",
            "{scope}"
        );
    }
}

#[test]
fn switches_are_set_and_lifted_each_by_itself() {
    let mut desk = Desk::new(OFFERED, 0);
    desk.check(&[
        ("1/1 B 5@90", "Accepted(1/1 5@90 5 B)"),
        ("2/1 B 5@90", "Accepted(2/1 5@90 5 B)"),
        (
            "Kill flags=1 letters=02000000 session=2",
            "Canceled:Killed(2/1 5@90 0 B) KillChanged(2/0 1@0 0)",
        ),
        (
            "Kill flags=1",
            "Canceled:Killed(1/1 5@90 0 B) KillChanged(0/0 1@0 0)",
        ),
        ("Kill flags=1", "KillChanged(0/0 0@0 0)"),
        ("Kill flags=0", "KillChanged(0/0 0@0 0)"),
        ("1/2 B 5@90", "Accepted(1/2 5@90 5 B)"),
        ("2/2 B 5@90", "Rejected:Killed(2/2 5@90 0)"),
        ("Kill letters=02000000 session=2", "KillChanged(2/0 0@0 0)"),
        ("2/2 B 5@90", "Accepted(2/2 5@90 5 B)"),
        // One that comes to its account later is killed too.
        (
            "Kill flags=1 letters=01000000 user_ref=2",
            "Canceled:Killed(2/2 5@90 0 B) KillChanged(0/2 1@0 0)",
        ),
        (
            "DefineSession session=4 user_ref=2",
            "SessionDefined(4/2 0@0 0)",
        ),
        ("4/1 B 5@90", "Rejected:Killed(4/1 5@90 0)"),
        // It stands behind the price, ahead of attributes; the symbol is the old order's.
        (
            "Kill flags=1 letters=03000000 symbol=1",
            "Canceled:Killed(1/2 5@90 0 B) KillChanged(0/0 1@0 0)",
        ),
        ("1/3 B 5@90 sym=2", "Accepted(1/3 5@90 5 B)"),
        ("1/4 R3 5@85", "Replaced(1/4 5@85 5 B)6<5"),
        ("4/1 B 5@0 flags=128", "Rejected:InvalidPrice(4/1 5@0 0)"),
        ("4/1 B 5@90 flags=128", "Rejected:Killed(4/1 5@90 0)"),
        (
            "Kill flags=1 letters=03000000 symbol=2",
            "Canceled:Killed(1/4 5@85 0 B) KillChanged(0/0 1@0 0)",
        ),
        ("1/5 R4 5@85", "Rejected:UnknownOrder(1/5 5@85 0)"),
    ]);
}

#[test]
fn a_replacement_is_killed_by_the_switch_of_its_session() {
    let mut desk = Desk::new(OFFERED, 0);
    desk.answer("Kill flags=1 letters=02000000 session=3");
    desk.answer("1/1 B 5@90");
    assert_eq!(desk.answer("1/2 R1 5@91"), "Replaced(1/2 5@91 5 B)2<1");
    assert_eq!(desk.answer("1/2 X0"), "Canceled:User(1/2 5@91 0 B)");
}

#[test]
fn a_kill_switch_that_makes_no_sense_is_refused() {
    for (kill, answer) in [
        ("letters=04000000 flags=1", "InvalidField"),
        ("letters=00000000 flags=2", "InvalidField"),
        ("letters=01000000 flags=2 user_ref=9", "InvalidField"),
        ("letters=01000000 flags=1 user_ref=9", "UnknownSession"),
        ("letters=01000000 user_ref=0", "UnknownSession"),
        ("letters=02000000 flags=1 session=9", "UnknownSession"),
        ("letters=02000000", "UnknownSession"),
        ("letters=03000000 flags=1 symbol=9", "UnknownSymbol"),
        ("letters=03000000", "UnknownSymbol"),
    ] {
        let found = Desk::new(OFFERED, 0).answer(&format!("Kill {kill}"));
        assert!(
            found.starts_with(&format!("Refused:{answer}(")),
            "{kill}: {found}"
        );
        let unknown = Desk::new(increments::first(4), 0).answer(&format!("Kill {kill}"));
        assert!(unknown.starts_with("Refused:InvalidField("), "{unknown}");
    }
}
