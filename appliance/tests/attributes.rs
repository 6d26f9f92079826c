//! Order attributes from the wire to the wire, as OUCH's optional elements ask for them.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{Member, Site};
use wire::ouch::{Outbound, Tag};

/// The reject code of an order that would have traded.
const WOULD_TRADE: u16 = 0x8000 + 17;

/// The quantities of the executions that a member heard of.
fn executed(member: &Member) -> Vec<u32> {
    let mut quantities = Vec::new();
    for reply in &member.replies {
        if let Ok(Outbound::Executed(execution)) = Outbound::parse(reply) {
            quantities.push(execution.quantity());
        }
    }
    quantities
}

#[test]
fn an_iceberg_shows_itself_piece_by_piece_and_keeps_doing_so_after_a_crash() {
    let site = Site::new();
    let venue = site.start();
    let mut seller = Member::login(venue.order_entry(), "ALPHA");
    seller.enter_with(b'S', (300, "AAPL", 1_000_000), &[Tag::MaxFloor(100)]);
    seller.until_kinds("SA");
    let mut buyer = Member::login(venue.order_entry(), "BRAVO");
    buyer.enter(b'B', 150, "AAPL", 1_000_000);
    buyer.until_kinds("SAEE");
    seller.until_kinds("SAERE");
    assert_eq!(executed(&seller), [100, 50]);
    venue.kill();

    let venue = site.start();
    let mut seller = Member::login(venue.order_entry(), "ALPHA");
    seller.until_kinds("SAERE");
    let mut buyer = Member::login(venue.order_entry(), "BRAVO");
    buyer.until_kinds("SAEE");
    buyer.user_ref_next_set(2);
    buyer.enter(b'B', 150, "AAPL", 1_000_000);
    buyer.until_kinds("SAEEAEE");
    assert_eq!(executed(&buyer), [100, 50, 50, 100]);
    seller.until_kinds("SAEREERE");
    assert_eq!(venue.stop()["live_orders"], "0");
}

#[test]
fn a_post_only_order_that_would_trade_is_refused_or_slides() {
    let site = Site::new();
    let venue = site.start();
    let mut seller = Member::login(venue.order_entry(), "ALPHA");
    seller.enter(b'S', 100, "AAPL", 1_000_000);
    seller.until_kinds("SA");
    let mut buyer = Member::login(venue.order_entry(), "BRAVO");
    buyer.enter_with(b'B', (100, "AAPL", 1_000_000), &[Tag::PostOnly(b'P')]);
    buyer.until_kinds("SJ");
    assert_eq!(buyer.reject_code(), Some(WOULD_TRADE));
    buyer.enter_with(b'B', (100, "AAPL", 1_000_000), &[Tag::PostOnly(b'S')]);
    buyer.until_kinds("SJA");
    let Ok(Outbound::Accepted(accepted)) = Outbound::parse(&buyer.replies[2]) else {
        panic!("no Accepted");
    };
    assert_eq!(accepted.price(), 999_999);
    assert_eq!(venue.stop()["live_orders"], "2");
}

#[test]
fn members_of_one_account_do_not_trade_with_one_another_when_they_say_so() {
    let site = Site::new().with("account = 2", "account = 1\nself_trade = \"cancel-newest\"");
    let venue = site.start();
    let mut seller = Member::login(venue.order_entry(), "ALPHA");
    seller.enter(b'S', 100, "AAPL", 1_000_000);
    seller.until_kinds("SA");
    let mut buyer = Member::login(venue.order_entry(), "BRAVO");
    buyer.enter(b'B', 100, "AAPL", 1_000_000);
    buyer.until_kinds("SAC");
    let Ok(Outbound::Canceled(canceled)) = Outbound::parse(&buyer.replies[2]) else {
        panic!("no Canceled");
    };
    assert_eq!((canceled.quantity(), canceled.reason()), (100, b'Q'));
    assert_eq!(venue.stop()["live_orders"], "1");
}
