//! One memory under several queues of one interface.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod support;

use std::time::Instant;

use af_xdp::{
    Features, Filter, Frame, Hook, Queue, QueueOptions, Rule, Umem, UmemOptions, interface_index,
};
use nic::netns::{VETH_NAME, VethEnd, VethOptions};
use support::{PATIENCE, PORT, cable, datagram, inside, interface};

const QUEUES: u32 = 4;
const EACH: u8 = 60;
/// Deep enough for all frames to come by one queue.
const DEPTH: u32 = 256;
const FRAMES: u32 = 2048;

/// A socket on every queue; all share `umem`.
fn open_all(end: &VethEnd, umem: &Umem, free: &mut Vec<Frame>) -> Vec<Queue> {
    let options = |queue| QueueOptions {
        queue,
        depth: DEPTH,
        ..QueueOptions::new(interface(end))
    };
    let open = |queue| {
        let keep = free.len() - DEPTH as usize;
        inside(end, || Queue::open(umem, free, keep, &options(queue)))
    };
    (0..QUEUES).map(open).map(Result::unwrap).collect()
}

fn memory() -> (Umem, Vec<Frame>) {
    Umem::create(&UmemOptions {
        frames: FRAMES,
        ..UmemOptions::default()
    })
    .unwrap()
}

/// Sends on every queue, and takes everything back.
fn send_on_all(
    umem: &Umem,
    queues: &mut [Queue],
    free: &mut Vec<Frame>,
    make: &dyn Fn(u8, u8) -> Vec<u8>,
) {
    for n in 0..EACH {
        for (number, queue) in queues.iter_mut().enumerate() {
            let bytes = make(number as u8, n);
            let mut frame = free.pop().unwrap();
            umem.room(&mut frame)[..bytes.len()].copy_from_slice(&bytes);
            queue.tx.push(frame.filled(umem, bytes.len())).unwrap();
        }
    }
    let start = Instant::now();
    while umem.census().sending > 0 {
        assert!(start.elapsed() < PATIENCE, "{:?}", umem.census());
        for queue in &mut *queues {
            queue.tx.kick();
            while let Some(sent) = queue.completion.pop() {
                free.push(sent.into_frame());
            }
            queue.completion.release();
        }
    }
}

fn crosses_on_every_queue(hook: Hook) {
    let options = VethOptions {
        queues: QUEUES,
        ..VethOptions::default()
    };
    let Some(pair) = cable(&options) else { return };
    let (left, mut left_free) = memory();
    let (right, mut right_free) = memory();
    let mut senders = open_all(&pair.left, &left, &mut left_free);
    let mut receivers = open_all(&pair.right, &right, &mut right_free);
    let joined: Vec<_> = receivers.iter().map(|q| q.socket.report().joined).collect();
    assert_eq!(joined, [false, true, true, true]);
    let filter = Filter::load(&Rule::udp(&[PORT])).unwrap();
    for (number, queue) in (0..).zip(&receivers) {
        filter.set_socket(number, &queue.socket).unwrap();
    }
    let _link = inside(&pair.right, || filter.attach(interface(&pair.right), hook)).unwrap();
    let make = |queue: u8, n: u8| datagram(&pair.left, &pair.right, &[queue, n]);
    send_on_all(&left, &mut senders, &mut left_free, &make);
    let mut got = vec![Vec::new(); QUEUES as usize];
    let start = Instant::now();
    while got.concat().len() < QUEUES as usize * usize::from(EACH) {
        assert!(start.elapsed() < PATIENCE, "{got:?}");
        for (queue, got) in receivers.iter_mut().zip(&mut got) {
            while let Some(received) = queue.rx.pop() {
                let bytes = right.received(&received);
                got.push((bytes[42], bytes[43]));
                right_free.push(received.into_frame());
            }
            queue.rx.release();
        }
    }
    if hook == Hook::Generic {
        // The kernel does not tell the generic hook by which queue a virtual interface got a frame:
        // all come by the first.
        let all = got.concat();
        let of = |queue| all.iter().copied().filter(|got| got.0 == queue).collect();
        got = (0..QUEUES as u8).map(of).collect();
    }
    for (queue, got) in (0u8..).zip(got) {
        let expected = (0..EACH).map(|n| (queue, n));
        assert!(
            got.iter().copied().eq(expected),
            "{hook:?} {queue}: {got:?}"
        );
    }
    let lost = |queue: &Queue| queue.socket.statistics().unwrap().rx_lost();
    assert_eq!(receivers.iter().map(lost).sum::<u64>(), 0);
    let census = right.census();
    assert_eq!(census.program, right_free.len());
    assert_eq!(census.receiving, FRAMES as usize - right_free.len());
    // The first socket goes; the others work on, and a new one joins them.
    drop(receivers.remove(0));
    let options = QueueOptions {
        depth: DEPTH,
        ..QueueOptions::new(interface(&pair.right))
    };
    let again = inside(&pair.right, || {
        Queue::open(&right, &mut right_free, 0, &options)
    });
    assert!(again.unwrap().socket.report().joined);
}

#[test]
fn native_mode() {
    crosses_on_every_queue(Hook::Native);
}

#[test]
fn generic_mode() {
    crosses_on_every_queue(Hook::Generic);
}

/// A memory outlives the interface of its first socket: the next one registers it again, and the
/// one after that joins.
#[test]
fn a_memory_whose_interface_is_gone_is_used_again() {
    let Some(pair) = cable(&VethOptions::default()) else {
        return;
    };
    let netns = &pair.left.netns;
    let ip = |words: &str| netns.ip(&words.split(' ').collect::<Vec<_>>()).unwrap();
    let (umem, mut free) = memory();
    let mut open = |interface| {
        let options = QueueOptions {
            depth: DEPTH,
            ..QueueOptions::new(interface)
        };
        let keep = free.len() - DEPTH as usize;
        inside(&pair.left, || Queue::open(&umem, &mut free, keep, &options)).unwrap()
    };
    let first = open(interface(&pair.left));
    ip(&format!("link delete {VETH_NAME}"));
    ip("link add other0 type veth peer name other1");
    let index = |name| inside(&pair.left, || interface_index(name)).unwrap();
    let second = open(index("other0"));
    let third = open(index("other1"));
    let joined = [first, second, third].map(|queue| queue.socket.report().joined);
    assert_eq!(joined, [false, false, true]);
}

/// The kernel's answer about a virtual interface; absent things are absent.
#[test]
fn the_driver_says_what_it_can_do() {
    let Some(pair) = cable(&VethOptions::default()) else {
        return;
    };
    let features = inside(&pair.left, || Features::of(interface(&pair.left)));
    let features = features.unwrap();
    println!("{features:?}");
    assert!(features.native && features.redirect && features.rx_timestamp && features.rx_hash);
    assert!(!features.zero_copy && !features.tx_launch_time && !features.tx_timestamp);
    let loopback = inside(&pair.left, || Features::of(1)).unwrap();
    assert_eq!(loopback, Features::default());
    let error = inside(&pair.left, || Features::of(4242)).unwrap_err();
    assert_eq!(error.errno(), Some(libc::ENODEV), "{error}");
}
