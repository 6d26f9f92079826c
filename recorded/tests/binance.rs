//! Captures of Binance: the book that changes make is the one that the quotes tell, and a snapshot
//! that does not join is refused.

#![allow(clippy::unwrap_used)]

mod real;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use analytics::book::{Sign, Touches, TradeSign};
use recorded::binance::Capture;
use recorded::{Error, Event, Fault, Instrument, Merged, Place, Recording, What};
use trading::{Depth, Step, Touch};
use wire::ring::Side;

const SPOT: &str = "crypto/binance_spot_ethusdt_20240808.gz";
const PERPETUAL: &str = "crypto/binance_usdm_ethusdt_20240808.gz";

/// Lots of one coin, as prices are of one dollar.
const COIN: u64 = 100_000_000;

fn open_as(path: &Path, symbol: u32) -> Recording<Capture> {
    let instrument = Instrument {
        name: "ETHUSDT".to_owned(),
        venue: "binance".to_owned(),
        tick: Step::parse("0.01").unwrap(),
        lot: Step::parse("0.00000001").unwrap(),
    };
    Capture::open(path, instrument, symbol).unwrap()
}

fn open(path: &Path) -> Recording<Capture> {
    open_as(path, 0)
}

/// The touch by update: of the quotes, and of the book after each change.
fn touches(capture: &mut Recording<Capture>) -> [BTreeMap<u64, Touch>; 2] {
    let [mut told, mut made] = [BTreeMap::new(), BTreeMap::new()];
    let mut depth = Depth::default();
    while let Some(event) = capture.next() {
        let what = event.unwrap().what;
        depth.apply(&what);
        let id = capture.records().update_id();
        match what {
            What::Quote { bid, offer } => told.insert(id, Touch { bid, offer }),
            What::End => made.insert(id, depth.touch()),
            _ => None,
        };
    }
    assert_eq!(depth.forgotten(), 0);
    [told, made]
}

/// Checks a whole capture; how many updates the quotes and the book share, and
/// how many changes it has.
fn shared(name: &str) -> Option<(usize, u64)> {
    let mut capture = open(&real::path(name)?);
    let [told, made] = touches(&mut capture);
    let shared: Vec<u64> = told
        .keys()
        .filter(|id| made.contains_key(id))
        .copied()
        .collect();
    for id in &shared {
        assert_eq!(made[id], told[id], "update {id} of {name}");
    }
    let counts = capture.records().counts();
    println!("{name}: {counts:?}, {} updates compared", shared.len());
    assert_eq!((counts.gaps, counts.snapshots, counts.others), (0, 1, 0));
    assert_eq!(counts.quotes, told.len() as u64);
    Some((shared.len(), counts.changes + counts.stale))
}

#[test]
fn the_book_of_spot_is_what_the_quotes_tell() {
    assert!(matches!(shared(SPOT), Some((577, 3_434)) | None));
}

#[test]
fn the_book_of_the_perpetual_is_what_the_quotes_tell() {
    assert!(matches!(shared(PERPETUAL), Some((551, 6_586)) | None));
}

/// How many signs of a capture's trades the rule finds, and how many trades there are. Quotes are
/// looked up as they stood `lag_ns` before the trade, by the times that `clock` reads.
fn signs(name: &str, clock: fn(&Event) -> u64, lag_ns: u64) -> Option<(u32, u32)> {
    let (mut touches, mut sign) = (Touches::new(4_096), TradeSign::new());
    let (mut right, mut all) = (0, 0);
    for event in open(&real::path(name)?) {
        let event = event.unwrap();
        match event.what {
            What::Quote { bid, offer } => touches.on(clock(&event), Touch { bid, offer }),
            What::Trade {
                price,
                aggressor: Some(aggressor),
                ..
            } => {
                let wanted = match aggressor {
                    Side::Buy => Sign::Buy,
                    Side::Sell => Sign::Sell,
                };
                let before = touches.before(clock(&event) - lag_ns);
                all += 1;
                right += u32::from(sign.on(price, before) == Some(wanted));
            }
            _ => {}
        }
    }
    println!("{name}: {right} of {all} signs with a lag of {lag_ns} ns");
    Some((right, all))
}

