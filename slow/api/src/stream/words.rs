//! What a client asks for, in JSON.

use super::Channel;
use serde::Deserialize;
use serde_json::{Value, json};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// To be told of these symbols, or of all.
    Subscribe(Channel, Option<Vec<String>>),
    /// Not to be told any more.
    Unsubscribe(Channel, Option<Vec<String>>),
    /// Which symbols there are.
    Symbols,
    /// Whether we are here: pages cannot send the protocol's own question.
    Ping,
}

impl Wish {
    /// How many wishes it counts for: those about all symbols are more work.
    pub(super) const fn cost(&self) -> u32 {
        match self {
            Self::Subscribe(_, None) | Self::Unsubscribe(_, None) | Self::Symbols => 10,
            _ => 1,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    id: Value,
    op: String,
    channel: Option<String>,
    symbols: Option<Symbols>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Symbols {
    All(String),
    These(Vec<String>),
}

/// Symbols of a wish at most.
const SYMBOLS_MAX: usize = 1_000;

/// A wish with the number that its answer bears, or what is wrong with it.
pub(super) fn wish(text: &str) -> (Value, Result<Wish, String>) {
    let raw: Raw = match serde_json::from_str(text) {
        Ok(raw) => raw,
        Err(error) => return (Value::Null, Err(format!("no wish: {error}"))),
    };
    if !matches!(raw.id, Value::Null | Value::Number(_) | Value::String(_)) {
        return (Value::Null, Err("id: a number or a text".to_owned()));
    }
    let id = raw.id.clone();
    (id, wish_of(raw))
}

fn wish_of(raw: Raw) -> Result<Wish, String> {
    let is_subscribe = match &*raw.op {
        "subscribe" => true,
        "unsubscribe" => false,
        "symbols" => return Ok(Wish::Symbols),
        "ping" => return Ok(Wish::Ping),
        other => {
            let due = "subscribe, unsubscribe, symbols or ping";
            return Err(format!("op: {other:?}: {due}"));
        }
    };
    let named = raw.channel.as_deref().unwrap_or("");
    let channel = Channel::ALL.into_iter().find(|it| it.name() == named);
    let channel = channel.ok_or_else(|| format!("channel: {named:?}: book, top or trades"))?;
    let symbols = match raw.symbols {
        Some(Symbols::All(all)) if all == "*" => None,
        Some(Symbols::These(names)) if (1..=SYMBOLS_MAX).contains(&names.len()) => Some(names),
        _ => {
            return Err(format!(
                "symbols: \"*\", or an array of 1 to {SYMBOLS_MAX} names"
            ));
        }
    };
    Ok(match is_subscribe {
        true => Wish::Subscribe(channel, symbols),
        false => Wish::Unsubscribe(channel, symbols),
    })
}

/// That it was done.
pub(super) fn done(id: &Value, result: &Value) -> String {
    json!({ "id": id, "result": result }).to_string()
}

/// That it was not.
pub(super) fn refused(id: &Value, code: &str, why: &str) -> String {
    json!({ "id": id, "error": { "code": code, "message": why } }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read_as_they_are_written() {
        let (id, it) = wish(r#"{"id":7,"op":"subscribe","channel":"book","symbols":["A","B"]}"#);
        let due = Wish::Subscribe(Channel::Book, Some(vec!["A".into(), "B".into()]));
        assert_eq!((id, it), (json!(7), Ok(due)));
        let (id, it) = wish(r#"{"op":"unsubscribe","channel":"trades","symbols":"*"}"#);
        assert_eq!(
            (id, it),
            (Value::Null, Ok(Wish::Unsubscribe(Channel::Trades, None)))
        );
        assert_eq!(
            wish(r#"{"op":"symbols","id":"x"}"#),
            (json!("x"), Ok(Wish::Symbols))
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_name() {
        for (text, due) in [
            ("", "no wish"),
            ("[]", "no wish"),
            (
                r#"{"op":"subscribe","channel":"book","symbols":["A"],"depth":1}"#,
                "depth",
            ),
            (r#"{"op":"subscribe","channel":"book"}"#, "symbols"),
            (
                r#"{"op":"subscribe","channel":"book","symbols":[]}"#,
                "symbols",
            ),
            (
                r#"{"op":"subscribe","channel":"book","symbols":"A"}"#,
                "symbols",
            ),
            (
                r#"{"op":"subscribe","channel":"books","symbols":"*"}"#,
                "channel",
            ),
            (r#"{"op":"buy"}"#, "op"),
            (r#"{"op":"ping","id":[1]}"#, "id"),
            (
                &format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
                "no wish",
            ),
        ] {
            let why = wish(text).1.unwrap_err();
            assert!(why.contains(due), "{text:.60}: {why}");
        }
    }
}
