//! The sequence numbers of one member's day, in a file of their own.
//!
//! Reports are not kept here: they are what the venue's numbered replies say, and are made again
//! from these. A line is one act, and an unfinished last one never happened:
//!
//! | line | is |
//! |---|---|
//! | `wirecross-fix 1` | the first line: format and version |
//! | `o TIME r N` | the next message out is the report of the venue's reply number N |
//! | `o TIME k N KIND FIELDS` | the same, of a report that only the request made whole: its MsgType
//! and fields |
//! | `o TIME l KIND FIELDS` | the next message out is one of the gateway's own, of that MsgType |
//! | `o TIME a` | the next message out is administrative and never sent again |
//! | `i N` | all messages in below N are done with |
//! | `c REF ID` | the member asked with ClOrdID ID to cancel the order REF |
//! | `n REF` | the venue refused the last of those cancels of REF outside its stream of replies |
//! | `u REF OLD` | the member asked for REF in the place of OLD |
//! | `m REF SCOPE ID` | the member asked with ClOrdID ID, and MassCancelRequestType SCOPE, for the
//! mass cancel REF |
//! | `z` | both sides begin anew at 1 |
//!
//! Times are nanoseconds since 1970.

use crate::message::Body;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

const FIRST_LINE: &str = "wirecross-fix 1";

/// What a number out was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The report of the venue's reply of that number.
    Report(u64),
    /// Such a report that cannot be made again: MsgType and fields.
    Kept(u64, String, Body),
    /// A message of the gateway's own: MsgType and fields.
    Own(String, Body),
    /// A message that is not sent again.
    Administrative,
}

/// What a member asked for and the venue's replies do not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To cancel an order, with this ClOrdID.
    Cancel(u32, String),
    /// Nothing any more: the last cancel of this order was refused outside the stream of replies.
    Refused(u32),
    /// For the first order in the place of the second.
    Replace(u32, u32),
    /// For a mass cancel, with this MassCancelRequestType and ClOrdID.
    Mass(u32, char, String),
}

/// Numbers of both directions, and the file that keeps them.
#[derive(Debug)]
pub struct Numbers {
    file: File,
    /// Lines not yet written.
    unwritten: String,
    /// By number out less one: when and what.
    sent: Vec<(u64, Sent)>,
    next_in: u64,
    /// What the file says of `next_in`.
    kept_in: u64,
    report_last: u64,
    asked: Vec<Asked>,
}