#[test]
fn the_rule_for_trade_signs_finds_whom_the_venue_names_if_quotes_are_those_before() {
    // The venue's times put quotes and trades of the perpetual into order.
    let found = signs(PERPETUAL, |event| event.event_ns, 0);
    assert!(matches!(found, Some((14_064, 14_076)) | None));
    // Quotes of spot have no times: those that came last are mostly from behind the trade.
    let found = signs(SPOT, |event| event.received_ns, 0);
    assert!(matches!(found, Some((..3_200, 6_106)) | None));
    let found = signs(SPOT, |event| event.received_ns, 100_000_000);
    assert!(matches!(found, Some((5_900.., 6_106)) | None));
}

#[test]
fn two_captures_merge_in_the_order_of_receipt() {
    let (Some(spot), Some(perpetual)) = (real::path(SPOT), real::path(PERPETUAL)) else {
        return;
    };
    let alone = |path: &Path, symbol| open_as(path, symbol).map(Result::unwrap);
    let both = [(&spot, 0), (&perpetual, 1)];
    let merged = Merged::new(both.map(|(path, symbol)| open_as(path, symbol)));
    let merged: Vec<Event> = merged.map(Result::unwrap).collect();
    assert!(merged.is_sorted_by_key(|event| event.received_ns));
    for (path, symbol) in both {
        let of = merged.iter().filter(|event| event.symbol == symbol);
        assert!(of.copied().eq(alone(path, symbol)));
    }
}

/// A capture of these lines, read whole.
fn read(lines: &[&str]) -> (Vec<Event>, Option<Error>) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for line in lines {
        writeln!(file, "{line}").unwrap();
    }
    let mut events = Vec::new();
    for event in open(file.path()) {
        match event {
            Ok(event) => events.push(event),
            Err(error) => {
                assert_eq!(error.file, file.path());
                return (events, Some(error));
            }
        }
    }
    (events, None)
}

