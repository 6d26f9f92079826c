//! A segment of any bytes is read or refused, and what is read has no gaps.
#![no_main]

use journal::recover;
use journal::simulated::Disk;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let disk = Disk::new(1);
    let mut segment = bytes.to_vec();
    segment.resize(journal::SEGMENT_BYTES_MIN as usize, 0);
    disk.set_bytes(1, segment);
    let mut next = 1;
    let _ = recover(&mut disk.storage(), &mut |input| {
        assert_eq!(input.sequence, next, "a gap, or twice the same");
        next += 1;
    });
});
