//! Pegs: hidden orders whose price follows the best shown prices.
//!
//! While a symbol has pegs, all of them are priced by the same references, its marks. When the
//! references are others after an input, the pegs are gone through once, by number, and those whose
//! price is another one now arrive anew; else none is looked at.

use wire::ring::{Command, CommandKind, Condition, EventKind, PRICE_MARKET, PRICE_MAX, Side};

use crate::after::{LOOKS_A_PIECE_MAX, Piece};
use crate::bands::Edges;
use crate::books::{Walk, rank};
use crate::engine::Pending;
use crate::parked::{Wait, reach};
use crate::slab::NONE;
use crate::trade::Taker;
use crate::watch::{List, MARKS_UNKNOWN};
use crate::{Engine, Events, Step};

/// Levels that a step looks at ahead of the input of a peg.
const LOOKS_A_STEP_MAX: usize = 256;

/// The best price of each side at which shown units stand, 0 for none.
pub(crate) type Marks = [u32; 2];

/// References that are being looked for: the ways to those that were not found yet.
#[derive(Clone, Copy)]
pub(crate) struct Looking {
    ways: [Option<Walk>; 2],
    marks: Marks,
    /// A level, and shown units there that do not count.
    without: (u32, u64),
}

/// Pegs that are gone through.
#[derive(Clone, Copy)]
pub(crate) struct Batch {
    /// The next one.
    pub(crate) part: u32,
    marks: Marks,
    /// The band at that moment.
    edges: Option<Edges>,
    /// Pegs with greater numbers were priced already.
    order_ref_last: u64,
}

impl Wait {
    /// Price of a peg.
    fn price(&self, side: Side, marks: Marks, tick: u32) -> Option<u32> {
        let [bid, ask] = marks.map(|mark| (mark != 0).then_some(i64::from(mark)));
        let (tick, amount) = (i64::from(tick), i64::from(self.amount));
        let (own, other) = match side {
            Side::Buy => (bid, ask),
            Side::Sell => (ask, bid),
        };
        // Towards the other side, up for a buy.
        let towards = if side == Side::Buy { 1 } else { -1 };
        let safer = |one: i64, two: i64| match side {
            Side::Buy => one.min(two),
            Side::Sell => one.max(two),
        };
        let mut price = match Condition::from_byte(self.condition)? {
            Condition::PrimaryPeg => {
                let price = own? + towards * amount;
                other.map_or(price, |other| safer(price, other - towards * tick))
            }
            Condition::MarketPeg => other? - towards * amount,
            Condition::MidpointPeg => {
                let sum = bid? + ask?;
                let half = if side == Side::Buy {
                    sum / 2
                } else {
                    (sum + 1) / 2
                };
                half - towards * amount
            }
            _ => return None,
        };
        if i64::from(self.cap) != PRICE_MARKET {
            price = safer(price, i64::from(self.cap));
        }
        if self.condition != Condition::MidpointPeg as u8 {
            let above = price.rem_euclid(tick);
            price -= above;
            if side == Side::Sell && above != 0 {
                price += tick;
            }
        }
        (1..=PRICE_MAX).contains(&price).then_some(price as u32)
    }
}

