//! Frames of a client, put together to messages.

use std::collections::VecDeque;

use crate::close::{Close, Fault};
use crate::deflate::unpack;
use crate::message::CONTROL_BYTES_MAX;

/// What a client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// It asks whether we are here: a pong with the same bytes is due.
    Ping(Vec<u8>),
    /// It is there.
    Pong(Vec<u8>),
    /// It goes. Nothing that comes behind is read.
    Close(Close),
}

/// The most bytes of a frame's head: two, a long length, a mask.
const HEAD_BYTES_MAX: usize = 14;

/// A piece of a message below that is small: who sends many of them gives work, not words.
const SMALL_BYTES: usize = 1 << 10;

/// A message under way.
struct Message {
    is_text: bool,
    is_packed: bool,
    payload: Vec<u8>,
    /// How far the payload is known to be UTF-8.
    checked: usize,
}

/// A frame whose head was read.
struct Frame {
    opcode: u8,
    is_last: bool,
    mask: [u8; 4],
    /// Bytes of the payload that came.
    came: usize,
    length: usize,
}

/// Reads what a client sends.
pub struct Reader {
    bytes_max: usize,
    is_deflate: bool,
    head: [u8; HEAD_BYTES_MAX],
    head_bytes: usize,
    frame: Option<Frame>,
    message: Option<Message>,
    control: Vec<u8>,
    incoming: VecDeque<Incoming>,
    pieces: u32,
    is_closed: bool,
}

impl Reader {
    /// A reader of messages of so many bytes, unpacked. `is_deflate` says that compression was
    /// agreed upon.
    #[must_use]
    pub const fn new(bytes_max: usize, is_deflate: bool) -> Self {
        Self {
            bytes_max,
            is_deflate,
            head: [0; HEAD_BYTES_MAX],
            head_bytes: 0,
            frame: None,
            message: None,
            control: Vec::new(),
            incoming: VecDeque::new(),
            pieces: 0,
            is_closed: false,
        }
    }

    /// Takes bytes as they came.
    ///
    /// # Errors
    /// They break a rule: what came before stays to be read, then the connection is to be closed.
    pub fn take(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        while !bytes.is_empty() && !self.is_closed {
            bytes = match self.frame {
                None => self.head(bytes)?,
                Some(_) => self.payload(bytes)?,
            };
        }
        Ok(())
    }

    /// The next message that is whole.
    pub fn pop(&mut self) -> Option<Incoming> {
        self.incoming.pop_front()
    }

    /// How many small pieces of messages came since this was asked last: frames of less than
    /// 1 KiB that are not the last of theirs.
    pub const fn pieces(&mut self) -> u32 {
        std::mem::replace(&mut self.pieces, 0)
    }

    /// Takes bytes of a head; gives those behind it.
    fn head<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Fault> {
        let mut rest = bytes;
        while let Some((first, more)) = rest.split_first() {
            rest = more;
            self.head[self.head_bytes] = *first;
            self.head_bytes += 1;
            if self.head_bytes == 2 {
                self.rules(self.head[0], self.head[1])?;
            }
            let long = match self.head[1] & 0x7F {
                126 => 2,
                127 => 8,
                _ => 0,
            };
            if self.head_bytes >= 2 && self.head_bytes == 2 + long + 4 {
                self.begin(long)?;
                break;
            }
        }
        Ok(rest)
    }

    /// What the first two bytes of a frame must keep.
    fn rules(&self, first: u8, second: u8) -> Result<(), Fault> {
        let (opcode, is_last, is_packed) = (first & 0x0F, first & 0x80 != 0, first & 0x40 != 0);
        let rule =
            if first & 0x30 != 0 || is_packed && !(self.is_deflate && matches!(opcode, 1 | 2)) {
                "a reserved bit is set"
            } else if second & 0x80 == 0 {
                "a client's frame without a mask"
            } else if !matches!(opcode, 0..=2 | 8..=10) {
                "an unknown opcode"
            } else if opcode >= 8 && (!is_last || usize::from(second & 0x7F) > CONTROL_BYTES_MAX) {
                "a control frame in parts, or of more than 125 bytes"
            } else if opcode == 0 && self.message.is_none() {
                "a continuation of nothing"
            } else if matches!(opcode, 1 | 2) && self.message.is_some() {
                "a message within a message"
            } else {
                return Ok(());
            };
        Err(Fault::Protocol(rule))
    }

