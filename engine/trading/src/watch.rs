//! One instrument watched: its book, and what its numbers are after each event.
//!
//! The touch that counts is the quotes' where the feed has a stream of them, which runs ahead of
//! the levels, and that of the levels otherwise. Numbers of several levels are always the levels'.

use analytics::book::{
    OrderFlow, RealisedVolatility, Sign, Touch, Touches, TradeSign, imbalance, quantity_of,
    quantity_within,
};
use analytics::statistics::OutOfRange;
use wire::ring::Side;

use crate::depth::Depth;
use crate::market::{Event, What};

/// Touches that are kept to find the one before a trade.
const TOUCHES_KEPT: usize = 64;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct WatchRule {
    /// Levels a side that the second imbalance is of.
    pub levels: usize,
    /// Ticks from the best price within which quantities are summed.
    pub ticks: u64,
    /// The window of the order flow, in ns.
    pub flow_ns: u64,
    /// The interval of the returns that volatility is made of, in ns.
    pub sample_ns: u64,
    /// So many of them.
    pub samples: usize,
    /// Levels a side that the book has room for.
    pub levels_max: usize,
}

impl Default for WatchRule {
    fn default() -> Self {
        Self {
            levels: 5,
            ticks: 10,
            flow_ns: 10_000_000_000,
            sample_ns: 1_000_000_000,
            samples: 60,
            levels_max: crate::DEPTH_LEVELS,
        }
    }
}

/// The numbers of an instrument. What has no value is `None`; `docs/analytics.md` has the formulas.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Numbers {
    /// The venue's time of the event behind which they are.
    pub event_ns: u64,
    /// Our time of it.
    pub received_ns: u64,
    /// Best bid and best offer.
    pub touch: Touch,
    /// Middle weighted by the other side's quantity, in ticks.
    pub microprice: Option<f64>,
    /// Imbalance of the best levels.
    pub imbalance: Option<f64>,
    /// Imbalance of the first levels of both sides.
    pub imbalance_levels: Option<f64>,
    /// Lots near the best bid and the best offer.
    pub near: [u64; 2],
    /// Order-flow imbalance of the window, in lots.
    pub order_flow: i64,
    /// Realised volatility of the window, as a part of the price.
    pub volatility: Option<f64>,
    /// Price of the last trade, in ticks, and how many there were.
    pub last_price: i64,
    /// Trades so far.
    pub trades: u64,
    /// Lots that buyers and sellers started to trade, by the venue or by the rule of Lee and Ready.
    pub taken: [u64; 2],
    /// Times that the numbers changed.
    pub updates: u64,
}

/// An instrument's book and numbers. All memory is taken at the start.
#[derive(Clone, Debug)]
pub struct Watch {
    rule: WatchRule,
    depth: Depth,
    is_quoted: bool,
    flow: OrderFlow,
    volatility: RealisedVolatility,
    sign: TradeSign,
    touches: Touches,
    numbers: Numbers,
}

impl Watch {
    /// An empty book.
    ///
    /// # Errors
    /// A window out of its range.
    pub fn new(rule: WatchRule) -> Result<Self, OutOfRange> {
        Ok(Self {
            rule,
            depth: Depth::new(rule.levels_max),
            is_quoted: false,
            flow: OrderFlow::new(rule.flow_ns)?,
            volatility: RealisedVolatility::new(rule.sample_ns, rule.samples)?,
            sign: TradeSign::new(),
            touches: Touches::new(TOUCHES_KEPT),
            numbers: Numbers::default(),
        })
    }

    /// The book by levels.
    #[must_use]
    pub const fn depth(&self) -> &Depth {
        &self.depth
    }

    /// Whether quotes are told, and the touch is theirs.
    pub(crate) const fn is_quoted(&self) -> bool {
        self.is_quoted
    }

    /// The numbers as they are.
    #[must_use]
    pub const fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// Takes an event; whether the numbers are new. In the midst of what belongs together they stay
    /// as they were before it.
    #[inline]
    pub fn on(&mut self, event: &Event) -> bool {
        self.depth.apply(&event.what);
        match event.what {
            What::Level { .. } => return false,
            What::Clear => {
                self.is_quoted = false;
                self.flow.forget();
                self.numbers.touch = Touch::default();
                return false;
            }
            What::Quote { bid, offer } => {
                self.is_quoted = true;
                self.on_touch(event, Touch { bid, offer });
            }
            What::End => {
                self.on_levels();
                if !self.is_quoted {
                    self.on_touch(event, self.depth.touch());
                }
            }
            What::Trade {
                price,
                quantity,
                aggressor,
            } => self.on_trade(event, price, quantity, aggressor),
        }
        self.numbers.event_ns = event.event_ns;
        self.numbers.received_ns = event.received_ns;
        self.numbers.updates += 1;
        true
    }

    fn on_touch(&mut self, event: &Event, touch: Touch) {
        let numbers = &mut self.numbers;
        numbers.touch = touch;
        numbers.microprice = touch.microprice();
        numbers.imbalance = touch.imbalance();
        self.touches.on(event.event_ns, touch);
        self.flow.on(event.received_ns, touch);
        let flow = self.flow.sum(event.received_ns);
        let most = i128::from(i64::MAX);
        numbers.order_flow = flow.clamp(-most, most) as i64;
        if let Some(middle) = touch.middle() {
            self.volatility.on(event.received_ns, middle);
        }
        numbers.volatility = self.volatility.value();
    }

    fn on_levels(&mut self) {
        let sides = [Side::Buy, Side::Sell].map(|side| self.depth.levels(side));
        let [bids, offers] = sides.map(|levels| quantity_of(levels, self.rule.levels));
        self.numbers.imbalance_levels = imbalance(bids, offers);
        let sides = [Side::Buy, Side::Sell].map(|side| self.depth.levels(side));
        self.numbers.near = sides.map(|levels| quantity_within(levels, self.rule.ticks));
    }

    fn on_trade(&mut self, event: &Event, price: i64, quantity: u64, told: Option<Side>) {
        let before = self.touches.before(event.event_ns);
        let ruled = self.sign.on(price, before).map(|sign| match sign {
            Sign::Buy => Side::Buy,
            Sign::Sell => Side::Sell,
        });
        if let Some(side) = told.or(ruled) {
            let taken = &mut self.numbers.taken[side as usize];
            *taken = taken.saturating_add(quantity);
        }
        self.numbers.last_price = price;
        self.numbers.trades += 1;
    }
}
