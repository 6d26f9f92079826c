//! The desk's orders tile: its requests as OUCH, and the venue's replies as its answers.
//!
//! The member logs in on the thread that polls the tile. While the venue is away requests wait;
//! when it is back, the replies that were missed come first, and what never reached it is refused
//! with [`NOT_SENT`]: nothing is sent twice, and nothing that is old is sent late. Orders of the
//! user that no request of this desk made are taken off before the desk begins, and what they have
//! traded is told to it: an order names its strategy.

mod book;
mod fills;
mod routes;
mod strangers;

use std::collections::VecDeque;

use nic::{Clock, TcpPort};
use queue::{Histogram, Reader, Writer};
use session::ouch_client::Reply;
use trading::desk::{Action, Answer, Fill, Input, OPEN_ORDERS_MAX, OrderId, Report};
use wire::ouch::Outbound;

pub use book::{NOT_SENT, OrderBook, Route, Told};
pub use routes::routes;

use super::brain::RING_DEPTH;
use super::slip::{Said, Slip};
use crate::client::members::Members;
use crate::tiles::{BATCH, Progress, Tile};

/// Silence behind a login after which all earlier replies have come.
const QUIET_NS: u64 = 100_000_000;

// Each fill of a lot is an answer; the strategy tile takes them ahead of all else.
const _: () = assert!(RING_DEPTH >= 16 * OPEN_ORDERS_MAX);

/// The tile's rings.
pub struct OrderLinks {
    /// Requests of the desk.
    pub requests: Reader<Slip>,
    /// Answers for it.
    pub answers: Writer<Slip>,
    /// Which orders are ours, for the feed tile.
    pub own: Writer<Slip>,
}

/// Where the member stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Not logged in, or not asked yet what it has taken.
    Away,
    /// Asked.
    Asked,
    /// Requests go out.
    Ready,
}

/// See the module.
pub struct OrdersTile<T, C> {
    members: Members<T>,
    clock: C,
    links: OrderLinks,
    book: OrderBook,
    stage: Stage,
    /// When something was last heard.
    heard_ns: u64,
    /// Whether the user's earlier orders are gone.
    is_alone: bool,
    returns: u64,
    strangers: usize,
    /// What these traded, and trades that were taken back, until there is room to tell it; and how
    /// many each were.
    untold: VecDeque<Input>,
    fills_before: u64,
    broken: u64,
    /// From the receipt of what made it be sent to an order on its way.
    order_ns: Histogram,
    failure: Option<String>,
}

impl<T: TcpPort, C: Clock> OrdersTile<T, C> {
    /// A tile for one member, who reads the day's replies from the first on, and logs in when it is
    /// polled. Routes are by the numbers of the markets.
    #[must_use]
    pub fn new(
        members: Members<T>,
        clock: C,
        links: OrderLinks,
        routes: Vec<Route>,
        order_ns: Histogram,
    ) -> Self {
        Self {
            members,
            clock,
            links,
            book: OrderBook::new(routes),
            stage: Stage::Away,
            heard_ns: 0,
            is_alone: false,
            returns: 0,
            strangers: 0,
            untold: VecDeque::new(),
            fills_before: 0,
            broken: 0,
            order_ns,
            failure: None,
        }
    }

