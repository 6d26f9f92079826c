//! Lines that contradict one another: who is believed, and who is shut out.

use wire::mold::{HEADER_BYTES, Packet, Request};

use super::config::{LINES_MAX, Way};
use super::window::hash;
use super::{Lines, TAKEN};

/// Disputes that wait to be settled, at most: beyond them what was handed on is suspect.
pub(super) const DISPUTES_MAX: usize = 16;

/// Two ways brought different messages under one number.
#[derive(Clone, Copy)]
pub(super) struct Dispute {
    sequence: u64,
    /// The ways and the hashes of what they brought; the one that came later stands last.
    sides: [(usize, u64); 2],
    /// The hash of what was handed on, if it was already.
    taken: Option<u64>,
    /// When it was first asked about, and when it is to be again.
    asked_ns: Option<(u64, u64)>,
}

impl Lines {
    /// Compares each message with what the other ways brought.
    pub(super) fn compare(&mut self, way: Way, packet: &Packet<'_>) {
        let own = way.index();
        for (sequence, message) in packet.blocks() {
            let hash = hash(message);
            let about = |it: &Dispute| it.sequence == sequence;
            if way == Way::Answer
                && let Some(place) = self.open.iter().position(about)
                && let Some(dispute) = self.open.remove(place)
            {
                self.judge(&dispute, Some(hash));
            }
            let taken = self.windows[TAKEN].get(sequence);
            self.prove(own, sequence, hash);
            // What was handed on counts by itself: who brought it may have brought more since, so
            // that it is not remembered there.
            let others = (0..=TAKEN).filter(|other| *other != own);
            let mut known = others.filter_map(|it| Some((it, self.windows[it].get(sequence)?)));
            let contrary = known.find(|(_, other)| *other != hash);
            self.windows[own].put(sequence, hash);
            match contrary {
                Some(other) => self.differ(sequence, [other, (own, hash)], taken),
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
    fn differ(&mut self, sequence: u64, sides: [(usize, u64); 2], taken: Option<u64>) {
        self.disputes += 1;
        let dispute = Dispute {
            sequence,
            sides,
            taken,
            asked_ns: None,
        };
        let answer = sides.iter().find(|(way, _)| *way == LINES_MAX);
        if let Some(&(_, truth)) = answer {
            self.judge(&dispute, Some(truth));
            return;
        }
        let is_shut = |way: usize| way < LINES_MAX && self.lines[way].quarantine.is_some();
        let shut = sides.map(|(way, _)| is_shut(way));
        if shut == [false, false] {
            self.dispute(dispute);
            return;
        }
        // One of them is known to be wrong: it proved nothing yet, and what it brought may have
        // been handed on before that was known.
        for ((way, hash), is_shut) in sides.into_iter().zip(shut) {
            if is_shut {
                self.lines[way].shut(true);
                self.is_suspect |= taken == Some(hash);
            }
        }
    }

    /// A line that is heard has said for long that nothing came behind a number, while more was
    /// handed on: the last of that is asked for, and suspect if nobody has it.
    pub(super) fn doubt(&mut self) {
        let sequence = self.sequence_next().saturating_sub(1);
        let taken = self.windows[TAKEN].get(sequence);
        let side = (TAKEN, taken.unwrap_or(0));
        if self.open.iter().all(|it| it.sequence != sequence) {
            self.dispute(Dispute {
                sequence,
                sides: [side, side],
                taken,
                asked_ns: None,
            });
        }
    }

    fn dispute(&mut self, dispute: Dispute) {
        if self.open.len() < DISPUTES_MAX {
            self.open.push_back(dispute);
        } else {
            self.is_suspect = true;
        }
    }

    /// Shuts out the lines that brought something else than `truth`; where nobody knows it, the one
    /// that came later, and what was handed on is not to be trusted.
    fn judge(&mut self, dispute: &Dispute, truth: Option<u64>) {
        let [_, later] = dispute.sides;
        for (way, hash) in dispute.sides {
            let is_wrong = truth.map_or(way == later.0, |truth| hash != truth);
            if way < LINES_MAX && is_wrong {
                self.lines[way].shut(truth.is_none());
            }
        }
        let taken = self.windows[TAKEN].get(dispute.sequence).or(dispute.taken);
        let is_wrong = truth.is_none() || taken.is_some_and(|taken| Some(taken) != truth);
        self.is_suspect |= is_wrong;
        // What a line brought that is shut out now may be among it.
        self.receiver.forget_held();
    }

    /// The request that a dispute is to be settled with, if it is due.
    pub(super) fn dispute_poll(&mut self, now_ns: u64) -> Option<[u8; HEADER_BYTES]> {
        let dispute = self.open.front_mut()?;
        let (since_ns, ask_ns) = dispute.asked_ns.unwrap_or((now_ns, now_ns));
        if now_ns.saturating_sub(since_ns) >= self.config.patience_ns {
            let dispute = self.open.pop_front()?;
            self.judge(&dispute, None);
            return None;
        }
        if now_ns < ask_ns {
            return None;
        }
        let again_ns = now_ns.saturating_add(self.config.receiver.retry_ns);
        dispute.asked_ns = Some((since_ns, again_ns));
        let mut request = [0; HEADER_BYTES];
        let asked = Request {
            session: self.receiver.session()?,
            sequence: dispute.sequence,
            count: 1,
        };
        asked.encode(&mut request).ok().map(|_| request)
    }
}
