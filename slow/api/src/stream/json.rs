//! Messages as JSON.

use super::{Level, Message, News, Sight, Trade};
use serde_json::json;
use std::fmt::Write as _;
use wire::ring::Side;

/// A message as a text.
pub(super) fn write(message: &Message<'_>) -> String {
    let mut out = String::with_capacity(256);
    let (channel, rest) = match &message.news {
        News::Book(sides) => ("book", book(sides)),
        News::Top(sides) => ("top", top(sides)),
        News::Trades(trades, broken) => ("trades", traded(trades, broken)),
    };
    // Writing to a string does not fail.
    let _ = write!(
        out,
        "{{\"channel\":\"{channel}\",\"symbol\":{},\"sequence\":{},\"time\":{},\
         \"snapshot\":{},{rest}}}",
        json!(message.symbol),
        message.sequence,
        message.time_ns,
        message.is_snapshot,
    );
    out
}

/// How the feed stands.
pub(super) fn sight(sight: Sight) -> String {
    format!("{{\"channel\":\"feed\",\"state\":\"{}\"}}", sight.name())
}

fn book([bids, asks]: &[Vec<Level>; 2]) -> String {
    let mut out = String::from("\"bids\":");
    list(&mut out, bids, level);
    out.push_str(",\"asks\":");
    list(&mut out, asks, level);
    out
}

fn top([bid, ask]: &[Option<Level>; 2]) -> String {
    let mut out = String::from("\"bid\":");
    for (side, name) in [(bid, ",\"ask\":"), (ask, "")] {
        match side {
            Some(it) => level(&mut out, it),
            None => out.push_str("null"),
        }
        out.push_str(name);
    }
    out
}

fn traded(trades: &[Trade], broken: &[u64]) -> String {
    let mut out = String::from("\"trades\":");
    list(&mut out, trades, |out, trade| {
        let aggressor = match trade.aggressor {
            Some(Side::Buy) => "\"buy\"",
            Some(Side::Sell) => "\"sell\"",
            None => "null",
        };
        let _ = write!(
            out,
            "[{},{},{},{},{aggressor}]",
            trade.id, trade.time_ns, trade.price, trade.units
        );
    });
    out.push_str(",\"broken\":");
    list(&mut out, broken, |out, id| {
        let _ = write!(out, "{id}");
    });
    out
}

fn level(out: &mut String, level: &Level) {
    let _ = write!(out, "[{},{},{}]", level.price, level.units, level.orders);
}

fn list<T>(out: &mut String, items: &[T], mut one: impl FnMut(&mut String, &T)) {
    out.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        one(out, item);
    }
    out.push(']');
}
