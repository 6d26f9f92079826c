//! What the desk trades: markets with their currencies, fees and limits.

use core::fmt;

use super::money::{MONEY_DECIMALS, Money, WORTH_DECIMALS_MAX, Worth};
use crate::Instrument;

/// The most markets of a desk.
pub const MARKETS_MAX: usize = 1 << 10;

/// A market of the desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// What is traded there, and in which steps.
    pub instrument: Instrument,
    /// What is bought and sold.
    pub base: String,
    /// What is paid for it.
    pub quote: String,
    /// What the venue keeps of the value of a fill that stood on its book, in millionths; negative
    /// for what it pays. Fees are in the quote currency.
    pub maker_ppm: i32,
    /// What it keeps of one that came and took.
    pub taker_ppm: i32,
    /// Lots that an order may have.
    pub order_max: u64,
    /// Lots that may be held, long or short, if everything that is open were filled.
    pub position_max: u64,
}

/// Why there is no such desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListingError {
    /// Too many markets, or none.
    Count(usize),
    /// Tick and lot of this market have too many decimals.
    Decimals(String),
    /// No market turns the currency into the one that profits are told in.
    NoWay {
        /// Of which market.
        market: String,
        /// Its quote currency.
        currency: String,
        /// What profits are told in.
        home: String,
    },
}

impl fmt::Display for ListingError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(out, "{count} markets: from 1 to {MARKETS_MAX}"),
            Self::Decimals(market) => write!(
                out,
                "{market}: tick and lot have more than {WORTH_DECIMALS_MAX} decimals together"
            ),
            Self::NoWay {
                market,
                currency,
                home,
            } => write!(
                out,
                "{market} is paid in {currency}, and no market has {currency} and {home}: add one, \
                 if only to tell what {currency} is worth"
            ),
        }
    }
}

impl core::error::Error for ListingError {}

/// What turns a currency into the one that profits are told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Same,
    /// It is the base of this market, which is paid in a currency that has a way.
    Sold(u32),
    /// It is what is paid in this market, whose base profits are told in.
    Bought(u32),
}

/// A market as it is reckoned with.
#[derive(Clone, Copy, Debug)]
struct Figures {
    worth: Worth,
    lot: Money,
    /// Numbers of its currencies.
    base: usize,
    quote: usize,
    /// The sum of bid and offer, in ticks, when both were last there; 0 before.
    middle_twice: i64,
    /// Whether both are there now.
    has_touch: bool,
}

/// All markets of a desk, and what things are worth.
#[derive(Clone, Debug)]
pub struct Listings {
    listings: Vec<Listing>,
    figures: Vec<Figures>,
    /// By the number of a currency.
    ways: Vec<Way>,
    /// By market: the currencies whose worth moves with its middle.
    moved: Vec<Vec<usize>>,
}

impl Listings {
    /// # Errors
    /// [`ListingError`].
    pub fn new(listings: Vec<Listing>, home: &str) -> Result<Self, ListingError> {
        if listings.is_empty() || listings.len() > MARKETS_MAX {
            return Err(ListingError::Count(listings.len()));
        }
        let mut names: Vec<String> = Vec::new();
        let mut figures = Vec::new();
        for listing in &listings {
            let no_way = || ListingError::NoWay {
                market: listing.instrument.name.clone(),
                currency: listing.quote.clone(),
                home: home.to_owned(),
            };
            paid_way(&listings, &listing.quote, home).ok_or_else(no_way)?;
            let decimals = || ListingError::Decimals(listing.instrument.name.clone());
            figures.push(Figures {
                worth: Worth::of(&listing.instrument).ok_or_else(decimals)?,
                lot: lot_of(&listing.instrument),
                base: number_of(&mut names, &listing.base),
                quote: number_of(&mut names, &listing.quote),
                middle_twice: 0,
                has_touch: false,
            });
        }
        let way = |name: &String| {
            let base = || listings.iter().position(|it| it.base == *name);
            let paid = paid_way(&listings, name, home);
            paid.or_else(|| base().map(|at| Way::Sold(at as u32)))
        };
        // Every currency is a base, or is paid and has a way.
        let ways: Vec<Way> = names.iter().filter_map(way).collect();
        let moved = moved(&ways, &figures);
        Ok(Self {
            listings,
            figures,
            ways,
            moved,
        })
    }

