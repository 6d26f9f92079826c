//! A model's word on a book becomes an order: numbers of the book, what the model says of them,
//! BUY, HOLD or SELL, what is allowed, and an order that trades at once.
//!
//! Every `every_ms` there is a row of [`Features`], those that the model learnt from. BUY wants
//! `quantity` to be held, SELL as much short; HOLD leaves what is held as it is, until `hold_ns`
//! behind the last BUY or SELL, and then wants nothing to be held: a label looks so far ahead, and
//! no further. What is missing is ordered at most `slip_ticks` beyond the touch; what does not
//! trade leaves, and only a further row tries again.
//!
//! An order is withheld, and told, if the market said nothing for `age_ns_max` (`stale`), the model
//! gave no number (`model`), or, where somebody [judges](Signal::judged) that, it is right less
//! often than it was (`accuracy`). Then the desk's risk judges it as any other.
//!
//! A network whose row has a number missing gives none, so it trades when half a minute has passed;
//! trees know what to do with what is missing.

use wire::ring::Side;

use super::BadParameter;
use super::accuracy::{Accuracy, Judge, LabelRule};
use crate::desk::{Context, Fill, Hop, Life, NewOrder, OrderId, Refusal, Strategy};
use crate::{Event, FEATURE_NAMES, FEATURES, Features, Row};

/// Results of a model at most.
const RESULTS_MAX: usize = 16;

/// What is asked for a word on a row. The numbers of the results of the same row are the same,
/// wherever and whenever it is asked: a desk's decisions follow from its inputs alone.
pub trait Model: Send {
    /// Numbers of a row.
    fn features(&self) -> usize;

    /// What they are called, in their order; none if the model does not say.
    fn names(&self) -> &[String];

    /// Results of a row.
    fn results(&self) -> usize;

    /// Writes the results of a row; allocates nothing. Whether there are any.
    fn ask(&mut self, row: &[f32], results: &mut [f64]) -> bool;
}

/// What a result of a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The market falls.
    Sell,
    /// It stays.
    Hold,
    /// It rises.
    Buy,
}

/// Parameters of a [`Signal`].
#[derive(Clone, Debug, PartialEq)]
pub struct SignalRule {
    /// Number of the market.
    pub symbol: u32,
    /// Lots that are held behind a BUY, and short behind a SELL.
    pub quantity: u64,
    /// Time between two rows, in ms: that of the rows that the model learnt from.
    pub every_ms: u64,
    /// What the model's results are for, in their order.
    pub classes: Vec<Class>,
    /// It is a BUY from this result on, above 0 and up to 1, if it is more than that of SELL.
    pub buy_at: f64,
    /// The same of SELL.
    pub sell_at: f64,
    /// How long a signal is held, in ns.
    pub hold_ns: u64,
    /// No order if the market said nothing for longer than this, in ns.
    pub age_ns_max: u64,
    /// Ticks beyond the touch that an order may pay.
    pub slip_ticks: u32,
}

/// See the module.
pub struct Signal {
    rule: SignalRule,
    model: Box<dyn Model>,
    features: Features,
    /// Places of BUY and SELL among the results.
    places: [usize; 2],
    results: [f64; RESULTS_MAX],
    /// When the market last said something.
    heard_ns: u64,
    /// When what is held is not wanted any more.
    until_ns: u64,
    /// The order under way, if it has not traded yet, and when it left.
    sent: Option<(OrderId, u64)>,
    is_awake: bool,
    accuracy: Option<Accuracy>,
}

