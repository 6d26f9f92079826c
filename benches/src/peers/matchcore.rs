//! The crate `matchcore`: a price map over slab levels, hash maps of orders.
//!
//! Its own rules. It numbers orders itself, by the command that entered them, so two flat tables
//! translate. And 0.4.0 matches a limit order that crosses at *any* price, beyond its limit too:
//! where the units within the limit do not suffice, the adapter asks for these alone as
//! immediate-or-cancel and enters the rest by itself. Looking whether that is so costs it a walk
//! over the prices that an arriving order meets, mostly none.

use matchcore::{
    AmendCmd, AmendPatch, CancelCmd, Command, CommandKind, CommandMeta, CommandOutcome,
    CommandReport, LimitOrder, LimitOrderPatch, NewOrder, OrderBook, OrderFlags, OrderId,
    OrderKind, Price, Quantity, QuantityPolicy, SequenceNumber, Side, SubmitCmd, TimeInForce,
    Timestamp,
};
use wirecross_capi::{
    KIND_CANCEL, KIND_NEW, Message, REPORT_ACCEPTED, REPORT_CANCELED, REPORT_FILL, REPORT_MODIFIED,
    REPORT_REJECTED, Report,
};

use super::{Room, Venue};
use crate::BenchError;

/// `matchcore`.
pub struct Matchcore {
    book: OrderBook,
    /// By id: the command that entered the order.
    commands: Vec<u64>,
    /// By command: the id that its message named.
    ids: Vec<u32>,
    messages: u64,
}

impl Venue for Matchcore {
    const NAME: &'static str = "matchcore 0.4.0";

    fn open(room: Room) -> Result<Self, BenchError> {
        Ok(Self {
            book: OrderBook::new("BOOK"),
            commands: vec![u64::MAX; room.ids as usize],
            ids: Vec::with_capacity(2 * room.messages as usize),
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
            let side = if message.side == 0 {
                Side::Buy
            } else {
                Side::Sell
            };
            return self.enter(message, side, &mut on);
        }
        let order = OrderId(self.commands[message.id as usize]);
        let Some(resting) = self.book.limit().orders().get(&order) else {
            return on(&report(REPORT_REJECTED, 0, 0));
        };
        // Its answer to a cancel does not tell the units.
        let (open, side) = (resting.visible_quantity().0 as u32, resting.side());
        let cancel = CommandKind::Cancel(CancelCmd {
            order_id: order,
            order_kind: OrderKind::Limit,
        });
        if message.kind == KIND_CANCEL {
            on(&report(REPORT_CANCELED, 0, open));
            self.execute(message, cancel);
            return;
        }
        on(&report(REPORT_MODIFIED, message.price, message.quantity));
        if self.within(message, side).is_some() {
            self.execute(message, cancel);
            return self.enter(message, side, &mut on);
        }
        let amend = CommandKind::Amend(amend(message, order));
        let outcome = self.execute(message, amend);
        self.tell(message, &outcome, message.quantity, &mut on);
    }

    fn levels(&self, side: wire::ring::Side) -> Vec<(i64, u64)> {
        let limit = self.book.limit();
        let show = |(price, level): (&Price, _)| {
            (price.0 as i64, limit.levels()[level].visible_quantity().0)
        };
        match side {
            wire::ring::Side::Buy => {
                let levels = limit.bids().iter().rev();
                levels.map(|(price, level)| show((price, *level))).collect()
            }
            wire::ring::Side::Sell => {
                let levels = limit.asks().iter();
                levels.map(|(price, level)| show((price, *level))).collect()
            }
        }
    }
}

impl Matchcore {
    fn execute(&mut self, message: &Message, kind: CommandKind) -> CommandOutcome {
        let meta = CommandMeta {
            sequence_number: SequenceNumber(self.ids.len() as u64),
            timestamp: Timestamp(0),
        };
        self.ids.push(message.id as u32);
        self.book.execute(&Command { meta, kind })
    }

    /// The units that an arriving order meets within its limit, if it meets any and they are fewer
    /// than it wants.
    fn within(&self, message: &Message, side: Side) -> Option<u32> {
        let limit = Price(message.price as u64);
        let book = self.book.limit();
        let mut found = 0;
        let mut add = |level: &usize| {
            found += book.levels()[*level].visible_quantity().0;
            found < u64::from(message.quantity)
        };
        let is_short = match side {
            Side::Buy => book.asks().range(..=limit).all(|(_, level)| add(level)),
            Side::Sell => book
                .bids()
                .range(limit..)
                .rev()
                .all(|(_, level)| add(level)),
        };
        (is_short && found > 0).then_some(found as u32)
    }

    fn enter(&mut self, message: &Message, side: Side, on: &mut impl FnMut(&Report)) {
        let mut left = message.quantity;
        let is_ioc = message.ioc == 1;
        if let Some(within) = self.within(message, side) {
            let outcome = self.execute(message, submit(message, side, within, true));
            self.tell(message, &outcome, within, on);
            left -= within;
            if is_ioc {
                return on(&Report {
                    quantity: left,
                    ..Report::new(REPORT_CANCELED, self.messages, message.id)
                });
            }
        }
        self.commands[message.id as usize] = self.ids.len() as u64;
        let outcome = self.execute(message, submit(message, side, left, is_ioc));
        self.tell(message, &outcome, left, on);
    }

    /// Fills, and the rest of an immediate-or-cancel order.
    fn tell(
        &self,
        message: &Message,
        outcome: &CommandOutcome,
        quantity: u32,
        on: &mut impl FnMut(&Report),
    ) {
        let (CommandOutcome::Applied(CommandReport::Submit(effects))
        | CommandOutcome::Applied(CommandReport::Amend(effects))) = outcome
        else {
            return on(&Report::new(REPORT_REJECTED, self.messages, message.id));
        };
        let outcome = effects.target_order();
        let trades = outcome
            .match_result()
            .map_or(&[][..], |result| result.trades());
        let mut open = u64::from(quantity);
        for trade in trades {
            open -= trade.quantity().0;
            on(&Report {
                other: u64::from(self.ids[trade.maker_order_id().0 as usize]),
                price: trade.price().0 as i64,
                quantity: trade.quantity().0 as u32,
                ..Report::new(REPORT_FILL, self.messages, message.id)
            });
        }
        if outcome.cancel_reason().is_some() {
            on(&Report {
                quantity: open as u32,
                ..Report::new(REPORT_CANCELED, self.messages, message.id)
            });
        }
    }
}

fn submit(message: &Message, side: Side, quantity: u32, is_ioc: bool) -> CommandKind {
    let life = if is_ioc {
        TimeInForce::Ioc
    } else {
        TimeInForce::Gtc
    };
    let quantity = Quantity(u64::from(quantity));
    let order = NewOrder::Limit(LimitOrder::new(
        Price(message.price as u64),
        QuantityPolicy::Standard { quantity },
        OrderFlags::new(side, false, life),
    ));
    CommandKind::Submit(SubmitCmd { order })
}

fn amend(message: &Message, order_id: OrderId) -> AmendCmd {
    let quantity = Quantity(u64::from(message.quantity));
    let patch = LimitOrderPatch::new()
        .with_price(Price(message.price as u64))
        .with_quantity_policy(QuantityPolicy::Standard { quantity });
    AmendCmd {
        order_id,
        patch: AmendPatch::Limit(patch),
    }
}
