//! What one line brought.

use wire::mold::Packet;

/// Packets of a line whose numbers are remembered, to tell a repeated one from a late one.
const RECENT: usize = 64;

/// What a line brought so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineCounters {
    /// Packets that made sense, whatever their session.
    pub packets: u64,
    /// Messages that came on this line first.
    pub messages: u64,
    /// Times that its numbers jumped ahead.
    pub gaps: u64,
    /// Packets that it had brought already.
    pub duplicates: u64,
    /// Packets that came behind later ones.
    pub late: u64,
    /// Messages it brought that were missing then.
    pub filled: u64,
    /// Packets of other sessions.
    pub other_session: u64,
    /// Packets that made no sense.
    pub malformed: u64,
    /// Times that it was shut out because it said something else than the others.
    pub quarantines: u64,
}

/// One line as it arrives.
pub(super) struct Line {
    pub(super) counters: LineCounters,
    /// Greatest number after a packet.
    pub(super) next: u64,
    /// That number, and since when the line has known of nothing behind it that was handed on.
    pub(super) behind: Option<(u64, u64)>,
    /// Number after the packet that came last.
    pub(super) next_last: u64,
    recent: [u64; RECENT],
    recent_at: usize,
    /// The session that its packets name, if that is not the one listened to.
    pub(super) session_other: Option<[u8; 10]>,
    /// Messages in a row that were as the others brought them, while it is shut out.
    pub(super) quarantine: Option<u64>,
    /// It was shut out because nobody could say who is right: a snapshot ends that.
    is_guess: bool,
}

impl Line {
    pub(super) const fn new() -> Self {
        Self {
            counters: LineCounters {
                packets: 0,
                messages: 0,
                gaps: 0,
                duplicates: 0,
                late: 0,
                filled: 0,
                other_session: 0,
                malformed: 0,
                quarantines: 0,
            },
            next: 0,
            behind: None,
            next_last: 0,
            recent: [0; RECENT],
            recent_at: 0,
            session_other: None,
            quarantine: None,
            is_guess: false,
        }
    }

    /// Begins with another session.
    pub(super) fn begin(&mut self) {
        self.next = 0;
        self.behind = None;
        self.next_last = 0;
        self.recent = [0; RECENT];
        self.session_other = None;
        self.pardon();
    }

    /// Counts what a packet of the session is on this line.
    pub(super) fn place(&mut self, packet: &Packet<'_>) {
        let (sequence, next) = (packet.sequence(), packet.next_sequence());
        self.session_other = None;
        self.next_last = next;
        if self.next > 0 && sequence > self.next {
            self.counters.gaps += 1;
        }
        if packet.message_count() > 0 {
            if sequence < self.next {
                let is_known = self.recent.contains(&sequence);
                self.counters.duplicates += u64::from(is_known);
                self.counters.late += u64::from(!is_known);
            }
            self.recent[self.recent_at] = sequence;
            self.recent_at = (self.recent_at + 1) % RECENT;
        }
        self.next = self.next.max(next);
    }

    /// Shuts the line out; as a guess, where nobody could say who is right.
    pub(super) fn shut(&mut self, is_guess: bool) {
        if self.quarantine.is_none() {
            self.counters.quarantines += 1;
            self.is_guess = is_guess;
        }
        self.is_guess &= is_guess;
        self.quarantine = Some(0);
    }

    /// Lets it in again if it was shut out by a guess.
    pub(super) fn pardon(&mut self) {
        if std::mem::take(&mut self.is_guess) {
            self.quarantine = None;
        }
    }
}
