//! Consequences: what follows from an input once its own events are out.
//!
//! Only books that are watched, those with parked or pegged orders or with bands, have any.
//! Whatever touches such a book marks its symbol; when the input's own work is done, the marked
//! symbols are worked off, lowest first, in small pieces of work, so many a step. As it is not
//! known before whether there will be another event, the last one of a step is held back until the
//! next step or the end.

use wire::ring::{Event, EventKind};

use crate::engine::Pending;
use crate::events::Words;
use crate::memory::cleared;
use crate::minimum::Judged;
use crate::parked::Wait;
use crate::pegs::{Batch, Looking, Marks};
use crate::slab::NONE;
use crate::stops::Ticking;
use crate::trade::Taker;
use crate::watch::{List, MARKS_UNKNOWN};
use crate::{EVENTS_MAX, Engine, Events, Step};

/// Pieces of work of a step. A piece moves one trigger, elects one stop, prices one peg, or looks
/// at [`LOOKS_A_PIECE_MAX`] levels or orders; or it lets one order arrive.
pub(crate) const PIECES_A_STEP_MAX: u32 = 64;

/// Levels or orders that a piece of work looks at.
pub(crate) const LOOKS_A_PIECE_MAX: usize = 16;

/// Events that must fit ahead of a piece of work: that an order arrives, and its fate.
const PIECE_EVENTS: usize = 2;

const _: () = assert!(EVENTS_MAX > PIECE_EVENTS + 1);

/// What became of a piece of work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// It is done; there may be more.
    Done,
    /// An order that arrived still trades.
    Trading,
    /// There was nothing to do for the symbol.
    None,
}

/// Where the consequences of an input are.
pub(crate) struct After<'m> {
    /// Symbols to be looked at, a bit each.
    marked: &'m mut [u64],
    /// How many there are.
    count: u32,
    /// No word before this one has any.
    word: usize,
    /// Books that are watched.
    pub(crate) books_watched: u32,
    /// The last event so far, while it is not known whether it is the last one.
    held: Option<Words>,
    pub(crate) ticking: Ticking,
    /// The part of the next all-or-none order to be tried.
    pub(crate) trial: u32,
    /// The trial that is going on.
    pub(crate) judged: Option<Judged>,
    /// Pegs' references that are being looked for.
    pub(crate) looking: Option<Looking>,
    /// Of the peg that arrives.
    pub(crate) marks: Marks,
    /// Pegs that are being repriced.
    pub(crate) batch: Option<Batch>,
}

impl<'m> After<'m> {
    pub(crate) fn new(marked: &'m mut [u64]) -> Self {
        Self {
            marked,
            count: 0,
            word: 0,
            books_watched: 0,
            held: None,
            ticking: Ticking::Fresh,
            trial: NONE,
            judged: None,
            looking: None,
            marks: [0; 2],
            batch: None,
        }
    }

    /// Forgets all that was to be looked at.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(cleared(&mut self.marked));
    }

    /// Marks a symbol whose book is watched.
    pub(crate) fn mark(&mut self, symbol: u16) {
        let (word, bit) = (usize::from(symbol / 64), 1 << (symbol % 64));
        if self.marked[word] & bit == 0 {
            self.word = if self.count == 0 {
                word
            } else {
                word.min(self.word)
            };
            self.marked[word] |= bit;
            self.count += 1;
        }
    }

    /// The lowest marked symbol.
    fn first(&mut self) -> Option<u16> {
        if self.count == 0 {
            return None;
        }
        while self.marked[self.word] == 0 {
            self.word += 1;
        }
        Some((self.word as u32 * 64 + self.marked[self.word].trailing_zeros()) as u16)
    }

    fn unmark(&mut self, symbol: u16) {
        self.marked[usize::from(symbol / 64)] &= !(1 << (symbol % 64));
        self.count -= 1;
    }

    /// Nothing follows from what was marked.
    pub(crate) fn unmark_all(&mut self) {
        while let Some(symbol) = self.first() {
            self.unmark(symbol);
        }
    }

    /// A part left its list, and this one is behind it there.
    pub(crate) fn skip(&mut self, part: u32, next: u32) {
        if let Some(batch) = self.batch.as_mut().filter(|batch| batch.part == part) {
            batch.part = next;
        }
    }
}

