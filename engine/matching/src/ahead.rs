//! Fetching what later commands of a burst will need while the earlier ones are applied.
//!
//! A cancel of a cold order waits for memory three times in a row: its reference, its record, and
//! its neighbours with its level. One command after the other these waits add up. Looked at in
//! stages, several commands ahead, they overlap each other and the work on what has arrived. The
//! level of a new order is not looked for: it is mostly near, and to find it costs more than that
//! gives.
//!
//! The stages do not branch on what a command is: a wrong guess of that would cost as much as the
//! memory. They read a new order's reference as if there were such an order, and find record 0,
//! which is always near.

use wire::ring::{Command, CommandKind, Input};

use crate::Engine;
use crate::prefetch::prefetch;

/// How many commands ahead each stage is.
const NAMES_AHEAD: usize = 14;
const RECORDS_AHEAD: usize = 10;
const NEIGHBOURS_AHEAD: usize = 6;

const _: () = assert!(NAMES_AHEAD > RECORDS_AHEAD && RECORDS_AHEAD > NEIGHBOURS_AHEAD);
const _: () = assert!(NAMES_AHEAD < SEEN_MAX && SEEN_MAX.is_power_of_two());

/// Live orders from which on looking ahead pays: fewer lie in the near caches, where a look costs
/// more than a miss. See `docs/latency-budget.md`.
const WORTHWHILE_FROM: u32 = 16_384;

/// A usual burst, long enough for all stages; [`Engine::look_ahead`] takes bursts of any length.
pub const BURST_MAX: usize = 32;

/// Commands that are somewhere in the stages.
const SEEN_MAX: usize = BURST_MAX;

/// Home slots of the orders that the commands in the stages cancel or replace, by their place in
/// the burst.
pub(crate) struct Ahead([u32; SEEN_MAX]);

impl Ahead {
    pub(crate) const EMPTY: Self = Self([0; SEEN_MAX]);

    #[inline]
    fn at(&mut self, at: usize) -> &mut u32 {
        &mut self.0[at % SEEN_MAX]
    }
}

impl Engine<'_> {
    /// Whether so many orders live that looking ahead finds more than it costs.
    #[inline]
    #[must_use]
    pub fn is_ahead_worthwhile(&self) -> bool {
        self.slab.live() >= WORTHWHILE_FROM
    }

    /// Asks the memory for what the commands after `inputs[at]` will likely need; to be called for
    /// each place of a burst in turn, before the input there is applied. Changes nothing that can
    /// be observed, and the commands need not be good. A burst of one costs nothing.
    #[inline]
    pub fn look_ahead(&mut self, inputs: &[Input], at: usize) {
        if at == 0 {
            self.look_at_first(inputs);
        }
        if let Some(input) = inputs.get(at + NAMES_AHEAD) {
            self.fetch_names(&input.command, at + NAMES_AHEAD);
            self.fetch_records(at + RECORDS_AHEAD);
            self.fetch_neighbours(at + NEIGHBOURS_AHEAD);
            if self.accounts.is_kept {
                self.fetch_account(&input.command);
                self.fetch_position(at + NEIGHBOURS_AHEAD);
            }
        } else {
            self.look_at_last(inputs.len(), at);
        }
    }

    /// Near the end of a burst some stages have nothing left to look at.
    #[inline(never)]
    fn look_at_last(&mut self, end: usize, at: usize) {
        if at + RECORDS_AHEAD < end {
            self.fetch_records(at + RECORDS_AHEAD);
        }
        if at + NEIGHBOURS_AHEAD < end {
            self.fetch_neighbours(at + NEIGHBOURS_AHEAD);
        }
    }

    /// What the stages would have done before the first place.
    #[inline(never)]
    fn look_at_first(&mut self, inputs: &[Input]) {
        let end = inputs.len();
        for (at, input) in inputs.iter().enumerate().take(NAMES_AHEAD).skip(1) {
            self.fetch_names(&input.command, at);
        }
        (1..end.min(RECORDS_AHEAD)).for_each(|at| self.fetch_records(at));
        (1..end.min(NEIGHBOURS_AHEAD)).for_each(|at| self.fetch_neighbours(at));
    }

    #[inline]
    fn fetch_names(&mut self, command: &Command, at: usize) {
        let is_replace = command.kind == CommandKind::Replace as u8;
        let user_ref = if is_replace {
            command.old_user_ref
        } else {
            command.user_ref
        };
        let slot = self.refs.home(command.session, user_ref);
        *self.ahead.at(at) = slot as u32;
        prefetch(self.refs.slots(), slot);
    }

    /// The order that is looked for, if it is at home.
    #[inline]
    fn order_ahead(&mut self, at: usize) -> u32 {
        self.refs.order_at(*self.ahead.at(at) as usize)
    }

    /// As if it were a new order: what its account has of its symbol.
    #[inline]
    fn fetch_account(&self, command: &Command) {
        let session = self.sessions.get(usize::from(command.session));
        let place = session.map_or(0, |session| session.defined);
        self.accounts.fetch(place, command.symbol);
    }

    /// As if it were about an order that lives.
    #[inline]
    fn fetch_position(&mut self, at: usize) {
        let order = self.order_ahead(at);
        let order = &self.slab.orders[order as usize];
        let place = self.sessions[usize::from(order.session())].defined;
        self.accounts.fetch(place, order.identity().symbol());
    }

    #[inline]
    fn fetch_records(&mut self, at: usize) {
        let order = self.order_ahead(at);
        prefetch(self.slab.orders, order as usize);
    }

    #[inline]
    fn fetch_neighbours(&mut self, at: usize) {
        let order = self.order_ahead(at);
        let order = &self.slab.orders[order as usize];
        prefetch(self.slab.orders, order.prev as usize);
        prefetch(self.slab.orders, order.next as usize);
        prefetch(self.books.levels, order.level as usize);
    }
}
