//! Recorded files as the events of a desk's markets.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use recorded::{Error, Event, Format, Merged, Options, Recording, Records};
use trading::Step;
use trading::desk::Listing;

use super::file::DeskFile;

/// Numbers between the first instruments of two files: no file has as many.
const FILE_STEP: u32 = 1 << 16;

/// What ended the reading that is no fault of a file alone.
type Fault = Arc<Mutex<Option<String>>>;

/// A file whose instruments are markets of a desk.
struct Bound {
    recording: Recording<Box<dyn Records + Send>>,
    first: u32,
    /// What the venue calls each market, and its listing.
    markets: Arc<[(String, Listing)]>,
    /// By the file's number of an instrument: the market, if it is one.
    known: Vec<Option<u32>>,
    /// The market of a capture, which names none.
    only: Option<u32>,
    fault: Fault,
}

impl Bound {
    /// The market of one of the file's instruments; an error where the two do not fit.
    fn market(&mut self, symbol: u32) -> Result<Option<u32>, String> {
        let number = (symbol - self.first) as usize;
        while self.known.len() <= number {
            let Some(found) = self.recording.instruments().get(self.known.len()) else {
                return Ok(None);
            };
            let is_it = |(name, _): &(String, Listing)| *name == found.name;
            let named = || self.markets.iter().position(is_it).map(|at| at as u32);
            let market = self.only.or_else(named);
            if let Some(at) = market {
                let ours = &self.markets[at as usize].1.instrument;
                if (ours.tick, ours.lot) != (found.tick, found.lot) {
                    let one = |step: Step| step.times(1);
                    return Err(format!(
                        "{}: the recording has a tick of {} and a lot of {}, the desk's file a \
                         tick of {} and a lot of {}",
                        ours.name,
                        one(found.tick),
                        one(found.lot),
                        one(ours.tick),
                        one(ours.lot)
                    ));
                }
            }
            self.known.push(market);
        }
        Ok(self.known[number])
    }
}

impl Iterator for Bound {
    type Item = Result<Event, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let event = match self.recording.next()? {
                Ok(event) => event,
                error => return Some(error),
            };
            match self.market(event.symbol) {
                Ok(Some(symbol)) => return Some(Ok(Event { symbol, ..event })),
                Ok(None) => {}
                Err(why) => {
                    *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
                    return None;
                }
            }
        }
    }
}

/// The events of recorded files, as one stream by their times of receipt. The first capture of an
/// exchange is the first market's, the next one the next one's; other files name their instruments,
/// and those that are no markets of the desk are passed over.
///
/// # Errors
/// A file cannot be opened, or there are more captures than markets.
pub fn open(
    file: &DeskFile,
    paths: &[PathBuf],
) -> Result<impl Iterator<Item = Result<Event, String>> + use<>, String> {
    let listings = file.listings().iter().cloned();
    let markets: Vec<_> = file.symbols().map(str::to_owned).zip(listings).collect();
    let markets: Arc<[_]> = markets.into();
    let fault = Fault::default();
    let mut captures = 0;
    let mut sources = Vec::new();
    for (at, path) in paths.iter().enumerate() {
        let first = at as u32 * FILE_STEP;
        let (recording, only) = opened(path, first, &markets, &mut captures)?;
        sources.push(Bound {
            recording,
            first,
            markets: markets.clone(),
            known: Vec::new(),
            only,
            fault: fault.clone(),
        });
    }
    let mut merged = Merged::new(sources);
    Ok(std::iter::from_fn(move || {
        let next = merged.next();
        let why = fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        match why {
            Some(why) => Some(Err(why)),
            None => next.map(|event| event.map_err(|error| error.to_string())),
        }
    }))
}

type Opened = (Recording<Box<dyn Records + Send>>, Option<u32>);

fn opened(
    path: &Path,
    symbol: u32,
    markets: &[(String, Listing)],
    captures: &mut usize,
) -> Result<Opened, String> {
    let format = Format::of(path).map_err(|error| error.to_string())?;
    if format == Format::Session {
        // Its markets have numbers of their desk and no names.
        let what = "a desk's session is run alone, by wirecross backtest --data";
        return Err(format!("{}: {what}", path.display()));
    }
    let only = (format == Format::Binance).then_some(*captures as u32);
    *captures += usize::from(only.is_some());
    let place = only.unwrap_or(0) as usize;
    let Some((_, listing)) = markets.get(place) else {
        let path = path.display();
        return Err(format!("{path}: capture {} of {place} markets", place + 1));
    };
    let options = Options {
        tick: listing.instrument.tick,
        lot: listing.instrument.lot,
        day_ns: 0,
        symbol,
    };
    let recording = recorded::open(path, &options).map_err(|error| error.to_string())?;
    Ok((recording, only))
}
