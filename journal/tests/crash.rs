//! A power cut or a kill at every point: what was durable comes back, and nothing that was not
//! said.

mod support;

use journal::simulated::{Disk, Faults};
use journal::{BLOCK_BYTES, Config, GROUP_INPUTS_MAX, LINE_BYTES, SEGMENT_BYTES_MIN};
use journal::{WRITE_BYTES, Writer};
use proptest::prelude::*;
use support::{SMALL, append, close, input, inputs, open, read, settle};

/// What a life does, one step at a time.
#[derive(Clone, Copy, Debug)]
enum Act {
    Append(usize),
    Poll,
}

fn acts(max: usize) -> impl Strategy<Value = Vec<Act>> {
    let sizes = prop_oneof![4 => 1_usize..20, 1 => 200_usize..=GROUP_INPUTS_MAX];
    let act = prop_oneof![2 => sizes.prop_map(Act::Append), 3 => Just(Act::Poll)];
    prop::collection::vec(act, 1..max)
}

/// Runs the acts on what the disk holds; returns what was reported durable and what was taken.
fn live(disk: &Disk, acts: &[Act]) -> (u64, u64) {
    let mut writer = open(disk);
    for act in acts {
        match act {
            Act::Append(count) => {
                // A busy writer takes nothing: the group is the next one's.
                let _ = writer.append(&inputs(writer.next_sequence(), *count));
            }
            Act::Poll => {
                writer.poll().expect("a healthy disk");
            }
        }
    }
    (writer.durable(), writer.next_sequence() - 1)
}

/// The journal holds inputs 1, 2, 3 ... with nothing missing that was durable; returns how many.
fn check(disk: &Disk, durable: u64, taken: u64) -> u64 {
    let (all, recovered) = read(&mut disk.storage()).expect("a crash is no damage");
    let count = all.len() as u64;
    assert!(
        count >= durable,
        "{durable} were durable, {count} came back"
    );
    assert!(count <= taken, "{taken} were taken, {count} came back");
    assert!(
        all.iter()
            .zip(1..)
            .all(|(found, sequence)| *found == input(sequence))
    );
    assert_eq!(recovered.next_sequence, count + 1);
    count
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..Default::default()
    })]

    /// Every prefix of a life is cut off, on disks with and without delay, and lived on from.
    #[test]
    fn a_power_cut_at_every_point_keeps_what_was_durable(
        acts in acts(24), more in acts(12), delay in 0_u32..4, seed: u64,
    ) {
        for end in 0..=acts.len() {
            let disk = Disk::new(seed);
            disk.set_faults(Faults { delay_polls_max: delay, ..Faults::default() });
            let (durable, taken) = live(&disk, &acts[..end]);
            let killed = disk.fork(seed);
            check(&killed, durable, taken);
            disk.crash();
            check(&disk, durable, taken);
            // The second life continues with the same sequence numbers, and is cut off too.
            let (durable_later, taken) = live(&disk, &more);
            disk.crash();
            check(&disk, durable.max(durable_later), taken);
        }
    }

    /// Many lives on one disk, each cut off somewhere.
    #[test]
    fn many_lives_make_one_sequence(lives in prop::collection::vec(acts(30), 1..8), seed: u64) {
        let disk = Disk::new(seed);
        disk.set_faults(Faults { delay_polls_max: 2, ..Faults::default() });
        let mut durable_ever = 0;
        for acts in &lives {
            let (durable, taken) = live(&disk, acts);
            durable_ever = durable_ever.max(durable);
            if seed & 1 == 0 {
                disk.crash();
            }
            check(&disk, durable_ever, taken);
        }
    }
}

#[test]
fn a_killed_process_leaves_what_the_next_one_flushes_first() {
    let disk = Disk::new(7);
    disk.set_faults(Faults {
        delay_polls_max: 3,
        ..Faults::default()
    });
    let mut writer = open(&disk);
    append(&mut writer, 5);
    drop(writer);
    let read_back = read(&mut disk.storage()).expect("in order").0.len();
    assert_eq!(read_back, 5, "written, though not flushed");
    let writer = open(&disk);
    assert_eq!(
        (writer.durable(), writer.next_sequence()),
        (5, 6),
        "flushed by the new life"
    );
    drop(writer);
    disk.crash();
    check(&disk, 5, 5);
}

#[test]
fn a_torn_group_is_cut_reported_and_wiped() {
    let mut torn_seen = 0;
    for seed in 0..64 {
        let disk = Disk::new(seed);
        let mut writer = open(&disk);
        append(&mut writer, 10);
        settle(&mut writer);
        append(&mut writer, 100);
        drop(writer);
        disk.crash();
        let (all, recovered) = read(&mut disk.storage()).expect("a crash is no damage");
        if all.len() == 110 {
            continue;
        }
        assert_eq!(all.len(), 10, "all or nothing of a group");
        assert!(!recovered.clean);
        if let Some(torn) = &recovered.torn {
            torn_seen += 1;
            assert_eq!(
                (torn.file.as_str(), torn.offset),
                ("simulated/journal-0000000001", 768)
            );
        }
        settle(&mut open(&disk));
        let (all, recovered) = read(&mut disk.storage()).expect("wiped");
        assert_eq!((all.len(), recovered.torn), (10, None));
    }
    assert!(torn_seen > 32, "the disk tears: {torn_seen}");
}

