//! A desk's day as a recording: what markets said, and a line that is missing or wrong is named.

#![allow(clippy::unwrap_used)]

use recorded::{Event, Format, Options, What, open};
use std::fs;
use trading::{Standing, Step};
use wire::ring::Side;

const DAY: &str = "wirecross desk session 1
1 level 1100 1000 0 buy 99 5
2 level 1100 1000 0 sell 101 7
overrun 3 5000
3 end 1100 1000 0
4 time 1200
5 accepted 1300 1
6 trade 1400 1350 2 - 100 3
7 filled 1500 1 100 3 taker
8 quote 1600 1550 0 99 1 101 2
9 clear 1700 1650 0
10 kill 1800 word
";

fn read(text: &str) -> Result<Vec<Event>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("day.txt");
    fs::write(&path, text).unwrap();
    let options = Options {
        tick: Step::parse("0.01").unwrap(),
        lot: Step::ONE,
        day_ns: 0,
        symbol: 10,
    };
    assert_eq!(Format::of(&path).unwrap(), Format::Session);
    let mut recording = open(&path, &options).map_err(|error| error.to_string())?;
    let events: Result<Vec<_>, _> = recording.by_ref().collect();
    let events = events.map_err(|error| error.to_string())?;
    let instruments = recording.instruments();
    assert_eq!(instruments.len(), 3);
    assert_eq!(instruments[2].name, "market 2");
    assert_eq!(instruments[2].tick, options.tick);
    Ok(events)
}

#[test]
fn what_markets_said_is_told_and_nothing_else() {
    let event = |received_ns, event_ns, symbol, what| Event {
        event_ns,
        received_ns,
        symbol,
        what,
    };
    let level = |side, price, quantity| What::Level {
        side,
        price,
        quantity,
    };
    let quote = What::Quote {
        bid: Standing {
            price: 99,
            quantity: 1,
        },
        offer: Standing {
            price: 101,
            quantity: 2,
        },
    };
    let trade = What::Trade {
        price: 100,
        quantity: 3,
        aggressor: None,
    };
    let wanted = [
        event(1_100, 1_000, 10, level(Side::Buy, 99, 5)),
        event(1_100, 1_000, 10, level(Side::Sell, 101, 7)),
        event(1_100, 1_000, 10, What::End),
        event(1_400, 1_350, 12, trade),
        event(1_600, 1_550, 10, quote),
        event(1_700, 1_650, 10, What::Clear),
    ];
    assert_eq!(read(DAY).unwrap(), wanted);
}

#[test]
fn what_is_missing_or_wrong_is_named_with_its_line() {
    for (from, to, why) in [
        (
            "4 time 1200\n",
            "",
            "line 6: field input is \"5\", where 4 is to stand",
        ),
        (
            "buy 99 5",
            "buy 99",
            "line 2: field input \"1 level 1100 1000 0 buy 99\" is no level",
        ),
        ("buy 99 5", "buy 99 5 6", "line 2: field input"),
        ("sell 101 7", "ask 101 7", "line 3: field input"),
        (
            "1350 2 -",
            "1350 5000 -",
            "line 8: field market is 5000: a desk has 1024",
        ),
    ] {
        assert!(DAY.contains(from), "{from:?}");
        let told = read(&DAY.replacen(from, to, 1)).unwrap_err();
        assert!(told.contains(why), "{told:?}, not {why:?}");
    }
}
