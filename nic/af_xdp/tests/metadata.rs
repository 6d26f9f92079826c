//! What the card says and is asked, on a virtual cable: what there is works, the rest is absent.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod support;

use std::net::UdpSocket;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use af_xdp::{
    Filter, Hook, LoadOptions, Mode, Options, Port, Received, Requests, Rule, RxMetadata, Sent,
    TxChecksum, TxRequest, UmemOptions,
};
use nic::netns::{VETH_NAME, VethEnd, VethOptions};
use support::{PATIENCE, PORT, Side, Wanted, cable, datagram, inside, interface, internet_sum};

fn with_requests(requests: Requests) -> Wanted {
    Wanted {
        umem: UmemOptions {
            frames: 256,
            requests,
            ..UmemOptions::default()
        },
        ..Wanted::default()
    }
}

/// The driver of this end is asked about each frame.
fn with_metadata(end: &VethEnd) -> Wanted {
    Wanted {
        hook: Hook::Native,
        load: LoadOptions {
            metadata_of: Some(interface(end)),
            ..LoadOptions::default()
        },
        ..Wanted::default()
    }
}

fn next(side: &mut Side) -> Received {
    let start = Instant::now();
    loop {
        if let Some(received) = side.queue.rx.pop() {
            side.queue.rx.release();
            return received;
        }
        assert!(start.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
}

/// Queues these bytes with a request, sends them, and gives the frame that was sent.
fn send(side: &mut Side, bytes: &[u8], request: TxRequest) -> Sent {
    let mut frame = side.free.pop().unwrap();
    side.umem.room(&mut frame)[..bytes.len()].copy_from_slice(bytes);
    let outgoing = frame.filled(&side.umem, bytes.len());
    let outgoing = side.umem.request(outgoing, request).unwrap();
    side.queue.tx.push(outgoing).unwrap();
    let start = Instant::now();
    loop {
        side.queue.tx.kick();
        if let Some(sent) = side.queue.completion.pop() {
            side.queue.completion.release();
            return sent;
        }
        assert!(start.elapsed() < PATIENCE);
    }
}

#[test]
fn the_flow_hash_is_read_and_the_absent_clock_is_absent() {
    let Some(pair) = cable(&VethOptions::default()) else {
        return;
    };
    let wanted = with_metadata(&pair.right);
    // Loading binds the program to the interface, so it happens where the interface lives.
    let filter = inside(&pair.right, || Filter::load_with(&wanted.rule, wanted.load));
    if let Err(error) = filter {
        println!("skipped: this kernel has no metadata for programs: {error}");
        return;
    }
    let mut right = inside(&pair.right, || Side::open(&pair.right, &wanted)).unwrap();
    let key = right.filter.metadata().unwrap();
    let socket = inside(&pair.left, || UdpSocket::bind((pair.left.address, PORT))).unwrap();
    let mut hashes = Vec::new();
    for (payload, to) in [(b"one", PORT), (b"two", PORT)] {
        socket.send_to(payload, (pair.right.address, to)).unwrap();
        let received = next(&mut right);
        assert_eq!(&right.umem.received(&received)[42..], payload);
        let metadata = right.umem.rx_metadata(&received, key).unwrap();
        println!("{metadata:?}");
        assert_eq!(
            metadata.timestamp_ns, None,
            "a virtual interface has no clock"
        );
        hashes.push(metadata.hash);
        right.queue.fill.push(received.into_frame()).unwrap();
        right.queue.fill.publish();
    }
    assert_eq!(hashes[0], hashes[1], "one flow, one hash");
    assert!(hashes[0].is_some());
}

/// A tag that the interface took off the frame is in the metadata.
#[test]
fn a_vlan_tag_that_is_not_in_the_frame_is_in_the_metadata() {
    let Some(pair) = cable(&VethOptions::default()) else {
        return;
    };
    let wanted = with_metadata(&pair.right);
    let right = inside(&pair.right, || Side::open(&pair.right, &wanted));
    let Ok(mut right) = right.inspect_err(|error| println!("skipped: {error}")) else {
        return;
    };
    let left = &pair.left.netns;
    let ip = |words: &str| left.ip(&words.split(' ').collect::<Vec<_>>());
    let link = format!("link add link {VETH_NAME} name tagged type vlan id 7");
    if let Err(error) = ip(&link) {
        println!("skipped: no VLAN interfaces here: {error}");
        return;
    }
    let mac = pair.right.mac.map(|byte| format!("{byte:02x}")).join(":");
    ip("address add 10.78.0.1/24 dev tagged").unwrap();
    ip("link set dev tagged up").unwrap();
    ip(&format!("neigh replace 10.78.0.2 lladdr {mac} dev tagged")).unwrap();
    let socket = inside(&pair.left, || UdpSocket::bind(("10.78.0.1", PORT))).unwrap();
    socket.send_to(b"tagged", ("10.78.0.2", PORT)).unwrap();
    let received = next(&mut right);
    let key = right.filter.metadata().unwrap();
    let metadata = right.umem.rx_metadata(&received, key).unwrap();
    assert_eq!(
        metadata.vlan.map(|(protocol, tag)| (protocol, tag & 0xfff)),
        Some((0x8100, 7))
    );
    right.free.push(received.into_frame());
}

#[test]
fn a_program_with_metadata_is_for_its_driver_only() {
    let Some(pair) = cable(&VethOptions::default()) else {
        return;
    };
    let options = LoadOptions {
        metadata_of: Some(interface(&pair.right)),
        ..LoadOptions::default()
    };
    let load = || Filter::load_with(&Rule::udp(&[PORT]), options);
    let Ok(filter) = inside(&pair.right, load) else {
        println!("skipped: this kernel has no metadata for programs");
        return;
    };
    let at = interface(&pair.right);
    assert!(inside(&pair.right, || filter.attach(at, Hook::Generic)).is_err());
    assert!(inside(&pair.right, || filter.attach(at, Hook::Native)).is_ok());
    let loopback = LoadOptions {
        metadata_of: Some(1),
        ..options
    };
    let refused = inside(&pair.right, || {
        Filter::load_with(&Rule::udp(&[1]), loopback)
    });
    println!("loopback: {}", refused.unwrap_err());
    assert!(Filter::load(&Rule::udp(&[1])).unwrap().metadata().is_none());
}

#[test]
fn a_port_says_what_the_driver_said() {
    let Some(pair) = cable(&VethOptions::default()) else {
        return;
    };
    for (mode, wanted) in [
        (Mode::Native, true),
        (Mode::Native, false),
        (Mode::Generic, true),
    ] {
        let options = Options {
            metadata: wanted,
            ..Options::new(interface(&pair.right), mode, Rule::udp(&[PORT]))
        };
        let mut port = inside(&pair.right, || Port::open(&options)).unwrap();
        assert!(port.metadata() <= (wanted && mode == Mode::Native));
        let socket = inside(&pair.left, || UdpSocket::bind((pair.left.address, PORT))).unwrap();
        socket
            .send_to(b"hello", (pair.right.address, PORT))
            .unwrap();
        let expected = port.metadata();
        let start = Instant::now();
        let mut check = |bytes: &[u8], metadata: Option<RxMetadata>| {
            assert_eq!(&bytes[42..], b"hello");
            assert_eq!(metadata.is_some_and(|all| all.hash.is_some()), expected);
        };
        while port.receive_with(&mut check) == 0 {
            assert!(start.elapsed() < PATIENCE);
        }
        println!("{mode:?}: {}", port.report());
    }
}

#[test]
fn the_time_of_sending_is_had_when_asked_for() {
    let Some(pair) = cable(&VethOptions::default()) else {
        return;
    };
    let mut left = Side::open(&pair.left, &with_requests(Requests::Driver)).unwrap();
    let mut right = Side::open(&pair.right, &Wanted::default()).unwrap();
    let bytes = datagram(&pair.left, &pair.right, b"timed");
    let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap();
    let mut last = 0;
    for _ in 0..50 {
        let request = TxRequest {
            timestamp: true,
            ..TxRequest::default()
        };
        let sent = send(&mut left, &bytes, request);
        let at = left
            .umem
            .sent_at(&sent)
            .expect("the kernel's own clock in copy mode");
        assert!(at > last);
        last = at;
        left.free.push(sent.into_frame());
        assert!(right.take(1)[0] == bytes);
    }
    // TAI is ahead of UTC by 37 s, or by nothing where nobody told the kernel.
    let ahead = Duration::from_nanos(last).abs_diff(since(SystemTime::now()));
    assert!(ahead < Duration::from_secs(3600), "{ahead:?}");
    let sent = send(&mut left, &bytes, TxRequest::default());
    assert_eq!(left.umem.sent_at(&sent), None, "not asked");
    left.free.push(sent.into_frame());
}

/// With a wrong sum in its field a datagram is dropped by the receiving kernel; here the sum of the
/// pseudo-header stands there, as a card expects it, and the kernel computes the rest.
#[test]
fn the_checksum_is_computed_when_asked_for() {
    let Some(pair) = cable(&VethOptions::default()) else {
        return;
    };
    let software = Side::open(&pair.left, &with_requests(Requests::SoftwareChecksum));
    let mut left = software.unwrap();
    assert_eq!(
        left.queue.socket.report().copy_because,
        Some(libc::EOPNOTSUPP)
    );
    let mut right = Side::open(&pair.right, &Wanted::default()).unwrap();
    let payload = b"a payload of some bytes";
    let mut bytes = datagram(&pair.left, &pair.right, payload);
    let length = 8 + payload.len() as u16;
    let pseudo = [&bytes[26..34], &[0, 17], &length.to_be_bytes()].concat();
    bytes[40..42].copy_from_slice(&(!internet_sum(&pseudo)).to_be_bytes());
    let request = TxRequest {
        checksum: Some(TxChecksum {
            start: 34,
            field: 6,
        }),
        timestamp: true,
        ..TxRequest::default()
    };
    let sent = send(&mut left, &bytes, request);
    assert!(left.umem.sent_at(&sent).is_some(), "both at once");
    left.free.push(sent.into_frame());
    let got = &right.take(1)[0];
    assert_ne!(got[40..42], bytes[40..42]);
    let summed = [&pseudo[..], &got[34..]].concat();
    assert_eq!(
        internet_sum(&summed),
        0,
        "the sum over all with its field is right"
    );
}

/// No driver here holds frames back; asking does no harm.
#[test]
fn a_launch_time_without_a_driver_for_it_is_ignored() {
    let Some(pair) = cable(&VethOptions::default()) else {
        return;
    };
    let mut left = Side::open(&pair.left, &with_requests(Requests::Driver)).unwrap();
    let mut right = Side::open(&pair.right, &Wanted::default()).unwrap();
    let bytes = datagram(&pair.left, &pair.right, b"later");
    let request = TxRequest {
        launch_ns: Some(u64::MAX),
        ..TxRequest::default()
    };
    let sent = send(&mut left, &bytes, request);
    left.free.push(sent.into_frame());
    assert_eq!(right.take(1), [bytes]);
}

#[test]
fn a_request_that_cannot_be_is_given_back() {
    let Some(pair) = cable(&VethOptions::default()) else {
        return;
    };
    let request = TxRequest {
        timestamp: true,
        ..TxRequest::default()
    };
    let mut plain = Side::open(&pair.left, &Wanted::default()).unwrap();
    let frame = plain.free.pop().unwrap().filled(&plain.umem, 60);
    let given_back = plain.umem.request(frame, request).unwrap_err();
    plain.free.push(given_back.into_frame());
    let mut right = Side::open(&pair.right, &with_requests(Requests::Driver)).unwrap();
    let outside = TxRequest {
        checksum: Some(TxChecksum {
            start: 58,
            field: 1,
        }),
        ..request
    };
    let frame = right.free.pop().unwrap().filled(&right.umem, 60);
    let frame = right.umem.request(frame, outside).unwrap_err();
    let frame = right.umem.request(frame, request).unwrap();
    right.free.push(frame.into_frame());
    assert_eq!(right.umem.room_bytes(), 2048 - 64);
}
