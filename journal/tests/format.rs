//! docs/journal.md says what the code does: its tables and its example are compared.

mod support;

use std::mem::offset_of;

use bytemuck::Zeroable as _;
use journal::record::Header;
use journal::simulated::Disk;
use journal::{
    GROUP_INPUTS_MAX, Input, MARK_BYTES, Mark, Row, SEGMENT_BYTES, SEGMENT_BYTES_MIN, WRITE_BYTES,
};
use support::{POLLS_MAX, close, dump, open, read, table};
use wire::ring::{Command, CommandKind};

const PAGE: &str = include_str!("../../docs/journal.md");

#[test]
fn the_tables_are_the_layouts() {
    let header = [
        (offset_of!(Header, magic), 4, "magic"),
        (offset_of!(Header, kind), 1, "kind"),
        (offset_of!(Header, version), 1, "version"),
        (offset_of!(Header, back), 2, "back"),
        (offset_of!(Header, bytes), 4, "bytes"),
        (offset_of!(Header, count), 4, "count"),
        (offset_of!(Header, epoch), 8, "epoch"),
        (offset_of!(Header, first_sequence), 8, "first_sequence"),
        (offset_of!(Header, time_ns), 8, "time_ns"),
        (offset_of!(Header, durable), 8, "durable"),
        (offset_of!(Header, segment), 4, "segment"),
        (offset_of!(Header, line), 4, "line"),
        (offset_of!(Header, previous), 4, "previous"),
        (offset_of!(Header, checksum), 4, "checksum"),
    ];
    assert_eq!(table(PAGE, "magic"), header);
    let input = [
        (offset_of!(Input, sequence), 8, "sequence"),
        (offset_of!(Input, time_ns), 8, "time_ns"),
        (offset_of!(Input, command), size_of::<Command>(), "command"),
    ];
    assert_eq!(table(PAGE, "sequence"), input);
}

#[test]
fn the_index_is_laid_out_as_the_page_says() {
    let row = [
        (offset_of!(Mark, next_sequence), 8, "next_sequence"),
        (offset_of!(Mark, time_ns), 8, "time_ns"),
        (offset_of!(Mark, epoch), 8, "epoch"),
        (offset_of!(Mark, durable), 8, "durable"),
        (offset_of!(Mark, offset), 8, "offset"),
        (offset_of!(Mark, last), 8, "last"),
        (offset_of!(Mark, segment), 4, "segment"),
        (offset_of!(Mark, previous), 4, "previous"),
        (offset_of!(Row, rows), 4, "rows"),
        (offset_of!(Row, checksum), 4, "checksum"),
    ];
    assert_eq!(offset_of!(Row, mark), 0);
    assert_eq!(table(PAGE, "next_sequence"), row);
    assert_eq!(MARK_BYTES, 1 << 20, "as the text says");
}

#[test]
fn the_numbers_in_the_text_are_the_limits() {
    assert!(PAGE.contains(&format!("1 to {GROUP_INPUTS_MAX};")));
    assert!(PAGE.contains(&format!("at most {} KiB", WRITE_BYTES >> 10)));
    assert!(PAGE.contains(&format!("({} MiB unless configured)", SEGMENT_BYTES >> 20)));
    let cancels = journal::Reserve::cancels_min(SEGMENT_BYTES).to_string();
    let (thousands, rest) = cancels.split_at(cancels.len() - 3);
    assert!(PAGE.contains(&format!("room for {thousands},{rest} cancels")));
}

/// The example of the page, made by the code.
fn example() -> (Disk, Vec<u8>) {
    let disk = Disk::new(1);
    let mut writer = open(&disk);
    let command = Command {
        kind: CommandKind::OpenDay as u8,
        ..Command::zeroed()
    };
    let input = Input {
        sequence: 1,
        time_ns: 1_700_000_000_000_000_000,
        command,
    };
    assert!((0..POLLS_MAX).any(|_| writer.poll().is_err() || writer.append(&[input]).is_ok()));
    support::settle(&mut writer);
    close(&mut writer);
    let bytes = disk.bytes(1).expect("a segment");
    (disk, bytes)
}

#[test]
fn the_example_is_what_is_written() {
    let (_, bytes) = example();
    let written = dump(&bytes[..256]);
    assert!(
        PAGE.contains(&format!("```\n{written}```")),
        "written:\n{written}"
    );
    assert!(bytes[256..].iter().all(|byte| *byte == 0), "then zeros");
    assert_eq!(bytes.len() as u64, SEGMENT_BYTES_MIN);
}

#[test]
fn the_example_of_the_page_is_read() {
    let lines = PAGE.lines().filter_map(|line| {
        let (offset, hex) = line.split_once("  ")?;
        (offset.len() == 8 && u32::from_str_radix(offset, 16).is_ok()).then_some(hex)
    });
    let hex: String = lines.collect();
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    let mut bytes: Vec<u8> = (0..hex.len()).step_by(2).map(digits).collect();
    bytes.resize(SEGMENT_BYTES_MIN as usize, 0);
    let disk = Disk::new(1);
    disk.set_bytes(1, bytes);
    let (all, recovered) = read(&mut disk.storage()).expect("in order");
    assert_eq!((all.len(), all[0].time_ns), (1, 1_700_000_000_000_000_000));
    assert!(recovered.clean);
}
