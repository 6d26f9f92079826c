//! All engines give the same answers, but for named rules, each shown with a minimal stream.

use benches::peers::{Baseline, Lobster, Matchcore, Ours, Room, Venue, difference, essence};
use benches::regimes::{PRICES, REGIMES, Stream};
use wirecross_capi::{KIND_CANCEL, KIND_MODIFY, KIND_NEW, Message, REPORT_ACCEPTED, REPORT_FILL};

fn room(messages: usize) -> Room {
    Room {
        ids: messages as u32,
        messages: messages as u32,
        orders: messages as u32,
    }
}

/// Kind, id, price, quantity, side, ioc.
fn message(kind: u8, id: u64, price: i64, quantity: u32, side: u8, ioc: u8) -> Message {
    Message {
        id,
        price,
        quantity,
        kind,
        side,
        ioc,
        zero: 0,
    }
}

fn agree<V: Venue>() {
    for (name, regime) in REGIMES {
        let stream = Stream::new(regime, 1_000, 4_000);
        let messages = [stream.before, stream.timed].concat();
        let found = difference::<V, Ours>(room(messages.len()), &messages);
        assert_eq!(found.expect("both engines"), None, "{name}");
    }
}

#[test]
fn the_baseline_agrees() {
    agree::<Baseline>();
}

#[test]
fn matchcore_agrees() {
    agree::<Matchcore>();
}

#[test]
fn lobster_agrees() {
    agree::<Lobster>();
}

#[cfg(feature = "orderbook-rs")]
#[test]
fn orderbook_rs_agrees() {
    agree::<benches::peers::OrderbookRs>();
}

/// Whom a sell of one unit meets after order 0 was modified to `quantity` at its own price.
fn first_after_modify<V: Venue>(quantity: u32) -> u64 {
    let mut venue = V::open(room(9)).expect("an engine");
    let mut maker = None;
    for message in [
        message(KIND_NEW, 0, 100, 5, 0, 0),
        message(KIND_NEW, 1, 100, 5, 0, 0),
        message(KIND_MODIFY, 0, 100, quantity, 0, 0),
        message(KIND_NEW, 2, 100, 1, 1, 1),
    ] {
        venue.apply(&message, |report| {
            if report.kind == REPORT_FILL {
                maker = Some(report.other);
            }
        });
    }
    maker.expect("a fill")
}

/// Why a modify of the regimes always moves the price.
#[test]
fn a_smaller_order_keeps_its_place_with_some_and_not_with_others() {
    assert_eq!(first_after_modify::<Ours>(3), 0);
    assert_eq!(first_after_modify::<Matchcore>(3), 0);
    assert_eq!(
        first_after_modify::<Lobster>(3),
        1,
        "a cancel and a new order"
    );
    assert_eq!(first_after_modify::<Baseline>(3), 1);
    assert_eq!(first_after_modify::<Ours>(8), 1);
    assert_eq!(first_after_modify::<Matchcore>(8), 1);
}

/// `lobster` itself answers the cancel of an order that is gone as that of a live one.
#[test]
fn lobster_cancels_what_is_not_there() {
    let mut book = lobster::OrderBook::default();
    let answer = book.execute(lobster::OrderType::Cancel { id: 7 });
    assert_eq!(answer, lobster::OrderEvent::Canceled { id: 7 });
    let mut venue = Ours::open(room(9)).expect("an engine");
    let mut kinds = Vec::new();
    venue.apply(&message(KIND_CANCEL, 7, 0, 0, 0, 0), |report| {
        kinds.push(report.kind)
    });
    assert_eq!(kinds, [wirecross_capi::REPORT_REJECTED]);
}

/// `matchcore` 0.4.0 itself trades a limit order that crosses beyond its limit.
#[test]
fn matchcore_trades_through_the_limit() {
    use matchcore::{
        Command, CommandKind, CommandMeta, LimitOrder, NewOrder, OrderBook, OrderFlags, Price,
        Quantity, QuantityPolicy, SequenceNumber, Side, SubmitCmd, TimeInForce, Timestamp,
    };
    let mut book = OrderBook::new("BOOK");
    let mut enter = |number: u64, price: u64, quantity: u64, side: Side| {
        let quantity = Quantity(quantity);
        let order = NewOrder::Limit(LimitOrder::new(
            Price(price),
            QuantityPolicy::Standard { quantity },
            OrderFlags::new(side, false, TimeInForce::Gtc),
        ));
        let meta = CommandMeta {
            sequence_number: SequenceNumber(number),
            timestamp: Timestamp(0),
        };
        let kind = CommandKind::Submit(SubmitCmd { order });
        format!("{:?}", book.execute(&Command { meta, kind }))
    };
    enter(0, 100, 1, Side::Buy);
    enter(1, 90, 1, Side::Buy);
    let answer = enter(2, 95, 2, Side::Sell);
    assert!(
        answer.contains("Price(90)"),
        "a sell limited at 95 sold at 90: {answer}"
    );

    let mut venue = Matchcore::open(room(9)).expect("an engine");
    let mut fills = Vec::new();
    for message in [
        message(KIND_NEW, 0, 100, 1, 0, 0),
        message(KIND_NEW, 1, 90, 1, 0, 0),
        message(KIND_NEW, 2, 95, 2, 1, 0),
    ] {
        venue.apply(&message, |report| {
            if report.kind == REPORT_FILL {
                fills.push((report.price, report.quantity));
            }
        });
    }
    assert_eq!(fills, [(100, 1)], "the adapter keeps the limit");
}

