//! Opening a file whose format only its bytes say.

use std::io::BufRead;
use std::path::Path;

use trading::Step;

use crate::error::{Error, Fault, Place};
use crate::recording::{Recording, Records};
use crate::source::{read_error, stream};
use crate::{binance, bitstamp, databento, itch, lobster, session};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A capture of Binance's streams.
    Binance,
    /// Bitstamp's live orders.
    Bitstamp,
    /// DBN.
    Databento,
    /// ITCH 5.0 in BinaryFILE.
    Itch,
    /// Messages of LOBSTER, with the book beside them.
    Lobster,
    /// A session of a desk.
    Session,
}

/// What a file does not say of itself.
#[derive(Clone, Debug)]
pub struct Options {
    /// The tick of captures, Bitstamp's orders, DBN and sessions.
    pub tick: Step,
    /// The lot of captures, Bitstamp's orders and sessions.
    pub lot: Step,
    /// When the day began of files that have times of day, in ns since 1970.
    pub day_ns: u64,
    /// The number of the first instrument.
    pub symbol: u32,
}

impl Format {
    /// The format of a file, by its first bytes.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn of(path: &Path) -> Result<Self, Error> {
        let mut stream = stream(path)?;
        let begin = stream.fill_buf();
        let begin = begin.map_err(|why| read_error(path, Place::Whole, &why))?;
        Self::guess(begin).ok_or_else(|| Error::new(path, Place::Whole, Fault::Format))
    }

    fn guess(begin: &[u8]) -> Option<Self> {
        let digits = begin
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        match begin.get(digits..)? {
            [b' ', b'{', ..] if digits > 0 => Some(Self::Binance),
            [b'.' | b',', ..] if digits > 0 => Some(Self::Lobster),
            _ if begin.starts_with(bitstamp::COLUMNS) => Some(Self::Bitstamp),
            _ if begin.starts_with(session::HEAD) => Some(Self::Session),
            _ if begin.starts_with(b"DBN") => Some(Self::Databento),
            // A length, then a type: whether it is one, the first message says.
            _ if begin.first() == Some(&0) => Some(Self::Itch),
            _ => None,
        }
    }
}

/// The events of a file of any format.
///
/// # Errors
/// It cannot be opened, or is of no format that is known.
pub fn open(path: &Path, options: &Options) -> Result<Recording<Box<dyn Records + Send>>, Error> {
    let Options {
        tick, lot, symbol, ..
    } = *options;
    let day_ns = options.day_ns;
    Ok(match Format::of(path)? {
        Format::Binance => {
            let instrument = binance::instrument(path, tick, lot)?;
            binance::Capture::open(path, instrument, symbol)?.boxed()
        }
        Format::Bitstamp => bitstamp::Orders::open(path, tick, lot, symbol)?.boxed(),
        Format::Databento => databento::File::open(path, tick, symbol)?.boxed(),
        Format::Itch => itch::File::open(path, day_ns, symbol)?.boxed(),
        Format::Session => session::Session::open(path, tick, lot, symbol)?.boxed(),
        Format::Lobster => lobster::Day::open(path, day_ns, symbol)?.boxed(),
    })
}
