//! What the tests share: inputs, and driving a writer.
#![allow(dead_code)]

use bytemuck::Zeroable as _;
use journal::simulated::{Disk, DiskStorage};
use journal::{
    AppendError, Config, Recovered, RecoveryError, SEGMENT_BYTES_MIN, Storage, Writer, recover,
};
use wire::ring::{Command, CommandKind, Input};

/// Polls that are enough for anything on a simulated disk.
pub const POLLS_MAX: usize = 10_000;

pub const SMALL: Config = Config {
    segment_bytes: SEGMENT_BYTES_MIN,
};

/// Input number `sequence`: each differs from every other one.
pub fn input(sequence: u64) -> Input {
    let command = Command {
        kind: CommandKind::New as u8,
        user_ref: sequence as u32,
        price: sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15) as i64,
        client_id: *b"ABCDEFGHIJKLMN",
        ..Command::zeroed()
    };
    Input {
        sequence,
        time_ns: 1_000 + sequence / 2,
        command,
    }
}

pub fn inputs(from: u64, count: usize) -> Vec<Input> {
    (from..).take(count).map(input).collect()
}

/// Reads a journal: its inputs, and the rest.
pub fn read<S: Storage>(storage: &mut S) -> Result<(Vec<Input>, Recovered), RecoveryError> {
    let mut all = Vec::new();
    let recovered = recover(storage, &mut |input| all.push(*input))?;
    Ok((all, recovered))
}

/// Opens a writer behind what a disk holds.
pub fn open(disk: &Disk) -> Writer<DiskStorage> {
    let mut storage = disk.storage();
    let (_, recovered) = read(&mut storage).expect("in order");
    Writer::open(storage, SMALL, recovered.resume).expect("opens")
}

/// Appends the next `count` inputs as one group, polling while the writer is busy.
pub fn append<S: Storage>(writer: &mut Writer<S>, count: usize) {
    let group = inputs(writer.next_sequence(), count);
    for _ in 0..POLLS_MAX {
        match writer.append(&group) {
            Ok(()) => return,
            Err(error) => assert!(error.is_temporary(), "{error}"),
        }
        writer.poll().expect("a healthy disk");
    }
    panic!("never taken");
}

/// Polls until all that was appended is durable.
pub fn settle<S: Storage>(writer: &mut Writer<S>) {
    for _ in 0..POLLS_MAX {
        writer.poll().expect("a healthy disk");
        if writer.is_idle() {
            assert_eq!(writer.durable() + 1, writer.next_sequence());
            return;
        }
    }
    panic!("never durable");
}

/// Closes the journal.
pub fn close<S: Storage>(writer: &mut Writer<S>) {
    for _ in 0..POLLS_MAX {
        match writer.close() {
            Ok(()) if writer.is_closed() => return,
            Ok(()) | Err(AppendError::Busy | AppendError::NoRoom { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        writer.poll().expect("a healthy disk");
    }
    panic!("never closed");
}

/// Rows of a page `| offset | bytes | field | ...` of the table that has a row for `first`.
pub fn table(page: &'static str, first: &str) -> Vec<(usize, usize, &'static str)> {
    let rows = |table: &'static str| -> Vec<(usize, usize, &'static str)> {
        let cells = |line: &'static str| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            Some((
                cells.get(1)?.parse().ok()?,
                cells.get(2)?.parse().ok()?,
                *cells.get(3)?,
            ))
        };
        table.lines().filter_map(cells).collect()
    };
    let mut tables = page.split("\n\n").map(rows);
    tables
        .find(|rows| rows.first().is_some_and(|row| row.2 == first))
        .expect("a table")
}

/// Bytes as hexadecimal lines of sixteen.
pub fn dump(bytes: &[u8]) -> String {
    let line = |(index, bytes): (usize, &[u8])| {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{:08x}  {hex}\n", index * 16)
    };
    bytes.chunks(16).enumerate().map(line).collect()
}
