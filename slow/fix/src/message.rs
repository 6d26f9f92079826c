//! FIX messages as bytes: finding them in a stream, reading their fields, writing them.
//!
//! Framing is `8=FIX.4.4|9=length|35=type|...|10=checksum|`, with the byte 1 where `|` stands here.
//! What is not framed so is no message: it is skipped and takes no sequence number.

use std::fmt::{Display, Write as _};
use std::ops::Range;

/// What ends a field.
pub const SOH: u8 = 1;

/// The version spoken.
pub const BEGIN_STRING: &str = "FIX.4.4";

/// The longest message taken, in bytes; what claims to be longer is garbled.
pub const MESSAGE_BYTES_MAX: usize = 8_192;

/// `10=000|`.
const TRAILER_BYTES: usize = 7;

/// What a stream begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Split {
    /// Nothing whole yet.
    Incomplete,
    /// So many bytes that are no message; skip them.
    Garbled(usize),
    /// A message in so many bytes, its length and checksum right.
    Message(usize),
}

/// Finds the next message.
#[must_use]
pub fn split(stream: &[u8]) -> Split {
    if !b"8=".starts_with(&stream[..stream.len().min(2)]) {
        return Split::Garbled(next_start(stream, 0));
    }
    let Some(begin) = end_of_field(stream, 0) else {
        return waiting(stream);
    };
    let Some(length) = end_of_field(stream, begin) else {
        return waiting(stream);
    };
    let Some(body_bytes) = stream[begin..length - 1]
        .strip_prefix(b"9=")
        .and_then(number)
        .filter(|bytes| *bytes <= MESSAGE_BYTES_MAX as u64)
    else {
        return Split::Garbled(next_start(stream, 1));
    };
    let trailer = length + body_bytes as usize;
    let end = trailer + TRAILER_BYTES;
    let Some(frame) = stream.get(..end) else {
        return Split::Incomplete;
    };
    let is_whole = frame[trailer - 1] == SOH && frame[end - 1] == SOH;
    let sum = frame[trailer..end - 1]
        .strip_prefix(b"10=")
        .and_then(number);
    if !is_whole || sum != Some(u64::from(checksum(&frame[..trailer]))) {
        return Split::Garbled(next_start(stream, 1));
    }
    Split::Message(end)
}

/// The head of a message that has not come whole: there is a length to that.
fn waiting(stream: &[u8]) -> Split {
    const HEAD_BYTES_MAX: usize = 32;
    if stream.len() > HEAD_BYTES_MAX {
        Split::Garbled(next_start(stream, 1))
    } else {
        Split::Incomplete
    }
}

/// Where the next message may begin, from `from` on: at `8=` behind the end of a field.
fn next_start(stream: &[u8], from: usize) -> usize {
    let behind = |at: usize| at == 0 || stream[at - 1] == SOH;
    (from.max(1)..stream.len())
        .find(|at| behind(*at) && b"8=".starts_with(&stream[*at..stream.len().min(at + 2)]))
        .unwrap_or(stream.len())
}

fn end_of_field(stream: &[u8], from: usize) -> Option<usize> {
    let soh = stream[from..].iter().position(|byte| *byte == SOH)?;
    Some(from + soh + 1)
}

fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// A decimal number without sign.
fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// What is wrong with a message, as a session reject says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// SessionRejectReason (373).
    pub reason: u32,
    /// The field, if it is about one (371).
    pub tag: Option<u32>,
    /// In words (58).
    pub text: String,
}

impl Fault {
    fn new(reason: u32, tag: u32, text: impl Into<String>) -> Self {
        Self {
            reason,
            tag: Some(tag),
            text: text.into(),
        }
    }

    /// A field that must be there is not.
    #[must_use]
    pub fn missing(tag: u32) -> Self {
        Self::new(1, tag, "required field is missing")
    }

    /// A field holds a value that it cannot have.
    #[must_use]
    pub fn value(tag: u32, text: impl Into<String>) -> Self {
        Self::new(5, tag, text)
    }

    /// A field's value is not of its kind.
    #[must_use]
    pub fn format(tag: u32, text: impl Into<String>) -> Self {
        Self::new(6, tag, text)
    }
}

/// A message that [`split`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    bytes: Vec<u8>,
    /// Tags, and where their values are in `bytes`.
    fields: Vec<(u32, Range<usize>)>,
    /// The first field that could not be read.
    fault: Option<Fault>,
}

impl Message {
    /// Reads the fields of a framed message. What cannot be read is told by [`Message::fault`], so
    /// that the message still counts.
    #[must_use]
    pub fn read(frame: Vec<u8>) -> Self {
        let mut message = Self {
            bytes: frame,
            fields: Vec::new(),
            fault: None,
        };
        let mut at = 0;
        while let Some(end) = end_of_field(&message.bytes, at) {
            message.field(at, end - 1);
            at = end;
        }
        message
    }

    fn field(&mut self, start: usize, end: usize) {
        let field = &self.bytes[start..end];
        let equals = field.iter().position(|byte| *byte == b'=');
        let tag = equals
            .and_then(|at| number(&field[..at]))
            .and_then(|tag| u32::try_from(tag).ok())
            .filter(|tag| *tag > 0);
        let fault = match (tag, equals) {
            (Some(tag), Some(at)) => {
                let value = start + at + 1..end;
                let fault = value
                    .is_empty()
                    .then(|| Fault::new(4, tag, "field has no value"));
                let is_again = self.fields.iter().any(|(known, _)| *known == tag);
                self.fields.push((tag, value));
                fault.or_else(|| {
                    (is_again && IS_ONCE.contains(&tag))
                        .then(|| Fault::new(13, tag, "field appears more than once"))
                })
            }
            _ => Some(Fault {
                reason: 0,
                tag: None,
                text: "a field without a tag".into(),
            }),
        };
        self.fault = self.fault.take().or(fault);
    }

