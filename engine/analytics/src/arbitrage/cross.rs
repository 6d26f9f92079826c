//! The same thing on several venues: one pays as much as another one asks, or more.

use super::{PPM, Quote};

/// How two venues meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CrossingKind {
    /// The bid of one is the ask of the other.
    Locked,
    /// It is above.
    Crossed,
}

/// A bid of one venue that meets an ask of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crossing {
    /// How they meet.
    pub kind: CrossingKind,
    /// Where to sell.
    pub sell_venue: u32,
    /// Where to buy.
    pub buy_venue: u32,
    /// What a unit brings, fees not looked at, in ticks.
    pub gross_ticks: u32,
    /// What it brings behind the fees of both, in millionths of a tick; there is something to gain
    /// if it is above 0.
    pub net_ppm_ticks: i64,
    /// Units that both quotes allow.
    pub units: u32,
    /// How old the older of both quotes is.
    pub age_ns: u64,
}

impl Crossing {
    /// What is gained in all, in millionths of a tick.
    #[must_use]
    pub fn profit_ppm_ticks(&self) -> i128 {
        i128::from(self.net_ppm_ticks) * i128::from(self.units)
    }
}

/// The quotes of all symbols on all venues.
#[derive(Clone, Debug)]
pub struct Venues {
    fee_ppm: Vec<u32>,
    /// A row for each symbol.
    quotes: Vec<Quote>,
    age_max_ns: u64,
}

impl Venues {
    /// Venues of these fees, each below [`PPM`]. A quote that is older than `age_max_ns` when
    /// another one comes is not believed: it may be gone before an order is there.
    #[must_use]
    pub fn new(fee_ppm: &[u32], symbols: usize, age_max_ns: u64) -> Self {
        Self {
            fee_ppm: fee_ppm.iter().map(|fee| (*fee).min(PPM)).collect(),
            quotes: vec![Quote::default(); symbols * fee_ppm.len()],
            age_max_ns,
        }
    }

    /// Takes a quote and hands on where it meets those of other venues, in the order of these;
    /// selling first. A venue or symbol that there is not changes nothing.
    #[inline]
    pub fn update(&mut self, symbol: u32, venue: u32, quote: Quote, mut on: impl FnMut(Crossing)) {
        let venues = self.fee_ppm.len();
        let first = symbol as usize * venues;
        let Some(row) = self.quotes.get_mut(first..first + venues) else {
            return;
        };
        let Some(place) = row.get_mut(venue as usize) else {
            return;
        };
        *place = quote;
        for (other, there) in (0..).zip(row.iter()) {
            let age_ns = quote.time_ns.saturating_sub(there.time_ns);
            if other == venue || age_ns > self.age_max_ns {
                continue;
            }
            let meet = |sell: &Quote, sell_venue: u32, buy: &Quote, buy_venue: u32| {
                let is_met = buy.ask != 0 && sell.bid >= buy.ask;
                let units = sell.bid_units.min(buy.ask_units);
                (is_met && units > 0).then(|| Crossing {
                    kind: if sell.bid == buy.ask {
                        CrossingKind::Locked
                    } else {
                        CrossingKind::Crossed
                    },
                    sell_venue,
                    buy_venue,
                    gross_ticks: sell.bid - buy.ask,
                    net_ppm_ticks: i64::from(sell.bid)
                        * i64::from(PPM - self.fee_ppm[sell_venue as usize])
                        - i64::from(buy.ask) * i64::from(PPM + self.fee_ppm[buy_venue as usize]),
                    units,
                    age_ns,
                })
            };
            let sells = meet(&quote, venue, there, other);
            sells
                .into_iter()
                .chain(meet(there, other, &quote, venue))
                .for_each(&mut on);
        }
    }
}
