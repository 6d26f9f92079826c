//! Nine members at their usual pace, beside one that sends ten times what it may: measured, so by
//! command only (`cargo x siege hostile`, on an optimised build and a quiet machine).
//!
//! Seconds without the hostile one, with it, and without it again take turns. What is compared is
//! the 99th percentile from when an order was due to its reply, in each round; the two seconds
//! without say how much of a difference means nothing.
#![allow(clippy::unwrap_used)]

mod harness;

use appliance::client::members::{Login, Members};
use harness::Site;
use nic::{Clock, Net, RealClock, RealNet, TcpLimits, TcpPort};
use session::ouch_client::{Order, Reply};
use std::collections::VecDeque;
use std::fmt::Write;
use wire::ouch::Outbound;

const NORMAL: usize = 9;
/// Messages a second of each normal member, and what the hostile one may and does send.
const NORMAL_RATE: u64 = 500;
const HOSTILE_MAY: u64 = 1_000;
const HOSTILE_RATE: u64 = 10 * HOSTILE_MAY;

const ROUNDS: usize = 15;
const WINDOW_NS: u64 = 1_000_000_000;
/// Between two windows, so that none feels the one before.
const PAUSE_NS: u64 = 50_000_000;

/// By how much the hostile one may change what the others feel.
const RATIO_MAX: f64 = 1.1;

fn site() -> Site {
    let mut site = Site::new()
        .with("sessions = 4", "sessions = 16")
        .with("connections_max = 8", "connections_max = 16")
        .with("reply_mib = 4", "reply_mib = 64")
        .with("ack = \"disk\"", "ack = \"memory\"")
        .with("segment_mib = 1", "segment_mib = 64");
    let rate = format!(
        "rate = {{ messages_per_second = {HOSTILE_MAY}, at_once = 100, refusals_max = 0 }}"
    );
    for number in 0..=NORMAL {
        let (user, rate) = if number == NORMAL {
            ("EVIL".to_owned(), rate.as_str())
        } else {
            (format!("M{number}"), "")
        };
        let account = 10 + number;
        writeln!(
            site.topology,
            "[[users]]\nname = \"{user}\"\npassword = \"x\"\nfirm = \"FIRM\"\n\
             account = {account}\n{rate}"
        )
        .unwrap();
    }
    site
}

/// The members on one thread, the hostile one last.
struct Crowd<T> {
    members: Members<T>,
    clock: RealClock,
    /// When the orders were due that have no answer, by member.
    due: Vec<VecDeque<u64>>,
    times: Vec<u64>,
    refused: u64,
    taken: u64,
}

impl<T: TcpPort> Crowd<T> {
    fn poll(&mut self) -> u64 {
        let now_ns = self.clock.now_ns();
        let (due, times) = (&mut self.due, &mut self.times);
        let (refused, taken) = (&mut self.refused, &mut self.taken);
        let moved = self.members.poll(now_ns, &mut |index, reply| match reply {
            Reply::Message(1.., Outbound::Accepted(_)) if index == NORMAL => *taken += 1,
            Reply::Message(0, Outbound::Rejected(_)) if index == NORMAL => *refused += 1,
            Reply::Message(1.., Outbound::Accepted(_)) => {
                let due_ns = due[index].pop_front().unwrap();
                times.push(now_ns.saturating_sub(due_ns));
            }
            _ => {}
        });
        moved.unwrap();
        now_ns
    }

    /// A second of everybody; the 99th percentile of the normal ones.
    fn window(&mut self, is_hostile: bool) -> f64 {
        let order = Order {
            time_in_force: b'3',
            ..Order::day(b'B', 1, "AAPL", 10_000)
        };
        let start_ns = self.clock.now_ns() + PAUSE_NS;
        self.times.clear();
        let gap_ns = WINDOW_NS / NORMAL_RATE / NORMAL as u64;
        let (mut normal, mut hostile) = (0, 0);
        let normal_all = NORMAL_RATE * NORMAL as u64;
        let hostile_all = if is_hostile { HOSTILE_RATE } else { 0 };
        while normal < normal_all || self.due.iter().any(|due| !due.is_empty()) {
            let now_ns = self.poll();
            while normal < normal_all && start_ns + normal * gap_ns <= now_ns {
                let index = normal as usize % NORMAL;
                if self.members.member(index).enter(&order).is_some() {
                    self.due[index].push_back(start_ns + normal * gap_ns);
                    normal += 1;
                }
            }
            let hostile_ns = WINDOW_NS / HOSTILE_RATE;
            while hostile < hostile_all && start_ns + hostile * hostile_ns <= now_ns {
                if self.members.member(NORMAL).enter(&order).is_none() {
                    break;
                }
                hostile += 1;
            }
            self.members.transmit(now_ns);
        }
        self.times.sort_unstable();
        self.times[self.times.len() * 99 / 100] as f64
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
#[ignore = "measures for a minute: cargo x siege hostile"]
fn nine_members_do_not_feel_a_tenth_that_sends_ten_times_what_it_may() {
    let site = site();
    let venue = site.start();
    let mut logins: Vec<Login> = (0..NORMAL)
        .map(|number| Login::parse(&format!("M{number}:x")).unwrap())
        .collect();
    logins.push(Login::parse("EVIL:x").unwrap());
    let limits = TcpLimits {
        connections: logins.len() as u16,
        ..TcpLimits::default()
    };
    let tcp = RealNet::new().tcp_client(limits).unwrap();
    let mut crowd = Crowd {
        members: Members::new(tcp, venue.order_entry(), &logins, 0),
        clock: RealClock::new(),
        due: vec![VecDeque::new(); NORMAL],
        times: Vec::new(),
        refused: 0,
        taken: 0,
    };
    while !crowd.members.all_live() {
        crowd.poll();
    }
    crowd.window(true);
    let (mut ratios, mut same, mut without, mut with) = (vec![], vec![], vec![], vec![]);
    (crowd.refused, crowd.taken) = (0, 0);
    for _ in 0..ROUNDS {
        let [before, hostile, after] = [false, true, false].map(|is| crowd.window(is));
        ratios.push(hostile / (before * after).sqrt());
        same.push((after / before).max(before / after));
        without.extend([before, after]);
        with.push(hostile);
    }
    let ratio = median(&mut ratios);
    println!(
        "99th percentile of nine members: {:.1} us without, {:.1} us with the hostile one; ratio \
         {ratio:.3} (from {:.3} to {:.3}), two seconds without it differ by {:.3}",
        median(&mut without) / 1e3,
        median(&mut with) / 1e3,
        ratios[0],
        ratios[ROUNDS - 1],
        median(&mut same)
    );
    println!(
        "of the hostile one's orders {} were refused, {} taken",
        crowd.refused, crowd.taken
    );
    assert!(crowd.refused > 5 * crowd.taken);
    assert!(ratio < RATIO_MAX.max(median(&mut same)), "{ratio}");
    venue.stop();
}
