//! The generator's own idea of which orders are live: O(1) to add, find, remove and draw one.

use std::collections::VecDeque;

use wire::ring::Side;

use crate::random::Random;

/// Entries that are remembered as recent: a power of two.
const RECENT: usize = 1 << 16;
/// Cancels never hit any of the last few orders.
const RECENT_LEAST_LOG2: u64 = 4;
const RECENT_LOG2: u64 = RECENT.trailing_zeros() as u64;
const _: () = assert!(RECENT.is_power_of_two() && RECENT_LEAST_LOG2 < RECENT_LOG2);

/// An order that is thought to be live.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Live {
    pub(crate) session: u16,
    pub(crate) symbol: u16,
    pub(crate) user_ref: u32,
    pub(crate) side: Side,
    pub(crate) price: i64,
    /// Units in all, executed ones included.
    pub(crate) total: u32,
    pub(crate) executed: u32,
}

/// Places of a session's orders by user reference; those before `first` are gone.
struct Places {
    first: u32,
    places: VecDeque<u32>,
}

const GONE: u32 = u32::MAX;

pub(crate) struct LiveOrders {
    orders: Vec<Live>,
    sessions: Vec<Places>,
    /// The last orders entered, oldest overwritten first.
    recent: Vec<(u16, u32)>,
    entered: usize,
}

impl LiveOrders {
    pub(crate) fn new(sessions: u16, standing: u32) -> Self {
        let session = || Places {
            first: 1,
            places: VecDeque::new(),
        };
        Self {
            orders: Vec::with_capacity(standing as usize + standing as usize / 8),
            sessions: (0..sessions).map(|_| session()).collect(),
            recent: vec![(0, 0); RECENT],
            entered: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.orders.len()
    }

    /// Adds an order, whose user reference must be above all others of its session.
    pub(crate) fn insert(&mut self, order: Live) {
        let place = self.orders.len() as u32;
        self.orders.push(order);
        self.recent[self.entered % RECENT] = (order.session, order.user_ref);
        self.entered += 1;
        let session = &mut self.sessions[usize::from(order.session) - 1];
        let index = (order.user_ref - session.first) as usize;
        session.places.resize(index, GONE);
        session.places.push_back(place);
    }

    /// Takes an order out; an unknown one is none.
    pub(crate) fn remove(&mut self, session: u16, user_ref: u32) -> Option<Live> {
        let place = self.place(session, user_ref)?;
        self.set_place(session, user_ref, GONE);
        let order = self.orders.swap_remove(place);
        if let Some(moved) = self.orders.get(place).copied() {
            self.set_place(moved.session, moved.user_ref, place as u32);
        }
        let session = &mut self.sessions[usize::from(session) - 1];
        while session.places.front() == Some(&GONE) {
            session.places.pop_front();
            session.first += 1;
        }
        Some(order)
    }

    /// Draws an order: half of the time any, else a recent one at an age that is uniform in its
    /// logarithm, so that lifetimes range from a few commands to the whole run.
    pub(crate) fn choose(&self, random: &mut Random) -> Option<Live> {
        if random.chance(32_768) {
            let log2 = RECENT_LEAST_LOG2 + random.below(RECENT_LOG2 - RECENT_LEAST_LOG2);
            let age = (1 << log2) + random.below(1 << log2) as usize;
            let (session, user_ref) = self.recent[self.entered.wrapping_sub(age) % RECENT];
            if let Some(place) = self.place(session, user_ref) {
                return Some(self.orders[place]);
            }
        }
        let orders = self.orders.len() as u64;
        (orders > 0).then(|| self.orders[random.below(orders) as usize])
    }

    /// Notes a trade; without `leaves` the order is gone.
    pub(crate) fn trade(&mut self, session: u16, user_ref: u32, quantity: u32, leaves: u32) {
        if leaves == 0 {
            self.remove(session, user_ref);
        } else if let Some(place) = self.place(session, user_ref) {
            let order = &mut self.orders[place];
            // The engine may answer late: never more than was entered.
            order.executed = order.executed.saturating_add(quantity).min(order.total - 1);
        }
    }

    /// Notes how many units of an order are open.
    pub(crate) fn set_leaves(&mut self, session: u16, user_ref: u32, leaves: u32) {
        if let Some(place) = self.place(session, user_ref) {
            let order = &mut self.orders[place];
            order.executed = order.total.saturating_sub(leaves);
        }
    }

    pub(crate) fn set_total(&mut self, session: u16, user_ref: u32, total: u32) {
        if let Some(place) = self.place(session, user_ref) {
            self.orders[place].total = total;
        }
    }

    fn place(&self, session: u16, user_ref: u32) -> Option<usize> {
        let session = self.sessions.get(usize::from(session).checked_sub(1)?)?;
        let index = user_ref.checked_sub(session.first)?;
        let place = *session.places.get(index as usize)?;
        (place != GONE).then_some(place as usize)
    }

    fn set_place(&mut self, session: u16, user_ref: u32, place: u32) {
        let session = &mut self.sessions[usize::from(session) - 1];
        if let Some(slot) = session.places.get_mut((user_ref - session.first) as usize) {
            *slot = place;
        }
    }
}
