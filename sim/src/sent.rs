//! What of a journal a member sent.

use wire::ring::{Command, CommandKind, Input, MASS_OF_USER, Reason, Side, TimeInForce};

use crate::accounts::Holders;
use crate::wish::{Sending, Wish, extra_of};

/// Whether the journal holds of a session only what it sent, in that order, as often as it was sent
/// at most, and of the account that was named. Behind an `Extra` stands its order, or, when a crash
/// took that, an order without anything in it.
///
/// # Errors
/// The input that the member never sent.
pub fn check(
    inputs: &[Input],
    holders: &Holders,
    (session, sent): (u16, &[Sending]),
) -> Result<(), String> {
    let mut sent = sent.iter();
    let mut asked: Option<(&Sending, u16)> = None;
    for (place, input) in inputs.iter().enumerate() {
        let command = &input.command;
        let number = command.session;
        let is_of = holders.of(number).is_some_and(|it| it.session == session);
        if !is_of || !(is_extra(command) || is_members(command)) {
            continue;
        }
        let one = if is_extra(command) {
            let is_first = asked.is_none();
            let one = sent.find(|one| {
                one.extra() == Some(extra_of(command)) && one.command.user_ref == command.user_ref
            });
            asked = one.map(|one| (one, number));
            one.filter(|_| is_first)
        } else if let Some((order, of)) = asked.take() {
            Some(order).filter(|_| of == number && (same(order, command) || is_stand_in(command)))
        } else {
            let is_plain = |one: &Sending| one.extra().is_none() || is_wrong_account(command);
            sent.find(|one| is_plain(one) && same(one, command))
        };
        let is_right = |one: &Sending| is_of_account(one, (command, place), holders);
        if !one.is_some_and(is_right) {
            return Err(format!(
                "member {session} never sent input {}: {command:?}",
                input.sequence
            ));
        }
    }
    Ok(())
}

/// Whether a command is refused because the user does not have the account that it names.
fn is_wrong_account(command: &Command) -> bool {
    (command.kind, command.flags) == (CommandKind::Refuse as u8, Reason::WrongAccount as u8)
}

/// Whether a command, at its place in the journal, goes under the number that the user has for the
/// account that it names. A grant counts for who reads orders some time after it is in the journal,
/// but at the next start at the latest.
fn is_of_account(
    sending: &Sending,
    (command, place): (&Command, usize),
    holders: &Holders,
) -> bool {
    let Some(holder) = holders.of(command.session) else {
        return false;
    };
    let is_new = sending.command.kind == CommandKind::New as u8;
    let Some(named) = sending.account else {
        return !is_new || holder.session == command.session;
    };
    match (is_wrong_account(command), is_new) {
        (true, true) => !holders.was_known(holder.session, named, place),
        // It names another one than the order has that it replaces.
        (true, false) => true,
        // What may not be taken off is refused under the user's first number.
        (false, _) if matches!(sending.wish, Wish::Mass(..)) && !is_mass(command) => true,
        (false, _) => sending.command.kind == CommandKind::Cancel as u8 || holder.account == named,
    }
}

/// Whether a command says what the next order asks for.
pub fn is_extra(command: &Command) -> bool {
    command.kind == CommandKind::Extra as u8
}

/// Whether a command is a member's own.
pub fn is_members(command: &Command) -> bool {
    let kinds = [
        CommandKind::New,
        CommandKind::Replace,
        CommandKind::Refuse,
        CommandKind::Cancel,
    ];
    kinds.iter().any(|kind| *kind as u8 == command.kind) || is_mass(command)
}

/// Whether a command is a member's mass cancel.
pub fn is_mass(command: &Command) -> bool {
    (command.kind, command.flags) == (CommandKind::MassCancel as u8, MASS_OF_USER)
}

/// What takes the place of an order that a crash took.
fn is_stand_in(command: &Command) -> bool {
    let kinds = [CommandKind::New, CommandKind::Refuse];
    let is_new = kinds.iter().any(|kind| *kind as u8 == command.kind);
    is_new && (command.symbol, command.quantity, command.price) == (0, 0, 0)
}

/// Whether a journaled command is the one that was sent, in all that its message carries.
fn same(sending: &Sending, journaled: &Command) -> bool {
    if let Wish::Mass(has_symbol, side) = sending.wish {
        return same_mass(&sending.command, (has_symbol, side), journaled);
    }
    let sent = &sending.command;
    let basic = |one: &Command| (one.user_ref, one.old_user_ref, one.quantity);
    let order = |one: &Command| (one.price, one.wire_letters[1], one.client_id);
    let place = |one: &Command| (one.symbol, one.side, one.letters);
    let is_cancel = sent.kind == CommandKind::Cancel as u8;
    let is_new = sent.kind == CommandKind::New as u8;
    // A replacement goes on in the cross of the order that it replaces.
    let cross = if is_new {
        sent.letters[3]
    } else {
        journaled.letters[3]
    };
    let life = match (cross, sent.time_in_force) {
        (b'O', _) => TimeInForce::AtOpen as u8,
        (b'C', _) => TimeInForce::AtClose as u8,
        _ if sent.wire_letters[1] == b'6' => TimeInForce::Day as u8,
        (_, life) => life,
    };
    // A venue whose disk is full journals an order as refused.
    let is_refused = journaled.kind == CommandKind::Refuse as u8 && !is_cancel;
    (sent.kind == journaled.kind || is_refused)
        && basic(sent) == basic(journaled)
        && (is_cancel || (order(sent) == order(journaled) && life == journaled.time_in_force))
        && (!is_new || place(sent) == place(journaled))
}

/// The same of a mass cancel; one that is refused has its number alone. Bits of its first letter
/// say what of an order must fit: 1 its session, 2 its account, 4 its side, 8 its symbol.
fn same_mass(sent: &Command, (has_symbol, side): (bool, Option<u8>), journaled: &Command) -> bool {
    if journaled.kind == CommandKind::Refuse as u8 {
        return journaled.user_ref == sent.user_ref;
    }
    let sides = side.map(|letter| match letter {
        b'B' => Side::Buy as u8,
        _ => Side::Sell as u8,
    });
    let fits = 3 + 4 * u8::from(side.is_some()) + 8 * u8::from(has_symbol);
    is_mass(journaled)
        && journaled.old_user_ref == sent.user_ref
        && journaled.letters[0] == fits
        && sides.is_none_or(|side| side == journaled.side)
        && (!has_symbol || journaled.symbol == sent.symbol)
}
