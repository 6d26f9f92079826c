//! Account (1): asked for with an order, and told of orders that are not of the first account.
#![allow(clippy::unwrap_used)]

mod pieces;

use fix::message::Message;
use fix::moment;
use fix::orders::Orders;
use fix::requests::{Request, read};
use pieces::{accepted, frame_of, replaced};
use wire::ouch::outbound::fields::Replaced;
use wire::ouch::{Outbound, Tag};

const NOW: u64 = 1_700_000_000_000_000_000;

fn asked(account: &str) -> Result<Request, fix::message::Fault> {
    let fields = format!(
        "11=mine|{account}55=AAPL|54=1|38=10|40=2|44=1.00|60={}|",
        moment::text(NOW)
    );
    let frame = frame_of("D", 1, &fields, NOW);
    read(&Message::read(frame), &Orders::new(0, Vec::new()), NOW)
}

#[test]
fn an_order_names_its_account() {
    for (account, expected) in [("", vec![]), ("1=7|", vec![Tag::Account(7)])] {
        let Ok(Request::Enter(_, tags)) = asked(account) else {
            panic!("no order");
        };
        assert_eq!(tags, expected);
    }
    for account in ["1=DESK|", "1=4294967296|"] {
        assert_eq!(asked(account).unwrap_err().tag, Some(1), "{account}");
    }
}

#[test]
fn reports_name_an_account_that_is_not_the_first() {
    let accepted = accepted(1, 10, *b"mine          ");
    let replaced = Replaced {
        timestamp: 2,
        ..replaced(1, 2, 10, *b"other         ")
    };
    for tags in [&[][..], &[Tag::Account(7)]] {
        let mut orders = Orders::new(0, Vec::new());
        let mut bytes = [0; 128];
        let length = accepted.encode_with(tags.iter().copied(), &mut bytes);
        let first = Outbound::parse(&bytes[..length.unwrap()]).unwrap();
        let first = orders.replied(1, &first).unwrap();
        let mut bytes = [0; 128];
        let length = replaced.encode_with(tags.iter().copied(), &mut bytes);
        let second = Outbound::parse(&bytes[..length.unwrap()]).unwrap();
        let second = orders.replied(2, &second).unwrap();
        for report in [first, second] {
            let sent = format!("{:?}", report.body);
            assert_eq!(sent.contains("\\u{1}1=7\\u{1}"), !tags.is_empty(), "{sent}");
        }
    }
}
