//! Bytes written out by hand against the published layouts, and what they must be read as.

use wire::ouch::{Inbound, Outbound, Tag, Tags};
use wire::{Error, Fault, itch, ouch, padded, trimmed};

const ADD: &[u8] = b"A\x20\xbd\x00\x07\x1f\x1a\xce\xdb\x59\x7b\
    \0\0\0\0\0\x97\x0c\x7cB\0\0\0\x64VIXM    \0\x03\x41\x34";

const ENTER: &[u8] = b"O\0\0\0\x09B\0\0\x01\0CVLT    \0\0\0\0\0\x0b\xcf\xaa\
    0YPNNorder-00000001\0\x06\x05\x02LIME";

#[test]
fn add_order_reads_as_published() {
    let Ok(itch::Message::AddOrder(add)) = itch::Message::parse(ADD) else {
        panic!("not an add order");
    };
    let fields = itch::fields::AddOrder {
        stock_locate: 0x20bd,
        tracking_number: 7,
        timestamp: 0x1f1a_cedb_597b,
        order_ref: 0x0097_0c7c,
        side: b'B',
        shares: 100,
        stock: *b"VIXM    ",
        price: 213_300,
    };
    assert_eq!(add.fields(), fields);
    let mut out = [0; itch::MESSAGE_BYTES_MAX];
    assert_eq!(fields.encode(&mut out), Ok(ADD.len()));
    assert_eq!(&out[..ADD.len()], ADD);
    let header = itch::Message::AddOrder(add).header();
    assert_eq!((header.stock_locate, header.tracking_number), (0x20bd, 7));
    assert_eq!(header.timestamp, 0x1f1a_cedb_597b);
}

#[test]
fn enter_order_reads_as_published() {
    let Ok(Inbound::EnterOrder(enter)) = Inbound::parse(ENTER) else {
        panic!("not an enter order");
    };
    let fields = ouch::inbound::fields::EnterOrder {
        user_ref: 9,
        side: b'B',
        quantity: 256,
        symbol: padded("CVLT"),
        price: 774_058,
        time_in_force: b'0',
        display: b'Y',
        capacity: b'P',
        intermarket_sweep: b'N',
        cross_type: b'N',
        client_id: *b"order-00000001",
    };
    assert_eq!(enter.fields(), fields);
    assert!(enter.tags().eq([Tag::Firm(*b"LIME")]));
    let mut out = [0; 64];
    assert_eq!(
        fields.encode_with([Tag::Firm(*b"LIME")], &mut out),
        Ok(ENTER.len())
    );
    assert_eq!(&out[..ENTER.len()], ENTER);
}

#[test]
fn canceled_reads_as_published() {
    let bytes = b"C\0\0\x1f\x1a\xce\xdb\x59\x7b\0\0\0\x09\0\0\0\x64U";
    let Ok(Outbound::Canceled(canceled)) = Outbound::parse(bytes) else {
        panic!("not a canceled");
    };
    assert_eq!(canceled.timestamp(), 0x1f1a_cedb_597b);
    assert_eq!((canceled.user_ref(), canceled.quantity()), (9, 100));
    assert_eq!(canceled.reason(), b'U');
}

#[test]
fn a_peg_offset_may_be_negative() {
    let mut tags = Tags::parse(b"\x05\x07\xff\xff\xff\x9c").unwrap();
    assert_eq!(tags.next(), Some(Tag::PegOffset(-100)));
    assert_eq!(tags.next(), None);
}

#[test]
fn bad_elements_are_errors_with_their_place() {
    let fault = |fault, kind, offset, expected, found| Error {
        protocol: "OUCH 5.0 appendage",
        fault,
        kind,
        offset,
        expected,
        found,
    };
    let cases = [
        (&b"\x02\x0cY\x00"[..], fault(Fault::ZeroLength, 0, 3, 1, 0)),
        (b"\x02\x0cY\x05\x02LIM", fault(Fault::Truncated, 2, 3, 5, 4)),
        (b"\x04\x02LIM", fault(Fault::Tag, 2, 0, 4, 3)),
        (b"\x01", fault(Fault::Truncated, 0, 0, 1, 0)),
    ];
    for (bytes, error) in cases {
        assert_eq!(Tags::parse(bytes), Err(error), "{bytes:?}");
    }
}

#[test]
fn an_element_fault_is_placed_within_its_message() {
    let mut bytes = ENTER.to_vec();
    bytes[47] = 4;
    bytes[46] = 5;
    bytes.pop();
    let error = Inbound::parse(&bytes).unwrap_err();
    assert_eq!((error.fault, error.kind, error.offset), (Fault::Tag, 2, 47));
}

#[test]
fn an_appendage_of_another_length_is_refused() {
    for length in [5, 7] {
        let mut bytes = ENTER.to_vec();
        bytes[46] = length;
        let error = Inbound::parse(&bytes).unwrap_err();
        assert_eq!((error.fault, error.kind), (Fault::Length, b'O'));
        let expected = 47 + usize::from(length);
        assert_eq!((error.expected, error.found), (expected, ENTER.len()));
    }
}

#[test]
fn elements_beyond_the_appendage_length_are_refused() {
    let order = ouch::inbound::fields::ReplaceOrder::default();
    let value = [0; 254];
    let long = |count| {
        (0..count).map(|_| Tag::Unknown {
            tag: 200,
            value: &value,
        })
    };
    let mut out = vec![0; 70_000];
    assert_eq!(order.encode_with(long(255), &mut out), Ok(40 + 255 * 256));
    let error = order.encode_with(long(256), &mut out).unwrap_err();
    assert_eq!((error.fault, error.found), (Fault::TooLong, 65_536));
    let value = [0; 255];
    let error = order.encode_with(
        [Tag::Unknown {
            tag: 200,
            value: &value,
        }],
        &mut out,
    );
    assert_eq!(error.unwrap_err().fault, Fault::TooLong);
}

#[test]
fn text_is_padded_cut_and_trimmed() {
    assert_eq!(padded::<8>("AAPL"), *b"AAPL    ");
    assert_eq!(padded::<4>("ABCDE"), *b"ABCD");
    assert_eq!(trimmed(b"  1 2  "), b"1 2");
    assert_eq!(trimmed(b"   "), b"");
}

#[test]
fn errors_name_type_place_and_lengths() {
    let error = itch::Message::parse(&ADD[..35]).unwrap_err().at(1_000);
    assert_eq!(
        error.to_string(),
        "ITCH 5.0: wrong length for this type, type 'A' (0x41), at offset 1000: \
         expected 36, found 35"
    );
}
