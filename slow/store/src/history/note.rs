//! What is said of a day whose files are there.

use super::sheet;
use crate::Error;
use crate::query::Filter;
use serde_json::{Map, Value, json};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The folder of these words, beside those of the sheets.
const FOLDER: &str = "days";

/// How the files are laid out; another program's may be newer.
const FORMAT: u64 = 1;

/// Bytes of such a word at most.
const BYTES_MAX: u64 = 1 << 16;

/// How much a sheet has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Rows.
    pub rows: u64,
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What is said of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its name.
    pub day: String,
    /// Its number in the tables, which is the upper bits of its ids.
    pub number: i64,
    /// It was over when it was written.
    pub is_over: bool,
    /// The least and the greatest moment of its rows, if it has any.
    pub times_ns: Option<(i64, i64)>,
    /// How much each sheet has.
    pub sheets: Vec<(String, Size)>,
}

fn path(dir: &Path, day: &str) -> PathBuf {
    dir.join(FOLDER).join(format!("{day}.json"))
}

/// Makes a folder, which is there after a power cut, too.
pub fn make(folder: &Path) -> Result<(), Error> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().unwrap_or(Path::new("."));
    if !parent.as_os_str().is_empty() {
        make(parent)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        made => made
            .and_then(|()| {
                let parent = if parent.as_os_str().is_empty() {
                    Path::new(".")
                } else {
                    parent
                };
                File::open(parent)?.sync_all()
            })
            .map_err(|error| Error::file(folder, &error)),
    }
}

impl Note {
    /// Reads what is said of a day; none if its files are not there.
    ///
    /// # Errors
    /// It cannot be read, or a newer program wrote it.
    pub fn read(dir: &Path, day: &str) -> Result<Option<Self>, Error> {
        let path = path(dir, day);
        let told = |error: &dyn std::fmt::Display| Error::file(&path, error);
        let bytes = match fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            found => found.map_err(|error| told(&error))?.len(),
        };
        if bytes > BYTES_MAX {
            return Err(told(&"it is too long for what is said of a day"));
        }
        let text = fs::read_to_string(&path).map_err(|error| told(&error))?;
        let value: Value = serde_json::from_str(&text).map_err(|error| told(&error))?;
        match value["format"].as_u64() {
            Some(FORMAT) => {}
            Some(format) if format > FORMAT => {
                let words = format!(
                    "a newer program wrote it: its format is {format} and this program knows \
                     {FORMAT}; use that program"
                );
                return Err(told(&words));
            }
            _ => {
                return Err(told(
                    &"it says no format; remove it, and write the day again",
                ));
            }
        }
        let note = Self::of(&value).filter(|note| note.day == day);
        let words = "it is damaged; remove it, and write the day again";
        note.map(Some).ok_or_else(|| told(&words))
    }

    fn of(value: &Value) -> Option<Self> {
        let sheet = |(name, value): (&String, &Value)| {
            let number = |name| value[name].as_u64();
            let size = Size {
                rows: number("rows")?,
                files: number("files")?,
                bytes: number("bytes")?,
            };
            Some((name.clone(), size))
        };
        Some(Self {
            day: value["day"].as_str()?.to_owned(),
            number: value["number"].as_i64()?,
            is_over: value["is_over"].as_bool()?,
            times_ns: match &value["times_ns"] {
                Value::Null => None,
                times => Some((times[0].as_i64()?, times[1].as_i64()?)),
            },
            sheets: value["sheets"]
                .as_object()?
                .iter()
                .map(sheet)
                .collect::<Option<_>>()?,
        })
    }

    /// Bytes of all its files.
    pub(crate) fn bytes(&self) -> u64 {
        self.sheets.iter().map(|(_, size)| size.bytes).sum()
    }

    /// Whether all sheets were written: an older program knew fewer.
    pub(crate) fn is_whole(&self) -> bool {
        let has = |name: &str| self.sheets.iter().any(|(it, _)| it == name);
        sheet::all().iter().all(|sheet| has(sheet.name))
    }

    /// Whether rows of it may be what a query is to give.
    pub(crate) fn may_have(&self, filter: &Filter) -> bool {
        let Some((first, last)) = self.times_ns else {
            return false;
        };
        filter.from_ns.is_none_or(|from| from <= last) && filter.to_ns.is_none_or(|to| first < to)
    }

    /// Says it, behind everything else.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, dir: &Path) -> Result<(), Error> {
        let sheet = |(name, size): &(String, Size)| {
            let size = json!({ "rows": size.rows, "files": size.files, "bytes": size.bytes });
            (name.clone(), size)
        };
        let sheets: Map<String, Value> = self.sheets.iter().map(sheet).collect();
        let value = json!({
            "format": FORMAT, "day": self.day, "number": self.number, "is_over": self.is_over,
            "times_ns": self.times_ns.map(|(first, last)| [first, last]),
            "sheets": sheets,
        });
        let path = path(dir, &self.day);
        let folder = dir.join(FOLDER);
        make(&folder)?;
        let draft = path.with_extension("new");
        let written = File::create(&draft).and_then(|mut file| {
            file.write_all(format!("{value:#}\n").as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            File::open(&folder)?.sync_all()
        });
        written.map_err(|error| Error::file(&path, &error))
    }
}
