//! Damage to a journal that lies still: bits that changed, blocks that went to another place or
//! were never written.
//!
//! One disk cannot repair it, so it happens to a copy, and reading the copy must refuse, or give
//! what stands before the damage and nothing else. It must refuse whenever a record behind the
//! damage shows that the damaged place was durable: then somebody may have been told about it.

use journal::record::{Header, MAGIC};
use journal::simulated::Disk;
use journal::{BLOCK_BYTES, Input, LINE_BYTES, RecoveryError};

use crate::coverage::Fault;
use crate::day::World;
use crate::random::Random;

/// A record where it stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    segment: u32,
    offset: usize,
    bytes: usize,
    /// Where the write began that brought it.
    write: usize,
    /// Its first input, or the next one to come.
    first_sequence: u64,
}

/// Bytes of a segment that are not what they were.
#[derive(Clone, Copy, Debug)]
struct Area {
    segment: u32,
    from: usize,
    to: usize,
}

impl Area {
    fn touches(&self, place: &Place) -> bool {
        self.segment == place.segment
            && self.from < place.offset + place.bytes
            && place.offset < self.to
    }
}

/// Damages a copy of the world's journal once, and reads it.
pub(crate) fn damage(world: &mut World) -> Result<(), String> {
    let disk = world.disk.whole();
    let whole = read(&disk).map_err(|error| format!("a crash is no damage: {error}"))?;
    let places = places(&disk);
    if places.is_empty() {
        return Ok(());
    }
    let copy = disk.fork(0);
    let (fault, areas) = strike(&copy, &places, &mut world.random);
    world.report.faults.note(fault, 1);
    match read(&copy) {
        Err(RecoveryError::Corrupt(_)) => {
            world.report.refused += 1;
            Ok(())
        }
        Err(error) => Err(format!("a damaged journal cannot be read: {error}")),
        Ok(found) => judge(&places, &areas, &whole, &found)
            .map_err(|error| format!("{} at {areas:?}: {error}", fault.name())),
    }
}

fn read(disk: &Disk) -> Result<Vec<Input>, RecoveryError> {
    let mut storage = disk.storage();
    let mut inputs = Vec::new();
    journal::recover(&mut storage, &mut |input| inputs.push(*input))?;
    Ok(inputs)
}

/// The whole records of an undamaged journal, up to a torn tail.
fn places(disk: &Disk) -> Vec<Place> {
    let mut places = Vec::new();
    for segment in 1.. {
        let Some(bytes) = disk.bytes(segment) else {
            break;
        };
        let mut offset = 0;
        while let Some(header) = whole(&bytes[offset..]) {
            places.push(Place {
                segment,
                offset,
                bytes: header.bytes as usize,
                write: offset.saturating_sub(usize::from(header.back) * LINE_BYTES),
                first_sequence: header.first_sequence,
            });
            offset += header.bytes as usize;
        }
    }
    places
}

/// The head of a record that begins here and is as it was written.
fn whole(bytes: &[u8]) -> Option<Header> {
    let header: Header = bytemuck::pod_read_unaligned(bytes.get(..LINE_BYTES)?);
    let body = bytes.get(LINE_BYTES..header.bytes as usize)?;
    (header.magic == MAGIC && header.sum(body) == header.checksum).then_some(header)
}

/// Does the damage, and says where.
fn strike(disk: &Disk, places: &[Place], random: &mut Random) -> (Fault, Vec<Area>) {
    let place = places[random.below(places.len() as u64) as usize];
    let at = place.offset + random.below(place.bytes as u64) as usize;
    let mut bytes = disk.bytes(place.segment).unwrap_or_default();
    let kind = random.below(3);
    if kind == 0 {
        bytes[at] ^= 1 << random.below(8);
        disk.set_bytes(place.segment, bytes);
        return (Fault::BitFlipped, vec![area(place.segment, at, 1)]);
    }
    let from = at - at % BLOCK_BYTES;
    let block = bytes[from..from + BLOCK_BYTES].to_vec();
    bytes[from..from + BLOCK_BYTES].fill(0);
    disk.set_bytes(place.segment, bytes);
    let mut areas = vec![area(place.segment, from, BLOCK_BYTES)];
    if kind == 1 {
        return (Fault::BlockLost, areas);
    }
    let segment = 1 + random.below(u64::from(place.segment)) as u32;
    let mut bytes = disk.bytes(segment).unwrap_or_default();
    let to = BLOCK_BYTES * random.below((bytes.len() / BLOCK_BYTES) as u64) as usize;
    bytes[to..to + BLOCK_BYTES].copy_from_slice(&block);
    disk.set_bytes(segment, bytes);
    areas.push(area(segment, to, BLOCK_BYTES));
    (Fault::Misdirected, areas)
}

const fn area(segment: u32, from: usize, bytes: usize) -> Area {
    Area {
        segment,
        from,
        to: from + bytes,
    }
}

/// Whether what was read is what stands before the damage, and whether it had to be refused.
fn judge(places: &[Place], areas: &[Area], whole: &[Input], found: &[Input]) -> Result<(), String> {
    if !whole.starts_with(found) {
        return Err("inputs were read that were never written so".into());
    }
    let is_struck = |place: &&Place| areas.iter().any(|area| area.touches(place));
    let Some(first) = places.iter().find(is_struck) else {
        return Ok(());
    };
    let before = (first.first_sequence - 1) as usize;
    if found.len() < before {
        let read = found.len();
        return Err(format!("{read} inputs were read where {before} are whole"));
    }
    let shows_it = |place: &&Place| {
        !is_struck(place)
            && (place.segment > first.segment
                || (place.segment == first.segment && place.write > first.offset))
    };
    match places.iter().find(shows_it) {
        Some(behind) if found.len() < whole.len() => Err(format!(
            "{} of {} inputs were read, though the record at {}:{} shows that more were durable",
            found.len(),
            whole.len(),
            behind.segment,
            behind.offset
        )),
        _ => Ok(()),
    }
}
