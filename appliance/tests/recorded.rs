//! `feed --recorded` and `top` through the program: recorded markets, their books and numbers; and
//! the board between them.
#![allow(clippy::unwrap_used)]

mod harness;

use appliance::board::{Board, Line, PAGES_MAX, pages};
use harness::{directory, program};
use std::path::Path;
use trading::{Event, Instrument, Step, Watch, WatchRule, What};
use wire::ring::Side;

/// Two bids, an offer that loses lots to a buyer, as a capture of a perpetual has them.
const CAPTURE: &str = concat!(
    r#"5 {"lastUpdateId":7,"E":1,"T":1,"#,
    r#""bids":[["100.00","3"],["99.98","1.5"]],"asks":[["100.02","2"]]}"#,
    "\n",
    r#"6 {"stream":"coin@trade","data":{"s":"COIN","T":2,"p":"100.02","q":"1","m":false}}"#,
    "\n",
    r#"9 {"stream":"coin@depth@0ms","data":{"s":"COIN","E":2,"T":2,"#,
    r#""U":7,"u":8,"pu":6,"b":[],"a":[["100.02","1"]]}}"#,
    "\n",
);

/// The words of the line that begins so.
fn line<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    let found = text.lines().find(|line| line.starts_with(start));
    found.unwrap().split_whitespace().collect()
}

#[test]
fn a_recorded_market_is_shown_and_top_shows_it_too() {
    let folder = directory();
    let (file, data) = (folder.path().join("capture"), folder.path().join("data"));
    std::fs::write(&file, CAPTURE).unwrap();
    let [file, data] = [&file, &data].map(|path| path.to_str().unwrap());
    let shown = program(&["feed", "--recorded", file, "--data", data]);
    shown.succeeds();
    // A weight of 3 against 1: three quarters of the way; one lot less on offer is flow.
    let wanted = [
        "COIN",
        "binance-usdm",
        "100.00",
        "100.02",
        "100.0150",
        "0.50",
        "0.64",
        "1.00000000",
        "-",
        "1",
        "3",
    ];
    assert_eq!(line(&shown.out, "COIN"), wanted, "{shown:?}");
    assert_eq!(
        line(&shown.out, "        3.0"),
        ["3.00000000", "100.00", "|", "100.02", "1.00000000"]
    );
    let top = program(&["top", "--once", "--data", data]);
    top.succeeds();
    let ended = [&wanted[..], &["ended"]].concat();
    assert_eq!(line(&top.out, "COIN"), ended, "{top:?}");
    let paced = program(&["feed", "--recorded", file, "--pace", "1"]);
    paced.succeeds();
    assert_eq!(line(&paced.out, "COIN"), wanted, "{paced:?}");
}

/// Another venue of that symbol, which pays 100.03 for two, and later nothing for long.
const OTHER: &str = concat!(
    r#"7 {"lastUpdateId":7,"E":1,"T":1,"#,
    r#""bids":[["100.03","2"]],"asks":[["100.05","2"]]}"#,
    "\n",
    r#"8 {"stream":"coin@trade","data":{"s":"COIN","T":2,"p":"100.03","q":"1","m":false}}"#,
    "\n",
    r#"9000007 {"stream":"coin@depth@0ms","data":{"s":"COIN","E":2,"T":2,"#,
    r#""U":7,"u":8,"pu":6,"b":[["100.03","1"]],"a":[]}}"#,
    "\n",
);

#[test]
fn where_recorded_venues_meet_is_written_with_what_it_brings() {
    let folder = directory();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(at("a"), CAPTURE).unwrap();
    std::fs::write(at("b"), OTHER).unwrap();
    let found = |fees: &str, more: &[&str]| {
        let (a, b, file) = (at("a"), at("b"), at("crossings"));
        let args = [
            "feed",
            "--recorded",
            &a,
            &b,
            "--lot",
            "0.1",
            "--crossings",
            &file,
        ];
        let ended = program(&[&args[..], &["--fees-ppm", fees], more].concat());
        ended.succeeds();
        (std::fs::read_to_string(&file).unwrap(), ended.out)
    };
    // 100.03 (1 - 1/100,000) - 100.02 (1 + 2/100,000), each, for what both have.
    let lines = "received_ns,symbol,kind,sell_at,sell_price,buy_at,buy_price,quantity,profit,\
                 age_us\n\
                 7,COIN,crossed,b,100.03,a,100.02,2.0,0.0139986,0\n\
                 9,COIN,crossed,b,100.03,a,100.02,1.0,0.0069993,0\n";
    let (text, told) = found("20,10", &[]);
    assert!(text.starts_with(lines), "{text}");
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(told.contains("crossings: 3 in "), "{told}");
    assert!(
        told.contains("3 of them bring something behind the fees"),
        "{told}"
    );
    assert_eq!(found("20,10", &[]).0, text);
    // What stood for 9 ms is not believed, and fees may eat all.
    let (text, told) = found("100,10", &["--age-max-ms", "8"]);
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(told.contains("0 of them bring something"), "{told}");
    let refused = program(&[
        "feed",
        "--recorded",
        &at("a"),
        "--crossings",
        "c",
        "--fees-ppm",
        "1",
    ]);
    refused.refuses(2, &["--fees-ppm: 1 of 1 files"]);
}

