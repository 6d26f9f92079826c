//! The operator's socket: `control` in the data directory takes a line of [`word`] on each
//! connection and answers what became of it. Who may write to the directory may command the venue.
//!
//! A command goes the way of all commands: it is numbered, journaled and applied. What the engine
//! made of it is told when it is on disk, because then it stays so.

use super::{answer, remark, word};
use crate::tiles::{Phase, Signals, is_about};
use crate::topology::Topology;
use queue::{Reader, Writer};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wire::ring::{Command, Event, EventKind};

/// The socket's name in the data directory.
const SOCKET: &str = "control";

/// The longest line: a word, and why it is said.
const LINE_BYTES_MAX: u64 = 256 + WHY_BYTES_MAX as u64;

/// The longest reason.
const WHY_BYTES_MAX: usize = 200;

/// Between the word and the reason of a line.
const BECAUSE: char = '\t';

const _: () = assert!(LINE_BYTES_MAX as usize + NO_REASON.len() <= remark::LETTERS_MAX);

/// What is written down where no reason was given.
const NO_REASON: &str = "no reason given";

/// How long an operator may take to say or hear a line.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long the engine and the disk may take for an answer.
const ANSWER: Duration = Duration::from_secs(5);

/// How long who asked waits for it.
const HEARING: Duration = Duration::from_secs(10);

/// Time between two looks at the socket: nobody is in a hurry here.
const LOOK: Duration = Duration::from_millis(2);

/// The first line of the answer to a word that was obeyed; what became of it follows.
const TAKEN: &str = "taken";

/// An operator's two rings: commands to the engine, and its answers; and whom its words may be
/// about.
pub struct Operator {
    /// With the users that came in the running day.
    topology: Topology,
    /// The place of the user that the last word is to bring.
    coming: Option<u16>,
    commands: Writer<Command>,
    answers: Reader<Event>,
    /// Commands whose last answer did not come yet.
    unanswered: u64,
    told: Vec<Event>,
}

impl Operator {
    /// An operator who said nothing yet.
    #[must_use]
    pub const fn new(
        topology: Topology,
        commands: Writer<Command>,
        answers: Reader<Event>,
    ) -> Self {
        Self {
            topology,
            coming: None,
            commands,
            answers,
            unanswered: 0,
            told: Vec::new(),
        }
    }

    /// The topology, with the users that came in the running day.
    #[must_use]
    pub const fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it, and what to write.
    pub fn read(&self, line: &str) -> Result<word::Said, String> {
        word::read(line, &self.topology)
    }

    /// Hands on all that a word says; `false` when there is no room.
    pub fn say(&mut self, said: &word::Said) -> bool {
        self.coming = said.named.as_ref().map(|_| said.command.session);
        for command in said.ahead.iter().chain([&said.command]) {
            if !self.ask(command) {
                return false;
            }
            // From the first command on the place is nobody else's.
            if let Some(session) = self.coming {
                self.topology.seat(session, None);
            }
        }
        self.topology
            .seat(said.command.session, said.named.as_ref());
        true
    }

    /// Hands on a command; `false` when there is no room.
    pub fn ask(&mut self, command: &Command) -> bool {
        if self.unanswered == 0 {
            self.told.clear();
        }
        let is_put = self.commands.put(0, command).is_ok();
        self.commands.publish();
        self.unanswered += u64::from(is_put);
        is_put
    }

    /// Takes what came. When nothing is unanswered any more, gives the input's number and the
    /// events of the last command.
    pub fn heard(&mut self) -> Option<(u64, &[Event])> {
        let mut last = None;
        while let Some((sequence, event)) = self.answers.pop() {
            if self.unanswered == 1 {
                self.told.push(event);
            }
            if event.has(Event::LAST) {
                self.unanswered -= 1;
                last = (self.unanswered == 0).then_some(sequence);
            }
        }
        let is_refused = |event: &Event| event.kind == EventKind::Refused as u8;
        if last.is_some()
            && let Some(session) = self.coming.take()
            && self.told.iter().any(is_refused)
        {
            // It was not defined: another word may have its place.
            self.topology.vacate(session);
        }
        last.map(|sequence| (sequence, self.told.as_slice()))
    }
}

/// The venue's end of the socket.
pub(super) struct Control {
    listener: UnixListener,
    path: PathBuf,
    operator: Operator,
}

