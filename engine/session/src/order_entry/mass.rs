//! A member takes many of its orders off at once: those of one account, of a symbol and a side if
//! it names them.

use wire::ouch::Tag;
use wire::ouch::inbound::MassCancel;
use wire::ouch::outbound::fields::{MassCancelResponse, Rejected};
use wire::ring::{Command, CommandKind, Event, EventKind, MASS_OF_USER, Reason, Side};

use super::OrderEntry;
use super::read::number_of;
use super::repeats::mass_answered;
use super::replies::{reject_code, store};
use super::session::Letters;

/// What of an order must fit, as a `MassCancel` says it.
const SESSION_ACCOUNT: u8 = 1 | 2;
const SIDE: u8 = 4;
const SYMBOL: u8 = 8;

/// Neither side.
const NO_SIDE: u8 = u8::MAX;

/// What stands for a mass cancel where orders have their letters.
const NO_LETTERS: Letters = Letters {
    side: 0,
    capacity: 0,
    cross_type: 0,
    display: 0,
};

/// Whether a command takes orders off and brings none: what passes where orders do not.
pub(super) const fn is_leaving(command: &Command) -> bool {
    command.kind == CommandKind::Cancel as u8 || command.kind == CommandKind::MassCancel as u8
}

impl OrderEntry {
    /// The command of Mass Cancel; one that names what is not the member's, or is not there, is
    /// refused as an order would be.
    pub(super) fn mass_cancel(&self, index: usize, asked: &MassCancel<'_>) -> Command {
        self.mass_of(index, asked).unwrap_or_else(|reason| Command {
            kind: CommandKind::Refuse as u8,
            flags: reason as u8,
            session: number_of(index),
            user_ref: asked.user_ref(),
            client_id: [b' '; 14],
            ..Command::BLANK
        })
    }

    fn mass_of(&self, index: usize, asked: &MassCancel<'_>) -> Result<Command, Reason> {
        let firm = asked.firm();
        if firm != [b' '; 4] && firm != self.members[index].firm {
            return Err(Reason::WrongFirm);
        }
        let session = self.number_new(index, asked.tags())?;
        let account = self.account_of(index, session);
        let mut command = Command {
            kind: CommandKind::MassCancel as u8,
            side: NO_SIDE,
            flags: MASS_OF_USER,
            session,
            user_ref: account.ok_or(Reason::WrongAccount)?,
            old_user_ref: asked.user_ref(),
            letters: [SESSION_ACCOUNT, 0, 0, 0],
            ..Command::BLANK
        };
        if !self.may_cancel(session) {
            return Err(Reason::NotPermitted);
        }
        for tag in asked.tags() {
            command.side = match tag {
                Tag::Account(_) => continue,
                Tag::Side(b'B') => Side::Buy as u8,
                Tag::Side(b'S') => Side::Sell as u8,
                _ => return Err(Reason::Unsupported),
            };
            command.letters[0] |= SIDE;
        }
        if asked.symbol() != [b' '; 8] {
            command.symbol = self.symbols.number(asked.symbol());
            command.letters[0] |= SYMBOL;
        }
        let is_known = command.symbol != 0 || command.letters[0] & SYMBOL == 0;
        is_known.then_some(command).ok_or(Reason::UnknownSymbol)
    }

    /// Answers a member's mass cancel, behind what it made of each order.
    pub(super) fn tell_mass(&mut self, event: &Event, timestamp: u64) {
        let Some(index) = self.member_of(event.session) else {
            self.counters.replies_lost += 1;
            return;
        };
        let symbol = self.symbols.get(event.symbol);
        let firm = self.members[index].firm;
        let session = &mut self.sessions[index];
        let user_ref = event.old_user_ref;
        session.answers.mass_answered(user_ref);
        let content = mass_answered(event);
        let is_told = if event.kind == EventKind::MassCanceled as u8 {
            let answer = MassCancelResponse {
                timestamp,
                user_ref,
                firm,
                symbol: symbol.name,
            };
            let account = (event.session != number_of(index)).then_some(event.user_ref);
            let side = match Side::from_byte(event.side) {
                Some(Side::Buy) => Some(b'B'),
                Some(Side::Sell) => Some(b'S'),
                None => None,
            };
            let tags = account.map(Tag::Account).into_iter();
            let tags = tags.chain(side.map(Tag::Side));
            let tags = tags.chain([Tag::Orders(event.quantity)]);
            let is_stored = store(session, |out| answer.encode_with(tags, out));
            session.accept(user_ref, NO_LETTERS, content);
            is_stored
        } else {
            let reason = Reason::from_byte(event.reason).unwrap_or(Reason::InvalidField);
            let refused = Rejected {
                timestamp,
                user_ref,
                reason: reject_code(reason),
                client_id: [b' '; 14],
            };
            let is_stored = store(session, |out| refused.encode(out));
            if reason != Reason::DuplicateUserRef {
                let reply = session.store.count();
                session.answers.refused(user_ref, reply, content);
            }
            is_stored
        };
        let is_full = session.store.is_full();
        self.lists.wake(session.slot, &mut self.connections);
        self.counters.replies_lost += u64::from(!is_told);
        self.full |= is_full;
    }
}
