//! The auction: the one price at which most units trade, and the trades at it.
//!
//! Demand falls and supply grows with the price. Where they cross is found as a match would find
//! it: always the side with fewer units so far gives its next level, as long as that one's price
//! still helps the other side. What was not taken then is on the wrong side of the crossing, so the
//! price is that of one of five neighbours: the last levels taken, the next ones, and the
//! reference. Levels know their units, so no order is looked at, and only the levels that cross
//! are.

use core::cmp::{Ordering, Reverse};

use wire::ring::{Event, EventKind, MarketState, PRICE_MAX, Reason, Side};

use crate::answers::{code, of_order};
use crate::books::{Book, Walk};
use crate::events::{Words, pair};
use crate::place::{ANY_BUY, ANY_SELL};
use crate::slab::NONE;
use crate::watch::List;
use crate::{Engine, Events};

/// Levels that one step of a search looks at.
const LOOKS_A_STEP_MAX: usize = 256;

/// Events of a pair of orders: two trades and two fresh tips.
pub(crate) const PAIR_EVENTS_MAX: usize = 4;

/// A search for the price of an auction.
#[derive(Clone, Copy)]
pub(crate) struct Search {
    symbol: u16,
    buys: Front,
    sells: Front,
}

/// How far a search came on a side.
#[derive(Clone, Copy)]
struct Front {
    walk: Walk,
    /// Units taken so far.
    units: u64,
    /// Price of the last level taken; before the first one, a price that reaches nobody.
    last: u32,
}

/// What an auction comes to.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cross {
    pub(crate) price: u32,
    demand: u64,
    supply: u64,
}

impl Cross {
    pub(crate) fn volume(&self) -> u64 {
        self.demand.min(self.supply)
    }

    /// Puts price, volume and imbalance into an event.
    pub(crate) fn tell(&self, event: Event) -> Event {
        let side = if self.supply > self.demand {
            Side::Sell
        } else {
            Side::Buy
        };
        let units = |units: u64| u32::try_from(units).unwrap_or(u32::MAX);
        Event {
            side: side as u8,
            price: i64::from(self.price),
            quantity: units(self.volume()),
            leaves: units(self.demand.abs_diff(self.supply)),
            ..event
        }
    }

    /// Which of two has the better volume or, at the same, imbalance.
    fn against(&self, other: &Self) -> Ordering {
        let key = |one: &Self| (one.volume(), Reverse(one.demand.abs_diff(one.supply)));
        key(self).cmp(&key(other))
    }
}

impl Front {
    fn new(book: &Book, side: Side, last: u32) -> Self {
        Self {
            walk: book.walk(side),
            units: 0,
            last,
        }
    }
}

