//! What a topology defines, as the first commands of a journal.
//!
//! Because definitions are journaled, replaying needs no topology; and because they are compared
//! with the topology at every start, a venue never goes on under another one unnoticed.

use super::padded;
use crate::topology::Topology;
use bytemuck::Zeroable;
use wire::ring::{Command, CommandKind};

/// Symbols, then sessions, then the opening of the day.
#[must_use]
pub fn definitions(topology: &Topology) -> Vec<Command> {
    let symbol = |(index, name): (usize, &String)| Command {
        kind: CommandKind::DefineSymbol as u8,
        symbol: index as u16 + 1,
        price: topology.ticks[index],
        client_id: letters_first(padded::<8>(name)),
        ..Command::zeroed()
    };
    let session = |(index, user): (usize, &crate::topology::User)| Command {
        kind: CommandKind::DefineSession as u8,
        session: index as u16 + 1,
        user_ref: user.account,
        letters: [user.self_trade as u8, 0, 0, 0],
        client_id: letters_first(padded::<4>(&user.firm)),
        ..Command::zeroed()
    };
    let open = Command {
        kind: CommandKind::OpenDay as u8,
        ..Command::zeroed()
    };
    let symbols = topology.symbols.iter().enumerate().map(symbol);
    let sessions = topology.users.iter().enumerate().map(session);
    symbols.chain(sessions).chain([open]).collect()
}

fn letters_first<const N: usize>(letters: [u8; N]) -> [u8; 14] {
    let mut id = [0; 14];
    id[..N].copy_from_slice(&letters);
    id
}

/// A definition in words, for messages.
pub(super) fn told(command: &Command) -> String {
    let letters = |count: usize| String::from_utf8_lossy(&command.client_id[..count]).into_owned();
    match CommandKind::from_byte(command.kind) {
        Some(CommandKind::DefineSymbol) => {
            let name = letters(8);
            let name = name.trim_end();
            format!(
                "symbol {} as \"{name}\" with a tick of {}",
                command.symbol, command.price
            )
        }
        Some(CommandKind::DefineSession) => {
            let firm = letters(4);
            let firm = firm.trim_end();
            format!(
                "session {} as account {} of firm \"{firm}\" with self-trade mode {}",
                command.session, command.user_ref, command.letters[0]
            )
        }
        Some(CommandKind::OpenDay) => "nothing more".to_owned(),
        _ => format!("something else (command kind {})", command.kind),
    }
}
