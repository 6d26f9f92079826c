//! Shared memory: our ring, and the floor under it.

use quanta::Clock;
use queue::{Reader, Writer};

use super::{SIZES, check};
use crate::BenchError;
use crate::calibration::round_trips;
use crate::stats::Samples;
use crate::threads::{Stop, pair};

/// Slots of a ring.
const DEPTH: usize = 64;
/// Bytes of a slot that are the ring's own: stamp and number.
const RING_BYTES: usize = 16;
/// Words of a message whose slot is as large as the other ways' messages.
const SMALL: usize = (SIZES[0] - RING_BYTES) / 8;
const LARGE: usize = (SIZES[1] - RING_BYTES) / 8;
/// Round trips of a bare line that make one sample.
const LINE_TRIPS: u64 = 10;

/// One turn: for each size so many messages there and back through two rings.
pub fn turn(trips: u64) -> Result<Vec<Samples>, BenchError> {
    Ok(vec![ring::<SMALL>(trips)?, ring::<LARGE>(trips)?])
}

/// As often a bare cache line, which knows no size.
pub fn line(trips: u64) -> Result<Vec<Samples>, BenchError> {
    let samples = (trips / LINE_TRIPS).max(1);
    SIZES
        .iter()
        .map(|_| round_trips(samples, LINE_TRIPS))
        .collect()
}

fn ring<const WORDS: usize>(trips: u64) -> Result<Samples, BenchError> {
    let failed = |error| BenchError::failed("making a ring", error);
    let (mut request, mut requests) = queue::ring::<[u64; WORDS]>(DEPTH).map_err(failed)?;
    let (mut answer, mut answers) = queue::ring::<[u64; WORDS]>(DEPTH).map_err(failed)?;
    let clock = Clock::new();
    let here = |stop: &Stop| {
        let mut times = Samples::new();
        for number in 1..=trips {
            let start = clock.raw();
            send(stop, &mut request, &[number; WORDS])?;
            let came = receive(stop, &mut answers)?;
            times.push(clock.delta_as_nanos(start, clock.raw()) * 1_000);
            check(bytemuck::cast_slice(&came), number)?;
        }
        Ok(times)
    };
    let there = |stop: &Stop| {
        for _ in 1..=trips {
            let came = receive(stop, &mut requests)?;
            send(stop, &mut answer, &came)?;
        }
        Ok(())
    };
    pair(here, there)
}

fn send<const WORDS: usize>(
    stop: &Stop,
    to: &mut Writer<[u64; WORDS]>,
    message: &[u64; WORDS],
) -> Result<(), BenchError> {
    stop.wait(|| to.put(0, message).ok())?;
    to.publish();
    Ok(())
}

fn receive<const WORDS: usize>(
    stop: &Stop,
    from: &mut Reader<[u64; WORDS]>,
) -> Result<[u64; WORDS], BenchError> {
    let mut came = [0; WORDS];
    stop.wait(|| (from.take(1, |_, message| came = *message) > 0).then_some(()))?;
    Ok(came)
}
