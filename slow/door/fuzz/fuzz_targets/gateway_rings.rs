//! Both rings between a gateway and the venue, of which somebody writes over any word at any time:
//! slots, their numbers, credits and the header.
//!
//! Neither side panics or reads on for ever, no chunk is longer than its slot, and a gateway hears
//! nothing of other connections. Who attaches such memory anew gets a ring or an error.
#![no_main]

use door::{Chunk, Content, Door, Rings};
use door_fuzz::{chunk, memories, scribble};
use libfuzzer_sys::fuzz_target;
use session_fuzz::Script;
use std::os::unix::net::UnixStream;

const SESSION: u64 = 7;

/// The rings as another process gets them.
fn handed(rings: &Rings) -> Option<Rings> {
    let (ours, theirs) = UnixStream::pair().expect("two sockets");
    rings.hand(&ours).expect("room for a byte");
    Rings::receive(&theirs).ok()
}

fuzz_target!(|bytes: &[u8]| {
    let mut script = Script::new(bytes);
    let rings = Rings::create("fuzz").expect("memory");
    let memories = memories(&rings);
    let (mut commands, mut replies) = (rings.commands.reader(), rings.replies.writer());
    let mut door = Door::begin(&rings, SESSION).expect("an empty ring");
    while !script.is_over() {
        match script.byte() % 8 {
            0..3 => {
                let memory = &memories[script.below(2)];
                scribble(&mut script, memory);
            }
            3 => {
                let mut taken = 0;
                while let Some((_, chunk)) = commands.pop() {
                    taken += 1;
                    assert!(taken <= door::DEPTH, "it reads on for ever");
                    if let Some(Content::Data(bytes) | Content::End(bytes)) = chunk.content() {
                        assert!(bytes.len() <= Chunk::BYTES_MAX);
                    }
                }
                commands.credit_flush();
            }
            4 => drop(replies.push(0, &chunk(&mut script, SESSION))),
            5 => {
                let bytes = script.bytes();
                assert!(door.send(bytes) <= bytes.len());
            }
            6 => {
                let max = usize::from(script.byte());
                let mut heard = 0;
                door.receive(max, &mut |bytes| {
                    heard += 1;
                    assert!((1..=Chunk::BYTES_MAX).contains(&bytes.len()));
                });
                assert!(heard <= max);
            }
            _ => {
                // Another process takes a side over, or finds no ring there any more.
                let Some(rings) = handed(&rings) else {
                    continue;
                };
                match script.byte() % 3 {
                    0 => commands = rings.commands.reader(),
                    1 => replies = rings.replies.writer(),
                    _ => {
                        let Ok(next) = Door::begin(&rings, SESSION) else {
                            continue;
                        };
                        door = next;
                    }
                }
            }
        }
    }
});
