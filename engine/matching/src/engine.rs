//! The engine: one input in, its events out.

use bytemuck::{Pod, Zeroable};
use wire::ring::{ACCESS_GONE, Command, CommandKind, Event, EventKind, Input, PRICE_MAX, Reason};

use crate::accounts::Accounts;
use crate::after::After;
use crate::ahead::Ahead;
use crate::allocation::Sharing;
use crate::answers::{about, refused};
use crate::attributes::Asked;
use crate::books::{Book, Books};
use crate::bust::Busts;
use crate::carry::Carrier;
use crate::heap::Heap;
use crate::kill::Kills;
use crate::mandates::Mandate;
use crate::market::Market;
use crate::mass::Mass;
use crate::memory::{self, Tables};
use crate::minimum::Judged;
use crate::refs::Refs;
use crate::self_trade::Prevention;
use crate::slab::Slab;
use crate::states::Turn;
use crate::trade::Taker;
use crate::trie::Trie;
use crate::uncross::Search;
use crate::watch::Watch;
use crate::{Events, LimitError, Limits, Line, Step};

/// One session.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Session {
    /// The last reference number that an order was accepted under.
    pub(crate) user_ref_last: u32,
    pub(crate) account: u32,
    pub(crate) firm: [u8; 4],
    /// 0 unless it is defined; else the place of its account, which is 1 without places.
    pub(crate) defined: u16,
    /// What makes it more than a plain session: bits.
    pub(crate) extra: u8,
    /// What happens instead of a trade with its own account, [`Session::FREE_REFS`] and
    /// [`Session::HAS_MANDATES`].
    mode: u8,
}

impl Session {
    /// Its next order has attributes: what was asked stands beside.
    pub(crate) const ASKED: u8 = 1;
    /// Its references come in any order: none but those of its live orders is taken.
    const FREE_REFS: u8 = 0x80;
    /// Its user has mandates.
    const HAS_MANDATES: u8 = 0x40;
    /// The other bits of the mode.
    const PREVENTION: u8 = !(Self::FREE_REFS | Self::HAS_MANDATES);

    /// What a snapshot carries beside its number and what is asked for its next order.
    pub(crate) fn carry<C: Carrier>(&mut self, to: &mut C) -> Result<(), C::Error> {
        let Self {
            user_ref_last,
            account,
            firm,
            defined,
            extra,
            mode,
        } = self;
        *defined = 1;
        to.any("session.user_ref_last", user_ref_last)?;
        to.any("session.account", account)?;
        for letter in firm {
            to.any("session.firm", letter)?;
        }
        // Mandates have records of their own.
        *mode &= !Self::HAS_MANDATES;
        to.any("session.mode", mode)?;
        let prevention = Prevention::from_byte(*mode & !Self::FREE_REFS);
        to.check("session.mode", prevention.is_some())?;
        let is_last = *user_ref_last == 0 || *mode & Self::FREE_REFS == 0;
        to.check("session.user_ref_last", is_last)?;
        // All else that makes it more than a plain one follows from other records.
        debug_assert!(*extra & !(Self::ASKED | Self::ANY_KILL | Self::ANY_MANDATE) == 0);
        *extra &= Self::KEPT_KILLS;
        to.bits("session.killed", extra, Self::KEPT_KILLS)
    }

    #[inline]
    pub(crate) fn is_defined(&self) -> bool {
        self.defined != 0
    }

    /// What happens instead of a trade with its own account.
    pub(crate) fn prevention(&self) -> Prevention {
        Prevention::from_byte(self.mode & Self::PREVENTION).unwrap_or(Prevention::None)
    }

    /// Whether its references come in any order.
    #[inline]
    pub(crate) fn has_free_refs(&self) -> bool {
        self.mode & Self::FREE_REFS != 0
    }

    /// Whether its user has mandates, too.
    #[inline]
    pub(crate) fn has_mandates(&self) -> bool {
        self.mode & Self::HAS_MANDATES != 0
    }

    pub(crate) fn set_has_mandates(&mut self) {
        self.mode |= Self::HAS_MANDATES;
    }

