//! Numbers of the kernel's own functions, from the type information it publishes about itself
//! (BTF, `/sys/kernel/btf/vmlinux`).

use std::fs;
use std::io;

use crate::error::Error;

const PATH: &str = "/sys/kernel/btf/vmlinux";
const MAGIC: u16 = 0xeb9f;
const KIND_FUNCTION: u32 = 12;

/// The ids of the functions called `names`, `None` for those that this kernel lacks.
pub(crate) fn functions<const N: usize>(names: [&str; N]) -> Result<[Option<u32>; N], Error> {
    let step = "reading the kernel's types";
    let bytes = fs::read(PATH).map_err(|error| Error::new(step, error))?;
    find(&bytes, names).ok_or_else(|| Error::new(step, io::ErrorKind::InvalidData.into()))
}

/// Bytes that follow the 12 of a type, by its kind; `None` for a kind we do not know.
fn tail_bytes(kind: u32, members: usize) -> Option<usize> {
    Some(match kind {
        2 | 7..=12 | 16 | 18 => 0,
        1 | 14 | 17 => 4,
        3 => 12,
        4 | 5 | 15 | 19 => 12 * members,
        6 | 13 => 8 * members,
        _ => return None,
    })
}

/// `None` when the bytes are not BTF as we know it.
fn find<const N: usize>(bytes: &[u8], names: [&str; N]) -> Option<[Option<u32>; N]> {
    let word = |at: usize| -> Option<u32> {
        let field = bytes.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(field.try_into().ok()?))
    };
    if word(0)? as u16 != MAGIC {
        return None;
    }
    let header = word(4)? as usize;
    let types = header.checked_add(word(8)? as usize)?;
    let end = types.checked_add(word(12)? as usize)?;
    let strings = bytes.get(header.checked_add(word(16)? as usize)?..)?;
    let mut found = [None; N];
    let (mut at, mut id) = (types, 0);
    while at < end {
        id += 1;
        let (name, info) = (word(at)? as usize, word(at + 4)?);
        let kind = info >> 24 & 0x1f;
        if kind == KIND_FUNCTION {
            let text = strings.get(name..)?;
            for (place, wanted) in found.iter_mut().zip(names) {
                let wanted = wanted.as_bytes();
                if text.starts_with(wanted) && text.get(wanted.len()) == Some(&0) {
                    *place = Some(id);
                }
            }
        }
        at += 12 + tail_bytes(kind, info as usize & 0xffff)?;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pointer, a structure of two members, then the functions "ab" and "abc".
    fn sample() -> Vec<u8> {
        let strings = b"\0ab\0abc\0";
        let mut types = Vec::new();
        let mut put = |words: &[u32]| types.extend(words.iter().flat_map(|w| w.to_le_bytes()));
        put(&[0, 2 << 24, 0]);
        put(&[0, 4 << 24 | 2, 16, 0, 1, 0, 0, 1, 64]);
        put(&[1, 12 << 24, 0]);
        put(&[4, 12 << 24, 0]);
        let mut bytes = vec![0x9f, 0xeb, 1, 0];
        let lengths = [24, 0, types.len(), types.len(), strings.len()];
        bytes.extend(lengths.iter().flat_map(|&n| (n as u32).to_le_bytes()));
        bytes.extend(types);
        bytes.extend(strings);
        bytes
    }

    #[test]
    fn functions_are_found_by_their_whole_name() {
        let bytes = sample();
        assert_eq!(
            find(&bytes, ["abc", "ab", "a", "b"]),
            Some([Some(4), Some(3), None, None])
        );
        for length in 0..bytes.len() - 9 {
            assert_eq!(find(&bytes[..length], ["abc"]), None, "{length}");
        }
        let mut unknown = bytes.clone();
        unknown[24 + 7] = 31; // a kind that does not exist
        assert_eq!(find(&unknown, ["ab"]), None);
    }
}
