//! Streams and snapshots: what is written is read, and what is damaged is named.

mod support;

use std::mem::offset_of;

use journal::simulated::{Disk, DiskFiles};
use journal::snapshot::{self, Draft, Entry, Footer, Snapshot};
use journal::stream::{self, Header, Kind, Name, PAGE_BYTES, Position, Writer};
use journal::{DataError, DirectoryFiles, Field, Files};
use support::{dump, table};

const PAGE: &str = include_str!("../../docs/streams.md");

const REPLIES: Name = Name {
    kind: Kind::Replies,
    number: 7,
};

/// Message number `number`: each differs from every other one, and lengths from 0 on.
fn message(number: u64) -> Vec<u8> {
    let length = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 57;
    (0..length).map(|at| (at * 31 + number * 7) as u8).collect()
}

fn open(files: &mut dyn Files, position: &Position) -> Writer {
    Writer::open(files, REPLIES, position).expect("opens")
}

/// Appends messages up to number `last`, writing every now and then.
fn fill(files: &mut dyn Files, writer: &mut Writer, last: u64) {
    while writer.next() <= last {
        assert!(writer.push(&message(writer.next())));
        if writer.next().is_multiple_of(37) {
            writer.write(files).expect("writes");
        }
    }
    writer.write(files).expect("writes");
}

/// Reads from a number on; checks every message; gives how many there were.
fn read(files: &mut dyn Files, from: u64) -> Result<u64, DataError> {
    let mut count = 0;
    let next = stream::read(files, REPLIES, from, &mut |number, found| {
        assert_eq!(number, from + count);
        assert_eq!(found, message(number));
        count += 1;
        true
    })?;
    assert_eq!(next, from + count);
    Ok(count)
}

#[test]
fn the_tables_are_the_layouts() {
    let page = [
        (offset_of!(Header, magic), 4, "magic"),
        (offset_of!(Header, version), 1, "version"),
        (offset_of!(Header, kind), 1, "kind"),
        (offset_of!(Header, number), 2, "number"),
        (offset_of!(Header, first), 8, "first"),
        (offset_of!(Header, count), 2, "count"),
        (offset_of!(Header, bytes), 2, "bytes"),
        (offset_of!(Header, page), 4, "page"),
        (offset_of!(Header, previous), 4, "previous"),
        (offset_of!(Header, checksum), 4, "checksum"),
    ];
    assert_eq!(table(PAGE, "magic"), page);
    type Head = snapshot::Header;
    let header = [
        (offset_of!(Head, magic), 8, "header.magic"),
        (offset_of!(Head, version), 4, "header.version"),
        (offset_of!(Head, reserved), 4, "header.reserved"),
        (offset_of!(Head, sequence), 8, "header.sequence"),
        (offset_of!(Head, time_ns), 8, "header.time_ns"),
    ];
    assert_eq!(table(PAGE, "header.magic"), header);
    let section = [
        (offset_of!(Entry, tag), 4, "section.tag"),
        (offset_of!(Entry, checksum), 4, "section.checksum"),
        (offset_of!(Entry, offset), 8, "section.offset"),
        (offset_of!(Entry, bytes), 8, "section.bytes"),
    ];
    assert_eq!(table(PAGE, "section.tag"), section);
    let footer = [
        (offset_of!(Footer, magic), 8, "footer.magic"),
        (offset_of!(Footer, table), 8, "footer.table"),
        (offset_of!(Footer, bytes), 8, "footer.bytes"),
        (offset_of!(Footer, sections), 4, "footer.sections"),
        (offset_of!(Footer, checksum), 4, "footer.checksum"),
    ];
    assert_eq!(table(PAGE, "footer.magic"), footer);
    let numbers = [
        format!("pages of {PAGE_BYTES} bytes"),
        format!("at most {}", stream::STREAM_MESSAGE_BYTES_MAX),
        format!("sections, at most {}", snapshot::SECTIONS_MAX),
        format!("`{}`", snapshot::file_name(1_000_000)),
    ];
    for number in numbers {
        assert!(PAGE.contains(&number), "{number}");
    }
    assert!(PAGE.contains(&format!(
            "`{}`",
            Name {
                number: 1,
                ..REPLIES
            }
            .file()
        )));
}

#[test]
fn the_example_is_what_is_written() {
    let files = Disk::new(1).files();
    let mut writer = open(&mut files.clone(), &Position::default());
    assert!(writer.push(b"one") && writer.push(b"three"));
    writer.write(&mut files.clone()).unwrap();
    let bytes = files.bytes(&REPLIES.file()).unwrap();
    let written = dump(&bytes[..48]);
    assert!(
        PAGE.contains(&format!("```\n{written}```")),
        "written:\n{written}"
    );
    assert!(bytes[48..].iter().all(|byte| *byte == 0));
    assert_eq!(bytes.len(), PAGE_BYTES);
}

