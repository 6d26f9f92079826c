//! Days of every released version, kept in `tests/golden/<version>`: this program reads them and
//! comes to the same. What a newer program wrote is refused, in words that say so.
//!
//! `GOLDEN_WRITE=1 cargo test -p appliance --test golden` makes the folder of the present version
//! where there is none; a folder that is there is never written again. A folder holds what a day's
//! directory does, the journal's zeros at the end left out, an engine's snapshot behind the last
//! input, and `standing`, what `wirecross replay --journal` says of it.
#![allow(clippy::unwrap_used)]

mod harness;

use bytemuck::Zeroable;
use flow::hostile::{Hostile, ORDERS, SESSIONS, SYMBOLS};
use flow::naive::increments::OFFERED;
use harness::{Site, program, unpack};
use journal::record::Header;
use journal::storage::segment_name;
use journal::{Config, FileStorage, Input, SEGMENT_BYTES_MIN, Writer, recover};
use matching::{Engine, Events, Limits, Line, RestoreError, Step};
use std::fs;
use std::path::{Path, PathBuf};
use wire::ring::{Command, CommandKind};

/// The folder of all versions.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
/// What the present version's folder is called.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Inputs of a golden day: some KiB.
const INPUTS: usize = 400;
/// Orders that a golden day leaves on its books at least: a day that leaves none proves little.
const LIVE_MIN: u32 = 25;
/// The name that a day's copy gets.
const DAY: &str = "2026010101";

const LIMITS: Limits = Limits {
    symbols: SYMBOLS + 1,
    sessions: SESSIONS + 1,
    orders: ORDERS as u32,
    special: ORDERS as u32,
    price_groups: 256,
    accounts: SESSIONS + 1,
};

/// The versions that there are.
fn versions() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    found.sort();
    found
}

/// Puts a golden day into a data directory, its segments as long as they were.
fn unpacked(version: &Path, data: &Path) -> PathBuf {
    let day = data.join(DAY);
    unpack(version, &day);
    day
}

fn replayed(day: &Path) -> String {
    let ended = program(&["replay", "--journal", day.to_str().unwrap()]);
    ended.succeeds();
    let standing = ended.out.lines().next().unwrap_or_default();
    standing.to_owned()
}

/// A hostile day's inputs: everything that is offered is asked for. The first one is a limit, so
/// that accounts are kept.
fn inputs(seed: u64) -> Vec<Input> {
    let limit = Command {
        kind: CommandKind::SetLimit as u8,
        user_ref: 1,
        flags: 1,
        ..Command::zeroed()
    };
    let mut inputs: Vec<Input> = Hostile::new(seed, OFFERED).take(INPUTS).collect();
    let first = Input {
        command: limit,
        ..inputs[0]
    };
    inputs.insert(0, first);
    for (input, sequence) in inputs.iter_mut().zip(1..) {
        input.sequence = sequence;
    }
    inputs
}

/// Writes a day by three lives, in groups of 1 to 9, and trims its zeros.
fn write_journal(directory: &Path, inputs: &[Input]) {
    let data = tempfile::tempdir().unwrap();
    let config = Config {
        segment_bytes: SEGMENT_BYTES_MIN,
    };
    for life in inputs.chunks(inputs.len() / 3 + 1) {
        let mut storage = FileStorage::open(data.path()).unwrap();
        let resume = recover(&mut storage, &mut |_| ()).unwrap().resume;
        let mut writer = Writer::open(storage, config, resume).unwrap();
        let mut rest = life;
        while let Some(first) = rest.first() {
            let count = (1 + first.sequence as usize % 9).min(rest.len());
            if writer.append(&rest[..count]).is_ok() {
                rest = &rest[count..];
            }
            writer.poll().unwrap();
        }
        while !writer.is_idle() {
            writer.poll().unwrap();
        }
        while !writer.is_closed() {
            let _ = writer.close();
            writer.poll().unwrap();
        }
    }
    let mut bytes = fs::read(data.path().join(segment_name(1))).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes.truncate(end + 1);
    fs::write(directory.join(segment_name(1)), bytes).unwrap();
}

/// The state behind the inputs; none when too few orders are left.
fn snapshot_of(inputs: &[Input]) -> Option<Vec<u8>> {
    let mut memory = vec![Line::ZERO; LIMITS.lines()];
    let mut engine = Engine::new(LIMITS, &mut memory).unwrap();
    let mut events = Events::new();
    for input in inputs {
        let mut step = engine.apply(input, &mut events);
        while step == Step::More {
            step = engine.resume(&mut events);
        }
    }
    if engine.live_orders() < LIVE_MIN {
        return None;
    }
    let mut bytes = Vec::new();
    engine.snapshot(&mut |piece| bytes.extend_from_slice(piece));
    Some(bytes)
}

