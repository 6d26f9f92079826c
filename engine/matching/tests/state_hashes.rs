//! The same inputs bring the engine to the same state, in every build: what `state_hashes.txt`
//! says.
//!
//! `STATE_HASHES_WRITE=1 cargo test -p matching --test state_hashes` writes it anew, after a change
//! of the rules, of the snapshot's format or of the hostile stream. `cargo x determinism` compares
//! it with other builds.

#[path = "common/hashes.rs"]
mod hashes;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/state_hashes.txt");

#[test]
fn this_build_comes_to_the_recorded_states() {
    let found = hashes::table();
    if std::env::var_os("STATE_HASHES_WRITE").is_some() {
        std::fs::write(PATH, &found).expect("a writable table");
    }
    let recorded = std::fs::read_to_string(PATH).expect("a table");
    assert!(recorded.lines().count() >= 20, "{PATH} is too short");
    for (found, recorded) in found.lines().zip(recorded.lines()) {
        assert_eq!(
            found, recorded,
            "seed, inputs, state, events: if rules, snapshots or the hostile stream are to be \
             others, write {PATH} anew with STATE_HASHES_WRITE=1"
        );
    }
    assert_eq!(found.lines().count(), recorded.lines().count());
}
