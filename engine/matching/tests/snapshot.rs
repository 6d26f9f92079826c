//! An engine's bytes bring it back, and nothing else brings anything back.

mod common;

use common::{Rig, SMALL, day, of};
use flow::hostile::{Hostile, ORDERS, SESSIONS, SYMBOLS};
use flow::naive::increments::first;
use matching::{Engine, Limits, Line, RestoreError, RestoreFault, Step};
use proptest::prelude::*;
use wire::ring::{Command, CommandKind, Event, Input, Side};

const LIMITS: Limits = Limits {
    symbols: SYMBOLS + 1,
    sessions: SESSIONS + 1,
    orders: 4 * ORDERS as u32,
    special: 4 * ORDERS as u32,
    price_groups: 4_096,
};

/// Bytes of the header, and of records.
const HEADER_BYTES: usize = 24;
const VENUE_BYTES: usize = 19;
const SESSION_BYTES: usize = 17;
const SYMBOL_BYTES: usize = 57;
const ORDER_BYTES: usize = 29;
const PART_BYTES: usize = 17;

/// All that a stream can ask for, offered or not.
const ALL: u16 = first(12);

/// Inputs of a hostile day.
const INPUTS: usize = 3_000;

fn bytes_of(engine: &Engine<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    engine.snapshot(&mut |piece| {
        assert!(piece.len() <= 4_224);
        bytes.extend_from_slice(piece);
    });
    assert_eq!(bytes.len() as u64, engine.snapshot_bytes());
    bytes
}

/// Another engine from bytes, with more or less room than the first one.
fn restored(bytes: &[u8], more: u32) -> Rig {
    let limits = Limits {
        symbols: LIMITS.symbols + more as u16,
        sessions: LIMITS.sessions + 3 * more as u16,
        orders: LIMITS.orders / 2 + 77 * more,
        special: LIMITS.special / 2 + more,
        price_groups: LIMITS.price_groups / 2 + more,
    };
    Rig::restore(limits, bytes).expect("room and good bytes")
}

/// A hostile day in which symbols 1 and 2 go through calls and halts.
fn inputs(seed: u64) -> Vec<Input> {
    const STATES: [u8; 8] = [1, 3, 4, 5, 3, 7, 3, 3];
    let mut inputs: Vec<Input> = Hostile::new(seed, ALL).take(INPUTS).collect();
    for (turn, input) in inputs.iter_mut().skip(30).step_by(40).enumerate() {
        input.command = Command {
            symbol: 1 + turn as u16 % 2,
            flags: STATES[turn / 2 % STATES.len()],
            ..of(CommandKind::SetState)
        };
    }
    inputs
}

/// The events of an input.
fn events_of(rig: &mut Rig, input: &Input) -> Vec<Event> {
    let mut events = matching::Events::new();
    let mut step = rig.engine.apply(input, &mut events);
    let mut all = events.as_slice().to_vec();
    while step == Step::More {
        step = rig.engine.resume(&mut events);
        all.extend_from_slice(events.as_slice());
    }
    all
}

#[test]
fn a_restored_engine_goes_on_as_the_first_one_would_have() {
    for seed in 1..=12 {
        let inputs = inputs(seed);
        let mut first = Rig::new(LIMITS);
        let mut others: Vec<Rig> = Vec::new();
        for (at, input) in inputs.iter().enumerate() {
            if (at as u64 + 97 * seed).is_multiple_of(499) {
                let bytes = bytes_of(&first.engine);
                let rig = restored(&bytes, at as u32 % 50);
                assert_eq!(rig.engine.state_hash(), first.engine.state_hash());
                assert!(bytes_of(&rig.engine) == bytes, "seed {seed}, input {at}");
                others.push(rig);
            }
            let events = events_of(&mut first, input);
            for other in &mut others {
                assert_eq!(events_of(other, input), events, "seed {seed}: {input:?}");
            }
        }
        let bytes = bytes_of(&first.engine);
        assert!(others.iter().all(|one| bytes_of(&one.engine) == bytes));
        assert!(others.len() >= 6);
    }
}

