//! The desk's feed tile: what the feed tile of the appliance hears, as events of the desk's
//! markets, without our own orders.
//!
//! Which orders are ours the venue says in its answers, which the orders tile passes on. One that
//! the feed shows before is taken out of the book when that is heard. Executions of ours that
//! rested are told by answers and not as trades.
//!
//! A market is shown while the feed is whole. Where it is stale, joins, or tells more than the ring
//! holds, the market is taken away (`Clear`), and told anew as soon as it is known again: history
//! that is asked for, or stands in a snapshot, is never taken for news.

use nic::{TcpPort, UdpPort};
use queue::{Reader, Writer};
use session::feed::{State, Way};
use trading::{Books, Event, Image, OrderChange, What, added, apply_telling, named, standing};
use wire::itch::Message;
use wire::ring::Side;

use super::feed::Feed;
use super::slip::{Said, Slip};
use crate::tiles::{BATCH, FeedTile, Market, Progress, Tile};

/// Room that the ring must have before packets are taken: what is held behind a gap comes at once.
const ROOM: usize = 16 << 10;
/// Slots of the ring of events.
pub const EVENTS_DEPTH: usize = 64 << 10;
/// Levels a side that a market is told anew with.
const LEVELS_TOLD: usize = 2 << 10;
/// Orders of ours that are remembered: the oldest ones are long gone.
const OWN_MAX: usize = 4_096;

const _: () = assert!(ROOM * 2 <= EVENTS_DEPTH);

/// Whether the strategies see the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    Shown,
    /// It is to be taken away as soon as there is room to say so.
    Leaving,
    Dark,
}

/// Where events go.
struct Teller {
    /// What the venue calls each market.
    symbols: Vec<String>,
    /// Markets by stock locate, once its name is known.
    markets: Vec<Option<Option<u32>>>,
    out: Writer<Slip>,
    sight: Sight,
    now_ns: u64,
}

impl Teller {
    /// The market of a stock locate, if it is one of the desk's.
    fn market(&mut self, books: &Books, locate: u16) -> Option<u32> {
        let known = &mut self.markets[usize::from(locate)];
        if known.is_none() {
            let name = books.name(locate)?;
            let is_it = |symbol: &String| symbol.as_bytes() == name.trim_ascii_end();
            *known = Some(self.symbols.iter().position(is_it).map(|at| at as u32));
        }
        known.flatten()
    }

    /// Tells what happened in a market, while it is shown.
    fn hear(&mut self, books: &Books, locate: u16, what: What, event_ns: u64) {
        if self.sight == Sight::Shown
            && let Some(symbol) = self.market(books, locate)
        {
            self.tell(symbol, what, event_ns);
        }
    }

    fn tell(&mut self, symbol: u32, what: What, event_ns: u64) {
        let event = Event {
            event_ns,
            received_ns: self.now_ns,
            symbol,
            what,
        };
        if self.out.put(self.now_ns, &Slip::event(&event)).is_err() {
            self.sight = Sight::Leaving;
        }
    }

    /// Takes the market away, if there is room to say so.
    fn hide(&mut self) {
        if !self.out.has_room(2 * self.symbols.len()) {
            self.sight = Sight::Leaving;
            return;
        }
        for symbol in 0..self.symbols.len() as u32 {
            self.tell(symbol, What::Clear, self.now_ns);
            self.tell(symbol, What::End, self.now_ns);
        }
        self.sight = Sight::Dark;
    }

    /// Tells the whole market, if there is room for that.
    fn show(&mut self, books: &Books) {
        let mut all = Vec::new();
        for (symbol, name) in (0..).zip(&self.symbols) {
            let book = books.locate(name).and_then(|locate| books.book(locate));
            all.push((symbol, What::Clear));
            for side in [Side::Buy, Side::Sell] {
                let levels = book.into_iter().flat_map(|book| book.levels(side));
                let told = levels.take(LEVELS_TOLD).map(|level| What::Level {
                    side,
                    price: level.price,
                    quantity: level.quantity,
                });
                all.extend(told.map(|what| (symbol, what)));
            }
            all.push((symbol, What::End));
        }
        // More than that waits for ever; but the ring's whole depth is never promised either.
        if self.out.has_room(all.len().min(EVENTS_DEPTH / 2)) {
            self.sight = Sight::Shown;
            for (symbol, what) in all {
                self.tell(symbol, what, self.now_ns);
            }
        }
    }
}

/// The books of a feed without our orders, told as events.
pub struct View {
    books: Books,
    /// The venue's numbers of our orders, in rising order, in which it gives them.
    own: Vec<u64>,
    teller: Teller,
}

impl View {
    /// Nothing yet. `symbols` are the venue's names of the markets, by their numbers.
    #[must_use]
    pub fn new(symbols: Vec<String>, out: Writer<Slip>) -> Self {
        Self {
            books: Books::new(),
            own: Vec::with_capacity(OWN_MAX),
            teller: Teller {
                symbols,
                markets: vec![None; 1 << 16],
                out,
                sight: Sight::Dark,
                now_ns: 0,
            },
        }
    }

