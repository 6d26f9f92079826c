//! Trades that are taken back, between all else: some that were never made, some twice.
//!
//! They come from a source of chance of their own, so that the rest of a stream is the same with
//! and without them.

use wire::ring::{Command, CommandKind, PRICE_MAX, Reason};

use super::{DEFINED, SYMBOLS};
use crate::command::command;
use crate::random::Random;

/// One of so many inputs names a trade.
const IN: u64 = 300;

/// Names and takes back trades.
pub(super) struct Busts {
    random: Random,
    is_offered: bool,
    /// Around which trades are.
    price: i64,
    /// The second half of the last one.
    owed: Option<Command>,
    /// Numbers are up to it, which grows.
    match_number_max: u64,
}

impl Busts {
    pub(super) fn new(seed: u64, is_offered: bool, price: i64) -> Self {
        Self {
            random: Random::new(seed ^ 0xB057),
            is_offered,
            price,
            owed: None,
            match_number_max: 1,
        }
    }

    /// What comes now, if anything does.
    pub(super) fn next(&mut self) -> Option<Command> {
        if !self.is_offered {
            return None;
        }
        if self.random.below(4) != 0
            && let Some(bust) = self.owed.take()
        {
            return Some(bust);
        }
        if self.random.below(IN) != 0 {
            return None;
        }
        self.match_number_max += 1 + self.random.below(8);
        self.owed = Some(self.bust());
        let number = self.random.below(self.match_number_max) as i64;
        let is_odd = self.random.below(20) == 0;
        Some(Command {
            session: self.session(),
            user_ref: self.random.below(1 << 20) as u32,
            price: if is_odd { -number } else { number },
            client_id: self.letters(),
            ..command(CommandKind::Trade)
        })
    }

    fn bust(&mut self) -> Command {
        let prices = [0, -1, PRICE_MAX, PRICE_MAX + 1];
        let whys = [Reason::UnknownTrade as u8, 0, 255];
        let is_rare = self.random.below(20) == 0;
        let choice = self.random.below(3) as usize;
        Command {
            side: self.random.below(if is_rare { 3 } else { 2 }) as u8,
            flags: match is_rare {
                true => whys[choice],
                false => Reason::Erroneous as u8 + self.random.below(4) as u8,
            },
            symbol: match self.random.below(20) {
                0 => SYMBOLS + 1,
                _ => 1 + self.random.below(2) as u16,
            },
            session: self.session(),
            user_ref: self.random.below(1 << 20) as u32,
            quantity: self.random.below(if is_rare { 1 << 21 } else { 12 }) as u32,
            price: match self.random.below(20) {
                0 => prices[self.random.below(4) as usize],
                _ => self.price,
            },
            client_id: self.letters(),
            ..command(CommandKind::Bust)
        }
    }

    fn session(&mut self) -> u16 {
        let least = u64::from(self.random.below(20) != 0);
        least as u16 + self.random.below(u64::from(DEFINED)) as u16
    }

    fn letters(&mut self) -> [u8; 14] {
        let [a, b, c, d, e, f, g, h] = self.random.next().to_le_bytes();
        [a, b, c, d, e, f, g, h, d, c, b, a, h, g]
    }
}
