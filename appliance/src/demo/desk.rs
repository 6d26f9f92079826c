//! The desk's process in a demo: three strategies on symbols of the venue.

use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError};

use super::Plan;
use super::venue::{VenueProcess, lines_of, terminate};
use crate::client::members::Login;

/// Its file, as it stands in the folder of strategies.
const STRATEGY: &str = include_str!("../../strategies/demo.toml");
/// Symbols of the flow that it trades, from the first on.
pub const SYMBOLS: u16 = 3;
/// What a desk prints when it may trade.
const READY: &str = "trading";

/// A running desk.
pub struct DeskProcess {
    child: Child,
    printed: Receiver<String>,
    lines: Vec<String>,
}

impl DeskProcess {
    /// Starts a desk that trades on a venue by the second line of its feed. Call it on the thread
    /// that entered the arena.
    ///
    /// # Errors
    /// What could not be done, in words.
    pub fn start(plan: &Plan, venue: &VenueProcess, login: &Login) -> Result<Self, String> {
        let path = plan.directory.join("desk.toml");
        std::fs::write(&path, STRATEGY).map_err(|e| format!("{}: {e}", path.display()))?;
        let key = plan.key_path(login);
        let program = std::env::current_exe().map_err(|error| format!("our program: {error}"))?;
        let mut command = Command::new(program);
        let option = |name: &str, value: String| [name.to_owned(), value];
        command.arg("desk").arg("--strategy").arg(&path).args(
            [
                option("--connect", venue.order_entry.to_string()),
                option("--login", format!("{}:@{}", login.user, key.display())),
                option("--a", plan.addresses.line_b.to_string()),
                option("--rerequest", venue.rerequest.to_string()),
                option("--interface", plan.addresses.ours.to_string()),
            ]
            .concat(),
        );
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let child = command.spawn();
        let mut child = child.map_err(|error| format!("starting the desk: {error}"))?;
        Ok(Self {
            printed: lines_of(&mut child),
            child,
            lines: Vec::new(),
        })
    }

    /// Takes what it printed; whether more may come.
    fn listen(&mut self) -> bool {
        loop {
            match self.printed.try_recv() {
                Ok(line) => self.lines.push(line),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    /// Whether it may trade.
    ///
    /// # Errors
    /// It ended; its own words are on stderr.
    pub fn is_ready(&mut self) -> Result<bool, String> {
        if !self.listen() {
            return Err("the desk ended before it traded".to_owned());
        }
        Ok(self.lines.iter().any(|line| line == READY))
    }

    /// Asks it to take its orders off and to end.
    pub fn terminate(&self) {
        terminate(&self.child);
    }

    /// Whether it has printed everything and ended.
    pub fn is_ended(&mut self) -> bool {
        !self.listen()
    }

    /// What it printed, behind its end.
    ///
    /// # Errors
    /// It failed.
    pub fn told(mut self) -> Result<Vec<String>, String> {
        let status = self.child.wait();
        let status = status.map_err(|error| format!("the desk: {error}"))?;
        if !status.success() {
            return Err(format!("the desk ended with {status}"));
        }
        Ok(core::mem::take(&mut self.lines))
    }
}

impl Drop for DeskProcess {
    fn drop(&mut self) {
        // Errors mean that it is gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
