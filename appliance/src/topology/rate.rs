//! How fast a user may send.

use super::Error;
use super::check::within;
use serde::Deserialize;
use session::order_entry::Rate;

/// The most messages a second that can be told apart from any number.
const A_SECOND_MAX: u32 = 10_000_000;

/// A user's `rate`, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    messages_per_second: u32,
    at_once: u32,
    #[serde(default)]
    refusals_max: u32,
}

/// Checks it; `user` is its table's key.
pub(super) fn rate(user: &str, raw: Option<Raw>) -> Result<Rate, Error> {
    let Some(raw) = raw else {
        return Ok(Rate::default());
    };
    let key = |field: &str| format!("{user}.rate.{field}");
    Ok(Rate {
        a_second: within(
            &key("messages_per_second"),
            raw.messages_per_second,
            1..=A_SECOND_MAX,
        )?,
        at_once: within(&key("at_once"), raw.at_once, 1..=A_SECOND_MAX)?,
        refusals_max: raw.refusals_max,
    })
}
