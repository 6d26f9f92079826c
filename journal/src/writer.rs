//! Appending to the journal without ever waiting for it.

use wire::ring::Input;

use crate::error::{AppendError, ConfigError};
use crate::recovery::Resume;
use crate::storage::{Storage, StorageError};
use crate::{BLOCK_BYTES, SEGMENT_BYTES, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN};

/// What an operator may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bytes of each new segment: a multiple of [`BLOCK_BYTES`] from [`SEGMENT_BYTES_MIN`] to
    /// [`SEGMENT_BYTES_MAX`].
    pub segment_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { segment_bytes: SEGMENT_BYTES }
    }
}

/// The one writer of a journal.
///
/// One write is in flight at a time; groups that come meanwhile gather in a second buffer and go
/// out together with the next write, each as its own record. So a slow disk makes larger writes,
/// and a full buffer makes [`AppendError::Busy`].
#[derive(Debug)]
pub struct Writer<S: Storage> {
    storage: S,
    durable: u64,
    failed: Option<StorageError>,
}

impl<S: Storage> Writer<S> {
    /// Goes on where [`recover`](crate::recover) ended, in a new epoch. What is left of a torn tail
    /// is wiped before anything is written, and the first segment of a new journal is prepared, both
    /// by [`Self::poll`]: this call does not wait.
    ///
    /// # Errors
    /// When the configuration cannot work.
    pub fn open(storage: S, config: Config, resume: Resume) -> Result<Self, ConfigError> {
        let bytes = config.segment_bytes;
        if !bytes.is_multiple_of(BLOCK_BYTES as u64)
            || !(SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&bytes)
        {
            return Err(ConfigError::SegmentBytes(bytes));
        }
        Ok(Self { storage, durable: resume.chain.next_sequence - 1, failed: None })
    }

    /// Takes 1 to [`GROUP_INPUTS_MAX`](crate::GROUP_INPUTS_MAX) inputs as one record, all or none.
    /// They are durable when [`Self::durable`] reaches the last one's sequence number.
    ///
    /// # Errors
    /// See [`AppendError`]: the inputs stay the caller's, and after a
    /// [temporary](AppendError::is_temporary) one the same group may be offered again.
    pub fn append(&mut self, inputs: &[Input]) -> Result<(), AppendError> {
        let _ = inputs;
        Err(AppendError::Busy)
    }

    /// Does what is due: takes the disk's reports, begins the next write, prepares the next segment.
    /// Returns the durable sequence number when it moved. Never waits.
    ///
    /// # Errors
    /// The first failure of the disk, then and for ever: stop acknowledging, stop the appliance.
    pub fn poll(&mut self) -> Result<Option<u64>, StorageError> {
        self.failed.clone().map_or(Ok(None), Err)
    }

    /// The greatest sequence number whose input, and every one before, survives a power cut.
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// The sequence number that the next input must have.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.durable + 1
    }

    /// This life's number, from 1.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        1
    }

    /// Whether everything appended is durable and no write is in flight.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        true
    }

    /// The disk refused to create the next segment because it is full.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        false
    }

    /// Begins a clean stop: appends the closing record. Poll until [`Self::is_closed`].
    ///
    /// # Errors
    /// As [`Self::append`]; after a temporary one, poll and call again.
    pub fn close(&mut self) -> Result<(), AppendError> {
        Err(AppendError::Busy)
    }

    /// The closing record is on the disk.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        false
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
}
