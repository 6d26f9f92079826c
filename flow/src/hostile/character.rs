//! What makes one day differ from another: each draws its own mix of traits by its seed, so that
//! what a mix of everything drowns out is met, too.

use crate::naive::increments::{BANDS, KILL, RISK, STATES};
use crate::random::Random;

/// A trait of a day; a day has several, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Trait {
    /// Most commands tell only the time, and orders seldom meet: timers run out one by one.
    Quiet,
    /// Five times as many commands about the market; limit states and auctions are short.
    Governed,
    /// Bands of a few ticks from the start, and never none.
    Narrow,
    /// Few prices that seldom meet, and few cancels: long queues.
    Deep,
    /// Most that orders ask is to be a peg or a stop.
    Attached,
    /// Most that orders ask is all or none, and they wait for long.
    Whole,
    /// Tables that hold a handful.
    Tiny,
    /// Every account has limits close to what it comes to.
    Tight,
    /// All sessions are of one account.
    OneAccount,
    /// Heaps of orders that one input takes away, elects or reprices in several steps.
    Heaps,
    /// Mass cancels and kill switches come in bursts.
    Purges,
    /// Symbols go through limit states and auctions by script, and are stopped as they come out.
    Halts,
}

/// All of them; a trait's place is its number.
const TRAITS: [Trait; 12] = [
    Trait::Quiet,
    Trait::Governed,
    Trait::Narrow,
    Trait::Deep,
    Trait::Attached,
    Trait::Whole,
    Trait::Tiny,
    Trait::Tight,
    Trait::OneAccount,
    Trait::Heaps,
    Trait::Purges,
    Trait::Halts,
];

const _: () = assert!(TRAITS[TRAITS.len() - 1] as usize == TRAITS.len() - 1);

/// One day in so many has no traits.
const USUAL: u64 = 4;

/// The traits of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Character(u16);

impl Character {
    /// The character of a seed's day: one trait of four, at least one, or none at all.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        // Other numbers than those of the stream itself.
        let mut random = Random::new(!seed);
        if random.below(USUAL) == 0 {
            return Self(0);
        }
        let all = (1 << TRAITS.len()) - 1;
        let one = 1 << random.below(TRAITS.len() as u64);
        Self((random.next() & random.next() & all) as u16 | one)
    }

    /// Whether a day has a trait.
    #[must_use]
    pub const fn has(self, one: Trait) -> bool {
        self.0 >> one as u8 & 1 != 0
    }

    /// The traits of a day.
    pub fn traits(self) -> impl Iterator<Item = Trait> {
        TRAITS.into_iter().filter(move |one| self.has(*one))
    }

    /// Increments without which the traits mean nothing.
    pub(super) fn needs(self) -> u16 {
        let need = |one| match one {
            Trait::Governed | Trait::Narrow | Trait::Halts => STATES | BANDS,
            Trait::Tight | Trait::Tiny => RISK,
            Trait::Purges => KILL,
            _ => 0,
        };
        self.traits().fold(0, |needs, one| needs | need(one))
    }

    /// One command in so many takes everything off one side of a book: books stay small, and some
    /// inputs yield many events.
    pub(super) const fn sweep_in(self) -> u64 {
        if self.has(Trait::Deep) { 400 } else { 200 }
    }

    /// One command in so many is about the market, where one that is offered has such commands.
    pub(super) const fn control_in(self) -> u64 {
        if self.has(Trait::Governed) { 8 } else { 40 }
    }

    /// Of 64 gaps between commands so many are as long as timers are, where there are any.
    pub(super) const fn pauses(self) -> u64 {
        if self.has(Trait::Governed) || self.has(Trait::Narrow) || self.has(Trait::Quiet) {
            4
        } else {
            1
        }
    }

    /// Of 100 commands that are neither, the number of orders, and with them that of cancels.
    pub(super) const fn shares(self) -> (u64, u64) {
        if self.has(Trait::Quiet) {
            (25, 35)
        } else if self.has(Trait::Deep) {
            (75, 90)
        } else {
            (60, 90)
        }
    }

    /// What an engine is to have room for on such a day, if it is to be full at times.
    #[must_use]
    pub fn tables(self, seed: u64) -> Option<Tables> {
        let mut random = Random::new(seed.rotate_left(32));
        let mut up_to = |bound| 1 + random.below(bound) as u32;
        self.has(Trait::Tiny).then(|| Tables {
            symbols: 1 + up_to(2) as u16,
            sessions: 3 + up_to(4) as u16,
            orders: 4 + up_to(60),
            special: up_to(30),
            price_groups: up_to(6),
            accounts: up_to(4) as u16 - 1,
        })
    }
}

/// What an engine has room for: the limits of the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tables {
    /// The greatest symbol number.
    pub symbols: u16,
    /// The greatest session number.
    pub sessions: u16,
    /// Live orders.
    pub orders: u32,
    /// Live orders with more to them than a plain one.
    pub special: u32,
    /// Groups of neighbouring prices.
    pub price_groups: u32,
    /// Accounts of sessions, 0 for any number without limits.
    pub accounts: u16,
}
