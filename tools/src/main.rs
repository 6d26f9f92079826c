//! cargo x: the one command for builders.
fn main() {}
