//! How a line looks.

use crate::settings::Format;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;

/// Letters of a value; the rest is left out.
const VALUE_LETTERS_MAX: usize = 2_048;

/// Names and values.
pub(crate) type Fields = Map<String, Value>;

/// What a line tells.
pub(crate) struct Line<'l> {
    pub(crate) program: &'static str,
    pub(crate) level: &'static str,
    pub(crate) message: &'l str,
    pub(crate) fields: &'l Fields,
    /// What it happened in: its name and fields.
    pub(crate) within: Option<(&'static str, &'l Fields)>,
}

impl Line<'_> {
    /// The line, with its line feed.
    pub(crate) fn drawn(&self, format: Format, at: SystemTime) -> String {
        let mut line = match format {
            Format::Text => self.text(at),
            Format::Json => self.json(at),
        };
        line.push('\n');
        line
    }

    fn text(&self, at: SystemTime) -> String {
        let (at, level, program) = (moment(at), self.level, self.program);
        let mut line = format!("{at} {level} {program}: {}", plain(self.message));
        put(&mut line, self.fields);
        if let Some((name, fields)) = self.within {
            let _ = write!(line, " in {name}");
            put(&mut line, fields);
        }
        line
    }

    fn json(&self, at: SystemTime) -> String {
        let mut told = json!({
            "time": moment(at), "level": self.level, "program": self.program,
            "message": cut(self.message), "fields": self.fields,
        });
        if let Some((name, fields)) = self.within {
            told["within"] = json!({ "name": name, "fields": fields });
        }
        let mut line = String::new();
        for letter in told.to_string().chars() {
            if is_harmless(letter) {
                line.push(letter);
            } else {
                // Strings alone hold such letters.
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    let _ = write!(line, "\\u{unit:04x}");
                }
            }
        }
        line
    }
}

/// Text as a value of a line.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(VALUE_LETTERS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

fn put(line: &mut String, fields: &Fields) {
    for (name, value) in fields {
        let _ = match value {
            Value::String(text) => write!(line, " {name}={text:?}"),
            value => write!(line, " {name}={value}"),
        };
    }
}

/// Whether a letter stays within its line and its place: none that ends a line for somebody, moves
/// a cursor or turns the direction of writing.
fn is_harmless(letter: char) -> bool {
    let is_mark = matches!(letter, '\u{200e}' | '\u{200f}');
    let is_turning = is_mark || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !letter.is_control() && !is_turning && !matches!(letter, '\u{2028}' | '\u{2029}')
}

/// A message with letters that are not harmless escaped.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for letter in cut(text).chars() {
        if is_harmless(letter) {
            plain.push(letter);
        } else {
            plain.extend(letter.escape_default());
        }
    }
    plain
}

/// A moment by RFC 3339, in UTC, to the microsecond.
fn moment(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let nanoseconds = i128::try_from(since.as_nanos()).unwrap_or(0);
    let at = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds);
    let at = at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.microsecond()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// What strangers put into words so that a log says what never was.
    const CORPUS: [&str; 9] = [
        "x\n2026-01-01T00:00:00.000000Z error wirecross-api: forged",
        "x\r\nforged",
        "x\u{1b}[2K\u{1b}[1Aforged",
        "x\u{9b}2Kforged",
        "x\u{85}forged",
        "x\u{2028}forged\u{2029}",
        "x\u{202e}degrof",
        "\",\"level\":\"error\",\"x\":\"",
        "x\0\u{7f}\u{8}",
    ];

    fn drawn(format: Format, word: &str) -> String {
        let mut fields = Fields::new();
        fields.insert("word".to_owned(), cut(word).into());
        fields.insert("count".to_owned(), 7.into());
        let line = Line {
            program: "wirecross-api",
            level: "warn",
            message: word,
            fields: &fields,
            within: Some(("request", &fields)),
        };
        line.drawn(
            format,
            UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456),
        )
    }

    #[test]
    fn words_of_strangers_stay_in_their_place() {
        for word in CORPUS {
            for format in [Format::Text, Format::Json] {
                let line = drawn(format, word);
                let inner = line.strip_suffix('\n').expect("a line feed");
                assert!(inner.chars().all(is_harmless), "{format:?} {inner:?}");
            }
            let told: Value = serde_json::from_str(&drawn(Format::Json, word)).expect("an object");
            assert_eq!(told["message"], word, "nothing of it is lost");
            assert_eq!(told["level"], "warn");
            assert_eq!(told["within"]["fields"]["word"], word);
        }
    }

    #[test]
    fn a_line_says_when_who_and_what() {
        assert_eq!(
            drawn(Format::Text, "a \"word\""),
            "2023-11-14T22:13:20.123456Z warn wirecross-api: a \"word\" count=7 \
             word=\"a \\\"word\\\"\" in request count=7 word=\"a \\\"word\\\"\"\n"
        );
    }

    #[test]
    fn a_value_has_a_bound() {
        let long = "é".repeat(VALUE_LETTERS_MAX + 1);
        assert_eq!(cut(&long).chars().count(), VALUE_LETTERS_MAX + 3);
        assert_eq!(cut("é"), "é");
    }
}
