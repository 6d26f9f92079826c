//! How fast a member may send: a bucket of tokens, counted in nanoseconds.
//!
//! Whoever sends more is told so first, then logged out. A refusal costs the venue no command, no
//! record of the journal and no place in the stream of replies: it goes unsequenced, and a member
//! whose buffer is full of refusals is not read until it takes them.

use wire::ring::{Command, CommandKind, Reason};

use super::connection::Connection;
use super::mass::is_leaving;
use super::read::Step;
use super::refuse::refusal;
use super::{Cause, OrderEntry};
use crate::SECOND_NS;

/// What a member that is logged out for it is told.
const TOLD: &[u8] = b"too many messages: logged out";

const _: () = assert!(TOLD.len() <= super::SAY_BYTES_MAX);

/// How fast a member may send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// Messages a second that become commands; 0 for any number.
    pub a_second: u32,
    /// How many of them may come at once, 1 or more. Cancels may use as many again: who is too
    /// fast can still leave.
    pub at_once: u32,
    /// Refusals in a row after which it is logged out; 0 for never. A second without one ends the
    /// row.
    pub refusals_max: u32,
}

/// How fast mass cancels may come, whatever else a member may send: each is a way through all
/// books, for which everybody else waits. Those at once are two for each account that a user may
/// have.
const MASS: Rate = Rate {
    a_second: 2,
    at_once: 64,
    refusals_max: 0,
};

/// When the next message would be due if they came one by one.
#[derive(Default)]
struct Bucket {
    next_ns: u64,
}

impl Bucket {
    /// Whether another message is in time, where so many shares of those at once may be used.
    const fn passes(&self, rate: &Rate, shares: u64, now_ns: u64) -> bool {
        if rate.a_second == 0 {
            return true;
        }
        let ahead = (rate.at_once as u64 * shares).saturating_sub(1);
        self.next_ns.saturating_sub(now_ns) <= ahead * (SECOND_NS / rate.a_second as u64)
    }

    fn spend(&mut self, rate: &Rate, now_ns: u64) {
        if rate.a_second != 0 {
            self.next_ns = self.next_ns.max(now_ns) + SECOND_NS / u64::from(rate.a_second);
        }
    }
}

/// How fast a member was.
#[derive(Default)]
pub(super) struct Throttle {
    all: Bucket,
    mass: Bucket,
    /// The present row of refusals, and when the last one was.
    refusals: u32,
    refused_ns: u64,
}

impl Throttle {
    /// Whether another message is in time.
    const fn passes(&self, rate: &Rate, command: &Command, now_ns: u64) -> bool {
        let shares = if is_leaving(command) { 2 } else { 1 };
        self.all.passes(rate, shares, now_ns)
            && (!is_mass(command) || self.mass.passes(&MASS, 1, now_ns))
    }

    /// Notes a message that was taken.
    pub(super) fn spend(&mut self, rate: &Rate, command: &Command, now_ns: u64) {
        self.all.spend(rate, now_ns);
        if is_mass(command) {
            self.mass.spend(&MASS, now_ns);
        }
    }

    /// Refusals of the row that goes on now.
    const fn row(&self, now_ns: u64) -> u32 {
        if now_ns.saturating_sub(self.refused_ns) < SECOND_NS {
            self.refusals
        } else {
            0
        }
    }
}

const fn is_mass(command: &Command) -> bool {
    command.kind == CommandKind::MassCancel as u8
}

impl OrderEntry {
    /// What becomes of a command that comes too fast; none if it is in time.
    pub(super) fn throttle(
        &mut self,
        connection: &mut Connection,
        index: usize,
        command: &Command,
        now_ns: u64,
    ) -> Option<Step> {
        let rate = self.members[index].rate;
        let throttle = &mut self.sessions[index].throttle;
        if throttle.passes(&rate, command, now_ns) {
            return None;
        }
        let row = throttle.row(now_ns);
        if rate.refusals_max != 0 && row >= rate.refusals_max {
            throttle.refusals = 0;
            connection.words(TOLD);
            return Some(Step::Close(Cause::Throttled));
        }
        let (message, bytes) = refusal(command, Reason::RateLimit, now_ns);
        if !connection.control(b'U', &message[..bytes]) {
            return Some(Step::Held);
        }
        let throttle = &mut self.sessions[index].throttle;
        (throttle.refusals, throttle.refused_ns) = (row + 1, now_ns);
        self.counters.throttled_messages += 1;
        Some(Step::Taken)
    }
}
