//! An engine's state as bytes: the same for the same state, whatever limits, memory and history
//! brought it there. The format is in `docs/snapshot.md`.

use core::convert::Infallible;

use wire::ring::{QUANTITY_MAX, Side};

use crate::Engine;
use crate::books::{Book, Books};
use crate::carry::{Carrier, Hash, Number, RECORD_BYTES_MAX, Tag};
use crate::engine::{Day, Pending, Session};
use crate::heap::Heap;
use crate::kill::Kills;
use crate::parts::Parts;
use crate::place::{ANY_BUY, ANY_SELL};
use crate::slab::{NONE, ORDER_REF_MAX, Order, Slab};

/// What a snapshot begins with.
pub(crate) const MAGIC: [u8; 8] = *b"WXENGINE";
/// The version of the format.
pub(crate) const VERSION: u32 = 1;
/// Magic, version, four zeros, length.
pub(crate) const HEADER_BYTES: usize = 24;
/// The hash.
pub(crate) const TRAILER_BYTES: usize = 8;

/// The longest piece that is written at once, but for a record.
const PIECE_BYTES: usize = 4_096;
/// Room for a piece and a record.
const BUFFER_BYTES: usize = PIECE_BYTES + RECORD_BYTES_MAX;

const _: () = assert!(PIECE_BYTES.is_multiple_of(8));

/// Numbers that are taken from a snapshot leave room for a day of any length.
pub(crate) const NUMBERS_MAX: u64 = ORDER_REF_MAX / 2;

/// The counters of an engine and its day.
pub(crate) struct Venue {
    pub(crate) day: u8,
    pub(crate) orders_taken: u64,
    pub(crate) matches: u64,
    pub(crate) kills: Kills,
    /// Whether accounts are kept.
    pub(crate) accounts: u8,
}

impl Venue {
    /// What an engine has beside its tables, taken apart once for all.
    pub(crate) fn of(engine: &Engine<'_>) -> Self {
        let Engine {
            books,
            slab,
            expiries,
            // Made anew of the markets.
            timers: _,
            // That of both.
            due_ns: _,
            // Each input brings its own.
            now_ns: _,
            // Found again when orders are put in.
            refs: _,
            // Records of their own.
            markets: _,
            // Made anew of the orders.
            watches: _,
            sessions: _,
            asked: _,
            mandates: _,
            day,
            orders_taken,
            matches,
            kills,
            // Nothing between inputs.
            pending: _,
            after: _,
            // Records of their own.
            accounts,
            busts: _,
            // Changes nothing.
            ahead: _,
        } = engine;
        // By symbol and by order; the levels, tries and what is not shown follow from the orders.
        let Books {
            books: _,
            levels: _,
            dark: _,
            trie: _,
        } = books;
        // Which record an order has does not matter.
        let Slab {
            orders: _,
            parts,
            free: _,
            live: _,
        } = slab;
        let Parts {
            all: _,
            free: _,
            fresh: _,
            live: _,
        } = parts;
        // A heap may lie in many ways that give the same order.
        let Heap {
            all: _,
            len: _,
            next_ns: _,
        } = expiries;
        Self {
            day: *day as u8,
            orders_taken: *orders_taken,
            matches: *matches,
            kills: *kills,
            accounts: accounts.is_kept.into(),
        }
    }

    pub(crate) fn carry<C: Carrier>(&mut self, to: &mut C) -> Result<(), C::Error> {
        let Self {
            day,
            orders_taken,
            matches,
            kills,
            accounts,
        } = self;
        to.number("day", day, 0..=Day::Closed as u8)?;
        to.number("orders_taken", orders_taken, 0..=NUMBERS_MAX)?;
        to.number("matches", matches, 0..=NUMBERS_MAX)?;
        kills.carry(to)?;
        to.number("accounts_kept", accounts, 0..=1)
    }
}

/// An order on a book, but for its part.
#[derive(Clone, Copy, Default)]
pub(crate) struct Kept {
    pub(crate) side: u8,
    pub(crate) flags: u8,
    pub(crate) session: u16,
    pub(crate) user_ref: u32,
    pub(crate) order_ref: u64,
    pub(crate) price: u32,
    pub(crate) open: u32,
    pub(crate) executed: u32,
}

impl Kept {
    fn of(engine: &Engine<'_>, handle: u32) -> Self {
        let order = &engine.slab.orders[handle as usize];
        let who = order.identity();
        Self {
            side: who.side() as u8,
            flags: order.kept_flags(),
            session: who.session(),
            user_ref: who.user_ref,
            order_ref: who.order_ref,
            // That of a parked order stands in its part, and level 0 has none.
            price: engine.books.price(order.level),
            open: order.open(),
            executed: engine.slab.executed(order),
        }
    }

    pub(crate) fn is_parked(&self) -> bool {
        self.flags & Order::KEPT_PARKED != 0
    }

    pub(crate) fn carry<C: Carrier>(&mut self, to: &mut C) -> Result<(), C::Error> {
        let Self {
            side,
            flags,
            session,
            user_ref,
            order_ref,
            price,
            open,
            executed,
        } = self;
        to.number("order.side", side, 0..=1)?;
        to.bits("order.flags", flags, Order::KEPT_FLAGS)?;
        to.number("order.session", session, 1..=u16::MAX)?;
        to.number("order.user_ref", user_ref, 1..=u32::MAX)?;
        to.number("order.order_ref", order_ref, 1..=NUMBERS_MAX)?;
        to.number("order.price", price, ANY_SELL..=ANY_BUY)?;
        to.number("order.open", open, 1..=QUANTITY_MAX)?;
        to.number("order.executed", executed, 0..=QUANTITY_MAX - *open)
    }
}