#[test]
fn every_message_is_read_from_every_number_on() {
    let directory = tempfile::tempdir().unwrap();
    let mut files = DirectoryFiles::new(directory.path());
    let mut writer = open(&mut files, &Position::default());
    assert_eq!(read(&mut files, 1), Ok(0), "nothing there yet");
    for last in [1, 2, 100, 1_000] {
        fill(&mut files, &mut writer, last);
        for from in 1..=last + 1 {
            assert_eq!(read(&mut files, from), Ok(last + 1 - from));
        }
    }
    assert_eq!(read(&mut files, 5_000), Ok(0), "not there yet");
    let mut some = Vec::new();
    let next = stream::read(&mut files, REPLIES, 500, &mut |number, _| {
        some.push(number);
        some.len() < 3
    });
    assert_eq!((next, some), (Ok(503), vec![500, 501, 502]));
    let longest = vec![1; stream::STREAM_MESSAGE_BYTES_MAX];
    assert!(writer.push(&longest) && !writer.push(&[&longest[..], &[1]].concat()));
}

#[test]
fn a_stream_goes_on_from_any_position() {
    let files = Disk::new(1).files();
    let mut writer = open(&mut files.clone(), &Position::default());
    let mut positions = Vec::new();
    for last in [0, 1, 2, 60, 200, 201, 400] {
        fill(&mut files.clone(), &mut writer, last);
        let position = writer.seal();
        writer.write(&mut files.clone()).unwrap();
        assert_eq!((position.messages, writer.seal()), (last, position));
        positions.push(position);
    }
    fill(&mut files.clone(), &mut writer, 450);
    for position in positions.iter().rev() {
        let mut files = files.clone();
        let mut writer = open(&mut files, position);
        assert_eq!(
            read(&mut files, 1),
            Ok(position.messages),
            "the rest is cut"
        );
        fill(&mut files, &mut writer, 450);
        assert_eq!(read(&mut files, 1), Ok(450));
        for wrong in [
            Position {
                checksum: position.checksum ^ 1,
                ..*position
            },
            Position {
                messages: position.messages + 1,
                ..*position
            },
            Position {
                pages: position.pages + 1,
                ..*position
            },
            Position {
                pages: u32::MAX,
                ..*position
            },
        ] {
            let opened = Writer::open(&mut files, REPLIES, &wrong);
            assert!(position.pages == 0 && wrong.pages == 0 || opened.is_err());
        }
    }
}

#[test]
fn what_a_power_cut_takes_is_found_and_written_again() {
    for seed in 0..50 {
        let disk = Disk::new(seed);
        let mut files = disk.files();
        let mut writer = open(&mut files, &Position::default());
        fill(&mut files, &mut writer, 150);
        let position = writer.seal();
        writer.write(&mut files).unwrap();
        files.flush(&REPLIES.file()).unwrap();
        fill(&mut files, &mut writer, 600);
        disk.crash();
        // What was flushed is there, and behind it comes no wrong message.
        let mut seen = 0;
        let _ = stream::read(&mut files, REPLIES, 1, &mut |number, found| {
            assert_eq!(found, message(number));
            seen = number;
            true
        });
        assert!(seen >= 150, "{seen} of seed {seed}");
        let mut writer = open(&mut files, &position);
        fill(&mut files, &mut writer, 600);
        assert_eq!(read(&mut files, 1), Ok(600));
    }
}

/// Whether reading everything finds damage, and where.
fn damage(files: &DiskFiles) -> Option<(u64, Field)> {
    match stream::read(&mut files.clone(), REPLIES, 1, &mut |_, _| true) {
        Err(DataError::Corrupt(corrupt)) => Some((corrupt.offset, corrupt.field)),
        Err(DataError::Newer { version: 2, .. }) => Some((0, Field::Version)),
        Err(error) => panic!("{error}"),
        Ok(_) => None,
    }
}

#[test]
fn every_flipped_bit_and_every_moved_page_is_damage() {
    let files = Disk::new(1).files();
    let mut writer = open(&mut files.clone(), &Position::default());
    fill(&mut files.clone(), &mut writer, 200);
    let (name, whole) = (REPLIES.file(), files.bytes(&REPLIES.file()).unwrap());
    assert!(whole.len() >= 3 * PAGE_BYTES && damage(&files).is_none());
    for bit in (0..whole.len() * 8).step_by(211) {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        files.set_bytes(&name, bytes);
        let (offset, _) = damage(&files).unwrap_or_else(|| panic!("bit {bit} goes unseen"));
        assert_eq!(offset as usize, bit / 8 / PAGE_BYTES * PAGE_BYTES);
    }
    let page = |at: usize| whole[at * PAGE_BYTES..(at + 1) * PAGE_BYTES].to_vec();
    for order in [[1, 0, 2], [0, 0, 2], [0, 2, 1]] {
        files.set_bytes(&name, order.map(page).concat());
        assert!(damage(&files).is_some(), "{order:?}");
    }
    // Another stream's page, whole as it is.
    let other = Name {
        number: 8,
        ..REPLIES
    };
    files.set_bytes(&other.file(), whole.clone());
    let read = stream::read(&mut files.clone(), other, 1, &mut |_, _| true);
    assert!(matches!(read, Err(DataError::Corrupt(it)) if it.field == Field::Number));
}

