//! The ring against a plain queue: wrap-around, full ring, batches, takeover, bad memory.

#![allow(clippy::unwrap_used)] // A test's helpers fail the test.

use proptest::prelude::*;
use queue::{Error, Full, Home, Reader, SharedRing, Writer, ring, ring_at};
use std::collections::VecDeque;

type Body = [u64; 6];

const fn body(number: u64) -> Body {
    [number, !number, number << 7, number * 3, 0, number ^ 0x55]
}

fn drained(reader: &mut Reader<Body>) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Some((stamp, message)) = reader.pop() {
        assert_eq!(message, body(stamp), "a message arrives as it was sent");
        numbers.push(stamp);
    }
    numbers
}

#[test]
fn a_full_ring_refuses_and_goes_on_after_a_quarter_is_taken() {
    let (mut writer, mut reader) = ring::<Body>(8).unwrap();
    for number in 0..8 {
        writer.push(number, &body(number)).unwrap();
    }
    assert_eq!(writer.push(8, &body(8)), Err(Full));
    assert_eq!(writer.room(), 0);
    assert_eq!(reader.pop(), Some((0, body(0))));
    assert_eq!(
        writer.push(8, &body(8)),
        Err(Full),
        "credit comes in quarters"
    );
    assert_eq!(reader.pop(), Some((1, body(1))));
    assert_eq!(writer.room(), 2);
    writer.push(8, &body(8)).unwrap();
    assert_eq!(drained(&mut reader), [2, 3, 4, 5, 6, 7, 8]);
    assert_eq!((reader.position(), writer.position()), (9, 9));
}

#[test]
fn a_ring_on_the_heap_wraps_like_any_other_and_begins_empty() {
    // The second one may be given the memory of the first.
    for _ in 0..2 {
        let (mut writer, mut reader) = ring_at::<Body>(Home::Heap, "heap", 8).unwrap();
        assert_eq!(reader.pop(), None);
        for round in 0..5 {
            let numbers: Vec<u64> = (round * 8..round * 8 + 8).collect();
            for number in &numbers {
                writer.push(*number, &body(*number)).unwrap();
            }
            assert_eq!(writer.push(0, &body(0)), Err(Full));
            assert_eq!(drained(&mut reader), numbers);
        }
    }
    assert!(ring_at::<Body>(Home::Heap, "heap", 3).is_err());
}

#[test]
fn a_batch_is_seen_at_once_and_not_before() {
    let (mut writer, mut reader) = ring::<Body>(8).unwrap();
    for number in 0..5 {
        writer.put(number, &body(number)).unwrap();
        assert_eq!((reader.peek(), reader.waiting(8)), (None, 0));
    }
    assert_eq!(writer.publish(), 5);
    assert_eq!(writer.publish(), 0);
    assert_eq!((reader.waiting(8), reader.waiting(3)), (5, 3));
    let mut stamps = Vec::new();
    assert_eq!(reader.take(3, |stamp, _| stamps.push(stamp)), 3);
    assert_eq!(reader.take(9, |stamp, _| stamps.push(stamp)), 2);
    assert_eq!(stamps, [0, 1, 2, 3, 4]);
}

#[test]
fn peek_leaves_the_message_and_flush_gives_all_slots_back() {
    let (mut writer, mut reader) = ring::<Body>(64).unwrap();
    writer.push(1, &body(1)).unwrap();
    assert_eq!(reader.peek(), reader.peek());
    reader.advance();
    assert_eq!(writer.room(), 63);
    reader.credit_flush();
    assert_eq!(writer.room(), 64);
    assert!(writer.has_room(64) && !writer.has_room(65));
}

#[test]
fn the_large_class_carries_112_bytes() {
    let (mut writer, mut reader) = ring::<[u64; 14]>(4).unwrap();
    for number in 0..100u64 {
        writer.push(number, &[number; 14]).unwrap();
        assert_eq!(reader.pop(), Some((number, [number; 14])));
    }
}

/// What one call of `gather` gives.
fn gathered(reader: &mut Reader<Body>, max: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    let count = reader.gather(max, |stamp, message| {
        assert_eq!(*message, body(stamp), "a message arrives as it was sent");
        numbers.push(stamp);
    });
    assert_eq!(numbers.len(), count);
    numbers
}

