//! Every message of every table: parsed and written again it is the same; one of another length,
//! and a buffer too short for it, are refused by value.
#![allow(clippy::unwrap_used, reason = "a test that unwraps fails as it should")]

use proptest::prelude::*;
use wire::{Error, Fault, MessageRow, depth, drop_copy, itch, ouch, soup};

const BUFFER_BYTES: usize = 2_048;

/// Parses one message of a protocol and writes it again, field by field, into `out`.
type Recode = fn(&[u8], &mut [u8]) -> Result<usize, Error>;

fn itch_again(bytes: &[u8], out: &mut [u8]) -> Result<usize, Error> {
    itch::Message::parse(bytes)?.encode(out)
}

fn inbound_again(bytes: &[u8], out: &mut [u8]) -> Result<usize, Error> {
    ouch::Inbound::parse(bytes)?.encode(out)
}

fn outbound_again(bytes: &[u8], out: &mut [u8]) -> Result<usize, Error> {
    ouch::Outbound::parse(bytes)?.encode(out)
}

fn login_again(bytes: &[u8], out: &mut [u8]) -> Result<usize, Error> {
    soup::login::Login::parse(bytes)?.encode(out)
}

fn depth_again(bytes: &[u8], out: &mut [u8]) -> Result<usize, Error> {
    depth::Message::parse(bytes)?.encode(out)
}

fn drop_copy_again(bytes: &[u8], out: &mut [u8]) -> Result<usize, Error> {
    drop_copy::Message::parse(bytes)?.encode(out)
}

const PROTOCOLS: [(&[MessageRow], Recode); 6] = [
    (depth::Message::TABLE, depth_again),
    (drop_copy::Message::TABLE, drop_copy_again),
    (itch::Message::TABLE, itch_again),
    (ouch::Inbound::TABLE, inbound_again),
    (ouch::Outbound::TABLE, outbound_again),
    (soup::login::Login::TABLE, login_again),
];

/// The row's message with these bytes in its fields and this appendage.
fn message(row: &MessageRow, filling: &[u8], appendage: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = filling.iter().copied().cycle().take(row.bytes).collect();
    bytes[0] = row.kind;
    if row.tagged {
        let length = u16::try_from(appendage.len()).unwrap();
        bytes[row.bytes - 2..].copy_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(appendage);
    }
    bytes
}

