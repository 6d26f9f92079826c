//! Appending to the journal without ever waiting for it.

use std::collections::VecDeque;
use std::thread;

use wire::ring::Input;

use crate::error::{AppendError, WriterError};
use crate::record::{Chain, Header, KIND_CLOSE, KIND_GROUP, KIND_SEGMENT};
use crate::recovery::Resume;
use crate::reserve::Reserve;
use crate::staging::Staging;
use crate::storage::{Buffer, Completion, SegmentFile, Storage, StorageError};
use crate::wipe::Wipe;
use crate::{BLOCK_BYTES, LINE_BYTES, WRITE_BYTES};
use crate::{SEGMENT_BYTES, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN};

/// What an operator may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bytes of each new segment: a multiple of [`BLOCK_BYTES`] from [`SEGMENT_BYTES_MIN`] to
    /// [`SEGMENT_BYTES_MAX`].
    pub segment_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            segment_bytes: SEGMENT_BYTES,
        }
    }
}

/// What a write that is in flight makes true when it is flushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flight {
    /// One piece of a torn tail is wiped.
    Wipe,
    /// Everything before this sequence number is durable, and with `closed` the journal is closed.
    Records { next_sequence: u64, closed: bool },
}

/// The one writer of a journal.
///
/// One write is in flight at a time; groups that come meanwhile gather in a second buffer and go
/// out together with the next write, each as its own record. So a slow disk makes larger writes,
/// and a full buffer makes [`AppendError::Busy`]: at most two buffers of [`WRITE_BYTES`] wait.
#[derive(Debug)]
pub struct Writer<S: Storage> {
    storage: S,
    segment_bytes: u64,
    /// Behind the last record that was taken; its `previous` is that of the last one sealed.
    chain: Chain,
    staging: Staging,
    /// Length of the segment that is written; 0 before the first one.
    length: u64,
    /// The buffer that is not staged; `None` while it is in flight.
    spare: Option<Buffer>,
    flight: Option<Flight>,
    wipe: Wipe,
    /// Segments behind the one that is written.
    prepared: VecDeque<SegmentFile>,
    /// Number of the last segment that exists or is being prepared.
    last_segment: u32,
    is_preparing: bool,
    is_disk_full: bool,
    is_closing: bool,
    is_closed: bool,
    durable: u64,
    failed: Option<StorageError>,
}

impl<S: Storage> Writer<S> {
    /// Goes on where [`recover`](crate::recover) ended, in a new epoch. Waits until what was read
    /// is flushed and what is left of a torn tail is wiped: from then on everything that was
    /// recovered is durable, so that it may be told to anybody.
    ///
    /// # Errors
    /// When the configuration cannot work or the disk fails.
    pub fn open(storage: S, config: Config, resume: Resume) -> Result<Self, WriterError> {
        let bytes = config.segment_bytes;
        let fits = (SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&bytes);
        if !fits || !bytes.is_multiple_of(BLOCK_BYTES as u64) {
            return Err(WriterError::SegmentBytes(bytes));
        }
        let mut staging = Staging::new();
        staging.place(resume.at.number, resume.offset, &resume.block);
        let last = resume
            .prepared
            .last()
            .map_or(resume.at.number, |at| at.number);
        let durable = resume.chain.durable;
        let mut writer = Self {
            storage,
            segment_bytes: bytes,
            chain: Chain {
                epoch: resume.chain.epoch + 1,
                ..resume.chain
            },
            staging,
            length: resume.at.bytes,
            spare: Some(Buffer::new(WRITE_BYTES)),
            flight: None,
            wipe: Wipe::new(&resume),
            prepared: resume.prepared.into(),
            last_segment: last,
            is_preparing: false,
            is_disk_full: false,
            is_closing: false,
            is_closed: false,
            durable,
            failed: None,
        };
        while !writer.is_idle() {
            writer.poll().map_err(WriterError::Storage)?;
            thread::yield_now();
        }
        Ok(writer)
    }

    /// Takes 1 to [`GROUP_INPUTS_MAX`](crate::GROUP_INPUTS_MAX) inputs as one record, all or none.
    /// They are durable when [`Self::durable`] reaches the last one's sequence number.
    ///
    /// # Errors
    /// See [`AppendError`]: the inputs stay the caller's, and after a
    /// [temporary](AppendError::is_temporary) one the same group may be offered again.
    pub fn append(&mut self, inputs: &[Input]) -> Result<(), AppendError> {
        if let Some(error) = &self.failed {
            return Err(AppendError::Failed(error.clone()));
        }
        if self.is_closing {
            return Err(AppendError::Closed);
        }
        if !self.chain.is_continued_by(inputs) {
            return Err(AppendError::OutOfOrder {
                expected: self.chain.next_sequence,
            });
        }
        // Every segment keeps a line for a closing record: a clean stop needs no new segment.
        self.make_room(Header::bytes_with(inputs.len()), LINE_BYTES)?;
        self.staging.put(&mut self.chain, KIND_GROUP, 0, inputs);
        self.begin_write();
        Ok(())
    }

    /// Does what is due: takes the disk's reports, begins the next write, prepares the next
    /// segment. Returns the durable sequence number when it moved. Never waits.
    ///
    /// # Errors
    /// The first failure of the disk, then and for ever: stop acknowledging, stop the appliance.
    pub fn poll(&mut self) -> Result<Option<u64>, StorageError> {
        let before = self.durable;
        while self.failed.is_none() {
            let Some(completion) = self.storage.poll() else {
                break;
            };
            self.complete(completion);
        }
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.begin_write();
        self.prepare_next();
        Ok((self.durable > before).then_some(self.durable))
    }