    /// A mandate of this user for an account, which has a place; `kills` are the account's.
    pub(crate) fn mandate(&self, account: u32, place: u16, kills: u8) -> Self {
        Self {
            user_ref_last: 0,
            account,
            firm: self.firm,
            defined: place,
            extra: self.extra & Self::KILLED | kills | Self::MANDATE,
            mode: self.mode & Self::PREVENTION,
        }
    }

    /// Whether it can be a mandate of this user, who has no free references.
    pub(crate) fn is_fit_for(&self, user: &Self) -> bool {
        let is_alike = self.mode == user.mode & Self::PREVENTION && self.firm == user.firm;
        is_alike && !user.has_free_refs() && self.user_ref_last == 0
    }

    /// Notes the reference of an order that was accepted. Free ones leave the last one at 0, so
    /// that each is greater.
    #[inline]
    pub(crate) fn take_ref(&mut self, user_ref: u32) {
        if !self.has_free_refs() {
            self.user_ref_last = user_ref;
        }
    }

    /// Whether it is defined and there is nothing more to its next order.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.defined != 0 && self.extra == 0
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Day {
    Before = 0,
    Open = 1,
    Closed = 2,
}

/// What an input that needs more steps still has to do.
pub(crate) enum Pending {
    Nothing,
    /// An aggressor goes on trading.
    Sweep(Taker),
    /// An aggressor goes on being shared out.
    Share(Sharing),
    /// Orders expire before it is applied.
    Expire(Command),
    /// An order looks for its minimum quantity.
    Judge(Judged),
    /// Many orders leave.
    Leave(Mass),
    /// A symbol turns to another state.
    Turn(Turn),
    /// The price that an auction would have is looked for.
    Indicate(Command, Search),
    /// A peg's references are looked for before it is applied.
    Look(Command),
    /// Consequences.
    After,
}

/// A matching engine in the memory handed to it.
///
/// # Bounds
/// `New`, `Cancel`, `Replace` without trades: a constant number of steps, whatever the books hold;
/// each fill adds such a number. A look-up by reference compares at most 18 slots and walks at most
/// 48 branches, for each of the user's mandates if it has any; the next best price is at most 12
/// words away. One [`apply`](Engine::apply) or [`resume`](Engine::resume) does no more than
/// [`EVENTS_MAX`](crate::EVENTS_MAX) events' worth of this, or looks at 256 levels or orders for a
/// minimum quantity or while many orders leave, or at 1,024 symbols then. An order that is shared
/// out looks at each order of a level it meets up to four times, 256 looks a step. An order that
/// expires costs up to 20 steps along a heap more, a stop up to 80 branches of a tree each time
/// that its trigger is set, moved or gone.
///
/// What follows from an input is worked off in steps of at most 64 pieces: a trigger moved, a stop
/// elected, a peg priced, or 16 levels or orders looked at. Only what has to move is touched:
/// trailing stops whose trigger a trade moves, stops that it touches, pegs when their references
/// are others than before, all-or-none orders when units came to the book.
pub struct Engine<'m> {
    pub(crate) books: Books<'m>,
    /// By symbol, too.
    pub(crate) markets: &'m mut [Market],
    pub(crate) slab: Slab<'m>,
    /// Parts of the orders that expire.
    pub(crate) expiries: Heap<'m>,
    /// Symbols whose states end.
    pub(crate) timers: Heap<'m>,
    /// When the next order expires or the next state ends, the greatest number for never.
    pub(crate) due_ns: u64,
    /// Time of the present input.
    pub(crate) now_ns: u64,
    pub(crate) refs: Refs<'m>,
    pub(crate) sessions: &'m mut [Session],
    /// By session, too.
    pub(crate) asked: &'m mut [Asked],
    /// By session, too.
    pub(crate) mandates: &'m mut [Mandate],
    pub(crate) day: Day,
    /// Orders accepted so far.
    pub(crate) orders_taken: u64,
    /// Matches made so far.
    pub(crate) matches: u64,
    pub(crate) kills: Kills,
    /// By symbol.
    pub(crate) watches: &'m mut [Watch],
    pub(crate) after: After<'m>,
    pub(crate) accounts: Accounts<'m>,
    pub(crate) busts: Busts<'m>,
    pub(crate) pending: Pending,
    pub(crate) ahead: Ahead,
}

