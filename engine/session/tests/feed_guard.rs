//! What the re-request server sends to whom: bytes out beside bytes in.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod ear;

use core::net::Ipv4Addr;

use ear::{START_NS, packets_of, publisher};
use session::Network;
use session::SECOND_NS;
use session::feed::{Admission, Guard, Publisher, PublisherConfig};
use wire::mold::{HEADER_BYTES, Request};

/// One who asks as fast as it can for the largest answer there is; gives bytes in and bytes out.
fn asked(
    publisher: &mut Publisher,
    guard: &mut Guard,
    from: Ipv4Addr,
    requests: u64,
    gap_ns: u64,
) -> (u64, u64) {
    let mut request = [0; HEADER_BYTES];
    let all = Request {
        session: publisher.config().session,
        sequence: 1,
        count: u16::MAX,
    };
    all.encode(&mut request).unwrap();
    let mut out = 0;
    for number in 0..requests {
        let now_ns = START_NS + number * gap_ns;
        let Admission::Admitted(place) = guard.admits(from, now_ns) else {
            continue;
        };
        let mut bytes = 0;
        publisher.request(&request, now_ns, &mut |packet| {
            bytes += packet.len();
            true
        });
        guard.charge(place, bytes, now_ns);
        out += bytes as u64;
    }
    (requests * HEADER_BYTES as u64, out)
}

fn full_publisher() -> Publisher {
    let mut publisher = publisher(PublisherConfig {
        requests_per_second: u32::MAX,
        ..PublisherConfig::default()
    });
    packets_of(&mut publisher, 20, 40);
    publisher
}

#[test]
fn whoever_forges_an_address_that_is_not_listed_gets_nothing_sent_there() {
    let mut publisher = full_publisher();
    let listed = ["10.1.0.0/16", "192.168.7.9"].map(|text| text.parse().unwrap());
    let mut guard = Guard::new(&listed, 1 << 20);
    for victim in [
        [10, 2, 0, 1],
        [192, 168, 7, 10],
        [127, 0, 0, 1],
        [8, 8, 8, 8],
    ] {
        let victim = Ipv4Addr::from(victim);
        let (bytes_in, bytes_out) = asked(&mut publisher, &mut guard, victim, 10_000, 1_000);
        assert_eq!((bytes_in, bytes_out), (200_000, 0), "{victim}");
    }
    assert_eq!(publisher.counters().requests_answered, 0);
}

#[test]
fn who_is_listed_gets_no_more_than_its_bucket_holds_whatever_it_asks() {
    let listed: Network = "10.1.0.0/16".parse().unwrap();
    let asker = Ipv4Addr::new(10, 1, 2, 3);
    for (bytes_per_second, gap_ns) in [(1 << 10, 100), (1 << 14, 10_000), (1 << 20, 1_000_000)] {
        let mut publisher = full_publisher();
        let mut guard = Guard::new(&[listed], bytes_per_second);
        let requests = 20_000;
        let (_, bytes_out) = asked(&mut publisher, &mut guard, asker, requests, gap_ns);
        let bytes_max = guard.bytes_max(requests * gap_ns);
        assert!(bytes_out <= bytes_max, "{bytes_out} of {bytes_max}");
        assert!(bytes_out > bytes_max / 2, "{bytes_out} of {bytes_max}");
    }
}

#[test]
fn who_asks_too_much_takes_nothing_from_others() {
    let networks = ["10.1.0.0/16", "10.2.0.0/16"].map(|text| text.parse().unwrap());
    let mut publisher = full_publisher();
    let mut guard = Guard::new(&networks, 1 << 14);
    let greedy = Ipv4Addr::new(10, 1, 0, 1);
    let modest = Ipv4Addr::new(10, 2, 0, 1);
    asked(&mut publisher, &mut guard, greedy, 1_000, 0);
    assert_eq!(guard.admits(greedy, START_NS), Admission::Spent);
    assert_eq!(guard.admits(modest, START_NS), Admission::Admitted(1));
    let later_ns = START_NS + SECOND_NS;
    assert_eq!(guard.admits(greedy, later_ns), Admission::Admitted(0));
}

#[test]
fn networks_are_read_and_refused_by_their_text() {
    let contains = |network: &str, address: [u8; 4]| {
        let network: Network = network.parse().unwrap();
        network.contains(Ipv4Addr::from(address))
    };
    assert!(contains("10.1.2.3", [10, 1, 2, 3]));
    assert!(!contains("10.1.2.3", [10, 1, 2, 2]));
    assert!(contains("10.1.2.0/31", [10, 1, 2, 1]));
    assert!(!contains("10.1.2.0/31", [10, 1, 2, 2]));
    assert!(contains("0.0.0.0/0", [255, 255, 255, 255]));
    for wrong in [
        "",
        "10.1.2",
        "10.1.2.3/33",
        "10.1.2.3/",
        "fe80::1",
        "10.1.2.3/-1",
    ] {
        assert!(wrong.parse::<Network>().is_err(), "{wrong}");
    }
}
