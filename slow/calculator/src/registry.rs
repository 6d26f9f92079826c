//! Versions of a model in a folder: `0001`, `0002` and so on, each with the model and a card that
//! says what it was trained on, and a file `current` with the number of the one that is asked.
//!
//! A version is written beside the others and gets its name at last, so that nobody ever sees half
//! of one; it is never changed then. Its card has the model's checksum. What kind of model it is
//! says the file's beginning, not its name.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use quant::models::checksum;
use quant::monitoring::{Feature, Reference};
use serde_json::{Value, json};

use crate::Refused;
use crate::table::bytes;

/// Versions of a model at most: their names have four digits.
const VERSIONS_MAX: u32 = 9_999;
const MODEL: &str = "model.txt";
const CARD: &str = "card.json";
const CURRENT: &str = "current";

/// A folder of versions.
pub(crate) struct Registry {
    folder: PathBuf,
}

/// One version.
pub(crate) struct Version {
    /// The model's file.
    pub model: PathBuf,
    pub card: Card,
}

/// What is known of a version.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    /// Names of the features, in the model's order.
    pub features: Vec<String>,
    /// Names of the results.
    pub classes: Vec<String>,
    /// How often it was right on later rows when it was trained.
    pub accuracy: f64,
    /// How the features were distributed then.
    pub reference: Reference,
    /// All that training said.
    pub trained: Value,
}

impl Registry {
    /// One that there is.
    ///
    /// # Errors
    /// It is no folder.
    pub fn open(folder: &Path) -> Result<Self, Refused> {
        if !folder.is_dir() {
            return Err(Refused(format!("{}: is no folder", folder.display())));
        }
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Adds a version, which is the current one if it is the first.
    ///
    /// # Errors
    /// Files that cannot be written; no number left; a card that could not be read again.
    pub fn add(folder: &Path, model: &[u8], card: &Card) -> Result<u32, Refused> {
        let made = fs::create_dir_all(folder);
        made.map_err(|error| failed(folder, &error))?;
        let registry = Self::open(folder)?;
        let new = folder.join(format!(".new-{}", std::process::id()));
        let write = |name: &str, bytes: &[u8]| {
            let file = new.join(name);
            fs::write(&file, bytes).map_err(|error| failed(&file, &error))
        };
        let card = format!("{:#}\n", card.json(model));
        // What JSON has no word for is null: such a version would be damaged for ever.
        let is_read = serde_json::from_str(&card).is_ok_and(|card| Card::read(&card).is_some());
        if !is_read {
            let what = "the card of this version could not be read again: is a number too great?";
            return Err(Refused(format!("{}: {what}", folder.display())));
        }
        fs::create_dir(&new).map_err(|error| failed(&new, &error))?;
        let number = write(MODEL, model)
            .and_then(|()| write(CARD, card.as_bytes()))
            .and_then(|()| registry.name(&new));
        if number.is_err() {
            // What is left of it is nobody's; that it stays is no worse than why it does.
            let _ = fs::remove_dir_all(&new);
        }
        let number = number?;
        if number == 1 {
            registry.choose(1)?;
        }
        Ok(number)
    }

    /// Gives a folder the next number. Another process may take it first: then the one behind.
    fn name(&self, new: &Path) -> Result<u32, Refused> {
        let first = self.numbers()?.last().map_or(1, |last| last + 1);
        for number in first..=VERSIONS_MAX {
            match fs::rename(new, self.path(number)) {
                Ok(()) => return Ok(number),
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists
                    ) => {}
                Err(error) => return Err(failed(&self.path(number), &error)),
            }
        }
        let what = format!("there are {VERSIONS_MAX} versions");
        Err(Refused(format!("{}: {what}", self.folder.display())))
    }

