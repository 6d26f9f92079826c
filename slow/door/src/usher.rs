//! Who calls the venue for a gateway that cannot call anybody.
//!
//! A gateway reads strangers' bytes, so it gives up to connect to anything. But a venue that starts
//! again has other rings, and who asks for them must connect. So another process does, which hears
//! nothing but names of users and hands on sockets that it connected: the *usher*.

use crate::hand::{receive, send};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Letters of a user's name, which spaces fill up.
const NAME_LETTERS: usize = 6;

/// How long an answer may take: calling does not block.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the usher says when it is ready.
const READY: [u8; 1] = *b"+";

/// What it says when there is nobody to be called.
const NOBODY: [u8; 1] = *b"-";

/// A gateway's end of the line to its usher.
#[derive(Debug)]
pub struct Usher(UnixStream);

impl Usher {
    /// Waits until the process at the other end is ready.
    ///
    /// # Errors
    /// It ended.
    pub fn ready(mut line: UnixStream) -> io::Result<Self> {
        line.set_read_timeout(Some(PATIENCE))?;
        line.read_exact(&mut [0])?;
        Ok(Self(line))
    }

    /// A socket to the venue, over which the rings of a user come; none if the venue does not run,
    /// or has no rings for that user.
    ///
    /// # Errors
    /// The usher is gone: so must the gateway be.
    pub fn call(&mut self, user: &str) -> io::Result<Option<UnixStream>> {
        let Some(name) = name_of(user) else {
            return Ok(None);
        };
        self.0.write_all(&name)?;
        Ok(receive(&self.0)?.pop().map(UnixStream::from))
    }
}

/// The name as it crosses the line, in capitals; none if no user is called so.
fn name_of(user: &str) -> Option<[u8; NAME_LETTERS]> {
    let is_name = (1..=NAME_LETTERS).contains(&user.len())
        && user.bytes().all(|letter| letter.is_ascii_alphanumeric());
    let mut name = [b' '; NAME_LETTERS];
    is_name.then(|| {
        name[..user.len()].copy_from_slice(user.to_ascii_uppercase().as_bytes());
        name
    })
}

/// The usher's work: calls the venue whose data directory is `folder` whenever it is asked, until
/// the gateway is gone.
///
/// # Errors
/// The line broke otherwise than by the gateway's end.
pub fn usher(mut line: &UnixStream, folder: &Path) -> io::Result<()> {
    line.write_all(&READY)?;
    let mut name = [0; NAME_LETTERS];
    loop {
        match line.read_exact(&mut name) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            read => read?,
        }
        // The gateway may have been taken over: what it says is looked at here as well.
        let user = str::from_utf8(&name)
            .ok()
            .and_then(|name| name_of(name.trim_end()));
        match user.and_then(|name| call(folder, &name).ok()) {
            Some(venue) => send(line, &[venue.as_fd()])?,
            None => line.write_all(&NOBODY)?,
        }
    }
}

/// Connects, or not, at once: a venue that does not listen is none.
fn call(folder: &Path, name: &[u8]) -> io::Result<UnixStream> {
    let name = String::from_utf8_lossy(name);
    let address = SocketAddrUnix::new(folder.join(format!("ring-{}", name.trim_end())))?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &address)?;
    Ok(UnixStream::from(socket))
}
