//! Bitstamp's orders: levels as orders come, change and go, sides that overlap, and what is wrong
//! with its place.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;

use recorded::{Event, Format, Options, What, bitstamp, open};
use tempfile::TempDir;
use trading::{Depth, Standing, Step};
use wire::ring::Side;

const HEAD: &str = "id,timestamp,exchange_timestamp,price,volume,action,direction\n";

fn file(lines: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("btcusd.csv");
    fs::write(&path, format!("{HEAD}{lines}")).unwrap();
    (folder, path)
}

fn steps() -> [Step; 2] {
    ["1", "0.00000001"].map(|step| Step::parse(step).unwrap())
}

fn levels(depth: &Depth) -> [Vec<(i64, u64)>; 2] {
    [Side::Buy, Side::Sell].map(|side| {
        let levels = depth.levels(side);
        levels.map(|it| (it.price, it.quantity)).collect()
    })
}

#[test]
fn orders_make_levels() {
    let (_folder, path) = file(
        "1,1000,900,100.0,0.5,created,bid\n\
         2,1000,900,100.0,7.18e-06,created,bid\n\
         3,1001,901,102.0,1.0,created,ask\n\
         1,1002,902,100.0,0.25,changed,bid\n\
         2,1003,903,99.0,7.18e-06,changed,bid\n\
         9,1004,904,99.0,1.0,changed,bid\n\
         8,1004,904,99.0,1.0,deleted,bid\n\
         1,1005,905,100.0,0.0,deleted,bid\n",
    );
    assert_eq!(Format::of(&path), Ok(Format::Bitstamp));
    let [tick, lot] = steps();
    let mut orders = bitstamp::Orders::open(&path, tick, lot, 4).unwrap();
    let mut depth = Depth::default();
    let mut ends = Vec::new();
    for event in orders.by_ref() {
        let event: Event = event.unwrap();
        assert_eq!(event.symbol, 4);
        depth.apply(&event.what);
        if event.what == What::End {
            ends.push((event.received_ns, event.event_ns, levels(&depth)));
        }
    }
    let half = 50_000_000;
    let ms = |received: u64| (received * 1_000_000, (received - 100) * 1_000_000);
    let at = |(received, event), bids: &[(i64, u64)], offers: &[(i64, u64)]| {
        (received, event, [bids.to_vec(), offers.to_vec()])
    };
    let offer = [(102, 2 * half)];
    let last = at(ms(1004), &[(100, half / 2), (99, 718)], &offer);
    let wanted = [
        at(ms(1000), &[(100, half)], &[]),
        at(ms(1000), &[(100, half + 718)], &[]),
        at(ms(1001), &[(100, half + 718)], &offer),
        at(ms(1002), &[(100, half / 2 + 718)], &offer),
        at(ms(1003), &[(100, half / 2), (99, 718)], &offer),
        last.clone(),
        last,
        at(ms(1005), &[(99, 718)], &offer),
    ];
    assert_eq!(ends, wanted);
    let records = orders.records();
    assert_eq!((records.unknown(), records.lost()), (2, 0));
    assert_eq!(orders.instruments()[0].name, "btcusd");
}

#[test]
fn nothing_ends_while_sides_overlap_and_after_a_second_the_older_order_is_gone() {
    let lines = "1,1000,1000,100,1.0,created,bid\n\
                 2,1000,1000,102,1.0,created,ask\n\
                 3,1500,1500,102,0.5,created,bid\n\
                 2,1501,1501,102,0.5,changed,ask\n\
                 3,1501,1501,102,0.0,deleted,bid\n\
                 4,2000,2000,103,1.0,created,bid\n\
                 5,2500,2500,90,1.0,created,bid\n\
                 6,3000,3000,91,1.0,created,bid\n\
                 7,3001,3001,92,1.0,created,bid\n\
                 2,3100,3100,102,0.5,deleted,ask\n";
    let (_folder, path) = file(lines);
    let [tick, lot] = steps();
    let mut orders = bitstamp::Orders::open(&path, tick, lot, 0).unwrap();
    let (mut depth, mut ends) = (Depth::default(), Vec::new());
    for event in orders.by_ref() {
        let event = event.unwrap();
        depth.apply(&event.what);
        if event.what == What::End {
            assert!(!depth.is_crossed());
            ends.push(event.received_ns / 1_000_000);
        }
    }
    // The bid of 102 trades; that of 103 stays, so the offer it would have met is gone.
    assert_eq!(ends, [1000, 1000, 1501, 3001, 3100]);
    assert_eq!(orders.records().lost(), 1);
    assert_eq!(orders.records().unknown(), 1);
    let best = depth.best(Side::Buy).unwrap();
    let wanted = Standing {
        price: 103,
        quantity: 100_000_000,
    };
    assert_eq!((best, depth.best(Side::Sell)), (wanted, None));
}

#[test]
fn what_is_wrong_has_its_place() {
    let line = "1,1000,900,100.0,0.5,created,bid\n";
    for (wrong, wanted) in [
        ("x,1,1,1,1,created,bid", "line 3: field id is \"x\""),
        (
            "1,-1,1,1,1,created,bid",
            "line 3: field timestamp is \"-1\"",
        ),
        (
            "1,1,1,1.5,1,created,bid",
            "field price is 1.5, which is no multiple",
        ),
        ("1,1,1,1,-1,created,bid", "field volume is below 0"),
        (
            "1,1,1,1,1e-9,created,bid",
            "field volume is 1e-9, which is no multiple",
        ),
        ("1,1,1,1,1,made,bid", "field action is \"made\""),
        ("1,1,1,1,1,created,buy", "field direction is \"buy\""),
        ("1,1,1,1", "field volume is missing"),
        ("\u{fffd}", "field id is"),
    ] {
        let (_folder, path) = file(&format!("{line}{wrong}\n"));
        let [tick, lot] = steps();
        let options = Options {
            tick,
            lot,
            day_ns: 0,
            symbol: 0,
        };
        let found: Result<Vec<Event>, _> = open(&path, &options).unwrap().collect();
        let error = found.unwrap_err().to_string();
        assert!(error.contains(wanted), "{wrong}: {error}");
    }
}
