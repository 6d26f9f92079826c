//! Stops: orders that are parked until a trade touches their trigger.
//!
//! Every trade of a symbol is a tick. The trades of one arriving order go one way, so its first and
//! its last price elect the same stops in the same order as all of them. A tick that moves the
//! triggers of trailing stops touches just those that it moves: the lists of trailing stops are
//! sorted by the price that each keeps its distance from, its mark.

use wire::ring::{Condition, Side};

use crate::Engine;
use crate::after::PIECES_A_STEP_MAX;
use crate::books::rank;
use crate::parts::Part;
use crate::slab::NONE;
use crate::triggers;
use crate::watch::List;

/// What is left to do about the oldest tick.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ticking {
    /// Nothing was done.
    Fresh,
    /// The mark of this trailing stop of a side may have to move, then those before it.
    Move(Side, u32),
    /// Trailing stops without a mark get one.
    Mark,
    /// Touched stops are elected.
    Elect,
}

impl Part {
    /// The price at which the order is elected if it is a stop that has one.
    pub(crate) fn trigger(&self, side: Side) -> Option<u32> {
        let distance = i64::from(self.amount);
        let price = match (Condition::from_byte(self.condition)?, side) {
            (Condition::Stop, _) => distance,
            (Condition::TrailingStop, _) if self.mark == 0 => return None,
            (Condition::TrailingStop, Side::Buy) => i64::from(self.mark) + distance,
            (Condition::TrailingStop, Side::Sell) => i64::from(self.mark) - distance,
            _ => return None,
        };
        (1..=wire::ring::PRICE_MAX)
            .contains(&price)
            .then_some(price as u32)
    }
}

