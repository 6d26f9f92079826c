//! More replies than memory holds: orders that leave all at once, and members that do not read,
//! stop nobody, and nobody misses a reply.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{Deaf, Member, Site, Venue, counter, program, wait_until};

/// Orders that rest: their acceptances and cancellations are more replies than a mebibyte holds.
const ORDERS: usize = 12_000;

fn site(user: &str) -> Site {
    Site::new()
        .with("reply_mib = 4", "reply_mib = 1")
        .with("orders = 4096", "orders = 20000")
        .with("account = 1", &format!("account = 1\n{user}"))
}

fn with_shadow(site: Site) -> Site {
    site.with("[limits]", "[shadow]\n\n[limits]")
}

/// ALPHA's orders rest.
fn resting(venue: &Venue) -> Member {
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.enter_many(ORDERS, b'B', (1, "MSFT", 10_000));
    alpha
}

fn kill(site: &Site) {
    let topology = site.dir.path().join("topology.toml");
    let topology = topology.to_str().unwrap();
    program(&["control", "--topology", topology, "kill", "user", "ALPHA"]).succeeds();
}

/// Waits until no order rests, and sees that another member still trades.
fn all_left(site: &Site, venue: &Venue) {
    wait_until("the orders' end", || {
        counter(site, "engine.live_orders") == 0
    });
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    bravo.enter(b'B', 1, "AAPL", 10_000);
    bravo.until_kinds("SA");
}

/// ALPHA reads its day, now and after a restart.
fn all_is_told(site: &Site, venue: Venue) {
    let mut back = Member::login(venue.order_entry(), "ALPHA");
    back.until("the day's replies", |it| it.replies.len() == 1 + 2 * ORDERS);
    let due = ["S", &"A".repeat(ORDERS), &"C".repeat(ORDERS)].concat();
    assert!(back.kinds() == due);
    assert_eq!(counter(site, "gate.unreadable"), 0);
    venue.kill();
    site.start_and_compare(&back.replies);
}

#[test]
fn a_kill_under_a_member_that_never_reads_stops_nobody() {
    let site = with_shadow(site("")).with("reply_mib", "backlog_kib = 4\nreply_mib");
    let venue = site.start();
    resting(&venue);
    let _deaf = Deaf::login(venue.order_entry());
    kill(&site);
    all_left(&site, &venue);
    all_is_told(&site, venue);
}

#[test]
fn orders_that_leave_with_their_connection_stop_nobody() {
    let site = with_shadow(site("cancel_on_disconnect_ms = 0"));
    let venue = site.start();
    drop(resting(&venue));
    all_left(&site, &venue);
    all_is_told(&site, venue);
}

#[test]
fn without_a_shadow_what_gave_way_is_gone_and_the_venue_goes_on() {
    let site = site("");
    let venue = site.start();
    let mut alpha = resting(&venue);
    kill(&site);
    all_left(&site, &venue);
    alpha.until("what it reads in time", |it| {
        it.is_closed || it.replies.len() == 1 + 2 * ORDERS
    });
    Member::dial(venue.order_entry(), "ALPHA", "alpha").until_closed();
    venue.kill();
    let venue = site.start();
    Member::login(venue.order_entry(), "BRAVO").until_kinds("SA");
    venue.stop();
}
