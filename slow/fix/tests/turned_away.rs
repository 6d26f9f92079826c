//! What a venue refuses outside its stream of replies is reported, and may be asked for again.
#![allow(clippy::unwrap_used)]

mod pieces;

use fix::message::Message;
use fix::moment;
use fix::numbers::{Asked, Numbers};
use fix::orders::{Orders, Unanswered};
use fix::requests::{Request, read};
use pieces::{accepted, frame_of};
use wire::ouch::Outbound;
use wire::ouch::outbound::fields::{CancelReject, Canceled, Rejected};

/// Too many messages.
const RATE_LIMIT: u16 = 0x8023;

/// What is reported of a refusal of this number.
fn refused(orders: &mut Orders, user_ref: u32, client_id: [u8; 14]) -> (&'static str, String) {
    let refused = Rejected {
        timestamp: 1,
        user_ref,
        reason: RATE_LIMIT,
        client_id,
    };
    let mut bytes = [0; 64];
    let length = refused.encode(&mut bytes).unwrap();
    let told = Outbound::parse(&bytes[..length]).unwrap();
    let report = orders.turned_away(&told, "now").unwrap();
    (report.kind, format!("{:?}", report.body))
}

fn has(body: &str, fields: &[&str]) {
    for field in fields {
        assert!(body.contains(&format!("\\u{{1}}{field}\\u{{1}}")), "{body}");
    }
}

#[test]
fn an_order_is_reported_as_rejected() {
    let mut orders = Orders::new(0, Vec::new());
    let asked = Unanswered {
        number: 7,
        id: "mine".to_owned(),
        symbol: "AAPL".to_owned(),
        side: '2',
        quantity: 10,
    };
    orders.sent(3, asked);
    assert_eq!(
        (orders.unanswered(), orders.is_known("mine")),
        (Some(7), true)
    );
    let (kind, body) = refused(&mut orders, 3, *b"mine          ");
    assert_eq!(kind, "8");
    has(
        &body,
        &[
            "11=mine",
            "150=8",
            "39=8",
            "55=AAPL",
            "54=2",
            "58=RateLimit",
        ],
    );
    assert_eq!(
        (orders.unanswered(), orders.is_known("mine")),
        (None, false)
    );
}

#[test]
fn replacements_cancels_and_mass_cancels_are_rejected_and_the_order_stays() {
    let mut orders = Orders::new(0, Vec::new());
    let mut bytes = [0; 128];
    let length = accepted(1, 10, *b"mine          ")
        .encode(&mut bytes)
        .unwrap();
    orders.replied(1, &Outbound::parse(&bytes[..length]).unwrap());

    orders.asked(Asked::Replace(2, 1));
    let (kind, body) = refused(&mut orders, 2, *b"other         ");
    assert_eq!(kind, "9");
    has(
        &body,
        &[
            "11=other",
            "41=mine",
            "39=0",
            "434=2",
            "102=99",
            "58=RateLimit",
        ],
    );

    orders.asked(Asked::Mass(3, '7', "all".to_owned()));
    assert!(orders.is_mass_known("all"));
    let (kind, body) = refused(&mut orders, 3, [b' '; 14]);
    assert_eq!(kind, "r");
    has(&body, &["11=all", "531=0", "58=RateLimit"]);
    assert!(!orders.is_mass_known("all"));

    for id in ["first", "second"] {
        orders.asked(Asked::Cancel(1, id.to_owned()));
    }
    let told = CancelReject {
        timestamp: 1,
        user_ref: 1,
    };
    let length = told.encode(&mut bytes).unwrap();
    let told = Outbound::parse(&bytes[..length]).unwrap();
    let report = orders.turned_away(&told, "now").unwrap();
    assert_eq!(report.kind, "9");
    has(
        &format!("{:?}", report.body),
        &["11=second", "41=mine", "39=0", "434=1", "102=99"],
    );
    assert!(orders.is_cancel_known("first") && !orders.is_cancel_known("second"));
    assert!(orders.find("mine").unwrap().1.status.is_live());
}

/// A gateway that starts again, with what it wrote down, and the member's order that rests.
fn reread(asked: &[Asked]) -> Orders {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("numbers");
    let mut numbers = Numbers::open(&path).unwrap();
    asked.iter().for_each(|asked| numbers.ask(asked));
    numbers.flush().unwrap();
    let mut orders = Orders::new(0, Numbers::open(&path).unwrap().take_asked());
    let mut bytes = [0; 128];
    let length = accepted(1, 10, *b"mine          ")
        .encode(&mut bytes)
        .unwrap();
    orders.replied(1, &Outbound::parse(&bytes[..length]).unwrap());
    orders
}

#[test]
fn a_cancel_that_was_refused_gives_a_later_one_no_name_in_another_process_either() {
    let [first, second] = ["first", "second"].map(|id| Asked::Cancel(1, id.to_owned()));
    let mut orders = reread(&[first, Asked::Refused(1), second]);
    assert!(!orders.is_cancel_known("first") && orders.is_cancel_known("second"));
    let canceled = Canceled {
        timestamp: 1,
        user_ref: 1,
        quantity: 10,
        reason: b'U',
    };
    let mut bytes = [0; 64];
    let length = canceled.encode(&mut bytes).unwrap();
    let told = Outbound::parse(&bytes[..length]).unwrap();
    let report = orders.replied(2, &told).unwrap();
    assert_eq!(report.kind, "8");
    has(
        &format!("{:?}", report.body),
        &["11=second", "41=mine", "150=4"],
    );
}

#[test]
fn a_cancel_that_comes_again_goes_to_the_venue_again_as_it_may_have_been_lost() {
    const NOW: u64 = 1_700_000_000_000_000_000;
    let ask = |id: &str, orders: &Orders| {
        let time = moment::text(NOW);
        let fields = format!("11={id}|41=mine|55=AAPL|54=1|97=Y|60={time}|");
        read(&Message::read(frame_of("F", 1, &fields, NOW)), orders, NOW).unwrap()
    };
    let orders = reread(&[Asked::Cancel(1, "first".to_owned())]);
    assert_eq!(ask("first", &orders), Request::CancelAgain(1));
    let other = Request::Cancel(1, "other".to_owned());
    assert_eq!(ask("other", &orders), other);
}
