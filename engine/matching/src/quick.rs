//! The short way: plain orders that rest, leave, or rest in another's place, and no more.
//!
//! Nearly all commands are about such. Whether one is, is asked by as few looks as that takes, and
//! nothing is changed before all is known to be well. Whatever is not goes the long way, which
//! begins anew and finds the reason. What both do is the same, to the bit.
//!
//! It stands where an input is applied, without a call; the long way stays out of it, behind one.

use wire::ring::{
    Command, CommandKind, Event, EventKind, PRICE_MAX, QUANTITY_MAX, Reason, Side, TimeInForce,
};

use crate::answers::{canceled, code, of_order};
use crate::books::rank;
use crate::engine::Day;
use crate::events::{Words, pair};
use crate::slab::{Identity, NONE, ORDER_REF_MAX, Order};
use crate::{Engine, Events};

/// Where the first word of a command, as that of an event, has the side.
const SIDE: u64 = 1 << 8;
/// Side, symbol and session in the first word of either.
const WHO: u64 = SIDE | 0xFFFF_FFFF << 32;
/// What the first word of a plain order that may rest has none of: an unknown side, or another time
/// in force than the day.
const NOT_PLAIN: u64 = 0x00FF_FE00;

const _: () = assert!(TimeInForce::Day as u8 == 0);

/// A plain order that will rest.
#[derive(Clone, Copy)]
struct Plain {
    /// Side, symbol and session, where an event has them.
    head: u64,
    user_ref: u32,
    price: u32,
    /// Units: those that will rest, and those that traded before.
    open: u32,
    executed: u32,
    /// Where it will rest.
    level: u32,
}

impl Plain {
    /// What it is, but for its number.
    #[inline(always)]
    fn who(&self) -> Identity {
        Identity {
            head: self.head,
            order_ref: 0,
            user_ref: self.user_ref,
        }
    }
}

/// A plain order on a book.
#[derive(Clone, Copy)]
struct Resting {
    handle: u32,
    /// Where its reference is.
    home: usize,
    order: Order,
}

/// The first word of a command.
#[inline(always)]
fn head_of(command: &Command) -> u64 {
    let [head, ..] = *bytemuck::cast_ref::<Command, [u64; 6]>(command);
    head
}

/// An order that rests with all that is open of it.
#[inline(always)]
fn rested(kind: EventKind, plain: &Plain, who: &Identity) -> Words {
    let code = code(kind, Reason::None, Event::BOOKED | Event::LAST);
    of_order(who, code, pair(plain.open, plain.open), plain.price)
}

