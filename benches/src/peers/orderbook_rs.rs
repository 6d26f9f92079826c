//! The crate `orderbook-rs`: concurrent skip lists of prices and hash maps of shared orders.
//!
//! Its own rules: an immediate-or-cancel order that is not filled whole is an error that carries
//! its trades; and a modify tells its trades to a listener alone, so it is a cancel followed by a
//! new order here, which is what it does inside.

use orderbook_rs::{DefaultOrderBook, Id, OrderType, TimeInForce, TradeResult};
use wire::ring::Side;
use wirecross_capi::{
    KIND_CANCEL, KIND_NEW, Message, REPORT_ACCEPTED, REPORT_CANCELED, REPORT_FILL, REPORT_MODIFIED,
    REPORT_REJECTED, Report,
};

use super::{Room, Venue};
use crate::BenchError;

/// `orderbook-rs`.
pub struct OrderbookRs {
    book: DefaultOrderBook,
    messages: u64,
}

impl Venue for OrderbookRs {
    const NAME: &'static str = "orderbook-rs 0.15.3";

    fn open(_: Room) -> Result<Self, BenchError> {
        Ok(Self {
            book: DefaultOrderBook::new("BOOK"),
            messages: 0,
        })
    }

    fn apply(&mut self, message: &Message, mut on: impl FnMut(&Report)) {
        self.messages += 1;
        let number = self.messages;
        let report = |kind, price, quantity| Report {
            price,
            quantity,
            ..Report::new(kind, number, message.id)
        };
        if message.kind == KIND_NEW {
            on(&report(REPORT_ACCEPTED, message.price, message.quantity));
            let side = if message.side == 0 {
                orderbook_rs::Side::Buy
            } else {
                orderbook_rs::Side::Sell
            };
            return self.enter(message, side, &mut on);
        }
        let canceled = self.book.cancel_order(Id::sequential(message.id));
        let Ok(Some(order)) = canceled else {
            return on(&report(REPORT_REJECTED, 0, 0));
        };
        if message.kind == KIND_CANCEL {
            let open = order.visible_quantity().as_u64() as u32;
            return on(&report(REPORT_CANCELED, 0, open));
        }
        on(&report(REPORT_MODIFIED, message.price, message.quantity));
        self.enter(message, order.side(), &mut on);
    }

    fn levels(&self, side: Side) -> Vec<(i64, u64)> {
        let Ok(snapshot) = self.book.create_snapshot(usize::MAX >> 32) else {
            return Vec::new();
        };
        let (levels, sign) = match side {
            Side::Buy => (snapshot.bids, -1),
            Side::Sell => (snapshot.asks, 1),
        };
        let levels = levels.iter();
        let mut levels: Vec<(i64, u64)> = levels
            .map(|level| {
                let price = level.price().as_u128() as i64;
                (price, level.visible_quantity().as_u64())
            })
            .collect();
        levels.sort_by_key(|(price, _)| price * sign);
        levels
    }
}

impl OrderbookRs {
    fn enter(&mut self, message: &Message, side: orderbook_rs::Side, on: &mut impl FnMut(&Report)) {
        let life = if message.ioc == 1 {
            TimeInForce::Ioc
        } else {
            TimeInForce::Gtc
        };
        let order: OrderType<()> = OrderType::Standard {
            id: Id::sequential(message.id),
            price: pricelevel::Price::new(message.price as u128),
            quantity: pricelevel::Quantity::new(u64::from(message.quantity)),
            side,
            user_id: pricelevel::Hash32::zero(),
            timestamp: pricelevel::TimestampMs::new(0),
            time_in_force: life,
            extra_fields: (),
        };
        match self.book.add_order_with_committed(order) {
            Ok((_, trades)) => self.tell(message, trades.as_ref(), on),
            Err(failure) => self.tell(message, failure.committed.as_deref(), on),
        }
    }

    fn tell(&self, message: &Message, trades: Option<&TradeResult>, on: &mut impl FnMut(&Report)) {
        let trades = trades.map_or(&[][..], |result| result.match_result.trades().as_vec());
        let mut open = message.quantity;
        for trade in trades {
            let quantity = trade.quantity().as_u64() as u32;
            open -= quantity;
            let other = match trade.maker_order_id() {
                Id::Sequential(id) => id,
                _ => u64::MAX,
            };
            on(&Report {
                other,
                price: trade.price().as_u128() as i64,
                quantity,
                ..Report::new(REPORT_FILL, self.messages, message.id)
            });
        }
        if message.ioc == 1 && open > 0 {
            on(&Report {
                quantity: open,
                ..Report::new(REPORT_CANCELED, self.messages, message.id)
            });
        }
    }
}
