//! The numbers of instruments in shared memory, for who looks from outside, and on a ring, for who
//! wants each of them.
//!
//! Each instrument has a page of its own, a file in the data directory, which its writer replaces
//! and readers copy whole. The ring is for the slow path: where it is full a message is left out,
//! and counted, since the next one says all that is known anyway.

use std::path::{Path, PathBuf};

use bytemuck::{Pod, Zeroable};
use queue::{SharedSnapshot, SnapshotWriter, Writer};
use trading::{Decimal, Instrument, Numbers, Standing, Step, Watch};
use wire::ring::Side;

/// Levels of each side on a page.
pub const LEVELS: usize = 5;

/// Instruments that have pages.
pub const PAGES_MAX: usize = 64;

/// Bytes of a name, the rest of which is zero.
const NAME_BYTES: usize = 16;

/// What is known of an instrument. Numbers without a value are NaN.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Page {
    name: [u8; NAME_BYTES],
    venue: [u8; NAME_BYTES],
    /// Units and decimals of tick and lot.
    steps: [[u32; 2]; 2],
    /// Prices and lots of the best levels, bids first, best first.
    levels: [[[i64; 2]; LEVELS]; 2],
    /// The numbers.
    pub line: Line,
    /// The venue's time, in ns.
    pub event_ns: u64,
    /// The writer's time, in ns.
    pub received_ns: u64,
    /// Messages that the ring had no room for.
    pub dropped: u64,
    /// The process that writes.
    pub process: u64,
}

/// What the ring carries: the numbers of an instrument after an event. The stamp is the writer's
/// time of the event in ns.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Line {
    /// Number of the instrument.
    pub symbol: u64,
    /// Times that its numbers changed.
    pub updates: u64,
    /// Best bid: price and lots.
    pub bid: [i64; 2],
    /// Best offer.
    pub offer: [i64; 2],
    /// Weighted middle, in ticks.
    pub microprice: f64,
    /// Imbalance of the best levels and of the first ones.
    pub imbalance: [f64; 2],
    /// Order-flow imbalance, in lots.
    pub order_flow: i64,
    /// Realised volatility.
    pub volatility: f64,
    /// Price of the last trade, in ticks.
    pub last_price: i64,
    /// Trades.
    pub trades: u64,
    /// Lots that buyers started to trade, less those of sellers.
    pub taken: i64,
}

const _: () = assert!(size_of::<Line>() == 112, "a slot of two cache lines");

impl Line {
    fn of(symbol: u32, it: &Numbers) -> Self {
        let none = |number: Option<f64>| number.unwrap_or(f64::NAN);
        let [bought, sold] = it.taken.map(lots);
        Self {
            symbol: symbol.into(),
            updates: it.updates,
            bid: pair(it.touch.bid),
            offer: pair(it.touch.offer),
            microprice: none(it.microprice),
            imbalance: [it.imbalance, it.imbalance_levels].map(none),
            order_flow: it.order_flow,
            volatility: none(it.volatility),
            last_price: it.last_price,
            trades: it.trades,
            taken: bought - sold,
        }
    }
}

fn lots(lots: u64) -> i64 {
    i64::try_from(lots).unwrap_or(i64::MAX)
}

fn pair(it: Standing) -> [i64; 2] {
    [it.price, lots(it.quantity)]
}

impl Page {
    fn new(instrument: &Instrument) -> Self {
        let name = |text: &str| {
            let mut name = [0; NAME_BYTES];
            let taken = text.len().min(NAME_BYTES);
            name[..taken].copy_from_slice(&text.as_bytes()[..taken]);
            name
        };
        let step = |step: Step| [step.units(), step.decimals().into()];
        Self {
            name: name(&instrument.name),
            venue: name(&instrument.venue),
            steps: [step(instrument.tick), step(instrument.lot)],
            process: std::process::id().into(),
            ..Self::zeroed()
        }
    }

    /// The instrument's name.
    #[must_use]
    pub fn name(&self) -> String {
        text(&self.name)
    }

    /// The venue's name.
    #[must_use]
    pub fn venue(&self) -> String {
        text(&self.venue)
    }

    /// A price in the currency; `None` if the page says no step.
    #[must_use]
    pub fn price(&self, ticks: i64) -> Option<Decimal> {
        decimal(self.steps[0], ticks)
    }

    /// A price between ticks, with two decimals more than a tick; empty for none.
    #[must_use]
    pub fn price_between(&self, ticks: f64) -> String {
        let [units, decimals] = self.steps[0];
        let step = Step::new(units, u8::try_from(decimals).unwrap_or(u8::MAX));
        let Some(step) = step.filter(|_| ticks.is_finite()) else {
            return String::new();
        };
        format!(
            "{:.*}",
            usize::from(step.decimals()) + 2,
            ticks * step.value()
        )
    }

