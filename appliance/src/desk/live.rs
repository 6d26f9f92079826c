//! A desk at work: three threads between a market and a venue's order entry, and a book-keeper.
//!
//! The orders thread logs in first; feed and strategies begin when it is ready. At the end the desk
//! is stopped, which takes all its orders off, and threads end when the venue has said that none is
//! left.

mod threads;

use std::fmt;
use std::io::Write;
use std::thread::{Builder, Scope, ScopedJoinHandle};
use std::time::Duration;

use nic::{Clock, RealClock, TcpPort};
use queue::{Counter, CounterSet, Watch};
use sandbox::Calls;
use trading::desk::{HOPS, Kill};

use super::brain::Brain;
use super::feed::Feed;
use super::keeper::{Keeper, Records};
use super::orders::OrdersTile;
use crate::tiles::{Progress, Tile};
use threads::{Turn, spawn, threads};

/// Counters by which the threads tell one another how they are.
pub const COUNTERS: [&str; 4] = ["desk.phase", "desk.flat", "desk.feed", "desk.orders"];
/// The desk's histograms.
pub const HISTOGRAMS: [&str; 5] = [
    "desk.event_ns",
    "desk.call_ns",
    "desk.signal_ns",
    "desk.order_ns",
    "desk.gap_ns",
];
/// Those of the parts of a decision, as [`trading::desk::Hop`] numbers them.
pub const HOP_HISTOGRAMS: [&str; HOPS] = [
    "desk.hop_features_ns",
    "desk.hop_inference_ns",
    "desk.hop_signal_ns",
    "desk.hop_validation_ns",
    "desk.hop_fill_ns",
];

/// What threads do, by the counter `desk.phase`: at first the feed tile does not turn.
const LOGGING_IN: u64 = 0;
/// All tiles do.
const WORKING: u64 = 1;
/// The desk stops when it has taken all there is.
const DRAINING: u64 = 2;
/// It stops now.
const LEAVING: u64 = 3;
/// As [`LEAVING`]: it does not know the market or its orders any more.
const BLIND: u64 = 4;
/// The tiles end.
const OVER: u64 = 5;
/// They have ended, and so does the book-keeper when it has taken what they left.
const CLOSED: u64 = 6;

/// The counters `desk.feed` and `desk.orders`.
const AWAY: u64 = 0;
const READY: u64 = 1;
const ENDED: u64 = 2;
const FAILED: u64 = 3;

/// Time between two looks of the main thread while others begin or end.
const LOOK: Duration = Duration::from_millis(2);
/// The same while they work, and that of the book-keeper when nothing came: each look takes the
/// core of a thread that spins, where there is no other one, for tens of microseconds.
const LOOK_AT_WORK: Duration = Duration::from_millis(20);
const KEEPER_REST: Duration = Duration::from_millis(5);
/// How long orders may take to leave at the end.
const LEAVE_NS: u64 = 30 * session::SECOND_NS;
/// How long a login may take.
const LOGIN_NS: u64 = 30 * session::SECOND_NS;

/// The threads' tiles and what they work with.
pub struct Live<T> {
    /// The feed tile.
    pub feed: Box<dyn Feed>,
    /// The strategy tile.
    pub brain: Brain<RealClock>,
    /// The orders tile.
    pub orders: OrdersTile<T, RealClock>,
    /// What came, for the book-keeper.
    pub records: Records,
    /// Cores of feed, strategy and orders; tiles of one core turn on one thread. Without any each
    /// has a thread of its own, and they share what there is.
    pub cores: Option<[usize; 3]>,
    /// How long market or venue may be away before the desk gives up, in ns.
    pub away_ns_max: u64,
    /// Whether it is beside its venue: then it does not wait for it when it is to end.
    pub is_beside: bool,
    /// The calls that it keeps when its threads stand.
    pub walls: Option<Calls>,
}

/// Why a desk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was told to.
    Word,
    /// There is no more market.
    Feed,
    /// The venue ended its session.
    Venue,
    /// Market or venue were away for too long.
    Away,
    /// A tile failed.
    Failed,
    /// The venue did not let it in.
    NoLogin,
}

