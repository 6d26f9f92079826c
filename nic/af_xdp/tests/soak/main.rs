//! A bad day in a short time: links that flap, a reader that stands still, processes that are
//! killed or stopped on both sides and come again. Every frame that is lost is counted somewhere,
//! and no frame of the memory leaks.
//!
//! What a process dies with is not seen by anybody else: a sender's frames that the kernel had not
//! taken, a receiver's that it had not read, or that the driver still had when the program went.
//! These are what no counter has, and are never more than the rings hold.
//!
//! Longer: `AF_XDP_SOAK_SECONDS=600 cargo test -p af_xdp --test soak`.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod sides;
#[path = "../support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use af_xdp::Hook;
use nic::netns::{VETH_NAME, VethEnd, VethOptions, VethPair};
use sides::Process;
use support::{PATIENCE, cable, datagram, inside, wait_until_detached};

const SECONDS: u64 = 1;
/// Frames that a process may hold in its rings, read or sent by nobody if it is killed.
const HELD_MAX: u64 = 128;

/// Not a test of its own: in a child it sends or receives.
#[test]
fn child_on_the_cable() {
    sides::child();
}

/// What became of the frames, over all lives of both sides but the present ones.
#[derive(Debug, Default)]
struct Counts {
    queued: u64,
    read: u64,
    /// By the kernel's counters of the sockets.
    lost: u64,
    out_of_order: u64,
    /// Processes killed with frames that no counter has, at either side; of these the frames.
    kills_left: u64,
    kills_right: u64,
    died_with_left: u64,
    died_with_right: u64,
}

/// What the kernel's counters of the interfaces say, since the start.
struct Elsewhere {
    /// Sent over the cable by the left interface; dropped by it.
    sent: u64,
    dropped: u64,
    /// Taken by the right kernel, because no program was there.
    passed: u64,
}

struct Soak {
    pair: VethPair,
    hook: Hook,
    frame: Vec<u8>,
    /// `None` while there is none.
    left: Option<Process>,
    right: Option<Process>,
    counts: Counts,
}

impl Soak {
    fn new(pair: VethPair, hook: Hook) -> Soak {
        for end in [&pair.left, &pair.right] {
            // Nothing but our frames on the cable.
            let quiet = || std::fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
            inside(end, quiet).unwrap();
            end.netns
                .ip(&["link", "set", VETH_NAME, "arp", "off"])
                .unwrap();
        }
        let frame = datagram(&pair.left, &pair.right, &[0; 8]);
        Soak {
            pair,
            hook,
            frame,
            left: None,
            right: None,
            counts: Counts::default(),
        }
    }

    fn open(&mut self) {
        let (pair, hook, first) = (&self.pair, self.hook, self.counts.queued);
        if self.right.is_none() {
            let right = Process::start("receiver", &pair.right, hook, 0, &self.frame);
            self.right = Some(right);
        }
        if self.left.is_none() {
            let left = Process::start("sender", &pair.left, hook, first, &self.frame);
            self.left = Some(left);
        }
    }

