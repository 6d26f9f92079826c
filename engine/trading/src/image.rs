//! All that a feed says of the market as it is now: what a late joiner needs, not its history.

use std::collections::BTreeMap;

use wire::Error;
use wire::glimpse::fields::SnapshotEnd;
use wire::itch::Message;
use wire::itch::fields::AddOrder;
use wire::itch::{StockDirectory, SystemEvent, TradingAction};
use wire::ring::Side;
use wire::soup::number_text;

use crate::book::RestingOrder;
use crate::books::{Applied, Books};

/// The books of a feed, and what it said last of the day and of each stock.
#[derive(Clone, Debug, Default)]
pub struct Image {
    books: Books,
    /// The last one of each letter, in the order in which they came.
    events: Vec<[u8; SystemEvent::BYTES]>,
    directory: BTreeMap<u16, [u8; StockDirectory::BYTES]>,
    actions: BTreeMap<u16, [u8; TradingAction::BYTES]>,
    timestamp: u64,
}

impl Image {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies one message's bytes.
    ///
    /// # Errors
    /// They are no message of ITCH 5.0; nothing was changed.
    pub fn apply(&mut self, bytes: &[u8]) -> Result<Applied, Error> {
        let message = Message::parse(bytes)?;
        let head = message.header();
        self.timestamp = head.timestamp;
        match &message {
            Message::SystemEvent(event) => {
                let same =
                    |before: &[u8; SystemEvent::BYTES]| before.last() != Some(&event.event());
                self.events.retain(same);
                self.events.extend(copy(bytes));
            }
            Message::StockDirectory(_) => {
                let entry = copy(bytes).map(|bytes| (head.stock_locate, bytes));
                self.directory.extend(entry);
            }
            Message::TradingAction(_) => {
                let entry = copy(bytes).map(|bytes| (head.stock_locate, bytes));
                self.actions.extend(entry);
            }
            _ => {}
        }
        Ok(self.books.apply(&message))
    }

    /// The books.
    #[must_use]
    pub const fn books(&self) -> &Books {
        &self.books
    }

    /// Hands out the messages of a snapshot that stands for everything before the feed's message
    /// number `next`.
    ///
    /// # Errors
    /// A time that does not fit its field, which no feed can have brought.
    pub fn snapshot(&self, next: u64, on: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        self.events.iter().for_each(|bytes| on(bytes));
        self.directory.values().for_each(|bytes| on(bytes));
        self.actions.values().for_each(|bytes| on(bytes));
        for (locate, book) in self.books.books() {
            let stock = self.books.name(locate).unwrap_or([b' '; 8]);
            for (side, letter) in [(Side::Buy, b'B'), (Side::Sell, b'S')] {
                for order in book.orders(side) {
                    let mut bytes = [0; wire::itch::AddOrder::BYTES];
                    self.add(&order, (locate, stock, letter))
                        .encode(&mut bytes)?;
                    on(&bytes);
                }
            }
        }
        let mut bytes = [0; wire::glimpse::SnapshotEnd::BYTES];
        let end = SnapshotEnd {
            sequence: number_text(next),
        };
        end.encode(&mut bytes)?;
        on(&bytes);
        Ok(())
    }

    fn add(&self, order: &RestingOrder, (locate, stock, side): (u16, [u8; 8], u8)) -> AddOrder {
        AddOrder {
            stock_locate: locate,
            tracking_number: 0,
            timestamp: self.timestamp,
            order_ref: order.order_ref,
            side,
            shares: order.quantity,
            stock,
            // It came out of such a field.
            price: u32::try_from(order.price).unwrap_or(u32::MAX),
        }
    }
}

fn copy<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.first_chunk().copied()
}
