//! Events of the engine to OUCH replies.

use wire::ouch::Tag;
use wire::ouch::outbound::fields::{
    Accepted, CancelReject, Canceled, Executed, PriorityUpdate, Rejected, Replaced, Restated,
    SystemEvent,
};
use wire::ring::{ACCESS_RATE, Event, EventKind, Reason, Side};

use super::OrderEntry;
use super::broken::broken_trade;
use super::drop_copy::{DropCopy, Owner, told};
use super::read::number_of;
use super::session::{Echo, Letters, Session};
use super::symbols::Symbol;
use crate::DAY_NS;
use crate::feed::cross_of;
use crate::store::REPLY_BYTES_MAX;

/// Added to the number of a [`Reason`] that has no reject code of Nasdaq's.
pub const REJECT_CODE_OWN: u16 = 0x8000;

/// The reject code that OUCH carries for a reason: Nasdaq's where its number is known, otherwise
/// [`REJECT_CODE_OWN`] plus the reason's number.
#[must_use]
pub const fn reject_code(reason: Reason) -> u16 {
    match reason {
        Reason::InvalidQuantity => 0x13,
        Reason::UnknownSymbol => 0x17,
        Reason::InvalidPrice => 0x1D,
        other => REJECT_CODE_OWN + other as u16,
    }
}

/// The reason that a reject code stands for; `None` for a code that this venue does not send.
#[must_use]
pub fn reject_reason(code: u16) -> Option<Reason> {
    (1..=u8::MAX)
        .filter_map(Reason::from_byte)
        .find(|reason| reject_code(*reason) == code)
}

/// The letter that OUCH carries for the reason of a cancellation. An order that does not find its
/// minimum quantity has the letter of those that do not trade at once; what the venue takes off by
/// a kill switch or a mass cancel of its own is supervisory.
#[must_use]
pub const fn cancel_letter(reason: Reason) -> u8 {
    match reason {
        Reason::User => b'U',
        Reason::ImmediateOrCancel | Reason::MinimumQuantity => b'I',
        Reason::DayClosed => b'E',
        Reason::Expired => b'T',
        Reason::SelfTrade => b'Q',
        Reason::AuctionOver => b'C',
        Reason::Killed | Reason::MassCancel => b'S',
        Reason::PriceBand => b'K',
        Reason::Halted => b'H',
        Reason::Restricted => b'D',
        _ => b'Z',
    }
}

impl OrderEntry {
    /// Takes an event of the engine, in order; `time_ns` is its input's. Where a store is full the
    /// oldest replies give way to the new one: see [`OrderEntry::is_full`].
    pub fn on_event(&mut self, event: &Event, time_ns: u64) {
        let timestamp = time_ns % DAY_NS;
        match EventKind::from_byte(event.kind) {
            Some(EventKind::SymbolDefined) => {
                self.define_symbol(event.symbol, event.related);
            }
            Some(EventKind::SessionDefined) => {
                let index = usize::from(event.session).wrapping_sub(1);
                if let Some(session) = self.sessions[..self.members.len()].get_mut(index) {
                    session.account = Some(event.user_ref);
                }
            }
            Some(EventKind::Granted) => self.granted(event),
            Some(EventKind::StateChanged) => {
                self.symbols.state_set(event.symbol, event.quantity);
            }
            Some(EventKind::AccessChanged) if event.quantity < u32::from(ACCESS_RATE) => {
                self.access(event.session, event.quantity);
            }
            Some(EventKind::AccessChanged) => self.set(event),
            Some(EventKind::MassCanceled | EventKind::Refused) if event.has(Event::OF_USER) => {
                self.tell_mass(event, timestamp);
            }
            Some(EventKind::DayOpened) => self.tell_all(timestamp, b'S'),
            Some(EventKind::DayClosed) => self.tell_all(timestamp, b'E'),
            Some(
                kind @ (EventKind::Accepted
                | EventKind::Replaced
                | EventKind::Canceled
                | EventKind::Reduced
                | EventKind::Executed
                | EventKind::Broken
                | EventKind::Refreshed
                | EventKind::Triggered
                | EventKind::Repriced
                | EventKind::Rejected
                | EventKind::CancelRejected),
            ) => self.tell(kind, event, timestamp),
            // A booked rest needs no word: Accepted said that the order is live.
            _ => {}
        }
    }

