//! The rings themselves, and how they change hands.

use crate::Chunk;
use queue::{Error, Home, Region, SharedRing};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// Messages of a ring: 400 KiB of bytes each way.
pub const DEPTH: usize = 4_096;

/// What goes with the descriptors: a byte must.
const GREETING: [u8; 1] = *b"R";

/// Both rings of one user.
#[derive(Clone, Debug)]
pub struct Rings {
    /// From the gateway to the venue.
    pub commands: SharedRing<Chunk>,
    /// From the venue to the gateway.
    pub replies: SharedRing<Chunk>,
}

impl Rings {
    /// Makes them; `name` shows in `/proc/<pid>/maps`.
    ///
    /// # Errors
    /// There is no memory.
    pub fn create(name: &str) -> Result<Self, Error> {
        Ok(Self {
            commands: SharedRing::create_small(&format!("{name}-commands"), DEPTH)?,
            replies: SharedRing::create_small(&format!("{name}-replies"), DEPTH)?,
        })
    }

    /// Makes rings of so many messages on the heap, for a gateway of the same process.
    ///
    /// # Errors
    /// `depth` is no power of two, or there is no memory.
    pub fn on_heap(depth: usize) -> Result<Self, Error> {
        Ok(Self {
            commands: SharedRing::at(Home::Heap, "commands", depth)?,
            replies: SharedRing::at(Home::Heap, "replies", depth)?,
        })
    }

    /// Hands them to the process at the other end.
    ///
    /// # Errors
    /// It went away.
    pub fn hand(&self, to: &UnixStream) -> io::Result<()> {
        let rings = [self.commands.region(), self.replies.region()];
        let [Some(commands), Some(replies)] = rings.map(Region::file) else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        send(to, &[commands, replies])
    }

    /// Takes what the other end hands over.
    ///
    /// # Errors
    /// It closed, because this process may not have them, or handed over something else. Where it
    /// does not block: it has not said anything yet.
    pub fn receive(from: impl AsFd) -> io::Result<Self> {
        let mut files = receive(from)?;
        let (Some(replies), Some(commands), None) = (files.pop(), files.pop(), files.pop()) else {
            return Err(io::ErrorKind::PermissionDenied.into());
        };
        let told = |error: Error| io::Error::other(error.to_string());
        Ok(Self {
            commands: SharedRing::attach_file(commands.into()).map_err(told)?,
            replies: SharedRing::attach_file(replies.into()).map_err(told)?,
        })
    }

    /// Says to the venue, in the place of a gateway that had these rings and has them no more, that
    /// it is gone; whether there was room to say so.
    #[must_use]
    pub fn say_gone(&self) -> bool {
        let gone = Chunk::of(Chunk::GONE, 0, &[]);
        self.commands.writer().push(0, &gone).is_ok()
    }
}

/// Hands files over.
pub(crate) fn send(to: &UnixStream, files: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(files)) {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    let greeting = [IoSlice::new(&GREETING)];
    sendmsg(to, &greeting, &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Takes the files that come with a byte; none if that one comes alone.
pub(crate) fn receive(from: impl AsFd) -> io::Result<Vec<OwnedFd>> {
    let mut greeting = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut into = [IoSliceMut::new(&mut greeting)];
    let taken = recvmsg(from, &mut into, &mut control, RecvFlags::CMSG_CLOEXEC)?;
    if taken.bytes == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut files = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = message {
            files.extend(fds);
        }
    }
    Ok(files)
}
