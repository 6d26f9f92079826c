//! What a topology may ask of a port over AF_XDP beside its mode: several queues, busy polling, no
//! way down, the card's times. On a virtual cable between two namespaces; skipped, with the reason
//! printed, where the machine does not allow it.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod cable;

use std::collections::BTreeSet;
use std::net::{SocketAddrV4, TcpStream, UdpSocket};
use std::time::Instant;

use cable::{LIMITS, PATIENCE, Server, cable, cable_with, exchange, open_with, options};
use nic::netns::VethEnd;
use nic::{
    Arrival, BusyPoll, Clock, Net, RealClock, RealNet, RealUdp, TcpLimits, TcpPort, UdpOptions,
    UdpPort, XdpMode, XdpOptions, XdpUdp,
};

const QUEUES: u32 = 4;
/// Flows, which the sending kernel spreads over the queues: all by one of four is one chance in
/// 4^23.
const FLOWS: u16 = 24;

const MANY: TcpLimits = TcpLimits {
    connections: FLOWS,
    ..LIMITS
};

const POLLED: BusyPoll = BusyPoll {
    micros: 20,
    budget: 16,
};

fn udp(end: &VethEnd, xdp: XdpOptions) -> std::io::Result<RealUdp> {
    let options = UdpOptions {
        xdp: Some(xdp),
        ..UdpOptions::new(SocketAddrV4::new(end.address, 0))
    };
    end.netns.run(|| RealNet::new().udp(&options)).unwrap()
}

/// A port around the kernel.
fn xdp_udp(end: &VethEnd, xdp: XdpOptions) -> Box<XdpUdp> {
    match udp(end, xdp).unwrap() {
        RealUdp::Xdp(port) => port,
        RealUdp::Socket(_) => panic!("AF_XDP worked before and is refused now"),
    }
}

