//! Where the files are.

use crate::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// The ending of files that are whole.
const ENDING: &str = ".parquet";

/// What a folder's name says of the symbol in it.
const SYMBOL: &str = "symbol=";

/// The folder of a sheet's rows of a date: `day=2026-11-23`. A day whose name begins with no date
/// stands under its name.
pub fn folder(dir: &Path, sheet: &str, day: &str) -> PathBuf {
    let number = |range| day.get(range).and_then(|it: &str| it.parse::<u32>().ok());
    let date = match (number(0..4), number(4..6), number(6..8)) {
        (Some(year), Some(month @ 1..=12), Some(date @ 1..=31)) => {
            format!("{year:04}-{month:02}-{date:02}")
        }
        _ => day.to_owned(),
    };
    dir.join(sheet).join(format!("day={date}"))
}

/// The file of a day and a symbol below such a folder, or of a day where symbols are not parted.
pub fn file(folder: &Path, symbol: Option<&str>, day: &str) -> PathBuf {
    let name = format!("{day}{ENDING}");
    match symbol {
        None => folder.join(name),
        Some(symbol) => folder.join(part(symbol)).join(name),
    }
}

/// The folder of a symbol: what is neither letter nor digit nor one of `._-` is written as `%2F`.
fn part(symbol: &str) -> String {
    let mut name = SYMBOL.to_owned();
    for byte in symbol.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'.' | b'_' | b'-' => {
                name.push(byte.into());
            }
            _ => name += &format!("%{byte:02X}"),
        }
    }
    name
}

/// The symbol of such a folder; none if it is not one of ours.
fn symbol(part: &str) -> Option<String> {
    let mut rest = part.strip_prefix(SYMBOL)?.bytes();
    let mut letters = Vec::new();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            letters.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        letters.push(u8::try_from(high << 4 | low).ok()?);
    }
    String::from_utf8(letters).ok()
}

/// The symbols of which such a folder has a file of that day, in their order.
pub fn symbols(folder: &Path, day: &str) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        entries => entries.map_err(|error| Error::file(folder, &error))?,
    };
    for entry in entries {
        let entry = entry.map_err(|error| Error::file(folder, &error))?;
        let name = entry.file_name();
        if let Some(symbol) = name.to_str().and_then(symbol)
            && file(folder, Some(&symbol), day).is_file()
        {
            found.push(symbol);
        }
    }
    found.sort();
    Ok(found)
}

/// The files of a day in such a folder, each with its symbol if they are parted by symbols.
pub fn files(
    folder: &Path,
    is_parted: bool,
    day: &str,
) -> Result<Vec<(Option<String>, PathBuf)>, Error> {
    if !is_parted {
        let path = file(folder, None, day);
        let found = path.is_file().then_some((None, path));
        return Ok(found.into_iter().collect());
    }
    let found = symbols(folder, day)?.into_iter();
    Ok(found
        .map(|symbol| {
            let path = file(folder, Some(&symbol), day);
            (Some(symbol), path)
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_symbols_are_folders() {
        let folder = |day| folder(Path::new("h"), "trades", day);
        assert_eq!(folder("2026112301"), Path::new("h/trades/day=2026-11-23"));
        assert_eq!(folder("2026134201"), Path::new("h/trades/day=2026134201"));
        let path = file(&folder("2026112302"), Some("BRK/B ?"), "2026112302");
        let due = "h/trades/day=2026-11-23/symbol=BRK%2FB%20%3F/2026112302.parquet";
        assert_eq!(path, Path::new(due));
    }

    #[test]
    fn a_symbol_is_read_back_from_its_folder() {
        for name in ["ABC", "BRK/B ?", "100%", "a=b", "..", "%41"] {
            assert_eq!(symbol(&part(name)).as_deref(), Some(name));
        }
        for name in ["ABC", "symbol=%", "symbol=%4", "symbol=%zz", "symbol=%FF"] {
            assert_eq!(symbol(name), None, "{name}");
        }
    }
}
