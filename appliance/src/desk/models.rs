//! The models that a desk's strategies ask: where their files are found, what is checked of them,
//! and how a venue hands them to a desk that may read no file any more.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quant::models::{Model, Single, checksum};
use serde_json::Value;
use trading::strategies::Class;

/// Bytes of a file of a model at most.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// Files that are handed over at most.
const HANDED_MAX: usize = 1_000;
/// What the desk's own file is called among those that are handed over.
const DESK: &str = "desk.toml";

/// Where a desk's file finds those that it names.
#[derive(Clone, Debug)]
pub enum Shelf {
    /// Their names are of files, from this folder.
    Folder(PathBuf),
    /// They came with it.
    Handed(BTreeMap<String, Vec<u8>>),
}

impl Shelf {
    /// The folder in which a desk's file stands.
    #[must_use]
    pub fn of(file: &Path) -> Self {
        let folder = file.parent().filter(|it| !it.as_os_str().is_empty());
        Self::Folder(folder.unwrap_or(Path::new(".")).to_owned())
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        match self {
            Self::Handed(files) => files
                .get(name)
                .cloned()
                .ok_or_else(|| format!("{name}: was not handed over")),
            Self::Folder(folder) => {
                let path = folder.join(name);
                let named = |error: std::io::Error| format!("{}: {error}", path.display());
                if std::fs::metadata(&path).map_err(named)?.len() > FILE_BYTES_MAX {
                    let most = FILE_BYTES_MAX >> 20;
                    return Err(format!("{}: more than {most} MiB", path.display()));
                }
                std::fs::read(&path).map_err(named)
            }
        }
    }
}

/// A model as a desk's file names it.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its file, as it was named.
    pub file: String,
    /// What its results are for.
    pub classes: Vec<Class>,
    /// How often its answers were right when it was trained; of a version its card says it.
    pub accuracy: Option<f64>,
    /// Which one it is, for people.
    pub title: String,
    model: Arc<Model>,
    /// All files that were read for it.
    files: Vec<(String, Vec<u8>)>,
}

impl Named {
    /// Reads a model: of a folder of versions this one, with its card; or a file, with what its
    /// results are for.
    ///
    /// # Errors
    /// What is wrong, with the key, the file and the place.
    pub fn read(
        shelf: &Shelf,
        name: &str,
        version: Option<u32>,
        classes: Option<&[String]>,
    ) -> Result<Self, String> {
        let told = classes.map(|words| classes_of(words).map_err(|e| format!("classes: {e}")));
        let told = told.transpose()?;
        let named = |error: String| format!("model: {error}");
        let Some(version) = version else {
            let what = "what the model's results are for, in their order, as BUY, HOLD and SELL";
            let classes = told.ok_or_else(|| format!("classes: is missing: {what}"))?;
            return Self::of(shelf, name.to_owned(), classes, Vec::new()).map_err(named);
        };
        let place = format!("{name}/{version:04}");
        let [file, card] = ["model.txt", "card.json"].map(|it| format!("{place}/{it}"));
        let text = shelf.read(&card).map_err(named)?;
        let wrong = |what: String| named(format!("{card}: {what}"));
        let value: Value = serde_json::from_slice(&text).map_err(|e| wrong(e.to_string()))?;
        let words = value["classes"].as_array().map(|list| {
            let words = list.iter().map(|word| word.as_str().unwrap_or_default());
            words.map(str::to_owned).collect::<Vec<_>>()
        });
        let words = words.ok_or_else(|| wrong("is no card of a model".to_owned()))?;
        let classes = classes_of(&words).map_err(|e| wrong(format!("classes: {e}")))?;
        if told.is_some_and(|told| told != classes) {
            return Err(format!("classes: {card} has {}", words.join(", ")));
        }
        let mut read = Self::of(shelf, file, classes, vec![(card.clone(), text)]).map_err(named)?;
        read.accuracy = value["accuracy"].as_f64();
        if value["checksum"] != read.checksum() {
            let what = "is not what its card was written for";
            return Err(named(format!("{}: {what}", read.file)));
        }
        Ok(read)
    }

