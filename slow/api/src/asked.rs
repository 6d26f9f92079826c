//! What a request narrows its query by, and to what its key holds it.

use crate::admit::Asker;
use crate::answer::Refusal;
use crate::routes::ROWS_MAX;
use axum::http::HeaderMap;
use axum::http::header::CACHE_CONTROL;
use axum::http::request::Parts;
use std::time::Duration;
use store::query::{Filter, is_of_account, parameters};

/// How old an answer may be at most, whatever a client would take.
pub(crate) const AGE_MAX: Duration = Duration::from_secs(60);

/// How old an answer may be that a request takes: its `Cache-Control: max-age` (RFC 9111, 5.2.1.1),
/// in seconds; zero where it has none, or any other word.
pub(crate) fn age_max_of(headers: &HeaderMap) -> Duration {
    let mut values = headers.get_all(CACHE_CONTROL).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Duration::ZERO;
    };
    let text = value.to_str().unwrap_or_default().trim();
    let seconds = text
        .split_once('=')
        .filter(|(name, _)| name.eq_ignore_ascii_case("max-age"))
        .and_then(|(_, seconds)| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(0)).min(AGE_MAX)
}

/// The parameters of a path, with their escapes undone.
pub(crate) fn pairs_of(parts: &Parts) -> Result<Vec<(String, String)>, Refusal> {
    let query = parts.uri.query().unwrap_or("");
    let mut pairs = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let plain = |text: &str| {
            unescaped(text).ok_or_else(|| Refusal::Bad(format!("{text:?} is escaped wrongly")))
        };
        pairs.push((plain(name)?, plain(value)?));
    }
    Ok(pairs)
}

/// `%41` is `A` and `+` a space; none where that makes no text.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = std::str::from_utf8(more.get(..2)?).ok()?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return None;
                }
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &more[2..];
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).ok()
}

/// What narrows a query, by whom it is asked.
pub(crate) fn filter_of(
    query: &str,
    asker: Option<&Asker>,
    asked: &[(&str, &str)],
) -> Result<Filter, Refusal> {
    let mut filter = Filter::default();
    let parameters = parameters(query);
    let has = |name: &str| parameters.contains(&name);
    for (name, value) in asked {
        let wrong = |due: &str| Refusal::Bad(format!("{name}: {value:?}: {due}"));
        let number = |due: &str| value.parse::<i64>().map_err(|_| wrong(due));
        let count = |due: &str| value.parse::<u32>().map_err(|_| wrong(due));
        match *name {
            name if !has(name) => {
                let all = parameters.join(", ");
                return Err(Refusal::Bad(format!(
                    "{name:?} is no parameter of {query}: {all}"
                )));
            }
            "account" => filter.account = Some(count("the number of an account")?),
            "symbol" if value.len() <= 8 => filter.symbol = Some((*value).to_owned()),
            "symbol" => return Err(wrong("a symbol has 8 letters at most")),
            "from" => filter.from_ns = Some(number("nanoseconds since 1970")?),
            "to" => filter.to_ns = Some(number("nanoseconds since 1970")?),
            "width" => match count("1, 60 or 3600")? {
                width @ (1 | 60 | 3_600) => filter.width_s = Some(width),
                _ => return Err(wrong("1, 60 or 3600")),
            },
            "order" => match *value {
                "asc" => filter.is_newest_first = false,
                "desc" => filter.is_newest_first = true,
                _ => return Err(wrong("asc, the oldest rows, or desc, the newest")),
            },
            _ => match count("the number of rows")? {
                rows @ 1..=ROWS_MAX => filter.rows_max = Some(rows),
                _ => return Err(wrong("from 1 to 10000 rows")),
            },
        }
    }
    if let Some(asker) = asker.filter(|asker| asker.role.has_accounts())
        && has("account")
    {
        filter.account = Some(own_account(asker, filter.account)?);
    }
    if filter.account.is_none() && is_of_account(query) {
        let words = format!("account: query {query} is about one account: say which");
        return Err(Refusal::Bad(words));
    }
    Ok(filter)
}

/// The account that a member asks about: one of its own.
fn own_account(asker: &Asker, asked: Option<u32>) -> Result<u32, Refusal> {
    let own = &asker.accounts;
    match (asked, own.as_slice()) {
        (Some(account), _) if own.contains(&account) => Ok(account),
        (Some(account), _) => Err(Refusal::Forbidden(format!(
            "account {account} is not one of key {:?}: {own:?}",
            asker.name
        ))),
        (None, [account]) => Ok(*account),
        (None, _) => Err(Refusal::Bad(format!("account: say which of {own:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_how_old_its_answer_may_be() {
        let age_s = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(
                    CACHE_CONTROL,
                    value.parse().unwrap_or_else(|_| panic!("{value}")),
                );
            }
            age_max_of(&headers).as_secs()
        };
        assert_eq!(age_s(&["max-age=1"]), 1);
        assert_eq!(age_s(&[" Max-Age=5 "]), 5);
        assert_eq!(age_s(&["max-age=86400"]), 60);
        for none in [
            &[][..],
            &["no-cache"],
            &["max-age"],
            &["max-age=-1"],
            &["max-age=soon"],
        ] {
            assert_eq!(age_s(none), 0, "{none:?}");
        }
        // Who says several things may mean what is not known here.
        assert_eq!(age_s(&["max-age=5, no-cache"]), 0);
        assert_eq!(age_s(&["max-age=5", "no-cache"]), 0);
    }
}
