//! How fast a journal is read back and checked, beside how fast its disk gives the bytes.
//!
//! `cargo run --release -p journal --example reading -- [INPUTS] [INPUTS A RECORD] [DIRECTORY]`
//! writes a journal around the page cache and recovers it six times: the first time the bytes come
//! from the disk, then from memory. What a core can do is taken from the time that the thread had
//! a core, so that other work on the machine does not count; the disk's floor is a plain read of
//! the same files around the page cache, in pieces of a mebibyte.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use bytemuck::Zeroable as _;
use journal::{Buffer, Config, FileSegments, FileStorage, Input, SEGMENT_BYTES, Writer, recover};

/// Times that it is read.
const ROUNDS: usize = 6;
/// Bytes that the plain read takes at once.
const PIECE_BYTES: usize = 1 << 20;

fn main() -> ExitCode {
    match reading() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("reading: {error}");
            ExitCode::FAILURE
        }
    }
}

fn reading() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let inputs: u64 = words.next().map_or(Ok(2_000_000), |word| word.parse())?;
    let group: usize = words.next().map_or(Ok(1), |word| word.parse())?;
    let parent = words.next().unwrap_or_else(|| ".".to_owned());
    let directory = tempfile::tempdir_in(parent)?;
    let bytes = write(directory.path(), inputs, group)?;
    let records = inputs.div_ceil(group.max(1) as u64);
    println!("{inputs} inputs in {records} records, {} MiB", bytes >> 20);
    for round in 1..=ROUNDS {
        let (begun, cpu) = (Instant::now(), cpu_ns()?);
        let mut segments = FileSegments::new(directory.path());
        let found = recover(&mut segments, &mut |_| ())?.inputs;
        let (wall, cpu) = (
            begun.elapsed().as_secs_f64(),
            (cpu_ns()? - cpu) as f64 / 1e9,
        );
        if found != inputs {
            return Err(format!("{found} inputs were found, {inputs} written").into());
        }
        println!(
            "read {round}: {wall:.3} s, of which {cpu:.3} s on a core: {:.1} M records/s and \
             {:.1} M inputs/s a core",
            records as f64 / cpu / 1e6,
            inputs as f64 / cpu / 1e6
        );
    }
    let begun = Instant::now();
    read_plain(directory.path())?;
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "plain read of the same files: {seconds:.3} s, {:.0} MiB/s: {:.1} M records/s at most",
        (bytes >> 20) as f64 / seconds,
        records as f64 / seconds / 1e6
    );
    Ok(())
}

/// Writes the journal; gives the bytes of its files.
fn write(directory: &Path, inputs: u64, group: usize) -> Result<u64, Box<dyn std::error::Error>> {
    let mut storage = FileStorage::open(directory)?;
    let resume = recover(&mut storage, &mut |_| ())?.resume;
    let config = Config {
        segment_bytes: SEGMENT_BYTES,
    };
    let mut writer = Writer::open(storage, config, resume)?;
    let mut all = Vec::with_capacity(group);
    while writer.next_sequence() <= inputs {
        let first = writer.next_sequence();
        all.clear();
        let numbers = (first..=inputs).take(group);
        all.extend(numbers.map(|sequence| Input {
            sequence,
            time_ns: sequence,
            ..Input::zeroed()
        }));
        while writer.append(&all).is_err() {
            writer.poll()?;
        }
        writer.poll()?;
    }
    while !writer.is_closed() {
        // It closes when all is written.
        let _ = writer.close();
        writer.poll()?;
    }
    drop(writer);
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

fn read_plain(directory: &Path) -> io::Result<()> {
    let mut piece = Buffer::new(PIECE_BYTES);
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let length = fs::metadata(&path)?.len();
        if length < SEGMENT_BYTES {
            continue;
        }
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_DIRECT)
            .open(&path)?;
        for offset in (0..length).step_by(PIECE_BYTES) {
            file.read_exact_at(piece.memory(), offset)?;
        }
    }
    Ok(())
}

/// Time that this thread had a core.
fn cpu_ns() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split_whitespace().next().unwrap_or_default();
    first.parse().map_err(io::Error::other)
}
