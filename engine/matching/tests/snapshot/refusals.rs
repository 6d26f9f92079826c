//! Bytes that are no snapshot.

use flow::hostile::Hostile;
use matching::{Engine, Limits, Line, RestoreError, RestoreFault, Step};
use proptest::prelude::*;

use crate::common::{Rig, SMALL};
use crate::rig::{ALL, HEADER_BYTES, NARROW, busy_bytes, bytes_of, error_of, known_bytes, seal};

/// Bytes of records.
const VENUE_BYTES: usize = 20;
const SESSION_BYTES: usize = 17;
const SYMBOL_BYTES: usize = 60;
const ORDER_BYTES: usize = 29;
const PART_BYTES: usize = 36;

#[test]
fn every_wrong_or_missing_byte_is_found() {
    let good = busy_bytes(3);
    let mut memory = vec![Line::ZERO; NARROW.lines()];
    assert_eq!(error_of(&good, &mut memory), None);
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        let (offset, field, _) = error_of(&bytes, &mut memory).expect("a wrong byte");
        assert!(offset <= good.len(), "{field} at {offset}");
    }
    for end in 0..good.len() {
        let error = error_of(&good[..end], &mut memory).expect("missing bytes");
        let expected = if end < HEADER_BYTES {
            RestoreFault::Length
        } else {
            RestoreFault::Value
        };
        assert_eq!(error.2, expected, "{end} bytes: {error:?}");
    }
    let long = [&good[..], &[0]].concat();
    assert_eq!(
        error_of(&long, &mut memory),
        Some((16, "length", RestoreFault::Value))
    );
}

#[test]
fn bytes_that_no_engine_would_write_are_refused() {
    let good = known_bytes();
    let mut memory = vec![Line::ZERO; NARROW.lines()];
    // Where the last records begin, which are as long as `docs/snapshot.md` says.
    let end = good.len() - 9;
    let symbols = end - 2 * SYMBOL_BYTES;
    let part = symbols - PART_BYTES;
    let orders = part - 4 * ORDER_BYTES;
    let order = |nth: usize| orders + nth * ORDER_BYTES;
    // What a book says of itself beside its name and prices.
    let book = orders - SYMBOL_BYTES + 19;
    let session = HEADER_BYTES + VENUE_BYTES;
    let order_3 = &good[order(2)..order(3)];
    use RestoreFault::{Order, Taken, Value};
    let cases: [(usize, &[u8], &str, RestoreFault); 34] = [
        (0, b"w", "magic", Value),
        (8, &[2], "version", Value),
        (12, &[1], "zero", Value),
        (HEADER_BYTES, &[9], "tag", Value),
        (HEADER_BYTES + 1, &[3], "day", Value),
        (HEADER_BYTES + 1, &[2], "day", Value),
        (HEADER_BYTES + 2, &[3], "order.order_ref", Value),
        (session + 1, &[4], "session", Order),
        (session + SESSION_BYTES - 2, &[5], "session.mode", Value),
        (session + SESSION_BYTES - 2, &[133], "session.mode", Value),
        (
            session + SESSION_BYTES - 2,
            &[128],
            "session.user_ref_last",
            Value,
        ),
        (session + SESSION_BYTES - 1, &[8], "session.killed", Value),
        (session + 3, &[3], "order.user_ref", Value),
        (order(0) + 1, &[2], "order.side", Value),
        (order(0) + 3, &[3], "order.user_ref", Value),
        (order(0) + 1, &[1], "order", Order),
        (order(1), order_3, "order", Order),
        (order(1) + 9, &[1], "order", Order),
        (order(1) + 5, &[1], "order.user_ref", Taken),
        (order(2) + 17, &[100, 0], "order.price", Order),
        (order(0) + 21, &[0], "order.open", Value),
        (order(0) + 25, &[255, 255, 15], "order.executed", Value),
        (part + 13, &[3], "part.tip", Value),
        (part + 9, &[5, 0, 0, 0, 5], "part", Value),
        (symbols + 1, &[1], "symbol", Order),
        (book, &[2], "symbol.killed", Value),
        (book + 1, &[3], "symbol.allocation", Value),
        (book + 1, &[1, 1], "symbol.top_percent", Value),
        (book + 1, &[2, 101], "symbol.top_percent", Value),
        (book + 3, &[10], "symbol.state", Value),
        (book + 3, &[8], "symbol.state", Value),
        (book + 3, &[4, 1], "symbol.ends_ns", Value),
        (book + 40, &[2], "symbol.bands", Value),
        (book + 32, &[1], "symbol.bands", Value),
    ];
    for (at, value, field, fault) in cases {
        let mut bytes = good.clone();
        bytes[at..at + value.len()].copy_from_slice(value);
        seal(&mut bytes);
        let error = error_of(&bytes, &mut memory);
        let found = error.map(|(_, field, fault)| (field, fault));
        assert_eq!(found, Some((field, fault)), "{value:?} at {at}");
    }
}

