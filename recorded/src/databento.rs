//! Databento's DBN: order by order (`mbo`) or best prices (`mbp-1`), of any version.
//!
//! Prices come in 1/1,000,000,000 and must be whole ticks. Trades and fills change no book: the
//! cancels and changes behind them do. [`What::End`] follows the record that the venue's event ends
//! with. Records of other kinds are passed over and counted.

use std::path::{Path, PathBuf};

use dbn::decode::{DbnMetadata, DecodeRecordRef, dbn::Decoder};
use dbn::{MboMsg, Mbp1Msg, RecordRef, UNDEF_PRICE};
use trading::{Applied, Books, Event, Instrument, OrderChange, Standing, Step, What, standing};
use wire::ring::Side;

use crate::error::{Error, Fault, Place};
use crate::orders::Numbers;
use crate::recording::{Recording, Records, Teller};
use crate::source::{Stream, stream};

/// Decimals of a price.
const DECIMALS: u8 = 9;

/// A file of records.
pub struct File {
    path: PathBuf,
    decoder: Decoder<Stream>,
    record: u64,
    market: Market,
}

/// All but the file.
struct Market {
    books: Books,
    numbers: Numbers<u32>,
    symbols: Vec<(u32, String)>,
    venue: String,
    first: u32,
    tick: Step,
    counts: Counts,
}

/// How many records of what kind came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records order by order.
    pub orders: u64,
    /// Records of best prices.
    pub quotes: u64,
    /// Trades.
    pub trades: u64,
    /// Records of other kinds.
    pub others: u64,
}

impl File {
    /// The events of a file, whose prices are so many ticks; instruments get numbers from `symbol`
    /// in the order in which they come.
    ///
    /// # Errors
    /// The file cannot be opened, or does not begin as DBN does.
    pub fn open(path: &Path, tick: Step, symbol: u32) -> Result<Recording<Self>, Error> {
        let decoder = Decoder::new(stream(path)?);
        let failed =
            |why: dbn::Error| Error::new(path, Place::Whole, Fault::Message(why.to_string()));
        let decoder = decoder.map_err(failed)?;
        let metadata = decoder.metadata();
        let of = |mapping: &dbn::SymbolMapping| {
            let ids: Vec<u32> = mapping
                .intervals
                .iter()
                .filter_map(|interval| interval.symbol.parse().ok())
                .collect();
            let name = mapping.raw_symbol.clone();
            ids.into_iter().map(move |id| (id, name.clone()))
        };
        let market = Market {
            books: Books::new(),
            numbers: Numbers::new(symbol),
            symbols: metadata.mappings.iter().flat_map(of).collect(),
            venue: metadata.dataset.clone(),
            first: symbol,
            tick,
            counts: Counts::default(),
        };
        Ok(Recording::new(Self {
            path: path.to_owned(),
            decoder,
            record: 0,
            market,
        }))
    }

    /// The books by orders, of the instruments' numbers less the first one.
    #[must_use]
    pub const fn books(&self) -> &Books {
        &self.market.books
    }

    /// What came so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.market.counts
    }
}

impl Records for File {
    fn read(&mut self, events: &mut Vec<Event>) -> Result<bool, Error> {
        self.record += 1;
        let place = Place::Record(self.record);
        let failed = |fault| Error::new(&self.path, place, fault);
        let record = self.decoder.decode_record_ref();
        let record = record.map_err(|why| failed(Fault::Message(why.to_string())))?;
        let Some(record) = record else {
            return Ok(false);
        };
        self.market.apply(record, events).map_err(failed)?;
        Ok(true)
    }

    fn instruments(&self) -> &[Instrument] {
        self.market.numbers.instruments()
    }
}

impl Market {
    fn apply(&mut self, record: RecordRef<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        let refused = |why: dbn::Error| Fault::Message(why.to_string());
        if record.has::<MboMsg>() {
            self.order(record.try_get::<MboMsg>().map_err(refused)?, events)
        } else if record.has::<Mbp1Msg>() {
            self.quote(record.try_get::<Mbp1Msg>().map_err(refused)?, events)
        } else {
            self.counts.others += 1;
            Ok(())
        }
    }