    /// The first thing wrong with the fields as such.
    #[must_use]
    pub const fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    /// The value of a field, the first one of that tag.
    #[must_use]
    pub fn get(&self, tag: u32) -> Option<&[u8]> {
        let (_, range) = self.fields.iter().find(|(known, _)| *known == tag)?;
        Some(&self.bytes[range.clone()])
    }

    /// The value of a field as text; what is not UTF-8 is none.
    #[must_use]
    pub fn text(&self, tag: u32) -> Option<&str> {
        std::str::from_utf8(self.get(tag)?).ok()
    }

    /// MsgType (35), empty if it does not stand third.
    #[must_use]
    pub fn kind(&self) -> &str {
        let is_third = self.fields.get(2).is_some_and(|(tag, _)| *tag == 35);
        if is_third {
            self.text(35).unwrap_or("")
        } else {
            ""
        }
    }

    /// BeginString (8).
    #[must_use]
    pub fn begin_string(&self) -> &str {
        self.text(8).unwrap_or("")
    }

    /// A field that must be there.
    ///
    /// # Errors
    /// It is missing, or not text.
    pub fn required(&self, tag: u32) -> Result<&str, Fault> {
        let value = self.get(tag).ok_or_else(|| Fault::missing(tag))?;
        std::str::from_utf8(value).map_err(|_| Fault::format(tag, "not text"))
    }

    /// A whole number, if the field is there.
    ///
    /// # Errors
    /// It is not one.
    pub fn number(&self, tag: u32) -> Result<Option<u64>, Fault> {
        let read = |value| number(value).ok_or_else(|| Fault::format(tag, "not a whole number"));
        self.get(tag).map(read).transpose()
    }

    /// One letter, if the field is there.
    ///
    /// # Errors
    /// It is longer.
    pub fn letter(&self, tag: u32) -> Result<Option<u8>, Fault> {
        match self.get(tag) {
            None => Ok(None),
            Some([letter]) => Ok(Some(*letter)),
            Some(_) => Err(Fault::format(tag, "not one letter")),
        }
    }
}

/// Fields of the header that a message has once.
const IS_ONCE: &[u32] = &[8, 9, 35, 34, 43, 49, 52, 56, 122];

/// The fields of a message between its header and its checksum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body(String);

impl Body {
    /// Adds a field. What would end it early becomes a space.
    #[must_use]
    pub fn with(mut self, tag: u32, value: impl Display) -> Self {
        let _ = write!(self.0, "{tag}=");
        let from = self.0.len();
        let _ = write!(self.0, "{value}");
        if self.0[from..].contains(|letter: char| letter.is_control()) {
            let clean: String = self.0[from..]
                .chars()
                .map(|letter| if letter.is_control() { ' ' } else { letter })
                .collect();
            self.0.replace_range(from.., &clean);
        }
        self.0.push(char::from(SOH));
        self
    }

    /// Adds a field if there is a value for it.
    #[must_use]
    pub fn with_some(self, tag: u32, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.with(tag, value),
            None => self,
        }
    }

    /// The same fields, ClOrdID (11) being `id` and OrigClOrdID (41) what it was.
    #[must_use]
    pub fn renamed(self, was: &str, id: &str) -> Self {
        let soh = char::from(SOH);
        let own = format!("{soh}11={was}{soh}");
        let both = format!("{soh}11={id}{soh}41={was}{soh}");
        Self(self.0.replacen(&own, &both, 1))
    }

    /// The same fields with another value of one that is there, but not first.
    #[must_use]
    pub fn replaced(self, tag: u32, value: impl Display) -> Self {
        let soh = char::from(SOH);
        let head = format!("{soh}{tag}=");
        let Some(from) = self.0.find(&head).map(|at| at + head.len()) else {
            return self;
        };
        let end = self.0[from..]
            .find(soh)
            .map_or(self.0.len(), |at| from + at);
        Self(format!("{}{value}{}", &self.0[..from], &self.0[end..]))
    }

    /// The fields as they go out.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Fields that went out before.
    #[must_use]
    pub fn from_sent(fields: &str) -> Self {
        Self(fields.to_owned())
    }
}

/// The header of a message to be written.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// MsgType (35).
    pub kind: &'a str,
    /// SenderCompID (49).
    pub sender: &'a str,
    /// TargetCompID (56).
    pub target: &'a str,
    /// MsgSeqNum (34).
    pub number: u64,
    /// SendingTime (52).
    pub time: &'a str,
    /// OrigSendingTime (122) of a message that may have come before (43).
    pub time_first: Option<&'a str>,
}

/// Appends a whole message to `out`.
pub fn write(header: &Header<'_>, body: &Body, out: &mut Vec<u8>) {
    let mut fields = Body::default()
        .with(35, header.kind)
        .with(49, header.sender)
        .with(56, header.target)
        .with(34, header.number);
    if let Some(first) = header.time_first {
        fields = fields.with(43, 'Y').with(122, first);
    }
    let fields = fields.with(52, header.time);
    let bytes = fields.0.len() + body.0.len();
    let start = out.len();
    let head = Body::default().with(8, BEGIN_STRING).with(9, bytes);
    for part in [&head, &fields, body] {
        out.extend_from_slice(part.0.as_bytes());
    }
    let sum = checksum(&out[start..]);
    let tail = Body::default().with(10, format_args!("{sum:03}"));
    out.extend_from_slice(tail.0.as_bytes());
}