    /// Has the sender send nothing more, and holds the counts against each other when all it sent
    /// has come to its end.
    fn settle(&mut self) {
        self.left.as_mut().unwrap().settle();
        let start = Instant::now();
        loop {
            self.right.as_mut().unwrap().settle();
            if self.is_accounted() {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{}", self.report());
        }
    }

    /// Whether every frame is read or counted, or may have died with a process. The frames that
    /// did die so become known here.
    fn is_accounted(&mut self) -> bool {
        let elsewhere = self.elsewhere();
        let (left, right) = (self.left.as_ref(), self.right.as_ref());
        let queued = self.counts.queued + left.map_or(0, |left| left.done().frames);
        let read = self.counts.read + right.map_or(0, |right| right.done().frames);
        let lost = self.counts.lost + right.map_or(0, Process::lost);
        let not_sent = queued.checked_sub(elsewhere.sent + elsewhere.dropped);
        let not_seen = elsewhere.sent.checked_sub(read + lost + elsewhere.passed);
        let counts = &mut self.counts;
        let Some((not_sent, not_seen)) = not_sent.zip(not_seen) else {
            return false;
        };
        let (new_left, new_right) = (
            not_sent.wrapping_sub(counts.died_with_left),
            not_seen.wrapping_sub(counts.died_with_right),
        );
        // With a receiver its program goes, and the driver with what was on its way to it.
        let is_well = new_left <= (counts.kills_left + counts.kills_right) * HELD_MAX
            && new_right <= counts.kills_right * HELD_MAX;
        if is_well {
            (counts.died_with_left, counts.died_with_right) = (not_sent, not_seen);
            (counts.kills_left, counts.kills_right) = (0, 0);
        }
        is_well
    }

    fn elsewhere(&self) -> Elsewhere {
        let read = |end: &VethEnd, file: &str| {
            let path = format!("/proc/thread-self/net/{file}");
            inside(end, || std::fs::read_to_string(path)).unwrap()
        };
        let number = |text: &str, column: usize| -> u64 {
            let found = text.split_whitespace().nth(column);
            found.unwrap().parse().unwrap()
        };
        let devices = read(&self.pair.left, "dev");
        let mut devices = devices.lines();
        let device = devices.find(|line| line.contains(VETH_NAME)).unwrap();
        let udp = read(&self.pair.right, "snmp");
        let mut udp = udp.lines().filter(|line| line.starts_with("Udp:"));
        Elsewhere {
            sent: number(device, 10),
            dropped: number(device, 12),
            passed: number(udp.nth(1).unwrap(), 2),
        }
    }

    fn close_left(&mut self, kill: bool) {
        let mut left = self.left.take().unwrap();
        if kill {
            left.kill();
            self.counts.kills_left += 1;
        } else {
            left.stop();
        }
        self.counts.queued += left.done().frames;
    }

    /// A receiver that is stopped must know that nothing is on its way.
    fn close_right(&mut self, kill: bool) {
        if !kill {
            self.settle();
        }
        let mut right = self.right.take().unwrap();
        if kill {
            right.kill();
            self.counts.kills_right += 1;
        } else {
            right.stop();
            self.left.as_mut().unwrap().go();
        }
        wait_until_detached(&self.pair.right);
        let done = right.done();
        self.counts.read += done.frames;
        self.counts.out_of_order += done.out_of_order;
        self.counts.lost += right.lost();
    }

    /// Has frames sent while a link is down. It goes and comes while none is on its way: the kernel
    /// drops those without counting them.
    fn flap(&mut self, is_left: bool, time: Duration) {
        self.settle();
        let end = if is_left {
            &self.pair.left
        } else {
            &self.pair.right
        };
        end.netns.ip(&["link", "set", VETH_NAME, "down"]).unwrap();
        let left = self.left.as_mut().unwrap();
        left.go();
        std::thread::sleep(time);
        left.hold();
        end.netns.ip(&["link", "set", VETH_NAME, "up"]).unwrap();
        left.go();
    }

    fn report(&self) -> String {
        let Elsewhere {
            sent,
            dropped,
            passed,
        } = self.elsewhere();
        let done = |side: &Option<Process>| side.as_ref().map(Process::done);
        let (left, right) = (done(&self.left), done(&self.right));
        format!(
            "{:?}: sent {sent}, dropped by the interface {dropped}, taken by the kernel {passed}, \
             {:?}; now {left:?} {right:?}",
            self.hook, self.counts
        )
    }
}

fn bad_day(hook: Hook) {
    let Some(pair) = cable(&VethOptions::default()) else {
        return;
    };
    let wanted = std::env::var("AF_XDP_SOAK_SECONDS").ok();
    let seconds = wanted.map_or(SECONDS, |text| text.parse().unwrap());
    let mut soak = Soak::new(pair, hook);
    let mut seed = 7u64;
    let mut below = |bound: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % bound
    };
    let start = Instant::now();
    let mut troubles = [0; 7];
    while start.elapsed() < Duration::from_secs(seconds) || troubles.contains(&0) {
        assert!(start.elapsed() < PATIENCE + Duration::from_secs(seconds));
        soak.open();
        std::thread::sleep(Duration::from_millis(below(20)));
        let trouble = below(7) as usize;
        let time = Duration::from_millis(below(20));
        match trouble {
            0 => soak.right.as_ref().unwrap().freeze(time),
            1 => soak.flap(true, time),
            2 => soak.flap(false, time),
            3 => soak.close_left(false),
            4 => soak.close_right(false),
            5 => soak.close_left(true),
            _ => soak.close_right(true),
        }
        troubles[trouble] += 1;
    }
    soak.open();
    soak.settle();
    soak.close_left(false);
    soak.right.as_mut().unwrap().stop();
    println!("{}, {troubles:?}", soak.report());
    assert!(soak.counts.read > 0 && soak.counts.lost > 0);
    assert!(soak.elsewhere().passed > 0);
}

#[test]
fn generic_mode() {
    bad_day(Hook::Generic);
}

#[test]
fn native_mode() {
    bad_day(Hook::Native);
}
