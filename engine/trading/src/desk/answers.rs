//! What the venue's answers do to the desk's orders.

use super::order::{Answer, Fill, OwnOrder, Pending, Report};
use super::runner::{Desk, Heard};
use super::stopwatch::Stopwatch;

impl Desk {
    /// Applies a report; one about an order that does not live, or not any more, changes nothing.
    pub(super) fn reported(&mut self, report: &Report, watch: &mut impl Stopwatch) -> Heard {
        let is_it = |order: &OwnOrder| order.id == report.order;
        let Some(place) = self.floor.orders.iter().position(is_it) else {
            return Heard::default();
        };
        let now_ns = self.floor.now_ns;
        let order = &mut self.floor.orders[place];
        let mut heard = Heard::default();
        if answers(&report.what, order.pending) {
            heard.answered_ns = Some(now_ns - order.sent_ns);
            order.pending = Pending::None;
        }
        apply(order, &report.what);
        let order = *order;
        let at = usize::from(order.seat);
        let seat = &mut self.seats[at].0;
        if let Some(ns) = heard.answered_ns {
            seat.breaker.answered(ns);
        }
        if matches!(report.what, Answer::Refused(_) | Answer::ReplaceRefused(_)) {
            seat.figures.refused_by_venue += 1;
        }
        if let Answer::Filled { .. } = report.what {
            let fill = fill_of(&order, &report.what, now_ns);
            heard.fill = Some(fill);
            seat.account.fill(&fill, &self.floor.listings);
            self.floor.account.fill(&fill, &self.floor.listings);
            self.floor.risk.forget();
            self.mark();
        }
        // A replacement under way may still bring back what is filled.
        let is_gone = order.open == 0 && !matches!(order.pending, Pending::Replace { .. });
        if is_gone {
            self.floor.orders.swap_remove(place);
        } else if order.is_leaving && order.pending == Pending::None {
            let seat = &mut self.seats[at].0;
            self.floor.take_off(seat, place);
        }
        self.stop_tripped(at);
        if let Some(fill) = heard.fill {
            self.call(at, watch, |strategy, desk| strategy.on_fill(desk, &fill));
        }
        if is_gone {
            self.call(at, watch, |strategy, desk| strategy.on_gone(desk, order.id));
        } else if heard.answered_ns.is_some() && !order.is_leaving {
            self.call(at, watch, |strategy, desk| {
                strategy.on_answer(desk, order.id);
            });
        }
        heard
    }
}

/// Whether this answers what is under way.
const fn answers(what: &Answer, pending: Pending) -> bool {
    matches!(
        (what, pending),
        (Answer::Accepted | Answer::Refused(_), Pending::New)
            | (
                Answer::Replaced { .. } | Answer::ReplaceRefused(_) | Answer::Canceled { .. },
                Pending::Replace { .. }
            )
            | (
                Answer::Canceled { .. } | Answer::CancelRefused,
                Pending::Cancel
            )
    )
}

fn apply(order: &mut OwnOrder, what: &Answer) {
    match *what {
        Answer::Accepted | Answer::ReplaceRefused(_) | Answer::CancelRefused => {}
        Answer::Refused(_) => order.open = 0,
        Answer::Replaced { price, open } => {
            order.price = price;
            order.open = open;
        }
        Answer::Filled { quantity, .. } => {
            order.open = order.open.saturating_sub(quantity);
            order.filled += quantity;
        }
        Answer::Canceled { quantity } => order.open = order.open.saturating_sub(quantity),
    }
}

fn fill_of(order: &OwnOrder, what: &Answer, time_ns: u64) -> Fill {
    let (price, quantity, is_maker) = match *what {
        Answer::Filled {
            price,
            quantity,
            is_maker,
        } => (price, quantity, is_maker),
        _ => (order.price, 0, false),
    };
    Fill {
        time_ns,
        seat: order.seat,
        order: order.id,
        symbol: order.symbol,
        side: order.side,
        price,
        quantity,
        is_maker,
    }
}
