//! LOBSTER: a file of messages, and one of the book after each message, row by row.
//!
//! The messages are about the levels that the book's file has, ten or so. A level that comes up
//! from below, because one above it went, is told by the book's row alone; everything else the
//! messages make, and it must be what the row says, or the recording is refused there.
//!
//! Prices are in 1/10,000; times are seconds of the day.

use std::path::{Path, PathBuf};

use trading::{Depth, Event, Instrument, NotSteps, Standing, Step, What};
use wire::ring::Side;

use crate::error::{Error, Fault};
use crate::recording::{Recording, Records, Teller};
use crate::source::Lines;

/// A price of none at a level that is not there.
const NO_PRICE: i64 = 9_999_999_999;

/// What a level has in a row: offer's price and size, bid's price and size.
const COLUMNS: usize = 4;

/// One day of one stock.
pub struct Day {
    messages: Lines,
    books: Lines,
    day_ns: u64,
    instruments: [Instrument; 1],
    symbol: u32,
    /// What was told.
    depth: Depth,
    row: Vec<i64>,
    compared: u64,
    revealed: u64,
}

struct Message {
    event_ns: u64,
    kind: u8,
    size: u64,
    price: i64,
    side: Side,
}

/// The file of books that belongs to a file of messages, by LOBSTER's names.
pub fn book_path(messages: &Path) -> Option<PathBuf> {
    let name = messages.file_name()?.to_str()?;
    let book = name.replacen("_message_", "_orderbook_", 1);
    (book != name).then(|| messages.with_file_name(book))
}

impl Day {
    /// The events of a file of messages, whose book is beside it by LOBSTER's names, on a day that
    /// began at `day_ns`.
    ///
    /// # Errors
    /// One of the files cannot be opened, or their names are not LOBSTER's.
    pub fn open(messages: &Path, day_ns: u64, symbol: u32) -> Result<Recording<Self>, Error> {
        let lines = Lines::open(messages)?;
        let Some(books) = book_path(messages) else {
            let why = "has no _message_, so that the file of its books is not known".to_owned();
            return Err(lines.error(Fault::Field("file name", why)));
        };
        let name = messages.file_name().and_then(|name| name.to_str());
        let name = name.and_then(|name| name.split('_').next());
        let instrument = Instrument {
            name: name.unwrap_or_default().to_owned(),
            venue: "lobster".to_owned(),
            tick: super::itch::TICK,
            lot: Step::ONE,
        };
        Ok(Recording::new(Self {
            messages: lines,
            books: Lines::open(&books)?,
            day_ns,
            instruments: [instrument],
            symbol,
            depth: Depth::default(),
            row: Vec::new(),
            compared: 0,
            revealed: 0,
        }))
    }

    /// The book as told.
    #[must_use]
    pub const fn depth(&self) -> &Depth {
        &self.depth
    }

    /// Levels of rows that the messages made, and that were as the row says.
    #[must_use]
    pub const fn compared(&self) -> u64 {
        self.compared
    }

    /// Levels that only a row told, those of the first row among them.
    #[must_use]
    pub const fn revealed(&self) -> u64 {
        self.revealed
    }

    fn message(&self) -> Result<Message, Error> {
        let field = |name, why: String| self.messages.error(Fault::Field(name, why));
        let text = std::str::from_utf8(self.messages.line());
        let text = text.map_err(|why| self.messages.error(Fault::Message(why.to_string())))?;
        let mut parts = text.split(',');
        let mut next = |name| {
            let part = parts.next();
            part.ok_or_else(|| field(name, "is missing".to_owned()))
        };
        let number = |name, text: &str| {
            let number = text.parse::<i64>();
            number.map_err(|why| field(name, format!("is {text:?}: {why}")))
        };
        let time = next("time")?;
        let since = NANOSECOND.count(time.as_bytes());
        let since = since.and_then(|it| u64::try_from(it).map_err(|_| NotSteps::Number));
        let since = since.map_err(|why| field("time", format!("is {time:?}, which {why}")))?;
        let kind = number("type", next("type")?)?;
        let kind = u8::try_from(kind)
            .ok()
            .filter(|kind| (1..=7).contains(kind));
        let kind = kind.ok_or_else(|| field("type", "is none from 1 to 7".to_owned()))?;
        next("order")?;
        let size = number("size", next("size")?)?;
        let price = number("price", next("price")?)?;
        let side = match number("direction", next("direction")?)? {
            1 => Side::Buy,
            _ => Side::Sell,
        };
        Ok(Message {
            event_ns: self.day_ns.saturating_add(since),
            kind,
            size: u64::try_from(size).map_err(|_| field("size", "is below 0".to_owned()))?,
            price,
            side,
        })
    }

