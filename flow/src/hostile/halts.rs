//! Scripts about the market's states: symbols go through a limit state and the auction after it,
//! pegs follow their bands, and what comes out of the auction is stopped; and orders leave in
//! bursts.

use wire::ring::{Command, CommandKind, Condition, MarketState, PRICE_MARKET, PRICE_MAX};

use super::Hostile;
use super::storms::{Field, OTHER, QUOTES, WAITING};
use crate::command::command;
use crate::naive::increments::{KILL, PEGS, STOPS};

/// Nanoseconds of a millisecond.
const MS: u64 = 1_000_000;

/// How old the reference of a band is when a trade takes its place.
const DYNAMIC_AGE_NS: u64 = 30_000_000_000;

/// Ticks from a reference to its bands.
const BAND_TICKS: i64 = 4;

impl Hostile {
    /// One symbol, or both at the same time.
    pub(super) fn interruption(&mut self) {
        for symbol in [1, 2] {
            self.put(Command {
                symbol,
                flags: MarketState::Continuous as u8,
                ..command(CommandKind::SetState)
            });
        }
        let first = self.field();
        let mut fields = vec![first];
        if self.random.below(3) == 0 {
            fields.push(self.field_of(3 - first.symbol));
        }
        for at in &fields {
            self.opened(*at);
        }
        if self.random.below(3) == 0 {
            return self.aged(fields[0]);
        }
        for at in &fields {
            self.rush(*at);
        }
        self.put_after(MS, command(CommandKind::Time));
        for at in &fields {
            self.gather(*at);
        }
        let stop = self.stopping(first);
        self.put_after(MS, stop);
        match self.random.below(4) {
            0 => self.call_off(),
            count => (1..count).for_each(|_| {
                let order = self.new_order();
                self.put(order);
            }),
        }
        for at in &fields {
            self.put(at.state(MarketState::Continuous));
        }
    }

    /// An auction sets the reference of the bands.
    fn opened(&mut self, at: Field) {
        self.put(self.banded(at, BAND_TICKS));
        self.put(at.state(MarketState::OpeningAuction));
        self.enter(at.order(QUOTES, -1, 0, 2), None);
        self.enter(at.order(OTHER, 1, 0, 2), None);
        self.put(at.state(MarketState::Continuous));
    }

    fn banded(&self, at: Field, ticks: i64) -> Command {
        Command {
            symbol: at.symbol,
            old_user_ref: self.width_of(ticks * at.tick()),
            user_ref: 1,
            price: 1,
            ..command(CommandKind::SetBands)
        }
    }

    /// Somebody would pay anything: the order rests at the edge, and so may a peg.
    fn rush(&mut self, at: Field) {
        if self.offered & PEGS != 0 {
            self.peg_beyond(at);
        }
        let anything = match at.price(1) > at.price(0) {
            true => PRICE_MAX - PRICE_MAX % at.tick(),
            false => at.tick(),
        };
        let order = at.order(OTHER, 1, 0, 3);
        self.enter(
            Command {
                price: anything,
                ..order
            },
            None,
        );
    }

    /// A peg that only its band holds.
    fn peg_beyond(&mut self, at: Field) {
        self.enter(at.order(QUOTES, 1, 1, 1), None);
        let uncapped = Command {
            price: PRICE_MARKET,
            ..at.order(WAITING, 1, 0, 2)
        };
        let offset = 3 * BAND_TICKS * at.tick();
        let peg = Command::BLANK.with_condition(Condition::PrimaryPeg, offset as i32);
        self.enter(uncapped, Some(peg));
    }

    /// Orders that meet when the auction ends, and stops that its price elects.
    fn gather(&mut self, at: Field) {
        for level in [1, 2] {
            let quantity = 1 + self.random.below(3) as u32;
            self.enter(at.order(QUOTES, -1, level, quantity), None);
        }
        if self.offered & STOPS == 0 {
            return;
        }
        let stop = Command::BLANK.with_condition(Condition::Stop, at.price(0) as i32);
        let trailing = Command::BLANK.with_condition(Condition::TrailingStop, at.tick() as i32);
        for extra in [stop, stop, trailing] {
            let level = self.random.below(6) as i64;
            self.enter(at.order(WAITING, 1, level, 2), Some(extra));
        }
    }

    /// What comes just as the auction ends, ahead of what follows from its price.
    fn stopping(&mut self, at: Field) -> Command {
        let of_waiting = Command {
            session: WAITING,
            user_ref: self.user_refs[usize::from(WAITING)],
            ..command(CommandKind::Cancel)
        };
        match self.random.below(10) {
            0 | 1 | 8 | 9 => at.state(MarketState::Halt),
            2 => at.state(MarketState::Reopening),
            3 => of_waiting,
            4 => {
                let user_ref = of_waiting.user_ref + 1;
                self.user_refs[usize::from(WAITING)] = user_ref;
                Command {
                    user_ref,
                    old_user_ref: of_waiting.user_ref,
                    kind: CommandKind::Replace as u8,
                    ..at.order(WAITING, 1, 3, 4)
                }
            }
            5 if self.controls & KILL != 0 => self.mass_cancel(),
            6 => self.banded(at, BAND_TICKS / 2),
            _ => self.new_order(),
        }
    }

    /// One of those who wait, or all of them, want no more.
    fn call_off(&mut self) {
        let last = self.user_refs[usize::from(WAITING)];
        for back in 0..=self.random.below(3) as u32 {
            self.put(Command {
                session: WAITING,
                user_ref: last.saturating_sub(back),
                ..command(CommandKind::Cancel)
            });
        }
    }

    /// The bands move under a peg, as they are set anew and as their reference is old.
    fn aged(&mut self, at: Field) {
        let longer = Command {
            user_ref: 0,
            ..self.banded(at, BAND_TICKS)
        };
        self.put(longer);
        self.peg_beyond(at);
        self.put(Command {
            user_ref: 0,
            ..self.banded(at, BAND_TICKS / 2)
        });
        self.put(longer);
        let quote = at.order(QUOTES, -1, BAND_TICKS + 2, 1);
        self.enter(quote, None);
        self.put_after(DYNAMIC_AGE_NS, command(CommandKind::Time));
        let level = self.random.below(BAND_TICKS as u64) as i64;
        self.enter(at.order(QUOTES, -1, level, 3), None);
        self.enter(at.order(OTHER, 1, level, 1), None);
    }

    /// Mass cancels and kill switches, one after the other; switches that are set are lifted.
    pub(super) fn purge(&mut self) {
        for _ in 0..5 + self.random.below(16) {
            let one = match self.random.below(3) {
                0 => self.kill(),
                1 => self.mass_cancel(),
                _ => self.new_order(),
            };
            self.put(one);
        }
        let set = std::mem::take(&mut self.killed);
        for switch in set {
            self.put(Command { flags: 0, ..switch });
        }
    }
}
