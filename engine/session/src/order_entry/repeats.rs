//! An order that comes again is answered as it was the first time.
//!
//! A member that lost its connection cannot know what arrived, so it sends again, under the same
//! number, whatever it has no answer to. Which reply answered a number, and what the number asked
//! for, follows from the journal and is known after a restart too. So the gate reads that reply
//! again and sends it unsequenced: the stream of replies stays what it was, the engine hears
//! nothing, and no input is spent on it. What is not known to be a repeat goes to the engine, which
//! takes no number twice.
//!
//! What a number asked for is kept as a sum of 32 bits over all that the message says: another
//! order under a used number is not answered as if it were the one that was taken.

use std::collections::VecDeque;

use wire::ring::{Command, CommandKind, Event};

use super::OrderEntry;
use super::accepted::find;
use super::connection::Connection;
use super::read::Step;
use super::session::Session;
use crate::DAY_NS;
use crate::state::{Reader, StateError, list};
use crate::store::REPLY_BYTES_MAX;

/// Refusals that are known of a member: those of so many numbers in a row at least.
const REFUSED_MAX: usize = 1_024;

/// Mass cancels under way that are known of a member: more than a rate lets through in a minute.
const MASSES_MAX: usize = 256;

/// The sum of what cannot be told from others: what the gate refused itself is in the journal with
/// little more than its number. It is judged as often as it comes, and refused each time.
const UNTOLD: u32 = 0;

/// Odd, and its bits look like chance: the golden ratio of 2^64.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// Which reply answered a number, and what that asked for; reply 0 is none that is known.
#[derive(Clone, Copy, Default)]
struct Answer {
    reply: u32,
    content: u32,
}

/// The answers to a member's numbers.
#[derive(Default)]
pub(super) struct Answers {
    /// Those that took an order, in the order of the session's accepted ones.
    taken: Vec<Answer>,
    /// The last refusal of a number, in the place of the number's last bits.
    refused: Box<[(u32, Answer)]>,
    /// Mass cancels that the engine has not answered: number and what it asks for.
    masses: VecDeque<(u32, u32)>,
    /// The highest number that ever went to the engine.
    highest: u32,
}

/// What is known of a message that may have come before.
enum Before {
    /// Nothing: it is the engine's to judge.
    Unknown,
    /// It came, and the engine has not answered yet.
    UnderWay,
    /// This reply answered it.
    Answered(u64),
}

/// A reply that memory does not hold, on its way to a connection that repeated an order.
pub(super) struct Wanted {
    pub(super) reply: u64,
    /// Somebody was told that it is wanted.
    pub(super) is_asked: bool,
    /// What was found: the reply as a packet, or nothing where it cannot be had.
    pub(super) found: Option<Vec<u8>>,
}

impl Answers {
    pub(super) fn new(orders: usize) -> Self {
        Self {
            taken: Vec::with_capacity(orders),
            refused: vec![(0, Answer::default()); REFUSED_MAX].into(),
            masses: VecDeque::with_capacity(MASSES_MAX),
            highest: 0,
        }
    }

    /// Notes a command that goes to the engine under a number.
    pub(super) fn sent(&mut self, command: &Command) {
        let number = number_of(command);
        self.highest = self.highest.max(number);
        if is_mass(command) && self.masses.len() < MASSES_MAX {
            self.masses.push_back((number, content(None, command)));
        }
    }

    /// Notes that this reply took the order that was accepted last.
    pub(super) fn took(&mut self, reply: u64, content: u32) {
        let reply = u32::try_from(reply).unwrap_or(0);
        self.taken.push(Answer { reply, content });
    }

    /// Notes that this reply refused a number.
    pub(super) fn refused(&mut self, number: u32, reply: u64, content: u32) {
        let reply = u32::try_from(reply).unwrap_or(0);
        let place = self.refused.get_mut(number as usize % REFUSED_MAX);
        if let Some(place) = place.filter(|_| content != UNTOLD) {
            *place = (number, Answer { reply, content });
        }
    }

    /// Notes that a mass cancel was answered.
    pub(super) fn mass_answered(&mut self, number: u32) {
        if self.masses.front().is_some_and(|mass| mass.0 == number) {
            self.masses.pop_front();
        }
    }

