//! Generated flow over several sessions, followed from the member's clock to the feed's message.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use flow::{Generator, Shape};
use nic::{Clock, Net, RealClock, RealNet, RealUdp, SocketTcp, TcpLimits};
use session::feed::State;
use trading::{Applied, Books};
use wire::itch::Message;

use super::arena::Addresses;
use super::currencies::{self, Currencies};
use super::desk::{self, DeskProcess};
use super::venue::Summary;
use super::{Arena, Plan, VenueProcess};
use crate::client::load::{Load, Phase, Taken};
use crate::client::members::{Login, Members};
use crate::client::report::{Latencies, LatencyRow, Report};
use crate::client::scenario::Scenario;
use crate::client::subscriber::Subscriber;
use crate::venue::idle;

/// Silence after which a demo gives up on what it waits for.
const PATIENCE_NS: u64 = 60 * session::SECOND_NS;

/// Time between two looks at the desk.
const LOOK: Duration = Duration::from_millis(1);

/// Commands a second while a desk trades, and orders that stand before that.
const DESK_RATE: f64 = 2_000.0;
const DESK_STANDING: u32 = 300;

/// What a demo of generated flow does.
#[derive(Clone, Debug)]
pub struct Generated {
    /// Commands a second.
    pub rate: f64,
    /// Seconds.
    pub seconds: f64,
    /// Sessions.
    pub sessions: u16,
    /// Symbols.
    pub symbols: u16,
    /// Orders that stand on the books.
    pub standing: u32,
    /// Seed of the flow.
    pub seed: u64,
    /// Seconds, behind the measured ones, in which a desk trades; none for 0.
    pub desk_seconds: f64,
}

/// What a demo of generated flow found.
pub struct Shown {
    /// The members' side.
    pub report: Report,
    /// From due to the feed's message, for orders and replacements that rest.
    pub due_to_feed: LatencyRow,
    /// Books by the feed.
    pub books: Books,
    /// Messages, packets, gaps and requests of the subscriber.
    pub feed: session::feed::ReceiverCounters,
    /// How the feed's packets reached us.
    pub feed_mode: &'static str,
    /// What the venue said at its end.
    pub summary: Summary,
    /// What the desk said at its end.
    pub desk: Vec<String>,
    /// What went wrong, in words.
    pub faults: Vec<String>,
}

/// When each order was due and when the feed showed it, whichever is known first.
#[derive(Default)]
struct Follower {
    due_ns: BTreeMap<u64, u64>,
    shown_ns: BTreeMap<u64, u64>,
    latencies: Latencies,
}

impl Follower {
    fn taken(&mut self, taken: Taken) {
        match self.shown_ns.remove(&taken.order_ref) {
            Some(shown_ns) => self.latencies.record(shown_ns.saturating_sub(taken.due_ns)),
            None => {
                self.due_ns.insert(taken.order_ref, taken.due_ns);
            }
        }
    }

    fn message(&mut self, message: &Message<'_>, now_ns: u64) {
        let order_ref = match message {
            Message::AddOrder(m) => m.order_ref(),
            Message::OrderReplace(m) => m.new_order_ref(),
            _ => return,
        };
        match self.due_ns.remove(&order_ref) {
            Some(due_ns) => self.latencies.record(now_ns.saturating_sub(due_ns)),
            None => {
                self.shown_ns.insert(order_ref, now_ns);
            }
        }
    }
}

/// Starts a venue, drives it, ends it, and gives what was seen. Call it on the thread that entered
/// the arena.
///
/// # Errors
/// What could not be done, in words.
pub fn run(
    arena: &Arena,
    plan_of: impl FnOnce(Addresses, Vec<Login>, Vec<String>) -> Plan,
    wanted: &Generated,
) -> Result<(Plan, Shown), String> {
    let ports = arena
        .subscribe()
        .map_err(|error| format!("the subscriber's ports: {error}"))?;
    let logins = (1..=wanted.sessions).map(|number| Login::with_new_key(&format!("DEMO{number}")));
    let logins = logins.collect::<Result<Vec<_>, _>>()?;
    let desk_login = Login::with_new_key("DESK")?;
    let quoter_login = Login::with_new_key("MONEY")?;
    let count = wanted.symbols.max(desk::SYMBOLS);
    let mut symbols: Vec<String> = (1..=count).map(|n| format!("DEMO{n}")).collect();
    symbols.extend(currencies::MARKETS.map(str::to_owned));
    let others = [desk_login.clone(), quoter_login.clone()];
    let users = [&logins[..], &others].concat();
    let plan = plan_of(ports.addresses, users, symbols.clone());
    let venue = VenueProcess::start(arena, &plan)?;

    let shape = Shape {
        seed: wanted.seed,
        symbols: wanted.symbols,
        sessions: wanted.sessions,
        standing: wanted.standing,
        ..Shape::default()
    };
    let scenario = Scenario::constant(wanted.rate, wanted.seconds);
    let desk_scenario = Scenario::constant(DESK_RATE, wanted.desk_seconds);
    let order_entry = venue.order_entry;
    let mut stage = Stage {
        load: load((order_entry, &logins), &shape, &symbols, &scenario)?,
        subscriber: Subscriber::new(ports.feed, ports.requests, Some(venue.rerequest)),
        follower: Follower::default(),
        clock: RealClock::new(),
        currencies: None,
        venue: Some(venue),
    };
    stage.load.watch_taken();
    stage.drive()?;
    let report = stage.load.report();
    let mut desk = Vec::new();
    if wanted.desk_seconds > 0.0 {
        // Another flow, on the desk's symbols: what is measured is over.
        let shape = Shape {
            seed: wanted.seed.wrapping_add(1),
            symbols: desk::SYMBOLS,
            sessions: 1,
            standing: DESK_STANDING,
            ..shape
        };
        let flow = load(
            (order_entry, &logins[..1]),
            &shape,
            &symbols,
            &desk_scenario,
        )?;
        stage.currencies = Some(Currencies::new(order_entry, &quoter_login, wanted.seed)?);
        desk = stage.desk(&plan, &desk_login, flow)?;
    }
    let summary = stage.end()?;
    Ok((plan, stage.shown(report, summary, desk)))
}

