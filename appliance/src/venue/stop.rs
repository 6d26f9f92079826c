//! What the system tells a process by signals.
//!
//! SIGTERM and SIGINT are heard by a thread of their own, so that nothing else is ever interrupted.

use super::StartError;
use std::cell::RefCell;
use std::os::unix::thread::JoinHandleExt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Tells the thread that hears signals to look whether it is to end.
const LOOK: i32 = libc::SIGUSR1;

/// What a request means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The process ends at once.
    Starting,
    /// The same, and the thread is to end when it is told to look.
    Pausing,
    /// The receiver is told.
    Started,
}

/// What the operator asks the process to do.
#[derive(Debug)]
pub struct StopRequests {
    requests: Receiver<i32>,
    stage: Arc<Mutex<Stage>>,
    /// The thread, if there is one, and the way from there to us.
    thread: RefCell<Option<(JoinHandle<()>, Sender<i32>)>>,
}

impl StopRequests {
    /// Takes the two signals away from their usual meaning, for this thread and all it starts: call
    /// it first. A file that may not grow becomes an error of the write instead of a signal.
    ///
    /// Until [`Self::started`] a request ends the process at once with status 0: nothing was
    /// acknowledged yet, and recovery only reads.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn listen() -> Result<Self, StartError> {
        blocked()?;
        // SAFETY: SIGXFSZ has no handler that anything relies on; ignoring it is all that is asked.
        unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
        let (sender, requests) = channel();
        let stage = Arc::new(Mutex::new(Stage::Starting));
        let thread = started(sender.clone(), Arc::clone(&stage))?;
        Ok(Self {
            requests,
            stage,
            thread: RefCell::new(Some((thread, sender))),
        })
    }

    /// Requests that this process makes itself: the other end asks by sending anything.
    #[must_use]
    pub fn own() -> (Sender<i32>, Self) {
        let (sender, requests) = channel();
        let own = Self {
            requests,
            stage: Arc::new(Mutex::new(Stage::Started)),
            thread: RefCell::new(None),
        };
        (sender, own)
    }

    /// Does something while there is no thread of ours, during the start. Signals wait meanwhile.
    ///
    /// # Errors
    /// As [`Self::listen`].
    pub(super) fn pause<R>(&self, act: impl FnOnce() -> R) -> Result<R, StartError> {
        let Some((thread, sender)) = self.thread.take() else {
            return Ok(act());
        };
        *stage_of(&self.stage) = Stage::Pausing;
        // SAFETY: the thread was not joined, so its handle is good.
        unsafe { libc::pthread_kill(thread.as_pthread_t(), LOOK) };
        // It has nothing to say at its end.
        let _ = thread.join();
        let done = act();
        *stage_of(&self.stage) = Stage::Starting;
        let thread = started(sender.clone(), Arc::clone(&self.stage))?;
        *self.thread.borrow_mut() = Some((thread, sender));
        Ok(done)
    }

    /// From now on requests are only told by the receiver.
    pub fn started(&self) -> &Receiver<i32> {
        *stage_of(&self.stage) = Stage::Started;
        &self.requests
    }
}

fn stage_of(stage: &Mutex<Stage>) -> MutexGuard<'_, Stage> {
    stage.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the thread that hears signals.
fn started(sender: Sender<i32>, stage: Arc<Mutex<Stage>>) -> Result<JoinHandle<()>, StartError> {
    let set = blocked()?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || wait(&set, &sender, &stage))
        .map_err(|e| StartError::of("signal thread", &e))
}

/// Blocks the signals in this thread; gives them.
fn blocked() -> Result<libc::sigset_t, StartError> {
    // SAFETY: a signal set is plain data; `sigemptyset` makes it valid before it is read.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` is ours for the duration of the call.
    unsafe { libc::sigemptyset(&raw mut set) };
    for signal in [libc::SIGTERM, libc::SIGINT, LOOK] {
        // SAFETY: `set` was initialised above and `signal` is a signal's number.
        unsafe { libc::sigaddset(&raw mut set, signal) };
    }
    // SAFETY: `set` is initialised; the old mask is not asked for.
    let failed =
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
    if failed != 0 {
        let error = std::io::Error::from_raw_os_error(failed);
        return Err(StartError::of("signal mask", &error));
    }
    Ok(set)
}

fn wait(set: &libc::sigset_t, sender: &Sender<i32>, stage: &Mutex<Stage>) {
    loop {
        let mut signal = 0;
        // SAFETY: `set` is initialised and its signals are blocked in every thread.
        let failed = unsafe { libc::sigwait(set, &raw mut signal) };
        if failed != 0 {
            continue;
        }
        let now = stage_of(stage);
        match (signal, *now) {
            (LOOK, Stage::Pausing) => return,
            (LOOK, _) => {}
            (_, Stage::Starting | Stage::Pausing) => {
                eprintln!("wirecross: asked to stop while starting: nothing was begun");
                std::process::exit(0);
            }
            (_, Stage::Started) => {
                drop(now);
                if sender.send(signal).is_err() {
                    return;
                }
            }
        }
    }
}
