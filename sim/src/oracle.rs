//! What must have been heard, told by a naive model from nothing but the journal.

use flow::Naive;
use journal::simulated::Disk;
use matching::Engine;
use trading::Books;
use wire::ouch::Outbound;
use wire::padded;
use wire::ring::{Command, CommandKind, Event, EventKind, Input, Reason, Side};

use crate::wiring::symbol_name;

const DAY_NS: u64 = 86_400_000_000_000;

/// The journal's inputs and what a naive model makes of them.
pub struct Oracle {
    pub inputs: Vec<Input>,
    pub naive: Naive,
    /// What each session must have heard, from session 1 on.
    pub replies: Vec<Vec<Reply>>,
}

/// A reply as a member can tell it from others; fields that it does not have are zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    letter: u8,
    timestamp: u64,
    user_ref: u32,
    old_user_ref: u32,
    quantity: u32,
    price: u64,
    order_ref: u64,
    match_number: u64,
    /// Reject code, letter of a cancellation, liquidity flag, or letter of a system event.
    detail: u16,
    /// Side and time in force.
    letters: [u8; 2],
    symbol: [u8; 8],
    client_id: [u8; 14],
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
            "{whose} book of symbol {symbol} {side:?} differs at place {at}: {:?} where {:?} is due",
            found.get(at),
            due.get(at)
        ))
    }

    /// Whether a member heard what it must, from the first reply on; with `is_all` also to the last.
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

/// Adds the replies that an event of the model calls for.
fn tell(event: &Event, input: &Input, replies: &mut [Vec<Reply>]) {
    let timestamp = input.time_ns % DAY_NS;
    let kind = EventKind::from_byte(event.kind);
    if let Some(EventKind::DayOpened | EventKind::DayClosed) = kind {
        let detail = if kind == Some(EventKind::DayOpened) {
            b'S'
        } else {
            b'E'
        };
        let reply = Reply {
            letter: b'S',
            timestamp,
            detail: detail.into(),
            ..Reply::default()
        };
        replies.iter_mut().for_each(|one| one.push(reply.clone()));
        return;
    }
    let about = Reply {
        timestamp,
        user_ref: event.user_ref,
        ..Reply::default()
    };
    let reply = kind.and_then(|kind| reply_to(kind, event, &input.command, about));
    let session = replies.get_mut(usize::from(event.session).wrapping_sub(1));
    if let (Some(reply), Some(session)) = (reply, session) {
        session.push(reply);
    }
}

fn reply_to(kind: EventKind, event: &Event, command: &Command, about: Reply) -> Option<Reply> {
    let side = if event.side == Side::Buy as u8 {
        b'B'
    } else {
        b'S'
    };
    let quantity = event.quantity;
    let taken = Reply {
        quantity,
        price: event.price.unsigned_abs(),
        order_ref: event.order_ref,
        letters: [side, command.wire_letters[1]],
        symbol: padded(&symbol_name(event.symbol)),
        client_id: command.client_id,
        ..about.clone()
    };
    match kind {
        EventKind::Accepted => Some(Reply {
            letter: b'A',
            ..taken
        }),
        EventKind::Replaced => Some(Reply {
            letter: b'U',
            old_user_ref: event.old_user_ref,
            ..taken
        }),
        EventKind::Canceled | EventKind::Reduced => {
            let letter = match Reason::from_byte(event.reason) {
                Some(Reason::ImmediateOrCancel) => b'I',
                Some(Reason::DayClosed) => b'E',
                _ => b'U',
            };
            Some(Reply {
                letter: b'C',
                quantity,
                detail: letter.into(),
                ..about
            })
        }
        EventKind::Executed => {
            let liquidity = if event.has(Event::MAKER) { b'A' } else { b'R' };
            Some(Reply {
                letter: b'E',
                quantity,
                price: event.price.unsigned_abs(),
                match_number: event.related,
                detail: liquidity.into(),
                ..about
            })
        }
        EventKind::Rejected => {
            let detail = reject_code(event.reason);
            Some(Reply {
                letter: b'J',
                detail,
                client_id: command.client_id,
                ..about
            })
        }
        EventKind::CancelRejected => Some(Reply {
            letter: b'I',
            ..about
        }),
        _ => None,
    }
}

/// The codes of docs/wire.md.
fn reject_code(reason: u8) -> u16 {
    match Reason::from_byte(reason) {
        Some(Reason::InvalidQuantity) => 0x13,
        Some(Reason::UnknownSymbol) => 0x17,
        Some(Reason::InvalidPrice) => 0x1D,
        _ => 0x8000 + u16::from(reason),
    }
}

/// Reads what a member heard.
fn reply_of(bytes: &[u8]) -> Result<Reply, String> {
    let none = Reply {
        letter: bytes.first().copied().unwrap_or(0),
        ..Reply::default()
    };
    Ok(
        match Outbound::parse(bytes).map_err(|error| format!("unreadable reply: {error}"))? {
            Outbound::SystemEvent(m) => Reply {
                timestamp: m.timestamp(),
                detail: m.event().into(),
                ..none
            },
            Outbound::Accepted(m) => Reply {
                timestamp: m.timestamp(),
                user_ref: m.user_ref(),
                quantity: m.quantity(),
                price: m.price(),
                order_ref: m.order_ref(),
                letters: [m.side(), m.time_in_force()],
                symbol: m.symbol(),
                client_id: m.client_id(),
                ..none
            },
            Outbound::Replaced(m) => Reply {
                timestamp: m.timestamp(),
                user_ref: m.user_ref(),
                old_user_ref: m.old_user_ref(),
                quantity: m.quantity(),
                price: m.price(),
                order_ref: m.order_ref(),
                letters: [m.side(), m.time_in_force()],
                symbol: m.symbol(),
                client_id: m.client_id(),
                ..none
            },
            Outbound::Canceled(m) => Reply {
                timestamp: m.timestamp(),
                user_ref: m.user_ref(),
                quantity: m.quantity(),
                detail: m.reason().into(),
                ..none
            },
            Outbound::Executed(m) => Reply {
                timestamp: m.timestamp(),
                user_ref: m.user_ref(),
                quantity: m.quantity(),
                price: m.price(),
                match_number: m.match_number(),
                detail: m.liquidity().into(),
                ..none
            },
            Outbound::Rejected(m) => Reply {
                timestamp: m.timestamp(),
                user_ref: m.user_ref(),
                detail: m.reason(),
                client_id: m.client_id(),
                ..none
            },
            Outbound::CancelReject(m) => Reply {
                timestamp: m.timestamp(),
                user_ref: m.user_ref(),
                ..none
            },
            other => return Err(format!("a reply that nothing calls for: {other:?}")),
        },
    )
}
