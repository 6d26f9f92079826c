//! Tables from Parquet files, which the crate `history` reads.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use history::{Kind, Reader, Value};

use super::cell::{Cell, quoted};
use super::{BYTES_MAX, Head, Place, Table, is_given, is_of_rows};
use crate::Refused;

/// How such files begin.
const BEGIN: &[u8; 4] = b"PAR1";
/// What their names end with.
pub(crate) const ENDING: &str = "parquet";
/// The most cells: few bytes of a file can stand for many.
const CELLS_MAX: u64 = 1 << 27;
/// What pandas calls a column of names that has none itself.
const PANDAS_INDEX: &str = "__index_level_0__";

/// Whether a file is one, or at least is called so. What is no file on a disk, such as a pipe, can
/// be read once only, so it is not looked at.
pub(super) fn is_one(file: &Path) -> bool {
    if is_given() || !fs::metadata(file).is_ok_and(|found| found.is_file()) {
        return false;
    }
    let mut begin = [0; BEGIN.len()];
    let read = File::open(file).and_then(|mut file| file.read_exact(&mut begin));
    is_called(file) || (read.is_ok() && begin == *BEGIN)
}

/// Whether its name says so.
pub(crate) fn is_called(file: &Path) -> bool {
    file.extension()
        .is_some_and(|it| it.eq_ignore_ascii_case(ENDING))
}

/// A file that is read row by row.
struct Rows<'a> {
    file: &'a Path,
    reader: Reader,
    /// Which column stands where: what names the rows stands first.
    order: Vec<usize>,
    cells_left: u64,
}

impl<'a> Rows<'a> {
    fn open(file: &'a Path) -> Result<Self, Refused> {
        let refused = |what: String| Refused(format!("{}: {what}", file.display()));
        let length = fs::metadata(file)
            .map_err(|error| refused(error.to_string()))?
            .len();
        let reader = Reader::open(file).map_err(|error| Refused(error.to_string()))?;
        let columns = reader.columns();
        let cells = reader.rows().saturating_mul(columns.len() as u64);
        if length > BYTES_MAX || cells > CELLS_MAX {
            let what = format!("more than {} MiB or {CELLS_MAX} cells", BYTES_MAX >> 20);
            return Err(refused(what));
        }
        if cells == 0 {
            return Err(refused("there is no row of numbers".into()));
        }
        let naming = columns.iter().position(|column| {
            let is_words = column.kind == Kind::Text && is_of_rows(&column.name);
            is_words || column.name == PANDAS_INDEX
        });
        let first = naming.unwrap_or(0);
        let others = (0..columns.len()).filter(|column| *column != first);
        Ok(Self {
            order: [first].into_iter().chain(others).collect(),
            cells_left: CELLS_MAX,
            file,
            reader,
        })
    }

    fn names(&self) -> Vec<String> {
        let columns = self.reader.columns();
        let names = self
            .order
            .iter()
            .map(|column| columns[*column].name.clone());
        names.collect()
    }

    fn row(&mut self) -> Option<Result<Vec<Cell>, Refused>> {
        let width = self.order.len() as u64;
        let Some(left) = self.cells_left.checked_sub(width) else {
            let what = format!("more than {CELLS_MAX} cells");
            return Some(Err(Refused(format!("{}: {what}", self.file.display()))));
        };
        self.cells_left = left;
        let row = match self.reader.row() {
            Ok(row) => row?,
            Err(error) => return Some(Err(Refused(error.to_string()))),
        };
        let cell = |column: &usize| match row[*column] {
            Value::Null => Cell::Text(String::new()),
            Value::Integer(x) => Cell::Whole(x),
            Value::Double(x) => Cell::Number(x),
            Value::Text(text) => Cell::Text(text.to_owned()),
        };
        Some(Ok(self.order.iter().map(cell).collect()))
    }
}

/// The table of a file, with a column of words beside it if one is asked for.
pub(super) fn table(file: &Path, label: Option<&str>) -> Result<(Table, Vec<String>), Refused> {
    let mut rows = Rows::open(file)?;
    let names = rows.names();
    let first = rows.reader.columns()[rows.order[0]].clone();
    let head = Head {
        file,
        width: names.len(),
        names,
        first_is_words: first.kind == Kind::Text || first.name == PANDAS_INDEX,
        place: Place::Columns,
    };
    head.table(std::iter::from_fn(|| rows.row()), label)
}

/// The file as lines of cells with commas between them.
pub(super) fn text(file: &Path) -> Result<String, Refused> {
    let mut rows = Rows::open(file)?;
    let line = |cells: Vec<String>| {
        cells
            .iter()
            .map(|cell| quoted(cell))
            .collect::<Vec<_>>()
            .join(",")
    };
    let mut text = line(rows.names());
    while let Some(row) = rows.row() {
        text.push('\n');
        text.push_str(&line(row?.into_iter().map(Cell::into_text).collect()));
    }
    Ok(text)
}
