//! permessage-deflate: each message is compressed by itself.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::close::Fault;

/// The end of a flush, which the sender leaves out and the receiver puts back.
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// Compresses messages, each by itself, so that they can be sent to anybody.
pub struct Packer {
    deflate: Compress,
}

impl Default for Packer {
    fn default() -> Self {
        Self::new()
    }
}

impl Packer {
    /// One that prefers speed: market data is told while it is news.
    #[must_use]
    pub fn new() -> Self {
        Self {
            deflate: Compress::new(Compression::fast(), false),
        }
    }

    /// A message's payload, compressed.
    #[must_use]
    pub fn pack(&mut self, payload: &[u8]) -> Vec<u8> {
        self.deflate.reset();
        // Room for whatever comes of it, at once: a compressor that has to stop for room does not
        // say whether its flush is still to come.
        let room = payload.len() + payload.len() / 16 + 256;
        let mut packed = Vec::with_capacity(room);
        let _ = self
            .deflate
            .compress_vec(payload, &mut packed, FlushCompress::Sync);
        let is_whole = self.deflate.total_in() as usize == payload.len() && packed.len() < room;
        assert!(
            is_whole && packed.ends_with(&TAIL),
            "a flush leaves nothing"
        );
        packed.truncate(packed.len() - TAIL.len());
        packed
    }
}

/// A compressed payload as it was, of no more than so many bytes.
pub(crate) fn unpack(packed: &mut Vec<u8>, bytes_max: usize) -> Result<Vec<u8>, Fault> {
    packed.extend(TAIL);
    let mut inflate = Decompress::new(false);
    let mut plain = Vec::with_capacity((packed.len() * 2).clamp(64, bytes_max + 1));
    loop {
        let (taken, made) = (inflate.total_in(), plain.len());
        let status = inflate
            .decompress_vec(&packed[taken as usize..], &mut plain, FlushDecompress::Sync)
            .map_err(|_| Fault::NotPacked)?;
        if plain.len() > bytes_max {
            return Err(Fault::TooLarge);
        }
        let left = packed.len() - inflate.total_in() as usize;
        let is_done = match status {
            // A sender may end the stream; what was put behind it is left over.
            Status::StreamEnd => true,
            // All input may be taken long before all output is given.
            _ => {
                plain.len() < plain.capacity() && inflate.total_in() == taken && plain.len() == made
            }
        };
        if is_done {
            let left_max = if status == Status::StreamEnd {
                TAIL.len() + 1
            } else {
                0
            };
            return if left <= left_max {
                Ok(plain)
            } else {
                Err(Fault::NotPacked)
            };
        }
        if plain.len() == plain.capacity() {
            plain.reserve(plain.capacity().min(bytes_max + 1).max(64));
        }
    }
}
