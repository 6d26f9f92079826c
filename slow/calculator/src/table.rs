//! Tables from files: lines of cells between commas, or Parquet.

mod cell;
mod columns;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Refused;
use cell::{Cell, cells, number};

pub(crate) use cell::quoted;
pub(crate) use columns::is_called as is_called_parquet;

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
    place: Place,
    /// Where each column stands in the file, from 1.
    places: Vec<usize>,
}

/// How a cell of a file is found again.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// By its line, of which the first row has this one, and the number of its column.
    Lines(usize),
    /// By its row and the name of its column.
    Columns,
}

impl Place {
    /// Words on a cell, rows from 0 and columns from 1.
    fn told(self, row: usize, column: usize, name: Option<&str>) -> String {
        let number = column.to_string();
        match (self, name) {
            (Self::Lines(first), Some(name)) => {
                format!(", line {}, column {number} ({name})", first + row)
            }
            (Self::Lines(first), None) => format!(", line {}, column {number}", first + row),
            (Self::Columns, name) => {
                format!(", row {}, column {}", row + 1, name.unwrap_or(&number))
            }
        }
    }
}

/// What is known of a file before its rows are read.
struct Head<'a> {
    file: &'a Path,
    /// Of all columns, or none.
    names: Vec<String>,
    /// Cells of a row.
    width: usize,
    /// The first column is not of numbers.
    first_is_words: bool,
    place: Place,
}

impl Table {
    pub fn read(file: &Path) -> Result<Self, Refused> {
        Self::read_with(file, None).map(|(table, _)| table)
    }

    /// With a column of words, which are given beside the numbers of the others.
    pub fn read_labelled(file: &Path, label: &str) -> Result<(Self, Vec<String>), Refused> {
        Self::read_with(file, Some(label))
    }

    fn read_with(file: &Path, label: Option<&str>) -> Result<(Self, Vec<String>), Refused> {
        if columns::is_one(file) {
            return columns::table(file, label);
        }
        Self::parse(file, &text(file)?, label)
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
        let width = first.len();
        let mut names = Vec::new();
        if is_of_names(first) {
            let (_, head) = lines.next().unwrap_or_default();
            names = head;
        }
        let Some((first_line, row)) = lines.peek() else {
            return Err(blame(": there is no row of numbers".into()));
        };
        let head = Head {
            file,
            names,
            width,
            first_is_words: number(&row[0]).is_none(),
            place: Place::Lines(*first_line),
        };
        let rows = lines.map(|(line, cells)| {
            let found = cells.len();
            if found != width {
                let what = format!(", line {line}: {found} cells, {width} in the first line");
                return Err(blame(what));
            }
            Ok(cells.into_iter().map(Cell::Text).collect())
        });
        head.table(rows, label)
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

    /// Where a column stands in the file, from 1.
    pub fn place(&self, column: usize) -> usize {
        self.places.get(column).copied().unwrap_or(column + 1)
    }

    /// What is wrong with the file as a whole.
    pub fn blame(&self, what: &str) -> Refused {
        Refused(format!("{}: {what}", self.file.display()))
    }

    /// What is wrong with a cell.
    pub fn blame_cell(&self, row: usize, column: usize, what: &str) -> Refused {
        self.blame_at(row, self.place(column), &self.name(column), what)
    }

    /// The same of a cell where that stands in the file, columns from 1.
    pub fn blame_at(&self, row: usize, column: usize, name: &str, what: &str) -> Refused {
        let place = self.place.told(row, column, Some(name));
        Refused(format!("{}{place}: {what}", self.file.display()))
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

impl Head<'_> {
    /// Reads the rows.
    fn table(
        self,
        rows: impl Iterator<Item = Result<Vec<Cell>, Refused>>,
        label: Option<&str>,
    ) -> Result<(Table, Vec<String>), Refused> {
        let skipped = usize::from(self.names_rows(label));
        let left_out = label.map(|label| self.find(label, skipped)).transpose()?;
        let (mut labels, mut words, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        for (row, cells) in rows.enumerate() {
            for (column, cell) in cells?.into_iter().enumerate() {
                let wrong = |what: &str| {
                    let name = self.names.get(column).map(String::as_str);
                    self.blame(&format!(
                        "{}: {what}",
                        self.place.told(row, column + 1, name)
                    ))
                };
                if column < skipped {
                    labels.push(cell.into_text());
                } else if left_out != Some(column) {
                    let number = cell.number();
                    numbers.push(match number {
                        Some(number) => number,
                        None => return Err(wrong(&format!("{:?} is no number", cell.into_text()))),
                    });
                } else if cell.is_empty() {
                    return Err(wrong("there is no label"));
                } else {
                    words.push(cell.into_text());
                }
            }
        }
        let kept = (skipped..self.width).filter(|column| left_out != Some(*column));
        let kept: Vec<usize> = kept.collect();
        if is_given() && self.width - skipped > GIVEN_COLUMNS_MAX {
            let width = self.width - skipped;
            let what = format!(": {width} columns of numbers: up to {GIVEN_COLUMNS_MAX}");
            return Err(self.blame(&what));
        }
        let names = kept.iter().filter_map(|column| self.names.get(*column));
        let table = Table {
            names: names.cloned().collect(),
            labels: (skipped > 0).then_some(labels),
            numbers,
            width: kept.len(),
            place: self.place,
            places: kept.iter().map(|column| column + 1).collect(),
            file: self.file.to_owned(),
        };
        Ok((table, words))
    }

    /// Whether the first column names the rows.
    fn names_rows(&self, label: Option<&str>) -> bool {
        let first = self.names.first();
        let is_named = first.is_some_and(|name| is_of_rows(name));
        let is_label = |name: &String| label.is_some_and(|label| name.eq_ignore_ascii_case(label));
        self.width > 1 && (is_named || self.first_is_words) && !first.is_some_and(is_label)
    }

    /// The column of a name, behind those that name the rows.
    fn find(&self, name: &str, skipped: usize) -> Result<usize, Refused> {
        let all = self.names.iter().skip(skipped);
        let found = all.clone().position(|x| x.eq_ignore_ascii_case(name));
        let all: Vec<&str> = all.map(String::as_str).collect();
        let what = format!(": no column {name:?}; there are: {}", all.join(", "));
        found
            .map(|column| column + skipped)
            .ok_or_else(|| self.blame(&what))
    }

    fn blame(&self, what: &str) -> Refused {
        Refused(format!("{}{what}", self.file.display()))
    }
}

/// A whole file of text, or a Parquet file as one.
pub(crate) fn text(file: &Path) -> Result<String, Refused> {
    if columns::is_one(file) {
        return columns::text(file);
    }
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
