//! Memory shared with a process that writes whatever it likes wherever it likes.

#![allow(clippy::unwrap_used)] // A test's helpers fail the test.

mod children;

use children::{PATIENCE, child_role, child_start, now_ns, until};
use queue::{PageSize, SharedRing};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

type Body = [u64; 6];

const DEPTH: usize = 64;
const ROUNDS: u64 = 20_000;

fn open(path: &Path) -> File {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap()
}

#[test]
#[ignore = "the other process, which the tests below start: cargo test -p queue --test hostile"]
fn child() {
    let Some((_, path)) = child_role() else {
        return;
    };
    let file = open(path.as_ref());
    let bytes = file.metadata().unwrap().len();
    let start = Instant::now();
    let mut seed = 1;
    while start.elapsed() < PATIENCE {
        seed = random(seed);
        let word = seed % (bytes / 8);
        // Small numbers and near ones are more likely to be believed than any.
        let value = match seed >> 60 {
            0..4 => seed >> 8,
            4..8 => seed >> 56,
            8..12 => word,
            12 => u64::MAX,
            _ => 1 << 62,
        };
        file.write_all_at(&value.to_ne_bytes(), word * 8).unwrap();
    }
}

/// The next number of a xorshift generator.
const fn random(mut seed: u64) -> u64 {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^ seed << 17
}

/// Uses both sides of a ring in every way, and believes nothing that comes.
fn use_ring(ring: &SharedRing<Body>) {
    let (mut writer, mut reader) = (ring.writer(), ring.reader());
    for number in 0..32 {
        // Full, or replaced, or neither: all are answers.
        let _ = writer.push(number, &[number; 6]);
        let _ = writer.put(number, &[number; 6]);
        let _ = (writer.publish(), writer.room(), writer.beat(now_ns()));
        let _ = (reader.peek(), reader.pop(), reader.waiting(DEPTH));
        assert!(reader.take(8, |_, _| ()) <= 8);
        assert!(reader.gather(8, |_, _| ()) <= 8);
        reader.credit_flush();
        let now_ns = now_ns();
        let _ = (
            reader.beat(now_ns),
            reader.writer(now_ns, 1),
            writer.reader(now_ns, 1),
        );
    }
}

#[test]
fn a_ring_bears_a_process_that_scribbles_on_it() {
    let ring = SharedRing::<Body>::create("test", DEPTH).unwrap();
    if ring.region().pages() != PageSize::Small4K {
        println!("skipped: the file of a region on 2 MB pages cannot be written, only mapped");
        return;
    }
    let path = ring.region().path().unwrap();
    let mut child = child_start("scribbler", path.to_str().unwrap());
    // A refusal by words, never a panic: damage is first met in the header.
    let refused = until(|| {
        use_ring(&ring);
        SharedRing::<Body>::attach(&path).err()
    });
    assert!(refused.to_string().contains("shared memory: "), "{refused}");
    for _ in 0..ROUNDS / 32 {
        use_ring(&ring);
        let _ = SharedRing::<Body>::attach(&path);
    }
    assert!(
        child.try_wait().unwrap().is_none(),
        "it scribbled all along"
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn nobody_takes_a_ring_s_memory_away() {
    let ring = SharedRing::<Body>::create("test", DEPTH).unwrap();
    let file = open(&ring.region().path().unwrap());
    let bytes = ring.region().bytes() as u64;
    for wrong in [0, bytes / 2, bytes * 2] {
        assert!(
            file.set_len(wrong).is_err(),
            "{wrong} bytes instead of {bytes}"
        );
    }
    use_ring(&ring);
}
