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
use crate::random::Random;
use crate::reply::reply_of;
use crate::wiring::{symbol_name, user_name};
use crate::wish::{Sending, Wish};

/// Reasons of refusals that are never in the stream: too fast, and too much to do.
const ASIDE: [u16; 2] = [0x8023, 0x8026];

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
    /// Messages that were looked at, in the stream and outside it.
    seen: usize,
    seen_aside: usize,
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
            seen_aside: 0,
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
            self.answered(user_ref);
        }
        while let Some(reply) = self.caller.aside.get(self.seen_aside) {
            self.seen_aside += 1;
            if let Some(user_ref) = repeated(reply) {
                self.answered(user_ref);
            }
        }
        Ok(())
    }

    /// A number was answered. Bytes come in order: what was sent before has arrived, too.
    fn answered(&mut self, user_ref: u32) {
        let is_it = |one: &Sending| {
            one.command.kind != CommandKind::Cancel as u8 && one.command.user_ref == user_ref
        };
        if let Some(at) = self.unanswered.iter().position(is_it) {
            self.unanswered.drain(..=at);
        }
    }

    /// Whether all that was told outside the stream as a reply that was told before is one of the
    /// stream's, byte for byte; the stream was heard to its end.
    pub fn check_repeats(&self) -> Result<u64, String> {
        let heard: BTreeSet<&[u8]> = self.caller.heard.iter().map(Vec::as_slice).collect();
        let mut count = 0;
        for reply in self.caller.aside.iter().filter(|it| repeated(it).is_some()) {
            if !heard.contains(reply.as_slice()) {
                let (session, reply) = (self.session, reply_of(reply));
                return Err(format!(
                    "member {session} was told again what it never was: {reply:?}"
                ));
            }
            count += 1;
        }
        Ok(count)
    }

    /// An order of those that were sent, and whether it is to be changed: sent again, or another
    /// one under its number.
    pub fn repeat(&mut self, random: &mut Random) -> Option<bool> {
        let place = random.below(self.sent.len().max(1) as u64) as usize;
        let mut sending = *self.sent.get(place)?;
        if sending.command.kind == CommandKind::Cancel as u8 {
            return None;
        }
        // What the journal holds of an order with attributes could not be told from the first one.
        let is_changed = sending.extra().is_none() && random.chance(250_000);
        if is_changed {
            sending.wish = match sending.wish {
                Wish::Mass(has_symbol, side) => Wish::Mass(!has_symbol, side),
                other => other,
            };
            sending.command.quantity += 1;
        }
        self.todo.push_back(sending);
        Some(is_changed)
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

/// The number of an order that a message outside the stream answers as it was answered before; none
/// of what is refused outside the stream.
fn repeated(reply: &[u8]) -> Option<u32> {
    match Outbound::parse(reply) {
        Ok(Outbound::Accepted(one)) => Some(one.user_ref()),
        Ok(Outbound::Replaced(one)) => Some(one.user_ref()),
        Ok(Outbound::MassCancelResponse(one)) => Some(one.user_ref()),
        Ok(Outbound::Rejected(one)) if !ASIDE.contains(&one.reason()) => Some(one.user_ref()),
        _ => None,
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