    /// The greatest sequence number whose input, and every one before, survives a power cut.
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// The sequence number that the next input must have.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.chain.next_sequence
    }

    /// This life's number, from 1.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.chain.epoch
    }

    /// Whether everything appended is durable and no write is in flight.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.flight.is_none() && self.wipe.is_done() && !self.staging.is_dirty()
    }

    /// Whether the disk refused to create the next segment because it is full. The current one may
    /// still have room.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        self.is_disk_full
    }

    /// Bytes that the segments at hand still take: the rest of the one that is written, and those
    /// made ahead.
    #[must_use]
    pub fn room(&self) -> u64 {
        let rest = self.length.saturating_sub(self.staging.offset());
        rest + self.prepared.iter().map(|next| next.bytes).sum::<u64>()
    }

    /// What the room that is left is to be used for: for everything unless the disk is full.
    #[must_use]
    pub fn reserve(&self) -> Reserve {
        if self.is_disk_full {
            Reserve::of(self.room(), self.segment_bytes)
        } else {
            Reserve::Untouched
        }
    }

    /// Begins a clean stop: appends the closing record. Poll until [`Self::is_closed`].
    ///
    /// # Errors
    /// As [`Self::append`]; after a temporary one, poll and call again.
    pub fn close(&mut self) -> Result<(), AppendError> {
        if let Some(error) = &self.failed {
            return Err(AppendError::Failed(error.clone()));
        }
        if !self.is_closing {
            self.make_room(LINE_BYTES, 0)?;
            self.staging.put(&mut self.chain, KIND_CLOSE, 0, &[]);
            self.is_closing = true;
            self.begin_write();
        }
        Ok(())
    }

    /// Whether the closing record is on the disk.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Gives the storage back, whatever is in flight.
    #[must_use]
    pub fn into_storage(self) -> S {
        self.storage
    }

    /// Looks at the storage, to print its mode for example.
    #[must_use]
    pub fn storage(&self) -> &S {
        &self.storage
    }

    /// Makes sure that a record of `bytes` fits into the buffer and, with `reserve` bytes left,
    /// into the segment; goes to the next segment where it does not.
    fn make_room(&mut self, bytes: usize, reserve: usize) -> Result<(), AppendError> {
        if self.staging.offset() + (bytes + reserve) as u64 > self.length {
            if self.staging.is_dirty() {
                return Err(AppendError::Busy);
            }
            let Some(next) = self.prepared.pop_front() else {
                return Err(AppendError::NoRoom {
                    disk_full: self.is_disk_full,
                });
            };
            self.length = next.bytes;
            self.staging.place(next.number, 0, &[]);
            let blocks = (next.bytes / BLOCK_BYTES as u64) as u32;
            self.staging.put(&mut self.chain, KIND_SEGMENT, blocks, &[]);
        }
        if self.staging.has_room(bytes) {
            Ok(())
        } else {
            Err(AppendError::Busy)
        }
    }

    /// Takes one report of the disk.
    fn complete(&mut self, completion: Completion) {
        match completion {
            Completion::Prepared {
                segment,
                result: Ok(()),
            } => {
                self.is_preparing = false;
                self.is_disk_full = false;
                self.last_segment = segment;
                let bytes = self.segment_bytes;
                self.prepared.push_back(SegmentFile {
                    number: segment,
                    bytes,
                    is_archived: false,
                });
            }
            Completion::Prepared {
                result: Err(error), ..
            } if error.is_no_space() => {
                self.is_preparing = false;
                self.is_disk_full = true;
            }
            Completion::Prepared {
                result: Err(error), ..
            } => self.failed = Some(error),
            Completion::Written {
                result: Err(error), ..
            } => self.failed = Some(error),
            Completion::Written {
                buffer,
                result: Ok(()),
            } => self.land(buffer),
        }
    }

    /// A write is flushed: what it promised is true.
    fn land(&mut self, buffer: Buffer) {
        self.spare = Some(buffer);
        match self.flight.take() {
            Some(Flight::Records {
                next_sequence,
                closed,
            }) => {
                self.durable = next_sequence - 1;
                self.is_closed = closed;
            }
            Some(Flight::Wipe) if self.wipe.is_done() => self.durable = self.wipe.next_sequence - 1,
            Some(Flight::Wipe) | None => {}
        }
    }

    /// Begins the next write when the disk is free and there is something to write.
    fn begin_write(&mut self) {
        if self.flight.is_some() || (self.wipe.is_done() && !self.staging.is_dirty()) {
            return;
        }
        let Some(mut spare) = self.spare.take() else {
            return;
        };
        if let Some((segment, offset)) = self.wipe.next(&mut spare) {
            self.flight = Some(Flight::Wipe);
            self.storage.write(segment, offset, spare);
            return;
        }
        let (segment, offset) = self.staging.at();
        let sealed = self.staging.seal(&mut self.chain, self.durable, spare);
        let next_sequence = self.chain.next_sequence;
        self.flight = Some(Flight::Records {
            next_sequence,
            closed: self.is_closing,
        });
        self.storage.write(segment, offset, sealed);
    }

    /// Keeps one segment ahead.
    fn prepare_next(&mut self) {
        if self.prepared.is_empty() && !self.is_preparing && !self.is_closing {
            self.is_preparing = true;
            self.storage
                .prepare(self.last_segment + 1, self.segment_bytes);
        }
    }
}
