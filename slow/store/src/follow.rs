//! Keeping up with a venue that runs.

use crate::{Error, Location, Projector};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long one waits when nothing came.
const IDLE: Duration = Duration::from_millis(20);

/// How long the last look at what came takes at most.
const LAST_MAX: Duration = Duration::from_secs(10);

/// How long one waits before a database that failed is opened again.
const AGAIN: Duration = Duration::from_secs(1);

/// Projects what comes until `is_stopped`, and then what is there; `on` hears how many events came.
///
/// A database that is full or stalled is tried again and again, and so are a server that is away
/// and a page that its writer may still be writing; `tell` hears of each trouble once.
///
/// # Errors
/// The database cannot be opened at all, and no server is waited for.
pub fn follow(
    data_dir: &Path,
    location: &Location,
    is_stopped: &AtomicBool,
    on: &mut dyn FnMut(u64),
    tell: &mut dyn FnMut(&Error),
) -> Result<(), Error> {
    let mut told = String::new();
    let mut trouble = |error: &Error| {
        let words = error.to_string();
        if words != told {
            tell(error);
            told = words;
        }
    };
    let mut projector = match Projector::open(data_dir, location) {
        Ok(projector) => Some(projector),
        Err(error @ Error::Server(_)) => {
            trouble(&error);
            None
        }
        Err(error) => return Err(error),
    };
    while !is_stopped.load(Ordering::Relaxed) {
        let Some(present) = &mut projector else {
            sleep(AGAIN);
            match Projector::open(data_dir, location) {
                Ok(opened) => projector = Some(opened),
                Err(error) => trouble(&error),
            }
            continue;
        };
        match present.turn() {
            Ok(turn) => {
                on(turn.events);
                if let Some(error) = &turn.trouble {
                    trouble(error);
                }
                if turn.events == 0 {
                    sleep(IDLE);
                }
            }
            Err(error) => {
                trouble(&error);
                projector = None;
            }
        }
    }
    if let Some(mut present) = projector {
        last(&mut present, on)?;
    }
    Ok(())
}

/// Takes what is there; a venue that goes on may add more and more to it.
fn last(projector: &mut Projector, on: &mut dyn FnMut(u64)) -> Result<(), Error> {
    let begun = Instant::now();
    while begun.elapsed() < LAST_MAX {
        let turn = projector.turn()?;
        on(turn.events);
        if turn.events == 0 {
            break;
        }
    }
    Ok(())
}
