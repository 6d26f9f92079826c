//! Refusals that the engine has no part in.
//!
//! They go unsequenced: they cost no command, no record of the journal and no place in the stream
//! of replies, and the reference is not used up.

use wire::ouch::outbound::fields::{CancelReject, Rejected};
use wire::ring::{Command, CommandKind, Reason};

use super::OrderEntry;
use super::connection::Connection;
use super::mass::is_leaving;
use super::read::Step;
use super::replies::reject_code;
use crate::DAY_NS;

/// Bytes of the longest refusal.
const REFUSAL_BYTES_MAX: usize = 64;

/// The message that refuses a command, and its length.
pub(super) fn refusal(
    command: &Command,
    reason: Reason,
    now_ns: u64,
) -> ([u8; REFUSAL_BYTES_MAX], usize) {
    let mut message = [0; REFUSAL_BYTES_MAX];
    let timestamp = now_ns % DAY_NS;
    // A mass cancel has its number elsewhere, and no name.
    let (user_ref, client_id) = if command.kind == CommandKind::MassCancel as u8 {
        (command.old_user_ref, [b' '; 14])
    } else {
        (command.user_ref, command.client_id)
    };
    let written = if command.kind == CommandKind::Cancel as u8 {
        CancelReject {
            timestamp,
            user_ref,
        }
        .encode(&mut message)
    } else {
        let refused = Rejected {
            timestamp,
            user_ref,
            reason: reject_code(reason),
            client_id,
        };
        refused.encode(&mut message)
    };
    // The array is longer than both.
    (message, written.unwrap_or(0))
}

impl OrderEntry {
    /// What becomes of a cancel that the member may not ask for; none of all else, about which the
    /// engine decides.
    pub(super) fn forbid(
        &mut self,
        connection: &mut Connection,
        command: &Command,
        now_ns: u64,
    ) -> Option<Step> {
        let is_cancel = command.kind == CommandKind::Cancel as u8;
        if !is_cancel || self.may_cancel(command.session) {
            return None;
        }
        let (message, bytes) = refusal(command, Reason::NotPermitted, now_ns);
        if !connection.refusal(&message[..bytes]) {
            return Some(Step::Held);
        }
        self.counters.not_permitted += 1;
        Some(Step::Taken)
    }

    /// What becomes of an order while the venue has too much to do; none if it has not. Who leaves
    /// is not refused.
    pub(super) fn turn_away(
        &mut self,
        connection: &mut Connection,
        command: &Command,
        now_ns: u64,
    ) -> Option<Step> {
        if !self.is_overloaded || is_leaving(command) {
            return None;
        }
        let (message, bytes) = refusal(command, Reason::Overloaded, now_ns);
        if !connection.refusal(&message[..bytes]) {
            return Some(Step::Held);
        }
        self.counters.overloaded += 1;
        Some(Step::Taken)
    }
}
