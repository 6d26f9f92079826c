//! What went wrong at exchanges, as far as a whole venue can show it; `docs/sessions.md` lists the
//! others, which the engine and the journal show.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{Member, Site, counter, program, wait_until};
use session::soup_client::ClientState;
use std::process::Command;

/// The symbol that is halted, by an operator's word; whether it was said.
fn halt(site: &Site) {
    let topology = site.dir.path().join("topology.toml");
    let topology = topology.to_str().unwrap();
    program(&["control", "--topology", topology, "state", "AAPL", "halt"]).succeeds();
}

/// NYSE, 24 January 2023: a second site was left running, the first one believed that the day had
/// been opened, and thousands of symbols skipped their auction.
///
/// A copy of the day that is started beside the venue gets nobody to listen to: the address is
/// taken, and the program gives up after ten seconds of waiting for it. And what state a symbol is
/// in is what the journal says, also for who starts on it.
#[test]
fn two_primaries() {
    let site = Site::new();
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    alpha.until_kinds("SA");

    // A copy of what was there until now, at the same address.
    let at = format!("[order_entry]\naddress = \"{}\"", venue.order_entry());
    let other = Site::new().with("[order_entry]\naddress = \"127.0.0.1:0\"", &at);
    let copied = Command::new("cp")
        .arg("-a")
        .args([site.data_dir(), other.data_dir()])
        .status();
    assert!(copied.unwrap().success());
    let mut second = other.spawn(&[]);
    assert_eq!(second.line(), None, "two venues at one address");
    assert!(!second.wait().success());
    let said = second.stderr();
    assert!(said.contains("in use"), "{said}");

    // The first one has gone on and notices nothing.
    halt(&site);
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    alpha.until_kinds("SAJ");
    venue.kill();
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.until_kinds("SAJ");
    alpha.user_ref_next_set(9);
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    alpha.until("the refusal", |alpha| alpha.replies.len() == 4);
    assert_eq!(alpha.kinds(), "SAJJ", "the halt is in the journal");
    venue.stop();
}

/// Tokyo, 1 October 2020: a part failed without falling silent for good, and what should have taken
/// over did not.
///
/// A venue that is frozen says nothing: members take it for dead by its silence. When it goes on,
/// what reached it is executed, once, and who comes back reads all of it.
#[test]
fn gray() {
    let site = Site::new();
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    alpha.until_kinds("S");
    bravo.until_kinds("S");

    venue.signal("STOP");
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    bravo.enter(b'B', 10, "AAPL", 1_000_000);
    for _ in 0..4 {
        alpha.turn();
        bravo.turn();
    }
    assert_eq!((alpha.kinds(), bravo.kinds()), ("S".into(), "S".into()));
    assert_eq!(bravo.soup.poll(u64::MAX), ClientState::Silent);

    venue.signal("CONT");
    alpha.until("the trade", |alpha| alpha.replies.len() == 3);
    wait_until("both orders", || counter(&site, "gate.commands") == 2);
    bravo.redial(venue.order_entry(), [usize::MAX; 2]);
    bravo.until("the trade", |bravo| bravo.replies.len() == 3);
    let told = [alpha.kinds(), bravo.kinds()];
    assert!(told.iter().all(|kinds| kinds == "SAE"), "{told:?}");
    assert_eq!(venue.stop()["live_orders"], "0");
}
