//! What the system tells a process by signals.
//!
//! SIGTERM and SIGINT are heard by a thread of their own, so that nothing else is ever interrupted.

use super::StartError;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

/// What the operator asks the process to do.
#[derive(Debug)]
pub struct StopRequests {
    requests: Receiver<i32>,
    is_starting: Arc<Mutex<bool>>,
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
        let set = blocked()?;
        // SAFETY: SIGXFSZ has no handler that anything relies on; ignoring it is all that is asked.
        unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
        let (sender, requests) = channel();
        let is_starting = Arc::new(Mutex::new(true));
        let for_thread = Arc::clone(&is_starting);
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || wait(&set, &sender, &for_thread))
            .map_err(|e| StartError::of("signal thread", &e))?;
        Ok(Self {
            requests,
            is_starting,
        })
    }

    /// Requests that this process makes itself: the other end asks by sending anything.
    #[must_use]
    pub fn own() -> (Sender<i32>, Self) {
        let (sender, requests) = channel();
        let is_starting = Arc::new(Mutex::new(false));
        let own = Self {
            requests,
            is_starting,
        };
        (sender, own)
    }

    /// From now on requests are only told by the receiver.
    pub fn started(&self) -> &Receiver<i32> {
        *self
            .is_starting
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = false;
        &self.requests
    }
}

/// Blocks both signals in this thread.
fn blocked() -> Result<libc::sigset_t, StartError> {
    // SAFETY: a signal set is plain data; `sigemptyset` makes it valid before it is read.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` is ours for the duration of the call.
    unsafe { libc::sigemptyset(&raw mut set) };
    for signal in [libc::SIGTERM, libc::SIGINT] {
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

fn wait(set: &libc::sigset_t, sender: &Sender<i32>, is_starting: &Mutex<bool>) {
    loop {
        let mut signal = 0;
        // SAFETY: `set` is initialised and its signals are blocked in every thread.
        let failed = unsafe { libc::sigwait(set, &raw mut signal) };
        if failed != 0 {
            continue;
        }
        let starting = is_starting.lock().unwrap_or_else(PoisonError::into_inner);
        if *starting {
            eprintln!("wirecross: asked to stop while starting: nothing was begun");
            std::process::exit(0);
        }
        drop(starting);
        if sender.send(signal).is_err() {
            return;
        }
    }
}
