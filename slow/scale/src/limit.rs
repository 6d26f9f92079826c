//! How many requests may be worked on at once, found out from how long they take.
//!
//! Additive increase, multiplicative decrease, as TCP does with its window (D. Chiu, R. Jain,
//! Computer Networks and ISDN Systems 17, 1989): while answers come within a goal and all places
//! are used there is one more place for each round of them; an answer that took longer takes a
//! quarter of the places away, once a round. By Little's law the limit so comes near to the goal
//! times what the server can answer, whatever that is today. No clock here: latencies are told.

/// The part of the places that is left after a late answer.
const DECREASE: f64 = 0.75;

/// A limit that follows latencies.
#[derive(Clone, Debug)]
pub struct Limit {
    least: f64,
    most: f64,
    goal_ns: u64,
    places: f64,
    running: u32,
    /// Answers until places may be taken away again: those that began before the last time.
    until_cut: u32,
    refused: u64,
}

impl Limit {
    /// Begins with the most places. `least` is 1 at least, `most` no less than that.
    #[must_use]
    pub fn new(least: u32, most: u32, goal_ns: u64) -> Self {
        let least = least.max(1);
        let most = most.max(least);
        Self {
            least: least.into(),
            most: most.into(),
            goal_ns,
            places: most.into(),
            running: 0,
            until_cut: 0,
            refused: 0,
        }
    }

    /// Takes a place, if there is one; [`Limit::answered`] or [`Limit::gone`] gives it back.
    pub fn begin(&mut self) -> bool {
        let has_place = self.running < self.places();
        if has_place {
            self.running += 1;
        } else {
            self.refused += 1;
        }
        has_place
    }

    /// A request was answered after so long.
    pub fn answered(&mut self, latency_ns: u64) {
        let was_used = self.running >= self.places();
        self.gone();
        self.until_cut = self.until_cut.saturating_sub(1);
        if latency_ns <= self.goal_ns {
            let more = if was_used { 1.0 / self.places } else { 0.0 };
            self.places = (self.places + more).min(self.most);
        } else if self.until_cut == 0 {
            self.places = (self.places * DECREASE).max(self.least);
            self.until_cut = self.running + 1;
        }
    }

    /// A request ended without an answer, of which nothing follows.
    pub fn gone(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    /// Places that there are.
    #[must_use]
    pub const fn places(&self) -> u32 {
        self.places as u32
    }

    /// Those that are taken.
    #[must_use]
    pub const fn running(&self) -> u32 {
        self.running
    }

    /// Requests that found none.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    const GOAL_NS: u64 = 100_000_000;

    /// A server that takes one request after the other, and a clock that only it moves.
    struct Server {
        now_ns: u64,
        /// When those that wait began.
        waiting: VecDeque<u64>,
        limit: Limit,
    }

    impl Server {
        fn new() -> Self {
            Self {
                now_ns: 0,
                waiting: VecDeque::new(),
                limit: Limit::new(2, 256, GOAL_NS),
            }
        }

        /// Answers so many requests, each after `each_ns`, while clients want more than there is;
        /// the places and the longest latency of the second half.
        fn besieged(&mut self, answers: u32, each_ns: u64) -> (u32, u32, u64) {
            let (mut least, mut most, mut longest_ns) = (u32::MAX, 0, 0);
            for answer in 0..answers {
                while self.limit.begin() {
                    self.waiting.push_back(self.now_ns);
                }
                assert_eq!(self.limit.running() as usize, self.waiting.len());
                self.now_ns += each_ns;
                let began_ns = self.waiting.pop_front().unwrap();
                self.limit.answered(self.now_ns - began_ns);
                assert!((2..=256).contains(&self.limit.places()));
                if answer >= answers / 2 {
                    least = least.min(self.limit.places());
                    most = most.max(self.limit.places());
                    longest_ns = longest_ns.max(self.now_ns - began_ns);
                }
            }
            (least, most, longest_ns)
        }
    }

    #[test]
    fn places_come_near_to_the_goal_times_what_is_answered() {
        let mut server = Server::new();
        // 1,000 a second: 100 of them take 100 ms.
        let (least, most, longest_ns) = server.besieged(20_000, 1_000_000);
        assert!(least >= 70 && most <= 102, "{least} to {most}");
        assert!(longest_ns <= GOAL_NS * 11 / 10, "{longest_ns}");
        // Ten times slower, and as fast again.
        let (least, most, longest_ns) = server.besieged(5_000, 10_000_000);
        assert!(least >= 6 && most <= 11, "{least} to {most}");
        assert!(longest_ns <= GOAL_NS * 12 / 10, "{longest_ns}");
        let (least, most, _) = server.besieged(40_000, 1_000_000);
        assert!(least >= 70 && most <= 102, "{least} to {most}");
        assert!(server.limit.refused() > 0);
    }

    #[test]
    fn bounds_hold_whatever_comes() {
        let mut server = Server::new();
        assert_eq!(
            server.besieged(4_000, 10 * GOAL_NS).1,
            2,
            "hopeless: the least"
        );
        let mut server = Server::new();
        assert_eq!(
            server.besieged(2_000, 1).0,
            256,
            "as fast as can be: the most"
        );
        let mut limit = Limit::new(0, 0, 1);
        assert!(limit.begin() && !limit.begin());
        limit.gone();
        limit.gone();
        assert_eq!(
            (limit.running(), limit.places(), limit.refused()),
            (0, 1, 1)
        );
    }

    #[test]
    fn who_does_not_use_the_places_gets_no_more_and_one_late_round_is_one_cut() {
        let mut limit = Limit::new(1, 1_000, GOAL_NS);
        while limit.begin() {}
        // A whole round is late: it is cut once for those that began together.
        for _ in 0..1_000 {
            limit.answered(GOAL_NS + 1);
        }
        assert_eq!((limit.places(), limit.running()), (750, 0));
        for _ in 0..10_000 {
            assert!(limit.begin());
            limit.answered(1);
        }
        assert_eq!(limit.places(), 750, "one at a time says nothing of 751");
    }
}