impl fmt::Display for End {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Word => "it was told to end",
            Self::Feed => "the feed ended",
            Self::Venue => "the venue ended its session",
            Self::Away => "the venue was away for too long",
            Self::Failed => "a tile failed",
            Self::NoLogin => "no login: is the venue running?",
        })
    }
}

/// Works until `is_over` says so, or there is another reason; then takes all orders off. `begun` is
/// called when the desk may trade.
///
/// # Errors
/// A thread could not be started, or ended by a panic.
pub fn run<T, W>(
    live: &mut Live<T>,
    keeper: &mut Keeper<W>,
    set: &mut CounterSet,
    begun: &mut dyn FnMut(),
    is_over: &mut dyn FnMut(u64) -> bool,
) -> Result<End, String>
where
    T: TcpPort + Send,
    W: Write + Send,
{
    let [mut phase, mut flat, mut feed, mut orders] = counters(set)?;
    let watches = [&flat, &feed, &orders].map(Counter::watch);
    let away_ns_max = live.away_ns_max;
    let (cores, is_beside, walls) = (live.cores, live.is_beside, live.walls);
    let Live {
        feed: feed_tile,
        brain,
        orders: orders_tile,
        records,
        ..
    } = live;
    let turns: [Turn<'_>; 3] = [
        Box::new(move |now_ns, phase| {
            if phase == LOGGING_IN {
                return Progress::Idle;
            }
            let progress = feed_tile.poll(now_ns);
            feed.set(standing_of(&**feed_tile));
            progress
        }),
        Box::new(move |now_ns, phase| {
            let (progress, is_flat) = think(brain, now_ns, phase);
            flat.set(is_flat.into());
            progress
        }),
        Box::new(move |now_ns, _| {
            let progress = orders_tile.poll(now_ns);
            orders.set(standing(orders_tile));
            progress
        }),
    ];
    let over = phase.watch();
    std::thread::scope(|scope| {
        let mut tiles = Vec::new();
        for thread in threads(cores, turns) {
            tiles.push(spawn(scope, thread, over.clone())?);
        }
        let keep = keep(scope, over, keeper, records)?;
        let mut main = Main {
            phase: &mut phase,
            watches,
            tiles,
            away_ns_max,
            is_beside,
            clock: RealClock::new(),
        };
        let refused = walls.and_then(|calls| calls.restrict().err());
        let end = if refused.is_none() && main.log_in(is_over) {
            begun();
            main.phase.set(WORKING);
            main.watch(is_over)
        } else {
            main.no_login()
        };
        let died = main.close() + usize::from(keep.join().is_err());
        if died > 0 {
            return Err(format!("{died} threads of the desk died: see above"));
        }
        refused.map_or(Ok(end), |error| Err(error.to_string()))
    })
}

fn counters(set: &mut CounterSet) -> Result<[Counter; 4], String> {
    let mut counter = |name| set.counter(name).map_err(|error| error.to_string());
    Ok([
        counter(COUNTERS[0])?,
        counter(COUNTERS[1])?,
        counter(COUNTERS[2])?,
        counter(COUNTERS[3])?,
    ])
}

fn standing<T: TcpPort + Send>(orders: &OrdersTile<T, RealClock>) -> u64 {
    match (orders.failure(), orders.is_ended(), orders.is_ready()) {
        (Some(_), ..) => FAILED,
        (_, true, _) => ENDED,
        (.., true) => READY,
        _ => AWAY,
    }
}

fn standing_of(feed: &dyn Feed) -> u64 {
    match (feed.failure(), feed.is_ended(), feed.is_dark()) {
        (Some(_), ..) => FAILED,
        (_, true, _) => ENDED,
        (.., true) => AWAY,
        _ => READY,
    }
}

/// A turn of the strategy tile; whether all its orders are gone behind the end.
fn think(brain: &mut Brain<RealClock>, now_ns: u64, phase: u64) -> (Progress, bool) {
    match phase {
        // What orders of before traded comes ahead of the market.
        LOGGING_IN | WORKING => {}
        DRAINING if !brain.is_idle() => {}
        BLIND => brain.stop(Kill::Blind),
        _ => brain.stop(Kill::Word),
    }
    let progress = brain.poll(now_ns);
    (progress, brain.is_stopped() && brain.is_flat())
}

