//! An ITCH message written again is the same message; an error points into its bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::Fault;
use wire::itch::Message;

/// Longer than any message that the fuzzer makes.
const BUFFER_BYTES: usize = 8_192;

fuzz_target!(|bytes: &[u8]| {
    let mut out = [0xEE; BUFFER_BYTES];
    match Message::parse(bytes) {
        Ok(message) => match message.encode(&mut out) {
            Ok(length) => {
                assert_eq!(&out[..length], bytes, "written again it is another message");
                assert!(
                    out[length..].iter().all(|byte| *byte == 0xEE),
                    "wrote too far"
                );
                let error = message.encode(&mut out[..length - 1]).expect_err("no room");
                assert_eq!(error.fault, Fault::Room);
            }
            Err(error) => assert!(bytes.len() > BUFFER_BYTES, "{error}"),
        },
        Err(error) => {
            assert!(error.offset <= bytes.len(), "{error}");
        }
    }
});
