//! A segment compressed: a file that every zstd tool unpacks, and that can be read from anywhere.
//!
//! It is a row of zstd frames of one mebibyte of segment each, and behind them a table of their
//! lengths in a frame that decoders skip: the Zstandard Seekable Format 0.1.0 (zstd, `contrib/
//! seekable_format`). Each frame carries the checksum of its content, so damage does not pass for
//! a record. Reading costs memory for one frame, however long the segment is.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::CParameter;

use crate::{SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN};

/// Bytes of the segment in a frame; fewer in the last one.
pub const FRAME_BYTES: usize = 1 << 20;

/// The most frames of an archive.
const FRAMES_MAX: usize = SEGMENT_BYTES_MAX as usize / FRAME_BYTES;

/// How hard the compressor tries: zstd's own default.
const LEVEL: i32 = 3;

/// Begins a frame that decoders skip; the one of the table, by the format.
const SKIPPABLE_MAGIC: u32 = 0x184D_2A5E;

/// The last four bytes of the file.
const TABLE_MAGIC: u32 = 0x8F92_EAB1;

/// Magic and length of the skippable frame, an entry, and what follows the entries: their number,
/// a byte of flags, the magic.
const TABLE_HEAD_BYTES: usize = 8;
const ENTRY_BYTES: usize = 8;
const TABLE_FOOT_BYTES: usize = 9;

const _: () = assert!(SEGMENT_BYTES_MAX.is_multiple_of(FRAME_BYTES as u64));
const _: () = assert!(FRAME_BYTES <= u32::MAX as usize);

/// Where a frame lies, and how long it is with and without compression.
#[derive(Clone, Copy, Debug)]
struct Frame {
    at: u64,
    packed: usize,
    raw: usize,
}

/// A compressed segment, open for reading.
pub(crate) struct Archive {
    file: File,
    frames: Vec<Frame>,
    decompressor: Decompressor<'static>,
    /// The frame that was read last, unpacked.
    held: Option<(usize, Vec<u8>)>,
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Archive({} frames)", self.frames.len())
    }
}

impl Archive {
    /// Reads the table.
    pub fn open(file: File) -> io::Result<Self> {
        let frames = frames(&file)?;
        Ok(Self {
            file,
            frames,
            decompressor: Decompressor::new()?,
            held: None,
        })
    }

    /// Length of the segment.
    pub fn bytes(&self) -> u64 {
        self.frames.iter().map(|frame| frame.raw as u64).sum()
    }

    /// Fills `into` from byte `offset` of the segment.
    pub fn read_exact_at(&mut self, into: &mut [u8], offset: u64) -> io::Result<()> {
        let (mut done, mut offset) = (0, offset);
        while done < into.len() {
            let index = (offset / FRAME_BYTES as u64) as usize;
            let inside = (offset % FRAME_BYTES as u64) as usize;
            let frame = self.frame(index)?.get(inside..).unwrap_or(&[]);
            let bytes = frame.len().min(into.len() - done);
            if bytes == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            into[done..done + bytes].copy_from_slice(&frame[..bytes]);
            done += bytes;
            offset += bytes as u64;
        }
        Ok(())
    }

    /// A frame's content; empty behind the last one.
    fn frame(&mut self, index: usize) -> io::Result<&[u8]> {
        let mut content = match self.held.take() {
            Some((held, content)) if held == index => {
                return Ok(&self.held.insert((index, content)).1);
            }
            Some((_, content)) => content,
            None => vec![0; FRAME_BYTES],
        };
        let Some(frame) = self.frames.get(index) else {
            return Ok(&[]);
        };
        let mut packed = vec![0; frame.packed];
        self.file.read_exact_at(&mut packed, frame.at)?;
        content.resize(frame.raw, 0);
        let unpacked = self
            .decompressor
            .decompress_to_buffer(&packed, &mut content[..]);
        if unpacked.ok() != Some(frame.raw) {
            return Err(damaged());
        }
        Ok(&self.held.insert((index, content)).1)
    }
}