impl Signal {
    /// # Errors
    /// A parameter makes no sense, or the model is one of other numbers.
    pub fn new(rule: SignalRule, model: Box<dyn Model>) -> Result<Self, BadParameter> {
        let is_share = |share: f64| share > 0.0 && share <= 1.0;
        let is_lots = rule.quantity > 0 && i64::try_from(rule.quantity).is_ok();
        BadParameter::unless(is_lots, "quantity", "at least one lot")?;
        BadParameter::unless(is_share(rule.buy_at), "buy_at", "above 0, up to 1")?;
        BadParameter::unless(is_share(rule.sell_at), "sell_at", "above 0, up to 1")?;
        BadParameter::unless(rule.hold_ns > 0, "hold_ms", "more than 0")?;
        BadParameter::unless(rule.age_ns_max > 0, "age_ms_max", "more than 0")?;
        fits(&*model, &rule.classes)?;
        let features = Features::new(rule.every_ms).map_err(|bad| BadParameter {
            name: "every_ms",
            why: bad.to_string(),
        })?;
        let place = |class| rule.classes.iter().position(|it| *it == class);
        let places = [place(Class::Buy), place(Class::Sell)].map(|at| at.unwrap_or(0));
        Ok(Self {
            rule,
            model,
            features,
            places,
            results: [0.0; RESULTS_MAX],
            heard_ns: 0,
            until_ns: 0,
            sent: None,
            is_awake: false,
            accuracy: None,
        })
    }

    /// The same with somebody who judges by such labels whether the model's likeliest answers are
    /// right as often as they were. When they are not, nothing is ordered any more.
    ///
    /// # Errors
    /// A parameter makes no sense.
    pub fn judged(self, rule: LabelRule, judge: Box<dyn Judge>) -> Result<Self, BadParameter> {
        let accuracy = Some(Accuracy::new(rule, judge)?);
        Ok(Self { accuracy, ..self })
    }

    /// Begins anew behind a long rest.
    fn rest(&mut self, now_ns: u64) {
        let due_ns = self.features.due_ns();
        self.features.rested(now_ns);
        if let Some(accuracy) = &mut self.accuracy
            && self.features.due_ns() != due_ns
        {
            accuracy.forget();
        }
    }

    /// The next row that is due; whoever judges hears of each.
    fn next_row(&mut self, now_ns: u64) -> Option<Option<Row>> {
        let (_, row) = self.features.next_row(now_ns)?;
        if let Some(accuracy) = &mut self.accuracy {
            accuracy.row(row.as_ref().and_then(|row| row.touch.middle()));
        }
        Some(row)
    }

    /// The last row that is due, if both sides stood then.
    fn row(&mut self, now_ns: u64) -> Option<Row> {
        self.rest(now_ns);
        let mut last = None;
        while let Some(row) = self.next_row(now_ns) {
            last = row;
        }
        last
    }

    fn decide(&mut self, desk: &mut Context<'_>) {
        let Some(row) = self.row(desk.now_ns()) else {
            return;
        };
        let middle = row.touch.middle();
        let row = row.single();
        desk.hop(Hop::Features);
        let results = &mut self.results[..self.rule.classes.len()];
        let is_told = self.model.ask(&row, results) && results.iter().all(|it| it.is_finite());
        desk.hop(Hop::Inference);
        let likeliest = is_told.then(|| self.likeliest());
        if let (Some(accuracy), Some(middle)) = (&mut self.accuracy, middle) {
            accuracy.answer(likeliest, middle);
        }
        let class = if is_told { self.class() } else { Class::Hold };
        let now_ns = desk.now_ns();
        if class != Class::Hold {
            self.until_ns = now_ns.saturating_add(self.rule.hold_ns);
        }
        desk.hop(Hop::Signal);
        self.trade(desk, class, is_told);
        desk.hop(Hop::Validation);
    }

    /// What the greatest result is for.
    fn likeliest(&self) -> Class {
        let results = self.results.iter().zip(&self.rule.classes);
        let greatest = results.reduce(|a, b| if b.0 > a.0 { b } else { a });
        greatest.map_or(Class::Hold, |(_, class)| *class)
    }

    /// What the results say.
    fn class(&self) -> Class {
        let [buy, sell] = self.places.map(|at| self.results[at]);
        if buy >= self.rule.buy_at && buy > sell {
            Class::Buy
        } else if sell >= self.rule.sell_at && sell > buy {
            Class::Sell
        } else {
            Class::Hold
        }
    }

