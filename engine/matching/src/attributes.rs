//! What an `Extra` asks of the order behind it: the checks, and the order's entry.
//!
//! A plain order never comes here: its session has nothing asked.

use bytemuck::{Pod, Zeroable};
use wire::ring::{
    Command, CommandKind, Condition, EXTRA_ALL_OR_NONE, EXTRA_HIDDEN, EXTRA_POST_ONLY, EXTRA_SLIDE,
    EXTRA_TO_LIMIT, Event, EventKind, PRICE_MARKET, PRICE_MAX, Reason, Side, TimeInForce,
};

use crate::answers::{about, refused};
use crate::books::rank;
use crate::carry::Carrier;
use crate::engine::{Day, Session};
use crate::entry::rejected;
use crate::parked::{Wait, reach};
use crate::place::ANY_BUY;
use crate::refs::Found;
use crate::slab::{HEAD_HIDDEN, Identity};
use crate::states::is_for_auction;
use crate::trade::Taker;
use crate::{Engine, Events, Step};

const FLAGS: u8 = EXTRA_POST_ONLY | EXTRA_SLIDE | EXTRA_HIDDEN | EXTRA_ALL_OR_NONE | EXTRA_TO_LIMIT;

/// The attributes that the next order of a session is to have, as they were asked.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Asked {
    expiry: i64,
    minimum: u32,
    displayed: u32,
    /// Of the condition, 0 without one.
    amount: i32,
    flags: u8,
    /// Something that is not offered.
    unknown: u8,
    condition: u8,
    unused: u8,
}