impl Engine<'_> {
    pub(crate) fn search_start(&self, symbol: u16) -> Search {
        let book = &self.books.books[usize::from(symbol)];
        Search {
            symbol,
            buys: Front::new(book, Side::Buy, 0),
            sells: Front::new(book, Side::Sell, u32::MAX),
        }
    }

    /// Goes on with a search; gives what it found if it is at its end.
    pub(crate) fn search_on(&self, search: &mut Search) -> Option<Cross> {
        let book = &self.books.books[usize::from(search.symbol)];
        for _ in 0..LOOKS_A_STEP_MAX {
            let Search { buys, sells, .. } = search;
            let (buy, sell) = (buys.walk.price(), sells.walk.price());
            let front = match buys.units.cmp(&sells.units) {
                Ordering::Greater if sell.is_some_and(|sell| sell <= buys.last) => sells,
                Ordering::Less if buy.is_some_and(|buy| buy >= sells.last) => buys,
                Ordering::Equal if buy.zip(sell).is_some_and(|(buy, sell)| buy >= sell) => buys,
                _ => return Some(self.choose(search)),
            };
            self.take_level(book, front);
        }
        None
    }

    fn take_level(&self, book: &Book, front: &mut Front) {
        let price = front.walk.price();
        if let (Some((level, _)), Some(price)) = (self.books.walk_on(book, &mut front.walk), price)
        {
            front.units += self.books.levels[level as usize].quantity;
            front.last = price;
        }
    }

    /// The price of a search that is at its end.
    fn choose(&self, search: &Search) -> Cross {
        let book = &self.books.books[usize::from(search.symbol)];
        let reference = self.market_price(search.symbol);
        let (buys, sells) = (&search.buys, &search.sells);
        // The next levels: no candidate is beyond those after them.
        let (mut buys_next, mut sells_next) = (*buys, *sells);
        self.take_level(book, &mut buys_next);
        self.take_level(book, &mut sells_next);
        let (buy, sell) = (buys.walk.price(), sells.walk.price());
        let lowest = buys_next.walk.price().map_or(0, |price| price + 1);
        let highest = sells_next.walk.price().map_or(u32::MAX, |price| price - 1);
        let neighbours = [reference, Some(buys.last), Some(sells.last), buy, sell];
        let is_candidate = |price: &u32| {
            (1..=PRICE_MAX as u32).contains(price)
                && (sells.last..=buys.last).contains(price)
                && (lowest..=highest).contains(price)
        };
        let candidates = neighbours.into_iter().flatten().filter(is_candidate);
        let crosses = candidates.map(|price| Cross {
            price,
            demand: if buy.is_some_and(|buy| price <= buy) {
                buys_next.units
            } else {
                buys.units
            },
            supply: if sell.is_some_and(|sell| price >= sell) {
                sells_next.units
            } else {
                sells.units
            },
        });
        best_of(crosses.filter(|cross| cross.volume() > 0), reference)
    }

    /// Trades the first buy with the first sell at a price; false if one of them does not accept
    /// it.
    pub(crate) fn trade_pair(&mut self, symbol: u16, price: u32, events: &mut Events) -> bool {
        let book = &self.books.books[usize::from(symbol)];
        let (Some((buys, bid)), Some((sells, ask))) = (book.best(Side::Buy), book.best(Side::Sell))
        else {
            return false;
        };
        if bid < price || ask > price {
            return false;
        }
        let [buy, sell] = [buys, sells].map(|level| self.books.levels[level as usize].head);
        assert!(buy != NONE && sell != NONE, "a best price without orders");
        let quantity = self.tip(buy).min(self.tip(sell));
        self.matches += 1;
        let parties = [(buy, bid), (sell, ask)].map(|(handle, limit)| {
            let is_gone = self.spend(handle, quantity);
            if self.accounts.is_kept {
                let who = self.slab.orders[handle as usize].identity();
                self.count_auctioned(&who, quantity, limit, price);
            }
            events.push_words(self.auctioned(handle, quantity, price));
            (handle, limit, is_gone)
        });
        for (handle, limit, is_gone) in parties {
            if self.slab.orders[handle as usize].open() == 0 {
                self.take_off(self.refs.find(self.slab.orders, handle));
            } else if is_gone {
                events.push_words(self.refresh(handle, limit, 0));
            }
        }
        true
    }

    /// Takes off the oldest of the orders that only wanted the auction; false if there is none.
    pub(crate) fn leave_after_auction(&mut self, symbol: u16, events: &mut Events) -> bool {
        let is_closing = self.state(symbol) == MarketState::ClosingAuction;
        let watch = &self.watches[usize::from(symbol)];
        let [open, close] = [List::Opening, List::Closing].map(|list| {
            let part = watch.list(list).head;
            self.slab.parts.all[part as usize].order
        });
        let close = if is_closing { close } else { NONE };
        let [buy, sell] = [(Side::Buy, ANY_BUY), (Side::Sell, ANY_SELL)].map(|(side, price)| {
            let level = self.books.find(symbol, side, price);
            level.map_or(NONE, |level| self.books.levels[level as usize].head)
        });
        let number = |handle: &u32| self.slab.orders[*handle as usize].identity().order_ref;
        let over = [buy, sell, open, close]
            .into_iter()
            .filter(|handle| *handle != NONE);
        let Some(handle) = over.min_by_key(number) else {
            return false;
        };
        events.push_words(self.canceled(handle, Reason::AuctionOver, 0));
        self.take_off(self.refs.find(self.slab.orders, handle));
        true
    }

    /// The event of an order that traded in an auction.
    fn auctioned(&self, handle: u32, quantity: u32, price: u32) -> Words {
        const FLAGS: u8 = Event::MAKER | Event::BOOKED | Event::AUCTION;
        let order = &self.slab.orders[handle as usize];
        let code = code(EventKind::Executed, Reason::None, FLAGS);
        Words {
            related: self.matches,
            ..of_order(&order.identity(), code, pair(quantity, order.open()), price)
        }
    }
}

/// The cross of the greatest volume, of these of the least imbalance, of these the one that the
/// imbalance or else the reference points to.
fn best_of(crosses: impl Iterator<Item = Cross> + Clone, reference: Option<u32>) -> Cross {
    let Some(best) = crosses.clone().max_by(Cross::against) else {
        return Cross::default();
    };
    let alike = crosses.filter(|cross| cross.against(&best) == Ordering::Equal);
    let price = |cross: &Cross| cross.price;
    let chosen = if alike.clone().all(|cross| cross.demand > cross.supply) {
        alike.max_by_key(price)
    } else if alike.clone().all(|cross| cross.supply > cross.demand) {
        alike.min_by_key(price)
    } else {
        // Of two equally near ones the higher.
        let distance = |cross: &Cross| match reference {
            Some(reference) => (cross.price.abs_diff(reference), Reverse(cross.price)),
            None => (cross.price, Reverse(0)),
        };
        alike.min_by_key(distance)
    };
    chosen.unwrap_or_default()
}