/// `orderbook-rs` itself calls the unfilled rest of an immediate-or-cancel order an error.
#[cfg(feature = "orderbook-rs")]
#[test]
fn orderbook_rs_calls_an_unfilled_rest_an_error() {
    use orderbook_rs::{DefaultOrderBook, Id, Side, TimeInForce};
    let book = DefaultOrderBook::new("BOOK");
    let answer = book.add_limit_order(Id::sequential(1), 100, 5, Side::Buy, TimeInForce::Ioc, None);
    assert!(answer.is_err());
}

/// A wrong engine is found out: one that hides the second fill.
struct Hides(Ours, u32);

impl Venue for Hides {
    const NAME: &'static str = "hides";

    fn open(room: Room) -> Result<Self, benches::BenchError> {
        Ok(Self(Ours::open(room)?, 0))
    }

    fn apply(&mut self, message: &Message, mut on: impl FnMut(&wirecross_capi::Report)) {
        let Self(venue, fills) = self;
        venue.apply(message, |report| {
            *fills += u32::from(report.kind == REPORT_FILL);
            if report.kind != REPORT_FILL || *fills != 2 {
                on(report);
            }
        });
    }

    fn levels(&self, side: wire::ring::Side) -> Vec<(i64, u64)> {
        self.0.levels(side)
    }
}

#[test]
fn a_hidden_fill_is_a_difference() {
    let stream = Stream::new(REGIMES[0].1, 500, 1_000);
    let messages = [stream.before, stream.timed].concat();
    let found = difference::<Hides, Ours>(room(messages.len()), &messages).expect("both");
    assert!(found.is_some_and(|text| text.contains("hides says")));
}

#[test]
fn the_stream_has_the_mix_that_it_promises() {
    for (name, regime) in REGIMES {
        let stream = Stream::new(regime, 2_000, 20_000);
        let share = |test: &dyn Fn(&&Message) -> bool| {
            stream.timed.iter().filter(test).count() * 1_000 / stream.timed.len()
        };
        let near = |found: usize, wanted: usize| found.abs_diff(wanted) <= 12;
        let news = share(&|message| message.kind == KIND_NEW);
        let (cancels, modifies) = (
            share(&|message| message.kind == KIND_CANCEL),
            share(&|message| message.kind == KIND_MODIFY),
        );
        let found = (news, cancels, modifies, share(&|message| message.ioc == 1));
        assert!(near(news, 500) && near(cancels, 410), "{name}: {found:?}");
        assert!(near(modifies, 90) && near(found.3, 75), "{name}: {found:?}");
        let mut ids: Vec<u64> = [&stream.before, &stream.timed]
            .into_iter()
            .flatten()
            .filter(|message| message.kind == KIND_NEW)
            .map(|message| message.id)
            .collect();
        assert!(!ids.is_sorted(), "the ids are shuffled");
        ids.sort_unstable();
        assert!(ids.into_iter().eq(0..22_000), "the ids are dense");
        let priced = stream.timed.iter().filter(|m| m.kind != KIND_CANCEL);
        assert!(
            priced.clone().all(
                |m| (PRICES.0..=PRICES.1).contains(&m.price) && (1..=500).contains(&m.quantity)
            ),
            "{name}"
        );
    }
}

#[test]
fn a_modify_that_crosses_trades_everywhere() {
    fn reports<V: Venue>() -> Vec<(u8, u64, u64, i64, u32)> {
        let mut venue = V::open(room(9)).expect("an engine");
        let mut reports = Vec::new();
        for message in [
            message(KIND_NEW, 0, 100, 5, 0, 0),
            message(KIND_NEW, 1, 110, 3, 1, 0),
            message(KIND_MODIFY, 1, 99, 4, 1, 0),
        ] {
            venue.apply(&message, |report| reports.push(essence(report)));
        }
        reports
    }
    let expected = reports::<Ours>();
    assert_eq!(expected[0], (REPORT_ACCEPTED, 0, 0, 100, 5));
    assert_eq!(expected[3], (REPORT_FILL, 1, 0, 100, 4));
    assert_eq!(reports::<Baseline>(), expected);
    assert_eq!(reports::<Matchcore>(), expected);
    assert_eq!(reports::<Lobster>(), expected);
}
