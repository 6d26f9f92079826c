//! What must have been heard, told by a naive model from nothing but the journal.

use flow::Naive;
use journal::simulated::Disk;
use matching::Engine;
use trading::Books;
use wire::ring::{Command, CommandKind, Input, Side};

use crate::reply::{Reply, reply_of, tell};

/// The journal's inputs and what a naive model makes of them.
pub struct Oracle {
    pub inputs: Vec<Input>,
    pub naive: Naive,
    /// What each session must have heard, from session 1 on.
    pub replies: Vec<Vec<Reply>>,
}

impl Oracle {
    /// Reads the disk's journal.
    pub fn read(disk: &Disk, sessions: u16) -> Result<Self, String> {
        let mut inputs = Vec::new();
        journal::recover(&mut disk.storage(), &mut |input| inputs.push(*input))
            .map_err(|error| error.to_string())?;
        let mut naive = Naive::new();
        let mut replies = vec![Vec::new(); usize::from(sessions)];
        for input in &inputs {
            for event in naive.apply(input) {
                tell(&event, input, &mut replies);
            }
        }
        Ok(Self {
            inputs,
            naive,
            replies,
        })
    }

    /// Whether the engine's books are the model's, order by order.
    pub fn check_engine(&self, engine: &Engine<'_>) -> Result<(), String> {
        for symbol in self.naive.symbols() {
            for side in [Side::Buy, Side::Sell] {
                let mut found = Vec::new();
                engine.orders(symbol, side, |order| {
                    found.push((order.order_ref, order.price, order.quantity));
                });
                self.check_side("the engine's", symbol, side, &found)?;
            }
        }
        Ok(())
    }

    /// Whether the books made from the feed are the model's, order by order.
    pub fn check_feed(&self, books: &Books) -> Result<(), String> {
        for symbol in self.naive.symbols() {
            for side in [Side::Buy, Side::Sell] {
                let orders = books
                    .book(symbol)
                    .into_iter()
                    .flat_map(|book| book.orders(side));
                let found: Vec<_> = orders
                    .map(|order| (order.order_ref, order.price, order.quantity))
                    .collect();
                self.check_side("the feed's", symbol, side, &found)?;
            }
        }
        if books.live_orders() != self.naive.live_orders() {
            return Err(format!(
                "the feed has {} orders in all",
                books.live_orders()
            ));
        }
        Ok(())
    }

    fn check_side(
        &self,
        whose: &str,
        symbol: u16,
        side: Side,
        found: &[(u64, i64, u32)],
    ) -> Result<(), String> {
        let due: Vec<(u64, i64, u32)> = self
            .naive
            .orders(symbol, side)
            .map(|order| (order.order_ref, order.price, order.open))
            .collect();
        if due == found {
            return Ok(());
        }
        let at = due
            .iter()
            .zip(found)
            .take_while(|(due, found)| due == found)
            .count();
        Err(format!(
            "{whose} book of symbol {symbol} {side:?} differs at {at}: {:?} where {:?} is due",
            found.get(at),
            due.get(at)
        ))
    }

    /// Whether a member heard what it must, from the first reply on; with `is_all` to the last.
    pub fn check_replies(
        &self,
        session: u16,
        heard: &[Vec<u8>],
        is_all: bool,
    ) -> Result<(), String> {
        let due = &self.replies[usize::from(session) - 1];
        for (index, bytes) in heard.iter().enumerate() {
            let found = reply_of(bytes)?;
            if due.get(index) != Some(&found) {
                return Err(format!(
                    "member {session} heard as reply {}: {found:?} where {:?} is due",
                    index + 1,
                    due.get(index)
                ));
            }
        }
        if is_all && heard.len() != due.len() {
            return Err(format!(
                "member {session} heard {} replies where {} are due",
                heard.len(),
                due.len()
            ));
        }
        Ok(())
    }

    /// Whether the journal holds of a session only what it sent, in that order, each once.
    pub fn check_sent(&self, session: u16, sent: &[Command]) -> Result<(), String> {
        let mut sent = sent.iter();
        for input in &self.inputs {
            let of_session = input.command.session == session && is_members(&input.command);
            if of_session && !sent.any(|one| same(one, &input.command)) {
                return Err(format!(
                    "member {session} never sent input {}",
                    input.sequence
                ));
            }
        }
        Ok(())
    }

    /// Inputs that members made.
    pub fn commands(&self) -> u64 {
        self.inputs
            .iter()
            .filter(|input| is_members(&input.command))
            .count() as u64
    }
}

fn is_members(command: &Command) -> bool {
    let kinds = [CommandKind::New, CommandKind::Replace, CommandKind::Cancel];
    kinds.iter().any(|kind| *kind as u8 == command.kind)
}

/// Whether a journaled command is the one that was sent, in all that its message carries.
fn same(sent: &Command, journaled: &Command) -> bool {
    let basic = |one: &Command| (one.kind, one.user_ref, one.old_user_ref, one.quantity);
    let order = |one: &Command| (one.price, one.time_in_force, one.client_id);
    let place = |one: &Command| (one.symbol, one.side, one.letters);
    let is_cancel = sent.kind == CommandKind::Cancel as u8;
    let is_new = sent.kind == CommandKind::New as u8;
    basic(sent) == basic(journaled)
        && (is_cancel || order(sent) == order(journaled))
        && (!is_new || place(sent) == place(journaled))
}