#[test]
fn messages_gather_and_none_waits_for_ever() {
    let (mut writer, mut reader) = ring::<Body>(256).unwrap();
    let mut sent = 0;
    let mut send = |writer: &mut Writer<Body>, count: u64| {
        for number in sent..sent + count {
            writer.push(number, &body(number)).unwrap();
        }
        sent += count;
    };
    assert_eq!(gathered(&mut reader, 64), []);
    send(&mut writer, 64);
    // It looks for 1, 2, 4, 8, 16 and 32 messages: that is 63.
    let counts: Vec<usize> = (0..6).map(|_| gathered(&mut reader, 64).len()).collect();
    assert_eq!(counts, [1, 2, 4, 8, 16, 32]);
    // One is left: it looks for 32 and then for fewer, in vain.
    let calls: Vec<Vec<u64>> = (0..7).map(|_| gathered(&mut reader, 64)).collect();
    assert_eq!(calls[..5], vec![vec![]; 5]);
    assert_eq!(calls[5..], [vec![63], vec![]]);
    reader.rest();
    send(&mut writer, 10);
    assert_eq!(gathered(&mut reader, 64), [64]);
    assert_eq!(gathered(&mut reader, 1), [65], "never more than asked for");
    assert_eq!(gathered(&mut reader, 0), []);
    assert_eq!(drained(&mut reader), [66, 67, 68, 69, 70, 71, 72, 73]);
}

#[test]
fn an_unpublished_batch_is_not_gathered() {
    let (mut writer, mut reader) = ring::<Body>(64).unwrap();
    writer.push(0, &body(0)).unwrap();
    assert_eq!(gathered(&mut reader, 8), [0]);
    for number in 1..4 {
        writer.put(number, &body(number)).unwrap();
    }
    // It looks at the second slot of the batch, which is filled.
    assert_eq!(gathered(&mut reader, 8), []);
    writer.publish();
    assert_eq!(gathered(&mut reader, 8), [1, 2]);
}

#[derive(Clone, Debug)]
enum Step {
    Push,
    Put,
    Publish,
    Take(usize),
    Gather(usize),
    WriterDies,
    ReaderDies,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Push),
        6 => Just(Step::Put),
        3 => Just(Step::Publish),
        4 => (0usize..9).prop_map(Step::Take),
        4 => (0usize..9).prop_map(Step::Gather),
        1 => Just(Step::WriterDies),
        1 => Just(Step::ReaderDies),
    ];
    proptest::collection::vec(step, 0..300)
}

/// What a ring must do, said with a plain queue.
struct Model {
    memory: SharedRing<Body>,
    writer: Writer<Body>,
    reader: Reader<Body>,
    published: VecDeque<u64>,
    put: VecDeque<u64>,
    /// Taken and not given back yet: these come again when the reader dies.
    uncredited: VecDeque<u64>,
    next: u64,
}

impl Model {
    fn new(depth: usize) -> Self {
        let memory = SharedRing::create("test", depth).unwrap();
        let (writer, reader) = (memory.writer(), memory.reader());
        let (published, put, uncredited) = Default::default();
        Self {
            memory,
            writer,
            reader,
            published,
            put,
            uncredited,
            next: 0,
        }
    }

    fn send(&mut self, publish: bool) {
        let used = self.published.len() + self.put.len() + self.uncredited.len();
        let message = body(self.next);
        let result = if publish {
            self.writer.push(self.next, &message)
        } else {
            self.writer.put(self.next, &message)
        };
        let fits = used < self.writer.depth();
        assert_eq!(result, if fits { Ok(()) } else { Err(Full) });
        if fits {
            self.put.push_back(self.next);
            self.next += 1;
            if publish {
                self.published.append(&mut self.put);
            }
        }
    }

    fn take(&mut self, max: usize) {
        let mut got = Vec::new();
        self.reader.take(max, |stamp, message| {
            assert_eq!(*message, body(stamp));
            got.push(stamp);
        });
        assert_eq!(got.len(), max.min(self.published.len()));
        self.took(got);
    }

    fn gather(&mut self, max: usize) {
        let got = gathered(&mut self.reader, max);
        assert!(got.len() <= max);
        self.took(got);
    }

