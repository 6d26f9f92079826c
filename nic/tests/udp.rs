//! UDP ports over io_uring and over plain sockets: unicast, multicast on loopback, bursts.

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

use nic::{Arrival, BeforeKick, Clock, Stamp};
use nic::{DATAGRAM_BYTES_MAX, Net, RealNet, RealUdp, SendError, UdpOptions, UdpPort};

const PATIENCE: Duration = Duration::from_secs(60);
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 193, 7, 7);
const ANY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);

fn nets() -> [RealNet; 2] {
    [RealNet::new(), RealNet::sockets_only()]
}

/// Polls until `count` datagrams came.
fn take(port: &mut RealUdp, count: usize) -> Vec<(SocketAddrV4, Vec<u8>)> {
    let start = Instant::now();
    let mut all = Vec::new();
    while all.len() < count {
        assert!(
            start.elapsed() < PATIENCE,
            "{} of {count} datagrams",
            all.len()
        );
        port.poll(&mut |from, payload| all.push((from, payload.to_vec())));
        std::thread::yield_now();
    }
    all
}

#[test]
fn unicast_there_and_back() {
    for mut net in nets() {
        let mut left = net.udp(&UdpOptions::new(ANY)).unwrap();
        let mut right = net.udp(&UdpOptions::new(ANY)).unwrap();
        for length in [0, 1, 64, DATAGRAM_BYTES_MAX] {
            let payload = vec![length as u8; length];
            left.send(right.local_addr(), &payload).unwrap();
            left.flush();
            assert_eq!(take(&mut right, 1), [(left.local_addr(), payload.clone())]);
            right.send(left.local_addr(), &payload).unwrap();
            right.flush();
            assert_eq!(take(&mut left, 1), [(right.local_addr(), payload)]);
        }
        assert_eq!((left.stats().received, right.stats().received), (4, 4));
        let long = vec![0; DATAGRAM_BYTES_MAX + 1];
        assert_eq!(
            left.send(right.local_addr(), &long),
            Err(SendError::TooLong)
        );
    }
}

#[test]
fn bursts_keep_their_order() {
    for mut net in nets() {
        let mut left = net.udp(&UdpOptions::new(ANY)).unwrap();
        let mut right = net.udp(&UdpOptions::new(ANY)).unwrap();
        let mut expected = 0u32;
        for burst in [1u32, 2, 3, 7, 40, 100, 100, 1, 100] {
            for number in expected..expected + burst {
                left.send(right.local_addr(), &number.to_le_bytes())
                    .unwrap();
            }
            left.flush();
            for (from, payload) in take(&mut right, burst as usize) {
                assert_eq!(
                    (from, payload),
                    (left.local_addr(), expected.to_le_bytes().to_vec())
                );
                expected += 1;
            }
        }
        left.poll(&mut |_, _| panic!("nobody writes to the left"));
        assert_eq!((left.stats().sent, left.stats().send_errors), (354, 0));
    }
}

#[test]
fn sending_without_polling_goes_on() {
    for mut net in nets() {
        let mut left = net.udp(&UdpOptions::new(ANY)).unwrap();
        let right = UdpSocket::bind(ANY).unwrap();
        let std::net::SocketAddr::V4(to) = right.local_addr().unwrap() else {
            panic!("v4")
        };
        let start = Instant::now();
        for number in 0..1000u32 {
            while let Err(error) = left.send(to, &number.to_le_bytes()) {
                assert_eq!(error, SendError::Full);
                assert!(start.elapsed() < PATIENCE);
                left.flush();
            }
        }
        while left.stats().sent < 1000 {
            assert!(start.elapsed() < PATIENCE);
            left.flush();
        }
        assert_eq!(left.stats().send_errors, 0);
    }
}

#[test]
fn datagram_longer_than_a_frame_is_an_error_not_a_cut() {
    for mut net in nets() {
        let mut port = net.udp(&UdpOptions::new(ANY)).unwrap();
        let peer = UdpSocket::bind(ANY).unwrap();
        peer.send_to(&[7; 5000], port.local_addr()).unwrap();
        peer.send_to(b"after", port.local_addr()).unwrap();
        assert_eq!(take(&mut port, 1)[0].1, b"after");
        assert_eq!(port.stats().receive_errors, 1);
    }
}

