//! Fields: how each kind is read, written and described.

/// One field of a message, as `docs/wire.md` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldRow {
    /// Bytes from the start of the message.
    pub offset: usize,
    /// Size in bytes.
    pub bytes: usize,
    /// Name.
    pub name: &'static str,
    /// Kind: `letter`, `u32`, `price4`, `alpha8` ...
    pub kind: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// One message of a protocol, as `docs/wire.md` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// Name of its view.
    pub name: &'static str,
    /// The type byte.
    pub kind: u8,
    /// Size in bytes, without the appendage.
    pub bytes: usize,
    /// Whether an appendage of optional elements follows the fixed fields.
    pub tagged: bool,
    /// What it tells.
    pub meaning: &'static str,
    /// Its fields after the type byte, in order.
    pub fields: &'static [FieldRow],
}

/// Whether the fields stand one behind the other from byte 1 to the end, without gap or overlap.
pub(crate) const fn is_dense(row: &MessageRow) -> bool {
    let mut end = 1;
    let mut index = 0;
    while index < row.fields.len() {
        if row.fields[index].offset != end {
            return false;
        }
        end += row.fields[index].bytes;
        index += 1;
    }
    end == row.bytes
}

/// The text's letters, left-justified and padded with spaces; what is beyond `N` bytes is cut.
#[must_use]
pub const fn padded<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [b' '; N];
    let letters = text.as_bytes();
    let mut index = 0;
    while index < N && index < letters.len() {
        field[index] = letters[index];
        index += 1;
    }
    field
}

/// A text field without the spaces at both ends.
#[must_use]
pub const fn trimmed(field: &[u8]) -> &[u8] {
    field.trim_ascii()
}

/// `N` bytes at an offset that the table's compile-time check keeps inside the message.
#[inline]
pub(crate) fn take<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    let mut value = [0; N];
    value.copy_from_slice(&bytes[offset..offset + N]);
    value
}

/// Writes `value` at an offset that the table's compile-time check keeps inside the message.
#[inline]
pub(crate) fn put(bytes: &mut [u8], offset: usize, value: &[u8]) {
    bytes[offset..offset + value.len()].copy_from_slice(value);
}

/// Reads a 6-byte unsigned integer.
#[inline]
pub(crate) const fn u48_from([a, b, c, d, e, f]: [u8; 6]) -> u64 {
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

/// The 6 bytes of a value that fits into them.
#[inline]
pub(crate) const fn u48_bytes(value: u64) -> [u8; 6] {
    let [_, _, a, b, c, d, e, f] = value.to_be_bytes();
    [a, b, c, d, e, f]
}