    /// How many markets there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.listings.len()
    }

    /// Whether there is none, which [`Listings::new`] does not allow.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.listings.is_empty()
    }

    /// A market; `None` for a number that there is not.
    #[must_use]
    pub fn get(&self, symbol: u32) -> Option<&Listing> {
        self.listings.get(symbol as usize)
    }

    /// All markets.
    pub fn iter(&self) -> impl Iterator<Item = &Listing> {
        self.listings.iter()
    }

    /// What lots of a market are worth.
    #[must_use]
    pub fn worth(&self, symbol: u32) -> Worth {
        self.figures[symbol as usize].worth
    }

    /// A lot of a market, in its base currency.
    #[must_use]
    pub fn lot(&self, symbol: u32) -> Money {
        self.figures[symbol as usize].lot
    }

    /// Both best prices of a market, in ticks, if there are both.
    pub fn touch(&mut self, symbol: u32, touch: Option<(i64, i64)>) {
        let figures = &mut self.figures[symbol as usize];
        figures.has_touch = touch.is_some();
        if let Some((bid, offer)) = touch {
            figures.middle_twice = bid + offer;
        }
    }

    /// Whether a market has both best prices now.
    #[must_use]
    pub fn has_touch(&self, symbol: u32) -> bool {
        self.figures[symbol as usize].has_touch
    }

    /// The sum of bid and offer when both were last there, in ticks; 0 before.
    #[must_use]
    pub fn middle_twice(&self, symbol: u32) -> i64 {
        self.figures[symbol as usize].middle_twice
    }

    /// What a sum in the quote currency of a market is worth in the one that profits are told in.
    #[must_use]
    pub fn home(&self, symbol: u32, money: Money) -> Money {
        self.home_of(self.figures[symbol as usize].quote, money)
    }

    /// How many currencies there are.
    pub(super) const fn currencies(&self) -> usize {
        self.ways.len()
    }

    /// The numbers of a market's base and quote currency.
    pub(super) fn currencies_of(&self, symbol: u32) -> [usize; 2] {
        let figures = &self.figures[symbol as usize];
        [figures.base, figures.quote]
    }

    /// Whether every market that says what a currency is worth has had a middle.
    pub(super) fn knows(&self, currency: usize) -> bool {
        let has_middle = |market: u32| self.figures[market as usize].middle_twice != 0;
        match self.ways[currency] {
            Way::Same => true,
            Way::Bought(market) => has_middle(market),
            // What it is sold for has a way of one market at most.
            Way::Sold(market) => {
                has_middle(market) && self.knows(self.figures[market as usize].quote)
            }
        }
    }

    /// The currencies whose worth moves with the middle of a market.
    pub(super) fn moved(&self, symbol: u32) -> &[usize] {
        &self.moved[symbol as usize]
    }

    /// What a sum of a currency is worth in the one that profits are told in, at the middle of the
    /// market that turns one into the other; nothing before that has one.
    pub(super) fn home_of(&self, currency: usize, money: Money) -> Money {
        let per_unit = |market: u32| {
            let middle = self.figures[market as usize].middle_twice;
            let tick = self.listings[market as usize].instrument.tick;
            let numerator = i128::from(middle) * i128::from(tick.units());
            (numerator, 2 * 10_i128.pow(tick.decimals().into()))
        };
        match self.ways[currency] {
            Way::Same => money,
            Way::Sold(market) => {
                let (numerator, denominator) = per_unit(market);
                self.home(market, money.scaled(numerator, denominator))
            }
            Way::Bought(market) => {
                let (numerator, denominator) = per_unit(market);
                money.scaled(denominator, numerator)
            }
        }
    }
}

/// By market: the currencies whose ways lead through it.
fn moved(ways: &[Way], figures: &[Figures]) -> Vec<Vec<usize>> {
    let mut moved = vec![Vec::new(); figures.len()];
    for (currency, way) in ways.iter().enumerate() {
        // What it is sold for has a way of its own, of one market at most.
        let next = match way {
            Way::Sold(market) => ways[figures[*market as usize].quote],
            Way::Same | Way::Bought(_) => Way::Same,
        };
        for way in [*way, next] {
            if let Way::Sold(market) | Way::Bought(market) = way {
                moved[market as usize].push(currency);
            }
        }
    }
    moved
}

/// How a currency that is paid somewhere becomes the home currency: by one market.
fn paid_way(listings: &[Listing], currency: &str, home: &str) -> Option<Way> {
    if currency == home {
        return Some(Way::Same);
    }
    let find = |base: &str, quote: &str| {
        let is_it = |it: &Listing| it.base == base && it.quote == quote;
        let place = listings.iter().position(is_it)?;
        u32::try_from(place).ok()
    };
    let sold = find(currency, home).map(Way::Sold);
    sold.or_else(|| find(home, currency).map(Way::Bought))
}

fn number_of(names: &mut Vec<String>, name: &str) -> usize {
    let known = names.iter().position(|it| it == name);
    known.unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}

/// A lot of the base currency.
fn lot_of(instrument: &Instrument) -> Money {
    let lot = instrument.lot;
    let decimals = MONEY_DECIMALS - lot.decimals();
    Money::of(i128::from(lot.units()) * 10_i128.pow(decimals.into()))
}