    /// A quantity in units.
    #[must_use]
    pub fn quantity(&self, lots: i64) -> Option<Decimal> {
        decimal(self.steps[1], lots)
    }

    /// Whether the process that wrote the page is there. The system may have given its number to
    /// another one since.
    #[must_use]
    pub fn is_running(&self) -> bool {
        Path::new("/proc").join(self.process.to_string()).exists()
    }

    /// The levels of a side, best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = [i64; 2]> {
        let levels = self.levels[side as usize].into_iter();
        levels.take_while(|level| level[1] > 0)
    }
}

fn decimal([units, decimals]: [u32; 2], count: i64) -> Option<Decimal> {
    let step = Step::new(units, u8::try_from(decimals).ok()?)?;
    Some(step.times(count))
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned()
}

/// The page of an instrument's number.
fn path(folder: &Path, symbol: usize) -> PathBuf {
    folder.join(format!("market.{symbol}"))
}

/// The pages that are there.
fn paths(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let all = (0..PAGES_MAX).map(|symbol| path(folder, symbol));
    all.take_while(|path| path.exists())
}

/// The writing side.
#[derive(Debug)]
pub struct Board {
    folder: Option<PathBuf>,
    pages: Vec<Page>,
    writers: Vec<SnapshotWriter<Page>>,
    ring: Option<Writer<Line>>,
    dropped: u64,
}

impl Board {
    /// A board in a folder, which loses the pages of the board before, or only for this program;
    /// `ring` goes to the slow path.
    ///
    /// # Errors
    /// An old page cannot be removed.
    pub fn new(folder: Option<&Path>, ring: Option<Writer<Line>>) -> Result<Self, String> {
        if let Some(folder) = folder {
            let made = std::fs::create_dir_all(folder);
            made.map_err(|error| format!("{}: {error}", folder.display()))?;
            for path in paths(folder) {
                let removed = std::fs::remove_file(&path);
                removed.map_err(|error| format!("{}: {error}", path.display()))?;
            }
        }
        Ok(Self {
            folder: folder.map(Path::to_owned),
            pages: Vec::new(),
            writers: Vec::new(),
            ring,
            dropped: 0,
        })
    }

    /// Gives the next instrument its page; one beyond [`PAGES_MAX`] has none.
    ///
    /// # Errors
    /// The page cannot be made.
    pub fn list(&mut self, instrument: &Instrument) -> Result<(), String> {
        if self.pages.len() == PAGES_MAX {
            return Ok(());
        }
        if let Some(folder) = &self.folder {
            let path = path(folder, self.pages.len());
            let memory = SharedSnapshot::create::<Page>(&path);
            let writer = memory.and_then(|memory| memory.writer());
            let writer = writer.map_err(|error| format!("{}: {error}", path.display()))?;
            self.writers.push(writer);
        }
        self.pages.push(Page::new(instrument));
        Ok(())
    }

    /// Shows what a watch has come to.
    pub fn show(&mut self, symbol: u32, watch: &Watch) {
        let numbers = watch.numbers();
        let line = Line::of(symbol, numbers);
        if let Some(ring) = &mut self.ring {
            self.dropped += u64::from(ring.push(numbers.received_ns, &line).is_err());
        }
        let Some(page) = self.pages.get_mut(symbol as usize) else {
            return;
        };
        page.line = line;
        page.event_ns = numbers.event_ns;
        page.received_ns = numbers.received_ns;
        page.dropped = self.dropped;
        for side in [Side::Buy, Side::Sell] {
            let mut levels = watch.depth().levels(side).map(pair);
            for place in &mut page.levels[side as usize] {
                *place = levels.next().unwrap_or_default();
            }
        }
        if let Some(writer) = self.writers.get_mut(symbol as usize) {
            writer.write(page);
        }
    }

    /// The pages as they are, by the numbers of their instruments.
    #[must_use]
    pub fn pages(&self) -> &[Page] {
        &self.pages
    }

    /// Messages that the ring had no room for.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// The pages in a folder, by the numbers of their instruments; none where there is no board. A page
/// that is half written for long, because its writer died, is left out.
///
/// # Errors
/// A page is something else.
pub fn pages(folder: &Path) -> Result<Vec<Page>, String> {
    let mut pages = Vec::new();
    for path in paths(folder) {
        let memory = SharedSnapshot::attach::<Page>(&path);
        let reader = memory.and_then(|memory| memory.reader::<Page>());
        let reader = reader.map_err(|error| format!("{}: {error}", path.display()))?;
        pages.extend(reader.read());
    }
    Ok(pages)
}
