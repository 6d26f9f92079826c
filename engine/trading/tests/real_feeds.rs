//! Books rebuilt from real feeds, compared with answers that nobody here wrote.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use flow::recorded::{self, Recorded};
use trading::{Applied, Books, OrderChange};
use wire::binary_file::Reader;
use wire::itch::Message;
use wire::ring::Side;

/// The file's bytes, or `None` where the data folder is missing and that may be.
fn real(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/itch50")
        .join(name);
    match std::fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) if std::env::var_os("CI").is_some() => {
            panic!(
                "{}: {error}: lay shared/data beside the checkout",
                path.display()
            )
        }
        Err(_) => {
            println!("skipped: {} is not there", path.display());
            None
        }
    }
}

fn apply_all(books: &mut Books, file: &[u8]) {
    for record in Reader::new(file) {
        books.apply(&Message::parse(record.unwrap().message).unwrap());
    }
}

#[test]
fn a_join_in_the_middle_of_a_day_counts_what_it_cannot_know() {
    let Some(file) = real("NASDAQ_20191230_0930_opening_1000.itch50") else {
        return;
    };
    let mut books = Books::new();
    apply_all(&mut books, &file);
    let counts = books.counts();
    assert_eq!(counts.changed + counts.other + counts.unknown_orders, 1_000);
    assert_eq!(counts.wrong, 0);
    // Every replacement names an order from before the file; so do most deletions.
    let replaces = Reader::new(&file)
        .filter(|record| record.as_ref().unwrap().message[0] == b'U')
        .count();
    assert_eq!(replaces, 225);
    assert!(counts.unknown_orders >= 225);
}

/// The orders that the record leaves, best first.
fn left_by_the_record(lines: &[Recorded], wanted: Side) -> Vec<(i64, u32)> {
    let mut live: Vec<(u64, Side, u32, i64)> = Vec::new();
    let take = |live: &mut Vec<(u64, Side, u32, i64)>, reference: u64, quantity: u32| {
        let at = live.iter().position(|order| order.0 == reference).unwrap();
        live[at].2 -= quantity;
        if live[at].2 == 0 {
            live.remove(at);
        }
    };
    for line in lines {
        match line {
            &Recorded::New {
                reference,
                side,
                quantity,
                price,
            } => {
                live.push((reference, side, quantity, price));
            }
            &Recorded::Reduce {
                reference,
                quantity,
            } => take(&mut live, reference, quantity),
            &Recorded::Delete { reference } => live.retain(|order| order.0 != reference),
            &Recorded::Replace {
                old,
                reference,
                quantity,
                price,
            } => {
                let at = live.iter().position(|order| order.0 == old).unwrap();
                let side = live.remove(at).1;
                live.push((reference, side, quantity, price));
            }
            Recorded::Aggressor { fills, .. } => {
                for &(reference, quantity) in fills {
                    take(&mut live, reference, quantity);
                }
            }
        }
    }
    let mut orders: Vec<(i64, u32)> = live
        .iter()
        .filter(|order| order.1 == wanted)
        .map(|order| (order.3, order.2))
        .collect();
    let sign = if wanted == Side::Buy { -1 } else { 1 };
    orders.sort_by_key(|order| sign * order.0);
    orders
}

#[test]
fn the_book_of_a_real_stock_ends_as_its_recorded_flow_says() {
    let Some(file) = real("AAPL_20191230_0935_first20k.itch50") else {
        return;
    };
    let Some(csv) = real("AAPL_20191230_0935_first20k.replay.csv") else {
        return;
    };
    let mut books = Books::new();
    apply_all(&mut books, &file);
    assert_eq!(books.counts().wrong, 0);

    let lines = recorded::read(std::str::from_utf8(&csv).unwrap()).unwrap();
    let (_, book) = books.books().next().unwrap();
    let mut orders = 0;
    for side in [Side::Buy, Side::Sell] {
        let found: Vec<(i64, u32)> = book
            .orders(side)
            .map(|order| (order.price, order.quantity))
            .collect();
        assert_eq!(found, left_by_the_record(&lines, side), "{side:?}");
        // What is before an order: those of its price that are listed before it.
        let all: Vec<_> = book.orders(side).collect();
        for (at, order) in all.iter().enumerate() {
            let before = all[..at].iter().filter(|it| it.price == order.price);
            let ahead = before.map(|it| u64::from(it.quantity)).sum();
            assert_eq!(books.ahead_of(order.order_ref), Some(ahead));
        }
        orders += found.len();
    }
    assert_eq!(orders, 251);
    assert_eq!(books.live_orders(), 251);
    assert_eq!(books.ahead_of(0), None);
    assert!(!book.is_crossed());
}

