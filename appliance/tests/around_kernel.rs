//! A venue whose TCP never touches the kernel, and members on kernel sockets: over a virtual cable
//! between two namespaces. Skipped, with the reason printed, where the machine does not allow it.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{Ended, Member, Site, Venue, counter, program, wait_until};
use nic::netns::{VETH_NAME, VethOptions, VethPair};
use std::collections::HashMap;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;
use wire::mold::Packet;

/// A cable whose ends can do AF_XDP, or `None` with the reason printed.
fn cable() -> Option<VethPair> {
    cable_with(VethOptions::default())
}

fn cable_with(options: VethOptions) -> Option<VethPair> {
    let pair = VethPair::with(&options)
        .inspect_err(|error| println!("skipped: {error}"))
        .ok()?;
    let at = std::net::SocketAddrV4::new(pair.right.address, 0);
    let probe = pair.right.netns.run(|| {
        let xdp = nic::XdpOptions::new(VETH_NAME, nic::XdpMode::Native);
        let clock = Box::new(nic::RealClock::new());
        nic::XdpTcp::open(at, nic::TcpLimits::default(), &xdp, clock)
    });
    probe
        .unwrap()
        .inspect_err(|error| println!("skipped: {error}"))
        .ok()?;
    Some(pair)
}

/// A site whose members come over the cable; its feed stays in the venue's namespace.
fn site(pair: &VethPair) -> Site {
    let around = format!("mode = \"native\"\ninterface = \"{VETH_NAME}\"\n");
    let site = pair.right.netns.run(Site::new).unwrap();
    site.with("[order_entry]\n", &format!("[order_entry]\n{around}"))
        .with("127.0.0.1:0", &format!("{}:0", pair.right.address))
}

fn start(pair: &VethPair, site: &Site) -> Venue {
    pair.right.netns.run(|| site.start()).unwrap()
}

fn login(pair: &VethPair, venue: &Venue, user: &str) -> Member {
    let to = venue.order_entry();
    pair.left.netns.run(|| Member::login(to, user)).unwrap()
}

/// The TCP counters of the venue's kernel.
fn kernel(pair: &VethPair) -> HashMap<String, u64> {
    let read = || std::fs::read_to_string("/proc/thread-self/net/snmp").unwrap();
    let text = pair.right.netns.run(read).unwrap();
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("Tcp: "));
    let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
    let pieces = names.split(' ').zip(values.split(' '));
    let number = |text: &str| text.parse().unwrap_or(0);
    pieces
        .map(|(name, value)| (name.to_owned(), number(value)))
        .collect()
}

#[test]
fn members_on_kernel_sockets_trade_and_the_venues_kernel_sees_no_segment() {
    let Some(pair) = cable() else { return };
    let before = kernel(&pair);
    let site = site(&pair);
    let venue = start(&pair, &site);
    let mut alpha = login(&pair, &venue, "ALPHA");
    let mut bravo = login(&pair, &venue, "BRAVO");
    alpha.enter(b'S', 100, "AAPL", 1_500_000);
    alpha.until_kinds("SA");
    bravo.enter(b'B', 60, "AAPL", 1_500_000);
    bravo.until_kinds("SAE");
    alpha.until_kinds("SAE");
    alpha.cancel(1);
    alpha.until_kinds("SAEC");
    let after = kernel(&pair);
    for name in ["InSegs", "OutSegs", "OutRsts", "PassiveOpens"] {
        assert_eq!(after[name], before[name], "{name}");
    }
    let summary = venue.stop();
    assert_eq!(summary["logins"], "2");
    alpha.until_closed();
    bravo.until_closed();
    // What was acknowledged is there again, over new connections.
    let venue = start(&pair, &site);
    let mut again = login(&pair, &venue, "ALPHA");
    again.until("the day's replies", |again| {
        again.replies.len() >= alpha.replies.len()
    });
    assert_eq!(again.replies, alpha.replies);
    venue.stop();
}

#[test]
fn the_load_generator_is_answered() {
    let Some(pair) = cable() else { return };
    let site = site(&pair);
    let venue = start(&pair, &site);
    let to = venue.ready("order_entry").to_owned();
    let run = || {
        let place = ["load", "--connect", &to, "--symbols", "AAPL,MSFT"];
        let logins = ["--login", "ALPHA:alpha", "--login", "BRAVO:bravo"];
        let work = ["--rate", "500", "--seconds", "1.2", "--standing", "50"];
        program(&[&place[..], &logins, &work].concat())
    };
    let ended: Ended = pair.left.netns.run(run).unwrap();
    ended.succeeds();
    assert!(
        ended.out.contains("600 commands in 1.2 s: 600 answered"),
        "{ended:?}"
    );
    venue.stop();
}