impl Engine<'_> {
    /// Sorts a stop that was just parked in with the others, or elects it.
    pub(crate) fn stop_add(&mut self, handle: u32, part: u32) {
        let who = self.slab.orders[handle as usize].identity();
        let (symbol, side) = (who.symbol(), who.side());
        let last = if self.is_continuous(symbol) {
            self.books.books[usize::from(symbol)].last
        } else {
            0
        };
        let stop = &mut self.slab.parts.all[part as usize];
        if stop.condition == Condition::TrailingStop as u8 {
            stop.mark = last;
            let list = if last == 0 {
                List::Unmarked
            } else {
                trailing(side)
            };
            self.list_add(symbol, list, part);
        }
        let trigger = self.slab.parts.all[part as usize].trigger(side);
        match trigger {
            Some(trigger) if last != 0 && touches(side, last, trigger) => {
                self.elect(symbol, part);
            }
            Some(_) => self.trigger_add(symbol, side, part),
            None => {}
        }
    }

    /// Sorts a stop of a snapshot in with the others.
    pub(crate) fn stop_restore(&mut self, handle: u32, part: u32) {
        let who = self.slab.orders[handle as usize].identity();
        let (symbol, side) = (who.symbol(), who.side());
        let stop = &self.slab.parts.all[part as usize];
        let (mark, trigger) = (stop.mark, stop.trigger(side));
        if stop.children != [NONE; 2] {
            return self.list_add(symbol, List::Elected, part);
        }
        if stop.condition == Condition::TrailingStop as u8 {
            let list = if mark == 0 {
                List::Unmarked
            } else {
                trailing(side)
            };
            self.list_add(symbol, list, part);
        }
        if trigger.is_some() {
            self.trigger_add(symbol, side, part);
        }
    }

    /// Takes a stop that leaves out of what knows of it but its list.
    pub(crate) fn stop_remove(&mut self, symbol: u16, side: Side, part: u32) {
        let stop = &self.slab.parts.all[part as usize];
        if stop.trigger(side).is_some() && stop.list != List::Elected as u8 {
            self.trigger_remove(symbol, side, part);
        }
    }

    fn trigger_add(&mut self, symbol: u16, side: Side, part: u32) {
        let root = &mut self.watches[usize::from(symbol)].stops[side as usize];
        triggers::insert(&mut self.slab, root, part);
    }

    fn trigger_remove(&mut self, symbol: u16, side: Side, part: u32) {
        let root = &mut self.watches[usize::from(symbol)].stops[side as usize];
        triggers::remove(&mut self.slab, root, part);
    }

    /// Does a step's worth of what follows from a symbol's ticks; whether there is more.
    pub(crate) fn tick_some(&mut self, symbol: u16) -> bool {
        (0..PIECES_A_STEP_MAX).all(|_| self.tick_on(symbol))
    }

    /// Does a part of what follows from a symbol's ticks; whether there was something to do. Moves
    /// or elects one stop at most.
    pub(crate) fn tick_on(&mut self, symbol: u16) -> bool {
        let Some(price) = self.watches[usize::from(symbol)].tick() else {
            return false;
        };
        self.after.ticking = match self.after.ticking {
            Ticking::Fresh => self.moving(symbol, Side::Sell),
            Ticking::Move(side, part) => self.move_one(symbol, side, part, price),
            Ticking::Mark => self.mark_one(symbol, price),
            Ticking::Elect => self.elect_one(symbol, price),
        };
        true
    }

    /// Trailing stops of a side are looked at from the last one on.
    fn moving(&self, symbol: u16, side: Side) -> Ticking {
        let last = self.watches[usize::from(symbol)].list(trailing(side)).tail;
        Ticking::Move(side, last)
    }

    /// Moves the mark of a trailing stop if a price is a better one.
    fn move_one(&mut self, symbol: u16, side: Side, part: u32, price: u32) -> Ticking {
        let better = |mark: u32| rank(side, price) < rank(side, mark);
        if part == NONE || !better(self.slab.parts.all[part as usize].mark) {
            return match side {
                Side::Sell => self.moving(symbol, Side::Buy),
                Side::Buy => Ticking::Mark,
            };
        }
        self.set_mark(symbol, side, part, price);
        Ticking::Move(side, self.slab.parts.all[part as usize].prev)
    }

    /// Gives the first trailing stop that has none its mark.
    fn mark_one(&mut self, symbol: u16, price: u32) -> Ticking {
        let part = self.watches[usize::from(symbol)].list(List::Unmarked).head;
        if part == NONE {
            return Ticking::Elect;
        }
        let order = self.slab.parts.all[part as usize].order;
        let side = self.slab.orders[order as usize].identity().side();
        self.list_remove(symbol, part);
        self.list_add(symbol, trailing(side), part);
        self.set_mark(symbol, side, part, price);
        Ticking::Mark
    }

    fn set_mark(&mut self, symbol: u16, side: Side, part: u32, price: u32) {
        if self.slab.parts.all[part as usize].trigger(side).is_some() {
            self.trigger_remove(symbol, side, part);
        }
        self.slab.parts.all[part as usize].mark = price;
        if self.slab.parts.all[part as usize].trigger(side).is_some() {
            self.trigger_add(symbol, side, part);
        }
    }

    /// Puts a stop that is in no tree behind those elected before. Its place among them is for
    /// snapshots: as long as the symbol does not trade it comes not to life.
    fn elect(&mut self, symbol: u16, part: u32) {
        let last = self.watches[usize::from(symbol)].list(List::Elected).tail;
        let place = match last {
            NONE => 0,
            last => self.slab.parts.all[last as usize].children[0],
        };
        self.list_remove(symbol, part);
        self.list_add(symbol, List::Elected, part);
        self.slab.parts.all[part as usize].children = [place + 1, NONE];
    }

    /// Elects the first of the stops that a price touches; without one the tick is done.
    fn elect_one(&mut self, symbol: u16, price: u32) -> Ticking {
        for side in [Side::Buy, Side::Sell] {
            let root = self.watches[usize::from(symbol)].stops[side as usize];
            let Some(part) = triggers::first(&self.slab, root) else {
                continue;
            };
            let trigger = self.slab.parts.all[part as usize].trigger(side);
            if trigger.is_some_and(|trigger| touches(side, price, trigger)) {
                self.trigger_remove(symbol, side, part);
                self.elect(symbol, part);
                return Ticking::Elect;
            }
        }
        self.watches[usize::from(symbol)].tick_done();
        Ticking::Fresh
    }
}

fn trailing(side: Side) -> List {
    match side {
        Side::Buy => List::TrailingBuys,
        Side::Sell => List::TrailingSells,
    }
}

/// Whether a trade at a price elects a side's stop.
fn touches(side: Side, price: u32, trigger: u32) -> bool {
    match side {
        Side::Buy => price >= trigger,
        Side::Sell => price <= trigger,
    }
}
