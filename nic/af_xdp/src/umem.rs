//! The memory that frames live in: equal pieces, one half for receiving, one for sending.

use crate::error::Error;
use crate::map::Mapping;

/// Size of a piece; two to a page of 4 kB.
pub const FRAME_BYTES: usize = 2048;
/// Longest frame: the kernel keeps 256 bytes of each piece for itself when receiving.
pub const FRAME_BYTES_MAX: usize = FRAME_BYTES - 256;

// The longest ordinary frame, with a VLAN tag, fits.
const _: () = assert!(FRAME_BYTES_MAX >= 1518);

/// Frames, named by the offset of a byte in the whole.
#[derive(Debug)]
pub(crate) struct Umem {
    map: Mapping,
}

impl Umem {
    pub fn new(frames: u32) -> Result<Umem, Error> {
        Ok(Umem {
            map: Mapping::anonymous(frames as usize * FRAME_BYTES)?,
        })
    }

    pub fn registration(&self) -> libc::xdp_umem_reg {
        libc::xdp_umem_reg {
            addr: self.map.at(0, 0).as_ptr() as u64,
            len: self.map.len() as u64,
            chunk_size: FRAME_BYTES as u32,
            headroom: 0,
            flags: 0,
            tx_metadata_len: 0,
        }
    }

    /// Start of the piece that holds `address`; `None` outside the memory.
    pub fn frame_start(&self, address: u64) -> Option<u64> {
        let start = address & !(FRAME_BYTES as u64 - 1);
        ((start as usize) < self.map.len()).then_some(start)
    }

    /// The bytes of a received frame; `None` when they do not lie within one piece.
    ///
    /// # Safety
    /// The kernel has given this frame to us, and it is not given back while the slice lives.
    pub unsafe fn received(&self, address: u64, length: u32) -> Option<&[u8]> {
        let offset = address.checked_sub(self.frame_start(address)?)? as usize;
        if offset + length as usize > FRAME_BYTES {
            return None;
        }
        let at = self.map.at(address as usize, length as usize);
        // SAFETY: inside the mapping; nobody writes there, as the caller promises.
        Some(unsafe { std::slice::from_raw_parts(at.as_ptr(), length as usize) })
    }

    /// Room to build a frame to send.
    ///
    /// # Safety
    /// `start` is a piece's start that the kernel does not hold.
    pub unsafe fn room(&mut self, start: u64) -> &mut [u8] {
        let at = self.map.at(start as usize, FRAME_BYTES_MAX);
        // SAFETY: inside the mapping; nobody else uses it, as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(at.as_ptr(), FRAME_BYTES_MAX) }
    }
}
