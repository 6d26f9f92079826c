//! Where in a file's text a key stands.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The line of a key such as `users[1].firm`, from 1; that of the innermost table around it when
/// the key itself is not there.
pub(super) fn line_of(text: &str, key: &str) -> Option<usize> {
    let file = DeTable::parse(text).ok()?;
    let offset = in_table(file.get_ref(), key)?;
    Some(1 + text.get(..offset)?.matches('\n').count())
}

fn in_table(table: &DeTable<'_>, key: &str) -> Option<usize> {
    // A quoted name may have dots in it: the longest name that fits is the one that is meant.
    let fits = |name: &str| {
        let rest = key.strip_prefix(name)?;
        (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
    };
    let known = table.iter().filter_map(|(name, value)| {
        let rest = fits(name.get_ref())?;
        Some((name.span().start, value, rest))
    });
    let (start, value, rest) = known.min_by_key(|(_, _, rest)| rest.len())?;
    Some(within(value, rest).unwrap_or(start))
}

fn within(value: &Spanned<DeValue<'_>>, rest: &str) -> Option<usize> {
    match value.get_ref() {
        DeValue::Table(table) => in_table(table, rest.strip_prefix('.')?),
        DeValue::Array(array) => {
            let (index, rest) = rest.strip_prefix('[')?.split_once(']')?;
            let element = array.get(index.parse::<usize>().ok()?)?;
            Some(within(element, rest).unwrap_or(element.span().start))
        }
        _ => None,
    }
}
