//! Work whose panic ends it alone, and not the thread that does it: whoever asked is told, and the
//! next one is answered. The programs unwind (`panic` of their profiles).

use crate::answer::Refusal;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

/// Panics that there were.
static PANICS: Mutex<u64> = Mutex::new(0);

/// What work comes to. It must leave nothing half done behind that others go on with: what it holds
/// locked is taken as it stands.
///
/// # Errors
/// Its own, or that it panicked.
pub(crate) fn done<T>(what: &str, work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        *PANICS.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        tracing::error!(what, "a panic: the request is refused, the thread goes on");
        Err(Refusal::Internal)
    })
}

/// Panics that there were.
pub(crate) fn panics() -> u64 {
    *PANICS.lock().unwrap_or_else(PoisonError::into_inner)
}
