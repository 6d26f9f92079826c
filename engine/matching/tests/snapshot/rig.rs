//! Engines to be snapshotted, their bytes, and what comes of other bytes.

#[path = "../common/limits.rs"]
mod limits;

use flow::hostile::Hostile;
use flow::naive::increments::first;
pub use limits::LIMITS;
use matching::{Engine, Limits, Line, RestoreError, RestoreFault, Step};
use wire::ring::{Command, CommandKind, Event, Input, Side};

use crate::common::{Rig, SMALL, day, of};

/// Bytes of the header.
pub const HEADER_BYTES: usize = 24;

/// All that a stream can ask for, offered or not.
pub const ALL: u16 = first(14);

/// Inputs of a hostile day.
pub const INPUTS: usize = 3_000;

pub fn bytes_of(engine: &Engine<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    engine.snapshot(&mut |piece| {
        assert!(piece.len() <= 4_224);
        bytes.extend_from_slice(piece);
    });
    assert_eq!(bytes.len() as u64, engine.snapshot_bytes());
    bytes
}

/// Another engine from bytes, with more or less room than the first one.
pub fn restored(bytes: &[u8], more: u32) -> Rig {
    let limits = Limits {
        symbols: LIMITS.symbols + more as u16,
        sessions: LIMITS.sessions + 3 * more as u16,
        orders: LIMITS.orders / 2 + 77 * more,
        special: LIMITS.special / 2 + more,
        price_groups: LIMITS.price_groups / 2 + more,
        accounts: LIMITS.accounts + more as u16,
    };
    Rig::restore(limits, bytes).expect("room and good bytes")
}

/// A hostile day in which symbols 1 and 2 go through calls and halts.
pub fn inputs(seed: u64) -> Vec<Input> {
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
pub fn events_of(rig: &mut Rig, input: &Input) -> Vec<Event> {
    let mut events = matching::Events::new();
    let mut step = rig.engine.apply(input, &mut events);
    let mut all = events.as_slice().to_vec();
    while step == Step::More {
        step = rig.engine.resume(&mut events);
        all.extend_from_slice(events.as_slice());
    }
    all
}

/// Room for a busy book, and little beside.
pub const NARROW: Limits = Limits {
    orders: 400,
    special: 200,
    price_groups: 200,
    ..LIMITS
};

/// The most bytes that each are tried.
const BUSY_BYTES: u64 = 4_000;

/// The most bytes, up to [`BUSY_BYTES`], that an engine came to in a hostile day.
pub fn busy_bytes(seed: u64) -> Vec<u8> {
    let mut rig = Rig::new(LIMITS);
    let mut bytes = Vec::new();
    for input in inputs(seed) {
        events_of(&mut rig, &input);
        if (bytes.len() as u64 + 1..BUSY_BYTES).contains(&rig.engine.snapshot_bytes()) {
            bytes = bytes_of(&rig.engine);
        }
    }
    assert!(bytes.len() > 1_000, "{} bytes", bytes.len());
    bytes
}

/// The hash of all between header and trailer, as `docs/snapshot.md` says it.
pub fn seal(bytes: &mut [u8]) {
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
pub fn error_of(bytes: &[u8], memory: &mut [Line]) -> Option<(usize, &'static str, RestoreFault)> {
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

/// A venue of one symbol, two sessions, and four orders of known places in the bytes.
pub fn known_bytes() -> Vec<u8> {
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

/// An engine to which a trade was named, and not yet what shall become of it.
pub fn named_bytes() -> Vec<u8> {
    let mut rig = Rig::open(SMALL);
    rig.apply(Command {
        session: 1,
        user_ref: 7,
        price: 1,
        ..of(CommandKind::Trade)
    });
    bytes_of(&rig.engine)
}
