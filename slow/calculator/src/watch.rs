//! Long work: how far it is, and whether it shall stop.

use std::io::{IsTerminal, Write, stderr};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use quant::montecarlo::Progress;

use crate::Refused;

/// The word that stops long work, from any thread.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Says it, for all that was given a clone.
    pub fn stop(&self) {
        // Only the flag itself is looked at.
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Told of progress, asked whether to go on.
pub(crate) struct Watch {
    is_stopped: Arc<AtomicBool>,
    /// Whether signals are heard, and progress is shown.
    is_program: bool,
    is_seen: bool,
}

impl Watch {
    /// Of the program, which a signal ends until long work begins.
    pub fn new() -> Self {
        Self {
            is_stopped: Arc::default(),
            is_program: true,
            is_seen: stderr().is_terminal(),
        }
    }

    /// Long work begins, and tells how far it is: from now on Ctrl-C and SIGTERM ask for its end
    /// instead of the program's.
    ///
    /// # Errors
    /// The system does not hand over signals.
    pub fn begin(&self) -> Result<(), Refused> {
        if !self.is_program {
            return Ok(());
        }
        for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
            // The second time it ends the program at once.
            signal_hook::flag::register_conditional_shutdown(signal, 130, self.is_stopped.clone())
                .and_then(|_| signal_hook::flag::register(signal, self.is_stopped.clone()))
                .map_err(|error| Refused(format!("signal {signal}: {error}")))?;
        }
        Ok(())
    }

    /// Asks for the end of long work when the word is said, and tells nobody how far it is.
    pub fn of(stop: &Stop) -> Self {
        Self {
            is_stopped: Arc::clone(&stop.0),
            is_program: false,
            is_seen: false,
        }
    }

    pub fn is_stopped(&self) -> bool {
        // Only the flag itself is looked at.
        self.is_stopped.load(Ordering::Relaxed)
    }

    /// Whether to go on, for work that does not know how far it is.
    pub fn goes_on(&self) -> ControlFlow<()> {
        if self.is_stopped() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// Says on a terminal how far work is, each time that another hundredth is done.
    pub fn on(&self, progress: Progress) -> ControlFlow<()> {
        let percent = |done: u64| done * 100 / progress.parts.max(1);
        let is_end = progress.done == progress.parts || self.is_stopped();
        if self.is_seen && percent(progress.done) > percent(progress.done.saturating_sub(1)) {
            let _ = write!(stderr(), "\r{:3} %", percent(progress.done));
        }
        if self.is_seen && is_end {
            let _ = write!(stderr(), "\r     \r");
        }
        self.goes_on()
    }
}
