//! What a topology defines, as the first commands of a journal: symbols, sessions, their rules.
//!
//! Because definitions are journaled, replaying needs no topology; and because they are compared
//! with the topology at every start, a venue never goes on under another one unnoticed.

use super::padded;
use crate::topology::{Allocation, Mandate, RiskLimit, Role, SymbolRules, Topology, User};
use bytemuck::Zeroable;
use wire::ring::{Command, CommandKind, MarketState};

/// Symbols, then sessions, then what users may do for their accounts, then the rules of symbols and
/// accounts, then the opening of the day.
#[must_use]
pub fn definitions(topology: &Topology) -> Vec<Command> {
    let symbol = |(index, name): (usize, &String)| Command {
        kind: CommandKind::DefineSymbol as u8,
        symbol: index as u16 + 1,
        price: topology.ticks[index],
        client_id: letters_first(padded::<8>(name)),
        ..Command::zeroed()
    };
    let session = |(index, user): (usize, &User)| Command {
        kind: CommandKind::DefineSession as u8,
        session: index as u16 + 1,
        user_ref: user.account,
        letters: [user.self_trade as u8, 0, 0, 0],
        client_id: letters_first(padded::<4>(&user.firm)),
        ..Command::zeroed()
    };
    let grant = |(user, mandate): (u16, Mandate)| Command {
        kind: CommandKind::Grant as u8,
        session: user,
        user_ref: mandate.account,
        flags: mandate.role.may(),
        ..Command::zeroed()
    };
    let open = Command {
        kind: CommandKind::OpenDay as u8,
        ..Command::zeroed()
    };
    let symbols = topology.symbols.iter().enumerate().map(symbol);
    let users = topology.users.iter().enumerate();
    let sessions = users.filter(|(_, user)| !user.is_spare).map(session);
    let grants = topology.users.iter().zip(1..).flat_map(granted).map(grant);
    let rules = topology.rules.symbols.iter().zip(1..);
    let rules = rules.flat_map(|(rules, symbol)| rules_of(symbol, rules));
    let risk = topology.rules.risk.iter().map(limit);
    symbols
        .chain(sessions)
        .chain(grants)
        .chain(rules)
        .chain(risk)
        .chain([open])
        .collect()
}

/// What must be said of a user's accounts.
fn granted((user, number): (&User, u16)) -> impl Iterator<Item = (u16, Mandate)> {
    let first = (user.role != Role::Trader).then_some(Mandate {
        account: user.account,
        role: user.role,
    });
    let all = first.into_iter().chain(user.mandates.iter().copied());
    all.map(move |mandate| (number, mandate))
}

/// What differs from the engine's rules for a symbol that nothing is said about.
fn rules_of(symbol: u16, rules: &SymbolRules) -> impl Iterator<Item = Command> + use<> {
    let command = |kind: CommandKind| Command {
        kind: kind as u8,
        symbol,
        ..Command::zeroed()
    };
    let shared = |flags, quantity| Command {
        flags,
        quantity,
        ..command(CommandKind::SetAllocation)
    };
    let allocation = match rules.allocation {
        Allocation::Time => None,
        Allocation::ProRata => Some(shared(1, 0)),
        Allocation::Split(percent) => Some(shared(2, percent)),
    };
    let bands = rules.bands.map(|bands| Command {
        quantity: bands.fixed_bp,
        old_user_ref: bands.dynamic_bp,
        user_ref: bands.limit_ms,
        price: bands.auction_ms.into(),
        ..command(CommandKind::SetBands)
    });
    let is_plain = rules.state == MarketState::Continuous && rules.reference == 0;
    let state = (!is_plain).then(|| Command {
        flags: rules.state as u8,
        price: rules.reference,
        ..command(CommandKind::SetState)
    });
    [allocation, bands, state].into_iter().flatten()
}

fn limit(limit: &RiskLimit) -> Command {
    Command {
        kind: CommandKind::SetLimit as u8,
        user_ref: limit.account,
        flags: limit.code,
        price: limit.value,
        quantity: limit.at_once,
        symbol: limit.symbol,
        ..Command::zeroed()
    }
}

pub(super) fn letters_first<const N: usize>(letters: [u8; N]) -> [u8; 14] {
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
        Some(CommandKind::Grant) => format!(
            "what session {} may do for account {} as {}",
            command.session, command.user_ref, command.flags
        ),
        Some(CommandKind::SetAllocation) => format!(
            "allocation rule {} of symbol {} with {} percent for the top",
            command.flags, command.symbol, command.quantity
        ),
        Some(CommandKind::SetBands) => format!(
            "bands of symbol {} of {} and {} with times of {} and {} ms",
            command.symbol, command.quantity, command.old_user_ref, command.user_ref, command.price
        ),
        Some(CommandKind::SetState) => format!(
            "state {} of symbol {} with reference price {}",
            command.flags, command.symbol, command.price
        ),
        Some(CommandKind::SetLimit) => format!(
            "limit {} of account {} as {}",
            command.flags, command.user_ref, command.price
        ),
        Some(CommandKind::OpenDay) => "nothing more".to_owned(),
        _ => format!("something else (command kind {})", command.kind),
    }
}