/// A snapshot of three sections; gives their bytes.
fn write(files: &mut dyn Files, sequence: u64) -> [Vec<u8>; 3] {
    let sections = [message(sequence), vec![], vec![7; 2_100_000]];
    let mut draft = Draft::begin(files, sequence, sequence * 10).expect("begins");
    for (tag, section) in (1..).zip(&sections) {
        let fill = &mut |write: &mut dyn FnMut(&[u8])| section.chunks(1_000).for_each(&mut *write);
        draft.section(tag, fill).expect("writes");
    }
    draft.finish().expect("ends");
    sections
}

#[test]
fn a_snapshot_is_read_as_it_was_written_and_the_newest_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let mut files = DirectoryFiles::new(directory.path());
    for sequence in [5, 70, 600, 8_000] {
        let sections = write(&mut files, sequence);
        let read = Snapshot::read(&mut files, sequence).unwrap();
        assert_eq!((read.sequence(), read.time_ns()), (sequence, sequence * 10));
        for (tag, section) in (1..).zip(&sections) {
            assert!(read.section(tag) == Some(section));
        }
        assert_eq!(read.section(4), None);
    }
    files.write("snapshot.new", 0, b"half").unwrap();
    assert_eq!(snapshot::list(&mut files), Ok(vec![8_000, 600, 70, 5]));
    snapshot::prune(&mut files, 2).unwrap();
    assert_eq!(snapshot::list(&mut files), Ok(vec![8_000, 600]));
    assert_eq!(files.names().unwrap().len(), 2);
}

#[test]
fn a_damaged_snapshot_is_refused_and_a_newer_one_by_that_name() {
    let files = Disk::new(1).files();
    write(&mut files.clone(), 9);
    let name = snapshot::file_name(9);
    let whole = files.bytes(&name).unwrap();
    let read = |bytes: &[u8]| {
        files.set_bytes(&name, bytes.to_vec());
        Snapshot::read(&mut files.clone(), 9).err()
    };
    assert_eq!(read(&whole), None);
    let ends = (0..2_000).chain(whole.len() - 2_000..whole.len());
    for at in ends
        .clone()
        .step_by(3)
        .chain((0..whole.len()).step_by(100_003))
    {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        let error = read(&bytes);
        let is_padding = at < 2_000 && error.is_none();
        assert!(
            matches!(error, Some(DataError::Corrupt(_))) || is_padding && whole[at] == 0,
            "byte {at}: {error:?}"
        );
    }
    for length in ends.step_by(97) {
        assert!(matches!(
            read(&whole[..length]),
            Some(DataError::Corrupt(_))
        ));
    }
    // One of a later version is whole in the parts that no version changes.
    let newer = |bytes: &mut Vec<u8>| {
        bytes[8] = 2;
        let footer = bytes.len() - size_of::<Footer>();
        let table = u64::from_le_bytes(bytes[footer + 8..footer + 16].try_into().unwrap());
        let sum = crc32c::crc32c(&bytes[..32]);
        let sum = crc32c::crc32c_append(sum, &bytes[table as usize..footer + 28]);
        bytes[footer + 28..].copy_from_slice(&sum.to_le_bytes());
    };
    let mut bytes = whole.clone();
    newer(&mut bytes);
    let error = read(&bytes).unwrap();
    assert!(
        matches!(
            error,
            DataError::Newer {
                version: 2,
                known: 1,
                ..
            }
        ),
        "{error}"
    );
    assert!(
        error.to_string().contains("use the newer program"),
        "{error}"
    );
}

#[test]
fn a_snapshot_is_there_whole_after_a_power_cut_or_not_at_all() {
    for seed in 0..10 {
        let disk = Disk::new(seed);
        let mut files = disk.files();
        write(&mut files, 1);
        let mut draft = Draft::begin(&mut files, 2, 2).unwrap();
        let bytes = vec![1; 200_000];
        draft.section(1, &mut |write| write(&bytes)).unwrap();
        drop(draft);
        disk.crash();
        assert_eq!(snapshot::list(&mut files), Ok(vec![1]));
        assert!(Snapshot::read(&mut files, 1).is_ok());
        write(&mut files, 2);
        disk.crash();
        assert!(Snapshot::read(&mut files, 2).is_ok());
    }
}