    /// The head is whole: what follows is its payload, `long` bytes of length before it.
    fn begin(&mut self, long: usize) -> Result<(), Fault> {
        let length = match &self.head[2..2 + long] {
            [] => u64::from(self.head[1] & 0x7F),
            digits => digits
                .iter()
                .fold(0, |sum, digit| sum << 8 | u64::from(*digit)),
        };
        let mut mask = [0; 4];
        mask.copy_from_slice(&self.head[2 + long..6 + long]);
        let opcode = self.head[0] & 0x0F;
        let so_far = self
            .message
            .as_ref()
            .map_or(0, |message| message.payload.len());
        if length >> 63 != 0 {
            return Err(Fault::Protocol("a length above 63 bits"));
        }
        if opcode < 8 && length > (self.bytes_max - so_far) as u64 {
            return Err(Fault::TooLarge);
        }
        if matches!(opcode, 1 | 2) {
            self.message = Some(Message {
                is_text: opcode == 1,
                is_packed: self.head[0] & 0x40 != 0,
                payload: Vec::new(),
                checked: 0,
            });
        }
        self.frame = Some(Frame {
            opcode,
            is_last: self.head[0] & 0x80 != 0,
            mask,
            came: 0,
            length: length as usize,
        });
        self.head_bytes = 0;
        if length == 0 {
            self.end()?;
        }
        Ok(())
    }

    /// Takes bytes of a payload; gives those behind it.
    fn payload<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Fault> {
        let Some(frame) = &mut self.frame else {
            return Ok(bytes);
        };
        let (mine, rest) = bytes.split_at(bytes.len().min(frame.length - frame.came));
        let into = match &mut self.message {
            Some(message) if frame.opcode < 8 => &mut message.payload,
            _ => &mut self.control,
        };
        let (begin, phase) = (into.len(), frame.came);
        into.extend(mine);
        for (at, byte) in (phase..).zip(&mut into[begin..]) {
            *byte ^= frame.mask[at % 4];
        }
        frame.came += mine.len();
        if frame.opcode < 8 {
            self.look_at_text()?;
        }
        if self
            .frame
            .as_ref()
            .is_some_and(|frame| frame.came == frame.length)
        {
            self.end()?;
        }
        Ok(rest)
    }

    /// Finds out early that a text is none.
    fn look_at_text(&mut self) -> Result<(), Fault> {
        let Some(message) = self
            .message
            .as_mut()
            .filter(|it| it.is_text && !it.is_packed)
        else {
            return Ok(());
        };
        match str::from_utf8(&message.payload[message.checked..]) {
            Ok(_) => message.checked = message.payload.len(),
            Err(error) if error.error_len().is_none() => message.checked += error.valid_up_to(),
            Err(_) => return Err(Fault::NotText),
        }
        Ok(())
    }

    /// The payload of a frame is whole.
    fn end(&mut self) -> Result<(), Fault> {
        let Some(frame) = self.frame.take() else {
            return Ok(());
        };
        let incoming = match frame.opcode {
            8 => {
                self.is_closed = true;
                Incoming::Close(Close::parse(&self.control)?)
            }
            9 => Incoming::Ping(self.control.clone()),
            10 => Incoming::Pong(self.control.clone()),
            _ if !frame.is_last => {
                let is_small = frame.length < SMALL_BYTES;
                self.pieces = self.pieces.saturating_add(is_small.into());
                return Ok(());
            }
            _ => match self.message.take() {
                Some(message) => self.whole(message)?,
                None => return Ok(()),
            },
        };
        self.control.clear();
        self.incoming.push_back(incoming);
        Ok(())
    }

    fn whole(&self, mut message: Message) -> Result<Incoming, Fault> {
        if message.is_packed {
            message.payload = unpack(&mut message.payload, self.bytes_max)?;
        }
        Ok(match message.is_text {
            false => Incoming::Binary(message.payload),
            true => Incoming::Text(String::from_utf8(message.payload).map_err(|_| Fault::NotText)?),
        })
    }
}