#[test]
fn multicast_on_loopback() {
    let locals = [Ipv4Addr::UNSPECIFIED, Ipv4Addr::LOCALHOST, GROUP];
    for (mut net, ip) in nets()
        .into_iter()
        .flat_map(|net| locals.map(|ip| (net, ip)))
    {
        let mut receiver = net
            .udp(&UdpOptions {
                local: SocketAddrV4::new(ip, 0),
                groups: vec![GROUP],
                interface: Ipv4Addr::LOCALHOST,
                xdp: None,
            })
            .unwrap();
        let options = UdpOptions {
            interface: Ipv4Addr::LOCALHOST,
            ..UdpOptions::new(ANY)
        };
        let mut sender = net.udp(&options).unwrap();
        let to = SocketAddrV4::new(GROUP, receiver.local_addr().port());
        for number in 0..20u8 {
            sender.send(to, &[number; 200]).unwrap();
        }
        sender.flush();
        for (number, (from, payload)) in take(&mut receiver, 20).into_iter().enumerate() {
            assert_eq!(
                (from, payload),
                (sender.local_addr(), vec![number as u8; 200])
            );
        }
    }
}

#[test]
fn refusal_names_the_address() {
    // Reserved for documentation (RFC 5737), so it is no machine's own.
    let at = SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 9), 0);
    let error = RealNet::new().udp(&UdpOptions::new(at)).unwrap_err();
    assert!(error.to_string().contains("203.0.113.9:0"), "{error}");
}

#[test]
fn address_that_is_freed_meanwhile_is_had() {
    for mut net in nets() {
        let taken = UdpSocket::bind(ANY).unwrap();
        let std::net::SocketAddr::V4(at) = taken.local_addr().unwrap() else {
            panic!("v4")
        };
        let free = std::thread::spawn(move || drop(taken));
        assert_eq!(net.udp(&UdpOptions::new(at)).unwrap().local_addr(), at);
        free.join().unwrap();
    }
}

/// A clock that counts how often it was read.
#[derive(Default)]
struct Counting(Cell<u64>);

impl Clock for Counting {
    fn now_ns(&self) -> u64 {
        self.0.set(self.0.get() + 1);
        self.0.get()
    }
}

#[test]
fn every_time_says_where_it_was_taken() {
    const COUNT: usize = 20;
    for (mut net, is_asked) in nets()
        .into_iter()
        .flat_map(|net| [(net, false), (net, true)])
    {
        let mut left = net.udp(&UdpOptions::new(ANY)).unwrap();
        let mut right = net.udp(&UdpOptions::new(ANY)).unwrap();
        if is_asked {
            right.ask_times().unwrap();
        }
        // The kernel begins to take times a while after it was asked.
        let (mut is_told, mut asked, start) = (!is_asked, 0, Instant::now());
        while !is_told {
            assert!(start.elapsed() < PATIENCE);
            left.send(right.local_addr(), b"asked").unwrap();
            left.flush();
            asked += 1;
            right.poll_stamped(&Counting::default(), &mut |arrival| {
                is_told = arrival.kernel.is_some();
            });
        }
        while right.stats().received < asked {
            assert!(start.elapsed() < PATIENCE);
            right.poll(&mut |_, _| {});
        }
        let clock = Counting::default();
        for number in 0..COUNT {
            left.send(right.local_addr(), &[number as u8; 64]).unwrap();
        }
        let kicked: Stamp<BeforeKick> = left.flush_stamped(&clock);
        assert_eq!((kicked.ns(), kicked.point()), (1, "before kick"));
        let start = Instant::now();
        let mut touches = Vec::new();
        while touches.len() < COUNT {
            assert!(start.elapsed() < PATIENCE);
            right.poll_stamped(&clock, &mut |arrival: Arrival<'_>| {
                assert_eq!(arrival.payload, [touches.len() as u8; 64]);
                assert_eq!(arrival.kernel.is_some(), is_asked);
                assert!(arrival.hardware.is_none(), "loopback has no card");
                if let Some(kernel) = arrival.kernel {
                    // Unix time of this century.
                    assert!(kernel.ns() > 1_600_000_000_000_000_000, "{kernel:?}");
                    assert_eq!(kernel.point(), "kernel received");
                }
                touches.push(arrival.touched.ns());
            });
        }
        // One reading a datagram, in the order of their arrival.
        let wanted: Vec<u64> = (2..COUNT as u64 + 2).collect();
        assert_eq!(touches, wanted);
    }
}
