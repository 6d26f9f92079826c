//! Records that make an engine are the ones it writes, and it goes on with them; an error points
//! into the bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use matching::{Engine, Events, Limits, Line, RestoreError, Step};
use wire::ring::{Command, CommandKind, Input};

const HEADER_BYTES: usize = 24;
const LIMITS: Limits = Limits {
    symbols: 3,
    sessions: 3,
    orders: 64,
    special: 32,
    price_groups: 16,
    accounts: 3,
};

/// Header and trailer, which are right, around the records.
fn sealed(records: &[u8]) -> Vec<u8> {
    let length = HEADER_BYTES + records.len() + 8;
    let mut bytes = b"WXENGINE\x01\0\0\0\0\0\0\0".to_vec();
    bytes.extend_from_slice(&(length as u64).to_le_bytes());
    bytes.extend_from_slice(records);
    let mut hash = 0_u64;
    for word in records.chunks(8) {
        let word = word
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u64::from(*byte));
        let mixed = (hash ^ word).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        hash = (mixed ^ mixed >> 29).wrapping_add(0x9E37_79B9_7F4A_7C15);
    }
    bytes.extend_from_slice(&hash.to_le_bytes());
    bytes
}

fuzz_target!(|records: &[u8]| {
    let bytes = sealed(records);
    let mut memory = vec![Line::ZERO; LIMITS.lines()];
    let mut engine = match Engine::restore(LIMITS, &mut memory, &bytes) {
        Ok(engine) => engine,
        Err(RestoreError::Bytes { offset, .. }) => {
            assert!(offset <= bytes.len());
            return;
        }
        Err(RestoreError::Limits(error)) => panic!("{error}"),
    };
    let mut again = Vec::new();
    engine.snapshot(&mut |piece| again.extend_from_slice(piece));
    assert_eq!(again, bytes, "written again it is another snapshot");
    let mut events = Events::new();
    for (kind, time_ns) in [(CommandKind::Time, u64::MAX), (CommandKind::CloseDay, u64::MAX)] {
        let command = Command {
            kind: kind as u8,
            ..Command::BLANK
        };
        let input = Input {
            sequence: 1,
            time_ns,
            command,
        };
        let mut step = engine.apply(&input, &mut events);
        while step == Step::More {
            step = engine.resume(&mut events);
        }
    }
    assert_eq!(engine.live_orders(), 0);
});
