//! Frames over a virtual cable: owned, counted, in both modes, and nothing lost in silence.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod support;

use std::time::Instant;

use af_xdp::{
    Answer, BusyPoll, Census, Copying, Hook, Kicked, Queue, QueueOptions, Umem, UmemOptions,
};
use nic::netns::{VETH_NAME, VethOptions};
use support::{PATIENCE, Side, Wanted, cable, datagram, inside, interface};

fn round_and_round(hook: Hook) {
    let Some(pair) = cable(&VethOptions::default()) else {
        return;
    };
    let wanted = || Wanted {
        hook,
        ..Wanted::default()
    };
    let mut left = Side::open(&pair.left, &wanted()).unwrap();
    let mut right = Side::open(&pair.right, &wanted()).unwrap();
    for round in 0..20u8 {
        let sent: Vec<_> = (0..100u8)
            .map(|n| {
                datagram(
                    &pair.left,
                    &pair.right,
                    &vec![n; 18 + n as usize + round as usize],
                )
            })
            .collect();
        sent.iter().for_each(|bytes| left.push(bytes));
        left.flush();
        assert!(right.take(100) == sent, "{hook:?}, round {round}");
    }
    let half = Census {
        program: 128,
        receiving: 128,
        sending: 0,
    };
    assert_eq!((left.umem.census(), right.umem.census()), (half, half));
    assert_eq!(left.free.len(), 128);
    let right = right.queue.socket.statistics().unwrap();
    assert_eq!((right.rx_lost(), right.rx_invalid), (0, 0));
    let left = left.queue.socket.statistics().unwrap();
    assert_eq!(left.tx_invalid, 0);
}

#[test]
fn generic_mode_keeps_order_and_frames() {
    round_and_round(Hook::Generic);
}

#[test]
fn native_mode_keeps_order_and_frames() {
    round_and_round(Hook::Native);
}

/// A received frame is changed in place and goes back without a copy.
#[test]
fn a_received_frame_can_be_the_answer() {
    let Some(pair) = cable(&VethOptions::default()) else {
        return;
    };
    let mut left = Side::open(&pair.left, &Wanted::default()).unwrap();
    let mut right = Side::open(&pair.right, &Wanted::default()).unwrap();
    for n in 0..300u32 {
        left.push(&datagram(&pair.left, &pair.right, &n.to_le_bytes()));
        left.flush();
        let start = Instant::now();
        let mut got = loop {
            if let Some(got) = right.queue.rx.pop() {
                break got;
            }
            assert!(start.elapsed() < PATIENCE);
        };
        let answer = datagram(&pair.right, &pair.left, &(n + 1).to_le_bytes());
        right.umem.received_mut(&mut got).copy_from_slice(&answer);
        right.queue.tx.push(got.into_outgoing()).unwrap();
        right.queue.rx.release();
        let free = right.free.len();
        right.flush();
        assert_eq!(right.free.len(), free + 1);
        let frame = right.free.pop().unwrap();
        right.queue.fill.push(frame).unwrap();
        right.queue.fill.publish();
        assert_eq!(left.take(1), [answer]);
    }
}

/// What a reader who stopped did not get is counted by the kernel, to the last frame.
#[test]
fn a_reader_that_stops_loses_frames_and_every_one_is_counted() {
    let Some(pair) = cable(&VethOptions::default()) else {
        return;
    };
    let mut left = Side::open(&pair.left, &Wanted::default()).unwrap();
    let mut right = Side::open(&pair.right, &Wanted::default()).unwrap();
    const SENT: u64 = 1000;
    for n in 0..SENT {
        left.push(&datagram(&pair.left, &pair.right, &n.to_le_bytes()));
        left.flush();
    }
    let start = Instant::now();
    let lost = loop {
        let statistics = right.queue.socket.statistics().unwrap();
        if statistics.rx_lost() >= SENT - 128 {
            break statistics.rx_lost();
        }
        assert!(start.elapsed() < PATIENCE, "{statistics:?}");
    };
    assert_eq!(right.take((SENT - lost) as usize).len(), 128);
    assert!(right.queue.rx.pop().is_none());
    // And it goes on.
    left.push(&datagram(&pair.left, &pair.right, b"again"));
    left.flush();
    assert_eq!(right.take(1).len(), 1);
    assert_eq!(right.umem.census().receiving, 128);
}

