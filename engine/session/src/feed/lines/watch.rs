//! What is missing, late, silent or suspect, and when only a snapshot helps.

use super::Lines;
use super::line::Line;
use crate::feed::receiver::State;

impl Lines {
    /// Whether the books are behind what they should be, or may be: nothing came for too long, or
    /// something is missing for too long, or was wrong, or a line has named another session for too
    /// long.
    #[must_use]
    pub fn is_stale(&self, now_ns: u64) -> bool {
        let is_late = |since_ns: u64| now_ns.saturating_sub(since_ns) >= self.config.stale_ns;
        let is_silent = is_late(self.fresh_ns) && self.state() != State::Ended;
        self.is_suspect || is_silent || self.change_ns.is_some_and(is_late)
    }

    /// Whether more was handed on, for too long, than a line knows of that goes on being heard.
    pub(super) fn is_ahead_of(&mut self, line: usize, now_ns: u64) -> bool {
        let line = &mut self.lines[line];
        let known = line.next;
        if known >= self.receiver.sequence_next() {
            line.behind = None;
            return false;
        }
        match line.behind {
            Some((next, since_ns)) if next == known => {
                now_ns.saturating_sub(since_ns) >= self.config.patience_ns
            }
            _ => {
                line.behind = Some((known, now_ns));
                false
            }
        }
    }

    pub(super) fn freshen(&mut self, now_ns: u64) {
        let is_whole = matches!(self.receiver.state(), State::Live | State::Ended);
        if is_whole && !self.is_suspect {
            self.fresh_ns = now_ns;
        }
    }

    /// Notes since when the next message is missing.
    pub(super) fn gap_watch(&mut self, now_ns: u64) {
        let expected = self.receiver.sequence_next();
        match (self.receiver.state(), self.gap) {
            (State::Gap, Some((missing, _))) if missing == expected => {}
            (State::Gap, _) => self.gap = Some((expected, now_ns)),
            _ => self.gap = None,
        }
    }

    pub(super) fn wants_snapshot(&self, now_ns: u64) -> bool {
        if !self.config.has_snapshots || now_ns < self.snapshot_ns {
            return false;
        }
        let is_late = |since_ns: u64| now_ns.saturating_sub(since_ns) >= self.config.patience_ns;
        let missing = self
            .receiver
            .announced()
            .saturating_sub(self.sequence_next());
        match self.receiver.state() {
            State::Joining | State::Waiting => false,
            _ if self.is_suspect || self.change_ns.is_some_and(is_late) => true,
            State::Gap if missing > self.config.gap_messages_max => true,
            State::Gap => self.gap.is_some_and(|(_, since_ns)| is_late(since_ns)),
            State::Live | State::Ended => {
                let names = |line: &Line| line.session_other.is_some();
                is_late(self.fresh_ns) && self.lines.iter().any(names)
            }
        }
    }
}
