//! What a topology says of lines, requests and snapshots of the feed: wrong values are refused by
//! name.

use appliance::topology::Topology;
use std::time::Duration;

const GOOD: &str = include_str!("../topologies/dev-2core.toml");

/// A piece of the good file, what stands there instead, and what the message must contain.
const WRONG: &[(&str, &str, &[&str])] = &[
    (
        "239.192.0.2:26401",
        "239.192.0.1:26401",
        &["`feed.group_b`", "another address"],
    ),
    (
        "group_b = \"239.192.0.2:26401\"",
        "source_b = \"127.0.0.1:0\"",
        &["`feed.source_b`", "`group_b`"],
    ),
    (
        "snapshot = \"127.0.0.1:26403\"",
        "rerequest_allow = [\"10.0.0.0/33\"]",
        &["`feed.rerequest_allow[0]`", "bits"],
    ),
    (
        "snapshot = \"127.0.0.1:26403\"",
        "heartbeat_ms = 0",
        &["`feed.heartbeat_ms`", "1 to 500"],
    ),
    (
        "snapshot = \"127.0.0.1:26403\"",
        "rerequest_kib_per_s = 0",
        &["`feed.rerequest_kib_per_s`"],
    ),
];

#[test]
fn every_wrong_value_is_refused_by_name() {
    for (from, to, parts) in WRONG {
        assert!(GOOD.contains(from), "the good file has no {from:?}");
        let Err(error) = Topology::parse(&GOOD.replacen(from, to, 1)) else {
            panic!("taken: {to:?} in place of {from:?}");
        };
        let error = error.to_string();
        for part in *parts {
            assert!(error.contains(part), "{part:?} is not in {error}");
        }
    }
}

#[test]
fn what_is_left_out_is_local_and_bounded() {
    let text = GOOD.replace("group_b = \"239.192.0.2:26401\"\n", "");
    let topology = Topology::parse(&text).ok();
    let Some(feed) = topology.map(|topology| topology.feed) else {
        panic!("refused: {text}");
    };
    assert_eq!(
        (feed.line_b, feed.heartbeat),
        (None, Duration::from_millis(250))
    );
    let allows = |ip: [u8; 4]| feed.rerequest_allow.iter().any(|it| it.contains(ip.into()));
    assert!(allows([127, 0, 0, 1]) && !allows([10, 0, 0, 1]));
    assert_eq!(feed.rerequest_bytes_per_second, 16 << 20);
}