    fn of(
        shelf: &Shelf,
        file: String,
        classes: Vec<Class>,
        mut files: Vec<(String, Vec<u8>)>,
    ) -> Result<Self, String> {
        let bytes = shelf.read(&file)?;
        let model = Model::read(&bytes).map_err(|unread| format!("{file}: {unread}"))?;
        let title = format!("{file}, checksum {}", checksum(&bytes));
        files.insert(0, (file.clone(), bytes));
        Ok(Self {
            file,
            classes,
            accuracy: None,
            title,
            model: Arc::new(model),
            files,
        })
    }

    fn checksum(&self) -> String {
        self.files
            .first()
            .map_or_else(String::new, |(_, bytes)| checksum(bytes))
    }

    /// What asks it, with room of its own.
    #[must_use]
    pub fn asked(&self) -> Asked {
        Asked(Single::new(self.model.clone()))
    }

    /// The files that were read for it, by the names under which a shelf has them.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }
}

fn classes_of(words: &[String]) -> Result<Vec<Class>, String> {
    let class = |word: &String| match word.as_str() {
        "BUY" => Ok(Class::Buy),
        "HOLD" => Ok(Class::Hold),
        "SELL" => Ok(Class::Sell),
        _ => Err(format!("{word:?} is none of BUY, HOLD, SELL")),
    };
    words.iter().map(class).collect()
}

/// A model that a strategy asks.
pub struct Asked(Single);

impl trading::strategies::Model for Asked {
    fn features(&self) -> usize {
        self.0.model().features()
    }

    fn names(&self) -> &[String] {
        self.0.model().names()
    }

    fn results(&self) -> usize {
        self.0.model().outputs()
    }

    fn ask(&mut self, row: &[f32], results: &mut [f64]) -> bool {
        self.0.ask(row, results).is_ok()
    }
}

/// A desk's file with those that it names, as one row of bytes: for each a line `BYTES NAME`, and
/// its bytes.
#[must_use]
pub fn pack<'f>(desk: &'f str, files: impl Iterator<Item = (&'f str, &'f [u8])>) -> Vec<u8> {
    let mut packed = Vec::new();
    for (name, bytes) in std::iter::once((DESK, desk.as_bytes())).chain(files) {
        packed.extend_from_slice(format!("{} {name}\n", bytes.len()).as_bytes());
        packed.extend_from_slice(bytes);
    }
    packed
}

/// What [`pack`] made: the desk's file, and a shelf with the others.
///
/// # Errors
/// It is cut off, or something else.
pub fn unpack(mut packed: &[u8]) -> Result<(String, Shelf), String> {
    let mut files = BTreeMap::new();
    while !packed.is_empty() && files.len() < HANDED_MAX {
        let (name, bytes, rest) = first(packed).ok_or("what was handed over is cut off")?;
        files.insert(name.to_owned(), bytes.to_vec());
        packed = rest;
    }
    let desk = files
        .remove(DESK)
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let desk = desk.ok_or("no strategies were handed over")?;
    Ok((desk, Shelf::Handed(files)))
}

fn first(packed: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let end = packed.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = (
        std::str::from_utf8(&packed[..end]).ok()?,
        &packed[end + 1..],
    );
    let (length, name) = line.split_once(' ')?;
    let (bytes, rest) = rest.split_at_checked(length.parse().ok()?)?;
    Some((name, bytes, rest))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_was_packed_is_what_is_unpacked() {
        let files = [("a b/model.txt", &b"tree\n\x00\xff"[..]), ("empty", b"")];
        let packed = pack("home = \"USD\"\n", files.into_iter());
        let (desk, shelf) = unpack(&packed).unwrap();
        assert_eq!(desk, "home = \"USD\"\n");
        for (name, bytes) in files {
            assert_eq!(shelf.read(name).unwrap(), bytes);
        }
        assert!(shelf.read("other").unwrap_err().contains("other"));
        for length in 0..packed.len() {
            // Cut between two files, what is there is whole.
            if let Ok((desk, _)) = unpack(&packed[..length]) {
                assert_eq!(desk, "home = \"USD\"\n");
            }
        }
        assert!(unpack(&packed[..packed.len() - 1]).is_err() || packed.ends_with(b"\n"));
        assert!(unpack(b"5 desk.toml\nabc").unwrap_err().contains("cut off"));
        assert!(unpack(b"").is_err());
    }
}