/// A socket of the kernel that waits in vain for a while.
fn plain(end: &VethEnd) -> UdpSocket {
    let socket = end.netns.run(|| UdpSocket::bind((end.address, 0)));
    let socket = socket.unwrap().unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn poll_until(port: &mut XdpUdp, mut done: impl FnMut(&mut XdpUdp) -> bool) {
    let start = Instant::now();
    while !done(port) {
        assert!(start.elapsed() < PATIENCE, "{port:?}");
        std::thread::yield_now();
    }
}

#[test]
fn connections_that_come_by_any_queue_reach_the_port() {
    let Some(pair) = cable_with(QUEUES) else {
        return;
    };
    let mut server = Server::open(&pair.right, MANY);
    let peers: Vec<_> = (0..FLOWS).map(|_| server.peer(&pair.left)).collect();
    for peer in &peers {
        exchange(&mut server, peer, b"order", b"reply");
    }
    let queues: Vec<_> = server.port.queues().collect();
    let used = queues.iter().filter(|(_, frames)| *frames > 0).count();
    assert!(queues.len() == QUEUES as usize && used > 1, "{queues:?}");
    let all: u64 = queues.iter().map(|(_, frames)| frames).sum();
    assert_eq!(all, server.port.stats().frames.received);
    assert_eq!(server.port.stats().frames.lost, 0);
}

#[test]
fn a_queue_that_the_port_does_not_have_leads_to_the_kernel() {
    let Some(pair) = cable_with(QUEUES) else {
        return;
    };
    let xdp = XdpOptions {
        queues: vec![2, 0],
        ..options()
    };
    let mut server = Server::new(open_with(&pair.right, MANY, &xdp).unwrap());
    assert!(
        server.port.told().contains("queues 2 0,"),
        "{}",
        server.port.told()
    );
    let to = server.address();
    let dial = || (0..FLOWS).map(|_| TcpStream::connect(to).is_ok()).collect();
    let dialled: Vec<bool> = std::thread::scope(|scope| {
        let dialling = scope.spawn(|| pair.left.netns.run(dial));
        while !dialling.is_finished() {
            server.poll();
        }
        dialling.join().unwrap().unwrap()
    });
    let both: BTreeSet<bool> = dialled.into_iter().collect();
    assert_eq!(both, BTreeSet::from([false, true]));
}

#[test]
fn datagrams_that_come_by_any_queue_reach_the_port() {
    let Some(pair) = cable_with(QUEUES) else {
        return;
    };
    for best in [XdpMode::Native, XdpMode::Generic] {
        let mut port = xdp_udp(&pair.right, XdpOptions { best, ..options() });
        let to = port.local_addr();
        let peers: Vec<_> = (0..FLOWS).map(|_| plain(&pair.left)).collect();
        for (number, peer) in peers.iter().enumerate() {
            peer.send_to(&[number as u8], to).unwrap();
        }
        let mut got = Vec::new();
        poll_until(&mut port, |port| {
            port.poll(&mut |from, payload| got.push((from, payload.to_vec())));
            got.len() == peers.len()
        });
        for (from, payload) in &got {
            port.send(*from, payload).unwrap();
        }
        port.flush();
        for (number, peer) in peers.iter().enumerate() {
            let mut answer = [0; 8];
            let length = peer.recv(&mut answer).unwrap();
            assert_eq!(answer[..length], [number as u8]);
        }
        let used = port.queues().filter(|(_, frames)| *frames > 0).count();
        // In generic mode a virtual interface says of all frames that they came by the first.
        assert!(used > 1 || best == XdpMode::Generic, "{port:?}");
    }
}

#[test]
fn queues_that_are_not_there_or_named_twice_are_refused_in_words() {
    let Some(pair) = cable_with(2) else { return };
    for (queues, said) in [(vec![7], "queue 7"), (vec![1, 1], "each once")] {
        let xdp = XdpOptions {
            queues,
            ..options()
        };
        let error = open_with(&pair.right, LIMITS, &xdp)
            .unwrap_err()
            .to_string();
        assert!(error.contains(said), "{error}");
    }
}

/// On a virtual interface it finds nothing to poll; what is tested is that it is asked for, told,
/// and in nobody's way.
#[test]
fn busy_polling_is_asked_for_and_told() {
    let Some(pair) = cable_with(2) else { return };
    let xdp = XdpOptions {
        busy_poll: Some(POLLED),
        ..options()
    };
    let told = "busy poll: prefer 1, 20 us, budget 16";
    {
        let mut server = Server::new(open_with(&pair.right, LIMITS, &xdp).unwrap());
        assert!(server.port.told().contains(told), "{}", server.port.told());
        let peer = server.peer(&pair.left);
        exchange(&mut server, &peer, &[1; 50_000], &[2; 50_000]);
    }
    let mut port = xdp_udp(&pair.right, xdp);
    assert!(port.told().contains(told), "{}", port.told());
    let peer = plain(&pair.left);
    peer.send_to(b"polled", port.local_addr()).unwrap();
    poll_until(&mut port, |port| {
        port.poll(&mut |_, payload| assert_eq!(payload, b"polled")) == 1
    });
}

#[test]
fn where_the_worst_mode_is_not_had_nothing_is() {
    let Some(pair) = cable() else { return };
    let only = XdpOptions {
        worst: Some(XdpMode::ZeroCopy),
        ..XdpOptions::new(&options().interface, XdpMode::ZeroCopy)
    };
    match open_with(&pair.right, LIMITS, &only) {
        Ok(port) => return println!("skipped: {} is had here", port.mode()),
        Err(error) => {
            let error = error.to_string();
            let refused = error.contains("xdp zero-copy refused");
            assert!(refused && !error.contains("native"), "{error}");
        }
    }
    let error = udp(&pair.right, only).unwrap_err().to_string();
    assert!(error.contains("xdp zero-copy refused"), "{error}");
    let down_to_native = XdpOptions {
        worst: Some(XdpMode::Native),
        ..XdpOptions::new(&options().interface, XdpMode::ZeroCopy)
    };
    let upside_down = XdpOptions {
        worst: Some(XdpMode::ZeroCopy),
        ..options()
    };
    let error = udp(&pair.right, upside_down).unwrap_err().to_string();
    assert!(error.contains("no way down from Native"), "{error}");
    assert_eq!(
        udp(&pair.right, down_to_native).unwrap().mode(),
        "xdp native"
    );
}

/// A virtual interface answers the question with 0, which is no time.
#[test]
fn the_card_is_asked_for_times_and_an_absent_clock_is_absent() {
    let Some(pair) = cable() else { return };
    let clock = RealClock::new();
    for (best, card_times) in [
        (XdpMode::Native, true),
        (XdpMode::Native, false),
        (XdpMode::Generic, true),
    ] {
        let xdp = XdpOptions {
            best,
            card_times,
            ..options()
        };
        let mut port = xdp_udp(&pair.right, xdp);
        let is_asked = port.asks_card();
        if card_times && best == XdpMode::Native && !is_asked {
            println!("skipped: this kernel or driver has no times for programs");
        }
        assert!(is_asked <= (card_times && best == XdpMode::Native));
        assert_eq!(
            port.told().contains("card asked"),
            is_asked,
            "{}",
            port.told()
        );
        let before_ns = clock.now_ns();
        plain(&pair.left)
            .send_to(b"timed", port.local_addr())
            .unwrap();
        let mut check = |arrival: Arrival<'_>| {
            assert_eq!(arrival.payload, b"timed");
            assert!(arrival.touched.ns() >= before_ns);
            assert_eq!((arrival.kernel, arrival.hardware), (None, None));
        };
        poll_until(&mut port, |port| port.poll_stamped(&clock, &mut check) == 1);
        let mut port = RealUdp::Xdp(port);
        assert_eq!(port.ask_times().is_ok(), is_asked);
    }
}

#[test]
fn frames_that_are_lost_and_refused_are_counted() {
    let Some(pair) = cable() else { return };
    let mut port = xdp_udp(&pair.right, options());
    let (peer, to) = (plain(&pair.left), port.local_addr());
    // Nobody reads while more come than there are frames.
    let sent = 3_000;
    for _ in 0..sent {
        peer.send_to(b"flood", to).unwrap();
    }
    let mut got = 0;
    poll_until(&mut port, |port| {
        got += port.poll(&mut |_, _| ()) as u64;
        let frames = port.stats().frames;
        got + frames.lost == sent && frames.received == got
    });
    let frames = port.stats().frames;
    assert!(got > 0 && frames.lost > 0 && frames.lost >= frames.ring_full);
    assert_eq!((frames.refused, port.stats().dropped), (0, frames.lost));
    // It is read again, and nothing is lost any more.
    peer.send_to(b"again", to).unwrap();
    poll_until(&mut port, |port| port.poll(&mut |_, _| ()) == 1);
    // The kernel refuses to send while the cable is unplugged.
    pair.right
        .netns
        .ip(&["link", "set", "dev", &options().interface, "down"])
        .unwrap();
    let from = peer.local_addr().unwrap();
    let std::net::SocketAddr::V4(from) = from else {
        panic!("{from}")
    };
    port.send(from, b"late").unwrap();
    port.flush();
    assert_eq!(port.stats().frames.send_errors, 1);
}
