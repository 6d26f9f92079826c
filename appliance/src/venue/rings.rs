//! Rings for gateways: made when the venue starts, handed over when their process asks.
//!
//! A user with `gateway` in the topology has a socket `ring-NAME` in the data directory. Whoever
//! connects there gets the rings if the system says that it is the named user of the system, or
//! root; anybody else is hung up on. The rings stay the same from process to process. A connection
//! to the socket stays open as long as its gateway uses the rings: when it closes, the gate is told
//! that the gateway is gone, as the kernel tells it of a connection over TCP.

use super::{StartError, remark};
use crate::tiles::{Phase, Signals};
use crate::topology::{Topology, ring_address};
use door::Rings;
use sandbox::Identity;
use std::fs::Permissions;
use std::io::{self, Read};
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::Duration;

/// The longest that nobody looks whether the venue stopped.
const LOOK: Duration = Duration::from_millis(20);

/// The same while a ring has no room for what is to be said in it.
const LOOK_FULL: Duration = Duration::from_millis(1);

/// One user's rings.
struct Offer {
    rings: Rings,
    /// The place of the user among the users.
    place: usize,
    /// Who may have them.
    user: u32,
    listener: UnixListener,
    path: PathBuf,
    /// Who has them.
    holder: Option<UnixStream>,
    /// Who had them is gone, which the gate is still to be told.
    is_gone: bool,
}

/// All rings of a venue.
pub(super) struct Offers(Vec<Offer>);

impl Offers {
    /// Makes rings and sockets in a data directory that this process holds.
    pub(super) fn open(topology: &Topology) -> Result<Self, StartError> {
        let users = topology.users.iter().enumerate();
        let asked = users.filter_map(|(place, user)| Some((place, user, user.gateway.as_ref()?)));
        let offer = |(place, user, gateway): (usize, &crate::topology::User, &String)| {
            let key = format!("users[{place}].gateway");
            let identity = Identity::of(gateway).map_err(|e| StartError::of(&key, &e))?;
            let name = user.name.to_ascii_uppercase();
            let path = topology.data_dir.join(format!("ring-{name}"));
            let failed = |e: io::Error| StartError::of(&format!("{key}: {}", path.display()), &e);
            Ok(Offer {
                rings: Rings::create(&user.name).map_err(|e| StartError::of(&key, &e))?,
                place,
                user: identity.user,
                listener: listening(&path).map_err(failed)?,
                path,
                holder: None,
                is_gone: false,
            })
        };
        asked.map(offer).collect::<Result<_, _>>().map(Self)
    }

    /// The rings, by the addresses of their users.
    pub(super) fn rings(&self) -> Vec<(Ipv4Addr, Rings)> {
        let of = |offer: &Offer| (ring_address(offer.place), offer.rings.clone());
        self.0.iter().map(of).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Hands rings over until the venue stopped.
    pub(super) fn serve(mut self, signals: &Signals) {
        while signals.phase() != Phase::Stopped {
            let mut wait = LOOK;
            for offer in &mut self.0 {
                offer.turn();
                if offer.is_gone {
                    wait = LOOK_FULL;
                }
            }
            self.wait(wait);
        }
        for offer in &self.0 {
            // The next start takes it away if it stays.
            let _ = std::fs::remove_file(&offer.path);
        }
    }

    /// Waits until somebody comes or goes, but no longer than so.
    fn wait(&self, longest: Duration) {
        let fds = self.0.iter().flat_map(|offer| {
            let holder = offer.holder.as_ref().map(AsRawFd::as_raw_fd);
            std::iter::once(offer.listener.as_raw_fd()).chain(holder)
        });
        let mut watched: Vec<libc::pollfd> = fds
            .map(|fd| libc::pollfd {
                fd,
                events: libc::POLLIN,
                revents: 0,
            })
            .collect();
        let count = watched.len() as libc::nfds_t;
        // SAFETY: the pointer is to as many entries as the second argument says, which outlive the
        // call. Whatever it says, everybody is looked at next.
        unsafe { libc::poll(watched.as_mut_ptr(), count, longest.as_millis() as i32) };
    }
}

impl Offer {
    /// Looks who went, then who came.
    fn turn(&mut self) {
        self.is_gone |= self.holder.take_if(|holder| !is_there(holder)).is_some();
        // Of one that is gone the gate hears before the next one can begin.
        self.is_gone = self.is_gone && !self.rings.say_gone();
        if self.is_gone {
            return;
        }
        let Ok((stream, _)) = self.listener.accept() else {
            return;
        };
        match self.hand(&stream) {
            Ok(()) => self.holder = Some(stream),
            Err(error) => eprintln!("wirecross: {}: {error}", self.path.display()),
        }
    }

    fn hand(&self, stream: &UnixStream) -> io::Result<()> {
        let user = remark::user_of(stream)?;
        if user != self.user && user != 0 {
            let text = format!("user {user} of the system may not have these rings");
            return Err(io::Error::other(text));
        }
        stream.set_nonblocking(true)?;
        self.rings.hand(stream)
    }
}

/// Whether a gateway is there: it has nothing to say here, and one that says something is sent
/// away.
fn is_there(mut holder: &UnixStream) -> bool {
    let read = holder.read(&mut [0]);
    read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

/// A socket to which everybody may connect: who it is decides.
fn listening(path: &PathBuf) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o666))?;
    Ok(listener)
}
