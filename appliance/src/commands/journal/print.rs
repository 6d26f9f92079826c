//! Inputs as lines: text for people, JSON for programs. Both have the same fields; what is zero is
//! left out.

use std::convert::Infallible;
use std::io::Write;
use std::path::Path;

use journal::record::{KIND_CLOSE, KIND_GROUP, KIND_SEGMENT};
use journal::{DirectoryFiles, Index, Mark, Record, RecoveryError, Segments, Walker};
use wire::ring::{Command, CommandKind, Input, Side, TimeInForce};

use super::filter::{Filter, Names, Wanted};
use super::{Journal, Stopped, time};

/// How lines look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// JSON instead of text.
    pub json: bool,
    /// Records too.
    pub records: bool,
}

/// Prints what is wanted of a journal.
pub(super) fn print(
    mut journal: Journal,
    style: Style,
    wanted: &Wanted,
    out: &mut dyn Write,
) -> Result<(), Stopped> {
    wanted.check().map_err(Stopped::Asked)?;
    let mut filter = Filter::new(wanted);
    let mut line = Line::new(style.json);
    let mut is_named = false;
    let mut skip = if style.records {
        None
    } else {
        mark_of(&journal, wanted)
    };
    while let Some(record) = journal.record()? {
        // Where only some inputs are wanted, so are the records that hold them.
        let mut is_told = !style.records;
        if !is_told && wanted.is_all() {
            line.record(&record);
            line.write(out)?;
            is_told = true;
        }
        for input in record.inputs {
            filter.take(input, &mut |input, names| {
                if !is_told {
                    line.record(&record);
                    line.write(out)?;
                    is_told = true;
                }
                line.input(input, names);
                line.write(out)
            })?;
        }
        let opens = |input: &Input| input.command.kind == CommandKind::OpenDay as u8;
        // The names of symbols and accounts stand before the day's opening.
        is_named |= record.inputs.iter().any(opens) || record.at.number > 1;
        let is_past = record.inputs.last().is_some_and(|it| filter.is_past(it));
        if is_past && !is_named {
            return Ok(());
        }
        if is_past {
            break;
        }
        let next = record.header.next_sequence();
        if let (true, Some(mark)) = (is_named, skip)
            && mark.next_sequence >= next
        {
            journal.skip_to(&mark).map_err(RecoveryError::from)?;
            skip = None;
        }
    }
    filter.check().map_err(Stopped::Asked)
}

/// The last place before all that is wanted, by the index beside the journal, if there is one.
fn mark_of(journal: &Journal, wanted: &Wanted) -> Option<Mark> {
    let first = journal.segments().first()?;
    let file = journal.file(first.number);
    let mut files = DirectoryFiles::new(Path::new(&file).parent()?);
    wanted.mark(&Index::load(&mut files).ok()?).copied()
}

/// The line of one input, as text; a few words when it is not there.
pub(super) fn one<S: Segments>(
    journal: &mut Walker<S>,
    sequence: u64,
) -> Result<String, RecoveryError> {
    let mut filter = Filter::new(&Wanted::default());
    let mut line = Line::new(false);
    while let Some(record) = journal.record()? {
        for input in record.inputs {
            let Ok(()) = filter.take(input, &mut |input, names| {
                if input.sequence == sequence {
                    line.input(input, names);
                }
                Ok::<(), Infallible>(())
            });
        }
    }
    Ok(line.text)
}

/// A line on its way.
struct Line {
    json: bool,
    text: String,
}

impl Line {
    fn new(json: bool) -> Self {
        Self {
            json,
            text: String::new(),
        }
    }

    fn write(&mut self, out: &mut dyn Write) -> Result<(), Stopped> {
        self.text.push_str(if self.json { "}\n" } else { "\n" });
        out.write_all(self.text.as_bytes())?;
        self.text.clear();
        Ok(())
    }

