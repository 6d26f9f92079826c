//! ITCH, LOBSTER and DBN: the books are what the reference answers say, and a file that is cut or
//! wrong is refused with its place.

#![allow(clippy::unwrap_used)]

mod real;

use std::collections::BTreeMap;
use std::path::Path;

use recorded::{Event, Fault, Format, Options, Place, What, databento, itch, lobster, open};
use trading::{Books, Depth, Step};
use wire::ring::Side;

const SIDES: [Side; 2] = [Side::Buy, Side::Sell];
const AAPL: &str = "itch50/AAPL_20191230_0935_first20k.itch50";
const LOBSTER: &str = "lobster/AAPL_2012-06-21_first500_message_10.csv";
const MBO: &str = "dbn/orderbooks_mbo_2024-05-08T00-00-00_2024-05-08T00-00-02.dbn.zst";
const MBP: &str = "dbn/futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst";

fn options() -> Options {
    Options {
        tick: Step::parse("0.25").unwrap(),
        lot: Step::ONE,
        day_ns: 0,
        symbol: 0,
    }
}

/// The levels of a book by orders.
fn levels(books: &Books, locate: u16, side: Side) -> Vec<(i64, u64)> {
    let book = books.book(locate);
    let levels = book.into_iter().flat_map(|book| book.levels(side));
    levels.map(|level| (level.price, level.quantity)).collect()
}

fn levels_of(depth: &Depth, side: Side) -> Vec<(i64, u64)> {
    depth
        .levels(side)
        .map(|it| (it.price, it.quantity))
        .collect()
}

#[test]
fn the_levels_told_of_a_real_stock_are_those_of_its_orders_at_every_event() {
    let Some(path) = real::path(AAPL) else {
        return;
    };
    let mut file = itch::File::open(&path, 0, 3).unwrap();
    let mut depth = Depth::default();
    let (mut trades, mut traded, mut compared) = (0, 0, 0);
    while let Some(event) = file.next() {
        let event = event.unwrap();
        assert_eq!(event.symbol, 3);
        depth.apply(&event.what);
        match event.what {
            What::Trade { quantity, .. } => (trades, traded) = (trades + 1, traded + quantity),
            What::End => {
                compared += 1;
                let books = file.records().books();
                let (locate, _) = books.books().next().unwrap();
                for side in SIDES {
                    assert_eq!(levels_of(&depth, side), levels(books, locate, side));
                }
            }
            _ => {}
        }
    }
    let counts = file.records().books().counts();
    println!("{compared} books compared, {trades} trades of {traded} shares");
    assert_eq!((counts.changed, counts.wrong), (compared, 0));
    assert_eq!(file.records().books().live_orders(), 251);
    assert_eq!(file.instruments()[0].name, "AAPL");
}

#[test]
fn a_join_in_the_middle_of_the_day_tells_what_it_knows() {
    let Some(path) = real::path("itch50/NASDAQ_20191230_0930_opening_1000.itch50") else {
        return;
    };
    let mut file = itch::File::open(&path, 1_000, 0).unwrap();
    let events: Vec<Event> = file.by_ref().map(Result::unwrap).collect();
    let ends = events.iter().filter(|it| it.what == What::End).count();
    assert_eq!(ends as u64, file.records().books().counts().changed);
    let symbols = events.iter().map(|it| it.symbol).max().unwrap() as usize + 1;
    assert_eq!(symbols, file.instruments().len());
    assert!(events.iter().all(|it| it.event_ns > 34_200_000_001_000));
    // Four trades against hidden orders, 28 + 1 executions of orders of which most are unknown.
    let trades = events
        .iter()
        .filter(|it| matches!(it.what, What::Trade { .. }));
    assert!(trades.count() >= 4);
}

