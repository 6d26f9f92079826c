//! The crate `lobster`: price maps of vectors over an arena, a hash map of orders.
//!
//! Its own rules: it has no immediate-or-cancel order and no modify, so these are a limit order
//! followed by a cancel of its rest, and a cancel followed by a limit order; and it answers every
//! cancel the same, whether the order was there or not and without its units, so a flat table
//! beside it knows what is open.

use lobster::{FillMetadata, OrderBook, OrderEvent, OrderType};
use wire::ring::Side;
use wirecross_capi::{
    KIND_CANCEL, KIND_NEW, Message, REPORT_ACCEPTED, REPORT_CANCELED, REPORT_FILL, REPORT_MODIFIED,
    REPORT_REJECTED, Report,
};

use super::{Room, Venue};
use crate::BenchError;

/// Orders that its arena has room for from the start, and orders at a price.
const ORDERS: usize = 1 << 17;
const ORDERS_A_PRICE: usize = 32;

/// `lobster`.
pub struct Lobster {
    book: OrderBook,
    /// By id: open units and side.
    open: Vec<(u32, u8)>,
    messages: u64,
}

impl Venue for Lobster {
    const NAME: &'static str = "lobster 0.7.0";

    fn open(room: Room) -> Result<Self, BenchError> {
        Ok(Self {
            book: OrderBook::new(ORDERS, ORDERS_A_PRICE, false),
            open: vec![(0, 0); room.ids as usize],
            messages: 0,
        })
    }

    #[inline]
    fn apply(&mut self, message: &Message, mut on: impl FnMut(&Report)) {
        self.messages += 1;
        let report = |kind, price, quantity| Report {
            price,
            quantity,
            ..Report::new(kind, self.messages, message.id)
        };
        if message.kind == KIND_NEW {
            on(&report(REPORT_ACCEPTED, message.price, message.quantity));
            self.open[message.id as usize] = (0, message.side);
            return self.enter(message, message.side, &mut on);
        }
        let (open, side) = std::mem::take(&mut self.open[message.id as usize]);
        let id = u128::from(message.id);
        self.book.execute(OrderType::Cancel { id });
        if open == 0 {
            return on(&report(REPORT_REJECTED, 0, 0));
        }
        if message.kind == KIND_CANCEL {
            return on(&report(REPORT_CANCELED, 0, open));
        }
        on(&report(REPORT_MODIFIED, message.price, message.quantity));
        self.enter(message, side, &mut on);
    }

    fn levels(&self, side: Side) -> Vec<(i64, u64)> {
        // It shows all prices, whatever number is asked for.
        let depth = self.book.depth(0);
        let show = |level: &lobster::BookLevel| (level.price as i64, level.qty);
        match side {
            Side::Buy => depth.bids.iter().rev().map(show).collect(),
            Side::Sell => depth.asks.iter().map(show).collect(),
        }
    }
}

impl Lobster {
    fn enter(&mut self, message: &Message, side: u8, on: &mut impl FnMut(&Report)) {
        let id = u128::from(message.id);
        let event = self.book.execute(OrderType::Limit {
            id,
            side: if side == 0 {
                lobster::Side::Bid
            } else {
                lobster::Side::Ask
            },
            qty: u64::from(message.quantity),
            price: message.price as u64,
        });
        let (filled, fills): (u64, Vec<FillMetadata>) = match event {
            OrderEvent::Filled {
                filled_qty, fills, ..
            }
            | OrderEvent::PartiallyFilled {
                filled_qty, fills, ..
            } => (filled_qty, fills),
            _ => (0, Vec::new()),
        };
        for fill in &fills {
            let maker = fill.order_2 as u64;
            self.open[maker as usize].0 -= fill.qty as u32;
            on(&Report {
                other: maker,
                price: fill.price as i64,
                quantity: fill.qty as u32,
                ..Report::new(REPORT_FILL, self.messages, message.id)
            });
        }
        let open = message.quantity - filled as u32;
        if message.ioc == 0 {
            self.open[message.id as usize] = (open, side);
        } else if open > 0 {
            self.book.execute(OrderType::Cancel { id });
            on(&Report {
                quantity: open,
                ..Report::new(REPORT_CANCELED, self.messages, message.id)
            });
        }
    }
}