impl Engine<'_> {
    /// Prices a peg by references and a band; without a price it is 0.
    pub(crate) fn price_peg(&self, taker: &mut Taker, marks: Marks, edges: Option<Edges>) {
        let side = taker.who.side();
        let mut wait = taker.wait;
        if let Some(edges) = edges {
            wait.cap = edges.within(side, wait.cap);
        }
        let price = wait.price(side, marks, self.book_of(taker).tick);
        taker.price = price.unwrap_or(0);
        taker.reach = reach(side, taker.price);
        taker.rests = price.is_some();
    }

    /// The symbol of the order that a `New` or `Replace` enters, if there is one, and the units
    /// that a replaced order shows.
    fn place_of(&self, command: &Command) -> Option<(u16, (u32, u64))> {
        if command.kind == CommandKind::New as u8 {
            let book = self.books.books.get(usize::from(command.symbol))?;
            return book.is_defined().then_some((command.symbol, (NONE, 0)));
        }
        let (session, old) = (command.session, command.old_user_ref);
        let found = self.find_order(session, old)?;
        let order = &self.slab.orders[found.order as usize];
        let shown = u64::from(order.open()) - self.dark_of(found.order);
        Some((order.identity().symbol(), (order.level, shown)))
    }

    /// Sorts a peg that was just priced in with the others. If it has traded since, it may have
    /// moved the band that it was priced in.
    pub(crate) fn peg_add(&mut self, symbol: u16, part: u32, has_traded: bool) {
        let marks = self.after.marks;
        let watch = &mut self.watches[usize::from(symbol)];
        let is_first = watch.list(List::Pegs).head == NONE;
        // Of a batch it is known what it is priced by, and whether it moved the band.
        let is_new = self.after.batch.is_none();
        if is_new && is_first && !has_traded {
            watch.marks = marks;
        } else if is_new && (is_first || watch.marks != marks) {
            watch.marks = MARKS_UNKNOWN;
        }
        self.list_add(symbol, List::Pegs, part);
        self.watch(symbol);
    }

    fn looking(&self, symbol: u16, without: (u32, u64)) -> Looking {
        let book = &self.books.books[usize::from(symbol)];
        Looking {
            ways: [Side::Buy, Side::Sell].map(|side| Some(book.walk(side))),
            marks: [0; 2],
            without,
        }
    }

    /// Looks on for a symbol's references at so many levels; whether both were looked for to the
    /// end.
    fn look_on(&self, symbol: u16, looking: &mut Looking, looks: usize) -> bool {
        let book = &self.books.books[usize::from(symbol)];
        for _ in 0..looks {
            let Some(at) = looking.ways.iter().position(Option::is_some) else {
                return true;
            };
            let side = if at == 0 { Side::Buy } else { Side::Sell };
            let way = &mut looking.ways[at];
            match way.as_mut().and_then(|way| self.books.walk_on(book, way)) {
                None => *way = None,
                Some((level, best)) => {
                    let (without, units) = looking.without;
                    let less = if level == without { units } else { 0 };
                    if self.books.shown(level) > less {
                        looking.marks[at] = rank(side, best);
                        *way = None;
                    }
                }
            }
        }
        false
    }

    /// Ahead of the order that a peg's `Extra` was for: finds the references that it will need. A
    /// step of its own if that takes long.
    pub(crate) fn look_ahead_of_peg(&mut self, command: &Command) -> Step {
        let place = self.place_of(command);
        let Some((symbol, without)) = place.filter(|(symbol, _)| self.is_continuous(*symbol))
        else {
            self.after.marks = [0; 2];
            return Step::Done;
        };
        let looking = self.after.looking.take();
        let mut looking = looking.unwrap_or_else(|| self.looking(symbol, without));
        if self.look_on(symbol, &mut looking, LOOKS_A_STEP_MAX) {
            self.after.marks = looking.marks;
            return Step::Done;
        }
        self.after.looking = Some(looking);
        self.pending = Pending::Look(*command);
        Step::More
    }

    /// Looks whether a symbol's references are others than those that its pegs are priced by.
    pub(crate) fn look_at_pegs(&mut self, symbol: u16) -> Piece {
        let head = self.watches[usize::from(symbol)].list(List::Pegs).head;
        if head == NONE {
            return Piece::None;
        }
        let looking = self.after.looking.take();
        let mut looking = looking.unwrap_or_else(|| self.looking(symbol, (NONE, 0)));
        if !self.look_on(symbol, &mut looking, LOOKS_A_PIECE_MAX) {
            self.after.looking = Some(looking);
            return Piece::Done;
        }
        let watch = &mut self.watches[usize::from(symbol)];
        if watch.marks == looking.marks {
            return Piece::None;
        }
        watch.marks = looking.marks;
        self.after.marks = looking.marks;
        self.after.batch = Some(Batch {
            part: head,
            marks: looking.marks,
            edges: self.dynamic_edges(symbol),
            order_ref_last: self.orders_taken,
        });
        Piece::Done
    }

    /// Looks at the next peg of a batch: it arrives anew if its price is another one now.
    pub(crate) fn reprice_on(&mut self, batch: Batch, events: &mut Events) -> Piece {
        let part = self.slab.parts.all[batch.part as usize];
        let handle = part.order;
        let related = self.slab.orders[handle as usize].identity().order_ref;
        if batch.part == NONE || related > batch.order_ref_last {
            self.after.batch = None;
            return Piece::Done;
        }
        self.after.batch = Some(Batch {
            part: part.next,
            ..batch
        });
        let mut taker = self.taker_of(handle);
        let price = taker.price;
        self.price_peg(&mut taker, batch.marks, batch.edges);
        if taker.price == price {
            return Piece::Done;
        }
        // Those before it may have moved the band.
        self.bound_reach(&mut taker);
        taker.who.order_ref = self.order_ref_next();
        self.take_off(self.refs.find(self.slab.orders, handle));
        self.arrive(&mut taker, EventKind::Repriced, related, events)
    }
}
