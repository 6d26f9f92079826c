//! What messages of ITCH say of a market, as events.

use wire::itch::Message;
use wire::ring::Side;

use crate::books::{Applied, Books};
use crate::market::What;

/// Applies a message and tells what it says of the market of a stock locate: a trade, then the
/// levels that are others now, then that this was all. Messages about orders from before the books
/// began tell nothing.
pub fn apply_telling(
    books: &mut Books,
    message: &Message<'_>,
    on: &mut dyn FnMut(&Books, u16, What),
) -> Applied {
    let before = named(message).and_then(|order_ref| books.place_of(order_ref));
    let applied = books.apply(message);
    let locate = before.map_or(message.header().stock_locate, |(locate, _, _)| locate);
    if let Some(trade) = trade(message, before) {
        on(books, locate, trade);
    }
    if applied == Applied::Changed {
        let after = added(message).and_then(|order_ref| books.place_of(order_ref));
        let after = after.filter(|_| before != after);
        for (locate, side, price) in before.into_iter().chain(after) {
            on(books, locate, standing(books, locate, side, price));
        }
        on(books, locate, What::End);
    }
    applied
}

/// What stands at a price of a book by orders.
#[must_use]
pub fn standing(books: &Books, locate: u16, side: Side, price: i64) -> What {
    let quantity = books.book(locate).map_or(0, |book| book.at(side, price));
    What::Level {
        side,
        price,
        quantity,
    }
}

/// The resting order that a message names.
#[must_use]
pub fn named(message: &Message<'_>) -> Option<u64> {
    match message {
        Message::OrderExecuted(m) => Some(m.order_ref()),
        Message::OrderExecutedPrice(m) => Some(m.order_ref()),
        Message::OrderCancel(m) => Some(m.order_ref()),
        Message::OrderDelete(m) => Some(m.order_ref()),
        Message::OrderReplace(m) => Some(m.old_order_ref()),
        _ => None,
    }
}

/// The order that a message adds.
#[must_use]
pub fn added(message: &Message<'_>) -> Option<u64> {
    match message {
        Message::AddOrder(m) => Some(m.order_ref()),
        Message::AddOrderMpid(m) => Some(m.order_ref()),
        Message::OrderReplace(m) => Some(m.new_order_ref()),
        _ => None,
    }
}

/// The trade that a message tells. Executions that are not printed are told by another message.
fn trade(message: &Message<'_>, resting: Option<(u16, Side, i64)>) -> Option<What> {
    let (price, quantity, aggressor) = match message {
        Message::OrderExecuted(m) => {
            let (_, side, price) = resting?;
            (price, m.shares().into(), Some(side.opposite()))
        }
        Message::OrderExecutedPrice(m) if m.printable() == b'Y' => {
            let aggressor = resting.map(|(_, side, _)| side.opposite());
            (m.price().into(), m.shares().into(), aggressor)
        }
        // Whose order was hidden is not said any more: the field is always a buy's.
        Message::Trade(m) => (m.price().into(), m.shares().into(), None),
        Message::CrossTrade(m) => (m.price().into(), m.shares(), None),
        _ => return None,
    };
    (quantity > 0).then_some(What::Trade {
        price,
        quantity,
        aggressor,
    })
}
