//! How queries are narrowed, and whether their answers are right.

use crate::made::{Made, mixed};
use store::Error;
use store::query::Filter;

/// How a query is narrowed, for the table: each letter stands for an option.
pub const WAYS: [(&str, &[&str]); 10] = [
    ("open-orders", &["", "a", "s", "t", "as", "st", "n", "an"]),
    ("trades", &["", "s", "t", "st", "n", "sn", "tn", "stn"]),
    ("tape", &["", "s", "t", "st", "n", "sn", "tn"]),
    ("fills", &["a", "as", "at", "ast", "an", "asn"]),
    ("bars", &["", "s", "t", "st", "n", "sn"]),
    ("positions", &["", "a", "s", "as"]),
    ("profits", &["", "a", "s", "as"]),
    ("audit", &["", "a", "s", "t", "n", "an", "sn", "tn"]),
    ("turns", &["", "s", "t", "st", "n", "sn"]),
    ("tops", &["", "s"]),
];

/// A filter of chance's choice.
pub fn narrowed(made: &Made, way: &str, number: u64) -> Filter {
    let mut filter = Filter::default();
    for letter in way.chars() {
        match letter {
            'a' => filter.account = Some(made.account(number)),
            's' => filter.symbol = Some(made.symbol(mixed(number))),
            'n' => filter.is_newest_first = true,
            _ => {
                let (from_ns, to_ns) = made.times(mixed(mixed(number)));
                (filter.from_ns, filter.to_ns) = (Some(from_ns), Some(to_ns));
            }
        }
    }
    filter
}

/// Whether an answer is what the rows' rule says.
pub fn compare(made: &Made, (name, filter): (&str, &Filter), answer: &str) -> Result<(), Error> {
    let due = made.answer(name, filter);
    let mut found = answer.lines().skip(1);
    for (row, due) in due.iter().enumerate() {
        let found = found.next().unwrap_or("nothing");
        if found != due {
            let words = format!("{name} {filter:?}: row {row} is `{found}`, not `{due}`");
            return Err(Error::Refused(words));
        }
    }
    match found.next() {
        None => Ok(()),
        Some(row) => Err(Error::Refused(format!(
            "{name} {filter:?}: `{row}` behind the last row"
        ))),
    }
}