    /// Forgets refusals from a number on: the member is told that this is the next one.
    pub(super) fn free(&mut self, next: u32) {
        if self.highest < next {
            return;
        }
        let above = self.refused.iter_mut().filter(|one| one.0 >= next);
        above.for_each(|one| *one = (0, Answer::default()));
    }

    fn refusal(&self, number: u32) -> Option<Answer> {
        let place = self.refused.get(number as usize % REFUSED_MAX)?;
        (place.0 == number).then_some(place.1)
    }
}

impl Session {
    /// What is known of a number that asks for this.
    fn before(&self, number: u32, asked: u32) -> Before {
        let Answers {
            taken,
            masses,
            highest,
            ..
        } = &self.answers;
        if number > *highest {
            return Before::Unknown;
        }
        if asked == UNTOLD {
            return Before::Unknown;
        }
        let is_it = |answer: &Answer| answer.content == asked && answer.reply != 0;
        let place = find(&self.accepted, number, |(of, _)| *of);
        let took = place.and_then(|place| taken.get(place).copied());
        let answers = [took, self.answers.refusal(number)];
        if let Some(answer) = answers.into_iter().flatten().find(is_it) {
            return Before::Answered(answer.reply.into());
        }
        let is_owed = self.owed.as_ref().is_some_and(|order| {
            order.user_ref == number && content(self.extra.as_ref(), order) == asked
        });
        if is_owed || masses.contains(&(number, asked)) || self.is_under_way(number, asked) {
            return Before::UnderWay;
        }
        Before::Unknown
    }

    /// Writes which replies answered which numbers.
    fn answers_state(&self, out: &mut Vec<u8>) {
        let put = |out: &mut Vec<u8>, answer: &Answer| {
            out.extend(answer.reply.to_le_bytes());
            out.extend(answer.content.to_le_bytes());
        };
        list(out, self.answers.taken.iter(), put);
        let is_one = |one: &&(u32, Answer)| one.1.reply != 0;
        let refused: Vec<&(u32, Answer)> = self.answers.refused.iter().filter(is_one).collect();
        list(out, refused.into_iter(), |out, (number, answer)| {
            out.extend(number.to_le_bytes());
            put(out, answer);
        });
    }

    /// Takes it, behind the accepted orders.
    fn answers_restore(&mut self, from: &mut Reader<'_>) -> Result<(), StateError> {
        let orders = self.accepted.len();
        let answers = &mut self.answers;
        answers.taken.clear();
        from.list("answers", |from| {
            answers.taken.push(answer(from)?);
            Ok(())
        })?;
        from.require("answers", answers.taken.len() == orders)?;
        from.list("refusals", |from| {
            let number = from.word("refusal.number")?;
            let Answer { reply, content } = answer(from)?;
            answers.refused(number, reply.into(), content);
            answers.highest = answers.highest.max(number);
            Ok(())
        })
    }
}

fn answer(from: &mut Reader<'_>) -> Result<Answer, StateError> {
    Ok(Answer {
        reply: from.word("answer.reply")?,
        content: from.word("answer.content")?,
    })
}

impl Answers {
    /// Goes on behind orders that were accepted under these numbers, of whose answers nothing is
    /// known.
    pub(super) fn begin_behind(&mut self, orders: usize, last: u32) {
        self.taken.resize(orders, Answer::default());
        self.highest = last;
    }
}

impl OrderEntry {
    /// What becomes of an order that came before; none of one that did not, or that is another one
    /// under its number: those are the engine's.
    pub(super) fn repeated(
        &mut self,
        connection: &mut Connection,
        index: usize,
        (extra, command): (Option<&Command>, &Command),
    ) -> Option<Step> {
        let (number, session) = (number_of(command), &self.sessions[index]);
        if command.kind == CommandKind::Cancel as u8 || number > session.answers.highest {
            return None;
        }
        let reply = match session.before(number, content(extra, command)) {
            Before::Unknown => return None,
            Before::UnderWay => return Some(Step::Held),
            Before::Answered(reply) => reply,
        };
        let mut message = [0; REPLY_BYTES_MAX];
        let step = match session.store.message(reply, &mut message) {
            Some(bytes) => again(connection, &message[..bytes]),
            None => self.again_from_elsewhere(connection, index, reply)?,
        };
        if matches!(step, Step::Taken) {
            connection.wanted = None;
            self.counters.repeats += 1;
        }
        Some(step)
    }

