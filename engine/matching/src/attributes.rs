//! What an `Extra` asks of the order behind it: the checks, and the order's entry.
//!
//! A plain order never comes here: its session has nothing asked.

use bytemuck::{Pod, Zeroable};
use wire::ring::{
    Command, CommandKind, EXTRA_HIDDEN, EXTRA_POST_ONLY, EXTRA_SLIDE, Event, EventKind, Input,
    PRICE_MARKET, PRICE_MAX, Reason, Side, TimeInForce,
};

use crate::answers::about;
use crate::books::rank;
use crate::carry::Carrier;
use crate::engine::{Day, Session};
use crate::entry::rejected;
use crate::place::ANY_BUY;
use crate::refs::Found;
use crate::slab::HEAD_HIDDEN;
use crate::trade::Taker;
use crate::{Engine, Events, Step};

const FLAGS: u8 = EXTRA_POST_ONLY | EXTRA_SLIDE | EXTRA_HIDDEN;

/// The attributes that the next order of a session is to have, as they were asked.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Asked {
    expiry: i64,
    minimum: u32,
    displayed: u32,
    flags: u8,
    /// Something that is not offered.
    unknown: u8,
    unused: [u8; 6],
}

impl Asked {
    fn of(command: &Command) -> Self {
        let [letter, condition, ..] = command.letters;
        let [text, ..] = command.client_id;
        Self {
            expiry: command.price,
            minimum: command.quantity,
            displayed: command.old_user_ref,
            flags: command.flags,
            unknown: u8::from(letter != 0 || condition != 0 || text != 0),
            unused: [0; 6],
        }
    }

    pub(crate) fn is_plain(&self) -> bool {
        bytemuck::bytes_of(self).iter().all(|byte| *byte == 0)
    }

    /// Whether the engine knows all that is asked.
    fn is_offered(&self) -> bool {
        self.unknown == 0
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether it is for an order that is to trade, or not to trade, on entry.
    pub(crate) fn wants_trades(&self) -> bool {
        self.minimum > 0 || self.has(EXTRA_POST_ONLY)
    }

    /// What a snapshot carries: all, as no more than an `Extra` of any bytes is known of it.
    pub(crate) fn carry<C: Carrier>(&mut self, to: &mut C) -> Result<(), C::Error> {
        let Self {
            expiry,
            minimum,
            displayed,
            flags,
            unknown,
            unused: _,
        } = self;
        to.any("asked.expiry", expiry)?;
        to.any("asked.minimum", minimum)?;
        to.any("asked.displayed", displayed)?;
        to.any("asked.flags", flags)?;
        to.number("asked.unknown", unknown, 0..=1)
    }

    /// The checks that need no book, in the stated order.
    fn check(&self, input: &Input, open: u32) -> Result<(), Reason> {
        let command = &input.command;
        let stays =
            command.time_in_force == TimeInForce::Day as u8 && command.price != PRICE_MARKET;
        let slides = self.has(EXTRA_SLIDE) && !self.has(EXTRA_POST_ONLY);
        if self.flags & !FLAGS != 0 || slides || self.expiry < 0 {
            return Err(Reason::InvalidField);
        }
        if self.minimum > open || self.displayed > open {
            return Err(Reason::InvalidQuantity);
        }
        if self.displayed > 0 && (!stays || self.has(EXTRA_HIDDEN)) {
            return Err(Reason::InvalidField);
        }
        if self.expiry != 0 && !stays {
            return Err(Reason::InvalidField);
        }
        if self.has(EXTRA_POST_ONLY) && (!stays || self.minimum > 0) {
            return Err(Reason::InvalidField);
        }
        if self.expiry != 0 && self.expiry as u64 <= input.time_ns {
            return Err(Reason::Expired);
        }
        Ok(())
    }
}

impl Engine<'_> {
    /// Keeps what is asked for the session's next order.
    pub(crate) fn extra(&mut self, command: &Command) -> Event {
        let at = usize::from(command.session);
        if let Some(session) = self.sessions.get_mut(at).filter(|one| one.defined != 0) {
            let asked = Asked::of(command);
            session.extra &= !Session::ASKED;
            session.extra |= u8::from(!asked.is_plain()) * Session::ASKED;
            self.asked[at] = asked;
        }
        about(command, EventKind::Noted, Reason::None)
    }