#[test]
fn what_a_recording_cannot_say_ends_the_command_with_its_place() {
    let folder = directory();
    let file = folder.path().join("capture");
    let path = file.to_str().unwrap();
    let gap = CAPTURE.replace(r#""lastUpdateId":7"#, r#""lastUpdateId":5"#);
    std::fs::write(&file, gap).unwrap();
    let refused = program(&["feed", "--recorded", path]);
    let place = format!("feed: {path}, line 3: the snapshot of line 1, lastUpdateId 5");
    refused.refuses(2, &[&place, "U 7, u 8, pu 6"]);
    std::fs::write(&file, CAPTURE).unwrap();
    let refused = program(&["feed", "--recorded", path, "--tick", "0.1"]);
    refused.refuses(
        2,
        &["line 1: field b.price is \"99.98\", which is no multiple"],
    );
    program(&["feed", "--recorded", path, "--tick", "0"]).refuses(2, &["no decimal number"]);
    program(&["feed", "--recorded", path, "--pace", "-1"]).refuses(2, &[]);
    program(&["feed", "--pace", "1"]).refuses(2, &["--recorded"]);
    program(&["feed", "--recorded", "/none"]).refuses(2, &["/none: cannot be read"]);
}

fn instrument(name: &str) -> Instrument {
    Instrument {
        name: name.to_owned(),
        venue: "here".to_owned(),
        tick: Step::new(5, 1).unwrap(),
        lot: Step::ONE,
    }
}

/// A watch of one bid.
fn watch(price: i64) -> Watch {
    let rule = WatchRule {
        levels_max: 8,
        ..WatchRule::default()
    };
    let mut watch = Watch::new(rule).unwrap();
    let level = What::Level {
        side: Side::Buy,
        price,
        quantity: 4,
    };
    for what in [level, What::End] {
        watch.on(&Event {
            event_ns: 1,
            received_ns: 2,
            symbol: 0,
            what,
        });
    }
    watch
}

#[test]
fn a_board_has_a_page_for_each_instrument_and_a_ring_that_drops_and_counts() {
    let folder = directory();
    let at: &Path = folder.path();
    let (writer, mut reader) = queue::ring::<Line>(8).unwrap();
    let mut board = Board::new(Some(at), Some(writer)).unwrap();
    for name in ["ONE", "a name that is too long"] {
        board.list(&instrument(name)).unwrap();
    }
    for turn in 0..10 {
        board.show(1, &watch(turn));
    }
    assert_eq!(board.dropped(), 2);
    let read = pages(at).unwrap();
    assert_eq!((read.len(), read[1].dropped), (2, 2));
    assert_eq!(
        (read[1].name(), read[1].venue()),
        ("a name that is t".to_owned(), "here".to_owned())
    );
    assert_eq!((read[1].line.bid, read[1].line.offer), ([9, 4], [0, 0]));
    assert_eq!((read[1].event_ns, read[1].received_ns), (1, 2));
    assert_eq!(read[1].price(9).unwrap().to_string(), "4.5");
    assert_eq!(read[1].levels(Side::Buy).collect::<Vec<_>>(), [[9, 4]]);
    assert!(read[1].line.microprice.is_nan() && read[1].line.imbalance[0] == 1.0);
    // The ring has the first ones, in order.
    for turn in 0..8 {
        let (stamp, line) = reader.pop().unwrap();
        assert_eq!((stamp, line.symbol, line.bid), (2, 1, [turn, 4]));
    }
    assert!(reader.pop().is_none());
    // A new board begins without the pages of the old one; there are at most so many.
    let mut board = Board::new(Some(at), None).unwrap();
    assert!(pages(at).unwrap().is_empty());
    for _ in 0..=PAGES_MAX {
        board.list(&instrument("SAME")).unwrap();
    }
    board.show(PAGES_MAX as u32, &watch(1));
    assert_eq!(pages(at).unwrap().len(), PAGES_MAX);
    std::fs::write(at.join("market.0"), "nothing of the kind").unwrap();
    assert!(pages(at).unwrap_err().contains("market.0"));
}
