//! A trade is taken back: by the operator's words, once, and for good.
#![allow(clippy::unwrap_used)]

mod harness;

use appliance::client::subscriber::Subscriber;
use harness::{Ended, Member, Site, Venue, counter, program, receiver_ports, wait_until};
use nic::{Clock, RealClock, UdpPort};
use wire::itch::Message;
use wire::ouch::Outbound;

const RISK: &str = "[risk.1]\nposition_units = 50\n\n[limits]";

fn act(site: &Site, words: &str) -> Ended {
    let topology = site.dir.path().join("topology.toml");
    let topology = topology.to_str().unwrap();
    let head = [
        "admin",
        "act",
        "--topology",
        topology,
        "--why",
        "a wrong price",
    ];
    program(&head.into_iter().chain(words.split(' ')).collect::<Vec<_>>())
}

fn member(venue: &Venue, name: &str) -> Member {
    Member::login(venue.order_entry(), name)
}

/// Match number and reason of the last reply, which says that a trade is broken.
fn broken(member: &Member) -> (u64, u8) {
    match Outbound::parse(member.replies.last().unwrap()).unwrap() {
        Outbound::BrokenTrade(it) => (it.match_number(), it.reason()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_trade_is_taken_back_once_and_that_outlives_the_venue() {
    let site = Site::new().with("[limits]", RISK);
    let venue = site.start();
    let (mut alpha, mut bravo) = (member(&venue, "ALPHA"), member(&venue, "BRAVO"));
    alpha.enter(b'B', 20, "AAPL", 1_000_000);
    alpha.enter(b'B', 30, "MSFT", 500_000);
    alpha.until_kinds("SAA");
    bravo.enter(b'S', 20, "AAPL", 1_000_000);
    bravo.enter(b'S', 30, "MSFT", 500_000);
    alpha.until_kinds("SAAEE");
    alpha.enter(b'B', 31, "AAPL", 1_000_000);
    alpha.until_kinds("SAAEEJ");
    act(&site, "bust AAPL 3 consent").refuses(2, &["no trade of today's has the match number 3"]);
    act(&site, "bust AAPL 2 consent").refuses(2, &["match 2 was a trade of MSFT"]);
    act(&site, "bust AAPL 1 anger").refuses(2, &["say one of erroneous, consent"]);
    let done = act(&site, "bust AAPL 1 erroneous");
    done.succeeds();
    let told = "AAPL: match 1 of 20 units at 100.0000 is broken";
    assert_eq!(done.out.trim_end(), told);
    act(&site, "bust AAPL 1 consent").refuses(2, &["broken already"]);
    // The position is what it was before.
    alpha.enter(b'B', 50, "AAPL", 1_000_000);
    alpha.until_kinds("SAAEEJBA");
    bravo.until_kinds("SAEAEB");
    assert_eq!(broken(&bravo), (1, b'E'));
    venue.kill();

    let venue = site.start();
    let (mut alpha, mut bravo) = (member(&venue, "ALPHA"), member(&venue, "BRAVO"));
    alpha.until_kinds("SAAEEJBA");
    bravo.until_kinds("SAEAEB");
    act(&site, "bust AAPL 1 consent").refuses(2, &["broken already"]);
    act(&site, "bust MSFT 2 supervisory").succeeds();
    bravo.until_kinds("SAEAEBB");
    assert_eq!(broken(&bravo), (2, b'S'));
    let topology = site.dir.path().join("topology.toml");
    let log = program(&["admin", "log", "--topology", topology.to_str().unwrap()]);
    log.succeeds();
    let acts = log.out.lines().filter(|act| act.contains("bust "));
    let acts: Vec<_> = acts.collect();
    assert_eq!(acts.len(), 4, "{}", log.out);
    let first = "bust AAPL 1 erroneous 20 1000000 buy ALPHA 1 - BRAVO 1 -: a wrong price";
    assert!(acts[0].ends_with(first), "{}", acts[0]);
    venue.stop();
}

#[test]
fn subscribers_are_told() {
    let (feed, requests) = receiver_ports();
    let site = Site::new();
    let nobody = site.feed.local_addr().unwrap().to_string();
    let group = feed.local_addr().to_string();
    let site = site.with(&nobody, &group);
    let venue = site.start();
    let mut feed = Subscriber::new(feed, requests, None);
    feed.rerequest_at(venue.ready("rerequest").parse().unwrap());
    let (mut alpha, mut bravo) = (member(&venue, "ALPHA"), member(&venue, "BRAVO"));
    alpha.enter(b'B', 20, "AAPL", 1_000_000);
    alpha.until_kinds("SA");
    bravo.enter(b'S', 20, "AAPL", 1_000_000);
    bravo.until_kinds("SAE");
    act(&site, "bust AAPL 1 external").succeeds();
    let (clock, mut told) = (RealClock::new(), Vec::new());
    wait_until("the feed", || {
        feed.poll(clock.now_ns(), &mut |_, message, _| {
            if let Message::BrokenTrade(it) = message {
                told.push(it.match_number());
            }
        });
        feed.sequence_next() - 1 == counter(&site, "publish.messages")
    });
    assert_eq!(told, [1]);
    venue.stop();
}
