//! Where recorded venues meet: a bid of one at or above an offer of another one, by the touches of
//! `wirecross feed --recorded`, with what that brings behind the fees of both.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use analytics::arbitrage::{Crossing, CrossingKind, PPM, Quote, Venues};
use analytics::book::{Standing, Touch};
use recorded::Event;
use trading::desk::{Money, Worth};
use trading::{Instrument, Watch};

/// Nanoseconds in a millisecond and a microsecond.
const MS_NS: u64 = 1_000_000;
const US_NS: u64 = 1_000;

/// Symbols that are compared.
const SYMBOLS_MAX: usize = 1_024;

/// The first line of the file.
const HEAD: &str = "received_ns,symbol,kind,sell_at,sell_price,buy_at,buy_price,quantity,profit,\
                    age_us";

/// What `wirecross feed --recorded` takes for that.
#[derive(Debug, clap::Args)]
pub struct CrossingArgs {
    /// Takes the recorded files for venues of the same symbols, and writes where a bid of one meets
    /// an offer of another one into this file, a line each.
    #[arg(long, value_name = "FILE", requires_all = ["recorded", "fees_ppm"])]
    crossings: Option<PathBuf>,
    /// What each of these venues takes of a trade, in millionths, in the order of the files.
    #[arg(
        long,
        value_name = "PPM,...",
        value_delimiter = ',',
        requires = "crossings"
    )]
    fees_ppm: Vec<u32>,
    /// Does not believe a quote that stood for longer than so many milliseconds: what it takes to
    /// trade on it.
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    age_max_ms: u64,
}

/// A symbol of the venues.
struct Symbol {
    instrument: Instrument,
    worth: Worth,
    /// The touch of each venue.
    touches: Vec<Touch>,
}

/// See the module.
pub(super) struct Crossings {
    path: PathBuf,
    out: BufWriter<File>,
    venues: Venues,
    names: Vec<String>,
    symbols: Vec<Symbol>,
    /// By the number of an instrument: its symbol and its venue.
    places: BTreeMap<u32, (u32, u32)>,
    found: u64,
    gains: u64,
    best: Money,
}

impl Crossings {
    /// Of these files, if it is asked for.
    ///
    /// # Errors
    /// What is wrong with the fees; the file cannot be made.
    pub(super) fn open(args: &CrossingArgs, files: &[PathBuf]) -> Result<Option<Self>, String> {
        let Some(path) = &args.crossings else {
            return Ok(None);
        };
        let (fees, names) = (&args.fees_ppm, files.iter().map(|it| name_of(it)));
        if files.len() < 2 || fees.len() != files.len() {
            let (count, files) = (fees.len(), files.len());
            return Err(format!(
                "--fees-ppm: {count} of {files} files: name one for each of two files or more"
            ));
        }
        if let Some(fee) = fees.iter().find(|fee| **fee >= PPM) {
            return Err(format!("--fees-ppm: {fee} is not below {PPM}"));
        }
        let age_max_ns = args.age_max_ms.saturating_mul(MS_NS);
        let mut out = BufWriter::new(File::create(path).map_err(|e| named(path, &e))?);
        writeln!(out, "{HEAD}").map_err(|e| named(path, &e))?;
        Ok(Some(Self {
            path: path.clone(),
            out,
            venues: Venues::new(fees, SYMBOLS_MAX, age_max_ns),
            names: names.collect(),
            symbols: Vec::new(),
            places: BTreeMap::new(),
            found: 0,
            gains: 0,
            best: Money::ZERO,
        }))
    }

    /// An instrument of a venue: the same symbol as those of the same name.
    ///
    /// # Errors
    /// It has another tick or lot than these.
    pub(super) fn list(
        &mut self,
        number: u32,
        venue: usize,
        instrument: &Instrument,
    ) -> Result<(), String> {
        let name = &instrument.name;
        let known = self.symbols.iter();
        let known = known
            .map(|it| &it.instrument)
            .position(|it| it.name == *name);
        let place = match known {
            Some(place) => place,
            None if self.symbols.len() == SYMBOLS_MAX => {
                return Err(format!("{name}: more than {SYMBOLS_MAX} symbols"));
            }
            None => {
                let worth = Worth::of(instrument);
                self.symbols.push(Symbol {
                    instrument: instrument.clone(),
                    worth: worth.ok_or_else(|| format!("{name}: tick and lot are too small"))?,
                    touches: vec![Touch::default(); self.names.len()],
                });
                self.symbols.len() - 1
            }
        };
        let ours = &self.symbols[place].instrument;
        if (ours.tick, ours.lot) != (instrument.tick, instrument.lot) {
            return Err(format!("{name}: its venues have different ticks or lots"));
        }
        self.places.insert(number, (place as u32, venue as u32));
        Ok(())
    }

    /// The numbers of an instrument changed.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn take(&mut self, event: &Event, watch: &Watch) -> Result<(), String> {
        let Some(&(symbol, venue)) = self.places.get(&event.symbol) else {
            return Ok(());
        };
        let touch = watch.numbers().touch;
        let here = &mut self.symbols[symbol as usize].touches[venue as usize];
        if *here == touch {
            return Ok(());
        }
        *here = touch;
        let mut met = Vec::new();
        let quote = quote(touch, event.received_ns);
        self.venues.update(symbol, venue, quote, |it| met.push(it));
        for crossing in met {
            self.write(event.received_ns, symbol, &crossing)
                .map_err(|error| named(&self.path, &error))?;
        }
        Ok(())
    }

    fn write(&mut self, now_ns: u64, symbol: u32, it: &Crossing) -> std::io::Result<()> {
        let Symbol {
            instrument,
            worth,
            touches,
        } = &self.symbols[symbol as usize];
        let (sell, buy) = (it.sell_venue as usize, it.buy_venue as usize);
        let kind = match it.kind {
            CrossingKind::Locked => "locked",
            CrossingKind::Crossed => "crossed",
        };
        // Money has a million parts of what a tick of a lot is worth.
        let part = worth.value(1, 1).units() / i128::from(PPM);
        let profit = Money::of(part * it.profit_ppm_ticks());
        self.found += 1;
        self.gains += u64::from(profit > Money::ZERO);
        self.best = self.best.max(profit);
        writeln!(
            self.out,
            "{now_ns},{},{kind},{},{},{},{},{},{profit},{}",
            instrument.name,
            self.names[sell],
            instrument.tick.times(touches[sell].bid.price),
            self.names[buy],
            instrument.tick.times(touches[buy].offer.price),
            instrument.lot.times(it.units.into()),
            it.age_ns / US_NS
        )
    }

    /// Ends the file; says what was found.
    ///
    /// # Errors
    /// It could not be written.
    pub(super) fn end(&mut self) -> Result<String, String> {
        self.out
            .flush()
            .map_err(|error| named(&self.path, &error))?;
        Ok(format!(
            "crossings: {} in {}, {} of them bring something behind the fees, the best {}\n",
            self.found,
            self.path.display(),
            self.gains,
            self.best
        ))
    }
}

/// A file's name without its folder.
fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

fn named(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// A touch as a quote; a side that is not there, or that no quote can say, is none.
fn quote(touch: Touch, time_ns: u64) -> Quote {
    let side = |it: Standing| match u32::try_from(it.price) {
        Ok(price) if it.quantity > 0 => (price, u32::try_from(it.quantity).unwrap_or(u32::MAX)),
        _ => (0, 0),
    };
    let ((bid, bid_units), (ask, ask_units)) = (side(touch.bid), side(touch.offer));
    Quote {
        bid,
        bid_units,
        ask,
        ask_units,
        time_ns,
    }
}
