//! A disk that stalls: matching goes on as far as the ring is deep, and nothing leaves or is lost.
#![allow(clippy::unwrap_used)]

mod stage;

use appliance::topology::{Link, Topology};
use journal::simulated::{Disk, DiskStorage};
use journal::{Buffer, Completion, SegmentFile, Segments, Storage, StorageError};
use stage::{FILE, Stage};
use std::sync::{Arc, Mutex};
use wire::ring::CommandKind;

/// A disk that does not answer while it stalls; what it was asked for it does.
struct Stalling {
    disk: DiskStorage,
    stalls: Arc<Mutex<bool>>,
}

impl Segments for Stalling {
    fn list(&mut self) -> Result<Vec<SegmentFile>, StorageError> {
        self.disk.list()
    }

    fn read(&mut self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        self.disk.read(segment, offset, into)
    }

    fn file(&self, segment: u32) -> String {
        self.disk.file(segment)
    }
}

impl Storage for Stalling {
    fn prepare(&mut self, segment: u32, bytes: u64) {
        self.disk.prepare(segment, bytes);
    }

    fn write(&mut self, segment: u32, offset: u64, buffer: Buffer) {
        self.disk.write(segment, offset, buffer);
    }

    fn poll(&mut self) -> Option<Completion> {
        if *self.stalls.lock().unwrap() {
            return None;
        }
        self.disk.poll()
    }
}

#[test]
fn a_disk_that_stalls_stops_acknowledgements_and_lets_matching_go_on_as_far_as_the_ring_is_deep() {
    const STALL_NS: u64 = 200_000_000;
    let (disk, stalls) = (Disk::new(7), Arc::new(Mutex::new(false)));
    let storage = Stalling {
        disk: disk.storage(),
        stalls: Arc::clone(&stalls),
    };
    let mut lines = Vec::new();
    // A session may have 4,096 orders unanswered: two fill a link of 1,024 and the writer.
    let text = FILE
        .replace(
            "engine_journal = { depth = 4096",
            "engine_journal = { depth = 1024",
        )
        .replace("ack = \"disk\"", "ack = \"disk\"\nsegment_mib = 1");
    let mut stage = Stage::on(&text, storage, &mut lines);
    let depth = Topology::parse(&text).unwrap().depth(Link::EngineJournal) as u64;
    stage.turns(true);
    assert_eq!(stage.enter(100), 100);
    stage.turns(true);
    let (told, packets) = (stage.told, stage.packets);
    let durable = stage.counter("journal.durable");
    assert_eq!(stage.counter("journal.lag_ns"), 0);

    *stalls.lock().unwrap() = true;
    let since_ns = stage.now_ns;
    let mut entered = stage.enter(1);
    stage.turns(true);
    assert_eq!(stage.counter("engine.inputs"), durable + 1, "it is matched");
    // As many as are taken: matching ends where the ring is full, and what the writer holds.
    entered += stage.enter(10_000);
    let others = stage.enter_as(1, 10_000);
    stage.turns(true);
    let matched = stage.counter("engine.inputs") - durable;
    let held = (2 * journal::WRITE_BYTES / journal::LINE_BYTES + journal::GROUP_INPUTS_MAX) as u64;
    assert!(
        (depth..=depth + held).contains(&matched),
        "{matched} were matched, the ring has room for {depth}"
    );
    assert!(stage.counter("engine.waits") > 0, "then it waits");
    while stage.now_ns < since_ns + STALL_NS {
        stage.now_ns += 100_000;
        stage.turn(true);
    }
    assert_eq!(stage.told, told, "a reply without a record");
    assert_eq!(stage.packets, packets, "news without a record");
    assert_eq!(stage.counter("journal.durable"), durable);
    assert!(stage.counter("journal.lag_ns") >= STALL_NS - 1_000_000);

    *stalls.lock().unwrap() = false;
    stage.turns(true);
    for _ in 0..20 {
        stage.turns(true);
    }
    let taken = stage.told.map(|told| told.taken);
    assert_eq!(taken, [100 + entered, others], "each is answered");
    assert_eq!(stage.counter("journal.lag_ns"), 0);
    let mut orders = 0;
    journal::recover(&mut disk.storage(), &mut |input| {
        orders += usize::from(input.command.kind == CommandKind::New as u8);
    })
    .unwrap();
    assert_eq!(orders, 100 + entered + others, "nothing is lost");
}
