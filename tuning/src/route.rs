//! Interrupts on their way back.
//!
//! The kernel leaves an interrupt where it is as long as that is among the processors where it may
//! go. So one that was sent elsewhere stays there when all are allowed again: it comes back only if
//! for a moment nothing else is allowed, and if it arrives in that moment.

use crate::change::Change;
use crate::host::Host;
use std::io;
use std::time::{Duration, Instant};

/// The longest wait for an interrupt to arrive; those that moved arrive often.
const PATIENCE: Duration = Duration::from_millis(500);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(1);

/// Where the interrupt of this file really goes, if the kernel says.
pub(crate) fn arrives(host: &Host, path: &str) -> Option<String> {
    let folder = path.strip_suffix("/smp_affinity_list")?;
    let text = host.read(&format!("{folder}/effective_affinity_list"));
    text.ok().filter(|text| !text.is_empty())
}

/// Whether an interrupt goes where it went before; true of all other changes.
pub(crate) fn is_back(host: &Host, change: &Change) -> bool {
    let Change::Route { path, arrived, .. } = change else {
        return true;
    };
    arrives(host, path).is_none_or(|now| now == *arrived)
}

/// Says so if an interrupt may go where it might before, but does not go where it went.
pub(crate) fn remark(host: &Host, change: &Change) -> String {
    match change {
        Change::Route { path, arrived, .. } if !is_back(host, change) => {
            let now = arrives(host, path).unwrap_or_default();
            format!("it still arrives on {now}, not on {arrived}: none came in time to move it")
        }
        _ => String::new(),
    }
}

/// Lets an interrupt go where it might before, by way of where it went.
pub(crate) fn put_back(host: &Host, change: &Change) -> io::Result<()> {
    let Change::Route {
        path,
        restore,
        arrived,
        ..
    } = change
    else {
        return Ok(());
    };
    if !is_back(host, change) {
        host.write(path, arrived)?;
        let since = Instant::now();
        while !is_back(host, change) && since.elapsed() < PATIENCE {
            std::thread::sleep(PAUSE);
        }
    }
    host.write(path, restore)
}