    fn took(&mut self, got: Vec<u64>) {
        assert_eq!(got, self.published.drain(..got.len()).collect::<Vec<_>>());
        for stamp in got {
            self.uncredited.push_back(stamp);
            if self.uncredited.len() >= (self.writer.depth() / 4).max(1) {
                self.uncredited.clear();
            }
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Push => self.send(true),
            Step::Put => self.send(false),
            Step::Publish => {
                assert_eq!(self.writer.publish(), self.put.len());
                self.published.append(&mut self.put);
            }
            Step::Take(max) => self.take(*max),
            Step::Gather(max) => self.gather(*max),
            Step::WriterDies => {
                self.writer = self.memory.writer();
                self.put.clear();
            }
            Step::ReaderDies => {
                self.reader = self.memory.reader();
                self.uncredited.append(&mut self.published);
                self.published = std::mem::take(&mut self.uncredited);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128, failure_persistence: None, ..ProptestConfig::default()
    })]

    /// Nothing is lost, doubled, torn or out of order, whatever the depth, the batches and the
    /// deaths; a replaced writer forgets what it had not published, a replaced reader sees again
    /// what its predecessor had not given back.
    #[test]
    fn it_behaves_like_a_queue(depth_log2 in 0u32..6, steps in steps()) {
        let mut model = Model::new(1 << depth_log2);
        for step in &steps {
            model.step(step);
        }
        model.take(usize::MAX);
    }
}

#[test]
fn a_replaced_side_learns_it_and_heartbeats_cross() {
    let memory = SharedRing::<Body>::create("test", 4).unwrap();
    let (writer, reader) = (memory.writer(), memory.reader());
    assert_eq!((reader.writer_beat_ns(), writer.reader_beat_ns()), (0, 0));
    writer.beat(7).unwrap();
    reader.beat(9).unwrap();
    assert_eq!((reader.writer_beat_ns(), writer.reader_beat_ns()), (7, 9));
    let successor = memory.writer();
    assert!(writer.beat(8).is_err());
    successor.beat(8).unwrap();
    assert_eq!(reader.writer_beat_ns(), 8);
}

#[test]
fn impossible_rings_are_refused_by_words() {
    for depth in [0, 3, 1 << 25] {
        let error = ring::<Body>(depth).unwrap_err();
        assert!(error.to_string().contains("power of two"), "{error}");
    }
}

/// Writes one word of the region behind a ring, as a damaged or foreign process would.
fn damage(memory: &SharedRing<Body>, word: u64, value: u64) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(memory.region().path().unwrap())
        .unwrap();
    file.write_all_at(&value.to_ne_bytes(), word * 8).unwrap();
}

#[test]
fn damaged_memory_is_an_error_that_names_the_field() {
    let slot_words = 8;
    let cases = [
        ("magic", 0, 1),
        ("layout hash", 1, 1),
        ("depth", 2, 5),
        ("depth", 2, u64::MAX),
        ("size of the ring", 2, 1 << 20),
        ("slot bytes", 3, 128),
        ("credit", 48, u64::MAX),
        ("credit", 48, 4),
        ("sequence", 512 + 7, 2),
        ("sequence", 512 + slot_words + 7, 1 << 40 | 2),
    ];
    for (field, word, value) in cases {
        let memory = SharedRing::<Body>::create("test", 16).unwrap();
        let mut writer = memory.writer();
        for number in 0..3 {
            writer.push(number, &body(number)).unwrap();
        }
        // The file of a region on 2 MB pages cannot be written, only mapped.
        if memory.region().pages() != queue::PageSize::Small4K {
            println!("skipped: the region is on 2 MB pages");
            return;
        }
        SharedRing::<Body>::attach(&memory.region().path().unwrap()).unwrap();
        damage(&memory, word, value);
        match SharedRing::<Body>::attach(&memory.region().path().unwrap()) {
            Err(Error::Bad { field: named, .. }) => assert_eq!(named, field, "word {word}"),
            other => panic!("{field} = {value:#x} gives {other:?}"),
        }
    }
}

#[test]
fn another_type_of_message_is_refused() {
    let memory = SharedRing::<Body>::create("test", 16).unwrap();
    let error = SharedRing::<[u32; 12]>::attach(&memory.region().path().unwrap()).unwrap_err();
    assert!(error.to_string().contains("layout hash"), "{error}");
}

#[test]
fn credit_from_a_mad_reader_is_ignored_and_counted() {
    let memory = SharedRing::<Body>::create("test", 4).unwrap();
    let mut writer = memory.writer();
    for number in 0..4 {
        writer.push(number, &body(number)).unwrap();
    }
    if memory.region().pages() != queue::PageSize::Small4K {
        println!("skipped: the region is on 2 MB pages");
        return;
    }
    damage(&memory, 48, 1 << 50);
    assert_eq!(writer.push(4, &body(4)), Err(Full));
    assert!(writer.credits_refused() > 0);
}
