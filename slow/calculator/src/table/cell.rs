//! What stands in a cell of a file.

/// A cell, as its file has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// Letters; none where nothing is.
    Text(String),
    Whole(i64),
    Number(f64),
}

impl Cell {
    /// Its number, NaN where nothing is; `None` of words.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Text(text) => number(text),
            Self::Whole(x) => Some(*x as f64),
            Self::Number(x) => Some(*x),
        }
    }

    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }

    pub fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Whole(x) => x.to_string(),
            Self::Number(x) => x.to_string(),
        }
    }
}

pub(super) fn number(cell: &str) -> Option<f64> {
    if cell.is_empty() {
        return Some(f64::NAN);
    }
    cell.parse().ok()
}

/// Cells between commas; one in quotes may have commas, and quotes twice.
pub(super) fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let (mut is_quoted, mut letters) = (false, line.chars().peekable());
    while let Some(letter) = letters.next() {
        let Some(cell) = cells.last_mut() else { break };
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(String::new()),
            _ => cell.push(letter),
        }
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

/// A cell as [`cells`] reads it back: in quotes where it has commas or quotes.
pub(crate) fn quoted(text: &str) -> String {
    if text.contains([',', '"']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}
