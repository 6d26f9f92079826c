//! The desk's strategy tile: events and answers in, requests out, and everything that came to a
//! ring for the book-keeper, who runs it once more beside the hot path.

use std::hash::{DefaultHasher, Hash, Hasher};

use nic::Clock;
use queue::{Histogram, Reader, Writer};
use trading::desk::{Decided, Decision, Desk, HOPS, Hop, Input, Kill, Listings, Stopwatch};
use trading::{Event, Watch, WatchRule, What};

use super::slip::{Said, Slip};
use crate::board::Board;
use crate::tiles::{BATCH, Progress, Tile};

/// Slots of the other rings.
pub const RING_DEPTH: usize = 4 << 10;
/// Slots of the ring to the book-keeper.
pub const RECORD_DEPTH: usize = 64 << 10;
/// Overruns that an input may make room for, and itself.
const RECORD_ROOM: usize = 256;

/// A digest of decisions in their order.
#[derive(Clone, Debug, Default)]
pub struct Digest {
    hasher: DefaultHasher,
    /// How many there were.
    pub count: u64,
}

impl Digest {
    /// One more.
    pub fn add(&mut self, decision: &Decision) {
        decision.hash(&mut self.hasher);
        self.count += 1;
    }

    /// What they come to.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.hasher.finish()
    }
}

/// Measures calls by a clock.
struct Measured<'c, C> {
    clock: &'c C,
    start_ns: u64,
    /// Where the part of the call before ended.
    hop_ns: u64,
    call_ns: &'c mut Histogram,
    hops: Option<&'c mut [Histogram; HOPS]>,
}

impl<C: Clock> Stopwatch for Measured<'_, C> {
    fn start(&mut self) {
        self.start_ns = self.clock.now_ns();
        self.hop_ns = self.start_ns;
    }

    fn took_ns(&mut self, _call: u64) -> u64 {
        let took_ns = self.clock.now_ns().saturating_sub(self.start_ns);
        self.call_ns.record(took_ns);
        took_ns
    }

    fn hop(&mut self, hop: Hop) {
        let now_ns = self.clock.now_ns();
        self.hop_took(hop, now_ns.saturating_sub(self.hop_ns));
        self.hop_ns = now_ns;
    }

    fn hop_took(&mut self, hop: Hop, ns: u64) {
        if let Some(hops) = &mut self.hops {
            hops[hop as usize].record(ns);
        }
    }
}

/// The tile's rings.
pub struct BrainLinks {
    /// What the market says.
    pub events: Reader<Slip>,
    /// What the venue answers.
    pub answers: Reader<Slip>,
    /// Requests for the venue.
    pub requests: Writer<Slip>,
    /// All that came, for the book-keeper.
    pub record: Writer<Slip>,
}

/// What the tile measures, in ns.
pub struct BrainTimes {
    /// What an event takes here, from being taken out of the ring on.
    pub event: Histogram,
    /// What a call of a strategy takes, its orders' risk included.
    pub call: Histogram,
    /// From the receipt by the feed tile of what strategies are asked about, a whole change of a
    /// book or a trade, to the end of all calls that it made.
    pub signal: Histogram,
    /// From one turn to the next while nothing comes: what is long in it is not ours, but took the
    /// core away, and whoever comes then waits. [`queue::Buckets::waits`] says for how long.
    pub gap: Histogram,
    /// The parts of a decision, where a strategy tells them apart.
    pub hops: Option<[Histogram; HOPS]>,
}

/// The numbers of the markets, and where they are shown.
pub struct Shown {
    watches: Vec<Watch>,
    board: Board,
}

impl Shown {
    /// The markets of a desk.
    ///
    /// # Errors
    /// A page cannot be made.
    pub fn new(listings: &Listings, mut board: Board) -> Result<Self, String> {
        let mut watches = Vec::new();
        for listing in listings.iter() {
            board.list(&listing.instrument)?;
            let watch = Watch::new(WatchRule::default());
            watches.push(watch.map_err(|error| error.to_string())?);
        }
        Ok(Self { watches, board })
    }

    fn take(&mut self, event: &Event) {
        if let Some(watch) = self.watches.get_mut(event.symbol as usize)
            && watch.on(event)
        {
            self.board.show(event.symbol, watch);
        }
    }
}

/// See the module.
pub struct Brain<C> {
    desk: Desk,
    clock: C,
    links: BrainLinks,
    shown: Shown,
    times: BrainTimes,
    digest: Digest,
    lost: u64,
    stop: Option<Kill>,
    is_stopped: bool,
    is_idle: bool,
    /// When the last turn began.
    turned_ns: u64,
}