impl Asked {
    fn of(command: &Command) -> Self {
        let [letter, condition, ..] = command.letters;
        let [text, ..] = command.client_id;
        let is_unknown = Condition::from_byte(condition).is_none();
        Self {
            expiry: command.price,
            minimum: command.quantity,
            displayed: command.old_user_ref,
            amount: if condition == 0 { 0 } else { command.amount() },
            flags: command.flags,
            unknown: u8::from(letter != 0 || is_unknown || text != 0),
            condition,
            unused: 0,
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
    pub(crate) fn wants_trades(&self, command: &Command) -> bool {
        let at_once = self.has(EXTRA_ALL_OR_NONE) && command.price == PRICE_MARKET;
        self.minimum > 0 || at_once || self.has(EXTRA_POST_ONLY | EXTRA_TO_LIMIT)
    }

    /// What a snapshot carries: all, as no more than an `Extra` of any bytes is known of it.
    pub(crate) fn carry<C: Carrier>(&mut self, to: &mut C) -> Result<(), C::Error> {
        let Self {
            expiry,
            minimum,
            displayed,
            amount,
            flags,
            unknown,
            condition,
            unused: _,
        } = self;
        to.any("asked.expiry", expiry)?;
        to.any("asked.minimum", minimum)?;
        to.any("asked.displayed", displayed)?;
        to.any("asked.amount", amount)?;
        to.any("asked.flags", flags)?;
        to.number("asked.unknown", unknown, 0..=1)?;
        to.any("asked.condition", condition)
    }

    /// What is wrong with the condition, if there is one.
    fn check_condition(&self, is_day: bool, tick: u32) -> Result<(), Reason> {
        let condition = Condition::from_byte(self.condition).unwrap_or(Condition::None);
        let amount = i64::from(self.amount);
        let is_shown_peg = self.is_peg() && self.displayed > 0;
        let is_offset = match condition {
            Condition::None => return Ok(()),
            Condition::MarketPeg => amount >= 1,
            Condition::MidpointPeg => amount >= 0,
            _ => true,
        };
        let excludes = EXTRA_POST_ONLY | EXTRA_ALL_OR_NONE | EXTRA_TO_LIMIT;
        if !is_day || self.minimum > 0 || self.has(excludes) || is_shown_peg || !is_offset {
            return Err(Reason::InvalidField);
        }
        let is_price = (1..=PRICE_MAX).contains(&amount) && amount % i64::from(tick) == 0;
        if !self.is_peg() && !is_price {
            return Err(Reason::InvalidPrice);
        }
        Ok(())
    }

    fn is_peg(&self) -> bool {
        self.condition >= Condition::PrimaryPeg as u8
    }

    /// Units that an order must trade at once.
    fn minimum_of(&self, taker: &Taker) -> u32 {
        if self.has(EXTRA_ALL_OR_NONE) {
            taker.open
        } else {
            self.minimum
        }
    }

    /// What an order waits for or follows.
    fn wait(&self, taker: &Taker) -> Wait {
        Wait {
            condition: self.condition,
            is_whole: self.has(EXTRA_ALL_OR_NONE) && taker.rests,
            life: 0,
            amount: self.amount,
            cap: taker.price,
        }
    }

    /// The checks that need no book, in the stated order.
    fn check(&self, command: &Command, open: u32, tick: u32) -> Result<(), Reason> {
        let is_day = command.time_in_force == TimeInForce::Day as u8;
        let stays = is_day && (command.price != PRICE_MARKET || self.has(EXTRA_TO_LIMIT));
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
        if self.expiry != 0 && !stays && !(is_day && self.condition != 0) {
            return Err(Reason::InvalidField);
        }
        if self.has(EXTRA_POST_ONLY) && (!stays || self.minimum > 0) {
            return Err(Reason::InvalidField);
        }
        let is_to_limit = is_day && command.price == PRICE_MARKET && !self.has(EXTRA_POST_ONLY);
        let excludes = self.has(EXTRA_POST_ONLY) || self.displayed > 0 || self.minimum > 0;
        if self.has(EXTRA_TO_LIMIT) && !is_to_limit || self.has(EXTRA_ALL_OR_NONE) && excludes {
            return Err(Reason::InvalidField);
        }
        let at_once = self.minimum > 0 || self.has(EXTRA_ALL_OR_NONE);
        if is_for_auction(command) && at_once {
            return Err(Reason::InvalidField);
        }
        self.check_condition(is_day, tick)
    }
}

impl Engine<'_> {
    /// Keeps what is asked for the session's next order.
    pub(crate) fn extra(&mut self, command: &Command) -> Event {
        let at = usize::from(command.session);
        if let Some(session) = self.sessions.get_mut(at).filter(|one| one.is_defined()) {
            let asked = Asked::of(command);
            session.extra &= !Session::ASKED;
            session.extra |= u8::from(!asked.is_plain()) * Session::ASKED;
            self.asked[at] = asked;
        }
        about(command, EventKind::Noted, Reason::None)
    }

    /// Answers an order that the venue refused; what was asked for it is used up.
    pub(crate) fn refuse(&mut self, command: &Command) -> Event {
        let reason = Reason::from_byte(command.flags).filter(|reason| *reason != Reason::None);
        let Some(reason) = reason else {
            return refused(command, Reason::InvalidField);
        };
        let at = usize::from(command.session);
        if let Some(session) = self.sessions.get_mut(at) {
            session.extra &= !Session::ASKED;
            self.asked[at] = Asked::zeroed();
        }
        about(command, EventKind::Rejected, reason)
    }

    /// Enters an order that may be more than a plain one, or finds out what is wrong with it.
    #[cold]
    #[inline(never)]
    pub(crate) fn enter_asked(&mut self, command: &Command, events: &mut Events) -> Step {
        let at = usize::from(command.session);
        let is_peg = self.asked.get(at).is_some_and(Asked::is_peg);
        if is_peg && self.look_ahead_of_peg(command) == Step::More {
            return Step::More;
        }
        let mut asked = Asked::zeroed();
        if let Some(session) = self.sessions.get_mut(at) {
            session.extra &= !Session::ASKED;
            core::mem::swap(&mut self.asked[at], &mut asked);
        }
        let step = match self.check_asked(command, &asked) {
            Ok((taker, found)) => self.enter_with(taker, found, &asked, events),
            Err(reason) => rejected(command, reason, events),
        };
        self.ended(step, events)
    }

    /// The order, and the one that it replaces.
    fn check_asked(
        &mut self,
        command: &Command,
        asked: &Asked,
    ) -> Result<(Taker, Option<Found>), Reason> {
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
        if !self.may_enter(&taker) {
            return Err(Reason::NotPermitted);
        }
        if self.is_killed(&taker) {
            return Err(Reason::Killed);
        }
        asked.check(command, taker.open, self.book_of(&taker).tick)?;
        if asked.expiry != 0 && asked.expiry as u64 <= self.now_ns {
            return Err(Reason::Expired);
        }
        self.check_kind(command, asked, &mut taker)?;
        let is_plain = asked.is_plain() && !is_for_auction(command);
        taker.is_special = !is_plain || taker.price == ANY_BUY;
        taker.displayed = asked.displayed;
        taker.expiry_ns = asked.expiry as u64;
        if asked.has(EXTRA_HIDDEN) {
            taker.who.head |= HEAD_HIDDEN;
        }
        if asked.condition == 0 {
            self.bound_price(&mut taker);
            self.bound_reach(&mut taker);
        }
        if asked.has(EXTRA_POST_ONLY) && self.meets(&taker) {
            self.slide(&mut taker, asked)?;
        }
        if asked.has(EXTRA_TO_LIMIT) {
            self.limit_to_best(&mut taker)?;
            self.bound_price(&mut taker);
            self.bound_reach(&mut taker);
        }
        taker.wait = asked.wait(&taker);
        if is_for_auction(command) {
            taker.wait.life = command.time_in_force;
        }
        if asked.is_peg() {
            taker.who.head |= HEAD_HIDDEN;
            let edges = self.dynamic_edges(taker.who.symbol());
            self.price_peg(&mut taker, self.after.marks, edges);
        } else {
            self.check_static(&taker)?;
        }
        if self.accounts.is_kept {
            self.check_risk(&taker, found)?;
        }
        self.check_room_of_parts(&taker, found)?;
        if self.may_park(&taker) {
            // Who trades whole or not at all never rests.
            self.check_room_parked(found.is_none())?;
        } else {
            self.check_room(&taker, found.is_none() && !self.meets(&taker))?;
        }
        Ok((taker, found))
    }

    /// Whether there is a part for an order, should it rest: those that it trades with may have
    /// none, so only one that it replaces surely makes room.
    fn check_room_of_parts(&self, taker: &Taker, found: Option<Found>) -> Result<(), Reason> {
        let makes_room = found.is_some_and(|one| self.slab.part_of(one.order).is_some());
        if taker.needs_part() && !makes_room && !self.slab.parts.has_room() {
            return Err(Reason::PoolFull);
        }
        self.check_room_whole(taker, found)
    }

    /// Gives a market order the other side's best price as its limit.
    fn limit_to_best(&self, taker: &mut Taker) -> Result<(), Reason> {
        let side = taker.who.side();
        let best = self.book_of(taker).best(side.opposite());
        let (_, price) = best.ok_or(Reason::NoLiquidity)?;
        taker.price = price;
        taker.reach = reach(side, price);
        taker.rests = true;
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
        self.due(taker.who.symbol());
        let old = found.map(|found| self.give_way(found));
        let is_parked = self.is_parked_on_entry(&taker);
        let minimum = asked.minimum_of(&taker);
        // An order with a minimum trades or leaves, but does not rest untouched.
        let waits = !is_parked && minimum == 0 && taker.rests && !self.meets(&taker);
        let flags = self.take(&taker, !waits);
        if is_parked {
            return self.park_new(&taker, old.as_ref(), events);
        }
        if taker.wait.is_whole {
            return self.judge_on(self.judged(&taker, minimum, old), events);
        }
        events.push_words(taker.taken(old.as_ref(), flags));
        if waits {
            self.rest_anew(&taker);
            return Step::Done;
        }
        if minimum > 0 {
            return self.judge_on(self.judged(&taker, minimum, None), events);
        }
        self.trade(&mut { taker }, events)
    }

    /// Takes off an order that is replaced; the book did not show a parked one.
    fn give_way(&mut self, found: Found) -> Identity {
        let order = self.slab.orders[found.order as usize];
        let mut old = order.identity();
        if order.is_parked() {
            old.head |= HEAD_HIDDEN;
        }
        self.take_off(found);
        old
    }
}