/// Elements of known tags with values of their size, and of unknown ones with any.
fn appendage() -> impl Strategy<Value = Vec<u8>> {
    let known = (0..ouch::Tag::TABLE.len(), any::<[u8; 8]>()).prop_map(|(index, value)| {
        let row = &ouch::Tag::TABLE[index];
        (row.tag, value[..row.bytes].to_vec())
    });
    let known_last = ouch::Tag::TABLE.iter().map(|row| row.tag).max().unwrap();
    let unknown = prop_oneof![28..ouch::TAG_OWN_FIRST, known_last + 1..=u8::MAX];
    let unknown = (unknown, prop::collection::vec(any::<u8>(), 0..20));
    prop::collection::vec(prop_oneof![known, unknown], 0..8).prop_map(|elements| {
        let element = |(tag, value): (u8, Vec<u8>)| {
            let length = u8::try_from(value.len() + 1).unwrap();
            [vec![length, tag], value].concat()
        };
        elements.into_iter().flat_map(element).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_message_written_again_is_the_same(
        filling in prop::collection::vec(any::<u8>(), 64..80),
        appendage in appendage(),
    ) {
        for (table, again) in PROTOCOLS {
            for row in table {
                let bytes = message(row, &filling, &appendage);
                let mut out = [0xEE; BUFFER_BYTES];
                let length = again(&bytes, &mut out).map_err(|e| {
                    TestCaseError::fail(format!("{}: {e}", row.name))
                })?;
                prop_assert_eq!(&out[..length], &bytes[..], "{}", row.name);
                prop_assert!(out[length..].iter().all(|byte| *byte == 0xEE));
            }
        }
    }

    #[test]
    fn a_buffer_too_short_is_an_error(
        filling in prop::collection::vec(any::<u8>(), 64..80),
        appendage in appendage(),
        cut in 1_usize..200,
    ) {
        for (table, again) in PROTOCOLS {
            for row in table {
                let bytes = message(row, &filling, &appendage);
                let mut out = vec![0; bytes.len().saturating_sub(cut)];
                let fault = again(&bytes, &mut out).map_err(|e| e.fault);
                prop_assert_eq!(fault, Err(Fault::Room), "{}", row.name);
            }
        }
    }

    #[test]
    fn any_bytes_are_a_message_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        for (table, again) in PROTOCOLS {
            let mut out = [0; BUFFER_BYTES];
            match again(&bytes, &mut out) {
                Ok(length) => prop_assert_eq!(&out[..length], &bytes[..]),
                Err(error) if error.fault == Fault::UnknownType => {
                    prop_assert!(table.iter().all(|row| row.kind != bytes[0]));
                    prop_assert_eq!((error.kind, error.found), (bytes[0], bytes.len()));
                }
                Err(error) => prop_assert_ne!(error.fault, Fault::Room),
            }
        }
    }

    #[test]
    fn a_cut_appendage_is_an_error(appendage in appendage(), cut in 1_usize..40) {
        let whole = ouch::Tags::parse(&appendage).unwrap();
        let cut = cut.min(appendage.len());
        if let Ok(tags) = ouch::Tags::parse(&appendage[..appendage.len() - cut]) {
            // Cut between two elements: the ones before are the same.
            prop_assert!(whole.zip(tags).all(|(one, other)| one == other));
            prop_assert!(tags.count() <= whole.count());
        }
    }
}

#[test]
fn every_other_length_is_an_error() {
    for (table, again) in PROTOCOLS {
        for row in table {
            let right = message(row, b"7", &[]);
            for length in (1..right.len() + 8).filter(|length| *length != right.len()) {
                let mut bytes = right.clone();
                bytes.resize(length, b'7');
                if row.tagged && length > right.len() {
                    // The fixed bytes are whole and say that nothing follows.
                    assert_eq!(bytes[row.bytes - 2..row.bytes], [0, 0]);
                }
                let error = again(&bytes, &mut [0; BUFFER_BYTES]).unwrap_err();
                assert_eq!(error.fault, Fault::Length, "{}", row.name);
                let told = (error.kind, error.offset, error.expected, error.found);
                assert_eq!(told, (row.kind, 0, row.bytes, length), "{}", row.name);
            }
        }
    }
}

#[test]
fn no_bytes_and_unknown_types_are_errors() {
    for (table, again) in PROTOCOLS {
        assert_eq!(again(&[], &mut []).unwrap_err().fault, Fault::Empty);
        for kind in (0..=u8::MAX).filter(|kind| table.iter().all(|row| row.kind != *kind)) {
            let error = again(&[kind, 1, 2], &mut []).unwrap_err();
            assert_eq!(
                (error.fault, error.kind, error.found),
                (Fault::UnknownType, kind, 3)
            );
        }
    }
}

#[test]
fn tables_name_each_type_once() {
    let counts = PROTOCOLS.map(|(table, _)| table.len());
    assert_eq!(counts, [3, 1, 23, 6, 16, 3]);
    for (table, _) in PROTOCOLS {
        for (index, row) in table.iter().enumerate() {
            assert!(
                table[..index].iter().all(|other| other.kind != row.kind),
                "{}",
                row.name
            );
        }
    }
}

#[test]
fn a_time_beyond_48_bits_is_refused() {
    let mut event = itch::fields::SystemEvent {
        timestamp: 1 << 48,
        ..Default::default()
    };
    let error = event.encode(&mut [0; 50]).unwrap_err();
    assert_eq!(
        (error.fault, error.kind, error.offset),
        (Fault::Range, b'S', 5)
    );
    event.timestamp -= 1;
    assert_eq!(event.encode(&mut [0; 50]), Ok(12));
}
