//! Market states, auctions, parked and pegged orders: what the feed shows of them and what members
//! hear.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod ear;
mod venue;

use bytemuck::Zeroable;
use ear::{history, publisher};
use session::feed::PublisherConfig;
use venue::ouch::{enter, plain, replies};
use venue::{START_NS, Venue, config};
use wire::itch::Message;
use wire::ring::{Event, EventKind, MarketState, PRICE_MARKET, Reason, Side};

const SELL: u8 = Side::Sell as u8;

/// An event about symbol 1 that no order is in.
fn market(kind: EventKind, quantity: u32, leaves: u32, price: i64) -> Event {
    Event {
        kind: kind as u8,
        symbol: 1,
        quantity,
        leaves,
        price,
        ..Event::zeroed()
    }
}

fn state(to: MarketState, from: MarketState) -> Event {
    market(EventKind::StateChanged, to as u32, from as u32, 0)
}

/// An event about order number 1 of the first member, of ten units at 5,000.
fn order(kind: EventKind, flags: u8) -> Event {
    Event {
        session: 1,
        user_ref: 1,
        order_ref: 1,
        flags,
        ..market(kind, 10, 10, 5_000)
    }
}

/// A line for each message of the feed that these events make, behind the directory.
fn told(events: &[Event]) -> Vec<String> {
    let mut publisher = publisher(PublisherConfig::default());
    let defined = Event {
        kind: EventKind::SymbolDefined as u8,
        symbol: 1,
        related: u64::from_le_bytes(*b"AAPL    "),
        ..Event::zeroed()
    };
    for event in [&defined].into_iter().chain(events) {
        publisher.on_event(event, START_NS).unwrap();
    }
    publisher.transmit(START_NS, true, &mut |_| true);
    let messages = history(&mut publisher);
    messages[2..].iter().map(|it| line(it)).collect()
}

