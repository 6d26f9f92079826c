//! Rings for gateways: made when the venue starts, handed over when their process asks.
//!
//! A user with `gateway` in the topology has a socket `ring-NAME` in the data directory. Whoever
//! connects there gets the rings if the system says that it is the named user of the system, or
//! root; anybody else is hung up on. The rings stay the same from process to process.

use super::{StartError, remark};
use crate::tiles::{Phase, Signals};
use crate::topology::Topology;
use door::Rings;
use sandbox::Identity;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::Duration;

/// Time between two looks at the sockets: a gateway asks once.
const LOOK: Duration = Duration::from_millis(5);

/// One user's rings.
struct Offer {
    rings: Rings,
    /// The place of the user among the users.
    place: usize,
    /// Who may have them.
    user: u32,
    listener: UnixListener,
    path: PathBuf,
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
            let path = topology.data_dir.join(format!("ring-{}", user.name));
            let failed = |e: io::Error| StartError::of(&format!("{key}: {}", path.display()), &e);
            Ok(Offer {
                rings: Rings::create(&user.name).map_err(|e| StartError::of(&key, &e))?,
                place,
                user: identity.user,
                listener: listening(&path).map_err(failed)?,
                path,
            })
        };
        asked.map(offer).collect::<Result<_, _>>().map(Self)
    }

    /// The rings, by the places of their users.
    pub(super) fn rings(&self) -> Vec<(usize, Rings)> {
        let of = |offer: &Offer| (offer.place, offer.rings.clone());
        self.0.iter().map(of).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Hands rings over until the venue stopped.
    pub(super) fn serve(self, signals: &Signals) {
        while signals.phase() != Phase::Stopped {
            let mut has_come = false;
            for offer in &self.0 {
                has_come |= offer.turn();
            }
            if !has_come {
                std::thread::sleep(LOOK);
            }
        }
        for offer in &self.0 {
            // The next start takes it away if it stays.
            let _ = std::fs::remove_file(&offer.path);
        }
    }
}

impl Offer {
    /// Whether somebody came.
    fn turn(&self) -> bool {
        let Ok((stream, _)) = self.listener.accept() else {
            return false;
        };
        match remark::user_of(&stream) {
            Ok(user) if user == self.user || user == 0 => {
                if let Err(error) = self.rings.hand(&stream) {
                    eprintln!("wirecross: {}: {error}", self.path.display());
                }
            }
            Ok(user) => {
                let path = self.path.display();
                eprintln!("wirecross: {path}: user {user} of the system may not have these rings");
            }
            Err(error) => eprintln!("wirecross: {}: {error}", self.path.display()),
        }
        true
    }
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