/// The main thread: says when to leave, and when all is over.
struct Main<'m, 's> {
    phase: &'m mut Counter,
    /// Flat, feed, orders.
    watches: [Watch; 3],
    tiles: Vec<ScopedJoinHandle<'s, ()>>,
    away_ns_max: u64,
    is_beside: bool,
    clock: RealClock,
}

impl Main<'_, '_> {
    /// Waits until the desk may trade; `false` when it may not.
    fn log_in(&self, is_over: &mut dyn FnMut(u64) -> bool) -> bool {
        let start_ns = self.clock.now_ns();
        loop {
            let now_ns = self.clock.now_ns();
            match self.watches[2].get() {
                READY => return true,
                FAILED | ENDED => return false,
                _ if self.is_dead() => return false,
                _ if now_ns - start_ns > LOGIN_NS || is_over(now_ns) => return false,
                _ => std::thread::sleep(LOOK),
            }
        }
    }

    fn no_login(&self) -> End {
        match self.watches[2].get() {
            FAILED => End::Failed,
            ENDED => End::Venue,
            _ => End::NoLogin,
        }
    }

    /// Waits for a reason to end, and then for the orders to leave.
    fn watch(&mut self, is_over: &mut dyn FnMut(u64) -> bool) -> End {
        let mut whole_ns = self.clock.now_ns();
        let end = loop {
            let now_ns = self.clock.now_ns();
            let (feed, orders) = (self.watches[1].get(), self.watches[2].get());
            if feed == READY && orders == READY {
                whole_ns = now_ns;
            }
            match (feed, orders) {
                (FAILED, _) | (_, FAILED) => break End::Failed,
                _ if self.is_dead() => break End::Failed,
                (_, ENDED) => break End::Venue,
                (ENDED, _) => break End::Feed,
                _ if is_over(now_ns) => break End::Word,
                _ if now_ns - whole_ns > self.away_ns_max => break End::Away,
                _ => std::thread::sleep(LOOK_AT_WORK),
            }
        };
        self.phase.set(match end {
            End::Feed => DRAINING,
            End::Word => LEAVING,
            _ => BLIND,
        });
        let start_ns = self.clock.now_ns();
        loop {
            let is_flat = self.watches[0].get() != 0;
            let is_gone = match self.watches[2].get() {
                ENDED | FAILED => true,
                // The next desk takes off what rests.
                AWAY if self.is_beside => true,
                _ => self.is_dead(),
            };
            if is_flat || is_gone || self.clock.now_ns() - start_ns > LEAVE_NS {
                return end;
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Whether a thread ended that was not to.
    fn is_dead(&self) -> bool {
        self.tiles.iter().any(ScopedJoinHandle::is_finished)
    }

    /// Ends the tiles, and behind them the book-keeper; how many ended by a panic.
    fn close(self) -> usize {
        self.phase.set(OVER);
        let died = self.tiles.into_iter().filter_map(|it| it.join().err());
        let died = died.count();
        self.phase.set(CLOSED);
        died
    }
}

/// The book-keeper's thread.
fn keep<'scope, W: Write + Send>(
    scope: &'scope Scope<'scope, '_>,
    phase: Watch,
    keeper: &'scope mut Keeper<W>,
    records: &'scope mut Records,
) -> Result<ScopedJoinHandle<'scope, ()>, String> {
    let work = move || {
        loop {
            // Looked at first: what was written before the end is still there behind it.
            let is_closed = phase.get() == CLOSED;
            let came = keeper.take(records);
            if is_closed && came == 0 {
                return;
            }
            if came == 0 {
                std::thread::sleep(KEEPER_REST);
            }
        }
    };
    let thread = Builder::new().name("desk-books".to_owned());
    let thread = thread.spawn_scoped(scope, work);
    thread.map_err(|error| format!("desk-books: {error}"))
}
