//! What queries there are, and what each may be asked.

use super::{QUERIES, named};

/// The names of all queries.
pub fn names() -> impl Iterator<Item = &'static str> {
    QUERIES.iter().map(|query| query.name)
}

/// What a query may be narrowed by, by the names of the program's options.
#[must_use]
pub fn parameters(name: &str) -> Vec<&'static str> {
    let Some(query) = QUERIES.iter().find(|query| query.name == name) else {
        return Vec::new();
    };
    let has_time = !query.time.is_empty();
    let all = [
        ("account", !query.account.is_empty()),
        ("symbol", !query.symbol.is_empty()),
        ("width", name == "bars"),
        ("from", has_time),
        ("to", has_time),
        ("order", has_time),
        ("limit", true),
    ];
    let has = all.into_iter().filter(|(_, is_there)| *is_there);
    has.map(|(name, _)| name).collect()
}

/// Whether a query is about one account, which has to be named.
#[must_use]
pub fn is_of_account(name: &str) -> bool {
    named(name).is_ok_and(|query| query.is_of_account)
}