fn change(first: u64, last: u64, previous: Option<u64>) -> String {
    let previous = previous.map_or(String::new(), |id| format!(r#","pu":{id}"#));
    let data =
        format!(r#"{{"e":"depthUpdate","E":1,"s":"ETHUSDT","U":{first},"u":{last}{previous},"#);
    let levels = format!(r#""b":[["1.00","{last}"]],"a":[]"#);
    format!(r#"5 {{"stream":"ethusdt@depth@100ms","data":{data}{levels}}}}}"#)
}

fn snapshot(id: u64) -> String {
    format!(r#"7 {{"lastUpdateId":{id},"bids":[["1.00","{id}.0000"]],"asks":[["1.01","3"]]}}"#)
}

/// The bid's lots after each part that belongs together; -1 for a book that became void.
fn bids(events: &[Event]) -> Vec<i64> {
    let mut depth = Depth::default();
    let mut bids = Vec::new();
    for event in events {
        depth.apply(&event.what);
        match event.what {
            What::End => bids.push(depth.touch().bid.quantity as i64 / COIN as i64),
            What::Clear => bids.push(-1),
            _ => {}
        }
    }
    bids
}

fn bids_of(lines: &[String]) -> Vec<i64> {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let (events, error) = read(&lines);
    assert_eq!(error, None);
    bids(&events)
}

#[test]
fn spot_joins_where_the_update_behind_the_snapshot_is_in_the_change() {
    // Changes before, across and behind the snapshot; it came between them or first.
    let lines = [
        change(1, 4, None),
        change(5, 9, None),
        snapshot(7),
        change(10, 10, None),
    ];
    assert_eq!(bids_of(&lines), [-1, 7, 9, 10]);
    let lines = [snapshot(7), change(5, 7, None), change(8, 9, None)];
    assert_eq!(bids_of(&lines), [-1, 7, 9]);
    // An older snapshot, and the same again, say nothing new; a newer one is the book.
    let lines = [
        snapshot(7),
        change(8, 9, None),
        snapshot(8),
        snapshot(9),
        snapshot(20),
        change(10, 20, None),
        change(21, 22, None),
    ];
    assert_eq!(bids_of(&lines), [-1, 7, 9, -1, 20, 22]);
}

#[test]
fn a_perpetual_joins_where_the_snapshot_itself_is_in_the_change() {
    let lines = [
        change(1, 4, Some(0)),
        change(6, 9, Some(4)),
        snapshot(7),
        // Numbers between changes may be left out.
        change(15, 18, Some(9)),
    ];
    assert_eq!(bids_of(&lines), [-1, 7, 9, 18]);
    let lines = [snapshot(9), change(5, 8, Some(4)), change(9, 9, Some(8))];
    assert_eq!(bids_of(&lines), [-1, 9, 9]);
}

#[test]
fn a_snapshot_that_does_not_join_is_refused_with_its_line_and_numbers() {
    let unjoined = |lines: &[String]| {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let error = read(&lines).1.unwrap();
        let Fault::Unjoined {
            line,
            snapshot,
            first,
            last,
            previous,
        } = error.fault
        else {
            panic!("{error}");
        };
        assert!(error.to_string().contains(&format!("U {first}, u {last}")));
        (error.place, line, (snapshot, first, last, previous))
    };
    // It came behind the changes, or before; spot and perpetual.
    let place = unjoined(&[change(9, 10, None), change(11, 12, None), snapshot(7)]);
    assert_eq!(place, (Place::Line(3), 3, (7, 9, 10, None)));
    let place = unjoined(&[snapshot(7), change(7, 7, None), change(9, 10, None)]);
    assert_eq!(place, (Place::Line(3), 1, (7, 9, 10, None)));
    let place = unjoined(&[change(8, 10, Some(7)), snapshot(7)]);
    assert_eq!(place, (Place::Line(2), 2, (7, 8, 10, Some(7))));
}

#[test]
fn a_gap_makes_the_book_void_until_the_next_snapshot() {
    let lines = [
        snapshot(7),
        change(8, 9, None),
        change(11, 12, None),
        change(13, 14, None),
        // Another gap, while waiting.
        change(16, 17, None),
        snapshot(12),
        snapshot(17),
        change(18, 18, None),
    ];
    assert_eq!(bids_of(&lines), [-1, 7, 9, -1, -1, 12, 14, -1, -1, 17, 18]);
}

#[test]
fn what_a_capture_cannot_say_is_refused_with_line_and_field() {
    let quote = |symbol: &str, bid: &str, quantity: &str| {
        let levels = format!(r#""b":"{bid}","B":"{quantity}","a":"2","A":"1""#);
        let data = format!(r#"{{"u":1,"s":"{symbol}",{levels}}}"#);
        format!(r#"1 {{"stream":"ethusdt@bookTicker","data":{data}}}"#)
    };
    let fine = quote("ETHUSDT", "1.01", "1");
    for (line, part) in [
        (quote("BTCUSDT", "1", "1"), "field s is BTCUSDT"),
        (
            quote("ETHUSDT", "1.005", "1"),
            "field b is \"1.005\", which is no multiple",
        ),
        (
            quote("ETHUSDT", "x", "1"),
            "field b is \"x\", which is no decimal",
        ),
        (quote("ETHUSDT", "1", "-1"), "field B is \"-1\", below 0"),
        (fine[1..].to_owned(), "field time of receipt"),
        (fine[..60].to_owned(), "cannot be decoded: EOF"),
        (fine.replace("\"B\"", "\"C\""), "missing field `B`"),
        (change(9, 8, None), "field u is 8, before U 9"),
        ("1 {}".to_owned(), "missing field `lastUpdateId`"),
    ] {
        let (events, error) = read(&[&fine, &line, &fine]);
        let error = error.unwrap();
        assert_eq!((events.len(), error.place), (1, Place::Line(2)), "{error}");
        assert!(error.to_string().contains(part), "{error}: not {part}");
    }
    let other = r#"1 {"stream":"ethusdt@kline_1m","data":{"e":"kline"}}"#;
    assert_eq!(read(&[other]).0, []);
}
