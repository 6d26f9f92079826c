//! Trades that the venue took back, as FIX tells of them.
#![allow(clippy::unwrap_used)]

mod pieces;

use fix::orders::Orders;
use pieces::{accepted, replaced};
use wire::ouch::Outbound;
use wire::ouch::outbound::fields::{BrokenTrade, Executed};

/// A member's orders, and the number of the last reply.
struct Day {
    orders: Orders,
    replies: u64,
}

impl Day {
    fn new() -> Self {
        Self {
            orders: Orders::new(0, Vec::new()),
            replies: 0,
        }
    }

    /// Takes a reply; gives the fields of its report that tell how the order stands.
    fn take(&mut self, bytes: &[u8]) -> Option<String> {
        self.replies += 1;
        let report = self
            .orders
            .replied(self.replies, &Outbound::parse(bytes).unwrap())?;
        let sent = format!("{:?}", report.body).replace("\\u{1}", "|");
        let field = |tag: &str| {
            let (_, rest) = sent.split_once(&format!("|{tag}="))?;
            Some(format!("{tag}={} ", rest.split_once('|')?.0))
        };
        let tags = ["150", "39", "11", "14", "151", "6", "19", "32", "31", "527"];
        Some(tags.iter().filter_map(|tag| field(tag)).collect())
    }

    fn accepted(&mut self, user_ref: u32, quantity: u32) {
        let order = accepted(user_ref, quantity, *b"mine          ");
        let mut bytes = [0; 128];
        let length = order.encode(&mut bytes).unwrap();
        self.take(&bytes[..length]);
    }

    fn replaced(&mut self, old_user_ref: u32, user_ref: u32, quantity: u32) {
        let order = replaced(old_user_ref, user_ref, quantity, *b"another       ");
        let mut bytes = [0; 128];
        let length = order.encode(&mut bytes).unwrap();
        self.take(&bytes[..length]);
    }

    fn executed(&mut self, user_ref: u32, quantity: u32, price: u64, match_number: u64) -> String {
        let trade = Executed {
            timestamp: 1,
            user_ref,
            quantity,
            price,
            liquidity: b'A',
            match_number,
        };
        let mut bytes = [0; 64];
        let length = trade.encode(&mut bytes).unwrap();
        self.take(&bytes[..length]).unwrap()
    }

    fn broken(&mut self, user_ref: u32, match_number: u64) -> Option<String> {
        let trade = BrokenTrade {
            timestamp: 1,
            user_ref,
            match_number,
            reason: b'E',
            client_id: *b"mine          ",
        };
        let mut bytes = [0; 64];
        let length = trade.encode(&mut bytes).unwrap();
        self.take(&bytes[..length])
    }
}

#[test]
fn a_broken_trade_is_cancelled_by_name_and_counts_no_more() {
    let mut day = Day::new();
    day.accepted(1, 30);
    day.executed(1, 10, 1_000_000, 7);
    day.executed(1, 10, 900_000, 8);
    assert_eq!(
        day.broken(1, 8).unwrap(),
        "150=H 39=1 11=mine 14=10 151=10 6=100.000000 19=3 32=10 31=90.00 527=8 "
    );
    assert_eq!(
        day.broken(1, 7).unwrap(),
        "150=H 39=0 11=mine 14=0 151=10 6=0.000000 19=2 32=10 31=100.00 527=7 "
    );
    // Once only, and no trade that the order never had.
    assert_eq!(day.broken(1, 7), None);
    assert_eq!(day.broken(1, 9), None);
}

#[test]
fn a_filled_order_does_not_come_back() {
    let mut day = Day::new();
    day.accepted(1, 10);
    day.executed(1, 10, 1_000_000, 7);
    assert_eq!(
        day.broken(1, 7).unwrap(),
        "150=H 39=4 11=mine 14=0 151=0 6=0.000000 19=2 32=10 31=100.00 527=7 "
    );
}

#[test]
fn an_order_that_replaced_another_loses_the_trades_of_that_too() {
    let mut day = Day::new();
    day.accepted(1, 30);
    day.executed(1, 10, 1_000_000, 7);
    day.replaced(1, 2, 20);
    let told = day.broken(1, 7).unwrap();
    assert!(told.starts_with("150=H 39=5 11=mine 14=0 151=0 "), "{told}");
    let told = day.executed(2, 5, 1_000_000, 8);
    assert!(
        told.starts_with("150=F 39=1 11=another 14=5 151=15 "),
        "{told}"
    );
}