    /// The number of an instrument, and the same as its books have.
    fn number(&mut self, id: u32) -> Result<(u32, u16), Fault> {
        let (symbols, venue, tick) = (&self.symbols, &self.venue, self.tick);
        let number = self.numbers.of(id, || {
            let name = symbols.iter().find(|symbol| symbol.0 == id);
            Instrument {
                name: name.map_or_else(|| id.to_string(), |symbol| symbol.1.clone()),
                venue: venue.clone(),
                tick,
                lot: Step::ONE,
            }
        });
        let locate = u16::try_from(number - self.first).map_err(|_| {
            let why = format!("is one more than {} instruments", u16::MAX);
            Fault::Field("instrument_id", why)
        })?;
        Ok((number, locate))
    }

    fn price(&self, field: &'static str, price: i64) -> Result<i64, Fault> {
        let steps = self.tick.steps(price, DECIMALS);
        steps.map_err(|why| {
            let price = format!("is {price} / 10^{DECIMALS}, which {why}");
            Fault::Field(field, format!("{price} of {}", self.tick.times(1)))
        })
    }

    fn order(&mut self, it: &MboMsg, events: &mut Vec<Event>) -> Result<(), Fault> {
        self.counts.orders += 1;
        let (symbol, locate) = self.number(it.hd.instrument_id)?;
        let side = side(it.side);
        let mut teller = Teller {
            events,
            event_ns: it.hd.ts_event,
            received_ns: it.ts_recv,
            symbol,
        };
        let order_ref = it.order_id;
        let change = match it.action as u8 {
            b'A' => {
                let none = || Fault::Field("side", "is none of a new order".to_owned());
                Some(OrderChange::Add {
                    locate,
                    order_ref,
                    side: side.ok_or_else(none)?,
                    quantity: it.size,
                    price: self.price("price", it.price)?,
                })
            }
            b'C' => Some(OrderChange::Reduce {
                order_ref,
                quantity: it.size,
            }),
            b'M' => Some(OrderChange::Modify {
                order_ref,
                quantity: it.size,
                price: self.price("price", it.price)?,
            }),
            b'R' => {
                self.books.change(OrderChange::Clear { locate });
                teller.tell(What::Clear);
                None
            }
            b'T' => {
                self.counts.trades += 1;
                teller.tell(What::Trade {
                    price: self.price("price", it.price)?,
                    quantity: it.size.into(),
                    aggressor: side,
                });
                None
            }
            _ => None,
        };
        if let Some(change) = change {
            self.change(change, order_ref, &mut teller);
        }
        if it.flags.is_last() {
            teller.tell(What::End);
        }
        Ok(())
    }

    /// Changes a book, and tells the levels that changed by it.
    fn change(&mut self, change: OrderChange, order_ref: u64, teller: &mut Teller<'_>) {
        let before = self.books.place_of(order_ref);
        if self.books.change(change) != Applied::Changed {
            return;
        }
        let after = self.books.place_of(order_ref);
        let after = after.filter(|_| after != before);
        for (locate, side, price) in [before, after].into_iter().flatten() {
            teller.tell(standing(&self.books, locate, side, price));
        }
    }

    fn quote(&mut self, it: &Mbp1Msg, events: &mut Vec<Event>) -> Result<(), Fault> {
        self.counts.quotes += 1;
        let (symbol, _) = self.number(it.hd.instrument_id)?;
        let mut teller = Teller {
            events,
            event_ns: it.hd.ts_event,
            received_ns: it.ts_recv,
            symbol,
        };
        if it.action as u8 == b'T' {
            self.counts.trades += 1;
            teller.tell(What::Trade {
                price: self.price("price", it.price)?,
                quantity: it.size.into(),
                aggressor: side(it.side),
            });
        }
        let [best] = &it.levels;
        teller.tell(What::Quote {
            bid: self.best("bid_px", best.bid_px, best.bid_sz)?,
            offer: self.best("ask_px", best.ask_px, best.ask_sz)?,
        });
        if it.flags.is_last() {
            teller.tell(What::End);
        }
        Ok(())
    }

    fn best(&self, field: &'static str, price: i64, size: u32) -> Result<Standing, Fault> {
        if price == UNDEF_PRICE {
            return Ok(Standing::default());
        }
        Ok(Standing {
            price: self.price(field, price)?,
            quantity: size.into(),
        })
    }
}

fn side(letter: std::ffi::c_char) -> Option<Side> {
    match letter as u8 {
        b'B' => Some(Side::Buy),
        b'A' => Some(Side::Sell),
        _ => None,
    }
}