#[test]
fn binary_files_that_are_cut_or_empty_of_lengths_are_refused_with_the_offset() {
    let Some(path) = real::path("itch50/MALFORMED_zero_length_prefixes.itch50") else {
        return;
    };
    let error = itch::File::open(&path, 0, 0).unwrap().next().unwrap();
    assert_eq!(error.unwrap_err().place, Place::Offset(0));

    let whole = std::fs::read(real::path(AAPL).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut");
    // The last message's start, its length's half, and an end that is told.
    for (bytes, is_whole) in [(whole.len() - 1, false), (whole.len(), true)] {
        std::fs::write(&cut, &whole[..bytes]).unwrap();
        let last = itch::File::open(&cut, 0, 0).unwrap().last().unwrap();
        assert_eq!(last.is_ok(), is_whole);
        if let Err(error) = last {
            assert!(matches!(error.fault, Fault::Message(_)), "{error}");
            assert!(error.to_string().contains("offset"), "{error}");
        }
    }
    let mut ended = whole[..38].to_vec();
    ended.extend([0, 0]);
    std::fs::write(&cut, &ended).unwrap();
    assert!(itch::File::open(&cut, 0, 0).unwrap().all(|it| it.is_ok()));
}

#[test]
fn a_day_of_lobster_makes_the_book_that_it_has_beside_it() {
    let Some(path) = real::path(LOBSTER) else {
        return;
    };
    let rows = std::fs::read_to_string(lobster::book_path(&path).unwrap()).unwrap();
    let mut rows = rows.lines().map(|row| {
        let row: Vec<i64> = row.split(',').map(|it| it.parse().unwrap()).collect();
        row
    });
    let mut day = lobster::Day::open(&path, 0, 0).unwrap();
    let mut depth = Depth::default();
    for event in day.by_ref() {
        let what = event.unwrap().what;
        depth.apply(&what);
        if what == What::End {
            let row = rows.next().unwrap();
            for (side, first) in [(Side::Sell, 0), (Side::Buy, 2)] {
                let told: Vec<(i64, u64)> = row
                    .chunks(4)
                    .map(|level| (level[first], level[first + 1] as u64))
                    .collect();
                assert_eq!(levels_of(&depth, side), told);
            }
        }
    }
    assert_eq!(rows.next(), None);
    let day = day.records();
    println!(
        "{} levels compared, {} revealed",
        day.compared(),
        day.revealed()
    );
    // 500 rows of 20 levels; the first row is taken as it is.
    assert_eq!(day.compared() + day.revealed(), 10_000);
    assert!(day.revealed() < 20 + 200);
}

#[test]
fn a_row_that_the_messages_do_not_make_is_refused() {
    let Some(path) = real::path(LOBSTER) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let messages = folder.path().join("X_message_10.csv");
    std::fs::copy(&path, &messages).unwrap();
    let rows = std::fs::read_to_string(lobster::book_path(&path).unwrap()).unwrap();
    let mut rows: Vec<String> = rows.lines().map(str::to_owned).collect();
    // One share more at the best bid of row 40.
    let mut columns: Vec<String> = rows[39].split(',').map(str::to_owned).collect();
    columns[3] = (columns[3].parse::<u64>().unwrap() + 1).to_string();
    rows[39] = columns.join(",");
    let book = lobster::book_path(&messages).unwrap();
    std::fs::write(&book, rows.join("\n")).unwrap();
    let error = lobster::Day::open(&messages, 0, 0).unwrap();
    let error = error.last().unwrap().unwrap_err();
    assert_eq!(
        (error.file.as_path(), error.place),
        (book.as_path(), Place::Line(40))
    );
    assert!(
        matches!(error.fault, Fault::Book { column: 3, .. }),
        "{error}"
    );

    std::fs::write(&messages, "34200.1,9,1,18,100,1\n").unwrap();
    let error = lobster::Day::open(&messages, 0, 0).unwrap().next().unwrap();
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("line 1: field type is none")
    );
    std::fs::write(&messages, "34200.1,1,1,x,100,1\n").unwrap();
    let error = lobster::Day::open(&messages, 0, 0).unwrap().next().unwrap();
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("field size is \"x\"")
    );
    assert!(lobster::Day::open(&path.with_file_name("plain.csv"), 0, 0).is_err());
}

#[test]
fn orders_of_a_future_make_a_book_that_its_levels_tell() {
    let Some(path) = real::path(MBO) else {
        return;
    };
    let mut file = databento::File::open(&path, options().tick, 0).unwrap();
    let mut depths: BTreeMap<u32, Depth> = BTreeMap::new();
    let (mut ends, mut crossed) = (0, 0);
    for event in file.by_ref() {
        let event = event.unwrap();
        let depth = depths.entry(event.symbol).or_default();
        depth.apply(&event.what);
        if event.what == What::End {
            ends += 1;
            crossed += u32::from(depth.is_crossed());
        }
    }
    let (counts, books) = (file.records().counts(), file.records().books());
    println!(
        "{counts:?} {:?}, {ends} ends, {crossed} crossed",
        books.counts()
    );
    for (&symbol, depth) in &depths {
        for side in SIDES {
            assert_eq!(levels_of(depth, side), levels(books, symbol as u16, side));
        }
        println!(
            "{:?}: {:?}",
            file.instruments()[symbol as usize],
            depth.touch()
        );
    }
    assert_eq!((depths.len(), counts.orders, counts.trades), (1, 13_796, 5));
    let books = books.counts();
    assert_eq!(
        (books.changed, books.unknown_orders, books.wrong),
        (13_785, 0, 0)
    );
    assert_eq!((ends, crossed), (185, 0));
}

#[test]
fn best_prices_of_a_future_are_quotes_and_trades() {
    let Some(path) = real::path(MBP) else {
        return;
    };
    let mut file = databento::File::open(&path, options().tick, 0).unwrap();
    let (mut quotes, mut trades, mut received_ns) = (0, 0, 0);
    for event in file.by_ref() {
        let event = event.unwrap();
        assert!(event.received_ns >= received_ns);
        received_ns = event.received_ns;
        match event.what {
            What::Quote { bid, offer } => {
                quotes += 1;
                assert!(bid.quantity == 0 || offer.quantity == 0 || bid.price < offer.price);
            }
            What::Trade { .. } => trades += 1,
            What::End => {}
            other => panic!("{other:?}"),
        }
    }
    let counts = file.records().counts();
    assert_eq!((counts.quotes, counts.trades), (quotes, trades));
    assert_eq!((quotes, trades), (2_288, 120));
}

#[test]
fn files_are_known_by_their_first_bytes() {
    let known = [
        (AAPL, Format::Itch),
        (LOBSTER, Format::Lobster),
        (MBO, Format::Databento),
        ("crypto/binance_spot_ethusdt_20240808.gz", Format::Binance),
    ];
    for (name, format) in known {
        let Some(path) = real::path(name) else {
            return;
        };
        assert_eq!(Format::of(&path), Ok(format));
        let options = Options {
            tick: Step::parse("0.01").unwrap(),
            lot: Step::parse("0.0001").unwrap(),
            ..options()
        };
        let count = open(&path, &options).unwrap().map(Result::unwrap).take(500);
        assert_eq!(count.count(), 500, "{name}");
    }
    let readme = real::path("README.md").unwrap();
    assert_eq!(Format::of(&readme).unwrap_err().fault, Fault::Format);
    let none = open(Path::new("/none"), &options()).unwrap_err();
    assert!(
        none.to_string().starts_with("/none: cannot be read"),
        "{none}"
    );
}
