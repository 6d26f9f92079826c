//! A member that sends more than it may, from bytes that were made before.
//!
//! Its own work must not be taken for what the venue makes the others feel. So it sends at the same
//! pace in every window: to the venue, or to a socket of its own whose bytes it takes out again
//! where it would take the venue's answers.

use super::ORDER;
use session::ouch_client::{OuchClient, Reply};
use session::soup_client::{ClientState, SoupConfig};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Instant;
use wire::ouch::Outbound;

use crate::harness::BOUND;

/// Of so many messages one is a mass cancel, for which the venue looks at all orders on the books.
const MASS_EACH: usize = 16;

/// Messages after which it takes what came back.
const HEARD_EACH: usize = 64;

/// More than the bytes of a window.
const SEND_BYTES: i32 = 1 << 20;

/// Most bytes that are taken at once.
const HEARD_BYTES: usize = 1 << 16;

/// A way for bytes there and back.
struct Way {
    to: TcpStream,
    from: TcpStream,
}

/// The member, and what became of its orders.
pub struct Hostile {
    ouch: OuchClient,
    venue: Way,
    past: Way,
    is_venue: bool,
    /// What is still to be sent, and how much of it was.
    bytes: Vec<u8>,
    at: usize,
    sent: usize,
    heard: Vec<u8>,
    begun: Instant,
    pub asked: u64,
    pub refused: u64,
    pub taken: u64,
    /// Mass cancels among those that were taken.
    pub masses: u64,
}

/// Never waits: what the venue does not read yet stands in the system's buffer.
fn nonblocking(stream: TcpStream) -> TcpStream {
    stream.set_nodelay(true).unwrap();
    stream.set_nonblocking(true).unwrap();
    let bytes: libc::c_int = SEND_BYTES;
    // SAFETY: the descriptor is open, and the pointer is to a value that outlives the call.
    let failed = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_SNDBUF,
            (&raw const bytes).cast(),
            size_of_val(&bytes) as libc::socklen_t,
        )
    };
    assert_eq!(failed, 0, "{}", std::io::Error::last_os_error());
    stream
}

/// Takes what came; nothing if nothing did.
fn take(from: &mut TcpStream, heard: &mut Vec<u8>) {
    let had = heard.len();
    heard.resize(had + HEARD_BYTES, 0);
    let came = match from.read(&mut heard[had..]) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
        Err(error) => panic!("{error}"),
    };
    heard.truncate(had + came);
}

impl Hostile {
    /// Logged in.
    pub fn login(to: SocketAddr, user: &str, password: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let past = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (taken, _) = listener.accept().unwrap();
        let venue = nonblocking(TcpStream::connect(to).unwrap());
        let mut hostile = Self {
            ouch: OuchClient::new(SoupConfig {
                outbound_bytes: 1 << 20,
                sequence: 0,
                silence_ns: u64::MAX,
                ..SoupConfig::new(user, password)
            }),
            venue: Way {
                from: venue.try_clone().unwrap(),
                to: venue,
            },
            past: Way {
                to: nonblocking(past),
                from: nonblocking(taken),
            },
            is_venue: true,
            bytes: Vec::new(),
            at: 0,
            sent: 0,
            heard: Vec::new(),
            begun: Instant::now(),
            asked: 0,
            refused: 0,
            taken: 0,
            masses: 0,
        };
        hostile.ouch.soup().connected(1);
        hostile.make();
        hostile.venue.to.write_all(&hostile.bytes).unwrap();
        hostile.until("the login", |hostile| {
            hostile.ouch.state() == ClientState::Live
        });
        hostile
    }

    /// Makes bytes of what the client wants to send.
    fn make(&mut self) {
        let bytes = &mut self.bytes;
        bytes.clear();
        self.ouch.soup().transmit(1, &mut |more| {
            bytes.extend(more);
            more.len()
        });
        self.at = 0;
    }

    /// Makes a window's orders and mass cancels, for the venue or past it.
    pub fn prepare(&mut self, orders: usize, is_venue: bool) {
        for index in 0..orders {
            let user_ref = match index % MASS_EACH {
                0 => self.ouch.mass_cancel([b' '; 8], &[]),
                _ => self.ouch.enter(&ORDER),
            };
            assert!(user_ref.is_some());
        }
        self.make();
        self.is_venue = is_venue;
        self.sent = 0;
        self.asked += if is_venue { orders as u64 } else { 0 };
    }

    /// Sends one of them, and takes what came back now and then.
    pub fn send_one(&mut self) {
        let way = if self.is_venue {
            &mut self.venue
        } else {
            &mut self.past
        };
        let rest = &self.bytes[self.at..];
        let length = 2 + usize::from(u16::from_be_bytes([rest[0], rest[1]]));
        way.to.write_all(&rest[..length]).unwrap();
        self.at += length;
        self.sent += 1;
        if self.sent.is_multiple_of(HEARD_EACH) {
            take(&mut way.from, &mut self.heard);
        }
    }

    /// Takes all that is still to come, and reads it.
    pub fn settle(&mut self) {
        if !self.is_venue {
            while self.heard.len() < self.at {
                take(&mut self.past.from, &mut self.heard);
            }
            self.heard.clear();
            return;
        }
        self.until("all answers", |hostile| {
            hostile.taken + hostile.refused == hostile.asked
        });
    }

    fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        self.begun = Instant::now();
        while !done(self) {
            assert!(self.begun.elapsed() < BOUND, "waited {BOUND:?} for {what}");
            take(&mut self.venue.from, &mut self.heard);
            let (taken, refused, masses) = (&mut self.taken, &mut self.refused, &mut self.masses);
            self.ouch
                .received(&self.heard, 1, &mut |reply| match reply {
                    Reply::Message(1.., Outbound::MassCancelResponse(_)) => {
                        *taken += 1;
                        *masses += 1;
                    }
                    Reply::Message(1.., Outbound::Accepted(_)) => *taken += 1,
                    Reply::Message(0, Outbound::Rejected(_)) => *refused += 1,
                    _ => {}
                });
            self.heard.clear();
        }
    }
}
