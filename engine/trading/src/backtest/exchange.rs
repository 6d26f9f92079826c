//! The simulated exchange: recorded markets in which our orders wait their turn.

use super::pit::Pit;
use crate::Event;
use crate::desk::{Action, Answer, Life, NewOrder, OrderId, Report};

/// The number of a refusal: the order was not to trade on entry, and would have.
pub const REFUSED_POST: u16 = 1;
/// The number of a refusal: there is no such order, or no such market.
pub const REFUSED_UNKNOWN: u16 = 2;

/// See the module.
#[derive(Clone, Debug)]
pub struct Exchange {
    pits: Vec<Pit>,
    /// Our orders with their markets and lives; those that are gone leave.
    orders: Vec<(OrderId, NewOrder)>,
}

impl Exchange {
    /// Of so many markets.
    #[must_use]
    pub fn new(markets: usize) -> Self {
        Self {
            pits: vec![Pit::default(); markets],
            orders: Vec::new(),
        }
    }

    /// Something was recorded; `on` hears what it does to our orders.
    pub fn event(&mut self, event: &Event, on: &mut impl FnMut(Report)) {
        let Some(pit) = self.pits.get_mut(event.symbol as usize) else {
            return;
        };
        let mut is_filled = false;
        pit.event(&event.what, &mut |report| {
            is_filled = true;
            on(report);
        });
        if is_filled {
            self.forget();
        }
    }

    /// A request of ours is there; `on` hears the answers.
    pub fn action(&mut self, action: &Action, on: &mut impl FnMut(Report)) {
        match *action {
            Action::New { order, new } => self.enter(order, new, on),
            Action::Replace {
                order,
                price,
                total,
            } => self.replace(order, price, total, on),
            Action::Cancel { order } => self.cancel(order, on),
        }
        self.forget();
    }

    fn enter(&mut self, order: OrderId, new: NewOrder, on: &mut impl FnMut(Report)) {
        let mut tell = |what| on(Report { order, what });
        let Some(pit) = self.pits.get_mut(new.symbol as usize) else {
            tell(Answer::Refused(REFUSED_UNKNOWN));
            return;
        };
        if new.life == Life::Post && pit.is_met(new.side, new.price) {
            tell(Answer::Refused(REFUSED_POST));
            return;
        }
        tell(Answer::Accepted);
        let left = pit.take((order, new.side), new.price, new.quantity, on);
        if left > 0 && new.life == Life::Immediate {
            let what = Answer::Canceled { quantity: left };
            on(Report { order, what });
        } else if left > 0 {
            pit.rest((order, new.side), new.price, left, new.quantity - left);
            self.orders.push((order, new));
        }
    }

    fn replace(&mut self, order: OrderId, price: i64, total: u64, on: &mut impl FnMut(Report)) {
        let mut tell = |what| on(Report { order, what });
        let Some((new, pit, at)) = self.find(order) else {
            tell(Answer::ReplaceRefused(REFUSED_UNKNOWN));
            return;
        };
        if new.life == Life::Post && pit.is_met(new.side, price) {
            tell(Answer::ReplaceRefused(REFUSED_POST));
            return;
        }
        let old = pit.remove(at);
        let open = total.saturating_sub(old.filled);
        if open == 0 {
            let quantity = old.open;
            tell(Answer::Canceled { quantity });
            return;
        }
        tell(Answer::Replaced { price, open });
        let left = pit.take((order, new.side), price, open, on);
        if left > 0 {
            let filled = old.filled + open - left;
            pit.rest((order, new.side), price, left, filled);
        }
    }

    fn cancel(&mut self, order: OrderId, on: &mut impl FnMut(Report)) {
        let what = match self.find(order) {
            Some((_, pit, at)) => Answer::Canceled {
                quantity: pit.remove(at).open,
            },
            None => Answer::CancelRefused,
        };
        on(Report { order, what });
    }

    fn find(&mut self, id: OrderId) -> Option<(NewOrder, &mut Pit, usize)> {
        let (_, new) = self.orders.iter().find(|(order, _)| *order == id)?;
        let new = *new;
        let pit = &mut self.pits[new.symbol as usize];
        let at = pit.find(id)?;
        Some((new, pit, at))
    }

    /// Drops what does not rest any more.
    fn forget(&mut self) {
        let pits = &self.pits;
        self.orders
            .retain(|(id, new)| pits[new.symbol as usize].find(*id).is_some());
    }
}
