//! A MoldUDP64 request written again is the same request; any other length is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::mold::{HEADER_BYTES, Request};

fuzz_target!(|bytes: &[u8]| {
    match Request::parse(bytes) {
        Ok(request) => {
            let mut out = [0; HEADER_BYTES];
            assert_eq!(request.encode(&mut out), Ok(HEADER_BYTES));
            assert_eq!(out, bytes);
        }
        Err(error) => {
            assert_ne!(bytes.len(), HEADER_BYTES);
            assert_eq!((error.expected, error.found), (HEADER_BYTES, bytes.len()));
        }
    }
});
