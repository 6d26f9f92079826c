//! The program's commands, one file each: `Args` is what it takes, `run` does it.

pub mod book;
pub mod control;
pub mod demo;
pub mod doctor;
pub mod host;
pub mod jitter;
pub mod load;
pub mod profile;
pub mod replay;
pub mod run;
pub mod top;
pub mod topology;
pub mod tune;

/// The cores that the system lets this process use.
#[must_use]
pub fn cores_usable() -> Vec<usize> {
    core_affinity::get_core_ids()
        .unwrap_or_default()
        .iter()
        .map(|core| core.id)
        .collect()
}

/// Prints to stdout; that nobody reads any more is the reader's choice.
fn say(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
