//! Keeping up with a venue that runs.

#[cfg(feature = "history")]
use crate::history::{Keeping, Kept};
use crate::{Error, Location, Projector};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long one waits when nothing came.
const IDLE: Duration = Duration::from_millis(20);

/// How long the last look at what came takes at most.
const LAST_MAX: Duration = Duration::from_secs(10);

/// How long one waits before a database that failed is opened again.
const AGAIN: Duration = Duration::from_secs(1);

/// How long one waits before days that could not be kept are tried again.
#[cfg(feature = "history")]
const KEEP_AGAIN: Duration = Duration::from_secs(60);

/// Who hears of what goes on.
pub trait Listener {
    /// So many events came by a turn that took so long.
    fn came(&mut self, events: u64, took: Duration);

    /// Something does not go on; it is tried again.
    fn trouble(&mut self, error: &Error);

    /// Days were written into files, or moved there.
    #[cfg(feature = "history")]
    fn kept(&mut self, kept: &Kept) {
        let _ = kept;
    }
}

/// What is followed, and where to.
#[derive(Clone, Debug)]
pub struct Following {
    /// The venue's data directory.
    pub data_dir: PathBuf,
    /// The tables.
    pub location: Location,
    /// What becomes of days that are over, if anything.
    #[cfg(feature = "history")]
    pub keeping: Option<Keeping>,
}

/// Projects what comes until `is_stopped`, and then what is there.
///
/// A database that is full or stalled is tried again and again, and so are a server that is away
/// and a page that its writer may still be writing; `tell` hears of each trouble once.
///
/// # Errors
/// The database cannot be opened at all, and no server is waited for.
pub fn follow(
    following: &Following,
    is_stopped: &AtomicBool,
    listener: &mut dyn Listener,
) -> Result<(), Error> {
    let open = || Projector::open(&following.data_dir, &following.location);
    let mut told = String::new();
    let mut trouble = |listener: &mut dyn Listener, error: &Error| {
        let words = error.to_string();
        if words != told {
            listener.trouble(error);
            told = words;
        }
    };
    let mut projector = match open() {
        Ok(projector) => Some(projector),
        Err(error @ Error::Server(_)) => {
            trouble(listener, &error);
            None
        }
        Err(error) => return Err(error),
    };
    #[cfg(feature = "history")]
    let mut keeper = Keeper::default();
    while !is_stopped.load(Ordering::Relaxed) {
        let Some(present) = &mut projector else {
            sleep(AGAIN);
            match open() {
                Ok(opened) => projector = Some(opened),
                Err(error) => trouble(listener, &error),
            }
            continue;
        };
        let begun = Instant::now();
        match present.turn() {
            Ok(turn) => {
                listener.came(turn.events, begun.elapsed());
                if let Some(error) = &turn.trouble {
                    trouble(listener, error);
                }
                if turn.events == 0 {
                    sleep(IDLE);
                }
            }
            Err(error) => {
                trouble(listener, &error);
                projector = None;
                continue;
            }
        }
        #[cfg(feature = "history")]
        if let Err(error) = keeper.keep(present, following, listener) {
            trouble(listener, &error);
            // A transaction of it may have failed.
            projector = None;
        }
    }
    if let Some(mut present) = projector {
        last(&mut present, listener)?;
    }
    Ok(())
}

/// When days are kept: once a day begins, as the one before it is over then.
#[cfg(feature = "history")]
#[derive(Default)]
struct Keeper {
    /// The last day that began when they were.
    day: Option<String>,
    /// When they could not be.
    failed: Option<Instant>,
}

#[cfg(feature = "history")]
impl Keeper {
    fn keep(
        &mut self,
        projector: &Projector,
        following: &Following,
        listener: &mut dyn Listener,
    ) -> Result<(), Error> {
        let Some(keeping) = &following.keeping else {
            return Ok(());
        };
        let is_too_early = self.failed.is_some_and(|it| it.elapsed() < KEEP_AGAIN);
        if projector.day() == self.day.as_deref() || is_too_early {
            return Ok(());
        }
        self.failed = Some(Instant::now());
        let kept = keeping.apply(projector.tables(), &following.location)?;
        self.failed = None;
        self.day = projector.day().map(str::to_owned);
        if kept.written + kept.moved > 0 {
            listener.kept(&kept);
        }
        Ok(())
    }
}

/// Takes what is there; a venue that goes on may add more and more to it.
fn last(projector: &mut Projector, listener: &mut dyn Listener) -> Result<(), Error> {
    let begun = Instant::now();
    while begun.elapsed() < LAST_MAX {
        let turn_begun = Instant::now();
        let turn = projector.turn()?;
        listener.came(turn.events, turn_begun.elapsed());
        if turn.events == 0 {
            break;
        }
    }
    Ok(())
}