impl Engine<'_> {
    /// Writes all that decides what the engine will answer, in pieces of at most 4,224 bytes. The
    /// same state gives the same bytes, whatever limits and history the engine has. Takes no
    /// memory. O(symbols + sessions + orders), and sessions x symbols if accounts are kept.
    ///
    /// # Panics
    /// If the input before is not [`Step::Done`](crate::Step::Done) yet.
    pub fn snapshot(&self, write: &mut dyn FnMut(&[u8])) {
        let bytes = self.snapshot_bytes();
        write(&MAGIC);
        write(&VERSION.to_le_bytes());
        write(&[0; 4]);
        write(&bytes.to_le_bytes());
        let hash = self.write_records(write);
        write(&hash.to_le_bytes());
    }

    /// How many bytes [`Engine::snapshot`] writes. As slow as that.
    ///
    /// # Panics
    /// As [`Engine::snapshot`].
    #[must_use]
    pub fn snapshot_bytes(&self) -> u64 {
        let mut bytes = (HEADER_BYTES + TRAILER_BYTES) as u64;
        self.write_records(&mut |piece| bytes += piece.len() as u64);
        bytes
    }

    /// A hash of all that decides what the engine will answer: that of its snapshot. Two engines
    /// that applied the same inputs agree, also with other limits as long as neither refused for
    /// want of room. O(symbols + sessions + orders).
    ///
    /// # Panics
    /// As [`Engine::snapshot`].
    #[must_use]
    pub fn state_hash(&self) -> u64 {
        self.write_records(&mut |_| ())
    }

    /// Writes the records between header and trailer; gives their hash.
    fn write_records(&self, write: &mut dyn FnMut(&[u8])) -> u64 {
        assert!(
            matches!(self.pending, Pending::Nothing),
            "resume the input before until it is done"
        );
        let mut writer = Writer {
            write,
            hash: Hash::EMPTY,
            buffer: [0; BUFFER_BYTES],
            len: 0,
        };
        writer.record(Tag::Venue, |to| Venue::of(self).carry(to));
        self.busts.write(&mut writer);
        let sessions = (0..=u16::MAX).zip(self.sessions.iter().zip(self.asked.iter()));
        for (mut number, (session, asked)) in sessions.filter(|(_, (one, _))| one.is_defined()) {
            writer.record(Tag::Session, |to| {
                to.any("session", &mut number)?;
                { *session }.carry(to)
            });
            self.write_mandate(&mut writer, number);
            if session.extra & Session::ASKED != 0 {
                writer.record(Tag::Asked, |to| { *asked }.carry(to));
            }
            if self.is_kept_by(number) {
                let account = &self.accounts.all[usize::from(session.defined)];
                writer.record(Tag::Account, |to| { *account }.carry(to));
            }
        }
        for (symbol, book) in self.defined_books() {
            self.write_symbol(&mut writer, symbol, book);
        }
        writer.record(Tag::End, |_| Ok(()));
        writer.end()
    }

    fn write_symbol(&self, writer: &mut Writer<'_>, mut symbol: u16, book: &Book) {
        writer.record(Tag::Symbol, |to| {
            to.any("symbol", &mut symbol)?;
            { *book }.carry(to)?;
            { *self.market(symbol) }.carry(to)
        });
        self.write_positions(writer, symbol);
        for side in [Side::Buy, Side::Sell] {
            self.books.for_levels(symbol, side, |level, _| {
                let mut handle = level.head;
                while handle != NONE {
                    self.write_order(writer, handle);
                    handle = self.slab.orders[handle as usize].next;
                }
            });
        }
        self.for_parked(symbol, |handle| self.write_order(writer, handle));
    }

    fn write_order(&self, writer: &mut Writer<'_>, handle: u32) {
        writer.record(Tag::Order, |to| Kept::of(self, handle).carry(to));
        if let Some(part) = self.slab.part_of(handle) {
            writer.record(Tag::Part, |to| { *part }.carry(to));
        }
    }
}

/// Gathers records, passes them on in pieces and hashes them.
pub(crate) struct Writer<'w> {
    write: &'w mut dyn FnMut(&[u8]),
    hash: Hash,
    buffer: [u8; BUFFER_BYTES],
    len: usize,
}

impl Writer<'_> {
    pub(crate) fn record(
        &mut self,
        tag: Tag,
        fields: impl FnOnce(&mut Self) -> Result<(), Infallible>,
    ) {
        if self.len >= PIECE_BYTES {
            self.pass_on(PIECE_BYTES);
            self.buffer.copy_within(PIECE_BYTES..self.len, 0);
            self.len -= PIECE_BYTES;
        }
        self.buffer[self.len] = tag as u8;
        self.len += 1;
        let Ok(()) = fields(self);
    }

    fn pass_on(&mut self, bytes: usize) {
        let piece = &self.buffer[..bytes];
        self.hash.add(piece);
        (self.write)(piece);
    }

    /// Passes on what is left; gives the hash.
    fn end(mut self) -> u64 {
        self.pass_on(self.len);
        self.hash.0
    }
}

impl Carrier for Writer<'_> {
    type Error = Infallible;

    fn any<N: Number>(&mut self, _: &'static str, value: &mut N) -> Result<(), Infallible> {
        let bytes = value.to_bytes();
        let bytes = bytes.as_ref();
        self.buffer[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
        Ok(())
    }

    fn check(&mut self, field: &'static str, is_good: bool) -> Result<(), Infallible> {
        debug_assert!(is_good, "{field} has a value that is not good");
        Ok(())
    }
}
