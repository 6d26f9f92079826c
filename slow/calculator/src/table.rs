//! Tables from files.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Refused;

/// The most bytes of a file.
const BYTES_MAX: u64 = 1 << 30;
/// The most columns of a table that is handed in: covariances have as many rows and columns.
pub(crate) const GIVEN_COLUMNS_MAX: usize = 500;

thread_local! {
    /// The files that this thread's work is given, if it may see no others.
    static GIVEN: RefCell<Option<BTreeMap<PathBuf, Vec<u8>>>> = const { RefCell::new(None) };
}

/// Does work that sees these files and no others: the disk is not looked at.
pub(crate) fn given<T>(files: BTreeMap<PathBuf, Vec<u8>>, work: impl FnOnce() -> T) -> T {
    /// Takes them away again, however the work ends.
    struct Over;
    impl Drop for Over {
        fn drop(&mut self) {
            GIVEN.set(None);
        }
    }
    GIVEN.set(Some(files));
    let _over = Over;
    work()
}

/// Whether work sees only what it is given.
pub(crate) fn is_given() -> bool {
    GIVEN.with_borrow(Option::is_some)
}

/// Numbers by rows and columns, with names. A cell that is empty or `nan` is NaN.
#[derive(Debug)]
pub(crate) struct Table {
    file: PathBuf,
    /// Of the columns; empty if the file has none.
    pub names: Vec<String>,
    /// Of the rows, if the first column has them.
    pub labels: Option<Vec<String>>,
    /// Row by row.
    pub numbers: Vec<f64>,
    pub width: usize,
    /// The line of the first row.
    first_line: usize,
    /// Where each column stands in the file, from 1.
    places: Vec<usize>,
}

impl Table {
    pub fn read(file: &Path) -> Result<Self, Refused> {
        let text = text(file)?;
        Self::parse(file, &text, None).map(|(table, _)| table)
    }

    /// With a column of words, which are given beside the numbers of the others.
    pub fn read_labelled(file: &Path, label: &str) -> Result<(Self, Vec<String>), Refused> {
        let text = text(file)?;
        Self::parse(file, &text, Some(label))
    }

    fn parse(file: &Path, text: &str, label: Option<&str>) -> Result<(Self, Vec<String>), Refused> {
        let blame = |what: String| Refused(format!("{}{what}", file.display()));
        // Spreadsheets put a mark of the byte order before the text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = text.trim_end().lines().enumerate();
        let mut lines = lines.map(|(at, line)| (at + 1, cells(line))).peekable();
        let Some((_, first)) = lines.peek() else {
            return Err(blame(": the file is empty".into()));
        };
        let cell_count = first.len();
        let mut names = Vec::new();
        if is_of_names(first) {
            let (_, head) = lines.next().unwrap_or_default();
            names = head;
        }
        let Some((first_line, row)) = lines.peek() else {
            return Err(blame(": there is no row of numbers".into()));
        };
        let first_line = *first_line;
        let named = names.first().is_some_and(|name| is_of_rows(name));
        let is_label = |name: &String| label.is_some_and(|label| name.eq_ignore_ascii_case(label));
        let first_is_label = names.first().is_some_and(is_label);
        let labelled = named || number(&row[0]).is_none();
        let has_labels = row.len() > 1 && labelled && !first_is_label;
        let skipped = usize::from(has_labels);
        let mut words = Vec::new();
        let of_words = |name: &str| {
            let all = names.iter().skip(skipped);
            let found = all.clone().position(|x| x.eq_ignore_ascii_case(name));
            let all: Vec<&str> = all.map(String::as_str).collect();
            let what = format!(": no column {name:?}; there are: {}", all.join(", "));
            found.ok_or_else(|| blame(what))
        };
        let left_out = label.map(of_words).transpose()?;
        let mut labels = has_labels.then(Vec::new);
        let (mut numbers, width) = (Vec::new(), cell_count - skipped.min(cell_count));
        for (line, cells) in lines {
            if cells.len() != cell_count {
                let found = cells.len();
                let what = format!(", line {line}: {found} cells, {cell_count} in the first line");
                return Err(blame(what));
            }
            for (column, cell) in cells.iter().enumerate().skip(skipped) {
                let name = names.get(column).map(|name| format!(" ({name})"));
                let wrong = |what: String| {
                    let place = format!(", line {line}, column {}", column + 1);
                    blame(format!("{place}{}: {what}", name.unwrap_or_default()))
                };
                if left_out != Some(column - skipped) {
                    let none = || wrong(format!("{cell:?} is no number"));
                    numbers.push(number(cell).ok_or_else(none)?);
                } else if cell.is_empty() {
                    return Err(wrong("there is no label".into()));
                } else {
                    words.push(cell.clone());
                }
            }
            if let (Some(labels), Some(label)) = (&mut labels, cells.into_iter().next()) {
                labels.push(label);
            }
        }
        names.drain(..skipped.min(names.len()));
        if let Some(column) = left_out {
            names.remove(column);
        }
        let kept = |column: &usize| left_out != Some(column - skipped);
        let places = (skipped..cell_count).filter(kept);
        if is_given() && width > GIVEN_COLUMNS_MAX {
            let what = format!(": {width} columns of numbers: up to {GIVEN_COLUMNS_MAX}");
            return Err(blame(what));
        }
        let table = Self {
            places: places.map(|column| column + 1).collect(),
            file: file.to_owned(),
            names,
            labels,
            numbers,
            width: width - usize::from(left_out.is_some()),
            first_line,
        };
        Ok((table, words))
    }

