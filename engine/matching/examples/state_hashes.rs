//! Prints what the engine comes to in hostile days, as `tests/state_hashes.txt` has it: for
//! `cargo x determinism`, which runs this in several builds.

#[path = "../tests/common/hashes.rs"]
mod hashes;

fn main() {
    print!("{}", hashes::table());
}
