//! `wirecross-quant`: portfolios, options, risks, models and forecasts from tables.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    calculator::main()
}
