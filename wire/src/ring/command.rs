//! The blank command.

use super::Command;

impl Command {
    /// All zero: what commands that set few fields are made of.
    pub const BLANK: Self = Self {
        kind: 0,
        side: 0,
        time_in_force: 0,
        flags: 0,
        symbol: 0,
        session: 0,
        user_ref: 0,
        old_user_ref: 0,
        quantity: 0,
        letters: [0; 4],
        price: 0,
        client_id: [0; 14],
        wire_letters: [0; 2],
    };
}