/// Room for a busy book, and little beside.
const NARROW: Limits = Limits {
    orders: 400,
    special: 200,
    price_groups: 200,
    ..LIMITS
};

/// The bytes of an engine in the middle of a hostile day.
fn busy_bytes(seed: u64) -> Vec<u8> {
    let mut rig = Rig::new(LIMITS);
    let mut bytes = Vec::new();
    for input in inputs(seed) {
        events_of(&mut rig, &input);
        if (40..60).contains(&rig.engine.live_orders()) {
            bytes = bytes_of(&rig.engine);
        }
    }
    assert!(bytes.len() > 1_500, "{} bytes", bytes.len());
    bytes
}

/// The hash of all between header and trailer, as `docs/snapshot.md` says it.
fn seal(bytes: &mut [u8]) {
    let Some(end) = bytes
        .len()
        .checked_sub(8)
        .filter(|end| *end >= HEADER_BYTES)
    else {
        return;
    };
    let mut hash = 0_u64;
    for word in bytes[HEADER_BYTES..end].chunks(8) {
        let word = word
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u64::from(*byte));
        let mixed = (hash ^ word).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        hash = (mixed ^ mixed >> 29).wrapping_add(0x9E37_79B9_7F4A_7C15);
    }
    bytes[end..].copy_from_slice(&hash.to_le_bytes());
}

/// Where the first wrong field is, and its name.
fn error_of(bytes: &[u8], memory: &mut [Line]) -> Option<(usize, &'static str, RestoreFault)> {
    match Engine::restore(NARROW, memory, bytes) {
        Ok(_) => None,
        Err(RestoreError::Bytes {
            offset,
            field,
            fault,
        }) => Some((offset, field, fault)),
        Err(error) => panic!("{error}"),
    }
}

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

/// A venue of one symbol, two sessions, and four orders of known places in the bytes.
fn known_bytes() -> Vec<u8> {
    let mut rig = Rig::open(SMALL);
    rig.apply(day(1, Side::Buy, 5, 100));
    rig.apply(day(2, Side::Buy, 5, 100));
    rig.apply(day(3, Side::Sell, 5, 300));
    rig.apply(Command {
        session: 1,
        old_user_ref: 2,
        price: 1_000_000,
        ..of(CommandKind::Extra)
    });
    rig.apply(day(4, Side::Sell, 5, 300));
    bytes_of(&rig.engine)
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
    let session = HEADER_BYTES + VENUE_BYTES;
    let order_3 = &good[order(2)..order(3)];
    use RestoreFault::{Order, Taken, Value};
    let cases: [(usize, &[u8], &str, RestoreFault); 26] = [
        (0, b"w", "magic", Value),
        (8, &[2], "version", Value),
        (12, &[1], "zero", Value),
        (HEADER_BYTES, &[9], "tag", Value),
        (HEADER_BYTES + 1, &[3], "day", Value),
        (HEADER_BYTES + 1, &[2], "day", Value),
        (HEADER_BYTES + 2, &[3], "order.order_ref", Value),
        (session + 1, &[4], "session", Order),
        (session + SESSION_BYTES - 2, &[5], "session.mode", Value),
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
        (orders - 38, &[2], "symbol.killed", Value),
        (orders - 37, &[10], "symbol.state", Value),
        (orders - 37, &[8], "symbol.state", Value),
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
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 1..6),
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
        if let Ok(mut engine) = Engine::restore(NARROW, &mut memory, &bytes) {
            prop_assert!(bytes_of(&engine) == bytes);
            let mut events = matching::Events::new();
            for input in Hostile::new(7, ALL).take(300) {
                let mut step = engine.apply(&input, &mut events);
                while step == Step::More {
                    step = engine.resume(&mut events);
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes = [&known_bytes()[..HEADER_BYTES], &bytes].concat();
        let mut memory = vec![Line::ZERO; NARROW.lines()];
        prop_assert!(Engine::restore(NARROW, &mut memory, &bytes).is_err());
    }
}

/// The same busy bytes for every case.
fn busy() -> Vec<u8> {
    static BYTES: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    BYTES.get_or_init(|| busy_bytes(5)).clone()
}
