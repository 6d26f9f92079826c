//! Streams by the real program: what a feed says is what a client is told.
#![allow(clippy::unwrap_used)]

mod service;
#[path = "stream/strangers.rs"]
mod strangers;

use serde_json::{Value, json};
use service::market::{Client, Feed};
use service::{Service, Settings};
use std::collections::BTreeMap;

fn started(feed: &Feed, limits: &'static str) -> Service {
    Service::with(&Settings {
        limits,
        more: feed.settings("batch_ms = 5"),
    })
}

fn subscribe(channel: &str) -> String {
    format!(r#"{{"id":1,"op":"subscribe","channel":"{channel}","symbols":["AAPL"]}}"#)
}

fn is_of(channel: &'static str) -> impl Fn(&Value) -> bool {
    move |told| told["channel"] == channel
}

/// A book as a client keeps it.
#[derive(Default)]
struct Book {
    sequence: u64,
    sides: [BTreeMap<i64, (u64, u64)>; 2],
}

impl Book {
    fn apply(&mut self, told: &Value) {
        let sequence = told["sequence"].as_u64().unwrap();
        if told["snapshot"] == true {
            self.sides = Default::default();
        } else {
            assert_eq!(sequence, self.sequence + 1, "a message is missing: {told}");
        }
        self.sequence = sequence;
        for (side, name) in self.sides.iter_mut().zip(["bids", "asks"]) {
            for level in told[name].as_array().unwrap() {
                let [price, units, orders] = [0, 1, 2].map(|at| level[at].as_u64().unwrap());
                match units {
                    0 => assert!(side.remove(&(price as i64)).is_some(), "{told}"),
                    _ => drop(side.insert(price as i64, (units, orders))),
                }
            }
        }
    }

    fn is(&self, bids: &[(i64, u64, u64)], asks: &[(i64, u64, u64)]) -> bool {
        let side = |levels: &[(i64, u64, u64)]| {
            let levels = levels.iter().map(|it| (it.0, (it.1, it.2)));
            levels.collect::<BTreeMap<_, _>>()
        };
        self.sides == [side(bids), side(asks)]
    }

    fn until(&mut self, client: &mut Client, bids: &[(i64, u64, u64)], asks: &[(i64, u64, u64)]) {
        while !self.is(bids, asks) {
            self.apply(&client.until(is_of("book")));
        }
    }
}

#[test]
fn a_book_by_snapshot_and_changes_is_the_feeds() {
    let feed = Feed::new();
    let service = started(&feed, "");
    let mut client = Client::open(&service, "market", "");
    assert!(client.head.starts_with("HTTP/1.1 101"), "{}", client.head);
    assert!(
        client
            .head
            .to_lowercase()
            .contains("s3pplmbitxaq9kygzzhzrbk+xoo=")
    );
    feed.list(1, "AAPL");
    feed.add(1, 1, b'B', 100, 1_000_000);
    client.knows(&["AAPL"]);
    client.say(&subscribe("book"));
    assert_eq!(client.json(), json!({"id": 1, "result": "subscribed"}));
    let mut book = Book::default();
    let first = client.json();
    assert_eq!(
        (&first["snapshot"], &first["symbol"]),
        (&json!(true), &json!("AAPL"))
    );
    book.apply(&first);
    book.until(&mut client, &[(1_000_000, 100, 1)], &[]);
    feed.add(1, 2, b'B', 50, 1_000_000);
    feed.add(1, 3, b'S', 70, 1_000_100);
    book.until(&mut client, &[(1_000_000, 150, 2)], &[(1_000_100, 70, 1)]);
    feed.execute(1, 1, 100, 11);
    feed.cancel(1, 3, 20);
    book.until(&mut client, &[(1_000_000, 50, 1)], &[(1_000_100, 50, 1)]);
    // One is lost on its way and asked for.
    feed.add_or_lose((1, 4), (b'B', 5, 900_000), true);
    feed.delete(1, 2);
    book.until(&mut client, &[(900_000, 5, 1)], &[(1_000_100, 50, 1)]);
    // Another one sees the same at once.
    let mut other = Client::open(&service, "market", "");
    other.say(&subscribe("book"));
    let mut seen = Book::default();
    seen.apply(&other.until(is_of("book")));
    assert!(seen.is(&[(900_000, 5, 1)], &[(1_000_100, 50, 1)]));
    assert_eq!(seen.sequence, book.sequence);
}

#[test]
fn trades_and_tops_are_told_and_busts_take_them_back() {
    let feed = Feed::new();
    let service = started(&feed, "");
    let mut client = Client::open(&service, "market", "");
    feed.list(1, "AAPL");
    client.knows(&["AAPL"]);
    client.say(r#"{"op":"subscribe","channel":"trades","symbols":"*"}"#);
    client.say(r#"{"op":"subscribe","channel":"top","symbols":"*"}"#);
    client.until(|told| told["result"] == "subscribed");
    client.until(|told| told["result"] == "subscribed");
    feed.add(1, 1, b'S', 100, 1_000_000);
    let top = client.until(|told| told["ask"] == json!([1_000_000, 100, 1]));
    assert_eq!(
        (&top["channel"], &top["bid"]),
        (&json!("top"), &Value::Null)
    );
    feed.execute(1, 1, 30, 77);
    let told = client.until(|told| told["trades"][0].is_array());
    let trade = &told["trades"][0];
    assert_eq!(
        (&trade[0], &trade[2], &trade[3]),
        (&json!(77), &json!(1_000_000), &json!(30))
    );
    assert_eq!(trade[4], "buy", "who took an offer bought");
    assert_eq!(trade[1].as_u64().unwrap() % 86_400_000_000_000, 2_000);
    feed.bust(1, 77);
    let told = client.until(|told| told["broken"][0].is_number());
    assert_eq!(
        (&told["trades"], &told["broken"]),
        (&json!([]), &json!([77]))
    );
    // A symbol that comes later is told, too, to who wants all.
    feed.list(2, "MSFT");
    feed.add(2, 9, b'B', 1, 500);
    let top = client.until(|told| told["symbol"] == "MSFT" && told["channel"] == "top");
    assert_eq!(top["snapshot"], true);
    client.say(r#"{"op":"unsubscribe","channel":"top","symbols":"*"}"#);
    client.until(|told| told["result"] == "unsubscribed");
    client.say(r#"{"id":"all","op":"symbols"}"#);
    assert_eq!(
        client.until(|told| told["id"] == "all")["result"],
        json!(["AAPL", "MSFT"])
    );
}

#[test]
fn the_compact_form_says_the_same() {
    let feed = Feed::new();
    let service = started(&feed, "");
    let mut client = Client::open(&service, "market", "");
    feed.list(1, "AAPL");
    feed.add(1, 1, b'B', 100, 1_000_000);
    feed.add(1, 2, b'S', 7, 1_000_200);
    client.knows(&["AAPL"]);
    client.say(&subscribe("book"));
    Book::default().until(&mut client, &[(1_000_000, 100, 1)], &[(1_000_200, 7, 1)]);
    let mut compact = Client::open(
        &service,
        "market",
        "Sec-WebSocket-Protocol: wirecross.binary\r\n",
    );
    assert!(
        compact.head.contains("wirecross.binary"),
        "{}",
        compact.head
    );
    // How the feed stands: template 4, `L`.
    assert_eq!(
        compact.next().unwrap(),
        (2, vec![1, 0, 4, 0, 1, 0, 0, 0, b'L'])
    );
    compact.say(&subscribe("book"));
    assert_eq!(compact.json()["result"], "subscribed", "answers stay JSON");
    let (opcode, bytes) = compact.next().unwrap();
    let (head, rest) = bytes.split_at(8);
    assert_eq!((opcode, head), (2, &[32, 0, 1, 0, 1, 0, 0, 0][..]));
    assert_eq!((&rest[..8], rest[24]), (&b"AAPL    "[..], 1));
    let mut due = vec![20, 0, 1, 0];
    due.extend(1_000_000_u64.to_le_bytes());
    due.extend(100_u64.to_le_bytes());
    due.extend(1_u32.to_le_bytes());
    due.extend([20, 0, 1, 0]);
    due.extend(1_000_200_u64.to_le_bytes());
    due.extend(7_u64.to_le_bytes());
    due.extend(1_u32.to_le_bytes());
    assert_eq!(rest[32..], due);
}

#[test]
fn who_can_unpack_gets_less_and_the_same() {
    let feed = Feed::new();
    let service = started(&feed, "");
    let mut client = Client::open(
        &service,
        "market",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
    );
    let head = client.head.to_lowercase();
    assert!(
        head.contains("permessage-deflate; server_no_context_takeover"),
        "{head}"
    );
    feed.list(1, "AAPL");
    for order in 0..40 {
        feed.add(1, order, b'B', 100, 1_000_000 + order as u32 * 100);
    }
    client.knows(&["AAPL"]);
    client.say(&subscribe("book"));
    let mut book = Book::default();
    while book.sides[0].len() < 40 {
        book.apply(&client.until(is_of("book")));
    }
}

/// Levels of which the slow one is told again and again: 20 kB.
const LEVELS: u64 = 1_000;

#[test]
fn who_reads_too_slowly_gets_the_present_state() {
    let feed = Feed::new();
    let service = Service::with(&Settings {
        limits: "stream_kib = 64",
        more: feed.settings("batch_ms = 5\nlevels = 1000"),
    });
    let mut client = Client::open_small(&service, "market", "");
    feed.list(1, "AAPL");
    client.knows(&["AAPL"]);
    client.say(&subscribe("book"));
    let mut book = Book::default();
    book.apply(&client.until(is_of("book")));
    let begun = std::time::Instant::now();
    let (mut held, mut shares) = (1..1, 100_u32);
    // Until the system's buffers and the queue are full.
    while service.figure("wirecross_stream_conflated_total") == Some(0) {
        assert!(begun.elapsed() < service::BOUND, "nothing is conflated");
        // Keys may ask so and so often.
        std::thread::sleep(std::time::Duration::from_millis(20));
        // It lives, though it reads nothing: on a busy machine this takes longer than the service
        // bears silence. Words cost it, so not each time.
        if shares.is_multiple_of(25) {
            client.send(0x8A, b"");
        }
        // However many of these a batch holds, behind it all levels are others.
        feed.together(|| {
            held.clone().for_each(|order| feed.delete(1, order));
            held = held.end..held.end + LEVELS;
            shares += 1;
            for (order, price) in held.clone().zip((1_000_000..).step_by(100)) {
                feed.add(1, order, b'B', shares, price);
            }
        });
    }
    feed.together(|| held.clone().for_each(|order| feed.delete(1, order)));
    feed.add(1, held.end, b'S', 42, 2_000_000);
    let mut sequences = 0;
    while !book.is(&[], &[(2_000_000, 42, 1)]) {
        let told = client.until(is_of("book"));
        sequences += u32::from(told["snapshot"] == true);
        book.apply(&told);
    }
    assert!(sequences > 0, "the state stood for what was thrown away");
}

#[test]
fn what_makes_no_sense_is_refused_and_the_rest_goes_on() {
    let feed = Feed::new();
    let service = started(&feed, "subscriptions_max = 1");
    let mut client = Client::open(&service, "market", "");
    feed.list(1, "AAPL");
    feed.list(2, "MSFT");
    client.knows(&["AAPL", "MSFT"]);
    let code = |told: &Value| told["error"]["code"].as_str().unwrap_or("").to_owned();
    client.say("{");
    assert_eq!(
        code(&client.until(|told| told["error"].is_object())),
        "bad-request"
    );
    client.say(r#"{"id":2,"op":"subscribe","channel":"book","symbols":["NONE"]}"#);
    let told = client.until(|told| told["id"] == 2);
    assert!(
        told["error"]["message"].as_str().unwrap().contains("NONE"),
        "{told}"
    );
    client.say(r#"{"id":3,"op":"subscribe","channel":"book","symbols":["AAPL","MSFT"]}"#);
    assert_eq!(code(&client.until(|told| told["id"] == 3)), "too-large");
    client.say(r#"{"id":4,"op":"ping"}"#);
    assert_eq!(client.until(|told| told["id"] == 4)["result"], "pong");
    client.send(0x89, b"there?");
    loop {
        match client.next().unwrap() {
            (10, payload) => break assert_eq!(payload, b"there?"),
            (opcode, _) => assert_eq!(opcode, 1),
        }
    }
    client.send(0x82, b"bytes");
    loop {
        match client.next().unwrap() {
            (8, payload) => break assert_eq!(payload[..2], 1_003_u16.to_be_bytes()),
            (opcode, _) => assert_eq!(opcode, 1),
        }
    }
    assert_eq!(client.next(), None);
    // Who talks too much is sent away: by wishes, pings, pongs nobody asked for, and a message that
    // never ends.
    let ping = (0x81, &br#"{"op":"ping"}"#[..]);
    for (first, then) in [
        (ping, ping),
        ((0x89, &b"x"[..]), (0x89, &b"x"[..])),
        ((0x8A, b"x"), (0x8A, b"x")),
        ((0x01, b"{"), (0x00, b"")),
    ] {
        let mut client = Client::open(&service, "market", "");
        client.send(first.0, first.1);
        for _ in 0..200 {
            client.send(then.0, then.1);
        }
        let close = loop {
            match client.next().expect("it is told why") {
                (8, payload) => break payload,
                (opcode, _) => assert!([1, 10].contains(&opcode), "{opcode}"),
            }
        };
        assert_eq!(close[..2], 1_008_u16.to_be_bytes(), "{first:?}");
    }
}

#[test]
fn who_may_not_or_asks_wrongly_gets_no_stream() {
    let feed = Feed::new();
    let service = started(&feed, "");
    for (key, status) in [("metrics", "403"), ("nobody", "401")] {
        let client = Client::open(&service, key, "");
        assert!(
            client.head.starts_with(&format!("HTTP/1.1 {status}")),
            "{}",
            client.head
        );
    }
    let page = "Sec-WebSocket-Protocol: wirecross.json, bearer.market-token\r\n";
    let client = Client::open(&service, "nobody", page);
    assert!(client.head.starts_with("HTTP/1.1 101"), "{}", client.head);
    assert!(!client.head.contains("token"), "{}", client.head);
    let client = Client::open(&service, "market", "Sec-WebSocket-Protocol: mqtt\r\n");
    assert!(client.head.starts_with("HTTP/1.1 400"), "{}", client.head);
    assert_eq!(service.get("/api/v1/stream", "market").status, 400);
    let without = Service::start();
    let client = Client::open(&without, "market", "");
    assert!(client.head.starts_with("HTTP/1.1 503"), "{}", client.head);
}

#[test]
fn streams_are_counted() {
    let feed = Feed::new();
    let service = started(&feed, "");
    let mut client = Client::open(&service, "market", "");
    feed.list(1, "AAPL");
    client.knows(&["AAPL"]);
    client.say(&subscribe("top"));
    client.until(is_of("top"));
    feed.add(1, 1, b'B', 100, 1_000_000);
    client.until(|told| told["bid"].is_array());
    assert_eq!(service.figure("wirecross_stream_connections"), Some(1));
    assert_eq!(service.figure("wirecross_stream_deliveries_total"), Some(1));
    assert_eq!(service.figure("wirecross_stream_conflated_total"), Some(0));
    assert_eq!(service.figure("wirecross_stream_feed_live"), Some(1));
}