impl<'m> Engine<'m> {
    /// Makes an engine without symbols and sessions, before its day. Clears the memory; lines
    /// beyond [`Limits::lines`] are not used.
    ///
    /// # Errors
    /// A limit out of its range, or fewer lines than [`Limits::lines`] says.
    pub fn new(limits: Limits, memory: &'m mut [Line]) -> Result<Self, LimitError> {
        limits.check()?;
        let (needed, given) = (limits.lines(), memory.len());
        let memory = memory
            .get_mut(..needed)
            .ok_or(LimitError::TooFewLines { needed, given })?;
        let Tables {
            books,
            markets,
            sessions,
            asked,
            mandates,
            orders,
            parts,
            expiries,
            timers,
            slots,
            branches,
            levels,
            dark,
            groups,
            nodes,
            cache,
            watches,
            marked,
            accounts,
            broken,
        } = memory::cut(&limits, memory);
        let accounts = Accounts::new(accounts, books.len());
        Ok(Self {
            books: Books {
                books,
                levels,
                dark,
                trie: Trie::new(groups, nodes, cache),
            },
            markets,
            slab: Slab::new(orders, parts),
            expiries: Heap::new(expiries),
            timers: Heap::new(timers),
            due_ns: u64::MAX,
            now_ns: 0,
            refs: Refs::new(slots, branches),
            sessions,
            asked,
            mandates,
            day: Day::Before,
            orders_taken: 0,
            matches: 0,
            kills: Kills::NONE,
            watches,
            after: After::new(marked),
            accounts,
            busts: Busts::new(broken),
            pending: Pending::Nothing,
            ahead: Ahead::EMPTY,
        })
    }

    /// Applies the next input and writes its events over `events`.
    ///
    /// # Panics
    /// If the input before is not [`Step::Done`] yet.
    #[inline(always)]
    pub fn apply(&mut self, input: &Input, events: &mut Events) -> Step {
        assert!(
            matches!(self.pending, Pending::Nothing),
            "resume the input before until it is done"
        );
        events.clear();
        self.now_ns = input.time_ns;
        if input.time_ns >= self.due_ns {
            return self.expire_then_apply(&input.command, events);
        }
        match self.apply_quickly(&input.command, events) {
            Some(()) => Step::Done,
            None => self.apply_now(&input.command, events),
        }
    }

    /// Applies a command before which nothing expires any more.
    #[inline(never)]
    pub(crate) fn apply_now(&mut self, command: &Command, events: &mut Events) -> Step {
        match CommandKind::from_byte(command.kind) {
            Some(CommandKind::New) => self.enter_new(command, events),
            Some(CommandKind::Cancel) => self.cancel(command, events),
            Some(CommandKind::Replace) => self.replace(command, events),
            Some(CommandKind::Amend) => self.amend(command, events),
            Some(CommandKind::CloseDay) => self.close_day(command, events),
            Some(CommandKind::Kill) => self.kill(command, events),
            Some(CommandKind::MassCancel) => self.mass_cancel(command, events),
            Some(CommandKind::SetState) => self.set_state(command, events),
            Some(CommandKind::Indicate) => self.indicate(command, events),
            Some(CommandKind::SetBands) => self.set_bands(command, events),
            Some(CommandKind::Bust) => self.bust(command, events),
            _ => {
                events.push(self.administer(command));
                Step::Done
            }
        }
    }

    /// The only event of a command that is about no order.
    #[cold]
    fn administer(&mut self, command: &Command) -> Event {
        match CommandKind::from_byte(command.kind) {
            Some(CommandKind::OpenDay) => self.open_day(command),
            Some(CommandKind::DefineSymbol) => self.define_symbol(command),
            Some(CommandKind::DefineSession) => self.define_session(command),
            Some(CommandKind::SetAllocation) => self.set_allocation(command),
            Some(CommandKind::SetLimit) => self.set_limit(command),
            Some(CommandKind::Extra) => self.extra(command),
            Some(CommandKind::Refuse) => self.refuse(command),
            Some(CommandKind::Access) => self.access(command),
            Some(CommandKind::Grant) => self.grant(command),
            Some(CommandKind::Trade) => self.name_trade(command),
            Some(CommandKind::Time | CommandKind::Presence | CommandKind::Remark) => {
                about(command, EventKind::Noted, Reason::None)
            }
            _ => refused(command, Reason::InvalidField),
        }
    }

