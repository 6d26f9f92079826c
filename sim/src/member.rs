//! A member: sends what it is given, keeps every reply, and sends again what nobody answered when
//! its connection broke.

use std::collections::{BTreeSet, VecDeque};
use std::io;

use wire::ouch::Outbound;
use wire::ouch::inbound::fields::{CancelOrder, EnterOrder, MassCancel, ReplaceOrder};
use wire::ring::{Command, CommandKind};
use wire::{Error, padded};

use crate::caller::Caller;
use crate::net::Wires;
use crate::wiring::{symbol_name, user_name};
use crate::wish::{Sending, Wish};

/// Room for any order message.
const MESSAGE_BYTES: usize = 128;

/// One member and all it knows.
pub struct Member {
    session: u16,
    pub caller: Caller,
    /// Commands that are not sent yet.
    pub todo: VecDeque<Sending>,
    /// Commands that were sent, whether they arrived or not, each time.
    pub sent: Vec<Sending>,
    /// Commands that were sent and that nothing tells to have arrived, in their order.
    unanswered: VecDeque<Sending>,
    /// Numbers of orders that were accepted.
    accepted: BTreeSet<u32>,
    /// Messages that were looked at.
    seen: usize,
    /// Commands that were sent again.
    pub resent: u64,
}

impl Member {
    /// Member number `session`, not connected.
    pub fn new(wires: &Wires, session: u16) -> io::Result<Self> {
        Ok(Self::by(Caller::new(wires, &user_name(session))?, session))
    }

    /// The same behind a gateway.
    pub fn behind(session: u16, chunks_max: usize) -> Self {
        Self::by(Caller::behind(&user_name(session), chunks_max), session)
    }

    fn by(caller: Caller, session: u16) -> Self {
        Self {
            session,
            caller,
            todo: VecDeque::new(),
            sent: Vec::new(),
            unanswered: VecDeque::new(),
            accepted: BTreeSet::new(),
            seen: 0,
            resent: 0,
        }
    }

    /// Whether it is logged in, has nothing left to say and has an answer to every order.
    pub fn is_done(&self) -> bool {
        let is_order = |one: &Sending| one.command.kind != CommandKind::Cancel as u8;
        self.caller.is_done() && self.todo.is_empty() && !self.unanswered.iter().any(is_order)
    }

    /// Where it stands, for messages.
    pub fn standing(&self) -> String {
        format!(
            "{}, {} to send, {} unanswered",
            self.caller.standing(),
            self.todo.len(),
            self.unanswered.len()
        )
    }

    /// One turn; whether it had anything to do. An error is a promise that the venue broke.
    pub fn poll(&mut self, now_ns: u64) -> Result<bool, String> {
        let turn = self.caller.receive(now_ns)?;
        self.look()?;
        if turn.logged_in {
            // What broke with the last connection may have arrived or not: the venue must tell the
            // one from the other.
            self.resent += self.unanswered.len() as u64;
            while let Some(last) = self.unanswered.pop_back() {
                self.todo.push_front(last);
            }
        }
        let sent = if self.caller.is_live() {
            self.send()?
        } else {
            0
        };
        self.caller.transmit(now_ns);
        Ok(turn.is_busy || sent > 0)
    }

    /// Looks at the replies that came: what they answer, and that none is accepted twice.
    fn look(&mut self) -> Result<(), String> {
        while let Some(reply) = self.caller.heard.get(self.seen) {
            self.seen += 1;
            let (user_ref, is_accepted) = match Outbound::parse(reply) {
                Ok(Outbound::Accepted(one)) => (one.user_ref(), true),
                Ok(Outbound::Replaced(one)) => (one.user_ref(), true),
                Ok(Outbound::MassCancelResponse(one)) => (one.user_ref(), true),
                Ok(Outbound::Rejected(one)) => (one.user_ref(), false),
                _ => continue,
            };
            if is_accepted && !self.accepted.insert(user_ref) {
                return Err(format!(
                    "member {}: number {user_ref} was executed twice",
                    self.session
                ));
            }
            // Bytes come in order: what was sent before has arrived, too.
            let answered = |one: &Sending| {
                one.command.kind != CommandKind::Cancel as u8 && one.command.user_ref == user_ref
            };
            if let Some(at) = self.unanswered.iter().position(answered) {
                self.unanswered.drain(..=at);
            }
        }
        Ok(())
    }

    fn send(&mut self) -> Result<usize, String> {
        let mut count = 0;
        while let Some(sending) = self.todo.front() {
            let mut message = [0; MESSAGE_BYTES];
            let Ok(bytes) = encode(sending, &mut message) else {
                return Err("a command that OUCH cannot say".into());
            };
            if !self.caller.say(&message[..bytes]) {
                break;
            }
            self.unanswered.push_back(*sending);
            self.sent.push(*sending);
            self.todo.pop_front();
            count += 1;
        }
        Ok(count)
    }
}

/// Writes a generated command as the message that a member would send.
fn encode(sending: &Sending, out: &mut [u8]) -> Result<usize, Error> {
    let command = &sending.command;
    let asked = sending.tags().into_iter().chain(sending.offset());
    let tags = asked.chain(sending.account_tag());
    let [display, capacity, intermarket_sweep, cross_type] = command.letters;
    let [side, time_in_force] = command.wire_letters;
    let Command {
        user_ref,
        old_user_ref,
        quantity,
        client_id,
        ..
    } = *command;
    let price = command.price.unsigned_abs();
    if let Wish::Mass(has_symbol, _) = sending.wish {
        let message = MassCancel {
            user_ref,
            firm: [b' '; 4],
            symbol: match has_symbol {
                true => padded(&symbol_name(command.symbol)),
                false => [b' '; 8],
            },
        };
        return message.encode_with(tags, out);
    }
    if command.kind == CommandKind::Cancel as u8 {
        return CancelOrder { user_ref, quantity }.encode(out);
    }
    if command.kind == CommandKind::Replace as u8 {
        let message = ReplaceOrder {
            old_user_ref,
            user_ref,
            quantity,
            price,
            time_in_force,
            display,
            intermarket_sweep,
            client_id,
        };
        return message.encode_with(tags, out);
    }
    let message = EnterOrder {
        user_ref,
        side,
        quantity,
        symbol: padded(&symbol_name(command.symbol)),
        price,
        time_in_force,
        display,
        capacity,
        intermarket_sweep,
        cross_type,
        client_id,
    };
    message.encode_with(tags, out)
}
