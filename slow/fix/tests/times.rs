//! The times that a venue says, in the reports.
#![allow(clippy::unwrap_used)]

mod pieces;

use fix::moment;
use fix::orders::Orders;
use pieces::accepted;
use wire::ouch::Outbound;
use wire::ouch::outbound::fields::Accepted;

const HOUR_NS: u64 = 3_600_000_000_000;

/// What the report of an order accepted then says of the time, which is tag 60.
fn told(orders: &mut Orders, reply: u64, timestamp: u64) -> String {
    let order = Accepted {
        timestamp,
        ..accepted(1, 100, *b"mine          ")
    };
    let mut bytes = [0; 128];
    let length = order.encode(&mut bytes).unwrap();
    let message = Outbound::parse(&bytes[..length]).unwrap();
    let body = orders.replied(reply, &message).unwrap().body;
    let fields = body.as_str().split('\x01');
    let mut times = fields.filter_map(|field| field.strip_prefix("60="));
    times.next().unwrap().into()
}

#[test]
fn the_day_ends_when_the_clock_goes_back() {
    let mut orders = Orders::new(0, Vec::new());
    assert_eq!(
        told(&mut orders, 1, 23 * HOUR_NS),
        moment::text(23 * HOUR_NS)
    );
    assert_eq!(told(&mut orders, 2, HOUR_NS), moment::text(25 * HOUR_NS));
    // A little back is no midnight.
    let before = HOUR_NS - 1_000_000;
    let after = moment::text(24 * HOUR_NS + before);
    assert_eq!(told(&mut orders, 3, before), after);
}

#[test]
fn a_time_beyond_the_day_is_its_last_moment() {
    let last = moment::text(24 * HOUR_NS - 1);
    for beyond in [24 * HOUR_NS, u64::MAX / 2, u64::MAX] {
        let mut orders = Orders::new(0, Vec::new());
        assert_eq!(told(&mut orders, 1, beyond), last);
    }
    let mut orders = Orders::new(u64::MAX - 1, Vec::new());
    for reply in 0..4 {
        // Midnights after midnights, at the end of what a number holds.
        let time_ns = if reply % 2 == 0 { u64::MAX } else { 0 };
        assert!(!told(&mut orders, reply + 1, time_ns).is_empty());
    }
}
