//! An engine from a snapshot's bytes, which are not trusted.

use bytemuck::Zeroable;
use wire::ring::{MarketState, Side};

use crate::ahead::Ahead;
use crate::books::{Book, Books, rank};
use crate::carry::{Carrier, Tag};
use crate::engine::{Day, Pending, Session};
use crate::kill::Kills;
use crate::limits::WHOLE_MAX;
use crate::market::{Market, is_trading};
use crate::parts::Part;
use crate::place::{ANY_BUY, ANY_SELL};
use crate::reader::{Reader, RestoreError, RestoreFault};
use crate::slab::{Identity, Order};
use crate::snapshot::{Kept, Venue};
use crate::{Engine, Limits, Line};

impl<'m> Engine<'m> {
    /// Makes an engine that goes on where the snapshotted one was. Clears the memory; lines beyond
    /// [`Limits::lines`] are not used. The limits may be other ones, with room for what there is.
    /// What the bytes say is checked; after an error the memory holds nothing of use.
    /// O(symbols + sessions + bytes), and accounts x symbols if accounts are kept.
    ///
    /// # Errors
    /// As [`Engine::new`]; or the first field that is wrong or finds no room.
    pub fn restore(
        limits: Limits,
        memory: &'m mut [Line],
        bytes: &[u8],
    ) -> Result<Self, RestoreError> {
        let mut engine = Self::new(limits, memory)?;
        engine.load(bytes)?;
        Ok(engine)
    }

    /// Makes an engine that [`Engine::new`] made go on where the snapshotted one was, as
    /// [`Engine::restore`] does. After an error it is as [`Engine::new`] made it, so that other
    /// bytes can be tried.
    ///
    /// # Errors
    /// The first field that is wrong or finds no room.
    pub fn load(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        let loaded = self.load_or_leave(bytes);
        if loaded.is_err() {
            self.clear();
        }
        loaded
    }

    /// As [`Engine::load`]; after an error it may hold anything.
    fn load_or_leave(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        let engine = self;
        let mut reader = Reader::new(bytes)?;
        let mut venue = Venue::of(engine);
        reader.record(Tag::Venue, |from| venue.carry(from))?;
        let Venue {
            day,
            orders_taken,
            matches,
            kills,
            accounts,
        } = venue;
        let room = accounts == 0 || engine.accounts.has_places();
        reader.require(room, "accounts_kept", RestoreFault::Room)?;
        engine.accounts.is_kept = accounts == 1;
        engine.day = match day {
            0 => Day::Before,
            1 => Day::Open,
            _ => Day::Closed,
        };
        (engine.orders_taken, engine.matches) = (orders_taken, matches);
        engine.kills = kills;
        engine.busts.read(&mut reader, matches)?;
        let mut last = 0;
        while reader.is_next(Tag::Session) {
            last = engine.restore_session(&mut reader, last)?;
        }
        let mut last = 0;
        while reader.is_next(Tag::Symbol) {
            last = engine.restore_symbol(&mut reader, last)?;
        }
        if engine.accounts.is_kept && reader.is_next(Tag::End) {
            engine.restore_counts(&reader)?;
        }
        reader.end()
    }

    /// Makes it as [`Engine::new`] made it. O(memory).
    pub fn clear(&mut self) {
        let Books {
            books,
            levels,
            dark,
            trie,
        } = &mut self.books;
        trie.clear();
        books.fill(Zeroable::zeroed());
        levels.fill(Zeroable::zeroed());
        dark.fill(0);
        self.markets.fill(Zeroable::zeroed());
        self.sessions.fill(Zeroable::zeroed());
        self.asked.fill(Zeroable::zeroed());
        self.mandates.fill(Zeroable::zeroed());
        self.watches.fill(Zeroable::zeroed());
        self.slab.clear();
        self.expiries.clear();
        self.timers.clear();
        self.refs.clear();
        self.after.clear();
        self.accounts.clear();
        self.busts.clear();
        (self.due_ns, self.now_ns) = (u64::MAX, 0);
        (self.orders_taken, self.matches) = (0, 0);
        (self.day, self.kills) = (Day::Before, Kills::NONE);
        (self.pending, self.ahead) = (Pending::Nothing, Ahead::EMPTY);
    }

