//! Who did what and why, in the journal: the letters of an operator's act stand ahead of it.

use session::order_entry::SETTING_COMMANDS_MAX;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use wire::ring::{Command, CommandKind, Input};

/// Letters of one piece.
const PIECE_LETTERS: usize = size_of_val(&Command::BLANK.client_id);

/// The most letters that are kept of an act.
pub(super) const LETTERS_MAX: usize = 512;

/// What a new user takes: its session, its hash, its networks, its name.
const USER_COMMANDS_MAX: usize = 2 * SETTING_COMMANDS_MAX + 2;

/// Pieces are numbered by a byte, and wait for the engine together with their act, which may be
/// several commands.
const _: () =
    assert!(LETTERS_MAX.div_ceil(PIECE_LETTERS) + USER_COMMANDS_MAX <= super::CONTROL_DEPTH);
const _: () = assert!(super::CONTROL_DEPTH <= u8::MAX as usize);

/// A text in pieces, said by a user of the system.
pub(super) fn pieces(text: &str, user: u32) -> impl Iterator<Item = Command> + '_ {
    let letters = &text.as_bytes()[..text.len().min(LETTERS_MAX)];
    let all = letters.chunks(PIECE_LETTERS).zip(0..);
    all.map(move |(letters, number)| {
        let mut client_id = [0; PIECE_LETTERS];
        client_id[..letters.len()].copy_from_slice(letters);
        Command {
            kind: CommandKind::Remark as u8,
            flags: number,
            user_ref: user,
            quantity: text.len().min(LETTERS_MAX) as u32,
            client_id,
            ..Command::BLANK
        }
    })
}

/// Puts pieces together again.
#[derive(Debug, Default)]
pub struct Remarks {
    letters: Vec<u8>,
}

impl Remarks {
    /// Takes an input: when it is the last piece of a text, gives whose it is and the text.
    pub fn take(&mut self, input: &Input) -> Option<(u32, String)> {
        let command = &input.command;
        if command.kind != CommandKind::Remark as u8 {
            return None;
        }
        if command.flags == 0 {
            self.letters.clear();
        }
        let wanted = command.quantity as usize;
        let more = wanted.saturating_sub(self.letters.len());
        let piece = &command.client_id[..more.min(PIECE_LETTERS)];
        self.letters.extend_from_slice(piece);
        let is_whole = self.letters.len() == wanted;
        is_whole.then(|| {
            let text = String::from_utf8_lossy(&self.letters).into_owned();
            (command.user_ref, text)
        })
    }
}

/// The user of the system at the other end of a socket, as the system says.
pub(super) fn user_of(stream: &UnixStream) -> io::Result<u32> {
    let mut credentials = libc::ucred {
        pid: 0,
        uid: 0,
        gid: 0,
    };
    let mut bytes = size_of_val(&credentials) as libc::socklen_t;
    // SAFETY: the descriptor is open, and both pointers are to values that outlive the call, of
    // which the second says how long the first is.
    let failed = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut bytes,
        )
    };
    if failed != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(credentials.uid)
}
