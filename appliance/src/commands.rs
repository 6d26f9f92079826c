//! The program's commands, one file each: `Args` is what it takes, `run` does it.

pub mod book;
pub mod control;
pub mod demo;
pub mod load;
pub mod replay;
pub mod run;
pub mod top;
pub mod topology;

/// The cores that the system lets this process use.
#[must_use]
pub fn cores_usable() -> Vec<usize> {
    core_affinity::get_core_ids()
        .unwrap_or_default()
        .iter()
        .map(|core| core.id)
        .collect()
}