/// What an archive is not, when it is not as it was written.
fn damaged() -> io::Error {
    io::Error::from_raw_os_error(libc::EBADMSG)
}

/// Reads the table at the end and checks it against the file and against what a segment can be.
fn frames(file: &File) -> io::Result<Vec<Frame>> {
    let length = file.metadata()?.len();
    let mut foot = [0; TABLE_FOOT_BYTES];
    let foot_at = length.checked_sub(TABLE_FOOT_BYTES as u64);
    file.read_exact_at(&mut foot, foot_at.ok_or_else(damaged)?)?;
    let count = word(&foot, 0) as usize;
    if word(&foot, 5) != TABLE_MAGIC || foot[4] != 0 || count > FRAMES_MAX {
        return Err(damaged());
    }
    let content = count * ENTRY_BYTES + TABLE_FOOT_BYTES;
    let mut table = vec![0; TABLE_HEAD_BYTES + content];
    let table_at = length.checked_sub(table.len() as u64).ok_or_else(damaged)?;
    file.read_exact_at(&mut table, table_at)?;
    if word(&table, 0) != SKIPPABLE_MAGIC || word(&table, 4) as usize != content {
        return Err(damaged());
    }
    let mut at = 0;
    let entries = table[TABLE_HEAD_BYTES..].chunks_exact(ENTRY_BYTES);
    let frames: Vec<Frame> = entries
        .take(count)
        .map(|entry| {
            let (packed, raw) = (word(entry, 0) as usize, word(entry, 4) as usize);
            let frame = Frame { at, packed, raw };
            at += packed as u64;
            frame
        })
        .collect();
    let raw: u64 = frames.iter().map(|frame| frame.raw as u64).sum();
    let whole = frames.iter().rev().skip(1);
    let is_whole = whole.clone().all(|frame| frame.raw == FRAME_BYTES);
    let is_last = frames.last().is_some_and(|last| last.raw <= FRAME_BYTES);
    let fits = (SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&raw);
    if at != table_at || !is_whole || !is_last || !fits {
        return Err(damaged());
    }
    Ok(frames)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytemuck::pod_read_unaligned(&bytes[at..at + 4])
}

/// Compresses `bytes` of a segment into an empty file; flushes nothing. Gives the file's length.
pub(crate) fn compress(segment: &File, bytes: u64, to: &File) -> io::Result<u64> {
    let mut compressor = Compressor::new(LEVEL)?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    let mut raw = vec![0; FRAME_BYTES];
    let mut packed = vec![0; zstd::zstd_safe::compress_bound(FRAME_BYTES)];
    let mut table = Vec::new();
    let (mut from, mut at) = (0, 0);
    while from < bytes {
        let raw = &mut raw[..(bytes - from).min(FRAME_BYTES as u64) as usize];
        segment.read_exact_at(raw, from)?;
        let length = compressor.compress_to_buffer(raw, &mut packed[..])?;
        to.write_all_at(&packed[..length], at)?;
        table.extend_from_slice(&(length as u32).to_le_bytes());
        table.extend_from_slice(&(raw.len() as u32).to_le_bytes());
        from += raw.len() as u64;
        at += length as u64;
    }
    let count = (table.len() / ENTRY_BYTES) as u32;
    let content = (table.len() + TABLE_FOOT_BYTES) as u32;
    let mut tail = Vec::with_capacity(TABLE_HEAD_BYTES + table.len() + TABLE_FOOT_BYTES);
    tail.extend_from_slice(&SKIPPABLE_MAGIC.to_le_bytes());
    tail.extend_from_slice(&content.to_le_bytes());
    tail.extend_from_slice(&table);
    tail.extend_from_slice(&count.to_le_bytes());
    tail.push(0);
    tail.extend_from_slice(&TABLE_MAGIC.to_le_bytes());
    to.write_all_at(&tail, at)?;
    Ok(at + tail.len() as u64)
}
