//! Amendments: another price or fewer units under the same reference.

use wire::ring::{Command, CommandKind};

use crate::{Engine, Events, Step};

impl Engine<'_> {
    /// Reduces an order where that is all that is asked, else replaces it.
    #[inline(never)]
    pub(crate) fn amend(&mut self, command: &Command, events: &mut Events) -> Step {
        let Command {
            session,
            user_ref,
            quantity,
            price,
            ..
        } = *command;
        let found = self.find_order(session, user_ref);
        let mut asked = Command {
            kind: CommandKind::Replace as u8,
            old_user_ref: user_ref,
            ..*command
        };
        if let Some(found) = found {
            let order = &self.slab.orders[found.order as usize];
            asked.quantity = quantity.saturating_add(self.slab.executed(order));
            let stays = i64::from(self.price_of(found.order)) == price;
            if stays && (1..=order.open()).contains(&quantity) {
                asked.kind = CommandKind::Cancel as u8;
                return self.cancel(&asked, events);
            }
        }
        self.replace(&asked, events)
    }
}
