//! What a desk decides, as values and as lines: the same inputs give the same lines to the byte.

use core::fmt;

use super::breaker::Trip;
use super::order::{Action, Life, NewOrder, OrderId, side_text};
use super::risk::Refusal;

/// Something that a desk decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decision {
    /// When, in ns.
    pub time_ns: u64,
    /// Which strategy, by its place in order of priority; `None` for the desk itself.
    pub seat: Option<u16>,
    /// What.
    pub what: Decided,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decided {
    /// This leaves for the venue.
    Send(Action),
    /// A new order does not leave.
    NewRefused(NewOrder, Refusal),
    /// A change of an order does not leave.
    ChangeRefused(OrderId, Refusal),
    /// The strategy is stopped: its orders are taken off, and it is asked nothing more.
    Stop(Trip),
    /// The desk is stopped: all orders are taken off, and none leaves any more.
    Kill(Kill),
}

/// Why a desk is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kill {
    /// It lost more than it may.
    Loss,
    /// Somebody said so.
    Word,
    /// What it knows of the market or of its orders is not whole any more.
    Blind,
}

impl fmt::Display for Kill {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Loss => "the desk lost more than it may",
            Self::Word => "it was told to stop",
            Self::Blind => "what it knows is not whole any more",
        })
    }
}

/// A decision with what its numbers mean: a line without its end.
#[derive(Clone, Copy, Debug)]
pub struct Line<'n> {
    /// The decision.
    pub decision: &'n Decision,
    /// Names of the strategies, in order of priority.
    pub strategies: &'n [String],
    /// Names of the markets.
    pub markets: &'n [String],
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seat = self.decision.seat.map(usize::from);
        let name = seat.map_or("desk", |seat| name_of(self.strategies, seat));
        write!(out, "{} {name} ", self.decision.time_ns)?;
        match &self.decision.what {
            Decided::Send(Action::New { order, new }) => {
                write!(out, "new {order} ")?;
                self.order(out, new)
            }
            Decided::Send(Action::Replace {
                order,
                price,
                total,
            }) => write!(out, "replace {order} total {total} at {price}"),
            Decided::Send(Action::Cancel { order }) => write!(out, "cancel {order}"),
            Decided::NewRefused(new, why) => {
                write!(out, "refused {why} ")?;
                self.order(out, new)
            }
            Decided::ChangeRefused(order, why) => write!(out, "refused {why} {order}"),
            Decided::Stop(trip) => write!(out, "stop {trip}"),
            Decided::Kill(kill) => write!(out, "kill {kill}"),
        }
    }
}

impl Line<'_> {
    fn order(&self, out: &mut fmt::Formatter<'_>, new: &NewOrder) -> fmt::Result {
        let life = match new.life {
            Life::Day => "day",
            Life::Post => "post",
            Life::Immediate => "now",
        };
        let market = name_of(self.markets, new.symbol as usize);
        let (side, quantity, price) = (side_text(new.side), new.quantity, new.price);
        write!(out, "{side} {market} {quantity} at {price} {life}")
    }
}

fn name_of(names: &[String], at: usize) -> &str {
    names.get(at).map_or("?", String::as_str)
}
