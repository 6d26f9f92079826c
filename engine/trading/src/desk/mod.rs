//! The desk: strategies, their risk and breakers, and the books and accounts that they share.
//!
//! The same code runs live, in a backtest and when a recorded day is run again; who drives it hands
//! in events, answers and times, and carries decisions away.

mod account;
mod answers;
mod breaker;
mod decision;
mod floor;
mod input;
mod ladder;
mod listing;
mod money;
mod order;
mod risk;
mod runner;
mod stopwatch;
mod strategy;

pub use account::{Account, Position};
pub use breaker::{Breaker, BreakerRule, Trip};
pub use decision::{Decided, Decision, Kill, Line};
pub use floor::{DECISIONS_MAX, OPEN_ORDERS_MAX, SeatFigures};
pub use input::{Input, Remembered};
pub use ladder::Ladder;
pub use listing::{Listing, ListingError, Listings, MARKETS_MAX};
pub use money::{MONEY_DECIMALS, Money, WORTH_DECIMALS_MAX, Worth, sign};
pub use order::{
    Action, Answer, Fill, Life, NewOrder, OrderId, OwnOrder, Pending, Report, side_text,
};
pub use risk::{Limits, REFUSALS, Refusal, Risk, reaches};
pub use runner::{Desk, DeskPlan, Heard, SEATS_MAX, SeatPlan};
pub use stopwatch::{HOPS, Hop, Overrun, Stopwatch, Timeless};
pub use strategy::{Context, Print, Strategy};
