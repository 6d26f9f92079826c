//! An operator's words: which commands they become, and what is said of wrong ones.
#![allow(clippy::unwrap_used)]

mod harness;

use appliance::topology::Topology;
use appliance::venue::word;
use wire::ring::CommandKind;

const GOOD: &str = include_str!("../topologies/dev-2core.toml");

#[test]
fn operators_words_become_commands() {
    let topology = Topology::parse(GOOD).unwrap();
    let said = |line: &str| {
        let it = word::read(line, &topology).unwrap().command;
        let kind = CommandKind::from_byte(it.kind).unwrap();
        let who = (it.session, it.user_ref, it.symbol, it.side);
        (
            kind,
            it.letters[0],
            it.flags,
            who,
            (it.old_user_ref, it.price),
        )
    };
    use CommandKind::{Indicate, Kill, MassCancel, SetAllocation, SetBands, SetLimit, SetState};
    let none = (0, 0, 0, 0);
    assert_eq!(
        said("state MSFT halt"),
        (SetState, 0, 4, (0, 0, 2, 0), (0, 0))
    );
    assert_eq!(
        said("state AAPL closed 7\n"),
        (SetState, 0, 8, (0, 0, 1, 0), (0, 7))
    );
    assert_eq!(
        said("indicate GOOG"),
        (Indicate, 0, 0, (0, 0, 3, 0), (0, 0))
    );
    assert_eq!(said("kill all"), (Kill, 0, 1, none, (0, 0)));
    assert_eq!(said("kill account 9"), (Kill, 1, 1, (0, 9, 0, 0), (0, 0)));
    assert_eq!(
        said("revive user bravo"),
        (Kill, 2, 0, (2, 0, 0, 0), (0, 0))
    );
    assert_eq!(said("kill symbol AMZN"), (Kill, 3, 1, (0, 0, 4, 0), (0, 0)));
    assert_eq!(said("mass-cancel all"), (MassCancel, 0, 0, none, (0, 0)));
    // The last field's meaning is each kind's own.
    let amounts = |line: &str| {
        let it = word::read(line, &topology).unwrap().command;
        let kind = CommandKind::from_byte(it.kind).unwrap();
        let numbers = [it.quantity, it.old_user_ref, it.user_ref];
        (kind, it.symbol, it.flags, numbers, it.price)
    };
    let due = (SetBands, 2, 0, [1_000, 300, 0], 0);
    assert_eq!(amounts("bands MSFT 1000 300"), due);
    let due = (SetBands, 2, 0, [0, 300, 15], 30);
    assert_eq!(amounts("bands MSFT 0 300 15 30"), due);
    for (line, flags, percent) in [("time", 0, 0), ("pro-rata", 1, 0), ("split 40", 2, 40)] {
        let due = (SetAllocation, 3, flags, [percent, 0, 0], 0);
        assert_eq!(amounts(&format!("allocation GOOG {line}")), due);
    }
    for (line, code, at_once, value) in [
        ("order_units 500", 1, 0, 500),
        ("net_credit 0", 7, 0, 0),
        ("orders_per_second 7", 8, 7, 7),
        ("orders_per_second 7 3", 8, 3, 7),
    ] {
        let due = (SetLimit, 0, code, [at_once, 0, 2], value);
        assert_eq!(amounts(&format!("limit 2 {line}")), due);
    }
    let due = |value| (SetLimit, 4, 9, [0, 0, 2], value);
    assert_eq!(amounts("restrict 2 AMZN"), due(1));
    assert_eq!(amounts("permit 2 AMZN"), due(0));
    let all = "mass-cancel user ALPHA account 1 side sell symbol AAPL prices 5 9";
    assert_eq!(said(all), (MassCancel, 31, 0, (1, 1, 1, 1), (5, 9)));
    for (line, part) in [
        ("", "no word"),
        ("stop", "no word"),
        ("state", "a symbol is missing"),
        ("state NONE halt", "no symbol"),
        ("state AAPL", "a state is missing"),
        ("state AAPL limit-state", "pre-open"),
        ("state AAPL halt x", "no such number"),
        ("state AAPL halt 1 2", "too much"),
        ("kill", "missing"),
        ("kill everything", "say all"),
        ("kill user NOBODY", "no user"),
        ("kill account -1", "no such number"),
        ("mass-cancel side both", "no side"),
        ("mass-cancel prices 1", "highest price is missing"),
        (
            "mass-cancel",
            "all, user, account, side, symbol or prices is missing",
        ),
        ("mass-cancel all orders", "too much"),
        ("mass-cancel them", "say all"),
        ("bands AAPL 10", "dynamic width is missing"),
        ("bands AAPL 10 -1", "no such number"),
        ("bands AAPL 1 1 5", "volatility auction is missing"),
        ("allocation AAPL fair", "say time"),
        (
            "allocation AAPL split",
            "percent of the top order is missing",
        ),
        ("limit 1 units 5", "order_units, order_value"),
        ("limit 1 order_units", "value, 0 for none is missing"),
        ("limit 1 order_units 5 5", "too much"),
        ("restrict AAPL 1", "no such number"),
        ("permit 1 NONE", "no symbol"),
    ] {
        let error = word::read(line, &topology).unwrap_err();
        assert!(error.contains(part), "{line:?}: {error}");
    }
}

/// A word and what it may be about, right or wrong, sometimes with a letter that is another one.
fn any_line(random: &mut harness::paired::Random) -> String {
    const WORDS: [&str; 15] = [
        "state",
        "bands",
        "limit",
        "restrict",
        "kill",
        "revive",
        "halt",
        "open",
        "cancel",
        "lock",
        "grant",
        "revoke",
        "mass-cancel",
        "indicate",
        "allocation",
    ];
    const ABOUT: [&str; 18] = [
        "all",
        "account",
        "user",
        "symbol",
        "side",
        "prices",
        "AAPL",
        "ALPHA",
        "trader",
        "buy",
        "time",
        "0",
        "1",
        "7",
        "-1",
        "18446744073709551616",
        "halt",
        "order_units",
    ];
    let about = (0..random.below(6)).map(|_| ABOUT[random.below(ABOUT.len())]);
    let about: Vec<&str> = about.collect();
    let word = WORDS[random.below(WORDS.len())];
    let mut line: Vec<char> = [&[word], &about[..]].concat().join(" ").chars().collect();
    if random.below(4) == 0 {
        let at = random.below(line.len());
        line[at] = char::from_u32(random.below(0xD800) as u32).unwrap();
    }
    line.into_iter().collect()
}

#[test]
fn any_words_become_an_operators_command_or_an_error_that_says_something() {
    use CommandKind as K;
    let topology = Topology::parse(GOOD).unwrap();
    let mut random = harness::paired::Random(1);
    let mut read = 0;
    for _ in 0..100_000 {
        let line = any_line(&mut random);
        match word::read(&line, &topology) {
            Ok(said) => {
                let kind = K::from_byte(said.command.kind).unwrap();
                let is_members = matches!(kind, K::New | K::Replace | K::Amend | K::DefineSession);
                assert!(
                    !is_members && said.command.flags <= 16,
                    "{line:?}: {said:?}"
                );
                read += 1;
            }
            Err(text) => assert!(!text.is_empty(), "{line:?}"),
        }
    }
    assert!(read > 300, "{read}");
}
