//! Another process's sight of the frames: the memory mapped to read only.

use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::error::Error;
use crate::frame::Span;
use crate::map::Mapping;

const STEP: &str = "mapping the frames of another process";

/// A [`Umem`](crate::Umem) of another process, mapped to read only through its descriptor.
///
/// It owns no frame: the process that does says by its own means (a ring in shared memory, a pipe)
/// which bytes may be read and when, as a [`Span`]. Read too late, the bytes are those of another
/// frame; nothing worse can happen.
#[derive(Debug)]
pub struct View {
    map: Mapping,
}

impl View {
    /// Maps the file behind a `Umem`. A file that could shrink under the mapping is refused.
    pub fn map(file: BorrowedFd<'_>) -> Result<View, Error> {
        // SAFETY: takes no pointers.
        let seals = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GET_SEALS) };
        if seals < 0 {
            return Err(Error::last(STEP));
        }
        if seals & libc::F_SEAL_SHRINK == 0 {
            return Err(Error::new(STEP, std::io::ErrorKind::InvalidInput.into()));
        }
        // SAFETY: plain integers, for which zero is a value.
        let mut about: libc::stat = unsafe { mem::zeroed() };
        // SAFETY: `about` is writable for its size.
        if unsafe { libc::fstat(file.as_raw_fd(), &raw mut about) } < 0 {
            return Err(Error::last(STEP));
        }
        let map = Mapping::read_only(about.st_size as usize, file, STEP)?;
        Ok(View { map })
    }

    /// Copies the bytes into the beginning of `into`. False when they are not inside the memory or
    /// `into` is too short.
    pub fn copy(&self, span: Span, into: &mut [u8]) -> bool {
        let length = span.length as usize;
        let inside = usize::try_from(span.at)
            .ok()
            .filter(|at| *at <= self.map.len() && length <= self.map.len() - at);
        let (Some(at), Some(into)) = (inside, into.get_mut(..length)) else {
            return false;
        };
        let from = self.map.at(at, length);
        // Volatile and by pieces: the other process may write at the same time.
        for (index, piece) in into.chunks_mut(16).enumerate() {
            // SAFETY: inside the mapping, as checked above.
            let from = unsafe { from.add(16 * index) };
            if let Ok(whole) = <&mut [u8; 16]>::try_from(&mut *piece) {
                // SAFETY: 16 bytes of the mapping, for which any bytes are good.
                *whole = unsafe { from.cast::<[u8; 16]>().read_volatile() };
                continue;
            }
            for (offset, byte) in piece.iter_mut().enumerate() {
                // SAFETY: inside the mapping.
                let from = unsafe { from.add(offset) };
                // SAFETY: one byte of the mapping.
                *byte = unsafe { from.read_volatile() };
            }
        }
        true
    }
}