    /// Appends the reply to one member's store, and its copy to those of who watches the account.
    fn tell(&mut self, kind: EventKind, event: &Event, timestamp: u64) {
        let symbol = self.symbols.get(event.symbol);
        let Some(index) = self.member_of(event.session) else {
            self.counters.replies_lost += 1;
            return;
        };
        let account = self.account_of(index, event.session);
        let (members, watching) = self.sessions.split_at_mut(self.members.len());
        let session = &mut members[index];
        if matches!(kind, EventKind::Accepted | EventKind::Replaced) {
            session.accept_under(event.user_ref, event.session, number_of(index));
        }
        let is_watched = |copy: &DropCopy| copy.watches(account);
        let owner = Owner {
            account: account.unwrap_or(0),
            user: wire::padded(&self.members[index].user),
            is_wrong_firm: session.is_wrong_firm(event.user_ref),
        };
        self.counters.note_rejection(event);
        // Who has several accounts is told which one it is, unless it is the first.
        let mandated = account.filter(|_| event.session != number_of(index));
        let mut are_told = reply(session, kind, event, timestamp, (symbol, mandated));
        self.lists.wake(session.slot, &mut self.connections);
        let mut is_full = session.store.is_full();
        for (_, one) in self
            .drop_copies
            .iter()
            .zip(watching)
            .filter(|it| is_watched(it.0))
        {
            let message = told(kind, event, timestamp, symbol, &owner);
            are_told &= store(one, |out| message.encode(out));
            self.lists.wake(one.slot, &mut self.connections);
            is_full |= one.store.is_full();
        }
        self.counters.replies_lost += u64::from(!are_told);
        self.full |= is_full;
    }

    /// Appends a system event to every store.
    fn tell_all(&mut self, timestamp: u64, letter: u8) {
        for session in &mut self.sessions {
            let message = SystemEvent {
                timestamp,
                event: letter,
            };
            if !store(session, |out| message.encode(out)) {
                self.counters.replies_lost += 1;
            }
            self.lists.wake(session.slot, &mut self.connections);
            self.full |= session.store.is_full();
        }
    }
}

type Written = Result<usize, wire::Error>;

/// Writes a message into a member's store, unless it is kept elsewhere; `false` when it could not.
pub(super) fn store(session: &mut Session, write: impl FnOnce(&mut [u8]) -> Written) -> bool {
    if session.store.skip() {
        return true;
    }
    let mut out = [0; REPLY_BYTES_MAX];
    write(&mut out).is_ok_and(|bytes| session.store.push(&out[..bytes]))
}

/// Writes the reply that an event about a member's order causes; `mandated` is its account if that
/// is not the member's first one.
fn reply(
    session: &mut Session,
    kind: EventKind,
    event: &Event,
    timestamp: u64,
    (symbol, mandated): (Symbol, Option<u32>),
) -> bool {
    let user_ref = event.user_ref;
    let quantity = event.quantity;
    let reason = Reason::from_byte(event.reason).unwrap_or(Reason::InvalidField);
    match kind {
        EventKind::Accepted => accepted(session, event, timestamp, (symbol, mandated)),
        EventKind::Replaced => replaced(session, event, timestamp, (symbol, mandated)),
        EventKind::Canceled | EventKind::Reduced => {
            let reason = cancel_letter(reason);
            let message = Canceled {
                timestamp,
                user_ref,
                quantity,
                reason,
            };
            store(session, |out| message.encode(out))
        }
        EventKind::Executed => {
            let message = Executed {
                timestamp,
                user_ref,
                quantity,
                price: price_of(event),
                liquidity: liquidity(event, symbol),
                match_number: event.related,
            };
            store(session, |out| message.encode(out))
        }
        EventKind::Broken => {
            let message = broken_trade(event, reason, timestamp);
            store(session, |out| message.encode(out))
        }
        EventKind::Rejected => {
            let echo = session.echo(user_ref);
            let firm = echo.is_some_and(|echo| echo.wrong_firm) && reason == Reason::Unsupported;
            let reason = reject_code(if firm { Reason::WrongFirm } else { reason });
            let client_id = echo.map_or([b' '; 14], |echo| echo.client_id);
            let message = Rejected {
                timestamp,
                user_ref,
                reason,
                client_id,
            };
            let is_stored = store(session, |out| message.encode(out));
            session.refuse(event, echo.map(|echo| echo.content));
            is_stored && echo.is_some()
        }
        EventKind::Refreshed => {
            let message = Restated {
                timestamp,
                user_ref,
                reason: b'R',
            };
            let tags = [Tag::SecondaryRef(event.order_ref)];
            store(session, |out| message.encode_with(tags, out))
        }
        EventKind::Triggered | EventKind::Repriced => {
            let display = session.letters_of(user_ref).map(|letters| letters.display);
            let message = PriorityUpdate {
                timestamp,
                user_ref,
                price: price_of(event),
                display: display.unwrap_or(b'Y'),
                order_ref: event.order_ref,
            };
            store(session, |out| message.encode(out)) && display.is_some()
        }
        EventKind::CancelRejected => {
            let message = CancelReject {
                timestamp,
                user_ref,
            };
            store(session, |out| message.encode(out))
        }
        _ => false,
    }
}