    /// The same of a reply that memory does not hold; none if it cannot be had.
    fn again_from_elsewhere(
        &self,
        connection: &mut Connection,
        index: usize,
        reply: u64,
    ) -> Option<Step> {
        let is_it = |wanted: &&mut Wanted| wanted.reply == reply;
        let wanted = connection.wanted.as_mut().filter(is_it);
        if let Some(packets) = wanted.and_then(|wanted| wanted.found.take()) {
            let step = first(&packets).map(|message| again(connection, message));
            if let Some(wanted) = &mut connection.wanted {
                wanted.found = Some(packets);
            }
            return step;
        }
        if !self.are_kept && self.sessions[index].store.covered() < reply {
            return None;
        }
        if connection
            .wanted
            .as_ref()
            .is_none_or(|it| it.reply != reply)
        {
            connection.wanted = Some(Wanted {
                reply,
                is_asked: false,
                found: None,
            });
        }
        Some(Step::Held)
    }

    /// Writes which replies answered which numbers, of all members.
    pub(super) fn answers_state(&self, out: &mut Vec<u8>) {
        for session in &self.sessions[..self.members.len()] {
            session.answers_state(out);
        }
    }

    /// Takes it, if bytes are left: a snapshot of an earlier version has none, and what was
    /// answered before it is the engine's to refuse.
    pub(super) fn answers_restore(&mut self, from: &mut Reader<'_>) -> Result<(), StateError> {
        if from.end().is_ok() {
            return Ok(());
        }
        let mut sessions = self.sessions[..self.members.len()].iter_mut();
        sessions.try_for_each(|session| session.answers_restore(from))
    }
}

/// Sends a reply again.
fn again(connection: &mut Connection, message: &[u8]) -> Step {
    match connection.refusal(message) {
        true => Step::Taken,
        false => Step::Held,
    }
}

/// The message of the first packet.
fn first(packets: &[u8]) -> Option<&[u8]> {
    let (length, rest) = packets.split_first_chunk()?;
    let packet = rest.get(..usize::from(u16::from_be_bytes(*length)))?;
    packet.get(1..)
}

const fn is_mass(command: &Command) -> bool {
    command.kind == CommandKind::MassCancel as u8
}

/// The member's number of an order or a mass cancel.
const fn number_of(command: &Command) -> u32 {
    if is_mass(command) {
        command.old_user_ref
    } else {
        command.user_ref
    }
}

/// A sum over all that an order asks for but its number: what follows from other orders, or from
/// the time, is left out.
pub(super) fn content(extra: Option<&Command>, order: &Command) -> u32 {
    if order.kind == CommandKind::Refuse as u8 {
        return UNTOLD;
    }
    if is_mass(order) {
        return mass_content(order.session, order.symbol, order.side);
    }
    let mut plain = Command {
        kind: 0,
        flags: 0,
        time_in_force: 0,
        user_ref: 0,
        ..*order
    };
    if plain.old_user_ref != 0 {
        // Of the order that it replaces.
        (plain.session, plain.letters[3]) = (0, 0);
    }
    let mut sum = fold(0, plain);
    if let Some(extra) = extra {
        // A time of day may be meant on the next day.
        let price = extra.price % DAY_NS as i64;
        let plain = Command {
            session: 0,
            user_ref: 0,
            price,
            ..*extra
        };
        sum = fold(sum, plain);
    }
    short(sum)
}

/// Of a sum what is kept.
const fn short(sum: u64) -> u32 {
    let short = (sum ^ sum >> 32) as u32;
    if short == UNTOLD { !UNTOLD } else { short }
}

fn fold(sum: u64, command: Command) -> u64 {
    let words: [u64; size_of::<Command>() / 8] = bytemuck::cast(command);
    let step = |sum: u64, word: u64| (sum ^ word).wrapping_mul(FACTOR).rotate_left(29);
    words.into_iter().fold(sum, step)
}

/// The same of a mass cancel: of which account, by the number that it goes under, of which symbol
/// and side.
fn mass_content(session: u16, symbol: u16, side: u8) -> u32 {
    let command = Command {
        kind: CommandKind::MassCancel as u8,
        side,
        symbol,
        session,
        ..Command::BLANK
    };
    short(fold(0, command))
}

/// What the mass cancel asked for that an event answers.
pub(super) fn mass_answered(event: &Event) -> u32 {
    mass_content(event.session, event.symbol, event.side)
}
