//! What of a journal a member sent.

use wire::ring::{Command, CommandKind, Input, TimeInForce};

use crate::wish::{Sending, extra_of};

/// Whether the journal holds of a session only what it sent, in that order, as often as it was sent
/// at most. Behind an `Extra` stands its order, or, when a crash took that, an order without
/// anything in it.
///
/// # Errors
/// The input that the member never sent.
pub fn check(inputs: &[Input], session: u16, sent: &[Sending]) -> Result<(), String> {
    let mut sent = sent.iter();
    let mut asked: Option<&Sending> = None;
    let is_of = |it: &&Input| {
        it.command.session == session && (is_extra(&it.command) || is_members(&it.command))
    };
    let commands = inputs.iter().filter(is_of);
    for Input {
        sequence, command, ..
    } in commands
    {
        let is_known = if is_extra(command) {
            let is_first = asked.is_none();
            asked = sent.find(|one| {
                one.extra() == Some(extra_of(command)) && one.command.user_ref == command.user_ref
            });
            is_first && asked.is_some()
        } else if let Some(order) = asked.take() {
            same(order, command) || is_stand_in(command)
        } else {
            sent.any(|one| one.extra().is_none() && same(one, command))
        };
        if !is_known {
            return Err(format!(
                "member {session} never sent input {sequence}: {command:?}"
            ));
        }
    }
    Ok(())
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
    kinds.iter().any(|kind| *kind as u8 == command.kind)
}
/// What takes the place of an order that a crash took.
fn is_stand_in(command: &Command) -> bool {
    let kinds = [CommandKind::New, CommandKind::Refuse];
    let is_new = kinds.iter().any(|kind| *kind as u8 == command.kind);
    is_new && (command.symbol, command.quantity, command.price) == (0, 0, 0)
}

/// Whether a journaled command is the one that was sent, in all that its message carries.
fn same(sending: &Sending, journaled: &Command) -> bool {
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