/// Members that are to drive a venue.
fn load<'s>(
    (order_entry, logins): (SocketAddr, &[Login]),
    shape: &Shape,
    symbols: &[String],
    scenario: &'s Scenario,
) -> Result<Load<'s, SocketTcp>, String> {
    let generator = Generator::new(shape).map_err(|error| error.to_string())?;
    scenario.check().map_err(|error| error.to_string())?;
    let limits = TcpLimits {
        connections: shape.sessions,
        ..TcpLimits::default()
    };
    let tcp = RealNet::new().tcp_client(limits);
    let tcp = tcp.map_err(|error| error.to_string())?;
    let members = Members::new(tcp, order_entry, logins, 0);
    Ok(Load::new(members, generator, symbols, scenario))
}

struct Stage<'s> {
    load: Load<'s, SocketTcp>,
    subscriber: Subscriber<RealUdp>,
    follower: Follower,
    clock: RealClock,
    /// Who quotes currencies, while a desk trades.
    currencies: Option<Currencies>,
    venue: Option<VenueProcess>,
}

impl<'s> Stage<'s> {
    /// One turn of members and subscriber; tells where the load stands and whether packets came.
    fn turn(&mut self, now_ns: u64) -> Result<(Phase, usize), String> {
        let phase = self.load.poll(now_ns).map_err(|error| error.to_string())?;
        if let Some(currencies) = &mut self.currencies {
            currencies.poll(now_ns)?;
        }
        for taken in self.load.take_taken() {
            self.follower.taken(taken);
        }
        let Self {
            subscriber,
            follower,
            clock,
            ..
        } = self;
        let packets = subscriber.poll(now_ns, &mut |_, message, applied| {
            if applied == Applied::Changed {
                follower.message(message, clock.now_ns());
            }
        });
        Ok((phase, packets))
    }

    /// Until everything is answered.
    fn drive(&mut self) -> Result<(), String> {
        let mut progress_ns = self.clock.now_ns();
        let mut unanswered = 0;
        let mut idle_turns = 0;
        loop {
            let now_ns = self.clock.now_ns();
            let (phase, packets) = self.turn(now_ns)?;
            if phase == Phase::Done {
                return Ok(());
            }
            let left = self.load.unanswered();
            if phase == Phase::Sending || left != unanswered {
                progress_ns = now_ns;
                unanswered = left;
            }
            if now_ns - progress_ns > PATIENCE_NS {
                return Err(format!("{phase:?}, and nothing happened for a minute"));
            }
            let is_busy = packets > 0 || self.load.was_busy();
            idle_turns = if is_busy { 0 } else { idle_turns + 1 };
            idle(idle_turns);
        }
    }

    /// A desk trades while another flow goes on; gives what it said.
    fn desk(
        &mut self,
        plan: &Plan,
        login: &Login,
        flow: Load<'s, SocketTcp>,
    ) -> Result<Vec<String>, String> {
        let Some(venue) = &self.venue else {
            return Err("no venue".to_owned());
        };
        let mut desk = DeskProcess::start(plan, venue, login)?;
        // It finds a market, and the flow finds it.
        while !desk.is_ready()? {
            self.turn(self.clock.now_ns())?;
            std::thread::sleep(LOOK);
        }
        self.load = flow;
        self.drive()?;
        desk.terminate();
        while !desk.is_ended() {
            self.turn(self.clock.now_ns())?;
            std::thread::sleep(LOOK);
        }
        desk.told()
    }

    /// Ends the venue while listening on, until the feed's session has ended too.
    fn end(&mut self) -> Result<Summary, String> {
        let Some(mut venue) = self.venue.take() else {
            return Err("no venue".to_owned());
        };
        venue.terminate();
        let start_ns = self.clock.now_ns();
        let mut is_over = false;
        while !(is_over && self.subscriber.state() == State::Ended) {
            let now_ns = self.clock.now_ns();
            self.turn(now_ns)?;
            if is_over || now_ns - start_ns > PATIENCE_NS {
                // A venue that is gone sends nothing more: what is missing stays missing.
                break;
            }
            is_over = venue.ended()?;
        }
        venue.summary()
    }

    fn shown(self, report: Report, summary: Summary, desk: Vec<String>) -> Shown {
        let counters = *self.subscriber.counters();
        let mut faults = Vec::new();
        let mut expect = |name: &str, found: u64, wanted: u64| {
            if found != wanted {
                faults.push(format!("{name}: {found} instead of {wanted}"));
            }
        };
        expect("feed messages", counters.messages, summary.messages);
        expect("commands without an answer", report.unanswered, 0);
        let last = self.load.report().unanswered;
        expect("commands without an answer beside the desk", last, 0);
        expect(
            "messages that a correct feed cannot send",
            self.subscriber.books().counts().wrong,
            0,
        );
        expect(
            "messages about unknown orders",
            self.subscriber.books().counts().unknown_orders,
            0,
        );
        Shown {
            report,
            due_to_feed: self.follower.latencies.row(),
            books: self.subscriber.books().clone(),
            feed: counters,
            feed_mode: self.subscriber.mode(),
            summary,
            desk,
            faults,
        }
    }
}
