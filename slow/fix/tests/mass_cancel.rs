//! OrderMassCancelRequest for an account: one request to the venue, and one answer.
#![allow(clippy::unwrap_used)]

mod pieces;

use fix::message::Message;
use fix::moment;
use fix::numbers::{Asked, Numbers};
use fix::orders::Orders;
use fix::requests::{Request, read};
use pieces::frame_of;
use wire::ouch::outbound::fields::{MassCancelResponse, Rejected};
use wire::ouch::{Outbound, Tag};

const NOW: u64 = 1_700_000_000_000_000_000;

fn asked(fields: &str, orders: &Orders) -> Result<Request, fix::message::Fault> {
    let fields = format!("11=every|{fields}60={}|", moment::text(NOW));
    read(&Message::read(frame_of("q", 1, &fields, NOW)), orders, NOW)
}

fn none() -> Orders {
    Orders::new(0, Vec::new())
}

#[test]
fn a_request_that_names_an_account_is_the_venues() {
    let (all, of) = ([b' '; 8], *b"AAPL    ");
    let account = Tag::Account(7);
    for (fields, scope, symbol, tags) in [
        ("530=7|1=7|", '7', all, vec![account]),
        ("530=1|55=AAPL|1=7|", '1', of, vec![account]),
        ("530=7|1=7|54=1|", '7', all, vec![account, Tag::Side(b'B')]),
        ("530=7|1=7|54=5|", '7', all, vec![account, Tag::Side(b'S')]),
    ] {
        let expected = Request::Mass(scope, "every".into(), symbol, tags);
        assert_eq!(asked(fields, &none()).unwrap(), expected, "{fields}");
    }
    for account in ["530=7|1=DESK|", "530=7|1=4294967296|"] {
        assert_eq!(asked(account, &none()).unwrap_err().tag, Some(1));
    }
    let without = asked("530=7|", &none()).unwrap();
    assert!(matches!(without, Request::CancelAll(..)), "{without:?}");
}

/// Orders that know of a mass cancel as a restarted gateway does: from the file.
fn reread() -> Orders {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("numbers");
    let mut numbers = Numbers::open(&path).unwrap();
    numbers.ask(&Asked::Mass(9, '7', "every".into()));
    numbers.flush().unwrap();
    Orders::new(0, Numbers::open(&path).unwrap().take_asked())
}

#[test]
fn the_answer_is_told_by_the_requests_name_also_by_another_process() {
    let answer = MassCancelResponse {
        timestamp: 1,
        user_ref: 9,
        firm: *b"ALPH",
        symbol: [b' '; 8],
    };
    let refused = Rejected {
        timestamp: 1,
        user_ref: 9,
        reason: 0x802D,
        client_id: [b' '; 14],
    };
    let mut bytes = [0; 128];
    let length = answer.encode_with([Tag::Orders(3)], &mut bytes).unwrap();
    let mut other = [0; 128];
    let other_length = refused.encode(&mut other).unwrap();
    for (message, pieces) in [
        (&bytes[..length], ["11=every", "530=7", "531=7", "533=3"]),
        (
            &other[..other_length],
            ["11=every", "530=7", "531=0", "532=99"],
        ),
    ] {
        let report = reread().replied(5, &Outbound::parse(message).unwrap());
        let report = report.unwrap();
        assert_eq!((report.kind, report.is_kept), ("r", true));
        for piece in pieces {
            let fields: Vec<&str> = report.body.as_str().split('\x01').collect();
            assert!(fields.contains(&piece), "no {piece} in {fields:?}");
        }
    }
}

#[test]
fn a_possible_duplicate_is_asked_for_once_unless_it_was_lost() {
    let mut orders = reread();
    let again = "530=7|1=7|97=Y|";
    assert_eq!(asked(again, &orders).unwrap(), Request::Known);
    // The venue took the number.
    orders.lost_from(10);
    assert_eq!(asked(again, &orders).unwrap(), Request::Known);
    orders.lost_from(9);
    let lost = asked(again, &orders).unwrap();
    assert!(matches!(lost, Request::Mass(..)), "{lost:?}");
}
