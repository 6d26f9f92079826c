//! `wirecross-fix` as the tests of the venue start it: the same program, built beside them.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    fix::program::main()
}
