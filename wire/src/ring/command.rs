//! What is done with commands.

use super::{Command, Condition};

impl Command {
    /// Amount of an `Extra`'s condition.
    #[must_use]
    pub const fn amount(&self) -> i32 {
        let [_, _, _, _, a, b, c, d, ..] = self.client_id;
        i32::from_le_bytes([a, b, c, d])
    }

    /// The same `Extra` with a condition and its amount.
    #[must_use]
    pub const fn with_condition(mut self, condition: Condition, amount: i32) -> Self {
        self.letters[1] = condition as u8;
        let [a, b, c, d] = amount.to_le_bytes();
        self.client_id[4] = a;
        self.client_id[5] = b;
        self.client_id[6] = c;
        self.client_id[7] = d;
        self
    }

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
