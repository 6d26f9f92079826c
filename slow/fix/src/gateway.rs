//! The gateway: one thread, all members.

use crate::config::Config;
use crate::connection::{Connection, Door};
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Heartbeats and silences are looked at this often.
const TICK: Duration = Duration::from_millis(50);

const LISTENER: Token = Token(0);

/// One gateway process.
pub struct Gateway {
    poll: Poll,
    listener: TcpListener,
    door: Door,
    connections: Vec<Option<Connection>>,
    start: Instant,
}

/// The time, on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Nanoseconds since 1970.
    pub unix_ns: u64,
    /// Nanoseconds that only grow.
    pub steady_ns: u64,
}

impl Gateway {
    /// Listens.
    ///
    /// # Errors
    /// The address is taken.
    pub fn open(config: Config) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(config.listen)?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        let connections = (0..config.connections_max).map(|_| None).collect();
        Ok(Self {
            poll,
            listener,
            door: Door::new(config),
            connections,
            start: Instant::now(),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// As of the system.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Runs until `is_stopped`, then says goodbye to all.
    ///
    /// # Errors
    /// The system's poll failed.
    pub fn run(&mut self, is_stopped: &AtomicBool) -> io::Result<()> {
        let mut events = Events::with_capacity(256);
        let mut tick = Instant::now();
        while !is_stopped.load(Ordering::Relaxed) {
            match self.poll.poll(&mut events, Some(TICK)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            let mut ready: BTreeSet<usize> = events
                .iter()
                .filter_map(|event| event.token().0.checked_sub(1))
                .map(|token| token / 2)
                .collect();
            self.accept();
            if tick.elapsed() >= TICK {
                tick = Instant::now();
                ready.extend(0..self.connections.len());
            }
            let now = self.now();
            for index in ready {
                self.turn(index, now);
            }
        }
        let now = self.now();
        for connection in self.connections.iter_mut().flatten() {
            connection.goodbye(&mut self.door, now);
        }
        Ok(())
    }

    fn now(&self) -> Now {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH);
        Now {
            unix_ns: unix.map_or(0, |since| since.as_nanos() as u64),
            steady_ns: self.start.elapsed().as_nanos() as u64,
        }
    }

    fn turn(&mut self, index: usize, now: Now) {
        let Some(place) = self.connections.get_mut(index) else {
            return;
        };
        let Some(connection) = place else { return };
        if !connection.turn(&mut self.door, self.poll.registry(), now) {
            connection.ended(&mut self.door);
            *place = None;
        }
    }

    /// Takes who knocks; with no place left they are turned away at once.
    fn accept(&mut self) {
        while let Ok((stream, from)) = self.listener.accept() {
            let now = self.now();
            let free = self.connections.iter().position(Option::is_none);
            let Some(index) = free else {
                eprintln!("{from}: turned away, all connections are taken");
                continue;
            };
            let tokens = (Token(1 + 2 * index), Token(2 + 2 * index));
            match Connection::new((stream, from), tokens, self.poll.registry(), now) {
                Ok(connection) => self.connections[index] = Some(connection),
                Err(error) => eprintln!("{from}: {error}"),
            }
            self.turn(index, now);
        }
    }
}