/// Makes the folder of the present version.
fn write(directory: &Path) {
    fs::create_dir_all(directory).unwrap();
    let mut days = (1..1_000).map(inputs);
    let (inputs, snapshot) = days
        .find_map(|inputs| snapshot_of(&inputs).map(|snapshot| (inputs, snapshot)))
        .unwrap();
    write_journal(directory, &inputs);
    let limits = format!(
        "symbols = {}\nsessions = {}\norders = {}\nspecial = {}\nprice_groups = {}\n",
        LIMITS.symbols, LIMITS.sessions, LIMITS.orders, LIMITS.special, LIMITS.price_groups
    );
    fs::write(directory.join("limits"), limits).unwrap();
    fs::write(directory.join("engine.snapshot"), snapshot).unwrap();
    let data = tempfile::tempdir().unwrap();
    let standing = replayed(&unpacked(directory, data.path()));
    fs::write(directory.join("standing"), standing + "\n").unwrap();
}

#[test]
fn days_of_every_version_come_to_the_same() {
    let present = Path::new(FOLDER).join(VERSION);
    if std::env::var_os("GOLDEN_WRITE").is_some() && !present.exists() {
        write(&present);
    }
    assert!(
        present.is_dir(),
        "there is no golden day of version {VERSION}: make one with GOLDEN_WRITE=1"
    );
    for version in versions() {
        let data = tempfile::tempdir().unwrap();
        let day = unpacked(&version, data.path());
        program(&["journal", "verify", day.to_str().unwrap()]).succeeds();
        let due = fs::read_to_string(version.join("standing")).unwrap();
        assert_eq!(replayed(&day), due.trim_end(), "{}", version.display());
    }
}

#[test]
fn snapshots_of_every_version_are_the_states_that_replay_comes_to() {
    for version in versions() {
        let bytes = fs::read(version.join("engine.snapshot")).unwrap();
        let standing = fs::read_to_string(version.join("standing")).unwrap();
        let mut memory = vec![Line::ZERO; LIMITS.lines()];
        let engine = Engine::restore(LIMITS, &mut memory, &bytes).unwrap();
        let hash = format!("state_hash={:016x} ", engine.state_hash());
        assert!(standing.contains(&hash), "{hash} is not in {standing}");
    }
}

/// A golden day whose record at `offset` says that a newer program wrote it.
fn newer(data: &Path, offset: usize) -> PathBuf {
    let day = unpacked(&Path::new(FOLDER).join(VERSION), data);
    let path = day.join(segment_name(1));
    let mut bytes = fs::read(&path).unwrap();
    let mut header: Header = bytemuck::pod_read_unaligned(&bytes[offset..offset + 64]);
    header.version += 1;
    header.checksum = header.sum(&bytes[offset + 64..offset + header.bytes as usize]);
    bytes[offset..offset + 64].copy_from_slice(bytemuck::bytes_of(&header));
    fs::write(&path, bytes).unwrap();
    day
}

#[test]
fn a_newer_programs_journal_is_refused_by_everything_that_reads_it() {
    let version = journal::record::VERSION;
    let pieces = [
        "a newer program wrote this",
        &format!("in version {}", version + 1),
        &format!("up to version {version}"),
    ];
    for offset in [0, 64] {
        let data = tempfile::tempdir().unwrap();
        let day = newer(data.path(), offset);
        let day = day.to_str().unwrap();
        for words in [
            ["journal", "verify", day],
            ["journal", "show", day],
            ["replay", "--journal", day],
        ] {
            program(&words).refuses(2, &pieces);
        }
    }
}

#[test]
fn a_venue_does_not_start_on_a_newer_programs_day() {
    let site = Site::new();
    site.start().stop();
    let day = fs::read_dir(site.data_dir()).unwrap();
    let mut days = day
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir());
    let path = days.next().unwrap().join(segment_name(1));
    let mut bytes = fs::read(&path).unwrap();
    let mut header: Header = bytemuck::pod_read_unaligned(&bytes[..64]);
    header.version += 1;
    header.checksum = header.sum(&[]);
    bytes[..64].copy_from_slice(bytemuck::bytes_of(&header));
    fs::write(&path, &bytes).unwrap();
    let mut venue = site.spawn(&[]);
    assert_eq!(venue.wait().code(), Some(1));
    let said = venue.stderr();
    assert!(said.contains("a newer program wrote this"), "{said}");
    assert_eq!(
        fs::read(&path).unwrap(),
        bytes,
        "the refused journal was changed"
    );
}

#[test]
fn a_newer_engine_snapshot_is_refused() {
    let mut bytes = fs::read(Path::new(FOLDER).join(VERSION).join("engine.snapshot")).unwrap();
    bytes[8] += 1;
    let mut memory = vec![Line::ZERO; LIMITS.lines()];
    let error = Engine::restore(LIMITS, &mut memory, &bytes).err().unwrap();
    assert!(
        matches!(
            error,
            RestoreError::Bytes {
                field: "version",
                ..
            }
        ),
        "{error}"
    );
}