/// A added, R removed; of an auction its own letter.
pub(super) const fn liquidity(event: &Event, symbol: Symbol) -> u8 {
    if event.has(Event::AUCTION) {
        cross_of(symbol.state)
    } else if event.has(Event::MAKER) {
        b'A'
    } else {
        b'R'
    }
}

fn accepted(
    session: &mut Session,
    event: &Event,
    timestamp: u64,
    (symbol, mandated): (Symbol, Option<u32>),
) -> bool {
    let echo = session.echo(event.user_ref);
    let Echo {
        letters,
        wire_letters,
        client_id,
        content,
        ..
    } = echo.unwrap_or_else(|| unknown(event));
    let message = Accepted {
        timestamp,
        user_ref: event.user_ref,
        side: wire_letters[0],
        quantity: event.leaves,
        symbol: symbol.name,
        price: price_of(event),
        time_in_force: wire_letters[1],
        display: letters[0],
        order_ref: event.order_ref,
        capacity: letters[1],
        intermarket_sweep: letters[2],
        cross_type: letters[3],
        state: b'L',
        client_id,
    };
    let known = Letters {
        side: message.side,
        capacity: message.capacity,
        cross_type: message.cross_type,
        display: message.display,
    };
    let tags = mandated.map(Tag::Account);
    store_accepted(session, (event.user_ref, known, content), |out| {
        message.encode_with(tags, out)
    }) && echo.is_some()
}

fn replaced(
    session: &mut Session,
    event: &Event,
    timestamp: u64,
    (symbol, mandated): (Symbol, Option<u32>),
) -> bool {
    let echo = session.echo(event.user_ref);
    let Echo {
        letters,
        wire_letters,
        client_id,
        content,
        ..
    } = echo.unwrap_or_else(|| unknown(event));
    let old = session.letters_of(event.old_user_ref);
    let known = Letters {
        display: letters[0],
        ..old.unwrap_or(Letters {
            side: side_letter(event),
            capacity: b' ',
            cross_type: b'N',
            display: b' ',
        })
    };
    let message = Replaced {
        timestamp,
        old_user_ref: event.old_user_ref,
        user_ref: event.user_ref,
        side: known.side,
        quantity: event.leaves,
        symbol: symbol.name,
        price: price_of(event),
        time_in_force: wire_letters[1],
        display: letters[0],
        order_ref: event.order_ref,
        capacity: known.capacity,
        intermarket_sweep: letters[2],
        cross_type: known.cross_type,
        state: b'L',
        client_id,
    };
    let tags = mandated.map(Tag::Account);
    store_accepted(session, (event.user_ref, known, content), |out| {
        message.encode_with(tags, out)
    }) && echo.is_some()
}

/// As [`store`], for a message that makes an order known.
fn store_accepted(
    session: &mut Session,
    (user_ref, letters, content): (u32, Letters, u32),
    write: impl FnOnce(&mut [u8]) -> Written,
) -> bool {
    let is_stored = store(session, write);
    if is_stored {
        session.accept(user_ref, letters, content);
    }
    is_stored
}

/// What stands in for an order that never came through here: the log is another venue's.
fn unknown(event: &Event) -> Echo {
    Echo {
        user_ref: event.user_ref,
        letters: *b"Y  N",
        wire_letters: [side_letter(event), b'0'],
        client_id: [b' '; 14],
        wrong_firm: false,
        number: event.session,
        content: 0,
    }
}

const fn side_letter(event: &Event) -> u8 {
    if event.side == Side::Sell as u8 {
        b'S'
    } else {
        b'B'
    }
}

/// Prices of taken orders are positive.
pub(super) const fn price_of(event: &Event) -> u64 {
    event.price.unsigned_abs()
}
