//! Packets filled message by message.

use super::{BLOCK_HEADER_BYTES, COUNT_END_OF_SESSION, HEADER_BYTES, Request, error};
use crate::field::put;
use crate::{Error, Fault};

/// Fills a buffer with messages; what [`Builder::bytes`] gives is a valid packet at any time.
#[derive(Clone, Debug)]
pub struct Builder<B> {
    buffer: B,
    header: Request,
    used: usize,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Builder<B> {
    /// An empty packet, which is a heartbeat; `sequence` is the number of its first message.
    ///
    /// # Errors
    /// [`Fault::Room`] when the header does not fit.
    pub fn new(buffer: B, session: [u8; 10], sequence: u64) -> Result<Self, Error> {
        let header = Request {
            session,
            sequence,
            count: 0,
        };
        let mut builder = Self {
            buffer,
            header,
            used: HEADER_BYTES,
        };
        header.encode(builder.buffer.as_mut())?;
        Ok(builder)
    }

    /// Adds a message.
    ///
    /// # Errors
    /// [`Fault::Room`] when the packet is full: send it, [`restart`](Builder::restart), and add the
    /// message again. [`Fault::TooLong`] for a message that no block can hold.
    pub fn push(&mut self, message: &[u8]) -> Result<(), Error> {
        if message.len() > usize::from(u16::MAX) {
            let limit = usize::from(u16::MAX);
            return Err(error(Fault::TooLong, self.used, limit, message.len()));
        }
        self.push_with(|room| {
            let space = room.len();
            let Some(place) = room.get_mut(..message.len()) else {
                return Err(error(Fault::Room, 0, message.len(), space));
            };
            place.copy_from_slice(message);
            Ok(message.len())
        })
    }

    /// Adds a message that `write` puts straight into its place.
    ///
    /// # Errors
    /// Those of `write`, which leave the packet as it was; [`Fault::Room`] when the packet is full,
    /// [`Fault::TooLong`] when `write` says that it wrote more than it was given, and
    /// [`Fault::Sequence`] when the numbers end.
    pub fn push_with(
        &mut self,
        write: impl FnOnce(&mut [u8]) -> Result<usize, Error>,
    ) -> Result<(), Error> {
        let used = self.used;
        let count = self.header.count + 1;
        let free = &mut self.buffer.as_mut()[used..];
        let room = free.len().min(BLOCK_HEADER_BYTES + usize::from(u16::MAX));
        if count == COUNT_END_OF_SESSION {
            return Err(error(
                Fault::Room,
                used,
                usize::from(count),
                usize::from(count) - 1,
            ));
        }
        if self.header.sequence.checked_add(u64::from(count)).is_none() {
            return Err(error(Fault::Sequence, used, 0, usize::from(count)));
        }
        let Some((length, place)) = free[..room].split_first_chunk_mut::<BLOCK_HEADER_BYTES>()
        else {
            return Err(error(Fault::Room, used, BLOCK_HEADER_BYTES, room));
        };
        let bytes = write(place).map_err(|e| e.at(used + BLOCK_HEADER_BYTES))?;
        if bytes > place.len() {
            return Err(error(Fault::TooLong, used, place.len(), bytes));
        }
        // `place` was cut to what a length can say.
        *length = (bytes as u16).to_be_bytes();
        self.used = used + BLOCK_HEADER_BYTES + bytes;
        self.header.count = count;
        put(self.buffer.as_mut(), 18, &count.to_be_bytes());
        Ok(())
    }

    /// The packet as it stands.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer.as_ref()[..self.used]
    }

    /// How many messages it holds.
    #[must_use]
    pub const fn count(&self) -> u16 {
        self.header.count
    }

    /// The number of the next message to be added.
    #[must_use]
    pub const fn next_sequence(&self) -> u64 {
        // `push_with` refused what would overflow.
        self.header.sequence + self.header.count as u64
    }

    /// Begins the next packet, with the next message's number, in the same buffer.
    pub fn restart(&mut self) {
        self.header.sequence = self.next_sequence();
        self.header.count = 0;
        self.used = HEADER_BYTES;
        put(
            self.buffer.as_mut(),
            10,
            &self.header.sequence.to_be_bytes(),
        );
        put(self.buffer.as_mut(), 18, &[0, 0]);
    }
}
