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

#[cfg(test)]
mod tests {
    use super::{NAME_LETTERS, NOBODY, READY, usher};
    use std::io::{Read, Write};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::Path;

    /// The next of numbers that look like chance.
    fn next(state: &mut u64) -> u8 {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (*state >> 33) as u8
    }

    /// What the usher says to a name: a socket comes with another byte.
    fn ask(line: &mut UnixStream, name: &[u8; NAME_LETTERS]) -> [u8; 1] {
        line.write_all(name).expect("the usher listens");
        let mut said = [0];
        line.read_exact(&mut said).expect("an answer");
        said
    }

    #[test]
    fn whatever_a_gateway_says_only_users_sockets_are_called() {
        let folder = std::env::temp_dir().join(format!("usher-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("ring-x")).expect("a folder");
        // Beside the folder, where a name with dots and strokes would lead.
        let outside = UnixListener::bind(folder.join("ring-x/y")).expect("a socket");
        outside.set_nonblocking(true).expect("a socket");
        let (mut ours, theirs) = UnixStream::pair().expect("two sockets");
        let path = folder.clone();
        let work = std::thread::spawn(move || usher(&theirs, Path::new(&path)));
        let mut ready = [0];
        ours.read_exact(&mut ready).expect("it is ready");
        assert_eq!(ready, READY);
        let letters = b"xy/. -\0\xffAZ09";
        let mut state = 1;
        for _ in 0..10_000 {
            let mut any = || letters[usize::from(next(&mut state)) % letters.len()];
            let name: [u8; NAME_LETTERS] = std::array::from_fn(|_| any());
            assert_eq!(ask(&mut ours, &name), NOBODY, "{name:?}");
        }
        assert_eq!(ask(&mut ours, b"x/y   "), NOBODY);
        assert!(outside.accept().is_err(), "somebody else was called");
        // A name that breaks off is none: the gateway is gone.
        ours.write_all(b"ALP").expect("the usher listens");
        drop(ours);
        assert!(work.join().expect("it did not panic").is_ok());
        std::fs::remove_dir_all(&folder).expect("a folder");
    }
}