/// What order entry was granted is in the venue's first lines, and what its port counts among the
/// venue's counters.
#[test]
fn queues_and_polling_are_chosen_by_the_topology_and_frames_are_counted() {
    let options = VethOptions {
        queues: 3,
        ..VethOptions::default()
    };
    let Some(pair) = cable_with(options) else {
        return;
    };
    let asked = "[order_entry.xdp]\nworst = \"native\"\nbusy_poll_us = 7\nbusy_poll_budget = 5\n";
    let site = site(&pair).with("[feed]", &format!("{asked}[feed]"));
    let venue = start(&pair, &site);
    let told = venue.stderr();
    for piece in [
        "xdp native, queues 0 1 2,",
        "busy poll: prefer 1, 7 us, budget 5",
    ] {
        assert!(told.contains(piece), "{piece:?} is not in: {told}");
    }
    let mut members = [login(&pair, &venue, "ALPHA"), login(&pair, &venue, "BRAVO")];
    for member in &mut members {
        member.enter(b'B', 10, "AAPL", 1_000_000);
        member.until_kinds("SA");
    }
    wait_until("the frames", || counter(&site, "gate.xdp_received") > 8);
    for name in ["refused", "lost", "ring_full", "invalid", "send_errors"] {
        assert_eq!(counter(&site, &format!("gate.xdp_{name}")), 0, "{name}");
    }
    let data = site.data_dir();
    let top = [
        "top",
        "--once",
        "--interval-ms",
        "10",
        "--data",
        data.to_str().unwrap(),
    ];
    let ended = program(&top);
    ended.succeeds();
    for name in [
        "gate.xdp_received ",
        "gate.xdp_fill_empty ",
        "publish.xdp_lost ",
    ] {
        assert!(ended.out.contains(name), "{name} is not in: {}", ended.out);
    }
    venue.stop();
}

/// A group on the member's side of the cable.
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 192, 0, 1);

/// A kernel socket that is told what is sent to the group.
fn receiver(pair: &VethPair) -> UdpSocket {
    let here = pair.left.address;
    let open = || UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0));
    let socket = pair.left.netns.run(open).unwrap().unwrap();
    socket.join_multicast_v4(&GROUP, &here).unwrap();
    let wait = Duration::from_millis(20);
    socket.set_read_timeout(Some(wait)).unwrap();
    socket
}

/// One interface, one program: order entry receives by the first queue, and the feed only sends, by
/// another one. The cable brings everything that arrives by the first.
#[test]
fn order_entry_and_feed_go_around_the_kernel_on_one_interface() {
    let options = VethOptions {
        transmit_more: 1,
        ..VethOptions::default()
    };
    let Some(pair) = cable_with(options) else {
        return;
    };
    let feed = receiver(&pair);
    let to = format!("{GROUP}:{}", feed.local_addr().unwrap().port());
    let site = site(&pair);
    let (nobody, source) = (site.feed.local_addr().unwrap(), pair.right.address);
    let around = format!("source = \"{source}:0\"\nmode = \"native\"\n");
    let around = format!("{around}interface = \"{VETH_NAME}\"");
    let site = site
        .with(&nobody.to_string(), &to)
        .with("source = \"127.0.0.1:0\"", &around)
        .with("[feed]", "[order_entry.xdp]\nqueues = [0]\n[feed]")
        .with("[limits]", "[feed.xdp]\nqueues = [1]\n[limits]");
    let venue = start(&pair, &site);
    let told = venue.stderr();
    for piece in [
        "order entry: xdp native, queues 0,",
        "feed: xdp native, queues 1 to send only,",
    ] {
        assert!(told.contains(piece), "{piece:?} is not in: {told}");
    }
    let mut alpha = login(&pair, &venue, "ALPHA");
    for _ in 0..3 {
        alpha.enter(b'B', 10, "AAPL", 1_000_000);
    }
    alpha.until_kinds("SAAA");
    let (mut bytes, mut adds) = ([0; 2_048], 0);
    wait_until("news of the orders", || {
        if let Ok(length) = feed.recv(&mut bytes) {
            let packet = Packet::parse(&bytes[..length]).unwrap();
            adds += packet.blocks().filter(|(_, it)| it[0] == b'A').count();
        }
        adds == 3
    });
    for port in ["gate", "publish"] {
        for name in ["refused", "lost", "invalid", "send_errors"] {
            assert_eq!(counter(&site, &format!("{port}.xdp_{name}")), 0, "{name}");
        }
    }
    venue.stop();
    alpha.until_closed();
}

#[test]
fn what_is_wrong_is_said_and_the_venue_does_not_start() {
    let Some(pair) = cable() else { return };
    for (from, to, said) in [
        (
            format!("\"{VETH_NAME}\""),
            "\"absent\"".to_owned(),
            "interface absent",
        ),
        (
            pair.right.address.to_string(),
            pair.left.address.to_string(),
            "has no address",
        ),
    ] {
        let site = site(&pair).with(&from, &to);
        let mut venue = pair.right.netns.run(|| site.spawn(&[])).unwrap();
        assert!(!venue.wait().success());
        let told = venue.stderr();
        assert!(
            told.contains("order_entry.address") && told.contains(said),
            "{told}"
        );
    }
}