    /// Reads a session, whose number is above the last one; gives it.
    fn restore_session(&mut self, reader: &mut Reader<'_>, last: u16) -> Result<u16, RestoreError> {
        let (mut number, mut session) = (0, Session::zeroed());
        reader.record(Tag::Session, |from| {
            from.any("session", &mut number)?;
            session.carry(from)
        })?;
        reader.require(number > last, "session", RestoreFault::Order)?;
        session.extra = self.kills.restore_bits(session.extra);
        let at = usize::from(number);
        reader.require(at < self.sessions.len(), "session", RestoreFault::Room)?;
        self.restore_mandate(reader, number, &mut session)?;
        if reader.is_next(Tag::Asked) {
            let asked = &mut self.asked[at];
            reader.record(Tag::Asked, |from| asked.carry(from))?;
            reader.require(!asked.is_plain(), "asked", RestoreFault::Value)?;
            session.extra |= Session::ASKED;
        }
        let place = self.accounts.join(session.account, number);
        session.defined = place.ok_or(reader.wrong("session.account", RestoreFault::Room))?;
        self.sessions[at] = session;
        if self.is_kept_by(number) {
            let account = &mut self.accounts.all[usize::from(session.defined)];
            reader.record(Tag::Account, |from| account.carry(from))?;
        }
        Ok(number)
    }

    /// Reads a symbol, whose number is above the last one, with its orders; gives it.
    fn restore_symbol(&mut self, reader: &mut Reader<'_>, last: u16) -> Result<u16, RestoreError> {
        let (mut symbol, mut book, mut market) = (0, Book::zeroed(), Market::zeroed());
        reader.record(Tag::Symbol, |from| {
            from.any("symbol", &mut symbol)?;
            book.carry(from)?;
            market.carry(from)
        })?;
        reader.require(symbol > last, "symbol", RestoreFault::Order)?;
        let books = &mut self.books.books;
        let room = usize::from(symbol) < books.len();
        reader.require(room, "symbol", RestoreFault::Room)?;
        books[usize::from(symbol)] = book;
        self.markets[usize::from(symbol)] = market;
        self.set_market_state(symbol, market.state());
        reader.require(market.ends_well(), "symbol.ends_ns", RestoreFault::Value)?;
        self.restore_market(symbol);
        let mut last = 0;
        while self.accounts.is_kept && reader.is_next(Tag::Position) {
            last = self.restore_position(reader, symbol, last)?;
        }
        let mut before = None;
        while reader.is_next(Tag::Order) {
            before = Some(self.restore_order(reader, symbol, before)?);
        }
        let fits = self.whole_count(symbol) <= WHOLE_MAX;
        reader.require(fits, "part.whole", RestoreFault::Room)?;
        self.check_uncrossed(reader, symbol)?;
        self.restore_lists(symbol);
        Ok(symbol)
    }

    /// Whether a book whose orders were just read is not crossed while they trade.
    fn check_uncrossed(&self, reader: &Reader<'_>, symbol: u16) -> Result<(), RestoreError> {
        let book = &self.books.books[usize::from(symbol)];
        let [buy, sell] = [Side::Buy, Side::Sell].map(|side| book.best(side));
        let crossed = buy
            .zip(sell)
            .is_some_and(|((_, buy), (_, sell))| buy >= sell);
        let fits = !crossed || !is_trading(self.state(symbol));
        reader.require(fits, "order.price", RestoreFault::Order)
    }

    /// Reads an order that stands behind the one before it, and its part; gives it.
    fn restore_order(
        &mut self,
        reader: &mut Reader<'_>,
        symbol: u16,
        before: Option<Kept>,
    ) -> Result<Kept, RestoreError> {
        let mut kept = Kept::default();
        reader.record(Tag::Order, |from| kept.carry(from))?;
        let side = if kept.side == Side::Buy as u8 {
            Side::Buy
        } else {
            Side::Sell
        };
        let place = |one: &Kept| match one.is_parked() {
            true => (2, 0, one.order_ref),
            false => (one.side, u32::MAX - rank(side, one.price), one.order_ref),
        };
        let sorted = before.is_none_or(|one| place(&one) < place(&kept));
        reader.require(sorted, "order", RestoreFault::Order)?;
        self.check_order(reader, symbol, &kept)?;
        let who = Identity {
            head: Identity::head(side, symbol, kept.session),
            order_ref: kept.order_ref,
            user_ref: kept.user_ref,
        };
        let level = self.restore_level(reader, symbol, side, &kept)?;
        let mut order = Order::new(&who, kept.open, kept.executed, level);
        order.set_kept_flags(kept.flags);
        let handle = if kept.is_parked() {
            let handle = self.slab.insert(order);
            self.parked_add(symbol, handle);
            handle
        } else {
            if matches!(kept.price, ANY_BUY | ANY_SELL) {
                order.set_any_price();
            }
            self.books.append(&mut self.slab, order)
        };
        let orders = &*self.slab.orders;
        self.refs
            .insert(orders, kept.session, kept.user_ref, handle);
        if kept.is_parked() || reader.is_next(Tag::Part) {
            self.restore_part(reader, handle)?;
        }
        self.restore_wait(symbol, handle);
        if self.slab.orders[handle as usize].is_special() {
            self.darken(handle);
        }
        Ok(kept)
    }

