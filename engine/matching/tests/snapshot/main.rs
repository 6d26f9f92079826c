//! An engine's bytes bring it back, and nothing else brings anything back.

#[path = "../common/mod.rs"]
mod common;
mod format;
mod refusals;
mod rig;

use common::Rig;
use rig::{LIMITS, bytes_of, events_of, inputs, restored};

#[test]
fn a_restored_engine_goes_on_as_the_first_one_would_have() {
    for seed in 1..=12 {
        let inputs = inputs(seed);
        let mut first = Rig::new(LIMITS);
        let mut others: Vec<Rig> = Vec::new();
        for (at, input) in inputs.iter().enumerate() {
            if (at as u64 + 97 * seed).is_multiple_of(499) {
                let bytes = bytes_of(&first.engine);
                let rig = restored(&bytes, at as u32 % 50);
                assert_eq!(rig.engine.state_hash(), first.engine.state_hash());
                assert!(bytes_of(&rig.engine) == bytes, "seed {seed}, input {at}");
                others.push(rig);
            }
            let events = events_of(&mut first, input);
            for other in &mut others {
                assert_eq!(events_of(other, input), events, "seed {seed}: {input:?}");
            }
        }
        let bytes = bytes_of(&first.engine);
        assert!(others.iter().all(|one| bytes_of(&one.engine) == bytes));
        assert!(others.len() >= 6);
    }
}
