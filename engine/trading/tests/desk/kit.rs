//! A desk with strategies that do what a test says.

use std::sync::mpsc::{Receiver, Sender, channel};

use analytics::bars::Rule;
use trading::desk::{
    Action, Answer, BreakerRule, Context, Decided, Decision, Desk, DeskPlan, Fill, Life, Limits,
    Line, Listing, Listings, Money, NewOrder, OrderId, Print, Report, SeatPlan, Strategy, Timeless,
};
use trading::{Event, Instrument, Step, What};
use wire::ring::Side;

/// What a strategy heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    Book(u32),
    Trade(i64),
    Bar(u32),
    Fill(u64),
    Gone(OrderId),
    Timer(u64),
}

/// What a strategy does when it hears something.
pub type Act = Box<dyn FnMut(&mut Context<'_>, &Heard) + Send>;

struct Puppet {
    name: &'static str,
    told: Sender<(&'static str, Heard)>,
    act: Act,
}

impl Puppet {
    fn hear(&mut self, desk: &mut Context<'_>, heard: Heard) {
        (self.act)(desk, &heard);
        self.told.send((self.name, heard)).unwrap();
    }
}

impl Strategy for Puppet {
    fn on_book(&mut self, desk: &mut Context<'_>, symbol: u32) {
        self.hear(desk, Heard::Book(symbol));
    }

    fn on_trade(&mut self, desk: &mut Context<'_>, trade: &Print) {
        self.hear(desk, Heard::Trade(trade.price));
    }

    fn on_bar(&mut self, desk: &mut Context<'_>, bar: &analytics::bars::EndedBar) {
        self.hear(desk, Heard::Bar(bar.bar.close));
    }

    fn on_fill(&mut self, desk: &mut Context<'_>, fill: &Fill) {
        self.hear(desk, Heard::Fill(fill.quantity));
    }

    fn on_gone(&mut self, desk: &mut Context<'_>, order: OrderId) {
        self.hear(desk, Heard::Gone(order));
    }

    fn on_timer(&mut self, desk: &mut Context<'_>) {
        self.hear(desk, Heard::Timer(desk.now_ns()));
    }
}

/// A market of whole units, paid in cents.
pub fn listing(name: &str) -> Listing {
    Listing {
        instrument: Instrument {
            name: name.to_owned(),
            venue: "test".to_owned(),
            tick: Step::new(1, 2).unwrap(),
            lot: Step::ONE,
        },
        base: name.to_owned(),
        quote: "USD".to_owned(),
        maker_ppm: -100,
        taker_ppm: 300,
        order_max: 1_000,
        position_max: 2_000,
    }
}

pub fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

pub fn limits() -> Limits {
    Limits {
        order_value_max: money("100000"),
        exposure_max: money("1000000"),
        band_ppm: 50_000,
        orders_per_second: 1_000,
        open_orders_max: 100,
        loss_max: money("100000"),
    }
}

pub fn breaker() -> BreakerRule {
    BreakerRule {
        loss_max: money("100000"),
        orders_max: 1_000,
        orders_window_ns: 1_000_000_000,
        budget_ns: 1_000,
        overruns_max: 0,
        answer_ns_max: 1_000_000_000,
    }
}

/// A desk under test, and what its strategies heard.
pub struct Rig {
    pub desk: Desk,
    heard: Receiver<(&'static str, Heard)>,
    pub now_ns: u64,
}

/// A strategy to be: its name, priority, breaker, and what it does.
pub type Part = (&'static str, u32, BreakerRule, Act);

impl Rig {
    pub fn new(listings: Vec<Listing>, limits: Limits, parts: Vec<Part>) -> Self {
        let (told, heard) = channel();
        let seat = |(name, priority, breaker, act): Part| SeatPlan {
            name: name.to_owned(),
            priority,
            breaker,
            strategy: Box::new(Puppet {
                name,
                told: told.clone(),
                act,
            }),
        };
        let seats = parts.into_iter().map(seat).collect();
        Self::seated(listings, limits, (seats, heard))
    }

    /// One strategy that is none of the test's.
    pub fn with(strategy: Box<dyn Strategy>) -> Self {
        let seat = SeatPlan {
            name: "s".to_owned(),
            priority: 1,
            breaker: breaker(),
            strategy,
        };
        let (_, heard) = channel();
        Self::seated(vec![listing("AAA")], limits(), (vec![seat], heard))
    }

    fn seated(
        listings: Vec<Listing>,
        limits: Limits,
        (seats, heard): (Vec<SeatPlan>, Receiver<(&'static str, Heard)>),
    ) -> Self {
        let plan = DeskPlan {
            listings: Listings::new(listings, "USD").unwrap(),
            limits,
            bars: Rule {
                count_max: 3,
                ..Rule::default()
            },
            seats,
        };
        Self {
            desk: Desk::new(plan),
            heard,
            now_ns: 1_000_000_000,
        }
    }

    /// One strategy, one market, usual limits.
    pub fn plain(act: Act) -> Self {
        Self::new(
            vec![listing("AAA")],
            limits(),
            vec![("s", 1, breaker(), act)],
        )
    }

    pub fn tell(&mut self, symbol: u32, what: What) {
        let event = Event {
            event_ns: self.now_ns,
            received_ns: self.now_ns,
            symbol,
            what,
        };
        self.desk.event(&event, &mut Timeless);
    }

    /// The book becomes one level of 1,000 lots on either side.
    pub fn book(&mut self, symbol: u32, bid: i64, offer: i64) {
        self.tell(symbol, What::Clear);
        for (side, price) in [(Side::Buy, bid), (Side::Sell, offer)] {
            let quantity = 1_000;
            self.tell(
                symbol,
                What::Level {
                    side,
                    price,
                    quantity,
                },
            );
        }
        self.tell(symbol, What::End);
    }

    pub fn answer(&mut self, order: u32, what: Answer) {
        let order = OrderId(order);
        let report = Report { order, what };
        self.desk.report(self.now_ns, &report, &mut Timeless);
    }

    pub fn decided(&mut self) -> Vec<Decision> {
        let mut all = Vec::new();
        self.desk.take_decisions(|decision| all.push(*decision));
        all
    }

    pub fn sent(&mut self) -> Vec<Action> {
        let action = |decision: Decision| match decision.what {
            Decided::Send(action) => Some(action),
            _ => None,
        };
        self.decided().into_iter().filter_map(action).collect()
    }

    /// What was decided, in lines.
    pub fn lines(&mut self) -> Vec<String> {
        let markets: Vec<String> = self
            .desk
            .listings()
            .iter()
            .map(|it| it.base.clone())
            .collect();
        let names = self.desk.names().to_vec();
        let line = |decision: &Decision| {
            let (strategies, markets) = (&names, &markets);
            Line {
                decision,
                strategies,
                markets,
            }
            .to_string()
        };
        self.decided().iter().map(line).collect()
    }

    pub fn heard(&self) -> Vec<(&'static str, Heard)> {
        self.heard.try_iter().collect()
    }
}

pub fn order(side: Side, price: i64, quantity: u64) -> NewOrder {
    NewOrder {
        symbol: 0,
        side,
        price,
        quantity,
        life: Life::Day,
    }
}

/// A strategy that only listens.
pub fn listens() -> Act {
    Box::new(|_, _| ())
}

/// A strategy that does this on the first book of market 0.
pub fn once(mut act: impl FnMut(&mut Context<'_>) + Send + 'static) -> Act {
    let mut is_done = false;
    Box::new(move |desk, heard| {
        if *heard == Heard::Book(0) && !std::mem::replace(&mut is_done, true) {
            act(desk);
        }
    })
}

pub fn filled(price: i64, quantity: u64, is_maker: bool) -> Answer {
    Answer::Filled {
        price,
        quantity,
        is_maker,
    }
}
