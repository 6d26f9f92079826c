//! Macros of the field kinds: the type that holds one, its size, its reading and its writing.

/// The Rust type that holds a field of a kind.
macro_rules! value_type {
    (letter) => {
        u8
    };
    (u8) => {
        u8
    };
    (u16) => {
        u16
    };
    (u32) => {
        u32
    };
    (i32) => {
        i32
    };
    (u48) => {
        u64
    };
    (u64) => {
        u64
    };
    (price4) => {
        u32
    };
    (price8) => {
        u64
    };
    (price) => {
        u64
    };
    (alpha2) => {
        [u8; 2]
    };
    (alpha4) => {
        [u8; 4]
    };
    (alpha6) => {
        [u8; 6]
    };
    (alpha8) => {
        [u8; 8]
    };
    (alpha10) => {
        [u8; 10]
    };
    (alpha14) => {
        [u8; 14]
    };
    (alpha20) => {
        [u8; 20]
    };
}

/// How many bytes a field of a kind takes.
macro_rules! value_bytes {
    (u48) => {
        6
    };
    ($kind:ident) => {
        size_of::<value_type!($kind)>()
    };
}

/// Reads a field from its bytes.
macro_rules! value_from {
    (u48, $bytes:expr) => {
        $crate::field::u48_from($bytes)
    };
    (alpha2, $bytes:expr) => {
        $bytes
    };
    (alpha4, $bytes:expr) => {
        $bytes
    };
    (alpha6, $bytes:expr) => {
        $bytes
    };
    (alpha8, $bytes:expr) => {
        $bytes
    };
    (alpha10, $bytes:expr) => {
        $bytes
    };
    (alpha14, $bytes:expr) => {
        $bytes
    };
    (alpha20, $bytes:expr) => {
        $bytes
    };
    ($kind:ident, $bytes:expr) => {
        <value_type!($kind)>::from_be_bytes($bytes)
    };
}

/// The bytes of a field.
macro_rules! value_into {
    (u48, $value:expr) => {
        $crate::field::u48_bytes($value)
    };
    (alpha2, $value:expr) => {
        $value
    };
    (alpha4, $value:expr) => {
        $value
    };
    (alpha6, $value:expr) => {
        $value
    };
    (alpha8, $value:expr) => {
        $value
    };
    (alpha10, $value:expr) => {
        $value
    };
    (alpha14, $value:expr) => {
        $value
    };
    (alpha20, $value:expr) => {
        $value
    };
    ($kind:ident, $value:expr) => {
        $value.to_be_bytes()
    };
}

/// Refuses a value that does not fit: only `u48` is narrower than the type that holds it.
macro_rules! value_check {
    (u48, $value:expr, $kind:literal, $offset:literal) => {
        if $value >> 48 != 0 {
            return Err(super::too_great($kind, $offset, $value));
        }
    };
    ($as:ident, $value:expr, $kind:literal, $offset:literal) => {};
}
