//! Messages of the feed as a receiver tells them apart: those that the model calls for, and those
//! that came.

use std::collections::BTreeMap;

use wire::itch::Message;
use wire::ring::{Event, EventKind, Input, PRICE_MARKET, Side};

pub const DAY_NS: u64 = 86_400_000_000_000;

/// A message as a receiver can tell it from others; fields that it does not have are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    letter: u8,
    symbol: u16,
    timestamp: u64,
    order_ref: u64,
    /// The order that a replacement takes the place of, or a match number.
    other: u64,
    shares: u64,
    price: u32,
    /// Side, turn of the day, state, direction of an imbalance.
    detail: u8,
}

/// Tells the messages that the model's events call for.
#[derive(Default)]
pub struct MarketTeller {
    /// The state of each symbol as far as it changed, by its number in `StateChanged`.
    states: BTreeMap<u16, u32>,
    /// The whole feed, from its first message on.
    pub told: Vec<Told>,
}

impl MarketTeller {
    /// Adds the messages that an event of the model calls for.
    pub fn tell(&mut self, event: &Event, input: &Input) {
        let timestamp = input.time_ns % DAY_NS;
        let turn = |letter: u8| Told {
            letter: b'S',
            timestamp,
            detail: letter,
            ..Told::default()
        };
        if self.told.is_empty() {
            self.told.push(turn(b'O'));
        }
        let Some(kind) = EventKind::from_byte(event.kind) else {
            return;
        };
        match kind {
            EventKind::DayOpened => self.told.extend([b'S', b'Q'].map(turn)),
            EventKind::DayClosed => self.told.extend([b'M', b'E', b'C'].map(turn)),
            EventKind::StateChanged => {
                self.states.insert(event.symbol, event.quantity);
            }
            _ => {}
        }
        let about = Told {
            symbol: event.symbol,
            timestamp,
            ..Told::default()
        };
        let state = self.states.get(&event.symbol).copied();
        let told = of_market(kind, event, state, about).or_else(|| of_order(kind, event, about));
        self.told.extend(told);
    }
}

/// What the feed says of a symbol; the numbers of states are those of docs/matching.md.
fn of_market(kind: EventKind, event: &Event, state: Option<u32>, about: Told) -> Option<Told> {
    let (paired, left) = (event.quantity, event.leaves);
    Some(match kind {
        EventKind::SymbolDefined => Told {
            letter: b'R',
            ..about
        },
        EventKind::StateChanged => Told {
            letter: b'H',
            detail: match state {
                Some(3 | 9) => b'T',
                Some(4 | 8) => b'H',
                Some(5) => b'P',
                _ => b'Q',
            },
            ..about
        },
        EventKind::Indicative => Told {
            letter: b'I',
            shares: paired.into(),
            other: left.into(),
            price: four(event.price),
            detail: match (paired, left) {
                (0, _) => b'O',
                (_, 0) => b'N',
                _ if event.side == Side::Sell as u8 => b'S',
                _ => b'B',
            },
            ..about
        },
        EventKind::Uncrossed => Told {
            letter: b'Q',
            shares: paired.into(),
            price: four(event.price),
            ..about
        },
        _ => return None,
    })
}

/// What the feed says of an order: only of what it shows, and of hidden ones their trades.
fn of_order(kind: EventKind, event: &Event, about: Told) -> Option<Told> {
    let is_hidden = event.has(Event::HIDDEN);
    let is_shown = event.has(Event::BOOKED) && !is_hidden;
    let is_trade = event.has(Event::MAKER) || event.has(Event::AUCTION);
    let is_sell = event.side == Side::Sell as u8;
    let about = Told {
        order_ref: event.order_ref,
        shares: event.quantity.into(),
        ..about
    };
    let placed = Told {
        letter: b'A',
        // A market order stands ahead of all limits.
        price: if is_sell && event.price == PRICE_MARKET {
            0
        } else {
            four(event.price)
        },
        detail: if is_sell { b'S' } else { b'B' },
        ..about
    };
    let gone = |order_ref| Told {
        letter: b'D',
        order_ref,
        shares: 0,
        ..about
    };
    Some(match kind {
        EventKind::Replaced => match (!event.has(Event::OLD_HIDDEN), is_shown) {
            (true, true) => Told {
                letter: b'U',
                other: event.related,
                detail: 0,
                ..placed
            },
            (true, false) => gone(event.related),
            (false, true) => placed,
            (false, false) => return None,
        },
        EventKind::Executed if is_trade => executed(event, is_hidden, about)?,
        EventKind::Accepted
        | EventKind::Booked
        | EventKind::Refreshed
        | EventKind::Triggered
        | EventKind::Repriced
            if is_shown =>
        {
            placed
        }
        EventKind::Broken if event.has(Event::MAKER) => Told {
            letter: b'B',
            order_ref: 0,
            shares: 0,
            other: event.related,
            ..about
        },
        EventKind::Reduced if is_shown && u64::from(event.quantity) > event.related => Told {
            letter: b'X',
            shares: u64::from(event.quantity) - event.related,
            ..about
        },
        EventKind::Canceled if is_shown => gone(event.order_ref),
        _ => return None,
    })
}

