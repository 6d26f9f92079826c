//! A bad day in a short time: links that flap, a reader that stops, sockets that go and come again
//! on both sides. Every frame that is lost is counted somewhere, and no frame of the memory leaks.
//!
//! Longer: `AF_XDP_SOAK_SECONDS=600 cargo test -p af_xdp --test soak`.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod support;

use std::time::{Duration, Instant};

use af_xdp::Hook;
use nic::netns::{VETH_NAME, VethEnd, VethOptions, VethPair};
use support::{PATIENCE, Side, Wanted, cable, datagram, inside, wait_until_detached};

const SECONDS: u64 = 1;

/// What became of the frames.
#[derive(Debug, Default)]
struct Counts {
    sent: u64,
    received: u64,
    /// By the kernel's counters of our sockets.
    lost: u64,
    out_of_order: u64,
}

struct Soak {
    pair: VethPair,
    hook: Hook,
    /// `None` while it is closed.
    left: Option<Side>,
    right: Option<Side>,
    next: u64,
    seen: u64,
    counts: Counts,
}

impl Soak {
    fn wanted(&self) -> Wanted {
        Wanted {
            hook: self.hook,
            ..Wanted::default()
        }
    }

    fn open(&mut self) {
        if self.left.is_none() {
            self.left = Some(Side::open(&self.pair.left, &self.wanted()).unwrap());
        }
        if self.right.is_none() {
            self.right = Some(Side::open(&self.pair.right, &self.wanted()).unwrap());
        }
    }

    /// Queues so many, and sends what can be sent now.
    fn send(&mut self, count: usize) {
        for _ in 0..count {
            let payload = self.next.to_le_bytes();
            let bytes = datagram(&self.pair.left, &self.pair.right, &payload);
            let left = self.left.as_mut().unwrap();
            if left.free.is_empty() || left.queue.tx.room() == 0 {
                break;
            }
            left.push(&bytes);
            self.next += 1;
        }
        self.reap();
    }

    /// Sends what can be sent now, and takes back what was.
    fn reap(&mut self) {
        let Some(left) = self.left.as_mut() else {
            return;
        };
        left.queue.tx.kick();
        while let Some(sent) = left.queue.completion.pop() {
            left.free.push(sent.into_frame());
            self.counts.sent += 1;
        }
        left.queue.completion.release();
    }

    fn read(&mut self) {
        let Some(right) = self.right.as_mut() else {
            return;
        };
        while let Some(received) = right.queue.rx.pop() {
            let payload = right.umem.received(&received)[42..50].try_into().unwrap();
            let number = u64::from_le_bytes(payload);
            self.counts.out_of_order += u64::from(number < self.seen);
            self.seen = number + 1;
            self.counts.received += 1;
            right.queue.fill.push(received.into_frame()).unwrap();
        }
        right.queue.rx.release();
        right.queue.fill.publish();
    }

    /// Sends the rest, and takes it all back; the memory is whole again.
    fn close_left(&mut self) {
        let start = Instant::now();
        while self.left.as_ref().unwrap().umem.census().sending > 0 {
            assert!(start.elapsed() < PATIENCE, "{:?}", self.counts);
            self.reap();
        }
        let left = self.left.take().unwrap();
        let census = left.umem.census();
        assert_eq!(
            (left.free.len(), census.program, census.receiving),
            (128, 128, 128)
        );
        assert_eq!(left.queue.completion.invalid(), 0);
    }

    /// Detaches, reads what is still there, and counts what was lost.
    fn close_right(&mut self) {
        self.settle();
        self.right.as_mut().unwrap().link = None;
        wait_until_detached(&self.pair.right);
        self.read();
        let right = self.right.take().unwrap();
        let statistics = right.queue.socket.statistics().unwrap();
        self.counts.lost += statistics.rx_lost();
        assert_eq!((statistics.rx_invalid, right.queue.rx.invalid()), (0, 0));
        let census = right.umem.census();
        assert_eq!(
            (right.free.len(), census.program, census.receiving),
            (128, 128, 128)
        );
    }

