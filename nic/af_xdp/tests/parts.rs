//! Packets longer than a frame, in parts, over a cable with an MTU of 9000.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod support;

use std::net::UdpSocket;
use std::time::Instant;

use af_xdp::{Hook, LoadOptions, Outgoing, PARTS_MAX, UmemOptions};
use nic::netns::VethOptions;
use support::{PATIENCE, PORT, Side, Wanted, cable, datagram, inside};

const JUMBO: VethOptions = VethOptions {
    queues: 1,
    transmit_more: 0,
    mtu: 9000,
};

fn wanted(hook: Hook, frame_bytes: u32) -> Wanted {
    Wanted {
        hook,
        load: LoadOptions {
            multi_buffer: true,
            ..LoadOptions::default()
        },
        umem: UmemOptions {
            frames: 256,
            frame_bytes,
            ..UmemOptions::default()
        },
        multi_buffer: true,
        ..Wanted::default()
    }
}

/// Queues a packet cut into pieces of `piece` bytes.
fn push_in_parts(side: &mut Side, bytes: &[u8], piece: usize) {
    let mut parts: Vec<Outgoing> = Vec::new();
    for chunk in bytes.chunks(piece) {
        let mut frame = side.free.pop().unwrap();
        side.umem.room(&mut frame)[..chunk.len()].copy_from_slice(chunk);
        parts.push(frame.filled(&side.umem, chunk.len()));
    }
    assert!(side.queue.tx.push_packet(&mut parts) && parts.is_empty());
}

fn long_packets_cross(hook: Hook, frame_bytes: u32) {
    let Some(pair) = cable(&JUMBO) else { return };
    let mut left = Side::open(&pair.left, &wanted(hook, frame_bytes)).unwrap();
    let mut right = Side::open(&pair.right, &wanted(hook, frame_bytes)).unwrap();
    let payload = |length: usize| (0..length).map(|n| (n * 7 % 251) as u8).collect::<Vec<_>>();
    for length in [1, 1700, 1750, 1751, 3798, 3799, 5000, 8000, 8972] {
        let sent = datagram(&pair.left, &pair.right, &payload(length));
        for piece in [frame_bytes as usize, 700, sent.len().div_ceil(PARTS_MAX)] {
            push_in_parts(&mut left, &sent, piece);
            left.flush();
            assert!(right.take(1)[0] == sent, "{hook:?} {length} by {piece}");
        }
    }
    assert_eq!((left.free.len(), left.umem.census().program), (128, 128));
    assert_eq!(right.umem.census().receiving, 128);
    let statistics = left.queue.socket.statistics().unwrap();
    assert_eq!(statistics.tx_invalid, 0);
}

#[test]
fn native_mode() {
    long_packets_cross(Hook::Native, 4096);
    long_packets_cross(Hook::Native, 2048);
}

#[test]
fn generic_mode() {
    long_packets_cross(Hook::Generic, 4096);
    long_packets_cross(Hook::Generic, 2048);
}

/// A kernel socket's long datagram comes in parts, and ours is one datagram to it.
#[test]
fn the_kernel_understands_them_both_ways() {
    for hook in [Hook::Native, Hook::Generic] {
        let Some(pair) = cable(&JUMBO) else { return };
        let socket = inside(&pair.left, || UdpSocket::bind((pair.left.address, PORT)));
        let socket = socket.unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut right = Side::open(&pair.right, &wanted(hook, 4096)).unwrap();
        let payload: Vec<u8> = (0..8000u32).map(|n| (n % 251) as u8).collect();
        socket
            .send_to(&payload, (pair.right.address, PORT))
            .unwrap();
        assert!(right.take(1)[0][42..] == payload, "{hook:?}");
        let bytes = datagram(&pair.right, &pair.left, &payload);
        push_in_parts(&mut right, &bytes, 4096);
        right.flush();
        let mut got = vec![0; 10_000];
        let (length, _) = socket.recv_from(&mut got).unwrap();
        assert!(got[..length] == payload, "{hook:?}");
    }
}

/// Too many parts, or more than there is room for, are refused whole.
#[test]
fn a_packet_goes_whole_or_not_at_all() {
    let Some(pair) = cable(&JUMBO) else { return };
    let shallow = Wanted {
        depth: 64,
        ..wanted(Hook::Generic, 2048)
    };
    let mut left = Side::open(&pair.left, &shallow).unwrap();
    let frames = left.free.len();
    let mut parts: Vec<Outgoing> = Vec::new();
    assert!(!left.queue.tx.push_packet(&mut parts), "no parts");
    for _ in 0..=PARTS_MAX {
        parts.push(left.free.pop().unwrap().filled(&left.umem, 10));
    }
    assert!(!left.queue.tx.push_packet(&mut parts), "too many");
    assert_eq!(parts.len(), PARTS_MAX + 1);
    left.free.extend(parts.pop().map(Outgoing::into_frame));
    let bytes = datagram(&pair.left, &pair.right, &[1]);
    for _ in 0..48 {
        left.push(&bytes);
    }
    assert!(!left.queue.tx.push_packet(&mut parts), "no room");
    assert_eq!(parts.len(), PARTS_MAX);
    left.free.extend(parts.drain(..).map(Outgoing::into_frame));
    left.flush();
    assert_eq!((left.free.len(), left.umem.census().sending), (frames, 0));
}

/// Without multi-buffer a long packet is dropped and counted, and the next one arrives.
#[test]
fn a_socket_without_parts_counts_what_it_cannot_take() {
    let Some(pair) = cable(&JUMBO) else { return };
    let mut left = Side::open(&pair.left, &wanted(Hook::Generic, 4096)).unwrap();
    let mut right = Side::open(&pair.right, &Wanted::default()).unwrap();
    let long = datagram(&pair.left, &pair.right, &[7; 3000]);
    push_in_parts(&mut left, &long, 4096);
    left.flush();
    let start = Instant::now();
    while right.queue.socket.statistics().unwrap().rx_dropped == 0 {
        assert!(start.elapsed() < PATIENCE);
    }
    let short = datagram(&pair.left, &pair.right, &[7; 30]);
    left.push(&short);
    left.flush();
    assert_eq!(right.take(1), [short]);
}