impl Engine<'_> {
    /// Whether something may follow from what happens to a symbol.
    #[inline]
    pub(crate) fn is_watched(&self, symbol: u16) -> bool {
        self.after.books_watched != 0 && self.books.books[usize::from(symbol)].is_watched()
    }

    /// Marks a symbol that something happened to, if something may follow from it.
    #[inline]
    pub(crate) fn touch(&mut self, symbol: u16) {
        if self.is_watched(symbol) {
            self.after.mark(symbol);
        }
    }

    /// As [`Engine::touch`], when there may be more units on the book, or an order needs fewer.
    pub(crate) fn due(&mut self, symbol: u16) {
        self.touch(symbol);
        self.watches[usize::from(symbol)].is_due = 1;
    }

    /// A symbol's orders trade as they arrive from now on.
    pub(crate) fn wake(&mut self, symbol: u16) {
        self.watches[usize::from(symbol)].marks = MARKS_UNKNOWN;
        self.due(symbol);
    }

    /// Ends an input whose own work is done; what follows from it comes first.
    #[inline]
    pub(crate) fn ended(&mut self, step: Step, events: &mut Events) -> Step {
        if step == Step::More || self.after.count == 0 {
            return step;
        }
        self.follow(events)
    }

    /// Works off what follows from an input.
    #[cold]
    #[inline(never)]
    pub(crate) fn follow(&mut self, events: &mut Events) -> Step {
        events.mark_last(false);
        let mut pieces = 0;
        while let Some(symbol) = self.after.first() {
            if pieces == PIECES_A_STEP_MAX || events.room() < PIECE_EVENTS {
                self.after.held = events.pop();
                self.pending = Pending::After;
                return Step::More;
            }
            pieces += 1;
            match self.work(symbol, events) {
                Piece::Done => events.mark_last(false),
                Piece::Trading => return Step::More,
                Piece::None => self.after.unmark(symbol),
            }
        }
        events.mark_last(true);
        Step::Done
    }

    /// Gives back the event that was held back when the last step ended.
    pub(crate) fn release(&mut self, events: &mut Events) {
        if let Some(held) = self.after.held.take() {
            events.push_words(held);
        }
    }

    /// Does the next piece of work for a symbol.
    fn work(&mut self, symbol: u16, events: &mut Events) -> Piece {
        if !self.is_continuous(symbol) {
            return Piece::None;
        }
        if self.tick_on(symbol) {
            return Piece::Done;
        }
        if let Some(batch) = self.after.batch {
            return self.reprice_on(batch, events);
        }
        let elected = self.watches[usize::from(symbol)].list(List::Elected).head;
        if elected != NONE {
            return self.enliven(elected, events);
        }
        if let Some(piece) = self.try_whole(symbol, events) {
            return piece;
        }
        let piece = self.look_at_pegs(symbol);
        if piece == Piece::None {
            self.look_at_limit(symbol, events);
        }
        piece
    }

    /// A parked order comes to life.
    pub(crate) fn enliven(&mut self, part: u32, events: &mut Events) -> Piece {
        let handle = self.slab.parts.all[part as usize].order;
        let related = self.slab.orders[handle as usize].identity().order_ref;
        let mut taker = self.taker_of(handle);
        if !taker.wait.is_whole {
            self.bound_price(&mut taker);
        }
        self.bound_reach(&mut taker);
        taker.wait = Wait::NONE;
        taker.who.order_ref = self.order_ref_next();
        self.take_off(self.refs.find(self.slab.orders, handle));
        self.arrive(&mut taker, EventKind::Triggered, related, events)
    }

    /// An order of a watched book arrives that was live before under another number.
    pub(crate) fn arrive(
        &mut self,
        taker: &mut Taker,
        kind: EventKind,
        related: u64,
        events: &mut Events,
    ) -> Piece {
        if taker.price == 0 {
            events.push_words(Words {
                related,
                ..taker.event(kind, Event::PARKED)
            });
            self.park(taker);
            return Piece::Done;
        }
        let rests = taker.rests && !self.meets(taker) && self.has_level(taker);
        let flags = if rests { Event::BOOKED } else { 0 };
        events.push_words(Words {
            related,
            ..taker.event(kind, flags)
        });
        if rests {
            self.rest_anew(taker);
            return Piece::Done;
        }
        match self.trade(taker, events) {
            Step::Done => Piece::Done,
            Step::More => Piece::Trading,
        }
    }
}