    /// Waits until every frame sent so far has been read or is counted as lost.
    fn settle(&mut self) {
        let start = Instant::now();
        loop {
            self.reap();
            self.read();
            let now = self
                .right
                .as_ref()
                .map(|right| right.queue.socket.statistics());
            let lost = now.map_or(0, |statistics| statistics.unwrap().rx_lost());
            let counts = &self.counts;
            let known = counts.received + counts.lost + lost + self.elsewhere();
            if known == counts.sent {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{known}: {counts:?}");
        }
    }

    /// Frames that the sending interface dropped, and that the receiving kernel took because no
    /// program was there.
    fn elsewhere(&self) -> u64 {
        let read = |end: &VethEnd, file: &str| {
            let path = format!("/proc/thread-self/net/{file}");
            inside(end, || std::fs::read_to_string(path)).unwrap()
        };
        let number = |text: &str, column: usize| -> u64 {
            text.split_whitespace()
                .nth(column)
                .unwrap()
                .parse()
                .unwrap()
        };
        let devices = read(&self.pair.left, "dev");
        let device = devices
            .lines()
            .find(|line| line.contains(VETH_NAME))
            .unwrap();
        let udp = read(&self.pair.right, "snmp");
        let udp = udp
            .lines()
            .filter(|line| line.starts_with("Udp:"))
            .nth(1)
            .unwrap();
        number(device, 12) + number(udp, 2)
    }

    fn flap(&mut self, left: bool, burst: usize) {
        self.settle();
        let end = if left {
            &self.pair.left
        } else {
            &self.pair.right
        };
        end.netns.ip(&["link", "set", VETH_NAME, "down"]).unwrap();
        self.send(burst);
        let end = if left {
            &self.pair.left
        } else {
            &self.pair.right
        };
        end.netns.ip(&["link", "set", VETH_NAME, "up"]).unwrap();
    }
}

fn bad_day(hook: Hook) {
    let Some(pair) = cable(&VethOptions::default()) else {
        return;
    };
    let wanted = std::env::var("AF_XDP_SOAK_SECONDS").ok();
    let seconds = wanted.map_or(SECONDS, |text| text.parse().unwrap());
    let mut soak = Soak {
        pair,
        hook,
        left: None,
        right: None,
        next: 0,
        seen: 0,
        counts: Counts::default(),
    };
    let mut seed = 7u64;
    let mut below = |bound: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % bound
    };
    let start = Instant::now();
    let mut troubles = [0; 6];
    while start.elapsed() < Duration::from_secs(seconds) || troubles.contains(&0) {
        assert!(start.elapsed() < PATIENCE + Duration::from_secs(seconds));
        soak.open();
        for _ in 0..below(50) {
            soak.send(below(100) as usize);
            soak.read();
        }
        let trouble = below(6) as usize;
        match trouble {
            0 => (0..10).for_each(|_| soak.send(100)), // and nobody reads
            1 => soak.flap(true, below(100) as usize),
            2 => soak.flap(false, below(100) as usize),
            3 => soak.close_left(),
            4 => soak.close_right(),
            _ => {
                soak.close_right();
                soak.send(below(100) as usize);
            }
        }
        troubles[trouble] += 1;
    }
    soak.open();
    soak.close_right();
    soak.close_left();
    soak.settle();
    println!(
        "{hook:?}: {:?}, {} elsewhere, {troubles:?}",
        soak.counts,
        soak.elsewhere()
    );
    assert_eq!(soak.counts.out_of_order, 0);
    assert_eq!(soak.counts.sent, soak.next);
    assert!(soak.counts.received > 0 && soak.counts.lost > 0 && soak.elsewhere() > 0);
}

#[test]
fn generic_mode() {
    bad_day(Hook::Generic);
}

#[test]
fn native_mode() {
    bad_day(Hook::Native);
}
