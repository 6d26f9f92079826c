//! `wirecross-fix`: FIX 4.4 order entry before a venue.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    fix::program::main()
}
