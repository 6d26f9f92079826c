//! A disk that fails: acknowledgements stop at once and for ever; a full disk only makes one wait.

mod support;

use journal::simulated::{Disk, Faults};
use journal::storage::Act;
use journal::{AppendError, Config, GROUP_INPUTS_MAX, Writer, WriterError};
use support::{POLLS_MAX, SMALL, append, input, inputs, open, read, settle};

/// Runs groups of 10 until the disk fails or 30 are durable; returns what was durable.
fn run(disk: &Disk) -> (u64, Option<journal::StorageError>) {
    let mut writer = open(disk);
    for _ in 0..30 {
        let group = inputs(writer.next_sequence(), 10);
        for _ in 0..POLLS_MAX {
            let taken = writer.append(&group);
            if let Err(error) = writer.poll() {
                return after_failure(&mut writer, error);
            }
            match taken {
                Ok(()) => break,
                Err(error) => assert!(error.is_temporary(), "{error}"),
            }
        }
        if let Err(error) = settle_or_fail(&mut writer) {
            return after_failure(&mut writer, error);
        }
    }
    (writer.durable(), None)
}

fn settle_or_fail<S: journal::Storage>(
    writer: &mut Writer<S>,
) -> Result<(), journal::StorageError> {
    for _ in 0..POLLS_MAX {
        writer.poll()?;
        if writer.is_idle() {
            return Ok(());
        }
    }
    panic!("never durable")
}

/// A failure stays: nothing is taken, nothing becomes durable, the same error comes again.
fn after_failure<S: journal::Storage>(
    writer: &mut Writer<S>,
    error: journal::StorageError,
) -> (u64, Option<journal::StorageError>) {
    let durable = writer.durable();
    for _ in 0..100 {
        assert_eq!(writer.poll(), Err(error.clone()));
        let group = inputs(writer.next_sequence(), 1);
        assert_eq!(
            writer.append(&group),
            Err(AppendError::Failed(error.clone()))
        );
        assert_eq!(writer.close(), Err(AppendError::Failed(error.clone())));
    }
    assert_eq!(writer.durable(), durable);
    assert!(!writer.is_closed());
    (durable, Some(error))
}

#[test]
fn a_failed_write_or_flush_at_any_call_stops_acknowledgements() {
    for number in 1..=30 {
        for (act, delay_polls_max) in [
            (Act::Write, 0),
            (Act::Write, 3),
            (Act::Flush, 0),
            (Act::Flush, 3),
        ] {
            let disk = Disk::new(number);
            let fails = |wanted| (act == wanted).then_some(number);
            let (write_fails, flush_fails) = (fails(Act::Write), fails(Act::Flush));
            let faults = Faults {
                write_fails,
                flush_fails,
                delay_polls_max,
                ..Faults::default()
            };
            disk.set_faults(faults);
            let (durable, error) = run(&disk);
            let error = error.expect("the disk failed");
            assert_eq!(
                (error.act, error.file.as_str()),
                (act, "simulated/journal-0000000001")
            );
            assert_eq!(
                durable,
                (number - 1) * 10,
                "no acknowledgement after the fault"
            );
            disk.crash();
            let (all, _) = read(&mut disk.storage()).expect("a failed write is no damage");
            assert!(all.len() as u64 >= durable);
        }
    }
}

#[test]
fn a_segment_that_cannot_be_made_is_a_failure() {
    let disk = Disk::new(1);
    disk.set_faults(Faults {
        prepare_fails: Some(1),
        ..Faults::default()
    });
    let (durable, error) = run(&disk);
    assert_eq!(
        (durable, error.map(|error| error.act)),
        (0, Some(Act::Prepare))
    );
}

