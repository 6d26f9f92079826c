//! Whole packets out of a stream that was cut anywhere.

use super::{PREFIX_BYTES, error};
use crate::{Error, Fault};

/// The least buffer: a length and a type.
const BUFFER_BYTES_MIN: usize = PREFIX_BYTES + 1;

/// A whole packet and what follows it in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split<'a> {
    /// The packet from its type byte on.
    pub packet: &'a [u8],
    /// The bytes after it.
    pub rest: &'a [u8],
}

/// Finds the first packet of a stream; `None` says that it is not whole yet.
///
/// # Errors
/// [`Fault::ZeroLength`] for a packet without a type.
pub fn split_first(stream: &[u8]) -> Result<Option<Split<'_>>, Error> {
    let Some((prefix, rest)) = stream.split_first_chunk::<PREFIX_BYTES>() else {
        return Ok(None);
    };
    match usize::from(u16::from_be_bytes(*prefix)) {
        0 => Err(error(Fault::ZeroLength, 0, 1, 0)),
        length => Ok(rest
            .split_at_checked(length)
            .map(|(packet, rest)| Split { packet, rest })),
    }
}

/// Collects a stream in a buffer of fixed size and gives it back packet by packet.
///
/// Push what was received, take packets until there is none, push the rest:
///
/// ```
/// use wire::soup::{ClientPacket, Splitter};
/// let mut splitter = Splitter::new([0; 64])?;
/// for mut received in [&b"\0\x01R\0"[..], &b"\x01O"[..]] {
///     while !received.is_empty() {
///         let taken = splitter.push(received);
///         received = &received[taken..];
///         while let Some(packet) = splitter.next_packet()? {
///             println!("{:?}", ClientPacket::parse(packet)?);
///         }
///     }
/// }
/// # Ok::<(), wire::Error>(())
/// ```
///
/// After an error the stream has no packets any more: every later call gives the same error.
#[derive(Clone, Debug)]
pub struct Splitter<B> {
    buffer: B,
    start: usize,
    end: usize,
    // Bytes of the stream before `start`.
    offset: usize,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Splitter<B> {
    /// A splitter for packets that fit into `buffer` with their length.
    ///
    /// # Errors
    /// [`Fault::Room`] when no packet at all fits.
    pub fn new(mut buffer: B) -> Result<Self, Error> {
        let bytes = buffer.as_mut().len().min(buffer.as_ref().len());
        if bytes < BUFFER_BYTES_MIN {
            return Err(error(Fault::Room, 0, BUFFER_BYTES_MIN, bytes));
        }
        Ok(Self {
            buffer,
            start: 0,
            end: 0,
            offset: 0,
        })
    }

    /// Takes bytes of the stream, as many as there is room for, and returns how many.
    ///
    /// When every packet was taken out there is room for at least one byte.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let buffer = self.buffer.as_mut();
        if buffer.len() - self.end < bytes.len() {
            buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let taken = bytes.len().min(buffer.len() - self.end);
        buffer[self.end..self.end + taken].copy_from_slice(&bytes[..taken]);
        self.end += taken;
        taken
    }

    /// The next whole packet from its type byte on, or `None` until more is pushed.
    ///
    /// # Errors
    /// [`Fault::ZeroLength`] for a packet without a type and [`Fault::TooLong`] for one that does
    /// not fit into the buffer; the offset is that of its length in the stream.
    pub fn next_packet(&mut self) -> Result<Option<&[u8]>, Error> {
        let buffer = self.buffer.as_ref();
        let stream = &buffer[self.start..self.end];
        match split_first(stream).map_err(|e| e.at(self.offset))? {
            Some(Split { packet, rest }) => {
                self.offset = self.offset.wrapping_add(stream.len() - rest.len());
                self.start = self.end - rest.len();
                Ok(Some(packet))
            }
            None => {
                let limit = buffer.len() - PREFIX_BYTES;
                match announced(stream) {
                    Some(length) if length > limit => {
                        Err(error(Fault::TooLong, 0, limit, length).at(self.offset))
                    }
                    _ => Ok(None),
                }
            }
        }
    }

    /// Bytes that wait for the rest of their packet, or to be taken out.
    #[must_use]
    pub const fn pending_bytes(&self) -> usize {
        self.end - self.start
    }

    /// Forgets everything: another stream begins.
    pub fn clear(&mut self) {
        (self.start, self.end, self.offset) = (0, 0, 0);
    }
}

/// The length that the first packet says, once it is there.
fn announced(stream: &[u8]) -> Option<usize> {
    let prefix = stream.first_chunk::<PREFIX_BYTES>()?;
    Some(usize::from(u16::from_be_bytes(*prefix)))
}
