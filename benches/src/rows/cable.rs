//! How ports over a cable are asked for: they climb down where the machine refuses, and a figure
//! must not be told under another way's name.

use nic::XdpMode;

use crate::BenchError;

/// What a port over AF_XDP calls its mode.
#[must_use]
pub const fn mode_name(mode: XdpMode) -> &'static str {
    match mode {
        XdpMode::ZeroCopy => "xdp zero-copy",
        XdpMode::Native => "xdp native",
        XdpMode::Generic => "xdp generic",
    }
}

/// Whether a port works as it was meant to; if not, its subject is skipped.
pub fn works_by(mode: &str, wanted: &str) -> Result<(), BenchError> {
    if mode == wanted {
        return Ok(());
    }
    let why = format!("the port works by {mode} here, not by {wanted}");
    Err(BenchError::Skipped(why))
}
