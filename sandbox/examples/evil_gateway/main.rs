//! A process that was taken over: inside the sandbox it tries everything that a thief would.
//!
//! `evil_gateway FILE FOLDER PORT VENUE_PORT USER` confines itself as the FIX gateway does, with
//! FOLDER left to it, and tries each act; it ends with 1 if one succeeds. FILE stands for the
//! journal, PORT is one that somebody listens on, VENUE_PORT that of order entry; the venue also
//! listens at the socket `FILE.socket`. With `--usher` it confines itself as who calls the venue
//! for the gateway, and may do that alone. With `--venue` it confines itself as the venue does
//! instead, FOLDER being its data directory and FILE somebody else's. With `--desk` it is a desk
//! that keeps its files in FOLDER and may dial VENUE_PORT. With `--free` it does not confine itself
//! and tries each act in a child: most must succeed then, or the trial proves nothing.
#![deny(unsafe_op_in_unsafe_fn)]
#![allow(missing_docs)]

mod acts;

use acts::{CALL, DIAL, Prey, all, in_child, venue_socket};
use sandbox::{Calls, Confinement, Identity, SandboxError, enter};
use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

/// What a venue does with its folder while it runs.
fn honest_venue(prey: &Prey) -> bool {
    let [draft, day] = ["draft", "day"].map(|name| prey.folder.join(name));
    let written = std::fs::write(&draft, "1").is_ok();
    let renamed = std::fs::rename(&draft, prey.folder.join("segment")).is_ok();
    let listed = std::fs::read_dir(&prey.folder).is_ok_and(|all| all.count() > 0);
    let removed = std::fs::remove_dir_all(&day).is_ok();
    println!("honest work: write {written}, rename {renamed}, list {listed}, remove {removed}");
    written && renamed && listed && removed
}

/// What a gateway does with its folder.
fn honest_gateway(prey: &Prey) -> bool {
    let path = prey.folder.join("numbers");
    let written = std::fs::write(&path, "1").is_ok();
    let read = std::fs::read_to_string(&path).is_ok_and(|text| text == "1");
    println!("honest work: write {written}, read {read}");
    written && read
}

/// What an usher does for one.
fn honest_usher(prey: &Prey) -> bool {
    let mut letter = [0];
    let called = UnixStream::connect(venue_socket(prey))
        .and_then(|mut stream| stream.read_exact(&mut letter))
        .is_ok();
    println!("honest work: call {called}");
    called
}

/// What a desk does with its folder and the venue.
fn honest_desk(prey: &Prey) -> bool {
    let written = std::fs::write(prey.folder.join("session"), "1").is_ok();
    let dialled = TcpStream::connect((Ipv4Addr::LOCALHOST, prey.venue_port)).is_ok();
    println!("honest work: write {written}, dial {dialled}");
    written && dialled
}

/// Whose walls are tried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Gateway,
    Usher,
    Venue,
    Desk,
    Free,
}

impl Role {
    fn of(word: Option<&str>) -> Option<Self> {
        match word {
            None => Some(Self::Gateway),
            Some("--usher") => Some(Self::Usher),
            Some("--venue") => Some(Self::Venue),
            Some("--desk") => Some(Self::Desk),
            Some("--free") => Some(Self::Free),
            Some(_) => None,
        }
    }

    /// Confines the process.
    fn confine(self, prey: &Prey, user: &str) -> Result<(), SandboxError> {
        let mut confinement = Confinement {
            identity: Identity::of(user).ok(),
            ..Confinement::default()
        };
        let calls = match self {
            Self::Free => return Ok(()),
            Self::Usher => Calls::Usher,
            Self::Gateway => {
                confinement.folders.push(prey.folder.clone());
                Calls::Gateway
            }
            Self::Venue => {
                confinement.homes.push(prey.folder.clone());
                confinement.takes_less = true;
                confinement.locks_memory = true;
                Calls::Venue
            }
            Self::Desk => {
                confinement.folders.push(prey.folder.clone());
                confinement.connect_ports.push(prey.venue_port);
                Calls::Desk
            }
        };
        enter(&confinement, calls).map(drop)
    }

    /// Whether what the program is for still succeeds.
    fn is_honest(self, prey: &Prey) -> bool {
        match self {
            Self::Free => true,
            Self::Usher => honest_usher(prey),
            Self::Gateway => honest_gateway(prey),
            Self::Venue => honest_venue(prey),
            Self::Desk => honest_desk(prey),
        }
    }

    /// What it is for.
    const fn trade(self) -> &'static [&'static str] {
        match self {
            Self::Usher => &[CALL],
            Self::Desk => &DIAL,
            Self::Gateway | Self::Venue | Self::Free => &[],
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (Some(role), [file, folder, port_text, venue_port, user, ..]) =
        (Role::of(words.get(5).copied()), words.as_slice())
    else {
        eprintln!(
            "evil_gateway FILE FOLDER PORT VENUE_PORT USER [--usher | --venue | --desk | --free]"
        );
        return ExitCode::from(2);
    };
    let port = |text: &str| text.parse().unwrap_or(0);
    let prey = Prey::new(file, folder, (port(port_text), port(venue_port)));
    if let Err(error) = role.confine(&prey, user) {
        eprintln!("{error}");
        return ExitCode::from(2);
    }
    let mut acts = all();
    acts.retain(|(name, _)| !role.trade().contains(name));
    let mut done = 0;
    for (name, act) in &acts {
        let is_done = if role == Role::Free {
            in_child(*act, &prey)
        } else {
            act(&prey)
        };
        done += usize::from(is_done);
        println!("{} {name}", if is_done { "DONE   " } else { "refused" });
    }
    let is_honest = role.is_honest(&prey);
    println!("{done} of {} acts done", acts.len());
    ExitCode::from(u8::from(done > 0 || !is_honest))
}
