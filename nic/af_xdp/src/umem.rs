//! The memory that frames live in (UMEM): equal pieces of a file in memory that others may map.
//!
//! Every piece has one [`Frame`], which cannot be copied: who holds it may read and write the
//! piece. A ring takes the frame away and gives it back when the kernel is done, so a frame is in
//! exactly one place, and the compiler sees to it. What the kernel says is checked against a note
//! of where each frame is; [`Umem::census`] counts the notes.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::error::Error;
use crate::frame::{Frame, Outgoing, Received, Sent};
use crate::map::Mapping;
use crate::memfd;
use crate::metadata::{self, MetadataKey, RxMetadata, TxRequest};

/// Most frames of one memory.
pub const FRAMES_MAX: u32 = 1 << 20;

/// Where frames to send begin, in a memory with room for requests to the card.
const TX_OFFSET: u32 = 64;

const _: () = assert!(TX_OFFSET as usize >= metadata::TX_BYTES);

/// Distinguishes memories, so that a frame of one is not taken for a frame of another.
static UMEMS: AtomicU32 = AtomicU32::new(0);

/// Whether frames to send carry requests to the card: see [`TxRequest`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Requests {
    /// None; frames begin where their piece begins.
    #[default]
    Off,
    /// The driver fulfils them.
    Driver,
    /// In copy mode the kernel computes checksums itself; without it a frame leaves a virtual
    /// interface with its checksum marked as still to be computed. Zero-copy is refused.
    SoftwareChecksum,
}

/// What the memory is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UmemOptions {
    /// Number of frames, at most [`FRAMES_MAX`].
    pub frames: u32,
    /// Bytes of a frame: 2048 or 4096. The kernel keeps 256 of them when receiving.
    pub frame_bytes: u32,
    /// Huge pages, if there are enough free ones.
    pub huge_pages: bool,
    /// Room for requests to the card before each frame to send: 64 bytes.
    pub requests: Requests,
}

impl Default for UmemOptions {
    /// 2048 frames of 2048 bytes, 4 MB, on huge pages where there are any.
    fn default() -> UmemOptions {
        UmemOptions {
            frames: 2048,
            frame_bytes: 2048,
            huge_pages: true,
            requests: Requests::Off,
        }
    }
}

/// The pages that the memory stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// 2 MB each.
    Huge,
    /// 4 kB each, as asked for.
    Small,
    /// 4 kB each, because there were not enough free huge pages: the system's error number.
    SmallInstead(i32),
}

/// How many frames are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// With the program, or dropped by it.
    pub program: usize,
    /// In a fill ring, with the kernel, or received and not yet looked at.
    pub receiving: usize,
    /// In a TX ring, with the kernel, or sent and not yet taken back.
    pub sending: usize,
}

/// Where a frame is, as far as we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Place {
    Program,
    Receiving,
    Sending,
    /// Sending, with a request for the time of it.
    SendingTimed,
}

#[derive(Debug)]
struct Memory {
    map: Mapping,
    file: OwnedFd,
    options: UmemOptions,
    pages: Pages,
    number: u32,
    /// A [`Place`] for each frame.
    places: Box<[AtomicU8]>,
    /// Sockets that use this memory: a new one joins any of them.
    members: Mutex<Vec<Member>>,
}

/// A socket that uses a memory.
#[derive(Debug)]
pub(crate) struct Member {
    pub socket: Weak<OwnedFd>,
    /// Whether its packets come in parts; those of a socket that joins do the same.
    pub multi_buffer: bool,
}

/// Memory for frames. Clones are the same memory; it goes when the last one and the last ring go.
#[derive(Clone, Debug)]
pub struct Umem {
    memory: Arc<Memory>,
}

impl Umem {
    /// New memory, and its frames.
    pub fn create(options: &UmemOptions) -> Result<(Umem, Vec<Frame>), Error> {
        let step = "checking the options of the memory";
        let sizes = [2048, 4096].contains(&options.frame_bytes);
        if !sizes || options.frames == 0 || options.frames > FRAMES_MAX {
            return Err(Error::new(step, io::ErrorKind::InvalidInput.into()));
        }
        let bytes = options.frames as usize * options.frame_bytes as usize;
        let (file, map, pages) = memfd::create(bytes, options.huge_pages)?;
        // Relaxed: only uniqueness matters.
        let number = UMEMS.fetch_add(1, Ordering::Relaxed);
        let places = (0..options.frames).map(|_| AtomicU8::new(Place::Program as u8));
        let memory = Memory {
            map,
            file,
            options: *options,
            pages,
            number,
            places: places.collect(),
            members: Mutex::default(),
        };
        let umem = Umem {
            memory: Arc::new(memory),
        };
        let frames = (0..options.frames).map(|index| Frame {
            index,
            umem: number,
        });
        Ok((umem, frames.collect()))
    }