    pub fn height(&self) -> usize {
        self.numbers.len() / self.width.max(1)
    }

    /// The name of a column, or its number.
    pub fn name(&self, column: usize) -> String {
        let name = self.names.get(column).cloned();
        name.unwrap_or_else(|| (column + 1).to_string())
    }

    pub fn label(&self, row: usize) -> String {
        let label = self.labels.as_ref().and_then(|labels| labels.get(row));
        label.cloned().unwrap_or_else(|| (row + 1).to_string())
    }

    pub fn column(&self, column: usize) -> impl Iterator<Item = f64> {
        self.numbers
            .iter()
            .skip(column)
            .step_by(self.width.max(1))
            .copied()
    }

    /// The column of a name, in any case of letters.
    pub fn find(&self, name: &str) -> Result<usize, Refused> {
        let found = self.names.iter().position(|x| x.eq_ignore_ascii_case(name));
        found.ok_or_else(|| {
            let names = self.names.join(", ");
            self.blame(&format!("no column {name:?}; there are: {names}"))
        })
    }

    /// Takes a column out: its numbers.
    pub fn take(&mut self, column: usize) -> Vec<f64> {
        let taken = self.column(column).collect();
        let width = self.width;
        let mut at = 0;
        self.numbers.retain(|_| {
            at += 1;
            (at - 1) % width != column
        });
        self.width -= 1;
        if column < self.names.len() {
            self.names.remove(column);
        }
        self.places.remove(column);
        taken
    }

    /// What is wrong with the file as a whole.
    pub fn blame(&self, what: &str) -> Refused {
        Refused(format!("{}: {what}", self.file.display()))
    }

    /// What is wrong with a cell.
    pub fn blame_cell(&self, row: usize, column: usize, what: &str) -> Refused {
        let line = self.first_line + row;
        let place = self.places.get(column).copied().unwrap_or(column + 1);
        let name = self.name(column);
        let file = self.file.display();
        Refused(format!(
            "{file}, line {line}, column {place} ({name}): {what}"
        ))
    }

    /// Refuses missing numbers.
    pub fn whole(&self) -> Result<(), Refused> {
        match self.numbers.iter().position(|x| !x.is_finite()) {
            None => Ok(()),
            Some(at) => {
                let [row, column] = [at / self.width, at % self.width];
                Err(self.blame_cell(row, column, "there is no number"))
            }
        }
    }
}

/// A whole file.
pub(crate) fn text(file: &Path) -> Result<String, Refused> {
    String::from_utf8(bytes(file)?)
        .map_err(|error| Refused(format!("{}: no text: {error}", file.display())))
}

/// A whole file.
pub(crate) fn bytes(file: &Path) -> Result<Vec<u8>, Refused> {
    if is_given() {
        let found = GIVEN.with_borrow(|files| files.as_ref()?.get(file).cloned());
        return found.ok_or_else(|| Refused(format!("{}: was not given", file.display())));
    }
    let refused = |error: std::io::Error| Refused(format!("{}: {error}", file.display()));
    let length = fs::metadata(file).map_err(refused)?.len();
    if length > BYTES_MAX {
        let most = BYTES_MAX >> 20;
        return Err(Refused(format!("{}: more than {most} MiB", file.display())));
    }
    fs::read(file).map_err(refused)
}

/// The name of a column that names rows, even if they are numbers.
fn is_of_rows(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "",
        "date",
        "day",
        "time",
        "timestamp",
        "name",
        "asset",
        "symbol",
    ]
    .contains(&name.as_str())
}

