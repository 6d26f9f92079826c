//! Compares the subscriber's books with those of an engine that reads the journal again.

use journal::FileStorage;
use matching::{Engine, Events, Line, Step};
use trading::{Books, RestingOrder};
use wire::ring::{Input, Side};

use super::venue::Summary;
use crate::topology::Topology;
use crate::venue::{day::Day, engine_limits};

/// What the comparison found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Inputs in the journal.
    pub inputs: u64,
    /// Orders that rest, by the journal.
    pub orders: usize,
    /// Hash of the replayed state.
    pub state_hash: u64,
    /// What differs, in words.
    pub differences: Vec<String>,
}

/// Replays the journal of a venue that has ended and compares its state and books.
///
/// # Errors
/// The journal cannot be read.
pub fn judge(topology: &Topology, books: &Books, summary: &Summary) -> Result<Judged, String> {
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
    if judged.state_hash != summary.state_hash {
        judged.differences.push(format!(
            "state hash {:016x} by the journal, {:016x} by the venue",
            judged.state_hash, summary.state_hash
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
                ours.push(RestingOrder {
                    order_ref: order.order_ref,
                    price: order.price,
                    quantity: order.quantity,
                });
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
