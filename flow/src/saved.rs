//! Streams of inputs as text, one input a line: what a failing test leaves behind to be replayed.
//!
//! `sequence time_ns kind field=value ...`: the kind by its name (by its number when it has none),
//! then the fields of the command that are not 0, integers in decimal, letters in hexadecimal.
//! Empty lines and lines that begin with `#` are skipped.

use std::fmt::{self, Write as _};

use wire::ring::{Command, CommandKind, Input};

use crate::command::command;

/// Why a text is not a saved stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedError {
    /// Line, from 1.
    pub line: usize,
    /// The word that is wrong, shortened; empty when one is missing.
    pub found: String,
}

impl fmt::Display for SavedError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, found } = self;
        write!(
            to,
            "line {line}: {found:?} is not what `sequence time_ns kind field=value ...` has there"
        )
    }
}

impl std::error::Error for SavedError {}

/// Writes a stream.
#[must_use]
pub fn write(inputs: &[Input]) -> String {
    let mut text = String::new();
    inputs.iter().for_each(|input| line(input, &mut text));
    text
}

/// Reads a whole stream, or tells the first line and word that is wrong.
///
/// # Errors
/// The line and the word.
pub fn read(text: &str) -> Result<Vec<Input>, SavedError> {
    let lines = text.lines().enumerate();
    let told = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    told.map(|(index, line)| {
        read_line(line).map_err(|word| SavedError {
            line: index + 1,
            found: word.chars().take(40).collect(),
        })
    })
    .collect()
}

/// Adds one line; writing into a string cannot fail.
fn line(input: &Input, text: &mut String) {
    let command = &input.command;
    let _ = match CommandKind::from_byte(command.kind) {
        Some(kind) => write!(text, "{} {} {kind:?}", input.sequence, input.time_ns),
        None => write!(
            text,
            "{} {} {}",
            input.sequence, input.time_ns, command.kind
        ),
    };
    let numbers = [
        ("side", i64::from(command.side)),
        ("time_in_force", i64::from(command.time_in_force)),
        ("flags", i64::from(command.flags)),
        ("symbol", i64::from(command.symbol)),
        ("session", i64::from(command.session)),
        ("user_ref", i64::from(command.user_ref)),
        ("old_user_ref", i64::from(command.old_user_ref)),
        ("quantity", i64::from(command.quantity)),
        ("price", command.price),
    ];
    for (name, value) in numbers.into_iter().filter(|(_, value)| *value != 0) {
        let _ = write!(text, " {name}={value}");
    }
    let letters: [(&str, &[u8]); 3] = [
        ("letters", &command.letters),
        ("client_id", &command.client_id),
        ("wire_letters", &command.wire_letters),
    ];
    for (name, bytes) in letters {
        if bytes.iter().any(|byte| *byte != 0) {
            let _ = write!(text, " {name}=");
            bytes.iter().for_each(|byte| {
                let _ = write!(text, "{byte:02x}");
            });
        }
    }
    text.push('\n');
}

/// Reads one line, or gives the word that is wrong.
fn read_line(line: &str) -> Result<Input, &str> {
    let mut words = line.split_ascii_whitespace();
    let sequence = number(words.next().unwrap_or(""))?;
    let time_ns = number(words.next().unwrap_or(""))?;
    let mut command = command(CommandKind::Time);
    command.kind = kind(words.next().unwrap_or(""))?;
    for word in words {
        field(&mut command, word).ok_or(word)?;
    }
    Ok(Input {
        sequence,
        time_ns,
        command,
    })
}

fn number(word: &str) -> Result<u64, &str> {
    word.parse().map_err(|_| word)
}

fn kind(word: &str) -> Result<u8, &str> {
    let named = CommandKind::ALL
        .iter()
        .find(|kind| format!("{kind:?}") == word);
    match named {
        Some(kind) => Ok(*kind as u8),
        None => word.parse().map_err(|_| word),
    }
}

fn field(command: &mut Command, word: &str) -> Option<()> {
    let (name, value) = word.split_once('=')?;
    match name {
        "side" => command.side = value.parse().ok()?,
        "time_in_force" => command.time_in_force = value.parse().ok()?,
        "flags" => command.flags = value.parse().ok()?,
        "symbol" => command.symbol = value.parse().ok()?,
        "session" => command.session = value.parse().ok()?,
        "user_ref" => command.user_ref = value.parse().ok()?,
        "old_user_ref" => command.old_user_ref = value.parse().ok()?,
        "quantity" => command.quantity = value.parse().ok()?,
        "price" => command.price = value.parse().ok()?,
        "letters" => bytes(value, &mut command.letters)?,
        "client_id" => bytes(value, &mut command.client_id)?,
        "wire_letters" => bytes(value, &mut command.wire_letters)?,
        _ => return None,
    }
    Some(())
}

/// Reads hexadecimal digits, two for each byte of `out`.
fn bytes(digits: &str, out: &mut [u8]) -> Option<()> {
    if digits.len() != 2 * out.len() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(())
}
