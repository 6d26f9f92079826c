//! Snapshot files: sections of bytes with checksums, whole or not there at all.
//!
//! A snapshot is written under another name, flushed, and renamed. The newest few are kept, so that
//! one that turns out damaged has one before it. What the sections mean is the writer's business;
//! the bytes around them are described in `docs/streams.md`.

mod draft;

pub use draft::{Draft, Fill};

use bytemuck::{Pod, Zeroable};

use crate::error::{Corrupt, DataError, Field};
use crate::files::Files;
use crate::storage::StorageError;

/// First bytes of a snapshot: `WXSNAPSH`.
pub const MAGIC: u64 = u64::from_le_bytes(*b"WXSNAPSH");

/// Version of the format that this code writes and reads.
pub const VERSION: u32 = 1;

/// The most sections of a snapshot.
pub const SECTIONS_MAX: usize = 64;

/// The longest snapshot that is read.
pub const SNAPSHOT_BYTES_MAX: u64 = 1 << 38;

/// The beginning of a snapshot. All numbers are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: u64,
    /// [`VERSION`].
    pub version: u32,
    /// 0.
    pub reserved: u32,
    /// The last input that it has seen.
    pub sequence: u64,
    /// Time of that input.
    pub time_ns: u64,
}

/// One section, in the table behind all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Entry {
    /// What it is.
    pub tag: u32,
    /// CRC32C of its bytes.
    pub checksum: u32,
    /// Where it begins.
    pub offset: u64,
    /// Its bytes.
    pub bytes: u64,
}

/// The end of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Footer {
    /// [`MAGIC`] again.
    pub magic: u64,
    /// Where the table begins.
    pub table: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Sections.
    pub sections: u32,
    /// CRC32C of the header, the table and the footer's bytes before this.
    pub checksum: u32,
}

const _: () = assert!(size_of::<Header>() == 32 && size_of::<Entry>() == 24);
const _: () = assert!(size_of::<Footer>() == 32);

/// The name of a snapshot until it is finished.
const DRAFT: &str = "snapshot.new";

/// The name of the snapshot behind input `sequence`.
#[must_use]
pub fn file_name(sequence: u64) -> String {
    format!("snapshot-{sequence:020}")
}

/// Reads the input's number from a snapshot's name; `None` when it is no snapshot.
#[must_use]
pub fn sequence_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("snapshot-")?;
    let plain = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// The inputs behind which there are snapshots, the newest first.
///
/// # Errors
/// The disk cannot be read.
pub fn list(files: &mut dyn Files) -> Result<Vec<u64>, StorageError> {
    let names = files.names()?;
    let mut sequences: Vec<u64> = names.iter().filter_map(|name| sequence_of(name)).collect();
    sequences.sort_unstable_by(|one, other| other.cmp(one));
    Ok(sequences)
}

/// Removes all snapshots but the newest `keep`, and one that was not finished.
///
/// # Errors
/// The disk failed.
pub fn prune(files: &mut dyn Files, keep: usize) -> Result<(), StorageError> {
    for sequence in list(files)?.into_iter().skip(keep) {
        files.remove(&file_name(sequence))?;
    }
    files.remove(DRAFT)
}

fn footer_sum(header: &Header, table: &[u8], footer: &Footer) -> u32 {
    let sum = crc32c::crc32c(bytemuck::bytes_of(header));
    let sum = crc32c::crc32c_append(sum, table);
    let bytes = bytemuck::bytes_of(footer);
    crc32c::crc32c_append(sum, &bytes[..size_of::<Footer>() - size_of::<u32>()])
}

/// A snapshot that was read, and found whole.
pub struct Snapshot {
    header: Header,
    entries: Vec<Entry>,
    bytes: Vec<u8>,
}