    /// The level of an order that was read; a parked one has none.
    fn restore_level(
        &mut self,
        reader: &Reader<'_>,
        symbol: u16,
        side: Side,
        kept: &Kept,
    ) -> Result<u32, RestoreError> {
        if kept.is_parked() {
            return Ok(0);
        }
        if let Some(level) = self.books.find(symbol, side, kept.price) {
            return Ok(level);
        }
        let room = self.books.trie.has_room();
        reader.require(room, "order.price", RestoreFault::Room)?;
        Ok(self.books.open(symbol, side, kept.price))
    }

    /// Whether an order is one that its session, its symbol and its day can have, and finds room.
    fn check_order(
        &self,
        reader: &Reader<'_>,
        symbol: u16,
        kept: &Kept,
    ) -> Result<(), RestoreError> {
        use RestoreFault::{Room, Taken, Value};
        let session = self.sessions.get(usize::from(kept.session));
        let session = session.filter(|session| session.is_defined());
        let session = session.ok_or(reader.wrong("order.session", Value))?;
        reader.require(self.day == Day::Open, "day", Value)?;
        let takes_orders = self.state(symbol) != MarketState::Closed;
        reader.require(takes_orders, "symbol.state", Value)?;
        let user = self.user_of(kept.session);
        let user_ref_last = self.sessions[usize::from(user)].user_ref_last;
        let known = session.has_free_refs() || kept.user_ref <= user_ref_last;
        reader.require(known, "order.user_ref", Value)?;
        let counted = kept.order_ref <= self.orders_taken;
        reader.require(counted, "order.order_ref", Value)?;
        let any_price = if kept.side == Side::Buy as u8 {
            ANY_BUY
        } else {
            ANY_SELL
        };
        let good = match kept.price {
            0 if kept.is_parked() => true,
            _ if kept.is_parked() => false,
            ANY_BUY | ANY_SELL => kept.price == any_price && !is_trading(self.state(symbol)),
            _ => true,
        };
        reader.require(good, "order.price", Value)?;
        reader.require(self.slab.has_room(), "order", Room)?;
        let taken = self.find_order(user, kept.user_ref).is_some();
        reader.require(!taken, "order.user_ref", Taken)
    }

    /// Reads the part of an order that was just put on its book.
    fn restore_part(&mut self, reader: &mut Reader<'_>, handle: u32) -> Result<(), RestoreError> {
        let mut part = Part::zeroed();
        reader.record(Tag::Part, |from| part.carry(from))?;
        let order = &self.slab.orders[handle as usize];
        let tick = self.books.books[usize::from(order.identity().symbol())].tick;
        let is_elected = part.children != [0; 2];
        let comes_to_life = is_trading(self.state(order.identity().symbol()));
        reader.require(
            !(is_elected && comes_to_life),
            "part.elected",
            RestoreFault::Value,
        )?;
        let fits = part.fits(order, tick);
        reader.require(fits, "part", RestoreFault::Value)?;
        let room = self.slab.parts.has_room();
        reader.require(room, "part", RestoreFault::Room)?;
        let own = self.slab.make_part(handle);
        (own.tip, own.displayed) = (part.tip, part.displayed);
        (own.price, own.amount, own.mark) = (part.price, part.amount, part.mark);
        (own.condition, own.is_whole) = (part.condition, part.is_whole);
        own.life = part.life;
        // A stop that this makes an elected one is linked with the others.
        [own.children[0], _] = part.children;
        if part.expiry_ns != 0 {
            self.expire_at(handle, part.expiry_ns);
        }
        Ok(())
    }
}
