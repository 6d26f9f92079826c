//! What the venue refuses outside its stream of replies: what comes too fast, what it has no time
//! for, a cancel that the member's role does not allow.
//!
//! It keeps no such answer and uses up no number for it, so the report is the gateway's own.

use super::{Orders, Report};
use crate::order::cancel_reject;
use std::collections::VecDeque;
use wire::ouch::Outbound;

/// OUCH has no word for why a cancel is refused there.
const CANCEL_REFUSED: &str = "too many messages, or not permitted: nothing was cancelled";

impl Orders {
    /// Takes such an answer, and makes its report. What was refused may be asked for again.
    pub fn turned_away(&mut self, message: &Outbound<'_>, when: &str) -> Option<Report> {
        match message {
            Outbound::Rejected(told) => {
                let report = self.rejected((0, when), told);
                self.masses.remove(&told.user_ref());
                Some(report)
            }
            Outbound::CancelReject(told) => {
                let id = self.refused(told.user_ref())?;
                let order = self.by_ref.get(&told.user_ref());
                let body = cancel_reject(order, (&id, '1', 99), CANCEL_REFUSED);
                Some(Report::cancel_reject(body))
            }
            _ => None,
        }
    }

    /// Forgets the last cancel of an order, and gives its name.
    pub(super) fn refused(&mut self, user_ref: u32) -> Option<String> {
        let waiting = self.cancels.get_mut(&user_ref);
        // Those before it are with the engine, and are answered in the stream.
        waiting.and_then(VecDeque::pop_back)
    }
}
