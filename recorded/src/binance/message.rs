//! The messages of the streams, as JSON has them.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::Fault;

/// A line's message.
pub enum Line<'a> {
    Depth(Depth<'a>),
    Snapshot(Snapshot<'a>),
    Quote(Quote<'a>),
    Trade(Trade<'a>),
    Other,
}

/// Price and quantity as decimal texts.
type Level<'a> = [&'a str; 2];

#[derive(Deserialize)]
pub struct Depth<'a> {
    #[serde(rename = "s")]
    pub symbol: &'a str,
    #[serde(rename = "E")]
    pub ms: u64,
    #[serde(rename = "T")]
    pub transaction_ms: Option<u64>,
    #[serde(rename = "U")]
    pub first: u64,
    #[serde(rename = "u")]
    pub last: u64,
    #[serde(rename = "pu")]
    pub previous: Option<u64>,
    #[serde(rename = "b", borrow)]
    pub bids: Vec<Level<'a>>,
    #[serde(rename = "a", borrow)]
    pub asks: Vec<Level<'a>>,
}

#[derive(Deserialize)]
pub struct Snapshot<'a> {
    #[serde(rename = "lastUpdateId")]
    pub last: u64,
    #[serde(rename = "T")]
    pub transaction_ms: Option<u64>,
    #[serde(borrow)]
    pub bids: Vec<Level<'a>>,
    #[serde(borrow)]
    pub asks: Vec<Level<'a>>,
}

#[derive(Deserialize)]
pub struct Quote<'a> {
    #[serde(rename = "s")]
    pub symbol: &'a str,
    #[serde(rename = "u")]
    pub id: u64,
    #[serde(rename = "T")]
    pub ms: Option<u64>,
    #[serde(rename = "b")]
    pub bid: &'a str,
    #[serde(rename = "B")]
    pub bid_quantity: &'a str,
    #[serde(rename = "a")]
    pub offer: &'a str,
    #[serde(rename = "A")]
    pub offer_quantity: &'a str,
}

#[derive(Deserialize)]
pub struct Trade<'a> {
    #[serde(rename = "s")]
    pub symbol: &'a str,
    #[serde(rename = "T")]
    pub ms: u64,
    #[serde(rename = "p")]
    pub price: &'a str,
    #[serde(rename = "q")]
    pub quantity: &'a str,
    /// Whether the buyer's order rested.
    #[serde(rename = "m")]
    pub buyer_made: bool,
}

/// A message of a stream, or a snapshot, which has no stream.
#[derive(Deserialize)]
struct Wrapped<'a> {
    stream: Option<&'a str>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// Time of receipt and message of a line.
pub fn line(line: &[u8]) -> Result<(u64, Line<'_>), Fault> {
    let text = std::str::from_utf8(line);
    let text = text.map_err(|why| Fault::Message(why.to_string()))?;
    let (time, json) = text.split_once(' ').unwrap_or((text, ""));
    let time = time.parse().map_err(|_| {
        let why = format!("is {time:?}, not ns since 1970 before a space");
        Fault::Field("time of receipt", why)
    })?;
    let wrapped: Wrapped<'_> = decode(json)?;
    let (Some(stream), Some(data)) = (wrapped.stream, wrapped.data) else {
        return Ok((time, Line::Snapshot(decode(json)?)));
    };
    let kind = stream.split('@').nth(1).unwrap_or_default();
    let data = data.get();
    let message = match kind {
        "depth" => Line::Depth(decode(data)?),
        "bookTicker" => Line::Quote(decode(data)?),
        "trade" => Line::Trade(decode(data)?),
        _ => Line::Other,
    };
    Ok((time, message))
}

fn decode<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Fault> {
    serde_json::from_str(json).map_err(|why| Fault::Message(why.to_string()))
}
