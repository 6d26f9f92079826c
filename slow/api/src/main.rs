//! `wirecross-api`: a venue over HTTP.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    api::program::main()
}
