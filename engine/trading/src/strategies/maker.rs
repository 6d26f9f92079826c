//! A market maker: a bid and an offer around what the market seems to be worth, moved away from
//! the side of which it holds too much.
//!
//! What it is worth is the microprice, less `skew_ticks` for a full inventory. The bid is that less
//! `half_spread_ticks`, rounded down, the offer as much above, rounded up; neither reaches the
//! other side's best price. A side on which the inventory is full is not quoted.
//!
//! When both quotes move, the one that moves away from the other goes first; the other one waits
//! for the venue's answer where it would meet it: until then the two could trade with each other.

use wire::ring::Side;

use super::BadParameter;
use crate::desk::{
    Context, Fill, Life, NewOrder, OrderId, OwnOrder, Pending, Strategy, reaches, sign,
};

/// Parameters of a [`Maker`].
#[derive(Clone, Debug, PartialEq)]
pub struct MakerRule {
    /// Number of the market.
    pub symbol: u32,
    /// Lots of a quote.
    pub quantity: u64,
    /// Ticks between what it is worth and a quote.
    pub half_spread_ticks: f64,
    /// Ticks that quotes move by when the inventory is full.
    pub skew_ticks: f64,
    /// Lots that may be held, long or short.
    pub inventory_max: u64,
    /// A quote that is nearer to where it should be stays there.
    pub requote_ticks: u32,
    /// Time between two looks at the quotes, in ns.
    pub pause_ns: u64,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Maker {
    rule: MakerRule,
    /// The quotes, by side.
    quotes: [Option<OrderId>; 2],
    looked_ns: Option<u64>,
}

/// Where a quote should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    price: i64,
    quantity: u64,
}

impl Maker {
    /// # Errors
    /// A parameter makes no sense.
    pub fn new(rule: MakerRule) -> Result<Self, BadParameter> {
        let is_length = |ticks: f64| ticks.is_finite() && ticks >= 0.0;
        BadParameter::unless(rule.quantity > 0, "quantity", "at least one lot")?;
        BadParameter::unless(
            rule.inventory_max >= rule.quantity,
            "inventory_max",
            "at least the quantity of a quote",
        )?;
        BadParameter::unless(
            is_length(rule.half_spread_ticks),
            "half_spread_ticks",
            "a number of ticks, 0 or more",
        )?;
        BadParameter::unless(
            is_length(rule.skew_ticks),
            "skew_ticks",
            "a number of ticks, 0 or more",
        )?;
        BadParameter::unless(rule.requote_ticks > 0, "requote_ticks", "at least 1")?;
        Ok(Self {
            rule,
            quotes: [None; 2],
            looked_ns: None,
        })
    }

    /// Looks at the quotes, or asks to be called when it may again.
    fn look(&mut self, desk: &mut Context<'_>) {
        let due_ns = self.looked_ns.map_or(0, |at| at + self.rule.pause_ns);
        if desk.now_ns() < due_ns {
            desk.timer_at(due_ns);
            return;
        }
        self.looked_ns = Some(desk.now_ns());
        let bid = self.wanted(desk, Side::Buy);
        let old = self.own(desk, Side::Buy);
        let is_up = matches!((old, bid), (Some(old), Some(bid)) if bid.price > old.price);
        let offer = self.wanted(desk, Side::Sell);
        if is_up {
            self.quote(desk, Side::Sell, offer);
            self.quote(desk, Side::Buy, bid);
        } else {
            self.quote(desk, Side::Buy, bid);
            self.quote(desk, Side::Sell, offer);
        }
    }

    fn wanted(&self, desk: &Context<'_>, side: Side) -> Option<Wanted> {
        let rule = &self.rule;
        let touch = desk.book(rule.symbol).touch()?;
        let held = desk.position(rule.symbol).lots;
        let room = rule.inventory_max as i64 - sign(side) * held;
        let quantity = rule.quantity.min(u64::try_from(room).ok()?);
        let full = held as f64 / rule.inventory_max as f64;
        let worth = touch.microprice()? - rule.skew_ticks * full;
        let price = match side {
            Side::Buy => (worth - rule.half_spread_ticks).floor() as i64,
            Side::Sell => (worth + rule.half_spread_ticks).ceil() as i64,
        };
        let price = match side {
            Side::Buy => price.min(touch.offer.price - 1),
            Side::Sell => price.max(touch.bid.price + 1),
        };
        (quantity > 0).then_some(Wanted { price, quantity })
    }

    /// The quote of a side, if there is one.
    fn own(&self, desk: &Context<'_>, side: Side) -> Option<OwnOrder> {
        let slot = self.quotes[side as usize];
        slot.and_then(|id| desk.order(id)).copied()
    }

    /// Brings a quote to where it should be. What is refused is tried again at the next look.
    fn quote(&mut self, desk: &mut Context<'_>, side: Side, wanted: Option<Wanted>) {
        let own = self.own(desk, side);
        let other = self.own(desk, side.opposite());
        let is_met = |wanted: &Wanted| {
            other.is_some_and(|other| reaches(side, wanted.price, other.price_reach()))
        };
        if wanted.as_ref().is_some_and(is_met) {
            return;
        }
        let (own, wanted) = match (own, wanted) {
            (None, None) => return,
            (None, Some(Wanted { price, quantity })) => {
                let new = NewOrder {
                    symbol: self.rule.symbol,
                    side,
                    price,
                    quantity,
                    life: Life::Post,
                };
                self.quotes[side as usize] = desk.send(new).ok();
                return;
            }
            (Some(own), wanted) => (own, wanted),
        };
        if own.pending != Pending::None || own.is_leaving {
            return;
        }
        let _ = match wanted {
            None => desk.cancel(own.id),
            Some(wanted) if self.is_near(&own, wanted) => Ok(()),
            Some(Wanted { price, quantity }) => desk.replace(own.id, price, quantity),
        };
    }

    fn is_near(&self, own: &OwnOrder, wanted: Wanted) -> bool {
        let distance = own.price.abs_diff(wanted.price);
        distance < u64::from(self.rule.requote_ticks) && own.open <= wanted.quantity
    }
}

impl Strategy for Maker {
    fn on_book(&mut self, desk: &mut Context<'_>, symbol: u32) {
        if symbol == self.rule.symbol {
            self.look(desk);
        }
    }

    fn on_fill(&mut self, desk: &mut Context<'_>, _fill: &Fill) {
        self.look(desk);
    }

    fn on_answer(&mut self, desk: &mut Context<'_>, _order: OrderId) {
        self.look(desk);
    }

    fn on_gone(&mut self, desk: &mut Context<'_>, order: OrderId) {
        for slot in &mut self.quotes {
            *slot = slot.filter(|id| *id != order);
        }
        self.look(desk);
    }

    fn on_timer(&mut self, desk: &mut Context<'_>) {
        self.look(desk);
    }
}