#[test]
fn what_a_correct_feed_cannot_say_changes_nothing() {
    use wire::itch::fields::{AddOrder, OrderExecuted};
    let mut books = Books::new();
    let mut bytes = [0; 64];
    let add = AddOrder {
        stock_locate: 1,
        tracking_number: 0,
        timestamp: 1,
        order_ref: 7,
        side: b'B',
        shares: 100,
        stock: *b"AAPL    ",
        price: 2_900_000,
    };
    let length = add.encode(&mut bytes).unwrap();
    let message = Message::parse(&bytes[..length]).unwrap();
    assert_eq!(books.apply(&message), Applied::Changed);
    assert_eq!(books.apply(&message), Applied::Wrong);

    let mut bytes = [0; 64];
    let executed = OrderExecuted {
        stock_locate: 1,
        tracking_number: 0,
        timestamp: 2,
        order_ref: 7,
        shares: 101,
        match_number: 1,
    };
    let length = executed.encode(&mut bytes).unwrap();
    assert_eq!(
        books.apply(&Message::parse(&bytes[..length]).unwrap()),
        Applied::Wrong
    );
    let level = books.book(1).unwrap().best(Side::Buy).unwrap();
    assert_eq!(
        (level.price, level.quantity, level.orders),
        (2_900_000, 100, 1)
    );
    assert_eq!(books.locate("AAPL"), Some(1));
}

#[test]
fn orders_of_other_feeds_keep_or_lose_their_place_as_they_change() {
    let mut books = Books::new();
    let add = |order_ref, quantity| OrderChange::Add {
        locate: 1,
        order_ref,
        side: Side::Buy,
        quantity,
        price: -5,
    };
    let modify = |order_ref, quantity, price| OrderChange::Modify {
        order_ref,
        quantity,
        price,
    };
    let orders = |books: &Books| -> Vec<(u64, i64, u32)> {
        let orders = books
            .book(1)
            .into_iter()
            .flat_map(|it| it.orders(Side::Buy));
        orders
            .map(|it| (it.order_ref, it.price, it.quantity))
            .collect()
    };
    for (order_ref, quantity) in [(1, 10), (2, 20), (3, 30)] {
        assert_eq!(books.change(add(order_ref, quantity)), Applied::Changed);
    }
    // Fewer units keep the place, more lose it, and so does another price.
    assert_eq!(books.change(modify(1, 9, -5)), Applied::Changed);
    assert_eq!(orders(&books), [(1, -5, 9), (2, -5, 20), (3, -5, 30)]);
    assert_eq!(books.change(modify(1, 10, -5)), Applied::Changed);
    assert_eq!(orders(&books), [(2, -5, 20), (3, -5, 30), (1, -5, 10)]);
    assert_eq!(books.ahead_of(1), Some(50));
    assert_eq!(books.change(modify(3, 30, -4)), Applied::Changed);
    assert_eq!(orders(&books), [(3, -4, 30), (2, -5, 20), (1, -5, 10)]);
    assert_eq!(books.place_of(3), Some((1, Side::Buy, -4)));
    assert_eq!(books.change(modify(3, 30, -4)), Applied::Other);
    assert_eq!(books.change(modify(9, 1, 1)), Applied::UnknownOrder);
    let reduce = OrderChange::Reduce {
        order_ref: 2,
        quantity: 20,
    };
    assert_eq!(books.change(reduce), Applied::Changed);
    assert_eq!(books.change(reduce), Applied::UnknownOrder);
    let clear = OrderChange::Clear { locate: 1 };
    assert_eq!(books.change(clear), Applied::Changed);
    assert_eq!(books.change(clear), Applied::Other);
    assert_eq!((books.live_orders(), books.digest()), (0, 0));
    let counts = books.counts();
    assert_eq!((counts.changed, counts.unknown_orders), (8, 2));
}