/// While the link is down nothing is lost: the frames wait in the ring.
#[test]
fn a_link_that_is_down_refuses_and_frames_wait() {
    let Some(pair) = cable(&VethOptions::default()) else {
        return;
    };
    let mut left = Side::open(&pair.left, &Wanted::default()).unwrap();
    let mut right = Side::open(&pair.right, &Wanted::default()).unwrap();
    let set = |way| {
        pair.left
            .netns
            .ip(&["link", "set", VETH_NAME, way])
            .unwrap()
    };
    for round in 0..3 {
        set("down");
        let sent = datagram(&pair.left, &pair.right, &[round; 50]);
        left.push(&sent);
        assert_eq!(left.queue.tx.kick(), Kicked::Refused(libc::ENETDOWN));
        assert_eq!(left.umem.census().sending, 1);
        set("up");
        left.flush();
        assert_eq!(right.take(1), [sent]);
    }
    assert_eq!(left.umem.census().program, 128);
}

/// A dropped socket frees its queue, and one that is refused gives the frames back.
#[test]
fn refusals_give_frames_back_and_say_why() {
    let Some(pair) = cable(&VethOptions::default()) else {
        return;
    };
    let interface = interface(&pair.left);
    let (umem, mut frames) = Umem::create(&UmemOptions {
        frames: 64,
        ..UmemOptions::default()
    })
    .unwrap();
    let open = |frames: &mut Vec<_>, options| {
        inside(&pair.left, || Queue::open(&umem, frames, 32, &options))
    };
    let options = QueueOptions {
        depth: 32,
        ..QueueOptions::new(interface)
    };
    let zero_copy = QueueOptions {
        copying: Copying::ZeroCopy,
        ..options
    };
    let absent = QueueOptions {
        queue: 9,
        ..options
    };
    let odd = QueueOptions {
        depth: 33,
        ..options
    };
    let refusals = [
        (zero_copy, Some(libc::EOPNOTSUPP)),
        (absent, Some(libc::EINVAL)),
        (odd, None),
    ];
    for (wrong, errno) in refusals {
        let error = open(&mut frames, wrong).unwrap_err();
        assert_eq!(error.errno(), errno, "{error}");
        assert_eq!((frames.len(), umem.census().program), (64, 64));
    }
    let mut queue = open(&mut frames, options).unwrap();
    assert_eq!((frames.len(), umem.census().receiving), (32, 32));
    // The kernel may be late to say that it took some: those can be given back all the same.
    assert_eq!(queue.fill.room(), 32);
    let report = *queue.socket.report();
    assert!(!report.zero_copy && !report.joined);
    assert_eq!(report.copy_because, Some(libc::EOPNOTSUPP));
    assert_eq!(report.pages, Some(umem.pages()));
    assert!(report.to_string().contains("zero-copy refused"), "{report}");
    drop(queue);
    let queue = open(&mut frames, options).unwrap();
    assert_eq!(
        umem.census().receiving,
        32,
        "those of the dropped socket stay out of use"
    );
    assert!(frames.len() == 32 && queue.depth() == 32);
}

/// Every option is answered, and a socket with all of them works.
#[test]
fn busy_polling_and_the_budget_are_reported() {
    let Some(pair) = cable(&VethOptions::default()) else {
        return;
    };
    let (umem, mut frames) = Umem::create(&UmemOptions::default()).unwrap();
    let options = QueueOptions {
        busy_poll: Some(BusyPoll {
            micros: 20,
            budget: 64,
        }),
        tx_budget: Some(256),
        ..QueueOptions::new(interface(&pair.left))
    };
    let queue = inside(&pair.left, || {
        Queue::open(&umem, &mut frames, 1024, &options)
    });
    let queue = queue.unwrap();
    let report = *queue.socket.report();
    println!("{report}");
    assert_eq!(report.busy_poll.prefer, Answer::Is(1));
    assert_eq!(report.busy_poll.micros, Answer::Is(20));
    assert!(matches!(
        report.busy_poll.budget,
        Answer::Is(64) | Answer::Accepted(64)
    ));
    assert!(matches!(
        report.tx_budget,
        Answer::Is(256) | Answer::Accepted(256) | Answer::Refused(libc::ENOPROTOOPT)
    ));
    queue.socket.poll_driver();
    let none = QueueOptions::new(options.interface);
    drop(queue);
    let queue = inside(&pair.left, || Queue::open(&umem, &mut frames, 0, &none)).unwrap();
    assert_eq!(queue.socket.report().tx_budget, Answer::NotAsked);
    assert_eq!(queue.socket.report().busy_poll.prefer, Answer::NotAsked);
}

#[test]
#[should_panic(expected = "a frame of another memory")]
fn a_frame_of_another_memory_is_refused() {
    let small = UmemOptions {
        frames: 2,
        ..UmemOptions::default()
    };
    let (one, _frames) = Umem::create(&small).unwrap();
    let (_other, mut frames) = Umem::create(&small).unwrap();
    one.room(&mut frames[0])[0] = 1;
}
