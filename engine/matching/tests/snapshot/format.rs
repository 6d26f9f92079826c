//! The bytes are those of `docs/snapshot.md`.

use std::collections::{BTreeMap, BTreeSet};

use matching::{Line, RestoreFault};

use crate::rig::{HEADER_BYTES, NARROW, busy_bytes, error_of, known_bytes, named_bytes};

/// Fields of a record and how many bytes each has.
type Fields = Vec<(String, usize)>;

/// The fields that the bytes hold and where each begins, as the reader names what it misses when
/// they are cut short.
fn fields_of(bytes: &[u8]) -> Vec<(usize, &'static str)> {
    let mut memory = vec![Line::ZERO; NARROW.lines()];
    let mut fields = Vec::new();
    for end in HEADER_BYTES..bytes.len() {
        let mut cut = bytes[..end].to_vec();
        cut[16..24].copy_from_slice(&(end as u64).to_le_bytes());
        let error = error_of(&cut, &mut memory).expect("bytes are missing");
        let (offset, field, fault) = error;
        assert_eq!(fault, RestoreFault::Length, "{error:?}");
        fields.push((offset, field));
    }
    fields.dedup();
    fields
}

/// The fields and their bytes that `docs/snapshot.md` states, by tag.
fn fields_documented() -> BTreeMap<u8, Fields> {
    let page = include_str!("../../../../docs/snapshot.md");
    let mut records = BTreeMap::new();
    for section in page.split("\n### ").skip(1) {
        let (tag, _) = section.split_once(':').expect("a tag");
        let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).collect();
        let rows: Vec<Vec<String>> = section.lines().map(cells).collect();
        let fields = rows.iter().filter_map(|row| {
            let name = row.get(2)?.strip_prefix('`')?.strip_suffix('`')?;
            Some((name.to_owned(), row[1].parse().expect("a number of bytes")))
        });
        records.insert(tag.parse().expect("a number"), fields.collect());
    }
    records
}

/// The records in bytes: their tags and fields.
fn records_of(bytes: &[u8]) -> Vec<(u8, Fields)> {
    let mut fields = fields_of(bytes);
    fields.push((bytes.len(), "end"));
    let mut records: Vec<(u8, Fields)> = Vec::new();
    for pair in fields.windows(2) {
        let ((start, field), (end, _)) = (pair[0], pair[1]);
        match records.last_mut() {
            _ if field == "tag" => records.push((bytes[start], Fields::new())),
            Some((_, fields)) if field != "hash" => match fields.last_mut() {
                Some((name, bytes)) if name == field => *bytes += end - start,
                _ => fields.push((field.to_owned(), end - start)),
            },
            _ => {}
        }
    }
    records
}

#[test]
fn the_format_is_the_documented_one() {
    let documented = fields_documented();
    let mut seen = BTreeSet::new();
    for bytes in (1..=5)
        .map(busy_bytes)
        .chain([known_bytes(), named_bytes()])
    {
        for (tag, fields) in records_of(&bytes) {
            assert_eq!(fields, documented[&tag], "docs/snapshot.md, record {tag}");
            seen.insert(tag);
        }
    }
    assert_eq!(seen, documented.keys().copied().collect(), "records seen");
}