    /// Adds a field with a value that needs no quotes.
    fn plain(&mut self, name: &str, value: impl std::fmt::Display) {
        let text = match (self.json, self.text.is_empty()) {
            (true, true) => format!("{{\"{name}\":{value}"),
            (true, false) => format!(",\"{name}\":{value}"),
            (false, true) => format!("{value}"),
            (false, false) => format!(" {name}={value}"),
        };
        self.text.push_str(&text);
    }

    /// Adds a number that is not zero.
    fn number(&mut self, name: &str, value: impl Into<i64>) {
        let value = value.into();
        if value != 0 {
            self.plain(name, value);
        }
    }

    /// Adds a word.
    fn word(&mut self, name: &str, word: &str) {
        if self.json {
            self.plain(name, serde_json::Value::from(word));
        } else if word.contains([' ', '=', '"']) {
            self.plain(name, format_args!("{word:?}"));
        } else {
            self.plain(name, word);
        }
    }

    /// Adds letters that are not all zero: as they are where they can be printed, else as hex. For
    /// people without the spaces that fill them up.
    fn letters(&mut self, name: &str, letters: &[u8]) {
        let is_filling = |letter: &u8| *letter == 0 || (!self.json && *letter == b' ');
        let Some(last) = letters.iter().rposition(|letter| !is_filling(letter)) else {
            return;
        };
        let is_text = |letter: &u8| (b' '..=b'~').contains(letter);
        if letters[..=last].iter().all(is_text) {
            self.word(name, &String::from_utf8_lossy(&letters[..=last]));
        } else {
            let hex: String = letters.iter().map(|byte| format!("{byte:02x}")).collect();
            self.word(&format!("{name}_hex"), &hex);
        }
    }

    fn record(&mut self, record: &Record<'_>) {
        let header = &record.header;
        let kind = match header.kind {
            KIND_SEGMENT => "segment",
            KIND_GROUP => "group",
            KIND_CLOSE => "close",
            _ => "unknown",
        };
        self.word("record", kind);
        self.plain("version", header.version);
        self.plain("segment", header.segment);
        self.plain("offset", record.offset);
        self.plain("bytes", header.bytes);
        self.plain("inputs", record.inputs.len());
        self.plain("epoch", header.epoch);
        self.plain("next_sequence", header.next_sequence());
        self.plain("durable", header.durable);
        self.word("checksum", &format!("{:08x}", header.checksum));
    }

    fn input(&mut self, input: &Input, names: &Names) {
        let command = &input.command;
        self.plain("sequence", input.sequence);
        if self.json {
            self.plain("time_ns", input.time_ns);
        }
        self.word("time", &time::told(input.time_ns));
        match CommandKind::from_byte(command.kind) {
            Some(kind) => self.word("kind", &format!("{kind:?}")),
            None => self.plain("kind", command.kind),
        }
        self.whose(command, names);
        self.order(command);
    }

    fn whose(&mut self, command: &Command, names: &Names) {
        self.number("session", command.session);
        if let Some(account) = names.account(command.session) {
            self.plain("account", account);
        }
        self.number("symbol", command.symbol);
        if let Some(name) = names.symbol(command.symbol) {
            self.word("name", name);
        }
    }

    fn order(&mut self, command: &Command) {
        self.number("user_ref", command.user_ref);
        self.number("old_user_ref", command.old_user_ref);
        let is_order = command.kind == CommandKind::New as u8;
        match Side::from_byte(command.side) {
            Some(side) if is_order => self.word("side", &format!("{side:?}")),
            Some(Side::Buy) => {}
            Some(Side::Sell) => self.word("side", "Sell"),
            None => self.number("side", command.side),
        }
        self.number("quantity", command.quantity);
        self.number("price", command.price);
        match TimeInForce::from_byte(command.time_in_force) {
            Some(TimeInForce::Day) => {}
            Some(other) => self.word("time_in_force", &format!("{other:?}")),
            None => self.number("time_in_force", command.time_in_force),
        }
        self.number("flags", command.flags);
        self.letters("letters", &command.letters);
        self.letters("client_id", &command.client_id);
        self.letters("wire_letters", &command.wire_letters);
    }
}
