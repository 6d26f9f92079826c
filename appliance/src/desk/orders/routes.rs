//! How a venue tells the markets of a desk's file.

use trading::Step;
use trading::desk::Listing;

use super::Route;
use crate::desk::file::DeskFile;

/// A venue's tick: 1/10,000.
const VENUE_DECIMALS: u8 = 4;

/// The markets' routes, by their numbers. By a venue's feed each tick is the venue's.
///
/// # Errors
/// A market's tick is none of the venue's.
pub fn routes(file: &DeskFile, is_live: bool) -> Result<Vec<Route>, String> {
    let route = |(symbol, listing): (&str, &Listing)| {
        let tick = listing.instrument.tick;
        let ticks = Step::new(1, VENUE_DECIMALS)
            .and_then(|venue| venue.steps(tick.units().into(), tick.decimals()).ok());
        match ticks {
            Some(ticks) if !is_live || ticks == 1 => Ok(Route::new(symbol, ticks)),
            _ => Err(format!(
                "markets.{}.tick: a venue's is 0.0001; by a recorded feed any multiple of it goes",
                listing.instrument.name
            )),
        }
    };
    file.symbols()
        .zip(file.listings().iter())
        .map(route)
        .collect()
}
