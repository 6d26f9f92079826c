//! The records of a BinaryFILE written again are the file, up to the offset of the first error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::binary_file::{self, Reader};

fuzz_target!(|bytes: &[u8]| {
    let mut again = vec![0; bytes.len()];
    let mut length = 0;
    let mut reader = Reader::new(bytes);
    let mut end = None;
    for record in reader.by_ref() {
        assert!(end.is_none(), "records after an error");
        match record {
            Ok(record) => {
                assert_eq!(record.offset, length);
                assert!(!record.message.is_empty());
                length += binary_file::encode(record.message, &mut again[length..]).expect("room");
            }
            Err(error) => end = Some(error.offset),
        }
    }
    if reader.session_ended() {
        length += binary_file::encode(&[], &mut again[length..]).expect("room");
    }
    assert_eq!(again[..length], bytes[..length]);
    assert_eq!(length, end.unwrap_or(bytes.len()), "bytes were skipped");
});
