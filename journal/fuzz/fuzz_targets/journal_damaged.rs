//! A good journal with some bytes changed gives its inputs from the first on, unchanged, or is
//! refused: nothing else is ever read.
#![no_main]

use std::sync::OnceLock;

use bytemuck::Zeroable;
use journal::simulated::Disk;
use journal::{Config, Input, Writer, recover};
use libfuzzer_sys::fuzz_target;

/// Groups of the good journal; the k-th has k inputs.
const GROUPS: u64 = 12;

fn input(sequence: u64) -> Input {
    let mut input = Input {
        sequence,
        time_ns: 1_000 + sequence,
        ..Input::zeroed()
    };
    input.command.user_ref = sequence as u32;
    input.command.price = sequence as i64 * 100;
    input
}

/// The first segment of the good journal.
fn good() -> &'static [u8] {
    static GOOD: OnceLock<Vec<u8>> = OnceLock::new();
    GOOD.get_or_init(|| {
        let disk = Disk::new(1);
        let mut storage = disk.storage();
        let resume = recover(&mut storage, &mut |_| ())
            .expect("an empty disk")
            .resume;
        let config = Config {
            segment_bytes: journal::SEGMENT_BYTES_MIN,
        };
        let mut writer = Writer::open(storage, config, resume).expect("opens");
        let mut last = 0;
        for count in 1..=GROUPS {
            let group: Vec<Input> = (last + 1..=last + count).map(input).collect();
            while writer.append(&group).is_err() {
                writer.poll().expect("a healthy disk");
            }
            last += count;
            while writer.durable() < last {
                writer.poll().expect("a healthy disk");
            }
        }
        disk.bytes(1).expect("a first segment")
    })
}

fuzz_target!(|changes: Vec<(u16, u8)>| {
    let mut segment = good().to_vec();
    for (offset, flip) in changes {
        if let Some(byte) = segment.get_mut(usize::from(offset)) {
            *byte ^= flip;
        }
    }
    let disk = Disk::new(1);
    disk.set_bytes(1, segment);
    let mut next = 1;
    let _ = recover(&mut disk.storage(), &mut |read| {
        assert_eq!(*read, input(next), "not what was written");
        next += 1;
    });
});
