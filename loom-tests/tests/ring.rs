//! Models of the ring: single messages, batches, a reader of streams, one that waits, wrap-around,
//! lazy credit, either side replaced.

#![allow(clippy::unwrap_used)] // A test's helpers fail the test.

use loom::thread;
use loom_tests::memory::{Ring, explore};
use queue::{Reader, Writer};

/// The body that goes with a stamp: a torn or stale message does not have it.
const fn body(stamp: u64) -> u64 {
    stamp * 1000
}

fn push(writer: &mut Writer<u64, Ring>, stamp: u64) -> bool {
    writer.push(stamp, &body(stamp)).is_ok()
}

/// Tries `tries` times to take a message; every one must be the one after `last`.
fn pop(reader: &mut Reader<u64, Ring>, last: &mut u64, tries: usize) {
    for _ in 0..tries {
        if let Some((stamp, value)) = reader.pop() {
            assert_eq!(
                stamp,
                *last + 1,
                "a message is lost, doubled or out of order"
            );
            assert_eq!(value, body(stamp), "a message is not what was sent");
            *last = stamp;
        }
    }
}

/// Takes what is there; every message must be the one after `last`.
fn take(reader: &mut Reader<u64, Ring>, last: &mut u64) -> usize {
    reader.take(5, |stamp, value| {
        assert_eq!(
            (stamp, *value),
            (*last + 1, body(stamp)),
            "not the next message"
        );
        *last = stamp;
    })
}

/// Like `take`, in the way of a reader that waits for several.
fn gather(reader: &mut Reader<u64, Ring>, last: &mut u64) -> usize {
    reader.gather(5, |stamp, value| {
        assert_eq!(
            (stamp, *value),
            (*last + 1, body(stamp)),
            "not the next message"
        );
        *last = stamp;
    })
}

/// Pushes the stamps after `sent` up to `end`, giving up a stamp's turn when the ring is full.
fn send(writer: &mut Writer<u64, Ring>, sent: &mut u64, end: u64, tries: usize) {
    for _ in 0..tries {
        if *sent < end && push(writer, *sent + 1) {
            *sent += 1;
        }
    }
}

#[test]
fn single() {
    let forbidden = "the reader sees a message before its body is written";
    explore("ring: single", forbidden, || {
        let ring = Ring::new(2, 1);
        let (mut writer, mut reader) = (Writer::open(ring.clone()), Reader::open(ring));
        let sender = thread::spawn(move || {
            assert!(
                push(&mut writer, 1) && push(&mut writer, 2),
                "a new ring has room"
            );
        });
        let mut last = 0;
        pop(&mut reader, &mut last, 4);
        sender.join().unwrap();
        pop(&mut reader, &mut last, 2);
        assert_eq!(last, 2, "all that was sent arrives");
    });
}

#[test]
fn wrap_around() {
    let forbidden = "the writer fills a slot that the reader still looks at";
    explore("ring: wrap-around", forbidden, || {
        let ring = Ring::new(2, 1);
        let (mut writer, mut reader) = (Writer::open(ring.clone()), Reader::open(ring));
        let sender = thread::spawn(move || {
            let mut sent = 0;
            send(&mut writer, &mut sent, 5, 6);
            sent
        });
        let mut last = 0;
        pop(&mut reader, &mut last, 4);
        let sent = sender.join().unwrap();
        pop(&mut reader, &mut last, 2);
        assert_eq!(last, sent, "all that was sent arrives");
    });
}

#[test]
fn batch() {
    let forbidden = "part of a batch is seen before its end is written";
    explore("ring: batch", forbidden, || {
        let ring = Ring::new(4, 1);
        let (mut writer, mut reader) = (Writer::open(ring.clone()), Reader::open(ring));
        let sender = thread::spawn(move || {
            for (first, end) in [(1, 3), (4, 5)] {
                for stamp in first..=end {
                    while writer.put(stamp, &body(stamp)).is_err() {
                        thread::yield_now();
                    }
                }
                assert_eq!(writer.publish() as u64, end + 1 - first);
            }
        });
        let mut last = 0;
        while last < 5 {
            let count = take(&mut reader, &mut last);
            assert!(
                matches!(last, 0 | 3 | 5),
                "a batch comes whole: {count} up to {last}"
            );
            thread::yield_now();
        }
        sender.join().unwrap();
    });
}

