//! A day run again from its journal: the engine's state and everything it said, without a topology.
//!
//! The journal defines symbols, sessions and rules by itself; how much room the engine had stands
//! in the day's `limits`.

mod written;

use super::day::limits_began;
use super::publisher_config_of;
use crate::topology::Topology;
use journal::{RecoveryError, Segments, Walker};
use matching::{Engine, Events, Limits, Line, Step};
use session::feed::Publisher;
use std::path::Path;
use wire::ring::{CommandKind, Input};
pub use written::{Compared, Verdict};
use written::{Written, members_of};

/// Bytes of feed messages that wait between two inputs: far more than one input makes at a time.
const FEED_BYTES: usize = 4 << 20;

/// The limits a day's engine had, as its directory and the beginning of its journal tell.
///
/// # Errors
/// One of them cannot be read.
pub fn limits_of<S: Segments>(day: &Path, journal: &mut Walker<S>) -> Result<Limits, String> {
    let mut limits = limits_began(day).map_err(|error| error.to_string())?;
    let is_defining = |kind| kind != CommandKind::OpenDay as u8;
    // An engine keeps accounts if a topology limits one, which it does before the day opens.
    while let Some(record) = journal.record().map_err(|error| error.to_string())? {
        let kinds = record.inputs.iter().map(|input| input.command.kind);
        let mut defining = kinds.take_while(|kind| is_defining(*kind));
        if defining.any(|kind| kind == CommandKind::SetLimit as u8) {
            limits.accounts = limits.sessions;
        }
        if record
            .inputs
            .iter()
            .any(|input| !is_defining(input.command.kind))
        {
            break;
        }
    }
    Ok(limits)
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The last input.
    pub sequence: u64,
    /// Hash of the engine's state.
    pub state_hash: u64,
    /// Hash of all events and feed messages so far.
    pub output_hash: u64,
    /// Feed messages so far.
    pub messages: u64,
    /// Orders on the books.
    pub live_orders: u32,
}

/// A run under way.
pub struct Rerun<'m> {
    engine: Engine<'m>,
    publisher: Publisher,
    events: Box<Events>,
    sequence: u64,
    outputs: Digest,
    written: Option<Written>,
}

impl<'m> Rerun<'m> {
    /// Before the first input of a day.
    ///
    /// # Errors
    /// The limits cannot be kept.
    pub fn new(limits: Limits, lines: &'m mut [Line], session: [u8; 10]) -> Result<Self, String> {
        let engine = Engine::new(limits, lines).map_err(|error| error.to_string())?;
        let config = publisher_config_of(session, limits.symbols, FEED_BYTES);
        Ok(Self {
            engine,
            publisher: Publisher::new(config).map_err(str::to_owned)?,
            events: Box::default(),
            sequence: 0,
            outputs: Digest(0),
            written: None,
        })
    }

    /// The same, which looks whether a day's streams hold what it says, if there are any; its
    /// drop copies with a topology only.
    ///
    /// # Errors
    /// The day cannot be read.
    pub fn beside_streams<S: Segments>(
        mut self,
        day: &Path,
        journal: &mut Walker<S>,
        topology: Option<&Topology>,
    ) -> Result<Self, String> {
        let limits = limits_began(day).map_err(|error| error.to_string())?;
        let sessions = members_of(journal).map_err(|error| error.to_string())?;
        let written = Written::open(day, &limits, sessions, topology);
        self.written = written.map_err(|error| error.to_string())?;
        Ok(self)
    }

    /// How the day's streams compare with what was said so far; ends the comparison.
    pub fn streams(&mut self) -> Vec<Compared> {
        self.written.take().map_or_else(Vec::new, Written::finish)
    }

    /// Applies the next input.
    pub fn take(&mut self, input: &Input) {
        self.sequence = input.sequence;
        if let Some(written) = &mut self.written {
            written.begin(input);
        }
        let mut step = self.engine.apply(input, &mut self.events);
        self.hear(input);
        while step == Step::More {
            step = self.engine.resume(&mut self.events);
            self.hear(input);
        }
        if let Some(written) = &mut self.written {
            written.settle();
        }
    }

    /// Takes the events of one step, and publishes what comes of them.
    fn hear(&mut self, input: &Input) {
        let Self {
            publisher,
            outputs,
            written,
            ..
        } = self;
        for event in self.events.as_slice() {
            if let Some(written) = written {
                written.hear(event, input);
            }
            outputs.add(bytemuck::bytes_of(event));
            let taken = publisher.on_event(event, input.time_ns);
            debug_assert!(taken.is_ok(), "nothing waits in the feed's memory");
            if publisher.unsent() > 0 {
                publisher.transmit(input.time_ns, true, &mut |packet| {
                    outputs.add(packet);
                    true
                });
            }
        }
    }

    /// Number of the last input.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Where it stands; O(orders).
    #[must_use]
    pub fn standing(&self) -> Standing {
        Standing {
            sequence: self.sequence,
            state_hash: self.engine.state_hash(),
            output_hash: self.outputs.0,
            messages: self.publisher.sequence_next() - 1,
            live_orders: self.engine.live_orders(),
        }
    }
}

/// Runs a journal up to input `until`; `on` looks at it behind each input.
///
/// # Errors
/// The journal is damaged or cannot be read.
pub fn rerun<S: Segments>(
    journal: &mut Walker<S>,
    run: &mut Rerun<'_>,
    until: u64,
    on: &mut dyn FnMut(&Rerun<'_>),
) -> Result<(), RecoveryError> {
    while let Some(record) = journal.record()? {
        for input in record.inputs {
            if input.sequence > until {
                return Ok(());
            }
            run.take(input);
            on(run);
        }
    }
    Ok(())
}

/// A hash of bytes, eight at a time.
struct Digest(u64);

impl Digest {
    fn add(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            let mixed = (self.0 ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            self.0 = mixed ^ (mixed >> 29);
        }
    }
}