    /// Orders what is missing, if it is allowed and nothing is under way.
    fn trade(&mut self, desk: &mut Context<'_>, class: Class, is_told: bool) {
        let held = desk.position(self.rule.symbol).lots;
        let lots = self.rule.quantity as i64;
        let wanted = match class {
            Class::Buy => lots,
            Class::Sell => -lots,
            Class::Hold if desk.now_ns() < self.until_ns => held,
            Class::Hold => 0,
        };
        let is_busy = desk.orders().next().is_some();
        let missing = self.order(desk, wanted.saturating_sub(held));
        let new = missing.filter(|_| !is_busy);
        if !is_told {
            // Not even what is held is traded away by a desk whose model is broken: that is for
            // its limits and its people.
            desk.withhold(new, Refusal::Model);
            return;
        }
        if self.accuracy.as_ref().is_some_and(Accuracy::is_raised) {
            desk.withhold(new, Refusal::Accuracy);
            return;
        }
        let age_ns = desk.now_ns().saturating_sub(self.heard_ns);
        match new {
            None => {}
            Some(_) if age_ns > self.rule.age_ns_max => desk.withhold(new, Refusal::Stale),
            Some(new) => {
                let order = desk.send(new).ok();
                self.sent = order.map(|order| (order, desk.now_ns()));
            }
        }
    }

    fn order(&self, desk: &Context<'_>, missing: i64) -> Option<NewOrder> {
        let touch = desk.book(self.rule.symbol).touch()?;
        let slip = i64::from(self.rule.slip_ticks);
        let (side, price) = match missing {
            0 => return None,
            1.. => (Side::Buy, touch.offer.price.saturating_add(slip)),
            _ => (Side::Sell, touch.bid.price.saturating_sub(slip)),
        };
        Some(NewOrder {
            symbol: self.rule.symbol,
            side,
            price,
            quantity: missing.unsigned_abs(),
            life: Life::Immediate,
        })
    }

    fn wake(&mut self, desk: &mut Context<'_>) {
        if let Some(due_ns) = self.features.due_ns() {
            self.is_awake = true;
            desk.timer_at(due_ns);
        }
    }
}

/// Whether a model is asked what it learnt, and answers what is listened to.
fn fits(model: &dyn Model, classes: &[Class]) -> Result<(), BadParameter> {
    let bad = |name, why: String| Err(BadParameter { name, why });
    let features = model.features();
    if features != FEATURES {
        let names = FEATURE_NAMES.join(", ");
        let why =
            format!("it asks for {features} numbers of a row, a book has {FEATURES}: {names}");
        return bad("model", why);
    }
    let names = model.names().iter().enumerate();
    let mut others = names.filter(|(at, name)| FEATURE_NAMES.get(*at) != Some(&name.as_str()));
    if let Some((at, name)) = others.next() {
        let ours = FEATURE_NAMES.get(at).copied().unwrap_or("none");
        let why = format!("its number {at} is called {name:?}, that of a book is {ours:?}");
        return bad("model", why);
    }
    let results = model.results();
    let of = |class| classes.iter().filter(|it| **it == class).count();
    if results != classes.len() {
        let why = format!(
            "{} of them, and the model has {results} results",
            classes.len()
        );
        return bad("classes", why);
    }
    if of(Class::Buy) != 1 || of(Class::Sell) != 1 || classes.len() > RESULTS_MAX {
        let why = format!("BUY and SELL once each, others HOLD, {RESULTS_MAX} at most");
        return bad("classes", why);
    }
    Ok(())
}

impl Strategy for Signal {
    fn hears(&self) -> Option<u32> {
        Some(self.rule.symbol)
    }

    fn on_event(&mut self, event: &Event) {
        // Rows that nobody was called for: the timer is asked for at the end of the first change.
        self.rest(event.received_ns);
        while self.next_row(event.received_ns).is_some() {}
        self.features.on(event);
        self.heard_ns = self.heard_ns.max(event.received_ns);
    }

    fn on_book(&mut self, desk: &mut Context<'_>, _symbol: u32) {
        if !self.is_awake {
            self.wake(desk);
        }
    }

    fn on_fill(&mut self, desk: &mut Context<'_>, fill: &Fill) {
        if let Some((_, sent_ns)) = self.sent.take_if(|(order, _)| *order == fill.order) {
            desk.took(Hop::Fill, fill.time_ns.saturating_sub(sent_ns));
        }
    }

    fn on_timer(&mut self, desk: &mut Context<'_>) {
        self.decide(desk);
        self.wake(desk);
    }
}