    /// Reads the row of the book.
    fn read_row(&mut self) -> Result<(), Error> {
        if !self.books.advance()? {
            let why = "is missing: there are more messages than rows".to_owned();
            return Err(self.books.error(Fault::Field("row", why)));
        }
        self.row.clear();
        for text in self.books.line().split(|byte| *byte == b',') {
            let text = std::str::from_utf8(text).unwrap_or_default();
            let number = text.parse();
            let refused = |why| Fault::Field("row", format!("has {text:?}: {why}"));
            self.row
                .push(number.map_err(|why| self.books.error(refused(why)))?);
        }
        if !self.row.len().is_multiple_of(COLUMNS) {
            let why = format!("has {} columns, no multiple of 4", self.row.len());
            return Err(self.books.error(Fault::Field("row", why)));
        }
        Ok(())
    }

    /// Applies what the message does to the level it names.
    fn apply(&mut self, message: &Message, teller: &mut Teller<'_>) -> Result<(), Fault> {
        let stands = self.depth.at(message.side, message.price);
        let stands = match message.kind {
            1 => stands.checked_add(message.size),
            2..=4 => stands.checked_sub(message.size),
            _ => return Ok(()),
        };
        let Some(quantity) = stands else {
            let why = format!("is {}: more than stands there", message.size);
            return Err(Fault::Field("size", why));
        };
        self.tell(message.side, message.price, quantity, teller);
        Ok(())
    }

    fn tell(&mut self, side: Side, price: i64, quantity: u64, teller: &mut Teller<'_>) {
        let what = What::Level {
            side,
            price,
            quantity,
        };
        self.depth.apply(&what);
        teller.tell(what);
    }

    /// Compares a side with the row: levels below those made are new, and levels made below the
    /// row's are not followed any more.
    fn compare(&mut self, side: Side, teller: &mut Teller<'_>) -> Result<(), Fault> {
        let first = if side == Side::Sell { 0 } else { 2 };
        let made: Vec<Standing> = self.depth.levels(side).collect();
        let levels = self.row.len() / COLUMNS;
        for at in 0..levels.max(made.len()) {
            let column = at * COLUMNS + first;
            let told = match self.row.get(column..column + 2) {
                Some(&[price, size]) if size > 0 && price.abs() != NO_PRICE => Some((price, size)),
                _ => None,
            };
            let told = told.map(|(price, size)| Standing {
                price,
                quantity: size as u64,
            });
            match (made.get(at), told) {
                (Some(made), Some(told)) if *made == told => self.compared += 1,
                (Some(made), _) if at >= levels => self.tell(side, made.price, 0, teller),
                (None, Some(told)) => {
                    self.revealed += 1;
                    self.tell(side, told.price, told.quantity, teller);
                }
                (None, None) => {}
                (Some(made), told) => {
                    return Err(Fault::Book {
                        column: column + 1,
                        made: format!("{} at {}", made.quantity, made.price),
                        told: told.map_or("nothing".to_owned(), |told| {
                            format!("{} at {}", told.quantity, told.price)
                        }),
                    });
                }
            }
        }
        Ok(())
    }
}

const NANOSECOND: Step = match Step::new(1, 9) {
    Some(step) => step,
    None => Step::ONE,
};

impl Records for Day {
    fn read(&mut self, events: &mut Vec<Event>) -> Result<bool, Error> {
        if !self.messages.advance()? {
            return Ok(false);
        }
        let message = self.message()?;
        self.read_row()?;
        let is_first = self.messages.number() == 1;
        let mut teller = Teller {
            events,
            event_ns: message.event_ns,
            received_ns: message.event_ns,
            symbol: self.symbol,
        };
        if matches!(message.kind, 4 | 5) {
            teller.tell(What::Trade {
                price: message.price,
                quantity: message.size,
                aggressor: Some(message.side.opposite()),
            });
        }
        if is_first {
            // What stood before is not known: the first row is the book.
            teller.tell(What::Clear);
        } else {
            let applied = self.apply(&message, &mut teller);
            applied.map_err(|fault| self.messages.error(fault))?;
        }
        for side in [Side::Buy, Side::Sell] {
            let compared = self.compare(side, &mut teller);
            compared.map_err(|fault| self.books.error(fault))?;
        }
        teller.tell(What::End);
        Ok(true)
    }

    fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }
}
