//! What the tests share: inputs, and driving a writer.
#![allow(dead_code)]

pub mod kept;
pub mod oracle;

use bytemuck::Zeroable as _;
use journal::simulated::{Disk, DiskStorage, Faults};
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

/// Numbers by a seed (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// A journal of several lives with groups of all sizes, in segments of these bytes, the last of
/// which holds something and ends in a write of several groups.
pub fn made(seed: u64, bytes_min: usize, segment_bytes: u64) -> oracle::Whole {
    let disk = Disk::new(seed);
    disk.set_faults(Faults {
        delay_polls_max: 2,
        ..Faults::default()
    });
    let mut random = Random(seed);
    let config = Config { segment_bytes };
    while written(&disk) < bytes_min {
        let mut storage = disk.storage();
        let (_, recovered) = read(&mut storage).expect("in order");
        let mut writer = Writer::open(storage, config, recovered.resume).expect("opens");
        for _ in 0..1 + random.below(40) {
            let most = [2, 20, 60][random.below(3)];
            append(&mut writer, 1 + random.below(most));
            for _ in 0..random.below(3) {
                writer.poll().expect("a healthy disk");
            }
        }
        if random.below(3) == 0 {
            close(&mut writer);
        } else if random.below(2) == 0 {
            settle(&mut writer);
        } else {
            drop(writer);
            disk.crash();
        }
    }
    end_in_several_groups(&disk, config);
    let used = (1..).map_while(|number| disk.bytes(number));
    oracle::Whole::new(used.collect())
}

/// Bytes of the segments that hold records.
fn written(disk: &Disk) -> usize {
    let segments = (1..).map_while(|number| disk.bytes(number));
    let used = segments.filter(|bytes| bytes[0] != 0);
    used.map(|bytes| bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0))
        .sum()
}

fn end_in_several_groups(disk: &Disk, config: Config) {
    let mut storage = disk.storage();
    let (_, recovered) = read(&mut storage).expect("in order");
    let mut writer = Writer::open(storage, config, recovered.resume).expect("opens");
    append(&mut writer, 4);
    settle(&mut writer);
    for count in [1, 3, 2, 7] {
        append(&mut writer, count);
    }
    settle(&mut writer);
}
