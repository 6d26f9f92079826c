//! An operator's words to a running venue: heard, obeyed, answered, or refused with a reason.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{Ended, Member, Site, counter, program, wait_until};

/// A site and the operator's command for it.
fn operator(site: &Site) -> impl Fn(&str) -> Ended {
    let topology = site.dir.path().join("topology.toml");
    let topology = topology.to_str().unwrap().to_owned();
    move |words| {
        let head = ["control", "--topology", &topology].into_iter();
        program(&head.chain(words.split(' ')).collect::<Vec<_>>())
    }
}

fn says(ended: &Ended, text: &str) {
    ended.succeeds();
    assert_eq!(ended.out.trim_end(), text);
}

#[test]
fn orders_leave_by_an_operators_word_and_their_members_are_told() {
    let site = Site::new();
    let venue = site.start();
    let control = operator(&site);
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    for price in [1_000_000, 1_000_100, 1_000_200] {
        alpha.enter(b'S', 10, "AAPL", price);
    }
    bravo.enter(b'B', 10, "AAPL", 900_000);
    alpha.until_kinds("SAAA");
    bravo.until_kinds("SA");
    let cancels = control("mass-cancel symbol AAPL side sell prices 1000100 1000200");
    says(&cancels, "2 orders cancelled");
    alpha.until_kinds("SAAACC");
    says(&control("kill user bravo"), "killed, 1 order cancelled");
    bravo.until_kinds("SAC");
    bravo.enter(b'B', 10, "AAPL", 900_000);
    bravo.until_kinds("SACJ");
    assert_eq!(bravo.reject_code(), Some(0x8000 + 27));
    // The switch is in the journal.
    venue.kill();
    let venue = site.start();
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    bravo.until_kinds("SACJ");
    bravo.user_ref_next_set(2);
    bravo.enter(b'B', 10, "AAPL", 900_000);
    bravo.until_kinds("SACJJ");
    says(&control("revive user BRAVO"), "revived");
    bravo.enter(b'B', 10, "AAPL", 900_000);
    bravo.until_kinds("SACJJA");
    says(&control("allocation AAPL split 40"), "set");
    assert_eq!(venue.stop()["live_orders"], "2");
}

#[test]
fn an_operator_is_told_what_is_wrong() {
    let site = Site::new();
    let venue = site.start();
    let control = operator(&site);
    let split = control("allocation AAPL split 101");
    split.refuses(1, &["the engine refused it", "outside its range"]);
    // It is counted, and in the journal: two symbols, two sessions, the opening, three pieces of
    // the word's letters, and the word.
    wait_until("the journal", || counter(&site, "journal.durable") == 9);
    wait_until("the count", || counter(&site, "engine.refused") == 1);
    let limit = control("limit 1 order_units 5");
    limit.refuses(1, &["the engine refused it", "[risk.ACCOUNT]"]);
    control("state NONE halt").refuses(1, &["\"NONE\" is no symbol"]);
    control("lift the gates").refuses(1, &["\"lift\" is no word", "mass-cancel"]);
    venue.stop();
    control("kill all").refuses(1, &["is the venue running?"]);
}
