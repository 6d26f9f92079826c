//! An answer for people, programs and eyes.

use std::fmt::Write;

use serde_json::Value;

/// What a command found.
pub(crate) struct Answer {
    pub text: String,
    pub json: Value,
    /// As SVG.
    pub picture: Option<String>,
    /// Whether it is all that was asked for: not if long work was stopped.
    pub is_complete: bool,
}

/// Lines of cells, the first cell to the left, the others to the right, as wide as they must be.
pub(crate) fn columns(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (at, (cell, width)) in cells.zip(&widths).enumerate() {
            let _ = if at == 0 {
                write!(line, "{cell:<width$}")
            } else {
                write!(line, "  {cell:>width$}")
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    };
    line(&mut head.iter().copied());
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
    text
}

/// Names and what they are, one a line.
pub(crate) fn facts(facts: &[(&str, String)]) -> String {
    let rows: Vec<Vec<String>> = facts
        .iter()
        .map(|(name, value)| vec![(*name).to_owned(), value.clone()])
        .collect();
    let table = columns(&["", ""], &rows);
    table
        .split_once('\n')
        .map_or("", |(_, rest)| rest)
        .to_owned()
}

/// A part of one in per cent.
pub(crate) fn percent(part: f64) -> String {
    format!("{:.3} %", part * 100.0)
}

/// A number with six digits that count.
pub(crate) fn number(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 || (1e-4..1e9).contains(&size) {
        let digits = (5.0 - size.max(1e-4).log10().floor()).clamp(0.0, 9.0);
        return format!("{x:.*}", digits as usize);
    }
    format!("{x:.5e}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_below_each_other() {
        let rows = [
            vec!["a".into(), "1.5".into()],
            vec!["bcd".into(), "-20".into()],
        ];
        assert_eq!(
            columns(&["asset", "x"], &rows),
            "asset    x\na      1.5\nbcd    -20\n"
        );
        assert_eq!(facts(&[("value", "1".into())]), "value  1\n");
    }

    #[test]
    fn numbers_keep_six_digits() {
        for (x, text) in [
            (0.0, "0.000000000"),
            (9.413_403_2, "9.41340"),
            (123_456.789, "123457"),
            (-0.001_234_567_8, "-0.00123457"),
            (1e-9, "1.00000e-9"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(number(x), text);
        }
    }
}
