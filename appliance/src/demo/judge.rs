//! Compares the subscriber's books with those of an engine that reads the journal again.

use journal::FileStorage;
use matching::{Engine, Events, Line, Step};
use trading::{Books, RestingOrder};
use wire::ring::{Input, PRICE_MARKET, Side};

use crate::topology::Topology;
use crate::venue::{day::Day, engine_limits};

/// What the comparison found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Inputs in the journal.
    pub inputs: u64,
    /// Live orders by the journal, those included that the feed does not show.
    pub orders: usize,
    /// Hash of the replayed state.
    pub state_hash: u64,
    /// What differs, in words.
    pub differences: Vec<String>,
}

/// Replays the journal of a venue that has ended and compares its state with that of its summary,
/// and what its books show with those of its feed.
///
/// # Errors
/// The journal cannot be read.
pub fn judge(topology: &Topology, books: &Books, state_hash: u64) -> Result<Judged, String> {
    let limits = engine_limits(topology);
    let mut lines = vec![Line::ZERO; limits.lines()];
    let mut engine = Engine::new(limits, &mut lines).map_err(|error| error.to_string())?;
    let day = Day::open(topology, false, 0).map_err(|error| error.to_string())?;
    let mut storage = FileStorage::open(&day.directory).map_err(|error| error.to_string())?;
    let mut events = Events::new();
    let mut inputs = 0;
    journal::recover(&mut storage, &mut |input: &Input| {
        inputs = input.sequence;
        events.clear();
        let mut step = engine.apply(input, &mut events);
        while step == Step::More {
            events.clear();
            step = engine.resume(&mut events);
        }
    })
    .map_err(|error| error.to_string())?;

    let mut judged = Judged {
        inputs,
        orders: engine.live_orders() as usize,
        state_hash: engine.state_hash(),
        differences: Vec::new(),
    };
    if judged.state_hash != state_hash {
        judged.differences.push(format!(
            "state hash {:016x} by the journal, {:016x} by the venue",
            judged.state_hash, state_hash
        ));
    }
    compare(&engine, books, &mut judged);
    Ok(judged)
}

fn compare(engine: &Engine<'_>, books: &Books, judged: &mut Judged) {
    let mut in_books = 0;
    for symbol in engine.symbols() {
        for side in [Side::Buy, Side::Sell] {
            let mut ours = Vec::new();
            engine.orders(symbol, side, |order| {
                let is_market_sell = side == Side::Sell && order.price == PRICE_MARKET;
                if !order.is_hidden {
                    ours.push(RestingOrder {
                        order_ref: order.order_ref,
                        price: if is_market_sell { 0 } else { order.price },
                        quantity: order.tip,
                    });
                }
            });
            let book = books.book(symbol);
            let theirs: Vec<RestingOrder> = book
                .into_iter()
                .flat_map(|book| book.orders(side))
                .collect();
            in_books += theirs.len();
            if ours != theirs {
                judged.differences.push(format!(
                    "symbol {symbol} {side:?}: {} orders by the journal, {} by the feed",
                    ours.len(),
                    theirs.len()
                ));
            }
        }
    }
    if in_books != books.live_orders() {
        judged
            .differences
            .push("the feed shows orders of symbols that are not listed".to_owned());
    }
}
