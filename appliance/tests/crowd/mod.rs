//! Members that trade at a fixed rate by an open loop, and one beside them that sends too much; all
//! on one thread, whose work is the same whether the hostile one's bytes reach the venue or not.

mod hostile;

pub use hostile::Hostile;

use crate::harness::paired::Random;
use appliance::client::members::{Login, Members};
use nic::{Clock, Net, RealClock, RealNet, SocketTcp, TcpLimits};
use session::ouch_client::{Order, Reply};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use wire::ouch::Outbound;

/// Between two windows, so that none feels the one before.
const PAUSE: Duration = Duration::from_millis(20);

/// An order that finds nobody and goes.
const ORDER: Order = Order {
    time_in_force: b'3',
    ..Order::day(b'B', 1, "AAPL", 10_000)
};

/// When orders are due, from the start of a window: at random, so many a second on average.
pub fn schedule(random: &mut Random, a_second: u64, window_ns: u64) -> Vec<u64> {
    let gap_ns = 1e9 / a_second as f64;
    let mut due_ns = 0.0;
    let steps = std::iter::from_fn(|| {
        due_ns -= random.unit().ln() * gap_ns;
        Some(due_ns as u64)
    });
    steps.take_while(|due_ns| *due_ns < window_ns).collect()
}

/// Members that keep to their limits.
pub struct Crowd {
    members: Members<SocketTcp>,
    clock: RealClock,
    /// When the orders were due that have no answer, by member.
    due: Vec<VecDeque<u64>>,
    times: Vec<u64>,
}

impl Crowd {
    /// Logged in.
    pub fn login(to: SocketAddr, logins: &[Login]) -> Self {
        let limits = TcpLimits {
            connections: logins.len() as u16,
            ..TcpLimits::default()
        };
        let tcp = RealNet::new().tcp_client(limits).unwrap();
        let mut crowd = Self {
            members: Members::new(tcp, to, logins, 0),
            clock: RealClock::new(),
            due: vec![VecDeque::new(); logins.len()],
            times: Vec::new(),
        };
        while !crowd.members.all_live() {
            crowd.poll();
        }
        crowd
    }

    fn poll(&mut self) -> u64 {
        let now_ns = self.clock.now_ns();
        let (due, times) = (&mut self.due, &mut self.times);
        let moved = self.members.poll(now_ns, &mut |index, reply| {
            if let Reply::Message(1.., Outbound::Accepted(_)) = reply {
                let due_ns = due[index].pop_front().unwrap();
                times.push(now_ns.saturating_sub(due_ns));
            }
        });
        moved.unwrap();
        now_ns
    }

    /// Everybody's orders when they are due, the hostile one's to the venue or past it; how long
    /// each order of the crowd took from then to its reply, in rising order.
    pub fn window(&mut self, due: &[u64], hostile: (&mut Hostile, &[u64], bool)) -> &[u64] {
        let (hostile, hostile_due, is_hostile) = hostile;
        hostile.prepare(hostile_due.len(), is_hostile);
        self.times.clear();
        // The system's own threads have their turn.
        std::thread::sleep(PAUSE);
        let start_ns = self.clock.now_ns();
        let (mut normal, mut sent) = (0, 0);
        while normal < due.len() || sent < hostile_due.len() || self.is_waiting() {
            let since_ns = self.poll().saturating_sub(start_ns);
            while let Some(due_ns) = due.get(normal).filter(|due_ns| **due_ns <= since_ns) {
                let index = normal % self.due.len();
                assert!(self.members.member(index).enter(&ORDER).is_some());
                self.due[index].push_back(start_ns + due_ns);
                normal += 1;
            }
            self.members.transmit(start_ns + since_ns);
            if hostile_due
                .get(sent)
                .is_some_and(|due_ns| *due_ns <= since_ns)
            {
                hostile.send_one();
                sent += 1;
            }
        }
        hostile.settle();
        self.times.sort_unstable();
        &self.times
    }

    fn is_waiting(&self) -> bool {
        self.due.iter().any(|due| !due.is_empty())
    }
}
