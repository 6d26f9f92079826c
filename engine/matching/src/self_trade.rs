//! Self-trade prevention: what happens instead of a trade between orders of one account.

use wire::ring::{Event, EventKind, Reason};

use crate::answers::{canceled, code, of_order};
use crate::events::{Words, pair};
use crate::slab::Identity;
use crate::trade::Taker;
use crate::{Engine, Events};

/// What a session wants instead of a trade with its own account.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prevention {
    /// Nothing: they trade.
    None,
    Newest,
    Oldest,
    Both,
    Decrement,
}

impl Prevention {
    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::None),
            1 => Some(Self::Newest),
            2 => Some(Self::Oldest),
            3 => Some(Self::Both),
            4 => Some(Self::Decrement),
            _ => None,
        }
    }
}

impl Engine<'_> {
    /// What an order's session wants.
    #[inline]
    pub(crate) fn prevention(&self, taker: &Taker) -> Prevention {
        self.sessions[usize::from(taker.who.session())].prevention()
    }

    /// Whether an arriving order and a resting one are of one account.
    pub(crate) fn is_own(&self, taker: &Taker, handle: u32) -> bool {
        let maker = self.slab.orders[handle as usize].session();
        let [maker, taker] =
            [maker, taker.who.session()].map(|one| self.sessions[usize::from(one)].account);
        maker == taker
    }

    /// Prevents the trade of an order with a resting one of its account; the order has nothing open
    /// any more if it left. Up to two events.
    #[cold]
    pub(crate) fn prevent(
        &mut self,
        taker: &mut Taker,
        handle: u32,
        prevention: Prevention,
        events: &mut Events,
    ) {
        match prevention {
            Prevention::None => {}
            Prevention::Newest => leave(taker, events),
            Prevention::Oldest => self.expel(handle, events),
            Prevention::Both => {
                self.expel(handle, events);
                leave(taker, events);
            }
            Prevention::Decrement => self.decrement(taker, handle, events),
        }
    }

    /// Takes what both have off both.
    fn decrement(&mut self, taker: &mut Taker, handle: u32, events: &mut Events) {
        let order = self.slab.orders[handle as usize];
        if order.open() > taker.open {
            let held = self.lower(handle, taker.open);
            let price = self.books.price(order.level);
            let units = pair(taker.open, order.open() - taker.open);
            events.push_words(Words {
                related: u64::from(held),
                ..reduced(&order.identity(), Event::BOOKED, units, price)
            });
            return leave(taker, events);
        }
        self.expel(handle, events);
        if order.open() == taker.open {
            return leave(taker, events);
        }
        taker.open -= order.open();
        let units = pair(order.open(), taker.open);
        events.push_words(reduced(&taker.who, 0, units, taker.price));
    }

    /// Takes a resting order off the book.
    fn expel(&mut self, handle: u32, events: &mut Events) {
        let order = self.slab.orders[handle as usize];
        let price = self.books.price(order.level);
        self.take_off(self.refs.find(self.slab.orders, handle));
        events.push_words(canceled(&order, price, Reason::SelfTrade, 0));
    }
}

/// Takes out what is open of an arriving order.
fn leave(taker: &mut Taker, events: &mut Events) {
    let why = code(EventKind::Canceled, Reason::SelfTrade, Event::LAST);
    events.push_words(of_order(&taker.who, why, pair(taker.open, 0), taker.price));
    taker.open = 0;
}

fn reduced(who: &Identity, flags: u8, units: u64, price: u32) -> Words {
    let code = code(EventKind::Reduced, Reason::SelfTrade, flags);
    of_order(who, code, units, price)
}
