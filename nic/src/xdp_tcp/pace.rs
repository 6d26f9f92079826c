//! The stack's time, which runs faster than ours.
//!
//! The stack repeats what was not acknowledged after a second of its own at the earliest, as RFC
//! 6298 (2.4) would have it, and that cannot be set. Kernels wait 200 ms, which is as long as a
//! peer of theirs keeps an acknowledgement back. So the stack is shown a clock that runs five times
//! as fast, and what spans it is given are five times as long. Its other constants shrink with
//! that: the longest pause between repetitions or questions to a closed window is 12 s instead of
//! 60, and a connection that is over answers for 2 s instead of 10.

use smoltcp::time::{Duration, Instant};

/// How many times as fast.
const SPEED: u64 = 5;
/// Our nanoseconds in a microsecond of the stack's.
const MICRO_NS: u64 = 1_000 / SPEED;

const _: () = assert!(MICRO_NS * SPEED == 1_000);

/// The stack's time.
pub(super) fn instant(now_ns: u64) -> Instant {
    Instant::from_micros((now_ns / MICRO_NS) as i64)
}

/// Our time, when it is this by the stack's clock.
pub(super) fn ours_ns(at: Instant) -> u64 {
    (at.total_micros() as u64).saturating_mul(MICRO_NS)
}

/// A span of ours, by the stack's clock.
pub(super) const fn span(ms: u64) -> Duration {
    Duration::from_millis(ms * SPEED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_comes_back_to_its_fifth_of_a_microsecond() {
        for now_ns in [
            0,
            199,
            200,
            1_795_000_000_123_456_789,
            5_000_000_000_000_000_000,
        ] {
            let back_ns = ours_ns(instant(now_ns));
            assert!(back_ns <= now_ns && now_ns - back_ns < MICRO_NS, "{now_ns}");
        }
        let later = instant(7_000_000) + span(3);
        assert_eq!(ours_ns(later), 10_000_000);
    }
}
