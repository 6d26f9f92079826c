//! What the fuzzers of rings share: a hand that writes over their memory.

use door::{Chunk, Rings};
use session_fuzz::Script;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// Where slots begin in a ring's memory, and how long they are.
const SLOTS_AT: u64 = 4_096;
const SLOT_BYTES: u64 = 128;

/// Slots that are written over: the ring has more, which only the honest ever reach.
const SLOTS: u64 = 24;

/// The memories of both rings.
pub fn memories(rings: &Rings) -> [File; 2] {
    [&rings.commands, &rings.replies].map(|ring| {
        let file = ring.region().file().expect("a memory that has one");
        File::from(file.try_clone_to_owned().expect("a descriptor"))
    })
}

/// Writes a word anywhere that counts.
pub fn scribble(script: &mut Script<'_>, memory: &File) {
    let slot = SLOTS_AT + u64::from(script.byte()) % SLOTS * SLOT_BYTES;
    let at = match script.byte() % 4 {
        0 => script.number::<2>() % SLOTS_AT / 8 * 8,
        1 => slot + SLOT_BYTES - 8,
        _ => slot + u64::from(script.byte()) % 16 * 8,
    };
    let value = match script.byte() % 4 {
        0 => script.number::<8>(),
        1 => u64::MAX >> (script.byte() % 64),
        _ => u64::from(script.byte()),
    };
    memory
        .write_all_at(&value.to_ne_bytes(), at)
        .expect("a word of it");
}

/// A chunk that makes sense, or does not, mostly of this connection.
pub fn chunk(script: &mut Script<'_>, session: u64) -> Chunk {
    let mut chunk = Chunk::of(script.byte() % 6, session, script.bytes());
    if script.byte() < 40 {
        chunk.length = script.byte();
        chunk.session = u64::from(script.byte());
    }
    chunk
}