impl Snapshot {
    /// Reads the snapshot behind input `sequence`, and checks all of it.
    ///
    /// # Errors
    /// The disk fails, or the file is damaged or of a later version.
    pub fn read(files: &mut dyn Files, sequence: u64) -> Result<Self, DataError> {
        let name = file_name(sequence);
        let length = files.length(&name)?;
        let file = files.path(&name);
        let wrong = |offset, (field, found, expected)| {
            DataError::Corrupt(Corrupt {
                file: file.clone(),
                offset,
                field,
                found,
                expected,
            })
        };
        let least = (size_of::<Header>() + size_of::<Footer>()) as u64;
        if !(least..=SNAPSHOT_BYTES_MAX).contains(&length) {
            return Err(wrong(0, (Field::FileLength, length, least)));
        }
        let mut bytes = vec![0; length as usize];
        files.read(&name, 0, &mut bytes)?;
        let header: Header = bytemuck::pod_read_unaligned(&bytes[..size_of::<Header>()]);
        let entries = table(&bytes, &header).map_err(|it| wrong(it.0, it.1))?;
        if header.version > VERSION {
            return Err(DataError::Newer {
                file,
                version: header.version,
                known: VERSION,
            });
        }
        if header.sequence != sequence || header.version != VERSION {
            let field = (Field::Sequence, header.sequence, sequence);
            return Err(wrong(0, field));
        }
        for entry in &entries {
            let sum = crc32c::crc32c(&bytes[place(entry)]);
            if sum != entry.checksum {
                let field = (Field::Checksum, sum.into(), entry.checksum.into());
                return Err(wrong(entry.offset, field));
            }
        }
        Ok(Self {
            header,
            entries,
            bytes,
        })
    }

    /// The last input that it has seen.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.header.sequence
    }

    /// Time of that input.
    #[must_use]
    pub const fn time_ns(&self) -> u64 {
        self.header.time_ns
    }

    /// The bytes of a section, if there is one.
    #[must_use]
    pub fn section(&self, tag: u32) -> Option<&[u8]> {
        self.bytes.get(place(self.entry(tag)?))
    }

    /// Where in the file a section begins, if there is one.
    #[must_use]
    pub fn section_at(&self, tag: u32) -> Option<u64> {
        self.entry(tag).map(|entry| entry.offset)
    }

    fn entry(&self, tag: u32) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }
}

/// Where a section lies in a file that is known to have it.
const fn place(entry: &Entry) -> std::ops::Range<usize> {
    entry.offset as usize..(entry.offset + entry.bytes) as usize
}

/// What is wrong with a file, and where.
type Wrong = (u64, (Field, u64, u64));

/// Reads the table of sections, each of which lies inside the file.
fn table(bytes: &[u8], header: &Header) -> Result<Vec<Entry>, Wrong> {
    let length = bytes.len() as u64;
    let end = length - size_of::<Footer>() as u64;
    let footer: Footer = bytemuck::pod_read_unaligned(&bytes[end as usize..]);
    if header.magic != MAGIC {
        return Err((0, (Field::Magic, header.magic, MAGIC)));
    }
    if footer.magic != MAGIC {
        return Err((end, (Field::Magic, footer.magic, MAGIC)));
    }
    if footer.bytes != length {
        return Err((end, (Field::FileLength, length, footer.bytes)));
    }
    let table_bytes = u64::from(footer.sections) * size_of::<Entry>() as u64;
    let fits = footer.sections as usize <= SECTIONS_MAX
        && footer.table >= size_of::<Header>() as u64
        && footer.table.checked_add(table_bytes) == Some(end);
    if !fits {
        return Err((end, (Field::Count, footer.sections.into(), 0)));
    }
    let table = &bytes[footer.table as usize..end as usize];
    let sum = footer_sum(header, table, &footer);
    if sum != footer.checksum {
        let field = (Field::Checksum, sum.into(), footer.checksum.into());
        return Err((end, field));
    }
    let entries: Vec<Entry> = table
        .chunks_exact(size_of::<Entry>())
        .map(bytemuck::pod_read_unaligned)
        .collect();
    let is_inside = |entry: &&Entry| {
        let end = entry.offset.checked_add(entry.bytes);
        end.is_some_and(|end| end <= footer.table)
    };
    match entries.iter().find(|entry| !is_inside(entry)) {
        Some(entry) => Err((entry.offset, (Field::Length, entry.bytes, footer.table))),
        None => Ok(entries),
    }
}
