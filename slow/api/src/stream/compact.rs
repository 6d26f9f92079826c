//! Messages as fixed fields, laid out like Simple Binary Encoding: little-endian, a head that says
//! which message it is, its fields, and groups with their sizes. docs/stream.md has every offset.

use super::{Level, Message, News, Sight, Trade};
use wire::ring::Side;

/// The number of this description, and its version.
const SCHEMA: [u16; 2] = [1, 0];

const BOOK: u16 = 1;
const TOP: u16 = 2;
const TRADES: u16 = 3;
const FEED: u16 = 4;

/// Bytes of the fields that every message of a symbol has.
const BLOCK_BYTES: u16 = 32;
const LEVEL_BYTES: u16 = 20;
const TRADE_BYTES: u16 = 33;

/// A message as bytes.
pub(super) fn write(message: &Message<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let template = match message.news {
        News::Book(_) => BOOK,
        News::Top(_) => TOP,
        News::Trades(..) => TRADES,
    };
    head(&mut out, BLOCK_BYTES, template);
    let mut symbol = [b' '; 8];
    for (letter, of) in symbol.iter_mut().zip(message.symbol.bytes()) {
        *letter = of;
    }
    out.extend(symbol);
    out.extend(message.sequence.to_le_bytes());
    out.extend(message.time_ns.to_le_bytes());
    out.push(u8::from(message.is_snapshot));
    out.extend([0; 7]);
    match &message.news {
        News::Book(sides) => sides.iter().for_each(|side| levels(&mut out, side.iter())),
        News::Top(sides) => sides.iter().for_each(|side| levels(&mut out, side.iter())),
        News::Trades(trades, broken) => {
            group(&mut out, TRADE_BYTES, trades.len());
            trades.iter().for_each(|it| trade(&mut out, it));
            group(&mut out, 8, broken.len());
            broken.iter().for_each(|id| out.extend(id.to_le_bytes()));
        }
    }
    out
}

/// How the feed stands.
pub(super) fn sight(sight: Sight) -> Vec<u8> {
    let mut out = Vec::with_capacity(16);
    head(&mut out, 1, FEED);
    out.push(match sight {
        Sight::Joining => b'J',
        Sight::Live => b'L',
        Sight::Stale => b'S',
        Sight::Ended => b'E',
    });
    out
}

fn head(out: &mut Vec<u8>, block: u16, template: u16) {
    for field in [block, template, SCHEMA[0], SCHEMA[1]] {
        out.extend(field.to_le_bytes());
    }
}

fn group(out: &mut Vec<u8>, bytes: u16, count: usize) {
    out.extend(bytes.to_le_bytes());
    // A message has far fewer: see `hub`.
    out.extend((count as u16).to_le_bytes());
}

fn levels<'a>(out: &mut Vec<u8>, levels: impl ExactSizeIterator<Item = &'a Level>) {
    group(out, LEVEL_BYTES, levels.len());
    for level in levels {
        out.extend(level.price.to_le_bytes());
        out.extend(level.units.to_le_bytes());
        out.extend(level.orders.to_le_bytes());
    }
}

fn trade(out: &mut Vec<u8>, trade: &Trade) {
    out.extend(trade.id.to_le_bytes());
    out.extend(trade.time_ns.to_le_bytes());
    out.extend(trade.price.to_le_bytes());
    out.extend(trade.units.to_le_bytes());
    out.push(match trade.aggressor {
        Some(Side::Buy) => b'B',
        Some(Side::Sell) => b'S',
        None => b' ',
    });
}