    /// What was asked for.
    pub fn options(&self) -> &UmemOptions {
        &self.memory.options
    }

    /// The pages that were got.
    pub fn pages(&self) -> Pages {
        self.memory.pages
    }

    /// The file behind the memory. Another process that is given the descriptor can map it, to read
    /// only: see [`View`](crate::View). The file is sealed against being resized or written to.
    pub fn file(&self) -> BorrowedFd<'_> {
        self.memory.file.as_fd()
    }

    /// How many frames are where. Exact while no ring is in use.
    pub fn census(&self) -> Census {
        let mut census = Census::default();
        for place in &self.memory.places {
            // Relaxed: a count, and each frame's note changes hands with the frame.
            let place = place.load(Ordering::Relaxed);
            if place == Place::Program as u8 {
                census.program += 1;
            } else if place == Place::Receiving as u8 {
                census.receiving += 1;
            } else {
                census.sending += 1;
            }
        }
        census
    }

    /// Most bytes that one frame can carry to the wire.
    pub fn room_bytes(&self) -> usize {
        (self.memory.options.frame_bytes - self.tx_offset()) as usize
    }

    /// The room to build a frame in; [`Frame::filled`] makes its beginning a frame to send.
    pub fn room<'a>(&'a self, frame: &'a mut Frame) -> &'a mut [u8] {
        let (offset, length) = (self.tx_offset(), self.room_bytes() as u32);
        self.bytes_mut(frame, offset, length)
    }

    /// The bytes received, or those of this part of a frame.
    pub fn received<'a>(&'a self, received: &'a Received) -> &'a [u8] {
        let at = self.at(&received.frame, received.offset, received.length);
        // SAFETY: inside the mapping; the piece's only frame is borrowed, so nobody writes there.
        unsafe { std::slice::from_raw_parts(at.as_ptr(), received.length as usize) }
    }

    /// The bytes received, to be changed in place, for instance into an answer.
    pub fn received_mut<'a>(&'a self, received: &'a mut Received) -> &'a mut [u8] {
        let (offset, length) = (received.offset, received.length);
        self.bytes_mut(&mut received.frame, offset, length)
    }

    /// What the card said about a received frame; the first part of it, if it has several.
    pub fn rx_metadata(&self, received: &Received, _key: MetadataKey) -> Option<RxMetadata> {
        let start = received.offset.checked_sub(metadata::RX_BYTES as u32)?;
        let at = self.at(&received.frame, start, metadata::RX_BYTES as u32);
        // SAFETY: inside the mapping; nobody writes there; any bytes are good.
        let bytes = unsafe { at.cast::<[u8; metadata::RX_BYTES]>().read() };
        RxMetadata::parse(&bytes)
    }

    /// Asks something of the card for this frame (its first part, if it has several). Gives the
    /// frame back unchanged where the memory has no room for requests ([`Requests::Off`]), or the
    /// checksum is not inside the frame.
    pub fn request(&self, mut frame: Outgoing, request: TxRequest) -> Result<Outgoing, Outgoing> {
        let bytes = request.encode(frame.length);
        let start = frame.offset.checked_sub(metadata::TX_BYTES as u32);
        let (Some(bytes), Some(start)) = (bytes, start) else {
            return Err(frame);
        };
        if self.memory.options.requests == Requests::Off || start % 8 != 0 {
            return Err(frame);
        }
        let at = self.at(&frame.frame, start, metadata::TX_BYTES as u32);
        // SAFETY: inside the mapping, and ours with the frame.
        unsafe { at.cast::<[u8; metadata::TX_BYTES]>().write(bytes) };
        frame.requests = true;
        frame.timed = request.timestamp;
        Ok(frame)
    }

    /// When the frame left, in nanoseconds of CLOCK_TAI or of the card's clock, if that was asked
    /// for and the driver says so. In copy mode it is the time when the kernel was done with it.
    pub fn sent_at(&self, sent: &Sent) -> Option<u64> {
        if !sent.timed {
            return None;
        }
        let start = sent.offset.checked_sub(metadata::TX_BYTES as u32)?;
        let at = self.at(&sent.frame, start, metadata::TX_BYTES as u32);
        // SAFETY: inside the mapping, and ours with the frame.
        let bytes = unsafe { at.cast::<[u8; metadata::TX_BYTES]>().read() };
        metadata::sent_at(&bytes)
    }

    fn tx_offset(&self) -> u32 {
        match self.memory.options.requests {
            Requests::Off => 0,
            _ => TX_OFFSET,
        }
    }

    /// Makes the first `length` bytes of the room a frame to send.
    pub(crate) fn outgoing_offset(&self, length: usize) -> u32 {
        assert!(length <= self.room_bytes(), "longer than a frame");
        self.tx_offset()
    }

    /// # Panics
    /// If the frame belongs to another memory.
    fn at(&self, frame: &Frame, offset: u32, length: u32) -> std::ptr::NonNull<u8> {
        assert_eq!(frame.umem, self.memory.number, "a frame of another memory");
        let size = self.memory.options.frame_bytes;
        assert!(offset <= size && length <= size - offset);
        let start = frame.index as usize * size as usize + offset as usize;
        self.memory.map.at(start, length as usize)
    }

    fn bytes_mut<'a>(&'a self, frame: &'a mut Frame, offset: u32, length: u32) -> &'a mut [u8] {
        let at = self.at(frame, offset, length);
        // SAFETY: inside the mapping; `frame` is the only one of its piece, and borrowed as long.
        unsafe { std::slice::from_raw_parts_mut(at.as_ptr(), length as usize) }
    }

    /// Notes that the frame goes to the kernel, and names it as the kernel does.
    pub(crate) fn lend(&self, frame: &Frame, offset: u32, place: Place) -> u64 {
        assert_eq!(frame.umem, self.memory.number, "a frame of another memory");
        // Relaxed: the ring's own release and acquire order it.
        self.memory.places[frame.index as usize].store(place as u8, Ordering::Relaxed);
        u64::from(frame.index) * u64::from(self.memory.options.frame_bytes) + u64::from(offset)
    }

    /// The frame that the kernel gives back, and where in it. `None` when it never had that frame
    /// for one of these uses, or the bytes are not inside it: then the frame, if any, stays lent.
    pub(crate) fn take_back(
        &self,
        address: u64,
        length: u32,
        uses: [Place; 2],
    ) -> Option<(Frame, u32, Place)> {
        let size = u64::from(self.memory.options.frame_bytes); // a power of two
        let index = usize::try_from(address >> size.trailing_zeros()).ok()?;
        let note = self.memory.places.get(index)?;
        // Relaxed: as in `lend`; the note is ours once the kernel has given the frame back.
        let noted = note.load(Ordering::Relaxed);
        let place = uses.into_iter().find(|place| *place as u8 == noted)?;
        let offset = address & (size - 1);
        if offset + u64::from(length) > size {
            return None;
        }
        note.store(Place::Program as u8, Ordering::Relaxed);
        let frame = Frame {
            index: index as u32,
            umem: self.memory.number,
        };
        Some((frame, offset as u32, place))
    }

    /// The frame of a piece that the kernel never looked at, though it was lent for receiving.
    pub(crate) fn reclaim(&self, index: u32) -> Option<Frame> {
        let start = u64::from(index) * u64::from(self.memory.options.frame_bytes);
        let back = self.take_back(start, 0, [Place::Receiving; 2])?;
        Some(back.0)
    }

    /// What the kernel is told about the memory.
    pub(crate) fn registration(&self) -> libc::xdp_umem_reg {
        let options = &self.memory.options;
        let (flags, tx_metadata_len) = match options.requests {
            Requests::Off => (0, 0),
            Requests::Driver => (libc::XDP_UMEM_TX_METADATA_LEN, metadata::TX_BYTES as u32),
            Requests::SoftwareChecksum => (
                libc::XDP_UMEM_TX_METADATA_LEN | libc::XDP_UMEM_TX_SW_CSUM,
                metadata::TX_BYTES as u32,
            ),
        };
        libc::xdp_umem_reg {
            addr: self.memory.map.at(0, 0).as_ptr() as u64,
            len: u64::from(options.frames) * u64::from(options.frame_bytes),
            chunk_size: options.frame_bytes,
            headroom: 0,
            flags,
            tx_metadata_len,
        }
    }

    /// The sockets that use this memory, for one more to join.
    pub(crate) fn members(&self) -> MutexGuard<'_, Vec<Member>> {
        let members = self.memory.members.lock();
        members.unwrap_or_else(PoisonError::into_inner)
    }
}
