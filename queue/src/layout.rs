//! Checks of headers in shared memory: a magic number, and a hash of the layout that follows.

use crate::error::Error;

/// An error that names the field unless it holds what it must.
pub(crate) fn expect(field: &'static str, found: u64, expected: u64) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(Error::bad(field, found, format!("{expected:#x}")))
}

/// FNV-1a over a name and sizes: differs when the layout does.
pub(crate) fn hash_of(name: &str, sizes: &[usize]) -> u64 {
    let bytes = name
        .bytes()
        .chain(sizes.iter().flat_map(|size| size.to_le_bytes()));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