impl<C: Clock> Brain<C> {
    /// A tile around a desk.
    #[must_use]
    pub fn new(desk: Desk, clock: C, links: BrainLinks, shown: Shown, times: BrainTimes) -> Self {
        Self {
            desk,
            clock,
            links,
            shown,
            times,
            digest: Digest::default(),
            lost: 0,
            stop: None,
            is_stopped: false,
            is_idle: false,
            turned_ns: 0,
        }
    }

    /// Stops the desk at the next turn, if it was not stopped before.
    pub const fn stop(&mut self, why: Kill) {
        if !self.is_stopped {
            self.stop = Some(why);
            self.is_stopped = true;
        }
    }

    /// Whether it was stopped.
    #[must_use]
    pub const fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// Whether nothing came in the last turn.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.is_idle
    }

    /// Whether no order lives, as far as the desk knows.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        self.stop.is_none() && self.desk.orders().is_empty()
    }

    /// The decisions so far, and inputs that the book-keeper had no room for.
    #[must_use]
    pub const fn told(&self) -> (&Digest, u64) {
        (&self.digest, self.lost)
    }

    /// Rows of numbers that the book-keeper had no room for.
    #[must_use]
    pub const fn lines_dropped(&self) -> u64 {
        self.shown.board.dropped()
    }

    fn turn(&mut self, now_ns: u64) -> Progress {
        if self.is_idle {
            let gap_ns = now_ns.saturating_sub(self.turned_ns);
            self.times.gap.record(gap_ns);
        }
        self.turned_ns = now_ns;
        if let Some(why) = self.stop.take() {
            self.input(Input::Kill(now_ns, why));
        }
        let mut came = 0;
        // Answers first: they say what may be asked for next. Each input needs room for requests.
        while came < BATCH && self.links.requests.has_room(RING_DEPTH / 2) {
            let next = self.links.answers.pop().or_else(|| self.links.events.pop());
            let Some((stamp, slip)) = next else {
                break;
            };
            if let Some(Said::Input(input)) = slip.read(stamp) {
                self.input(input);
            }
            came += 1;
        }
        if self.desk.timer_next_ns().is_some_and(|due| due <= now_ns) {
            self.input(Input::Time(now_ns));
            came += 1;
        }
        self.links.record.publish();
        self.is_idle = came == 0;
        Progress::of(came)
    }

    fn input(&mut self, input: Input) {
        let Self {
            desk,
            clock,
            links,
            times,
            digest,
            ..
        } = self;
        let start_ns = clock.now_ns();
        let mut watch = Measured {
            clock,
            start_ns,
            hop_ns: start_ns,
            call_ns: &mut times.call,
            hops: times.hops.as_mut(),
        };
        desk.input(&input, &mut watch);
        let (stamp, slip) = Slip::input(&input);
        let mut has_sent = false;
        desk.take_decisions(|decision| {
            digest.add(decision);
            if let Decided::Send(action) = decision.what {
                // Room was looked for.
                let slip = Slip::action(&action, decision.seat.unwrap_or(0) as u8);
                has_sent |= links.requests.put(stamp, &slip).is_ok();
            }
        });
        if has_sent {
            links.requests.publish();
        }
        self.record(stamp, &slip);
        if let Input::Event(event) = input {
            if matches!(event.what, What::End | What::Trade { .. }) {
                let now_ns = self.clock.now_ns();
                self.times.signal.record(now_ns.saturating_sub(stamp));
            }
            self.shown.take(&event);
            let now_ns = self.clock.now_ns();
            self.times.event.record(now_ns.saturating_sub(start_ns));
        }
    }

    /// Hands an input to the book-keeper, behind the calls in it that took too long.
    fn record(&mut self, stamp: u64, slip: &Slip) {
        let record = &mut self.links.record;
        let has_room = record.has_room(RECORD_ROOM);
        self.desk.take_overruns(|overrun| {
            if has_room {
                // The ring is that much deeper than any input makes.
                let _ = record.put(stamp, &Slip::overrun(&overrun));
            }
        });
        let is_kept = has_room && record.put(stamp, slip).is_ok();
        self.lost += u64::from(!is_kept);
    }
}

impl<C: Clock + Send> Tile for Brain<C> {
    fn poll(&mut self, now_ns: u64) -> Progress {
        self.turn(now_ns)
    }

    fn failure(&self) -> Option<&str> {
        None
    }
}