impl Control {
    /// Opens the socket of a data directory that this process holds; what a dead process left there
    /// is taken away.
    pub(super) fn open(operator: Operator) -> io::Result<Self> {
        let path = operator.topology().data_dir.join(SOCKET);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener,
            path,
            operator,
        })
    }

    /// Hears operators until the venue stopped.
    pub(super) fn serve(mut self, signals: &Signals) {
        while signals.phase() != Phase::Stopped {
            match self.listener.accept() {
                // An operator who went away is not worth a word.
                Ok((stream, _)) => drop(self.hear(stream, signals)),
                Err(_) => std::thread::sleep(LOOK),
            }
        }
        // The next start takes it away if it stays.
        let _ = std::fs::remove_file(&self.path);
    }

    fn hear(&mut self, mut stream: UnixStream, signals: &Signals) -> io::Result<()> {
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut line = Vec::new();
        BufReader::new((&mut stream).take(LINE_BYTES_MAX)).read_until(b'\n', &mut line)?;
        let user = remark::user_of(&stream)?;
        let told = whole(&line).and_then(|line| self.act(line, user, signals));
        let answer = match told {
            Ok(lines) => [vec![TAKEN.to_owned()], lines].concat().join("\n"),
            Err(error) => error,
        };
        writeln!(stream, "{answer}")
    }

    /// Does what a line says, and writes down whose it is.
    fn act(&mut self, line: &str, user: u32, signals: &Signals) -> Result<Vec<String>, String> {
        let (word, why) = line.split_once(BECAUSE).unwrap_or((line, NO_REASON));
        let said = self.operator.read(word)?;
        let act = format!("{}: {}", word.trim(), why.trim());
        self.write_down(&act, user, signals)?;
        self.obey(&said, signals)
    }

    /// Puts the letters of an act ahead of it.
    fn write_down(&mut self, act: &str, user: u32, signals: &Signals) -> Result<(), String> {
        if signals.phase() != Phase::Running {
            return Err("the venue is ending and takes no more words".to_owned());
        }
        for piece in remark::pieces(act, user) {
            if !self.operator.ask(&piece) {
                return Err("too many words at once: say it again".to_owned());
            }
        }
        Ok(())
    }

    /// What became of a command, once that is on disk.
    fn obey(&mut self, said: &word::Said, signals: &Signals) -> Result<Vec<String>, String> {
        let command = &said.command;
        if !self.operator.say(said) {
            return Err("too many words at once: say it again".to_owned());
        }
        let bound = Instant::now() + ANSWER;
        let mut sequence = None;
        loop {
            sequence = sequence.or_else(|| self.operator.heard().map(|it| it.0));
            if sequence.is_some_and(|it| it <= signals.durable()) {
                break;
            }
            if Instant::now() > bound || signals.phase() == Phase::Stopped {
                return Err(format!(
                    "no answer within {} s: the venue is ending, its disk is full or slow; whether \
                     the word counts is in its feed",
                    ANSWER.as_secs()
                ));
            }
            std::thread::sleep(LOOK);
        }
        self.operator.told.retain(|event| is_about(event, command));
        answer::lines(command, &self.operator.told, self.operator.topology())
    }
}

/// The line without its end. One that was cut off might say something else than the whole of it:
/// `mass-cancel user ALPHA`, and not of which account.
fn whole(line: &[u8]) -> Result<&str, String> {
    let ended = line.strip_suffix(b"\n").ok_or_else(|| {
        format!("a word and its reason are one whole line of at most {LINE_BYTES_MAX} bytes")
    })?;
    str::from_utf8(ended).map_err(|_| "a word and its reason are text in UTF-8".to_owned())
}

/// Says a word to the venue of a data directory, and why; gives what became of it.
///
/// # Errors
/// Nobody hears it, what is wrong with it, or why the engine refused it.
pub fn say(data_dir: &Path, word: &str, why: Option<&str>) -> Result<String, String> {
    let why = why.unwrap_or(NO_REASON);
    if why.trim().is_empty() || why.len() > WHY_BYTES_MAX || why.contains(['\n', BECAUSE]) {
        return Err(format!(
            "a reason is one line of up to {WHY_BYTES_MAX} bytes that says something"
        ));
    }
    // The reason would stand on a line that nobody reads.
    if word.contains('\n') {
        return Err("a word and what it is about are one line".to_owned());
    }
    let line = format!("{}{BECAUSE}{why}", word.replace(BECAUSE, " "));
    let path = data_dir.join(SOCKET);
    let failed = |error: io::Error| format!("{}: {error}; is the venue running?", path.display());
    let mut stream = UnixStream::connect(&path).map_err(failed)?;
    stream.set_read_timeout(Some(HEARING)).map_err(failed)?;
    writeln!(stream, "{line}").map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed)?;
    match answer.strip_prefix(TAKEN) {
        Some(told) => Ok(told.trim().to_owned()),
        None => Err(answer.trim_end().to_owned()),
    }
}