fn line(message: &[u8]) -> String {
    match Message::parse(message).unwrap() {
        Message::TradingAction(it) => {
            assert_eq!(&it.stock(), b"AAPL    ");
            let reason = it.reason();
            let reason = String::from_utf8_lossy(&reason);
            format!("H {} {}", it.state() as char, reason.trim_end())
        }
        Message::Noii(it) => {
            assert_eq!(it.far_price(), it.near_price());
            let letters = [it.direction(), it.cross_type()].map(char::from);
            let [direction, cross_type] = letters;
            let (paired, imbalance) = (it.paired(), it.imbalance());
            format!(
                "I {paired} {imbalance}{direction} @{} {cross_type}",
                it.near_price()
            )
        }
        Message::CrossTrade(it) => {
            format!(
                "Q {} @{} {}",
                it.shares(),
                it.price(),
                it.cross_type() as char
            )
        }
        Message::OrderExecutedPrice(it) => {
            assert_eq!(it.printable(), b'N');
            format!("C {} {} @{}", it.order_ref(), it.shares(), it.price())
        }
        Message::AddOrder(it) => {
            let side = it.side() as char;
            format!("A {} {side}{} @{}", it.order_ref(), it.shares(), it.price())
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn every_state_has_its_trading_action() {
    let due = [
        "H Q PRE", "H Q OPEN", "H T ", "H H HALT", "H P VOLA", "H Q REOP", "H Q CLOS", "H H DONE",
        "H T LIMT",
    ];
    let all = MarketState::ALL.iter();
    let events: Vec<_> = all.map(|to| state(*to, MarketState::Continuous)).collect();
    assert_eq!(told(&events), due);
}

#[test]
fn an_auction_is_indicated_crossed_and_taken_off_the_book() {
    let call = state(MarketState::OpeningAuction, MarketState::PreOpen);
    let to_buy = market(EventKind::Indicative, 10, 5, 5_000);
    let to_sell = Event {
        side: SELL,
        ..to_buy
    };
    let even = market(EventKind::Indicative, 10, 0, 5_000);
    let nothing = market(EventKind::Indicative, 0, 0, 0);
    let cross = market(EventKind::Uncrossed, 10, 5, 5_001);
    let trade = Event {
        price: 5_001,
        ..order(
            EventKind::Executed,
            Event::MAKER | Event::BOOKED | Event::AUCTION,
        )
    };
    let hidden = Event {
        flags: trade.flags | Event::HIDDEN,
        ..trade
    };
    let events = [call, to_buy, to_sell, even, nothing, cross, trade, hidden];
    let due = [
        "H Q OPEN",
        "I 10 5B @5000 O",
        "I 10 5S @5000 O",
        "I 10 0N @5000 O",
        "I 0 0O @0 O",
        "Q 10 @5001 O",
        "C 1 10 @5001",
    ];
    assert_eq!(told(&events), due);
    for (state_code, letter) in [
        (MarketState::ClosingAuction, 'C'),
        (MarketState::VolatilityAuction, 'H'),
        (MarketState::Halt, 'H'),
    ] {
        let events = [state(state_code, MarketState::Continuous), cross];
        assert_eq!(told(&events)[1], format!("Q 10 @5001 {letter}"));
    }
}

#[test]
fn the_book_shows_no_parked_and_no_pegged_order_and_market_orders_ahead_of_limits() {
    let parked = [
        order(EventKind::Accepted, Event::PARKED),
        order(EventKind::Reduced, Event::PARKED),
        order(EventKind::Canceled, Event::PARKED),
    ];
    assert_eq!(told(&parked), [""; 0]);
    let pegged = [
        order(EventKind::Accepted, Event::BOOKED | Event::HIDDEN),
        order(EventKind::Repriced, Event::BOOKED | Event::HIDDEN),
        order(EventKind::Repriced, Event::PARKED | Event::HIDDEN),
        order(EventKind::Canceled, Event::PARKED | Event::HIDDEN),
    ];
    assert_eq!(told(&pegged), [""; 0]);
    let triggered = order(EventKind::Triggered, Event::BOOKED);
    assert_eq!(told(&[triggered]), ["A 1 B10 @5000"]);
    let buy = Event {
        price: PRICE_MARKET,
        ..order(EventKind::Accepted, Event::BOOKED)
    };
    let sell = Event { side: SELL, ..buy };
    assert_eq!(told(&[buy, sell]), ["A 1 B10 @2000000000", "A 1 S10 @0"]);
}

#[test]
fn members_hear_of_every_change_to_their_orders() {
    let mut venue = Venue::new(config());
    venue.login(1, "ALPHA", "secret", 1);
    assert!(venue.received(1, &plain(&enter(1, b'B', 10, 5_000))) > 0);
    let cross = [Event::MAKER, Event::BOOKED, Event::AUCTION]
        .into_iter()
        .fold(0, |flags, flag| flags | flag);
    let left = |reason: Reason| Event {
        reason: reason as u8,
        ..order(EventKind::Canceled, Event::BOOKED)
    };
    let events = [
        order(EventKind::Accepted, Event::PARKED),
        Event {
            order_ref: 2,
            ..order(EventKind::Triggered, Event::BOOKED)
        },
        Event {
            order_ref: 3,
            price: 4_999,
            ..order(EventKind::Repriced, Event::BOOKED | Event::HIDDEN)
        },
        state(MarketState::ClosingAuction, MarketState::Continuous),
        market(EventKind::Indicative, 1, 1, 5_000),
        order(EventKind::Executed, cross),
        state(MarketState::Continuous, MarketState::ClosingAuction),
        order(EventKind::Executed, Event::MAKER | Event::BOOKED),
        left(Reason::AuctionOver),
        left(Reason::Killed),
        left(Reason::MassCancel),
    ];
    for event in &events {
        venue.entry.on_event(event, START_NS);
    }
    let due = [
        "A 1 B10 AAPL @5000 #1 my order",
        "T 1 @5000 #2 Y",
        "T 1 @4999 #3 Y",
        "E 1 10 @5000 C =0",
        "E 1 10 @5000 A =0",
        "C 1 -10 C",
        "C 1 -10 S",
        "C 1 -10 S",
    ];
    assert_eq!(replies(&venue.taken(1)), due);
    assert_eq!(venue.entry.counters().replies_lost, 0);
}