    /// Whether the desk may begin, and go on.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.stage == Stage::Ready && self.is_alone
    }

    /// Whether the venue ended its session.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.members.all_ended()
    }

    /// What became of the connection, in a line.
    #[must_use]
    pub fn told(&self) -> String {
        let mut text = format!("orders: {} live", self.book.len());
        if self.returns > 0 {
            text += &format!(", the venue went away and came back {} times", self.returns);
        }
        if self.strangers > 0 {
            text += &format!(", {} of before taken off", self.strangers);
        }
        if self.fills_before > 0 {
            text += &format!(
                ", {} fills of before are in the positions",
                self.fills_before
            );
        }
        if self.broken > 0 {
            text += &format!(", {} trades taken back by the venue", self.broken);
        }
        text + "\n"
    }

    fn turn(&mut self, now_ns: u64) -> Progress {
        let mut came = 0;
        if self.is_ready() {
            came = self.requests();
            if came > 0 {
                self.members.transmit(now_ns);
            }
        }
        came += self.hear(now_ns);
        if !self.members.all_live() {
            self.stage = Stage::Away;
        } else if self.stage == Stage::Away && self.members.member(0).query() {
            self.stage = Stage::Asked;
        }
        self.tell_untold();
        self.strangers_leave(now_ns);
        self.links.answers.publish();
        self.links.own.publish();
        Progress::of(came)
    }

    /// Queues what the desk asks for, and says so of what cannot be.
    fn requests(&mut self) -> usize {
        let mut count = 0;
        while count < BATCH && self.links.answers.has_room(2) {
            let Some((stamp, slip)) = self.links.requests.pop() else {
                break;
            };
            count += 1;
            if let Some(Said::Action(action, seat)) = slip.read(stamp) {
                self.send(&action, seat, stamp);
            }
        }
        count
    }

    fn send(&mut self, action: &Action, seat: u8, stamp: u64) {
        match self.book.send(self.members.member(0), action, seat) {
            Some(what) => tell(&mut self.links.answers, &self.clock, action.order(), what),
            None => {
                let now_ns = self.clock.now_ns();
                self.order_ns.record(now_ns.saturating_sub(stamp));
            }
        }
    }

    fn hear(&mut self, now_ns: u64) -> usize {
        let Self {
            members,
            clock,
            links,
            book,
            failure,
            stage,
            untold,
            ..
        } = self;
        let mut taken = None;
        let heard = members.poll(now_ns, &mut |_, reply| match reply {
            Reply::LoggedIn(_) => *stage = Stage::Away,
            Reply::Message(_, Outbound::AccountQueryResponse(answer)) => {
                taken = Some(answer.next_user_ref());
            }
            Reply::Message(_, message) => {
                if let Some(order_ref) = order_ref(&message) {
                    // A ring that is full leaves it in the book: that is all.
                    let _ = links.own.put(now_ns, &Slip::own(order_ref));
                }
                match book.hear(&message) {
                    Told::Nothing => {}
                    Told::Answer(order, what) => tell(&mut links.answers, clock, order, what),
                    Told::Before(fill) => untold.push_back(Input::Before(now(clock, fill))),
                    Told::Broken(fill) => untold.push_back(Input::Broken(now(clock, fill))),
                    Told::Between(price) => *failure = Some(between(price)),
                }
            }
            _ => {}
        });
        if let Some(next) = taken.filter(|_| self.stage == Stage::Asked) {
            self.resume(next);
        }
        match heard {
            Ok(count) => {
                if count > 0 {
                    self.heard_ns = now_ns;
                }
                count
            }
            Err(error) => {
                self.failure = Some(error.to_string());
                0
            }
        }
    }

    /// The venue said what it has taken.
    fn resume(&mut self, next: u32) {
        self.stage = Stage::Ready;
        self.returns += u64::from(self.is_alone);
        let Self {
            members,
            clock,
            links,
            book,
            ..
        } = self;
        book.resume(members.member(0), next, &mut |order, what| {
            tell(&mut links.answers, clock, order, what);
        });
    }

    /// Tells what orders of before traded, and what was taken back, as far as there is room beside
    /// the answers.
    fn tell_untold(&mut self) {
        while self.links.answers.has_room(RING_DEPTH / 2)
            && let Some(input) = self.untold.pop_front()
        {
            let (stamp, slip) = Slip::input(&input);
            // Room was looked for.
            let _ = self.links.answers.put(stamp, &slip);
            match input {
                Input::Broken(_) => self.broken += 1,
                _ => self.fills_before += 1,
            }
        }
    }

    /// Before the desk begins, the user's other orders leave.
    fn strangers_leave(&mut self, now_ns: u64) {
        if self.is_alone || self.stage != Stage::Ready {
            return;
        }
        if now_ns.saturating_sub(self.heard_ns) < QUIET_NS {
            return;
        }
        self.is_alone = self.book.strangers() == 0 && self.untold.is_empty();
        self.strangers += self.book.strangers_leave(self.members.member(0));
    }
}

/// A fill that is heard of now.
fn now(clock: &impl Clock, fill: Fill) -> Fill {
    Fill {
        time_ns: clock.now_ns(),
        ..fill
    }
}

fn between(price: u64) -> String {
    format!(
        "the venue trades at {price} ten-thousandths, between two ticks of the desk's file: give \
         the market the venue's tick"
    )
}

/// Passes an answer on, with the time at which it was heard.
fn tell(answers: &mut Writer<Slip>, clock: &impl Clock, order: OrderId, what: Answer) {
    let slip = Slip::report(&Report { order, what });
    // At most a handful of answers for each of the few orders that may live: the ring has room.
    let put = answers.put(clock.now_ns(), &slip);
    assert!(
        put.is_ok(),
        "the ring of answers is deeper than all that may be under way"
    );
}

/// The venue's number of an order that was taken.
fn order_ref(message: &Outbound<'_>) -> Option<u64> {
    match message {
        Outbound::Accepted(m) => Some(m.order_ref()),
        Outbound::Replaced(m) => Some(m.order_ref()),
        _ => None,
    }
}

impl<T: TcpPort + Send, C: Clock + Send> Tile for OrdersTile<T, C> {
    fn poll(&mut self, now_ns: u64) -> Progress {
        self.turn(now_ns)
    }

    fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }
}
