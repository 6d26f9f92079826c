//! Runs that are timed piece by piece, so that an interruption spoils a piece and not the run.
//!
//! The same run is repeated; of each piece the least time counts. Their sum is what the run takes
//! when nothing else wants the processors, all parts of it included: a crash in a price regime is
//! there as well as the calm before it.

use std::time::{Duration, Instant};

use crate::BenchError;
use crate::calibration::Gate;
use crate::stats::Samples;

/// Messages that are timed together: some 30 us, of which the clock takes a thousandth.
const PIECE: usize = 1_024;
/// Runs of which the least times are taken.
const RUNS: usize = 3;
/// A longer run stands alone.
const LONG: Duration = Duration::from_secs(2);

/// Times of the pieces of one run, in nanoseconds.
pub struct Pieces(Vec<u64>);

impl Pieces {
    /// Does the work for each piece of the messages in turn.
    #[inline]
    pub fn timed<T>(messages: &[T], mut work: impl FnMut(&[T])) -> Self {
        let mut times = Vec::with_capacity(messages.len() / PIECE + 1);
        let mut last = Instant::now();
        for piece in messages.chunks(PIECE) {
            work(piece);
            let now = Instant::now();
            times.push((now - last).as_nanos() as u64);
            last = now;
        }
        Self(times)
    }

    /// Of each piece the lesser time.
    fn least(self, other: &Self) -> Self {
        let pairs = self.0.into_iter().zip(&other.0);
        Self(pairs.map(|(one, other)| one.min(*other)).collect())
    }
}

/// One sample: the time of a run by message, in picoseconds.
pub fn sample(
    gate: &Gate,
    messages: usize,
    mut run: impl FnMut() -> Result<Pieces, BenchError>,
) -> Result<Samples, BenchError> {
    let start = Instant::now();
    let mut least = gate.run(&mut run)?;
    let is_long = start.elapsed() > LONG;
    for _ in 1..if is_long { 1 } else { RUNS } {
        least = gate.run(&mut run)?.least(&least);
    }
    let sum: u64 = least.0.iter().sum();
    Ok(vec![sum * 1_000 / messages.max(1) as u64])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Effort;

    #[test]
    fn the_least_of_each_piece_counts() {
        let gate = Gate::new(Effort::Tiny).expect("a gate");
        let mut runs = [vec![9, 1, 5], vec![2, 8, 5], vec![3, 3, 50]].into_iter();
        let run = || Ok(Pieces(runs.next().expect("three runs")));
        assert_eq!(sample(&gate, 4, run).expect("a sample"), [8_000 / 4]);
    }

    #[test]
    fn every_message_is_in_one_piece() {
        let messages: Vec<usize> = (0..2 * PIECE + 1).collect();
        let mut seen = Vec::new();
        let pieces = Pieces::timed(&messages, |piece| seen.extend_from_slice(piece));
        assert_eq!((seen, pieces.0.len()), (messages, 3));
    }
}