    fn is_own(&self, order_ref: Option<u64>) -> bool {
        order_ref.is_some_and(|it| self.own.binary_search(&it).is_ok())
    }

    /// An order is ours: it is no part of the market.
    fn ours(&mut self, order_ref: u64) {
        let Err(place) = self.own.binary_search(&order_ref) else {
            return;
        };
        self.own.insert(place, order_ref);
        if self.own.len() == OWN_MAX {
            self.own.drain(..OWN_MAX / 2);
        }
        let Some((locate, side, price)) = self.take_out(order_ref) else {
            return;
        };
        let Self { books, teller, .. } = self;
        let now_ns = teller.now_ns;
        teller.hear(books, locate, standing(books, locate, side, price), now_ns);
        teller.hear(books, locate, What::End, now_ns);
    }

    /// Takes an order of ours out of the books; where it stood.
    fn take_out(&mut self, order_ref: u64) -> Option<(u16, Side, i64)> {
        let place = self.books.place_of(order_ref)?;
        self.books.change(OrderChange::Modify {
            order_ref,
            quantity: 0,
            price: place.2,
        });
        Some(place)
    }
}

impl Market for View {
    fn begin(&mut self) {
        self.books = Books::new();
        self.own.clear();
        self.teller.markets.fill(None);
        if self.teller.sight == Sight::Shown {
            self.teller.sight = Sight::Leaving;
        }
    }

    fn message(&mut self, bytes: &[u8]) -> bool {
        let Ok(message) = Message::parse(bytes) else {
            return false;
        };
        let is_ours = self.is_own(named(&message));
        if is_ours || self.is_own(added(&message)) {
            // What a replacement of ours becomes is ours.
            if let Some(order_ref) = added(&message).filter(|_| is_ours) {
                self.ours(order_ref);
            }
            return true;
        }
        let Self { books, teller, .. } = self;
        let day_ns = teller.now_ns - teller.now_ns % session::DAY_NS;
        let event_ns = day_ns + message.header().timestamp;
        apply_telling(books, &message, &mut |books, locate, what| {
            teller.hear(books, locate, what, event_ns);
        });
        true
    }

    fn snapshot(&mut self, image: Image) {
        self.books = image.books().clone();
        for at in 0..self.own.len() {
            self.take_out(self.own[at]);
        }
        if self.teller.sight == Sight::Shown {
            self.teller.sight = Sight::Leaving;
        }
    }
}

/// See the module.
pub struct MarketTile<U, T> {
    feed: FeedTile<U, T, View>,
    own: Reader<Slip>,
}

impl<U: UdpPort, T: TcpPort> MarketTile<U, T> {
    /// A tile that tells what `feed` hears; `own` brings the venue's numbers of our orders.
    #[must_use]
    pub const fn new(feed: FeedTile<U, T, View>, own: Reader<Slip>) -> Self {
        Self { feed, own }
    }

    fn turn(&mut self, now_ns: u64) -> Progress {
        let view = self.feed.market_mut();
        view.teller.now_ns = now_ns;
        let mut came = self.own.take(BATCH, |_, slip| {
            if let Some(Said::Own(order_ref)) = slip.read(0) {
                view.ours(order_ref);
            }
        });
        if !view.teller.out.has_room(ROOM) {
            view.teller.out.publish();
            return Progress::Waiting;
        }
        came += self.feed.turn(now_ns);
        let is_whole = self.feed.is_whole(now_ns);
        let is_stale = self.feed.lines().is_stale(now_ns);
        let View { books, teller, .. } = self.feed.market_mut();
        match teller.sight {
            Sight::Leaving => teller.hide(),
            // A gap that is being filled is none yet.
            Sight::Shown if is_stale => teller.hide(),
            Sight::Dark if is_whole => teller.show(books),
            _ => {}
        }
        teller.out.publish();
        Progress::of(came)
    }
}

impl<U: UdpPort + Send, T: TcpPort + Send> Feed for MarketTile<U, T> {
    fn is_ended(&self) -> bool {
        self.feed.lines().state() == State::Ended
    }

    fn is_dark(&self) -> bool {
        self.feed.market().teller.sight != Sight::Shown
    }

    fn told(&self) -> String {
        let (lines, counters) = (self.feed.lines(), self.feed.lines().counters());
        let ways = [Way::Line(0), Way::Line(1), Way::Answer];
        let packets = ways.map(|way| lines.counters_by(way).packets);
        format!(
            "feed: {} messages in {} packets, {} gaps, {} requests, {} snapshots, {} disputes\n",
            counters.messages,
            packets.iter().sum::<u64>(),
            counters.gaps,
            counters.requests,
            self.feed.snapshots_taken(),
            lines.disputes(),
        )
    }
}

impl<U: UdpPort + Send, T: TcpPort + Send> Tile for MarketTile<U, T> {
    fn poll(&mut self, now_ns: u64) -> Progress {
        self.turn(now_ns)
    }

    fn failure(&self) -> Option<&str> {
        None
    }
}