/// Whether the first line is names. A row's label is no number either, so the first cell only says
/// so where it is alone, or is what a column of labels is called.
fn is_of_names(line: &[String]) -> bool {
    let is_word = |cell: &String| number(cell).is_none();
    match line {
        [] => false,
        [only] => is_word(only),
        [first, others @ ..] => others.iter().any(is_word) || (is_word(first) && is_of_rows(first)),
    }
}

/// Cells between commas; one in quotes may have commas, and quotes twice.
fn cells(line: &str) -> Vec<String> {
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

fn number(cell: &str) -> Option<f64> {
    if cell.is_empty() {
        return Some(f64::NAN);
    }
    cell.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Table, String> {
        let table = Table::parse(Path::new("t.csv"), text, None);
        table.map(|(table, _)| table).map_err(|refused| refused.0)
    }

    #[test]
    fn a_column_of_words_is_given_beside_the_numbers() {
        let parse = |text: &str, label: &str| {
            let found = Table::parse(Path::new("t.csv"), text, Some(label));
            found.map_err(|refused| refused.0)
        };
        for (text, place) in [
            ("a,Label,b\n1,BUY,2\n3,SELL,\n", 3),
            ("label,a,b\nBUY,1,2\nSELL,3,\n", 3),
            ("day,a,b,label\nd1,1,2,BUY\nd2,3,,SELL\n", 3),
        ] {
            let (table, words) = parse(text, "label").unwrap();
            assert_eq!((table.width, table.height()), (2, 2));
            assert_eq!(table.names, ["a", "b"]);
            assert_eq!(words, ["BUY", "SELL"]);
            let hole = table.whole().unwrap_err().0;
            let wanted = format!("t.csv, line 3, column {place} (b): there is no number");
            assert_eq!(hole, wanted);
        }
        let refused = parse("a,label\n1,BUY\n2,\n", "label").unwrap_err();
        assert_eq!(
            refused,
            "t.csv, line 3, column 2 (label): there is no label"
        );
        let refused = parse("a,b\n1,2\n", "label").unwrap_err();
        assert_eq!(refused, "t.csv: no column \"label\"; there are: a, b");
    }

    #[test]
    fn names_and_labels_are_found_out() {
        let table = parse("date,A,\"B, or \"\"b\"\"\"\n2026-01-01,1,2\n2026-01-02,3,\n").unwrap();
        assert_eq!(table.names, ["A", "B, or \"b\""]);
        assert_eq!([table.label(1), table.name(0)], ["2026-01-02", "A"]);
        assert_eq!(table.numbers[..3], [1.0, 2.0, 3.0]);
        let hole = table.whole().unwrap_err().0;
        assert_eq!(
            hole,
            "t.csv, line 3, column 3 (B, or \"b\"): there is no number"
        );
        let table = parse("1,2\r\n3,nan\r\n").unwrap();
        assert_eq!(
            (table.width, table.height(), table.label(0)),
            (2, 2, "1".into())
        );
        let table = parse("day,x\n1,5\n2,6\n").unwrap();
        assert_eq!((table.width, table.numbers), (1, vec![5.0, 6.0]));
        let table = parse("x\n5\n6\n").unwrap();
        assert_eq!((table.width, table.numbers), (1, vec![5.0, 6.0]));
        assert_eq!(parse("A,B\n1,2").unwrap().find("b"), Ok(1));
        let table = parse("\u{feff}A,B\n1,2").unwrap();
        assert_eq!(table.names, ["A", "B"]);
        let table = parse("day,2026\nd1,5\n").unwrap();
        assert_eq!((table.name(0), table.numbers), ("2026".into(), vec![5.0]));
    }

    #[test]
    fn labels_need_no_names_above_them() {
        let table = parse("AA,1,2\nBB,3,\n").unwrap();
        assert!(table.names.is_empty() && table.height() == 2);
        assert_eq!([table.label(0), table.label(1)], ["AA", "BB"]);
        assert_eq!(table.numbers[..3], [1.0, 2.0, 3.0]);
        let hole = table.whole().unwrap_err().0;
        assert_eq!(hole, "t.csv, line 2, column 3 (2): there is no number");
    }

    #[test]
    fn faults_have_their_place() {
        for (text, wanted) in [
            ("", "t.csv: the file is empty"),
            ("a,b\n", "t.csv: there is no row of numbers"),
            (
                "a,b\n1,2\n3\n",
                "t.csv, line 3: 1 cells, 2 in the first line",
            ),
            (
                "a,b\n1,2\n3,x\n",
                "t.csv, line 3, column 2 (b): \"x\" is no number",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err(), wanted);
        }
    }
}