#[test]
fn a_clean_stop_is_told_from_a_crash() {
    let disk = Disk::new(1);
    let mut writer = open(&disk);
    append(&mut writer, 3);
    close(&mut writer);
    assert!(writer.append(&inputs(4, 1)).is_err(), "closed");
    let (all, recovered) = read(&mut disk.storage()).expect("in order");
    assert_eq!((all.len(), recovered.clean, recovered.epoch), (3, true, 1));
    let mut writer = open(&disk);
    assert_eq!(writer.epoch(), 2);
    append(&mut writer, 1);
    settle(&mut writer);
    let (all, recovered) = read(&mut disk.storage()).expect("in order");
    assert_eq!((all.len(), recovered.clean, recovered.epoch), (4, false, 2));
}

#[test]
fn every_fill_of_a_segment_closes_and_goes_on() {
    // Groups of one line more or less meet the segment's end in every way.
    let lines = (SEGMENT_BYTES_MIN / 64) as usize;
    for spare in 0..8 {
        let disk = Disk::new(spare as u64);
        let mut writer = open(&disk);
        append(&mut writer, GROUP_INPUTS_MAX);
        settle(&mut writer);
        append(&mut writer, lines - GROUP_INPUTS_MAX - 3 - spare);
        settle(&mut writer);
        close(&mut writer);
        assert_eq!(
            disk.bytes(1).map(|bytes| bytes.len() as u64),
            Some(SMALL.segment_bytes)
        );
        let mut writer = open(&disk);
        append(&mut writer, 2);
        close(&mut writer);
        let (all, recovered) = read(&mut disk.storage()).expect("in order");
        assert_eq!(all.len(), lines - 3 - spare + 2);
        assert!(recovered.clean);
    }
}

#[test]
fn a_torn_first_write_of_a_segment_is_no_damage() {
    let mut torn_seen = 0;
    for seed in 0..64 {
        let disk = Disk::new(seed);
        let mut writer = open(&disk);
        append(&mut writer, GROUP_INPUTS_MAX);
        settle(&mut writer);
        assert!(
            (0..4).all(|_| writer.poll().is_ok()),
            "the second segment is prepared"
        );
        // While the first segment is written once more, three groups gather for the second one.
        append(&mut writer, 1);
        for count in [GROUP_INPUTS_MAX, 20, 20] {
            assert_eq!(
                writer.append(&inputs(writer.next_sequence(), count)),
                Ok(())
            );
        }
        writer.poll().expect("a healthy disk");
        assert_eq!(writer.durable(), GROUP_INPUTS_MAX as u64 + 1);
        drop(writer);
        disk.crash();
        check(
            &disk,
            GROUP_INPUTS_MAX as u64 + 1,
            2 * GROUP_INPUTS_MAX as u64 + 41,
        );
        let (_, recovered) = read(&mut disk.storage()).expect("a crash is no damage");
        torn_seen += usize::from(recovered.torn.is_some());
        settle(&mut open(&disk));
        assert_eq!(read(&mut disk.storage()).expect("wiped").1.torn, None);
    }
    assert!(torn_seen > 32, "the disk tears: {torn_seen}");
}

#[test]
fn the_longest_torn_write_is_wiped_whole() {
    let mut torn_seen = 0;
    for seed in 0..16 {
        let disk = Disk::new(seed);
        let mut storage = disk.storage();
        let (_, recovered) = read(&mut storage).expect("empty");
        let config = Config {
            segment_bytes: 1 << 20,
        };
        let mut writer = Writer::open(storage, config, recovered.resume).expect("opens");
        append(&mut writer, 70);
        let room = (WRITE_BYTES - BLOCK_BYTES) / LINE_BYTES;
        let mut taken = 0;
        while writer.append(&inputs(writer.next_sequence(), 61)).is_ok() {
            taken += 62;
        }
        assert!(taken > room - 62, "a full buffer waits: {taken} lines");
        writer.poll().expect("a healthy disk");
        assert_eq!(writer.durable(), 70);
        drop(writer);
        disk.crash();
        let (all, recovered) = read(&mut disk.storage()).expect("a crash is no damage");
        assert!(all.len() >= 70);
        torn_seen += usize::from(recovered.torn.is_some());
        settle(&mut open(&disk));
        let (again, recovered) = read(&mut disk.storage()).expect("wiped");
        assert_eq!((again.len(), recovered.torn), (all.len(), None));
    }
    // The power may also take the whole write.
    assert!(torn_seen > 4, "the disk tears: {torn_seen}");
}
