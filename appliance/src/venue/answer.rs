//! What the engine made of an operator's command, in words.

use super::word::state_name;
use crate::topology::{Role, Topology};
use wire::ring::{Command, CommandKind, Event, EventKind, Reason, Side};

/// A line for each event.
///
/// # Errors
/// The engine refused the command: why.
pub(super) fn lines(
    command: &Command,
    events: &[Event],
    topology: &Topology,
) -> Result<Vec<String>, String> {
    let refused = |event: &&Event| event.kind == EventKind::Refused as u8;
    if let Some(event) = events.iter().find(refused) {
        let why = reason(command, Reason::from_byte(event.reason));
        return Err(format!("the engine refused it: {why}"));
    }
    if events
        .iter()
        .any(|event| event.kind == EventKind::CancelRejected as u8)
    {
        return Err("no such order is live".to_owned());
    }
    let symbol = usize::from(command.symbol).wrapping_sub(1);
    let symbol = topology.symbols.get(symbol).map_or("", String::as_str);
    Ok(events
        .iter()
        .filter_map(|event| line(event, command, symbol))
        .collect())
}

fn line(event: &Event, command: &Command, symbol: &str) -> Option<String> {
    let Event {
        quantity, leaves, ..
    } = *event;
    Some(match EventKind::from_byte(event.kind)? {
        EventKind::StateChanged => {
            let [new, old] = [quantity, leaves].map(state_name);
            let reference = match event.price {
                0 => "no reference price".to_owned(),
                price => format!("reference price {}", decimals(price)),
            };
            format!("{symbol}: {old} -> {new}, {reference}")
        }
        EventKind::Uncrossed => format!("{symbol}: {}", auction("crossed", event)),
        EventKind::Indicative => format!("{symbol}: {}", auction("would cross", event)),
        EventKind::Configured => "set".to_owned(),
        EventKind::MassCanceled => cancelled(quantity),
        EventKind::AccessChanged => {
            let told = ACCESS_TOLD.get(quantity as usize);
            told.map_or("set", |told| told).to_owned()
        }
        EventKind::Granted => {
            let role = u8::try_from(quantity).ok().and_then(Role::of);
            let role = role.map_or("other", Role::name);
            format!("{role} of account {}", event.user_ref)
        }
        EventKind::Broken if event.has(Event::MAKER) => format!(
            "{symbol}: match {} of {quantity} units at {} is broken",
            event.related,
            decimals(event.price)
        ),
        EventKind::Canceled => format!("{quantity} units cancelled"),
        EventKind::KillChanged if command.flags == 0 => "revived".to_owned(),
        EventKind::KillChanged => format!("killed, {}", cancelled(quantity)),
        _ => return None,
    })
}

/// What became of an `Access`, by its `flags`.
const ACCESS_TOLD: [&str; 9] = [
    "unlocked",
    "locked",
    "logged out if it was logged in",
    "the rate is another one from now on",
    "the grace is another one from now on",
    "who logs in comes from there from now on",
    "who logs in proves the other password from now on",
    "the user may log in from now on",
    "the user is gone, and so are its orders",
];

fn cancelled(count: u32) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} order{plural} cancelled")
}

fn auction(verb: &str, event: &Event) -> String {
    if event.quantity == 0 {
        return format!("{verb} nothing");
    }
    let side = if event.side == Side::Buy as u8 {
        "buy"
    } else {
        "sell"
    };
    format!(
        "{verb} {} units at {}, {} to {side} left over",
        event.quantity,
        decimals(event.price),
        event.leaves
    )
}

/// A price in the currency, with its four decimals.
pub(crate) fn decimals(price: i64) -> String {
    format!("{}.{:04}", price / 10_000, price % 10_000)
}

/// Why a command was refused, as far as the command says more than the reason alone.
fn reason(command: &Command, reason: Option<Reason>) -> String {
    let kind = CommandKind::from_byte(command.kind);
    let text = match (kind, reason) {
        (Some(CommandKind::SetState), Some(Reason::NotOpen)) => {
            "the symbol is closed for the rest of the day"
        }
        (Some(CommandKind::SetLimit), Some(Reason::NotOpen | Reason::TableFull)) => {
            "the day began without limits, and accounts are kept only from its beginning; write \
             [risk.ACCOUNT] into the topology before the next day"
        }
        (_, Some(Reason::UnknownTrade)) => "no such trade was made",
        (_, Some(Reason::TradeBroken)) => "the trade is broken already",
        (Some(CommandKind::Bust), Some(Reason::TableFull)) => {
            "as many trades were broken today as can be"
        }
        (Some(CommandKind::Grant), Some(Reason::TableFull)) => {
            "no session number is free, or the user has as many accounts as it can have; raise \
             limits.sessions before the next day"
        }
        (_, Some(Reason::WrongAccount)) => "the user does not have this account",
        (_, Some(Reason::NotInState)) => "the symbol is in no auction",
        (Some(CommandKind::Access), Some(Reason::UnknownSession)) => {
            "no such user could be made: no session number is left for its account"
        }
        (_, Some(Reason::UnknownSession)) => "no user has this account",
        (_, Some(Reason::UnknownSymbol)) => "the day began without this symbol",
        (_, Some(Reason::InvalidField)) => {
            "a value is outside its range, or this engine does not offer it"
        }
        (_, Some(other)) => return format!("{other:?}"),
        (_, None) => "no reason",
    };
    text.to_owned()
}
