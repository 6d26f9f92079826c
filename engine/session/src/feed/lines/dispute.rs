//! Lines that contradict one another: who is believed, and who is shut out.

use wire::mold::{HEADER_BYTES, Packet, Request};

use super::config::{LINES_MAX, Way};
use super::window::hash;
use super::{Lines, TAKEN};

/// Two ways brought different messages under one number.
#[derive(Clone, Copy)]
pub(super) struct Dispute {
    sequence: u64,
    /// The lines and the hashes of what they brought; the one that came later stands last.
    sides: [(usize, u64); 2],
    /// The hash of what was handed on, if it was already.
    taken: Option<u64>,
    since_ns: u64,
    ask_ns: u64,
}

impl Lines {
    /// Compares each message with what the other ways brought.
    pub(super) fn compare(&mut self, way: Way, packet: &Packet<'_>, now_ns: u64) {
        let own = way.index();
        for (sequence, message) in packet.blocks() {
            let hash = hash(message);
            if let Some(dispute) = self.dispute.filter(|it| it.sequence == sequence)
                && way == Way::Answer
            {
                self.judge(&dispute, Some(hash));
            }
            let taken = self.windows[TAKEN].get(sequence);
            self.prove(own, sequence, hash);
            let others = (0..=LINES_MAX).filter(|other| *other != own);
            let mut known = others.filter_map(|it| Some((it, self.windows[it].get(sequence)?)));
            let contrary = known.find(|(_, other)| *other != hash);
            self.windows[own].put(sequence, hash);
            match contrary {
                Some(other) => self.differ(sequence, [other, (own, hash)], taken, now_ns),
                None if way != Way::Answer => self.agree(own, taken.map(|taken| taken == hash)),
                None => {}
            }
        }
    }

    /// A message came that lines which are shut out may have brought before: who did proves itself.
    fn prove(&mut self, own: usize, sequence: u64, hash: u64) {
        for line in (0..self.config.lines).filter(|line| *line != own) {
            let is_shut = self.lines[line].quarantine.is_some();
            if is_shut && self.windows[line].get(sequence) == Some(hash) {
                self.agree(line, Some(true));
            }
        }
    }

    /// A line that is shut out brought a message; whether it is what was handed on, if it was.
    fn agree(&mut self, line: usize, is_same: Option<bool>) {
        let agree_messages = self.config.agree_messages;
        let quarantine = &mut self.lines[line].quarantine;
        *quarantine = match (*quarantine, is_same) {
            (Some(count), Some(true)) if count + 1 >= agree_messages => None,
            (Some(count), Some(true)) => Some(count + 1),
            (Some(_), Some(false)) => Some(0),
            (before, _) => before,
        };
    }

    /// Two ways brought different messages under one number.
    fn differ(&mut self, sequence: u64, sides: [(usize, u64); 2], taken: Option<u64>, now_ns: u64) {
        self.disputes += 1;
        let dispute = Dispute {
            sequence,
            sides,
            taken,
            since_ns: now_ns,
            ask_ns: now_ns,
        };
        let answer = sides.iter().find(|(way, _)| *way == LINES_MAX);
        if let Some(&(_, truth)) = answer {
            self.judge(&dispute, Some(truth));
        } else if sides
            .iter()
            .any(|(line, _)| self.lines[*line].quarantine.is_some())
        {
            // One of them is known to be wrong: it proved nothing yet.
            for (line, _) in sides {
                if self.lines[line].quarantine.is_some() {
                    self.lines[line].shut();
                }
            }
        } else if self.dispute.is_none() {
            self.dispute = Some(dispute);
        }
    }

    /// Shuts out the lines that brought something else than `truth`; where nobody knows it, the one
    /// that came later, and what was handed on is not to be trusted.
    fn judge(&mut self, dispute: &Dispute, truth: Option<u64>) {
        let [_, later] = dispute.sides;
        for (line, hash) in dispute.sides {
            let is_wrong = truth.map_or(line == later.0, |truth| hash != truth);
            if line < LINES_MAX && is_wrong {
                self.lines[line].shut();
            }
        }
        let taken = self.windows[TAKEN].get(dispute.sequence).or(dispute.taken);
        let is_wrong = truth.is_none() || taken.is_some_and(|taken| Some(taken) != truth);
        self.is_suspect |= is_wrong;
        if dispute.sequence >= self.sequence_next() {
            self.receiver.forget_held();
        }
        self.dispute = None;
    }

    /// The request that a dispute is to be settled with, if it is due.
    pub(super) fn dispute_poll(&mut self, now_ns: u64) -> Option<[u8; HEADER_BYTES]> {
        let mut dispute = self.dispute?;
        if now_ns.saturating_sub(dispute.since_ns) >= self.config.patience_ns {
            self.judge(&dispute, None);
            return None;
        }
        if now_ns < dispute.ask_ns {
            return None;
        }
        dispute.ask_ns = now_ns.saturating_add(self.config.receiver.retry_ns);
        let sequence = dispute.sequence;
        self.dispute = Some(dispute);
        let mut request = [0; HEADER_BYTES];
        let asked = Request {
            session: self.receiver.session()?,
            sequence,
            count: 1,
        };
        asked.encode(&mut request).ok().map(|_| request)
    }
}