    fn path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{number:04}"))
    }

    /// The numbers of all versions, rising.
    pub fn numbers(&self) -> Result<Vec<u32>, Refused> {
        let told = |error| failed(&self.folder, &error);
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(told)? {
            let name = entry.map_err(told)?.file_name();
            let name = name.to_string_lossy();
            let number = name.parse::<u32>().ok().filter(|_| name.len() == 4);
            numbers.extend(number);
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The number of the version that is asked.
    pub fn current(&self) -> Result<u32, Refused> {
        let file = self.folder.join(CURRENT);
        let text = fs::read_to_string(&file).map_err(|error| failed(&file, &error))?;
        let number = text.trim().parse();
        number.map_err(|_| Refused(format!("{}: {text:?} is no version", file.display())))
    }

    /// Has a version asked from now on.
    ///
    /// # Errors
    /// There is no such version, or it is damaged.
    pub fn choose(&self, number: u32) -> Result<(), Refused> {
        self.version(number)?;
        let new = self.folder.join(format!(".current-{}", std::process::id()));
        let file = self.folder.join(CURRENT);
        let written = fs::write(&new, format!("{number}\n"));
        let written = written.and_then(|()| fs::rename(&new, &file));
        written.map_err(|error| failed(&file, &error))
    }

    /// A version, whose model is as it was written.
    ///
    /// # Errors
    /// There is none of that number, or it is damaged.
    pub fn version(&self, number: u32) -> Result<Version, Refused> {
        let folder = self.path(number);
        if !folder.is_dir() {
            let all: Vec<String> = self.numbers()?.iter().map(u32::to_string).collect();
            let place = self.folder.display();
            let what = format!("no version {number}; there are: {}", all.join(", "));
            return Err(Refused(format!("{place}: {what}")));
        }
        let (model, file) = (folder.join(MODEL), folder.join(CARD));
        let wrong = |what: String| Refused(format!("{}: {what}", file.display()));
        let card: Value =
            serde_json::from_slice(&bytes(&file)?).map_err(|error| wrong(error.to_string()))?;
        let text = bytes(&model)?;
        if card["checksum"] != checksum(&text) {
            let what = "is not what its card was written for";
            return Err(Refused(format!("{}: {what}", model.display())));
        }
        let card = Card::read(&card).ok_or_else(|| wrong("is no card of a model".into()))?;
        Ok(Version { model, card })
    }
}

impl Card {
    fn json(&self, model: &[u8]) -> Value {
        let features = self.features.iter().zip(self.reference.features());
        let features: Vec<Value> = features
            .map(|(name, feature)| {
                json!({ "name": name, "edges": feature.edges, "shares": feature.shares })
            })
            .collect();
        json!({
            "checksum": checksum(model), "accuracy": self.accuracy,
            "classes": self.classes, "features": features, "trained": self.trained,
        })
    }

    fn read(card: &Value) -> Option<Self> {
        let texts = |list: &Value| -> Option<Vec<String>> {
            let text = |text: &Value| text.as_str().map(str::to_owned);
            list.as_array()?.iter().map(text).collect()
        };
        let numbers = |list: &Value| -> Option<Vec<f64>> {
            list.as_array()?.iter().map(Value::as_f64).collect()
        };
        let features = card["features"].as_array()?;
        let reference: Option<Vec<Feature>> = features
            .iter()
            .map(|feature| {
                let edges = numbers(&feature["edges"])?;
                Some(Feature {
                    edges: edges.into_iter().map(|edge| edge as f32).collect(),
                    shares: numbers(&feature["shares"])?,
                })
            })
            .collect();
        let names = features.iter().map(|feature| feature["name"].as_str());
        Some(Self {
            features: names
                .map(|name| name.map(str::to_owned))
                .collect::<Option<_>>()?,
            classes: texts(&card["classes"])?,
            accuracy: card["accuracy"].as_f64()?,
            reference: Reference::kept(reference?).ok()?,
            trained: card["trained"].clone(),
        })
    }
}

fn failed(file: &Path, error: &std::io::Error) -> Refused {
    Refused(format!("{}: {error}", file.display()))
}
