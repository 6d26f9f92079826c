//! `[order_entry.xdp]` and `[feed.xdp]` of a topology: what is asked for arrives, and what cannot
//! be is refused by file, line and key.
#![allow(clippy::unwrap_used)]

use appliance::topology::Topology;
use nic::{BusyPoll, Congestion, XdpMode, XdpOptions};

const GOOD: &str = include_str!("../topologies/dev-2core.toml");

/// The good file, whose order entry and feed go around the kernel with these lines in their
/// sections `xdp`.
fn around(entry: &str, feed: &str) -> String {
    let modes = [
        ("[order_entry]", "zero-copy", "eth0"),
        ("[feed]", "native", "eth1"),
    ];
    let mut text = GOOD.replace("127.0.0.1:26400", "10.0.0.1:26400");
    for (section, mode, interface) in modes {
        let more = format!("{section}\nmode = \"{mode}\"\ninterface = \"{interface}\"");
        text = text.replacen(section, &more, 1);
    }
    let sections = [("order_entry", entry), ("feed", feed)];
    let written = sections.iter().filter(|(_, lines)| !lines.is_empty());
    let more: String = written
        .map(|(section, lines)| format!("[{section}.xdp]\n{lines}\n"))
        .collect();
    text.replacen("[limits]", &format!("{more}[limits]"), 1)
}

#[test]
fn what_is_asked_for_arrives() {
    let plain = Topology::parse(&around("", "")).unwrap();
    let (entry, feed) = (plain.order_entry.xdp, plain.feed.xdp);
    assert_eq!(entry, Some(XdpOptions::new("eth0", XdpMode::ZeroCopy)));
    assert_eq!(feed, Some(XdpOptions::new("eth1", XdpMode::Native)));
    let entry = "worst = \"native\"\nqueues = [1, 0]\ndepth = 4096\n\
                 busy_poll_us = 20\ncongestion = \"reno\"";
    let feed = "queues = [255]\nbusy_poll_us = 1\nbusy_poll_budget = 8";
    let asked = Topology::parse(&around(entry, feed)).unwrap();
    let wanted = XdpOptions {
        worst: Some(XdpMode::Native),
        queues: vec![1, 0],
        depth: 4096,
        busy_poll: Some(BusyPoll {
            micros: 20,
            budget: 64,
        }),
        congestion: Congestion::Reno,
        ..XdpOptions::new("eth0", XdpMode::ZeroCopy)
    };
    assert_eq!(asked.order_entry.xdp, Some(wanted));
    let wanted = XdpOptions {
        queues: vec![255],
        busy_poll: Some(BusyPoll {
            micros: 1,
            budget: 8,
        }),
        ..XdpOptions::new("eth1", XdpMode::Native)
    };
    assert_eq!(asked.feed.xdp, Some(wanted));
}

/// What stands in the section of the feed, the key that is named, and what the message holds.
const WRONG: &[(&str, &str, &[&str])] = &[
    ("queues = []", "feed.xdp.queues", &["empty", "for all"]),
    ("queues = [0, 256]", "feed.xdp.queues[1]", &["256", "255"]),
    (
        "queues = [3, 1, 3]",
        "feed.xdp.queues[2]",
        &["before", "once"],
    ),
    (
        "worst = \"io_uring\"",
        "feed.xdp.worst",
        &["no mode of AF_XDP"],
    ),
    (
        "congestion = \"reno\"",
        "feed.xdp.congestion",
        &["order entry", "leave it out"],
    ),
    ("worst = \"best\"", "feed.xdp.worst", &["\"generic\""]),
    (
        "worst = \"zero-copy\"",
        "feed.xdp.worst",
        &["better than `feed.mode`", "native"],
    ),
    (
        "busy_poll_budget = 8",
        "feed.xdp.busy_poll_budget",
        &["alone", "busy_poll_us"],
    ),
    ("depth = 3000", "feed.xdp.depth", &["3000", "power of two"]),
    ("depth = 16384", "feed.xdp.depth", &["16384", "to 8192"]),
    ("busy_poll_us = 0", "feed.xdp.busy_poll_us", &["from 1"]),
    (
        "busy_poll_us = 20\nbusy_poll_budget = 5000",
        "feed.xdp.busy_poll_budget",
        &["5000", "to 1024"],
    ),
];

#[test]
fn what_cannot_be_is_refused_by_file_line_and_key() {
    let path = std::env::temp_dir().join(format!("topology-xdp-{}.toml", std::process::id()));
    for (lines, key, pieces) in WRONG {
        let text = around("", lines);
        std::fs::write(&path, &text).unwrap();
        let error = Topology::load(&path).unwrap_err().to_string();
        let last = lines.lines().last().unwrap();
        let line = 1 + text.lines().position(|other| other == last).unwrap();
        let place = format!("{}: line {line}: `{key}`", path.display());
        for piece in pieces.iter().chain(&[&*place]) {
            assert!(error.contains(piece), "{piece:?} is not in: {error}");
        }
    }
    std::fs::remove_file(&path).unwrap();
    let many: Vec<String> = (0..65).map(|queue| queue.to_string()).collect();
    let many = around("", &format!("queues = [{}]", many.join(", ")));
    let error = Topology::parse(&many).unwrap_err().to_string();
    assert!(error.contains("`feed.xdp.queues` names 65"), "{error}");
}

#[test]
fn an_unknown_congestion_control_is_refused() {
    let error = Topology::parse(&around("congestion = \"bbr\"", "")).unwrap_err();
    let error = error.to_string();
    for piece in ["`order_entry.xdp.congestion`", "bbr", "\"reno\""] {
        assert!(error.contains(piece), "{piece:?} is not in: {error}");
    }
}

#[test]
fn a_section_without_a_port_around_the_kernel_is_refused() {
    let text = GOOD.replacen("[limits]", "[feed.xdp]\nqueues = [0]\n[limits]", 1);
    let error = Topology::parse(&text).unwrap_err().to_string();
    for piece in ["`feed.xdp`", "io_uring", "leave the section out"] {
        assert!(error.contains(piece), "{piece:?} is not in: {error}");
    }
}

#[test]
fn one_interface_is_shared_by_queues_of_ones_own() {
    let shared =
        |entry: &str, feed: &str| Topology::parse(&around(entry, feed).replace("eth1", "eth0"));
    let parsed = shared("queues = [0, 1]", "queues = [2]").unwrap();
    assert!(parsed.order_entry.xdp.unwrap().receives);
    let feed = parsed.feed.xdp.unwrap();
    assert_eq!((feed.receives, &feed.queues[..]), (false, &[2][..]));
    let apart = Topology::parse(&around("", "queues = [2]")).unwrap();
    assert!(apart.feed.xdp.unwrap().receives, "it has an interface");
    for (entry, feed, pieces) in [
        ("", "", ["`order_entry.xdp.queues`", "missing", "eth0"]),
        (
            "queues = [0]",
            "",
            ["`feed.xdp.queues`", "missing", "none twice"],
        ),
        (
            "",
            "queues = [1]",
            ["`order_entry.xdp.queues`", "missing", "feed.interface"],
        ),
        (
            "queues = [0, 1]",
            "queues = [2, 1]",
            ["`feed.xdp.queues`", "names 1", "its own"],
        ),
    ] {
        let error = shared(entry, feed).unwrap_err().to_string();
        for piece in pieces {
            assert!(error.contains(piece), "{piece:?} is not in: {error}");
        }
    }
}
