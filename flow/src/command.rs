//! The commands of generated and replayed flow.

use wire::ring::{Command, CommandKind, Side, TimeInForce};

use crate::live::Live;

/// A command without anything but its kind.
pub(crate) fn command(kind: CommandKind) -> Command {
    Command {
        kind: kind as u8,
        ..Command::BLANK
    }
}

/// What `New` and `Replace` share, with the letters that OUCH would carry.
pub(crate) fn request(order: &Live, life: TimeInForce) -> Command {
    let side_letter = if order.side == Side::Buy { b'B' } else { b'S' };
    let life_letter = if life == TimeInForce::Day { b'0' } else { b'3' };
    Command {
        side: order.side as u8,
        time_in_force: life as u8,
        symbol: order.symbol,
        session: order.session,
        user_ref: order.user_ref,
        quantity: order.total,
        letters: *b"YPNN",
        price: order.price,
        client_id: letters(b'F', order.user_ref),
        wire_letters: [side_letter, life_letter],
        ..command(CommandKind::New)
    }
}

/// A letter and seven hexadecimal digits, padded with spaces.
pub(crate) fn letters(first: u8, number: u32) -> [u8; 14] {
    let mut text = *b"              ";
    text[0] = first;
    for (place, letter) in text[1..8].iter_mut().rev().enumerate() {
        *letter = b"0123456789ABCDEF"[(number >> (4 * place) & 15) as usize];
    }
    text
}
