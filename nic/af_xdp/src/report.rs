//! What the kernel granted, so that nothing falls back in silence.

use std::fmt;
use std::io;

use crate::umem::Pages;

/// What the kernel said to an option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    /// It was not asked.
    #[default]
    NotAsked,
    /// It is this now, as read back.
    Is(u32),
    /// It accepted this; it cannot be read back.
    Accepted(u32),
    /// It refused, with this error number.
    Refused(i32),
}

/// The answers about busy polling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BusyPollReport {
    /// SO_PREFER_BUSY_POLL.
    pub prefer: Answer,
    /// SO_BUSY_POLL, in microseconds.
    pub micros: Answer,
    /// SO_BUSY_POLL_BUDGET, in frames.
    pub budget: Answer,
}

/// What a socket got. Displayed, it is a few words on one line for a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Entries of each ring.
    pub depth: u32,
    /// The pages of the memory.
    pub pages: Option<Pages>,
    /// Whether the card reads and writes the memory itself.
    pub zero_copy: bool,
    /// The error number for which zero-copy was not had, if it was tried.
    pub copy_because: Option<i32>,
    /// Whether the socket shares its memory's registration with another one, and so its way of
    /// copying.
    pub joined: bool,
    /// Whether long packets were asked to come in parts.
    pub multi_buffer: bool,
    /// Busy polling.
    pub busy_poll: BusyPollReport,
    /// XDP_MAX_TX_SKB_BUDGET.
    pub tx_budget: Answer,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::NotAsked => write!(f, "not asked"),
            Answer::Is(value) => write!(f, "{value}"),
            Answer::Accepted(value) => write!(f, "{value} accepted"),
            Answer::Refused(errno) => {
                write!(f, "refused: {}", io::Error::from_raw_os_error(*errno))
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.zero_copy { "zero-copy" } else { "copy" })?;
        if let Some(errno) = self.copy_because {
            let error = io::Error::from_raw_os_error(errno);
            write!(f, " (zero-copy refused: {error})")?;
        }
        write!(f, ", rings of {}", self.depth)?;
        match self.pages {
            Some(Pages::Huge) => write!(f, ", huge pages")?,
            Some(Pages::Small) => write!(f, ", small pages")?,
            Some(Pages::SmallInstead(errno)) => {
                let error = io::Error::from_raw_os_error(errno);
                write!(f, ", small pages (huge ones refused: {error})")?;
            }
            None => {}
        }
        if self.joined {
            write!(f, ", memory shared with another queue")?;
        }
        if self.multi_buffer {
            write!(f, ", long packets in parts")?;
        }
        if self.busy_poll != BusyPollReport::default() {
            let BusyPollReport {
                prefer,
                micros,
                budget,
            } = self.busy_poll;
            write!(
                f,
                ", busy poll: prefer {prefer}, {micros} us, budget {budget}"
            )?;
        }
        if self.tx_budget != Answer::NotAsked {
            write!(f, ", TX budget {}", self.tx_budget)?;
        }
        Ok(())
    }
}
