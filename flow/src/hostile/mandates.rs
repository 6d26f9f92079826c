//! Users with several accounts, between all else: what they may do changes, and they enter, replace
//! and cancel orders of all their accounts, one by one and many at once, also of ones that they may
//! not act for.
//!
//! They come from a source of chance of their own, so that the rest of a stream is the same with
//! and without them, but for references, which are the users'.

use wire::ring::{Command, CommandKind, MASS_OF_USER, MAY_TRADE};

use super::{DEFINED, SESSIONS, SWEEPER, SYMBOLS};
use crate::command::command;
use crate::random::Random;

/// One of so many inputs is about mandates.
const IN: u64 = 24;

/// Of so many newest references one is named.
const RECENT: u64 = 12;

/// Grants, and what is done under them.
pub(super) struct Mandates {
    random: Random,
    is_offered: bool,
    /// Around which orders are, and what prices are multiples of.
    price: i64,
    tick: i64,
    /// Users and accounts by number, from [`DEFINED`] on: as they are if nothing was refused.
    numbers: Vec<(u16, u32)>,
}

impl Mandates {
    pub(super) fn new(seed: u64, is_offered: bool, price: i64, tick: i64) -> Self {
        Self {
            random: Random::new(seed ^ 0x0A11),
            is_offered,
            price,
            tick,
            numbers: Vec::new(),
        }
    }

    /// What comes now, if anything does.
    pub(super) fn next(&mut self, user_refs: &mut [u32]) -> Option<Command> {
        if !self.is_offered || self.random.below(IN) != 0 {
            return None;
        }
        Some(match self.random.below(42) {
            0..6 => self.grant(),
            6..24 => self.order(user_refs),
            24..30 => self.replacement(user_refs),
            30..36 => self.named(CommandKind::Cancel, user_refs),
            36..38 => self.named(CommandKind::Amend, user_refs),
            38 => Command {
                letters: [1, 0, 0, 0],
                ..self.named(CommandKind::MassCancel, user_refs)
            },
            39..41 => self.mass_cancel(user_refs),
            _ => Command {
                flags: u8::from(self.random.below(3) == 0),
                letters: [2, 0, 0, 0],
                ..self.named(CommandKind::Kill, user_refs)
            },
        })
    }

    fn grant(&mut self) -> Command {
        let is_odd = self.random.below(12) == 0;
        let user = match is_odd {
            true => self.random.below(u64::from(SESSIONS) + 2) as u16,
            false => 1 + self.random.below(u64::from(SWEEPER) - 1) as u16,
        };
        let account = self.random.below(5) as u32;
        let known = self.numbers.contains(&(user, account));
        if !known && !is_odd {
            self.numbers.push((user, account));
        }
        Command {
            session: user,
            user_ref: account,
            flags: match self.random.below(16) {
                0 => self.random.below(9) as u8,
                _ => MAY_TRADE,
            },
            ..command(CommandKind::Grant)
        }
    }

    /// The number of a mandate, or of its user, and the user.
    fn number(&mut self) -> (u16, u16) {
        let choice = self.random.below(self.numbers.len() as u64 + 1) as usize;
        let user = match self.numbers.get(choice) {
            Some((user, _)) => *user,
            None => 1 + self.random.below(u64::from(SWEEPER) - 1) as u16,
        };
        let number = match self.random.below(3) {
            0 => user,
            _ => DEFINED + choice as u16,
        };
        (number.min(SESSIONS), user)
    }

    fn order(&mut self, user_refs: &mut [u32]) -> Command {
        let (number, user) = self.number();
        let user_ref = &mut user_refs[usize::from(user)];
        *user_ref += 1;
        let user_ref = *user_ref;
        Command {
            side: self.random.below(2) as u8,
            symbol: 1 + self.random.below(u64::from(SYMBOLS) - 1) as u16,
            session: number,
            user_ref,
            quantity: 1 + self.random.below(20) as u32,
            price: self.price + self.tick * (self.random.below(9) as i64 - 4),
            time_in_force: u8::from(self.random.below(5) == 0),
            ..command(CommandKind::New)
        }
    }

    fn replacement(&mut self, user_refs: &mut [u32]) -> Command {
        let order = self.order(user_refs);
        let back = self.random.below(RECENT) as u32;
        Command {
            kind: CommandKind::Replace as u8,
            old_user_ref: order.user_ref.saturating_sub(back),
            ..order
        }
    }

    /// A mass cancel that the user itself asks for, rarely under a reference that was used, or with
    /// what a user cannot ask for.
    fn mass_cancel(&mut self, user_refs: &mut [u32]) -> Command {
        let (number, user) = self.number();
        let user_ref = &mut user_refs[usize::from(user)];
        *user_ref += u32::from(self.random.below(8) != 0);
        let fits = match self.random.below(12) {
            0 => self.random.next() as u8,
            // A session, and perhaps account, side and symbol.
            other => 1 | other as u8 & 14,
        };
        Command {
            session: number,
            user_ref: self.random.below(5) as u32,
            old_user_ref: *user_ref,
            side: self.random.below(2) as u8,
            symbol: 1 + self.random.below(u64::from(SYMBOLS)) as u16,
            flags: MASS_OF_USER + u8::from(self.random.below(20) == 0),
            letters: [fits, 0, 0, 0],
            ..command(CommandKind::MassCancel)
        }
    }

    /// A command about an order, or about all orders, of a number.
    fn named(&mut self, kind: CommandKind, user_refs: &[u32]) -> Command {
        let (number, user) = self.number();
        let back = self.random.below(RECENT) as u32;
        Command {
            session: number,
            user_ref: user_refs[usize::from(user)].saturating_sub(back),
            quantity: self.random.below(6) as u32,
            price: self.price,
            ..command(kind)
        }
    }
}
