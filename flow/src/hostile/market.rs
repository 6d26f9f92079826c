//! What is not about single orders: a book swept empty, and commands that make no sense.

use wire::ring::{Command, CommandKind, PRICE_MARKET, QUANTITY_MAX};

use super::{DEFINED, Hostile, SWEEPER};
use crate::command::command;

impl Hostile {
    pub(super) fn sweep(&mut self) -> Command {
        let any = self.random.next();
        let last = &mut self.user_refs[usize::from(SWEEPER)];
        *last += 1;
        Command {
            session: SWEEPER,
            user_ref: *last,
            symbol: 1 + (any & 1) as u16,
            side: (any >> 1 & 1) as u8,
            quantity: QUANTITY_MAX,
            price: PRICE_MARKET,
            ..command(CommandKind::New)
        }
    }

    /// A command that is refused, or means nothing.
    pub(super) fn nonsense(&mut self) -> Command {
        let any = self.random.next() as u8;
        let order = self.new_order();
        match self.random.below(8) {
            0 => command(CommandKind::OpenDay),
            1 => Command {
                symbol: u16::from(any % 4),
                ..command(CommandKind::DefineSymbol)
            },
            2 => Command {
                session: u16::from(any % 7),
                ..command(CommandKind::DefineSession)
            },
            3 => Command { side: any, ..order },
            // One that is known somewhere is not nonsense.
            4 => Command {
                time_in_force: any.max(4),
                ..order
            },
            5 => Command {
                symbol: u16::from(any % 5),
                ..order
            },
            6 => Command {
                session: [0, DEFINED, DEFINED + 1][usize::from(any % 3)],
                ..order
            },
            _ => Command {
                kind: any.max(64),
                ..order
            },
        }
    }
}
