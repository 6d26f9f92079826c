//! What members may still ask for when the very last room of a full disk is left.

use crate::tiles::Signals;
use journal::Reserve;
use session::order_entry::OrderEntry;
use wire::ring::{Command, CommandKind};

/// Lets everything pass, or cancels only.
pub(super) struct LastRoom {
    is_last: bool,
    /// Numbers under which the engine has attributes whose order must follow: nothing of their
    /// members is read before it.
    owing: Vec<u16>,
}

impl LastRoom {
    /// By what the journal says now.
    pub(super) fn of(signals: &Signals, entry: &OrderEntry) -> Self {
        let is_last = signals.reserve() == Reserve::Last;
        let owing = if is_last {
            entry.owing().collect()
        } else {
            Vec::new()
        };
        Self { is_last, owing }
    }

    /// Whether a command is to be handed on; all others wait unread.
    pub(super) fn passes(&mut self, command: &Command) -> bool {
        let leaves = [
            CommandKind::Cancel,
            CommandKind::MassCancel,
            CommandKind::Presence,
        ];
        if !self.is_last || leaves.iter().any(|kind| *kind as u8 == command.kind) {
            return true;
        }
        let owed = self.owing.iter().position(|one| *one == command.session);
        owed.map(|at| self.owing.swap_remove(at)).is_some()
    }
}