impl Numbers {
    /// Opens the file of a day, or makes it.
    ///
    /// # Errors
    /// As of the system; or a line of the file makes no sense, which is named.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let whole = text.rfind('\n').map_or(0, |at| at + 1);
        // What stands behind the last whole line was being written when the gateway died.
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::Start(whole as u64))?;
        let mut numbers = Self {
            file,
            unwritten: String::new(),
            sent: Vec::new(),
            next_in: 1,
            kept_in: 1,
            report_last: 0,
            asked: Vec::new(),
        };
        let mut lines = text[..whole].lines();
        match lines.next() {
            None => numbers.line(FIRST_LINE),
            Some(FIRST_LINE) => {}
            Some(other) => return Err(wrong(path, 1, other)),
        }
        for (index, line) in lines.enumerate() {
            let taken = numbers.take(line);
            taken.ok_or_else(|| wrong(path, index + 2, line))?;
        }
        Ok(numbers)
    }

    fn take(&mut self, line: &str) -> Option<()> {
        let (act, rest) = line.split_once(' ').unwrap_or((line, ""));
        match act {
            "o" => {
                let (time, what) = rest.split_once(' ')?;
                self.sent.push((time.parse().ok()?, sent(what)?));
                if let Some((_, Sent::Report(reply) | Sent::Kept(reply, ..))) = self.sent.last() {
                    self.report_last = *reply;
                }
            }
            "i" => {
                self.next_in = rest.parse().ok()?;
                self.kept_in = self.next_in;
            }
            "c" => {
                let (user_ref, id) = rest.split_once(' ')?;
                let asked = Asked::Cancel(user_ref.parse().ok()?, id.to_owned());
                self.asked.push(asked);
            }
            "n" => self.asked.push(Asked::Refused(rest.parse().ok()?)),
            "u" => {
                let (new, old) = rest.split_once(' ')?;
                let asked = Asked::Replace(new.parse().ok()?, old.parse().ok()?);
                self.asked.push(asked);
            }
            "m" => {
                let (user_ref, rest) = rest.split_once(' ')?;
                let (scope, id) = rest.split_once(' ')?;
                let (user_ref, scope) = (user_ref.parse().ok()?, scope.parse().ok()?);
                self.asked.push(Asked::Mass(user_ref, scope, id.to_owned()));
            }
            "z" if rest.is_empty() => self.forget(),
            _ => return None,
        }
        Some(())
    }

    fn forget(&mut self) {
        self.sent.clear();
        self.next_in = 1;
        self.kept_in = 1;
    }

    fn line(&mut self, line: &str) {
        self.unwritten.push_str(line);
        self.unwritten.push('\n');
    }

    /// Number of the next message out.
    #[must_use]
    pub fn next_out(&self) -> u64 {
        self.sent.len() as u64 + 1
    }

    /// Number of the next message in.
    #[must_use]
    pub const fn next_in(&self) -> u64 {
        self.next_in
    }

    /// What went out under a number, and when.
    #[must_use]
    pub fn sent(&self, number: u64) -> Option<&(u64, Sent)> {
        self.sent.get(usize::try_from(number.checked_sub(1)?).ok()?)
    }

    /// The last reply of the venue that was reported; 0 for none.
    #[must_use]
    pub const fn report_last(&self) -> u64 {
        self.report_last
    }

    /// What the file knew when it was opened of what the member asked for.
    pub fn take_asked(&mut self) -> Vec<Asked> {
        std::mem::take(&mut self.asked)
    }

    /// Uses the next number out.
    pub fn send(&mut self, time_ns: u64, what: Sent) -> u64 {
        let number = self.next_out();
        let line = match &what {
            Sent::Report(reply) => {
                self.report_last = *reply;
                format!("o {time_ns} r {reply}")
            }
            Sent::Kept(reply, kind, body) => {
                self.report_last = *reply;
                format!("o {time_ns} k {reply} {kind} {}", body.as_str())
            }
            Sent::Own(kind, body) => format!("o {time_ns} l {kind} {}", body.as_str()),
            Sent::Administrative => format!("o {time_ns} a"),
        };
        self.line(&line);
        self.sent.push((time_ns, what));
        number
    }

    /// Moves the next number in.
    pub const fn expect(&mut self, next_in: u64) {
        self.next_in = next_in;
    }

    /// All messages in below `done` are done with: after a restart they are not asked for again.
    pub fn done_below(&mut self, done: u64) {
        if done > self.kept_in {
            self.kept_in = done;
            self.line(&format!("i {done}"));
        }
    }

    /// Notes what a member asked for.
    pub fn ask(&mut self, asked: &Asked) {
        let line = match asked {
            Asked::Cancel(user_ref, id) => format!("c {user_ref} {id}"),
            Asked::Refused(user_ref) => format!("n {user_ref}"),
            Asked::Replace(new, old) => format!("u {new} {old}"),
            Asked::Mass(user_ref, scope, id) => format!("m {user_ref} {scope} {id}"),
        };
        self.line(&line);
    }

    /// Both sides begin anew at 1.
    pub fn reset(&mut self) {
        self.forget();
        self.line("z");
    }

    /// Writes what is new to the disk. Until then nothing of it may be sent.
    ///
    /// # Errors
    /// As of the system.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        self.file.write_all(self.unwritten.as_bytes())?;
        self.file.sync_data()?;
        self.unwritten.clear();
        Ok(())
    }
}

fn sent(what: &str) -> Option<Sent> {
    let (letter, rest) = what.split_once(' ').unwrap_or((what, ""));
    match letter {
        "r" => Some(Sent::Report(rest.parse().ok()?)),
        "k" => {
            let (reply, rest) = rest.split_once(' ')?;
            let (kind, body) = kind_and_body(rest)?;
            Some(Sent::Kept(reply.parse().ok()?, kind, body))
        }
        "l" => {
            let (kind, body) = kind_and_body(rest)?;
            Some(Sent::Own(kind, body))
        }
        "a" if rest.is_empty() => Some(Sent::Administrative),
        _ => None,
    }
}

fn kind_and_body(text: &str) -> Option<(String, Body)> {
    let (kind, fields) = text.split_once(' ')?;
    Some((kind.to_owned(), Body::from_sent(fields)))
}

fn wrong(path: &Path, line: usize, text: &str) -> io::Error {
    io::Error::other(format!(
        "{}, line {line}: `{text}` is not of this file's format; move the file away, and the \
         session begins anew",
        path.display()
    ))
}