    /// Enters an order that may be more than a plain one, or finds out what is wrong with it.
    #[cold]
    #[inline(never)]
    pub(crate) fn enter_asked(&mut self, input: &Input, events: &mut Events) -> Step {
        let at = usize::from(input.command.session);
        let mut asked = Asked::zeroed();
        if let Some(session) = self.sessions.get_mut(at) {
            session.extra &= !Session::ASKED;
            core::mem::swap(&mut self.asked[at], &mut asked);
        }
        match self.check_asked(input, &asked) {
            Ok((taker, found)) => self.enter_with(taker, found, &asked, events),
            Err(reason) => rejected(&input.command, reason, events),
        }
    }

    /// The order, and the one that it replaces.
    fn check_asked(
        &mut self,
        input: &Input,
        asked: &Asked,
    ) -> Result<(Taker, Option<Found>), Reason> {
        let command = &input.command;
        if self.day != Day::Open {
            return Err(Reason::NotOpen);
        }
        if !asked.is_offered() {
            return Err(Reason::Unsupported);
        }
        let (mut taker, found) = if command.kind == CommandKind::Replace as u8 {
            let found = self.check_replace(command)?;
            (self.taker_instead(command, found), Some(found))
        } else {
            (self.taker_new(command)?, None)
        };
        self.check_open(taker.who.symbol())?;
        if self.is_killed(&taker) {
            return Err(Reason::Killed);
        }
        asked.check(input, taker.open)?;
        self.check_kind(command, asked, &mut taker)?;
        taker.is_special = !asked.is_plain() || taker.price == ANY_BUY;
        taker.displayed = asked.displayed;
        taker.expiry_ns = asked.expiry as u64;
        if asked.has(EXTRA_HIDDEN) {
            taker.who.head |= HEAD_HIDDEN;
        }
        if asked.has(EXTRA_POST_ONLY) && self.meets(&taker) {
            self.slide(&mut taker, asked)?;
        }
        self.check_room_of_parts(&taker, found)?;
        self.check_room(&taker, found.is_none() && !self.meets(&taker))?;
        Ok((taker, found))
    }

    /// Whether there is a part for an order, should it rest: those that it trades with may have
    /// none, so only one that it replaces surely makes room.
    fn check_room_of_parts(&self, taker: &Taker, found: Option<Found>) -> Result<(), Reason> {
        let makes_room = found.is_some_and(|one| self.slab.part_of(one.order).is_some());
        if taker.needs_part() && !makes_room && !self.slab.parts.has_room() {
            return Err(Reason::PoolFull);
        }
        Ok(())
    }

    /// Moves a post-only order that would trade one tick off the other side, if it asks for that.
    fn slide(&self, taker: &mut Taker, asked: &Asked) -> Result<(), Reason> {
        let (book, side) = (self.book_of(taker), taker.who.side());
        let best = i64::from(rank(side.opposite(), book.best_rank(side.opposite())));
        let price = match side {
            Side::Buy => best - i64::from(book.tick),
            Side::Sell => best + i64::from(book.tick),
        };
        if !asked.has(EXTRA_SLIDE) || !(1..=PRICE_MAX).contains(&price) {
            return Err(Reason::WouldTrade);
        }
        taker.price = price as u32;
        taker.reach = rank(side.opposite(), taker.price);
        Ok(())
    }

    /// Takes an order that passed all checks.
    fn enter_with(
        &mut self,
        taker: Taker,
        found: Option<Found>,
        asked: &Asked,
        events: &mut Events,
    ) -> Step {
        let old = found.map(|found| {
            let old = self.slab.orders[found.order as usize].identity();
            self.take_off(found);
            old
        });
        // An order with a minimum trades or leaves, but does not rest untouched.
        let waits = asked.minimum == 0 && taker.rests && !self.meets(&taker);
        let flags = self.take(&taker, !waits);
        events.push_words(match old {
            Some(old) => taker.replaced(&old, flags),
            None => taker.event(EventKind::Accepted, flags),
        });
        if waits {
            self.rest_anew(&taker);
            return Step::Done;
        }
        if asked.minimum > 0 {
            return self.judge(&taker, asked.minimum, events);
        }
        self.trade(&mut { taker }, events)
    }
}
