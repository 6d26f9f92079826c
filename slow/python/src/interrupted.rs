//! Whether Python was interrupted while a long call ran beside it.

use std::ops::ControlFlow;

use pyo3::prelude::*;
use quant::Fault;

use crate::arrays::refused;

/// Asks Python now and then: asking waits for those of its threads that run.
pub(crate) struct Interrupted {
    every: u64,
    asked: u64,
    raised: Option<PyErr>,
}

impl Interrupted {
    /// Asks each time that it was told this often.
    pub(crate) fn every(every: u64) -> Self {
        Self {
            every,
            asked: 0,
            raised: None,
        }
    }

    /// Whether to go on.
    pub(crate) fn ask(&mut self) -> ControlFlow<()> {
        self.asked += 1;
        if !self.asked.is_multiple_of(self.every) {
            return ControlFlow::Continue(());
        }
        match Python::attach(|py| py.check_signals()) {
            Ok(()) => ControlFlow::Continue(()),
            Err(raised) => {
                self.raised = Some(raised);
                ControlFlow::Break(())
            }
        }
    }

    /// What was found, unless Python was interrupted meanwhile.
    pub(crate) fn end<T>(self, found: Result<T, Fault>) -> PyResult<T> {
        self.raised.map_or(Ok(()), Err)?;
        found.map_err(refused)
    }
}