#[test]
fn gathering() {
    let forbidden = "a filled slot further on makes the reader skip one or wait for ever";
    explore("ring: gathering", forbidden, || {
        let ring = Ring::new(8, 2);
        let (mut writer, mut reader) = (Writer::open(ring.clone()), Reader::open(ring));
        let sender = thread::spawn(move || {
            assert!(push(&mut writer, 1), "a new ring has room");
            for stamp in 2..=4 {
                writer.put(stamp, &body(stamp)).unwrap();
            }
            assert_eq!(writer.publish(), 3);
            let mut sent = 4;
            send(&mut writer, &mut sent, 9, 6);
            sent
        });
        let mut last = 0;
        for _ in 0..4 {
            gather(&mut reader, &mut last);
        }
        let sent = sender.join().unwrap();
        // Two calls at worst for each message: one in vain.
        for _ in 0..2 * sent {
            gather(&mut reader, &mut last);
        }
        assert_eq!(last, sent, "all that was sent arrives");
    });
}

#[test]
fn waiting() {
    let forbidden = "a waiting reader takes back the number of a slot that is being filled";
    explore("ring: waiting", forbidden, || {
        let ring = Ring::new(4, 2);
        let (mut writer, mut reader) = (Writer::open(ring.clone()), Reader::open(ring));
        let sender = thread::spawn(move || {
            assert!(push(&mut writer, 1), "a new ring has room");
            for stamp in 2..=3 {
                writer.put(stamp, &body(stamp)).unwrap();
            }
            assert_eq!(writer.publish(), 2);
        });
        let mut last = 0;
        // The second look in vain for a message writes to the slot after it.
        pop(&mut reader, &mut last, 2);
        gather(&mut reader, &mut last);
        pop(&mut reader, &mut last, 2);
        sender.join().unwrap();
        pop(&mut reader, &mut last, 3);
        assert_eq!(last, 3, "all that was sent arrives");
    });
}

#[test]
fn lazy_credit() {
    let forbidden = "the writer fills a slot that the reader has not given back";
    explore("ring: lazy credit", forbidden, || {
        let ring = Ring::new(4, 2);
        let (mut writer, mut reader) = (Writer::open(ring.clone()), Reader::open(ring));
        for stamp in 1..=4 {
            assert!(push(&mut writer, stamp), "a new ring has room");
        }
        let sender = thread::spawn(move || {
            let mut sent = 4;
            send(&mut writer, &mut sent, 8, 6);
            sent
        });
        let mut last = 0;
        pop(&mut reader, &mut last, 6);
        let sent = sender.join().unwrap();
        pop(&mut reader, &mut last, 4);
        assert_eq!(last, sent, "all that was sent arrives");
    });
}

#[test]
fn writer_replaced() {
    let forbidden =
        "the rest of a dead writer's batch is taken for messages, or one is overwritten";
    explore("ring: writer replaced", forbidden, || {
        let ring = Ring::new(4, 1);
        let (mut writer, mut reader) = (Writer::open(ring.clone()), Reader::open(ring.clone()));
        for stamp in [1, 2] {
            assert!(push(&mut writer, stamp), "a new ring has room");
        }
        for _ in 0..2 {
            writer.put(77, &77).unwrap();
        }
        drop(writer);
        let sender = thread::spawn(move || {
            let mut successor = Writer::open(ring);
            assert_eq!(
                successor.position(),
                2,
                "the successor goes on where it stopped"
            );
            let mut sent = 2;
            send(&mut successor, &mut sent, 6, 5);
            sent
        });
        let mut last = 0;
        pop(&mut reader, &mut last, 4);
        let sent = sender.join().unwrap();
        pop(&mut reader, &mut last, 4);
        assert_eq!(
            last, sent,
            "all that was published arrives, and nothing else"
        );
    });
}

#[test]
fn reader_replaced() {
    let forbidden = "the successor of a dead reader misses a message that was not given back";
    explore("ring: reader replaced", forbidden, || {
        let ring = Ring::new(4, 2);
        let (mut writer, mut reader) = (Writer::open(ring.clone()), Reader::open(ring.clone()));
        for stamp in 1..=3 {
            assert!(push(&mut writer, stamp), "a new ring has room");
        }
        let sender = thread::spawn(move || {
            let mut sent = 3;
            send(&mut writer, &mut sent, 6, 4);
            sent
        });
        let mut last = 0;
        pop(&mut reader, &mut last, 3);
        assert_eq!(last, 3);
        drop(reader);
        let mut successor = Reader::open(ring);
        // Messages 1 and 2 were given back; 3 was not, and comes again.
        assert_eq!(successor.position(), 2, "it begins at the last credit");
        let mut last = 2;
        pop(&mut successor, &mut last, 3);
        let sent = sender.join().unwrap();
        pop(&mut successor, &mut last, 4);
        assert_eq!(last, sent, "all that was sent arrives");
    });
}
