//! `regimes`: one book under five price regimes, ours against published engines and a baseline.
//!
//! The engine runs on one processor and puts every report into our ring; a consumer on another
//! processor takes them, and its digest of all of them must be that of the baseline, as must the
//! final book. So every timed run is checked whole. One sample is the time from the first message
//! to the last report published, by message, of three runs piece by piece the least.
//!
//! The consumer lets reports gather: a reader that keeps asking for the line that is being written
//! takes it away from the writer. All engines gain by that.
//!
//! In one case each message's reports are published before the next message is looked at. In the
//! other, bursts of 32 arrive together and their reports are published together; ours may then
//! look ahead to warm the caches. In the third and fourth, the engine's own thread takes its
//! reports and there is no ring: what is left of the time is the engine's.

use std::time::{Duration, Instant};

use wirecross_capi::{Message, Report};

use crate::calibration::Gate;
use crate::compare::{Case, Subject, compare};
#[cfg(feature = "orderbook-rs")]
use crate::peers::OrderbookRs;
use crate::peers::{Answers, Baseline, Digest, Lobster, Matchcore, Ours, Room, Venue, book};
use crate::pieces::{Pieces, sample};
use crate::regimes::{REGIMES, STANDING, Stream};
use crate::stats::Samples;
use crate::threads::{Stop, pair};
use crate::{BenchError, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "regimes",
    about: "one book in five price regimes: ours, published engines, BTreeMap + VecDeque",
    run,
};

/// Messages that arrive together in the second case.
const BURST: usize = matching::BURST_MAX;
/// Slots of the ring: 64 KiB, which stay in the nearest caches.
const DEPTH: usize = 1_024;
/// An engine that takes longer for a turn has one turn, which stands for all rounds.
const SLOW: Duration = Duration::from_secs(20);
/// Reports that the consumer takes at a time.
const TAKE_MAX: usize = 64;

/// Gives a venue what came together.
#[inline]
fn apply<V: Venue>(venue: &mut V, messages: &[Message], mut on: impl FnMut(&Report)) {
    match messages {
        [message] => venue.apply(message, &mut on),
        _ => venue.apply_all(messages, &mut on),
    }
}

/// A stream and what must come of it.
struct Work {
    stream: Stream,
    room: Room,
    expected: Answers,
}

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let standing = options.effort.pick(400, STANDING, STANDING);
    let news = options.effort.pick(1_000, 100_000, 1_000_000);
    let gate = Gate::new(options.effort)?;
    let mut cases = Vec::new();
    for (name, regime) in REGIMES {
        let work = Work::new(Stream::new(regime, standing, news))?;
        let names = [
            format!("{name}, one message at a time"),
            format!("{name}, bursts of {BURST}"),
            format!("{name}, one message at a time without a ring"),
            format!("{name}, bursts of {BURST} without a ring"),
        ];
        let subjects = vec![
            subject::<Ours>(&work, &gate),
            subject::<Baseline>(&work, &gate),
            subject::<Matchcore>(&work, &gate),
            subject::<Lobster>(&work, &gate),
            #[cfg(feature = "orderbook-rs")]
            subject::<OrderbookRs>(&work, &gate),
        ];
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        cases.extend(compare(&names, options.effort.rounds(), subjects)?);
    }
    let note = gate.note();
    Ok(cases.into_iter().map(|case| case.noted(&note)).collect())
}

fn subject<'a, V: Venue>(work: &'a Work, gate: &'a Gate) -> Subject<'a> {
    let mut slow: Option<Vec<Samples>> = None;
    Subject::new(V::NAME, move || {
        if let Some(samples) = &slow {
            return Ok(samples.clone());
        }
        let start = Instant::now();
        let messages = work.stream.timed.len();
        let through = |group| sample(gate, messages, || work.turn::<V>(group));
        let alone = |group| sample(gate, messages, || work.turn_alone::<V>(group));
        let samples = vec![through(1)?, through(BURST)?, alone(1)?, alone(BURST)?];
        if start.elapsed() > SLOW {
            slow = Some(samples.clone());
        }
        Ok(samples)
    })
}

impl Work {
    /// Lets the baseline say what the answers are.
    fn new(stream: Stream) -> Result<Self, BenchError> {
        let messages = (stream.before.len() + stream.timed.len()) as u32;
        let mut room = Room {
            ids: stream.ids,
            messages,
            orders: 0,
        };
        let mut venue = Baseline::open(room)?;
        let mut digest = Digest::default();
        venue.apply_all(&stream.before, |_| ());
        for message in &stream.timed {
            venue.apply(message, |report| digest.add(report));
            room.orders = room.orders.max(venue.live_orders());
        }
        // Who runs a venue knows about how much it holds, not exactly.
        room.orders *= 2;
        let expected = (digest, book(&venue));
        Ok(Self {
            stream,
            room,
            expected,
        })
    }

    /// One run with a ring.
    fn turn<V: Venue>(&self, group: usize) -> Result<Pieces, BenchError> {
        let (mut writer, mut reader) =
            queue::ring::<Report>(DEPTH).map_err(|error| BenchError::failed("a ring", error))?;
        let expected = &self.expected.0;
        let here = |stop: &Stop| {
            let mut venue = V::open(self.room)?;
            venue.apply_all(&self.stream.before, |_| ());
            let mut result = Ok(());
            let pieces = Pieces::timed(&self.stream.timed, |piece| {
                for messages in piece.chunks(group) {
                    apply(&mut venue, messages, |report| {
                        if writer.put(0, report).is_err() && result.is_ok() {
                            writer.publish();
                            result = stop.wait(|| writer.put(0, report).ok());
                        }
                    });
                    writer.publish();
                }
            });
            result?;
            Ok((pieces, book(&venue)))
        };
        let there = |stop: &Stop| {
            let mut digest = Digest::default();
            while digest.count < expected.count {
                let mut on = |_, report: &Report| digest.add(report);
                stop.wait(|| {
                    let found = reader.gather(TAKE_MAX, &mut on) > 0;
                    if !found {
                        reader.rest();
                    }
                    found.then_some(())
                })?;
            }
            if digest == *expected {
                return Ok(());
            }
            let what = format!("{}: {digest:?} instead of {expected:?}", V::NAME);
            Err(BenchError::WrongAnswer(what))
        };
        let (pieces, found) = pair(here, there)?;
        self.check::<V>(&found)?;
        Ok(pieces)
    }

    /// One run without a ring.
    fn turn_alone<V: Venue>(&self, group: usize) -> Result<Pieces, BenchError> {
        let here = |_: &Stop| {
            let mut venue = V::open(self.room)?;
            venue.apply_all(&self.stream.before, |_| ());
            let mut digest = Digest::default();
            let pieces = Pieces::timed(&self.stream.timed, |piece| {
                for messages in piece.chunks(group) {
                    apply(&mut venue, messages, |report| digest.add(report));
                }
            });
            Ok((pieces, digest, book(&venue)))
        };
        let (pieces, digest, found) = pair(here, |_| Ok(()))?;
        self.check::<V>(&found)?;
        if digest != self.expected.0 {
            let what = format!("{}: {digest:?} instead of {:?}", V::NAME, self.expected.0);
            return Err(BenchError::WrongAnswer(what));
        }
        Ok(pieces)
    }

    fn check<V: Venue>(&self, found: &[Vec<(i64, u64)>; 2]) -> Result<(), BenchError> {
        if *found != self.expected.1 {
            let what = format!("{}: the final book is another", V::NAME);
            return Err(BenchError::WrongAnswer(what));
        }
        Ok(())
    }
}