#[test]
fn limits_without_room_are_refused_by_name() {
    let good = known_bytes();
    let cases = [
        (
            Limits {
                symbols: 2,
                ..SMALL
            },
            "symbol",
        ),
        (
            Limits {
                sessions: 2,
                ..SMALL
            },
            "session",
        ),
        (Limits { orders: 3, ..SMALL }, "order"),
        (
            Limits {
                price_groups: 1,
                ..SMALL
            },
            "order.price",
        ),
    ];
    for (limits, name) in cases {
        let error = Rig::restore(limits, &good).err();
        let Some(RestoreError::Bytes { field, fault, .. }) = error else {
            panic!("{name}: {error:?}");
        };
        assert_eq!((field, fault), (name, RestoreFault::Room));
    }
    let zero = Limits { orders: 0, ..SMALL };
    let error = Engine::restore(zero, &mut [], &good).err();
    assert!(matches!(error, Some(RestoreError::Limits(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_is_restored_is_an_engine(
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<u8>(), 0_u8..4),
            1..6,
        ),
        cut in prop::option::of((any::<prop::sample::Index>(), 0_usize..80)),
    ) {
        let mut bytes = busy();
        if let Some((from, long)) = cut {
            let from = from.index(bytes.len());
            let to = (from + long).min(bytes.len());
            bytes.drain(from..to);
        }
        for (at, value, how) in changes {
            let at = at.index(bytes.len().max(1));
            if let Some(byte) = bytes.get_mut(at) {
                *byte = match how {
                    0 => value,
                    1 => byte.wrapping_add(1),
                    2 => byte.wrapping_sub(1),
                    _ => *byte ^ (1 << (value % 8)),
                };
            }
        }
        let length = (bytes.len() as u64).to_le_bytes();
        if bytes.len() > HEADER_BYTES {
            bytes[16..24].copy_from_slice(&length);
        }
        seal(&mut bytes);
        let mut memory = vec![Line::ZERO; NARROW.lines()];
        let mut engine = Engine::new(NARROW, &mut memory).unwrap();
        if engine.load(&bytes).is_ok() {
            prop_assert!(bytes_of(&engine) == bytes);
            told(&mut engine);
        } else {
            // What was refused leaves nothing behind: other bytes can be tried.
            let mut other = vec![Line::ZERO; NARROW.lines()];
            let mut other = Engine::restore(NARROW, &mut other, &busy()).unwrap();
            engine.load(&busy()).unwrap();
            prop_assert!(told(&mut engine) == told(&mut other));
            prop_assert!(bytes_of(&engine) == bytes_of(&other));
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes = [&known_bytes()[..HEADER_BYTES], &bytes].concat();
        let mut memory = vec![Line::ZERO; NARROW.lines()];
        prop_assert!(Engine::restore(NARROW, &mut memory, &bytes).is_err());
    }
}

/// What an engine says to a hostile day.
fn told(engine: &mut Engine<'_>) -> Vec<u8> {
    let (mut events, mut told) = (matching::Events::new(), Vec::new());
    for input in Hostile::new(7, ALL).take(300) {
        let mut step = engine.apply(&input, &mut events);
        loop {
            told.extend_from_slice(bytemuck::cast_slice(events.as_slice()));
            if step == Step::Done {
                break;
            }
            step = engine.resume(&mut events);
        }
    }
    told
}

/// The same busy bytes for every case.
fn busy() -> Vec<u8> {
    static BYTES: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    BYTES.get_or_init(|| busy_bytes(5)).clone()
}
