//! An entry as Redis has it: kind, version, tags with the moment since when they hold, bytes.
//!
//! Whoever may write to that Redis could have written these bytes: they are read with care.

use crate::packing::unpacked;
use crate::{TAG_BYTES_MAX, TAGS_MAX};

/// There is no value.
const ABSENT: u8 = 0;
/// There is one.
const VALUE: u8 = 1;
/// It was forgotten, and the version is the least that may come back; the scripts write it.
const LEAST: u8 = 2;

/// Bytes of the moment since when a tag holds.
const SINCE_BYTES: usize = 8;

/// What Redis keeps of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) version: u64,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) tags: Vec<String>,
}

/// Kind and version, with which it begins.
pub(crate) fn head(version: u64, has_value: bool) -> [u8; 9] {
    let mut head = [0; 9];
    head[0] = if has_value { VALUE } else { ABSENT };
    head[1..].copy_from_slice(&version.to_be_bytes());
    head
}

/// Reads one; none where the bytes are not what they say.
pub(crate) fn kept(bytes: &[u8]) -> Option<Kept> {
    let (kind, rest) = bytes.split_first()?;
    let (version, rest) = rest.split_first_chunk::<8>()?;
    let (count, mut rest) = rest.split_first()?;
    if usize::from(*count) > TAGS_MAX {
        return None;
    }
    let mut tags = Vec::with_capacity((*count).into());
    for _ in 0..*count {
        let (length, more) = rest.split_first()?;
        let length = usize::from(*length);
        if length > TAG_BYTES_MAX {
            return None;
        }
        let (tag, more) = more.split_at_checked(length)?;
        tags.push(String::from_utf8(tag.to_vec()).ok()?);
        (_, rest) = more.split_at_checked(SINCE_BYTES)?;
    }
    let value = match *kind {
        ABSENT => None,
        VALUE => {
            let (way, bytes) = rest.split_first()?;
            Some(unpacked(*way, bytes)?)
        }
        _ => return None,
    };
    Some(Kept {
        version: u64::from_be_bytes(*version),
        value,
        tags,
    })
}

/// The least version that may come back of what was forgotten.
pub(crate) fn least(bytes: &[u8]) -> Option<u64> {
    let (kind, rest) = bytes.split_first()?;
    let (version, _) = rest.split_first_chunk::<8>()?;
    (*kind == LEAST).then(|| u64::from_be_bytes(*version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(kind: u8, tags: &[&[u8]], rest: &[u8]) -> Vec<u8> {
        let mut bytes = head(7, true).to_vec();
        bytes[0] = kind;
        bytes.push(tags.len() as u8);
        for tag in tags {
            bytes.push(tag.len() as u8);
            bytes.extend_from_slice(tag);
            bytes.extend_from_slice(&[9; SINCE_BYTES]);
        }
        bytes.extend_from_slice(rest);
        bytes
    }

    #[test]
    fn whole_ones_are_read_and_no_others() {
        let whole = bytes(VALUE, &[b"a", b"bars"], b"\0value");
        let read = kept(&whole);
        let due = Kept {
            version: 7,
            value: Some(b"value".to_vec()),
            tags: vec!["a".to_owned(), "bars".to_owned()],
        };
        assert_eq!(read, Some(due));
        for length in 0..whole.len() - b"value".len() {
            assert_eq!(kept(&whole[..length]), None, "{length}");
        }
        assert_eq!(
            kept(&bytes(ABSENT, &[], b"")).map(|it| it.value),
            Some(None)
        );
        assert_eq!(least(&bytes(LEAST, &[], b"")), Some(7));
        assert_eq!(least(&whole), None);
        for bad in [
            bytes(LEAST, &[], b""),
            bytes(3, &[], b"\0"),
            bytes(VALUE, &[b"\xFF"], b"\0"),
            bytes(VALUE, &[&[b'a'; TAG_BYTES_MAX + 1]], b"\0"),
            bytes(VALUE, &[&b"a"[..]; TAGS_MAX + 1], b"\0"),
            bytes(VALUE, &[], b"\x05"),
        ] {
            assert_eq!(kept(&bad), None, "{bad:?}");
        }
    }
}