fn executed(event: &Event, is_hidden: bool, about: Told) -> Option<Told> {
    let about = Told {
        other: event.related,
        ..about
    };
    match (event.has(Event::AUCTION), is_hidden) {
        (true, true) => None,
        (true, false) => Some(Told {
            letter: b'C',
            price: four(event.price),
            ..about
        }),
        (false, true) => Some(Told {
            letter: b'P',
            order_ref: 0,
            price: four(event.price),
            detail: b'B',
            ..about
        }),
        (false, false) => Some(Told {
            letter: b'E',
            ..about
        }),
    }
}

pub fn four(price: i64) -> u32 {
    u32::try_from(price).unwrap_or(u32::MAX)
}

/// Reads what a receiver heard.
pub fn told_of(message: &Message<'_>) -> Result<Told, String> {
    let of = |letter, symbol, timestamp| Told {
        letter,
        symbol,
        timestamp,
        ..Told::default()
    };
    Ok(match message {
        Message::SystemEvent(m) => Told {
            detail: m.event(),
            ..of(b'S', m.stock_locate(), m.timestamp())
        },
        Message::StockDirectory(m) => of(b'R', m.stock_locate(), m.timestamp()),
        Message::TradingAction(m) => Told {
            detail: m.state(),
            ..of(b'H', m.stock_locate(), m.timestamp())
        },
        Message::Noii(m) => Told {
            shares: m.paired(),
            other: m.imbalance(),
            price: m.near_price(),
            detail: m.direction(),
            ..of(b'I', m.stock_locate(), m.timestamp())
        },
        Message::CrossTrade(m) => Told {
            shares: m.shares(),
            price: m.price(),
            ..of(b'Q', m.stock_locate(), m.timestamp())
        },
        Message::AddOrder(m) => Told {
            order_ref: m.order_ref(),
            shares: m.shares().into(),
            price: m.price(),
            detail: m.side(),
            ..of(b'A', m.stock_locate(), m.timestamp())
        },
        Message::OrderReplace(m) => Told {
            order_ref: m.new_order_ref(),
            other: m.old_order_ref(),
            shares: m.shares().into(),
            price: m.price(),
            ..of(b'U', m.stock_locate(), m.timestamp())
        },
        Message::OrderDelete(m) => Told {
            order_ref: m.order_ref(),
            ..of(b'D', m.stock_locate(), m.timestamp())
        },
        Message::OrderCancel(m) => Told {
            order_ref: m.order_ref(),
            shares: m.shares().into(),
            ..of(b'X', m.stock_locate(), m.timestamp())
        },
        Message::OrderExecuted(m) => Told {
            order_ref: m.order_ref(),
            other: m.match_number(),
            shares: m.shares().into(),
            ..of(b'E', m.stock_locate(), m.timestamp())
        },
        Message::OrderExecutedPrice(m) => Told {
            order_ref: m.order_ref(),
            other: m.match_number(),
            shares: m.shares().into(),
            price: m.price(),
            ..of(b'C', m.stock_locate(), m.timestamp())
        },
        Message::BrokenTrade(m) => Told {
            other: m.match_number(),
            ..of(b'B', m.stock_locate(), m.timestamp())
        },
        Message::Trade(m) => Told {
            order_ref: m.order_ref(),
            other: m.match_number(),
            shares: m.shares().into(),
            price: m.price(),
            detail: m.side(),
            ..of(b'P', m.stock_locate(), m.timestamp())
        },
        other => return Err(format!("a message that nothing calls for: {other:?}")),
    })
}
