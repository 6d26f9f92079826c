//! Who listens to the feed has what the engine's book shows, whatever attributes its orders have.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod ear;

use std::collections::BTreeSet;

use ear::{Ear, START_NS, publisher};
use flow::naive::increments;
use flow::{Hostile, Naive};
use session::feed::{Publisher, PublisherConfig, ReceiverConfig};
use trading::{Books, Counts};
use wire::itch::Message;
use wire::ring::{Event, EventKind, Input, PRICE_MARKET, Side};

/// The engine, its feed, and a desk that hears nothing else.
struct Market {
    naive: Naive,
    publisher: Publisher,
    ear: Ear,
    books: Books,
    /// Units that the engine traded with hidden orders, and that the feed told as trades.
    hidden: [u64; 2],
    /// Units that the engine traded with shown orders, and that the feed told as executions.
    shown: [u64; 2],
    /// Units that auctions traded.
    crossed: u64,
    /// Symbols that do not trade as the feed says.
    calls: BTreeSet<u16>,
    /// Messages after which a book was crossed: only a call may have that.
    crossed_books: u64,
}

impl Market {
    fn new(offered: u16) -> Self {
        Self {
            naive: Naive::offering(offered),
            publisher: publisher(PublisherConfig::default()),
            ear: Ear::new(ReceiverConfig::default()),
            books: Books::new(),
            hidden: [0; 2],
            shown: [0; 2],
            crossed: 0,
            calls: BTreeSet::new(),
            crossed_books: 0,
        }
    }

    fn apply(&mut self, input: &Input) {
        for event in self.naive.apply(input) {
            let is_hidden = event.has(Event::HIDDEN);
            // Of an auction's hidden orders only the cross tells.
            let is_told = event.has(Event::MAKER) && !(is_hidden && event.has(Event::AUCTION));
            if event.kind == EventKind::Executed as u8 && is_told {
                let sum = if is_hidden {
                    &mut self.hidden
                } else {
                    &mut self.shown
                };
                sum[0] += u64::from(event.quantity);
            }
            self.publisher.on_event(&event, input.time_ns).unwrap();
        }
        let ear = &mut self.ear;
        let heard = ear.messages.len();
        self.publisher.transmit(START_NS, true, &mut |packet| {
            ear.hear(packet);
            true
        });
        for index in heard..self.ear.messages.len() {
            let message = self.ear.messages[index].clone();
            self.hear(&Message::parse(&message).unwrap());
        }
    }

    fn hear(&mut self, message: &Message<'_>) {
        match message {
            Message::Trade(it) => {
                assert_eq!((it.order_ref(), it.side()), (0, b'B'));
                self.hidden[1] += u64::from(it.shares());
            }
            Message::OrderExecuted(it) => self.shown[1] += u64::from(it.shares()),
            Message::OrderExecutedPrice(it) => self.shown[1] += u64::from(it.shares()),
            Message::CrossTrade(it) => self.crossed += it.shares(),
            Message::TradingAction(it) => {
                self.calls.remove(&it.stock_locate());
                if it.state() != b'T' {
                    self.calls.insert(it.stock_locate());
                }
            }
            _ => {}
        }
        self.books.apply(message);
        // Not even between the messages of one input, unless an auction is called.
        for (symbol, _) in self.books.books().filter(|(_, book)| book.is_crossed()) {
            assert!(self.calls.contains(&symbol), "symbol {symbol} is crossed");
            self.crossed_books += 1;
        }
    }

    fn compare(&self) {
        for symbol in self.naive.symbols() {
            for side in [Side::Buy, Side::Sell] {
                let orders = self.naive.orders(symbol, side);
                let shown = orders.filter(|order| order.shown() > 0);
                let shown = shown.map(|order| {
                    let is_first = side == Side::Sell && order.price == PRICE_MARKET;
                    let price = if is_first { 0 } else { order.price };
                    (order.order_ref, price, order.shown())
                });
                let book = self.books.book(symbol);
                let heard = book.into_iter().flat_map(|book| book.orders(side));
                let heard = heard.map(|order| (order.order_ref, order.price, order.quantity));
                assert!(shown.eq(heard), "{symbol} {side:?}");
            }
        }
    }
}

#[test]
fn the_feed_shows_what_the_engines_book_shows() {
    let (mut crossed, mut crossed_books) = (0, 0);
    let (mut hidden, mut shown) = (0, 0);
    let levels = [0, 1, 2, 3, 4, 4, 4, 7, 7].into_iter().chain([12; 20]);
    for (seed, level) in (0..).zip(levels) {
        let offered = increments::first(level);
        let mut hostile = Hostile::new(seed, offered);
        let mut market = Market::new(offered);
        for (turn, input) in hostile.by_ref().take(3_000).enumerate() {
            market.apply(&input);
            if turn % 7 == 0 {
                market.compare();
            }
        }
        market.apply(&hostile.closing());
        assert_eq!(market.books.live_orders(), 0);
        let Counts {
            unknown_orders,
            wrong,
            ..
        } = market.books.counts();
        assert_eq!(
            (unknown_orders, wrong),
            (0, 0),
            "seed {seed}, level {level}"
        );
        let [traded, told] = market.hidden;
        assert_eq!(traded, told);
        assert!(traded == 0 || level > 0, "{traded} hidden units traded");
        hidden += traded;
        let [traded, told] = market.shown;
        assert_eq!(traded, told);
        shown += traded;
        assert_eq!(market.publisher.counters().events_unknown, 0);
        if level < 8 {
            assert_eq!((market.crossed, market.crossed_books), (0, 0));
        }
        crossed += market.crossed;
        crossed_books += market.crossed_books;
    }
    // Days may be quiet, but not all of them.
    assert!(hidden > 1_000, "{hidden} hidden units traded");
    assert!(shown > 20_000, "{shown} shown units traded");
    // Without auctions and crossed books the test says nothing about them.
    assert!(
        crossed > 1_000 && crossed_books > 100,
        "{crossed} units crossed, {crossed_books} times a book"
    );
}
