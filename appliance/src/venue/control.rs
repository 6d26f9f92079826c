//! The operator's socket: `control` in the data directory takes a line of [`word`] on each
//! connection and answers whether it was taken. Who may write to the directory may command the
//! venue.
//!
//! A command that is taken goes the way of all commands: it is numbered, journaled and applied, and
//! what the engine makes of it shows in its events.

use super::word;
use crate::tiles::{Phase, Signals};
use crate::topology::Topology;
use queue::Writer;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;
use wire::ring::Command;

/// The socket's name in the data directory.
const SOCKET: &str = "control";

/// The longest line.
const LINE_BYTES_MAX: u64 = 256;

/// How long an operator may take to say or hear a line.
const PATIENCE: Duration = Duration::from_secs(2);

/// Time between two looks at the socket: nobody is in a hurry here.
const LOOK: Duration = Duration::from_millis(5);

/// The answer to a line that was taken.
const TAKEN: &str = "taken";

/// The venue's end of the socket.
pub(super) struct Control<'t> {
    listener: UnixListener,
    path: PathBuf,
    commands: Writer<Command>,
    topology: &'t Topology,
}

impl<'t> Control<'t> {
    /// Opens the socket of a data directory that this process holds; what a dead process left there
    /// is taken away.
    pub(super) fn open(topology: &'t Topology, commands: Writer<Command>) -> io::Result<Self> {
        let path = topology.data_dir.join(SOCKET);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener,
            path,
            commands,
            topology,
        })
    }

    /// Hears operators until the venue stopped.
    pub(super) fn serve(mut self, signals: &Signals) {
        while signals.phase() != Phase::Stopped {
            match self.listener.accept() {
                // An operator who went away is not worth a word.
                Ok((stream, _)) => drop(self.hear(stream)),
                Err(_) => std::thread::sleep(LOOK),
            }
        }
        // The next start takes it away if it stays.
        let _ = std::fs::remove_file(&self.path);
    }

    fn hear(&mut self, mut stream: UnixStream) -> io::Result<()> {
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut line = String::new();
        BufReader::new((&mut stream).take(LINE_BYTES_MAX)).read_line(&mut line)?;
        let answer = match word::command(&line, self.topology) {
            Ok(command) if self.commands.put(0, &command).is_ok() => TAKEN.to_owned(),
            Ok(_) => "too many words at once: say it again".to_owned(),
            Err(error) => error,
        };
        self.commands.publish();
        writeln!(stream, "{answer}")
    }
}

/// Says a line to the venue of a data directory.
///
/// # Errors
/// Nobody hears it, or what is wrong with it.
pub fn say(data_dir: &Path, line: &str) -> Result<(), String> {
    let path = data_dir.join(SOCKET);
    let failed = |error: io::Error| format!("{}: {error}; is the venue running?", path.display());
    let mut stream = UnixStream::connect(&path).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    writeln!(stream, "{line}").map_err(failed)?;
    let mut answer = String::new();
    BufReader::new(stream)
        .read_line(&mut answer)
        .map_err(failed)?;
    match answer.trim_end() {
        TAKEN => Ok(()),
        other => Err(other.to_owned()),
    }
}