impl Engine<'_> {
    /// Applies a command if it is for the short way, and nothing came before it; its event is the
    /// only one then.
    #[inline(always)]
    pub(crate) fn apply_quickly(&mut self, command: &Command, events: &mut Events) -> Option<()> {
        match CommandKind::from_byte(command.kind)? {
            CommandKind::New => self.rest_quickly(command, events),
            CommandKind::Cancel => self.leave_quickly(command, events),
            CommandKind::Replace => self.replace_quickly(command, events),
            CommandKind::Amend => self.amend_quickly(command, events),
            _ => None,
        }
    }

    /// Lets a plain order rest that trades with nobody, if a command is about one.
    #[inline(always)]
    fn rest_quickly(&mut self, command: &Command, events: &mut Events) -> Option<()> {
        let head = head_of(command);
        if head & NOT_PLAIN != 0 {
            return None;
        }
        let plain = self.plain(command, command.quantity, head & WHO, 0)?;
        let home = self.refs.home((head >> 48) as u16, plain.user_ref);
        if !self.refs.is_clear(home) || !self.slab.has_room() {
            return None;
        }
        if self.accounts.is_kept {
            self.count_within(&plain.who(), plain.open, plain.price, None)?;
        }
        let who = self.note(&plain);
        events.put(rested(EventKind::Accepted, &plain, &who));
        let order = Order::new(&who, plain.open, plain.executed, plain.level);
        let handle = self.books.append(&mut self.slab, order);
        self.refs.put(home, handle);
        Some(())
    }

    /// Takes a plain order off its book, if a command is about one and is for all of it.
    #[inline(always)]
    fn leave_quickly(&mut self, command: &Command, events: &mut Events) -> Option<()> {
        if command.quantity != 0 {
            return None;
        }
        let found = self.find_quickly(command.session, command.user_ref)?;
        if self.is_watched(found.order.identity().symbol()) {
            return None;
        }
        let price = self.books.price(found.order.level);
        if self.accounts.is_kept {
            self.count_out(&found.order.identity(), found.order.open(), price);
        }
        self.refs.vacate(found.home);
        self.books
            .unlink_order(&mut self.slab, found.handle, &found.order);
        events.put(canceled(&found.order, price, Reason::User, Event::LAST));
        Some(())
    }

    /// Lets a plain order rest in another one's place and trade with nobody, if a command is about
    /// such.
    #[inline(always)]
    fn replace_quickly(&mut self, command: &Command, events: &mut Events) -> Option<()> {
        let found = self.find_quickly(command.session, command.old_user_ref)?;
        self.exchange(command, command.quantity, &found, events)
    }

    /// As [`Engine::replace_quickly`], if an amendment asks for another price.
    #[inline(always)]
    fn amend_quickly(&mut self, command: &Command, events: &mut Events) -> Option<()> {
        let found = self.find_quickly(command.session, command.user_ref)?;
        if i64::from(self.books.price(found.order.level)) == command.price {
            return None;
        }
        let quantity = command.quantity.saturating_add(found.order.executed());
        self.exchange(command, quantity, &found, events)
    }

    /// Puts an order of so many units in a found one's place.
    #[inline(always)]
    fn exchange(
        &mut self,
        command: &Command,
        quantity: u32,
        found: &Resting,
        events: &mut Events,
    ) -> Option<()> {
        let Resting {
            handle,
            home: home_old,
            order: old,
        } = *found;
        if command.time_in_force != TimeInForce::Day as u8 {
            return None;
        }
        let old_who = old.identity();
        let plain = self.plain(command, quantity, old_who.head, old.executed())?;
        let home = self.refs.home(command.session, plain.user_ref);
        if plain.user_ref != old_who.user_ref && !self.refs.is_clear(home) {
            return None;
        }
        if self.accounts.is_kept {
            let gone = (old.open(), self.books.price(old.level));
            self.count_within(&plain.who(), plain.open, plain.price, Some(gone))?;
        }
        let who = self.note(&plain);
        events.put(Words {
            user_refs: pair(who.user_ref, old_who.user_ref),
            related: old_who.order_ref,
            ..rested(EventKind::Replaced, &plain, &who)
        });
        let order = Order::new(&who, plain.open, plain.executed, plain.level);
        self.books.exchange(&mut self.slab, handle, &old, order);
        if home != home_old {
            self.refs.vacate(home_old);
            self.refs.put(home, handle);
        }
        Some(())
    }

    /// The plain order that a session calls so, if it is at home.
    #[inline(always)]
    fn find_quickly(&self, session: u16, user_ref: u32) -> Option<Resting> {
        let home = self.refs.home(session, user_ref);
        let handle = self.refs.order_at(home);
        let order = *self.slab.orders.get(handle as usize)?;
        let is_it = handle != NONE && order.is_named(session, user_ref) && !order.is_special();
        is_it.then_some(Resting {
            handle,
            home,
            order,
        })
    }

    /// The order of a command with which all is well, if it will rest and trade with nobody, at a
    /// price whose group is at hand.
    #[inline(always)]
    fn plain(&self, command: &Command, quantity: u32, head: u64, executed: u32) -> Option<Plain> {
        let book = self.books.books.get(usize::from((head >> 32) as u16))?;
        let session = self.sessions.get(usize::from((head >> 48) as u16))?;
        let Command { user_ref, .. } = *command;
        let is_well = self.day == Day::Open
            && self.orders_taken < ORDER_REF_MAX
            && session.is_plain()
            && book.is_plain()
            && user_ref > session.user_ref_last
            && quantity > executed
            && quantity <= QUANTITY_MAX
            && (1..=PRICE_MAX).contains(&command.price);
        if !is_well {
            return None;
        }
        let price = command.price as u32;
        // Most ticks are 1, and a division takes its time.
        if book.tick != 1 && !price.is_multiple_of(book.tick) {
            return None;
        }
        let side = if head & SIDE == 0 {
            Side::Buy
        } else {
            Side::Sell
        };
        let other = side.opposite();
        if book.best_rank(other) >= rank(other, price) {
            return None;
        }
        let level = self.books.find_near((head >> 32) as u16, side, price)?;
        let open = quantity - executed;
        Some(Plain {
            head,
            user_ref,
            price,
            open,
            executed,
            level,
        })
    }

    /// Counts an order that will rest; gives its identity.
    #[inline(always)]
    fn note(&mut self, plain: &Plain) -> Identity {
        self.orders_taken += 1;
        self.sessions[usize::from((plain.head >> 48) as u16)].take_ref(plain.user_ref);
        Identity {
            head: plain.head,
            order_ref: self.orders_taken,
            user_ref: plain.user_ref,
        }
    }
}
