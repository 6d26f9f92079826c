//! Reading from the middle, and reading while another one writes.

mod support;

use journal::simulated::Disk;
use journal::{
    Field, FileSegments, FileStorage, Follower, Mark, RecoveryError, Writer, recover, recover_from,
};
use std::time::{Duration, Instant};
use support::{SMALL, append, close, input, inputs, open, read, settle};

/// Groups that cross several segments of the least size.
fn fill(disk: &Disk) {
    for count in [1, 1_024, 3, 1_000, 17, 1_024, 64] {
        let mut writer = open(disk);
        append(&mut writer, count);
        settle(&mut writer);
        if count == 17 {
            close(&mut writer);
        }
    }
}

/// The places between records, and how many inputs lie before each.
fn marks(disk: &Disk) -> Vec<Mark> {
    let (all, _) = read(&mut disk.storage()).expect("in order");
    let mut follower = Follower::new(disk.storage(), Mark::START);
    let mut marks = vec![Mark::START];
    for durable in 0..=all.len() as u64 {
        while follower.poll(durable, &mut |_| ()).expect("in order") > 0 {}
        if *follower.mark() != marks[marks.len() - 1] {
            marks.push(*follower.mark());
        }
    }
    assert_eq!(follower.mark().next_sequence, all.len() as u64 + 1);
    marks
}

#[test]
fn from_every_mark_on_the_journal_is_the_rest_of_itself() {
    let disk = Disk::new(1);
    fill(&disk);
    let (all, whole) = read(&mut disk.storage()).unwrap();
    let marks = marks(&disk);
    assert_eq!(marks.len(), 8, "one for each group, and the start");
    for mark in marks {
        let mut rest = Vec::new();
        let recovered =
            recover_from(&mut disk.storage(), &mark, &mut |input| rest.push(*input)).unwrap();
        let skipped = mark.next_sequence as usize - 1;
        assert!(rest == all[skipped..], "behind input {skipped}");
        assert_eq!(recovered.inputs as usize, rest.len());
        assert_eq!(recovered.resume, whole.resume, "a writer goes on alike");
        assert_eq!(recovered.clean, whole.clean);
    }
}

#[test]
fn a_journal_that_lost_what_the_mark_saw_is_refused() {
    let disk = Disk::new(1);
    fill(&disk);
    for mark in &marks(&disk)[1..] {
        let damage = [
            ("one bit", mark.last + 17, Field::Checksum),
            ("nothing there", mark.last, Field::Magic),
        ];
        for (what, at, field) in damage {
            let hurt = disk.fork(2);
            let mut bytes = hurt.bytes(mark.segment).unwrap();
            match field {
                Field::Magic => bytes[at as usize..].fill(0),
                _ => bytes[at as usize] ^= 1,
            }
            hurt.set_bytes(mark.segment, bytes);
            let error = recover_from(&mut hurt.storage(), mark, &mut |_| ()).unwrap_err();
            let RecoveryError::Corrupt(corrupt) = error else {
                panic!("{what}: {error}");
            };
            assert_eq!(
                (corrupt.offset, corrupt.field),
                (mark.last, field),
                "{what}"
            );
        }
        let gone = disk.fork(2);
        gone.remove(mark.segment);
        assert!(recover_from(&mut gone.storage(), mark, &mut |_| ()).is_err());
        // Another journal's record at that place is no less wrong.
        let other = Mark {
            previous: mark.previous ^ 1,
            ..*mark
        };
        assert!(recover_from(&mut disk.storage(), &other, &mut |_| ()).is_err());
        for (last, offset) in [(1, 64), (mark.offset, mark.last), (0, u64::MAX - 63)] {
            let wild = Mark {
                last,
                offset,
                ..*mark
            };
            assert!(recover_from(&mut disk.storage(), &wild, &mut |_| ()).is_err());
        }
    }
}

#[test]
fn segments_before_a_mark_must_be_there_and_begin_as_they_should() {
    let disk = Disk::new(1);
    fill(&disk);
    fill(&disk);
    let mark = *marks(&disk).last().unwrap();
    assert!(mark.segment > 2, "there are some before it");
    let refused = |disk: &Disk| match recover_from(&mut disk.storage(), &mark, &mut |_| ()) {
        Err(RecoveryError::Corrupt(corrupt)) => corrupt,
        other => panic!("{other:?}"),
    };
    // The oldest may have been let go of.
    let short = disk.fork(2);
    for number in 1..mark.segment {
        let missing = disk.fork(3);
        missing.remove(number);
        if number > 1 {
            let file = refused(&missing).file;
            assert!(file.contains(&journal::storage::segment_name(number)));
        }
        let opening = disk.bytes(number).unwrap();
        for (at, field) in [
            (0, Field::Magic),
            (17, Field::Checksum),
            (63, Field::Checksum),
        ] {
            let hurt = disk.fork(3);
            let mut bytes = opening.clone();
            bytes[at] ^= 4;
            hurt.set_bytes(number, bytes);
            let corrupt = refused(&hurt);
            assert_eq!((corrupt.offset, corrupt.field), (0, field), "{number}");
        }
        let swapped = disk.fork(3);
        swapped.set_bytes(number, disk.bytes(mark.segment).unwrap());
        assert_eq!(refused(&swapped).field, Field::Segment);
        let cut = disk.fork(3);
        cut.set_bytes(number, opening[..4_096].to_vec());
        assert_eq!(refused(&cut).field, Field::FileLength);

        short.remove(number);
        assert!(recover_from(&mut short.storage(), &mark, &mut |_| ()).is_ok());
    }
}

#[test]
fn a_follower_sees_each_durable_input_once_and_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut storage = FileStorage::open(directory.path()).unwrap();
    let recovered = recover(&mut storage, &mut |_| ()).unwrap();
    let mut writer = Writer::open(storage, SMALL, recovered.resume).unwrap();
    let mut follower = Follower::new(FileSegments::new(directory.path()), Mark::START);
    let mut seen = 0_u64;
    for round in 0..200 {
        let group = inputs(writer.next_sequence(), 1 + round * 7 % 100);
        while let Err(error) = writer.append(&group) {
            assert!(error.is_temporary() && Instant::now() < deadline, "{error}");
            writer.poll().unwrap();
            std::thread::yield_now();
        }
        for _ in 0..round % 4 {
            writer.poll().unwrap();
        }
        let durable = writer.durable();
        let mut on = |found: &journal::Input| {
            seen += 1;
            assert_eq!(*found, input(seen));
        };
        while follower.poll(durable, &mut on).unwrap() > 0 {}
        assert_eq!(seen, durable, "all and nothing else");
    }
    assert!(follower.mark().segment > 3, "several segments were crossed");
}

#[test]
fn a_follower_names_what_is_damaged_or_missing() {
    let disk = Disk::new(1);
    fill(&disk);
    let durable = read(&mut disk.storage()).unwrap().0.len() as u64;
    let last = marks(&disk)[7];
    let mut bytes = disk.bytes(last.segment).unwrap();
    bytes[last.last as usize + 70] ^= 4;
    disk.set_bytes(last.segment, bytes);
    let mut follower = Follower::new(disk.storage(), Mark::START);
    let error = loop {
        match follower.poll(durable, &mut |_| ()) {
            Ok(count) => assert!(count > 0, "the damage is not seen"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, RecoveryError::Corrupt(it) if it.offset == last.last));
    disk.remove(1);
    let mut follower = Follower::new(disk.storage(), Mark::START);
    let error = follower.poll(1, &mut |_| ()).unwrap_err();
    assert!(matches!(error, RecoveryError::Corrupt(it) if it.field == Field::File));
}
