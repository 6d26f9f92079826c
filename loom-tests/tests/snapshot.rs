//! Models of the seqlock: a value is whole and never goes back, also when the writer is replaced.

#![allow(clippy::unwrap_used)] // A test's helpers fail the test.

use loom::thread;
use loom_tests::memory::{Snapshot, explore};
use queue::{SnapshotReader, SnapshotWriter};

type Value = [u64; 2];

fn writer(memory: Snapshot) -> SnapshotWriter<Value, Snapshot> {
    SnapshotWriter::open(memory)
}

/// Reads once; the value must be whole and no older than `last`.
fn look(reader: &SnapshotReader<Value, Snapshot>, last: &mut u64) {
    if let Some([left, right]) = reader.try_read() {
        assert_eq!(left, right, "a torn value");
        assert!(left >= *last, "a value older than one seen before");
        *last = left;
    }
}

#[test]
fn whole() {
    let forbidden = "a reader takes a value half old and half new, or one older than the last";
    explore("snapshot: whole", forbidden, || {
        let memory = Snapshot::new();
        let reader = SnapshotReader::open(memory.clone());
        let mut first = writer(memory);
        let writing = thread::spawn(move || {
            first.write(&[1, 1]);
            first.write(&[2, 2]);
        });
        let mut last = 0;
        look(&reader, &mut last);
        look(&reader, &mut last);
        writing.join().unwrap();
        assert_eq!(reader.try_read(), Some([2, 2]), "the last value is there");
    });
}

#[test]
fn writer_replaced() {
    let forbidden = "a reader takes the half that a dead writer left, or mixes it with the next";
    explore("snapshot: writer replaced", forbidden, || {
        let memory = Snapshot::new();
        let reader = SnapshotReader::open(memory.clone());
        writer(memory.clone()).write(&[1, 1]);
        // Two stores of the next write, then death: an odd version and one new word.
        memory.die_after(2);
        writer(memory.clone()).write(&[9, 9]);
        memory.die_after(usize::MAX);
        assert_eq!(reader.try_read(), None, "half a value is no value");
        // Opened here, because loom explores one execution of a thread that loads a word and then
        // stores to it.
        let mut successor = writer(memory);
        let writing = thread::spawn(move || {
            successor.write(&[2, 2]);
            successor.write(&[3, 3]);
        });
        let mut last = 1;
        look(&reader, &mut last);
        look(&reader, &mut last);
        assert_ne!(last, 9, "the half value became visible");
        writing.join().unwrap();
        assert_eq!(reader.try_read(), Some([3, 3]), "the last value is there");
    });
}