#[test]
fn a_full_disk_holds_inputs_back_and_loses_none() {
    let disk = Disk::new(3);
    disk.set_faults(Faults {
        segments_max: Some(1),
        ..Faults::default()
    });
    let mut writer = open(&disk);
    append(&mut writer, GROUP_INPUTS_MAX);
    settle(&mut writer);
    let group = inputs(writer.next_sequence(), GROUP_INPUTS_MAX);
    assert!((0..POLLS_MAX).any(|_| writer.poll().is_err() || writer.is_disk_full()));
    for _ in 0..100 {
        let refused = writer.append(&group).expect_err("no room");
        assert_eq!(refused, AppendError::NoRoom { disk_full: true });
        assert!(refused.is_temporary());
        assert_eq!(writer.poll(), Ok(None));
        assert!(writer.is_disk_full());
    }
    // What fits into the current segment is still taken, and so is the rest when space returns.
    append(&mut writer, 5);
    settle(&mut writer);
    disk.set_faults(Faults {
        segments_max: Some(3),
        ..Faults::default()
    });
    append(&mut writer, GROUP_INPUTS_MAX);
    settle(&mut writer);
    assert!(!writer.is_disk_full());
    let (all, _) = read(&mut disk.storage()).expect("in order");
    assert_eq!(all.len(), 2 * GROUP_INPUTS_MAX + 5);
    assert!(
        all.iter()
            .zip(1..)
            .all(|(found, sequence)| *found == input(sequence))
    );
}

#[test]
fn a_slow_disk_makes_the_writer_busy_within_bounds() {
    let disk = Disk::new(3);
    let mut storage = disk.storage();
    let (_, recovered) = read(&mut storage).expect("empty");
    let config = Config {
        segment_bytes: 4 << 20,
    };
    let mut writer = Writer::open(storage, config, recovered.resume).expect("opens");
    assert!((0..POLLS_MAX).any(|_| writer.poll().is_err() || disk.bytes(1).is_some()));
    writer.poll().expect("a healthy disk");
    disk.set_faults(Faults {
        delay_polls_max: u32::MAX,
        ..Faults::default()
    });
    let mut taken = 0;
    let refused = loop {
        match writer.append(&inputs(writer.next_sequence(), 100)) {
            Ok(()) => taken += 100,
            Err(error) => break error,
        }
    };
    assert_eq!(refused, AppendError::Busy);
    assert_eq!(writer.durable(), 0);
    assert!(taken <= 2 * journal::WRITE_BYTES / 64, "{taken} wait");
}

#[test]
fn groups_that_do_not_continue_the_journal_are_refused_whole() {
    let disk = Disk::new(3);
    let mut writer = open(&disk);
    append(&mut writer, 3);
    let mut late = inputs(4, 2);
    late[1].time_ns = 5;
    let many = inputs(4, GROUP_INPUTS_MAX + 1);
    for wrong in [
        &inputs(3, 1)[..],
        &inputs(5, 1),
        &[],
        &[input(4), input(6)],
        &late,
        &many,
    ] {
        assert_eq!(
            writer.append(wrong),
            Err(AppendError::OutOfOrder { expected: 4 })
        );
    }
    append(&mut writer, 1);
    settle(&mut writer);
    assert_eq!(read(&mut disk.storage()).expect("in order").0.len(), 4);
}

#[test]
fn a_segment_size_that_cannot_work_is_refused() {
    for segment_bytes in [0, 4096, SMALL.segment_bytes + 512, u64::MAX] {
        let disk = Disk::new(1);
        let mut storage = disk.storage();
        let (_, recovered) = read(&mut storage).expect("empty");
        let refused = Writer::open(storage, Config { segment_bytes }, recovered.resume).err();
        assert_eq!(refused, Some(WriterError::SegmentBytes(segment_bytes)));
    }
}

#[test]
fn a_disk_that_fails_before_the_first_append_fails_the_start() {
    let disk = Disk::new(1);
    let mut writer = open(&disk);
    append(&mut writer, 4);
    drop(writer);
    disk.set_faults(Faults {
        flush_fails: Some(disk.writes() + 1),
        ..Faults::default()
    });
    let mut storage = disk.storage();
    let (all, recovered) = read(&mut storage).expect("in order");
    assert_eq!(all.len(), 4);
    let refused = Writer::open(storage, SMALL, recovered.resume).err();
    assert!(matches!(refused, Some(WriterError::Storage(error)) if error.act == Act::Flush));
}
