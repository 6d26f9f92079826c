//! Writes generated flow as recorded flow: the naive reference model supplies the fills.

use std::io::{self, Write};

use wire::ring::{Command, CommandKind, Event, EventKind, Side, TimeInForce};

use crate::generator::{Generator, Shape};
use crate::naive::Naive;
use crate::sequencer::Sequencer;

/// Writes `commands` commands of a generator, after those that fill the book, as recorded flow.
///
/// The format knows one book and one member, so the shape must have one symbol and one session. An
/// order that trades on entry and then rests becomes an aggressor's line and a new order's line.
pub fn write(shape: &Shape, commands: u64, to: &mut impl Write) -> io::Result<()> {
    if (shape.symbols, shape.sessions) != (1, 1) {
        let what = "recorded flow holds one symbol and one session: set both to 1";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    let mut generator = Generator::new(shape).map_err(io::Error::other)?;
    let mut naive = Naive::new();
    let mut sequencer = Sequencer::new(0);
    for command in generator.opening() {
        naive.apply(&sequencer.number(0, command));
    }
    let mut left = commands;
    while left > 0 {
        left -= u64::from(generator.is_filled());
        let item = generator.next_item();
        let events = naive.apply(&sequencer.number(item.gap_ns, item.command));
        events.iter().for_each(|event| generator.on_event(event));
        write_answer(&item.command, &events, to)?;
    }
    Ok(())
}

/// Writes what became of one command; a refused one leaves no line.
fn write_answer(command: &Command, events: &[Event], to: &mut impl Write) -> io::Result<()> {
    let Some(first) = events.first() else {
        return Ok(());
    };
    let Event {
        user_ref,
        quantity,
        leaves,
        price,
        ..
    } = first;
    match EventKind::from_byte(first.kind) {
        Some(EventKind::Canceled) => writeln!(to, "D,{user_ref}"),
        Some(EventKind::Reduced) => writeln!(to, "X,{user_ref},{quantity}"),
        Some(EventKind::Accepted) if first.has(Event::BOOKED) => {
            writeln!(to, "N,{user_ref},{},{leaves},{price}", letter(first.side))
        }
        Some(EventKind::Replaced) if first.has(Event::BOOKED) => {
            writeln!(to, "U,{},{user_ref},{leaves},{price}", first.old_user_ref)
        }
        Some(EventKind::Accepted) => write_aggressor(command, events, to),
        Some(EventKind::Replaced) => {
            writeln!(to, "D,{}", first.old_user_ref)?;
            write_aggressor(command, events, to)
        }
        _ => Ok(()),
    }
}

fn write_aggressor(command: &Command, events: &[Event], to: &mut impl Write) -> io::Result<()> {
    let makers = || {
        let executed = |event: &&Event| event.kind == EventKind::Executed as u8;
        events
            .iter()
            .filter(executed)
            .filter(|event| event.has(Event::MAKER))
    };
    let booked = events
        .iter()
        .find(|event| event.kind == EventKind::Booked as u8);
    let is_whole = command.kind == CommandKind::New as u8
        && command.time_in_force == TimeInForce::ImmediateOrCancel as u8;
    let quantity = match is_whole {
        true => command.quantity,
        false => makers().map(|event| event.quantity).sum(),
    };
    let side = events.first().map_or('B', |event| letter(event.side));
    write!(to, "A,{side},{quantity},{},", command.price)?;
    for (index, maker) in makers().enumerate() {
        let bar = if index > 0 { "|" } else { "" };
        write!(to, "{bar}{}:{}", maker.user_ref, maker.quantity)?;
    }
    writeln!(to)?;
    match booked {
        Some(rest) => writeln!(
            to,
            "N,{},{side},{},{}",
            rest.user_ref, rest.leaves, rest.price
        ),
        None => Ok(()),
    }
}

fn letter(side: u8) -> char {
    if side == Side::Buy as u8 { 'B' } else { 'S' }
}
