//! What is said, and how.

use serde::Deserialize;
use std::str::FromStr;
use tracing::level_filters::LevelFilter;

/// `[log]` in the settings of a program.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// How a line looks.
    pub format: Format,
    /// What is not worth a line.
    pub level: Level,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// An object a line.
    Json,
}

/// The least that is worth a line.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Level(pub(crate) LevelFilter);

impl Default for Level {
    fn default() -> Self {
        Self(LevelFilter::INFO)
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("{word:?}: text or json")),
        }
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let filter = match word {
            "error" => LevelFilter::ERROR,
            "warn" => LevelFilter::WARN,
            "info" => LevelFilter::INFO,
            "debug" => LevelFilter::DEBUG,
            "trace" => LevelFilter::TRACE,
            _ => return Err(format!("{word:?}: error, warn, info, debug or trace")),
        };
        Ok(Self(filter))
    }
}

impl TryFrom<String> for Format {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        word.parse()
    }
}

impl TryFrom<String> for Level {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        word.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_make_no_sense_are_refused_with_those_that_do() {
        let read = |text: &str| toml::from_str::<Settings>(text).map_err(|e| e.to_string());
        let expected = Settings {
            format: Format::Json,
            level: Level(LevelFilter::DEBUG),
        };
        assert_eq!(read("format = \"json\"\nlevel = \"debug\""), Ok(expected));
        assert_eq!(read(""), Ok(Settings::default()));
        let told = |text: &str| read(text).err().unwrap_or_default();
        assert!(told("format = \"xml\"").contains("\"xml\": text or json"));
        assert!(told("level = \"loud\"").contains("error, warn, info, debug or trace"));
        assert!(told("colour = true").contains("colour"));
    }
}
