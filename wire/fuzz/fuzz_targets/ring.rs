//! Any bytes are a ring message, and its codes are read or refused, never guessed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::ring::{Command, CommandKind, Event, EventKind, Input, Reason, Side, TimeInForce};

/// A code that was read is the byte it was read from, and each known byte is read.
fn check<T: Copy>(byte: u8, read: Option<T>, all: &[T], number: impl Fn(T) -> u8) {
    assert_eq!(
        read.map(&number),
        all.iter().copied().map(&number).find(|code| *code == byte)
    );
}

fuzz_target!(|bytes: &[u8]| {
    let Some(bytes) = bytes.first_chunk::<{ size_of::<Input>() }>() else {
        return;
    };
    let input: Input = bytemuck::pod_read_unaligned(bytes);
    assert_eq!(bytemuck::bytes_of(&input), bytes);
    let command: Command = input.command;
    check(
        command.kind,
        CommandKind::from_byte(command.kind),
        CommandKind::ALL,
        |c| c as u8,
    );
    let tif = command.time_in_force;
    check(tif, TimeInForce::from_byte(tif), TimeInForce::ALL, |c| {
        c as u8
    });
    check(
        command.side,
        Side::from_byte(command.side),
        &[Side::Buy, Side::Sell],
        |c| c as u8,
    );
    let event: Event = bytemuck::cast(command);
    check(
        event.kind,
        EventKind::from_byte(event.kind),
        EventKind::ALL,
        |c| c as u8,
    );
    check(
        event.reason,
        Reason::from_byte(event.reason),
        Reason::ALL,
        |c| c as u8,
    );
    for flag in [Event::MAKER, Event::BOOKED, Event::LAST] {
        assert_eq!(event.has(flag), event.flags & flag == flag);
    }
    assert_eq!(bytemuck::bytes_of(&event), bytemuck::bytes_of(&command));
});