    /// Goes on with an input whose last step was [`Step::More`]; writes over `events`. With nothing
    /// to go on with it is [`Step::Done`] and there are no events.
    pub fn resume(&mut self, events: &mut Events) -> Step {
        events.clear();
        self.release(events);
        let step = match core::mem::replace(&mut self.pending, Pending::Nothing) {
            Pending::Nothing => Step::Done,
            Pending::Sweep(mut taker) => self.trade(&mut taker, events),
            Pending::Share(sharing) => self.share_on(sharing, events),
            Pending::Expire(command) => self.expire_then_apply(&command, events),
            Pending::Judge(judged) => self.judge_on(judged, events),
            Pending::Leave(mass) => self.leave_on(mass, events),
            Pending::Turn(turn) => self.turn_on(turn, events),
            Pending::Indicate(command, search) => self.indicate_on(command, search, events),
            Pending::Look(command) => self.enter_asked(&command, events),
            Pending::After => Step::Done,
        };
        self.ended(step, events)
    }

    fn define_symbol(&mut self, command: &Command) -> Event {
        if command.symbol == 0 || !(0..=PRICE_MAX).contains(&command.price) {
            return refused(command, Reason::InvalidField);
        }
        let tick = (command.price as u32).max(1);
        match self.books.books.get_mut(usize::from(command.symbol)) {
            Some(book) if !book.is_defined() => {
                let [a, b, c, d, e, f, g, h, ..] = command.client_id;
                let name = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
                *book = Book::define(name, tick);
                Event {
                    related: name,
                    ..about(command, EventKind::SymbolDefined, Reason::None)
                }
            }
            _ => refused(command, Reason::TableFull),
        }
    }

    fn define_session(&mut self, command: &Command) -> Event {
        let [mode, free, ..] = command.letters;
        if command.session == 0 || Prevention::from_byte(mode).is_none() || free > 1 {
            return refused(command, Reason::InvalidField);
        }
        let mode = mode | if free == 1 { Session::FREE_REFS } else { 0 };
        let kills = self.kills_of(command.user_ref);
        match self.sessions.get_mut(usize::from(command.session)) {
            Some(session) if session.defined == 0 => {
                let place = self.accounts.join(command.user_ref, command.session);
                let Some(place) = place else {
                    return refused(command, Reason::TableFull);
                };
                let [a, b, c, d, ..] = command.client_id;
                let (account, firm) = (command.user_ref, [a, b, c, d]);
                *session = Session {
                    account,
                    firm,
                    defined: place,
                    extra: kills,
                    mode,
                    ..Session::zeroed()
                };
                about(command, EventKind::SessionDefined, Reason::None)
            }
            _ => refused(command, Reason::TableFull),
        }
    }

    /// Passes on what an operator does to a session that there is.
    fn access(&self, command: &Command) -> Event {
        if command.flags > ACCESS_GONE {
            return refused(command, Reason::InvalidField);
        }
        let session = self.sessions.get(usize::from(command.session));
        if !session.is_some_and(Session::is_defined) {
            return refused(command, Reason::UnknownSession);
        }
        Event {
            quantity: command.flags.into(),
            ..about(command, EventKind::AccessChanged, Reason::None)
                .with_client_id(command.client_id)
        }
    }

    fn open_day(&mut self, command: &Command) -> Event {
        if self.day != Day::Before {
            return refused(command, Reason::NotOpen);
        }
        self.day = Day::Open;
        about(command, EventKind::DayOpened, Reason::None)
    }

    #[cold]
    fn close_day(&mut self, command: &Command, events: &mut Events) -> Step {
        if self.day != Day::Open {
            events.push(refused(command, Reason::NotOpen));
            return Step::Done;
        }
        self.day = Day::Closed;
        self.leave_all(command, 0, Reason::DayClosed, events)
    }
}
