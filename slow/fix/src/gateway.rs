//! The gateway: one thread, all members.

use crate::config::Config;
use crate::connection::Connection;
use crate::lobby::Lobby;
use door::Usher;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Heartbeats and silences are looked at this often.
const TICK: Duration = Duration::from_millis(50);

/// Rings are looked at this often while nothing happens: nobody wakes us for them.
const LOOK: Duration = Duration::from_millis(1);

/// And all the time so long after something happened, because an answer may come.
const BUSY: Duration = Duration::from_micros(200);

const LISTENER: Token = Token(0);

/// One gateway process.
pub struct Gateway {
    poll: Poll,
    listener: TcpListener,
    lobby: Lobby,
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
    pub fn open(config: Config, usher: Usher) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(config.listen)?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        let connections = (0..config.connections_max).map(|_| None).collect();
        Ok(Self {
            poll,
            listener,
            lobby: Lobby::new(config, usher),
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
    /// The system's poll failed, or the usher is gone.
    pub fn run(&mut self, is_stopped: &AtomicBool) -> io::Result<()> {
        let mut events = Events::with_capacity(256);
        let mut tick = Instant::now();
        let mut busy = Instant::now();
        while !is_stopped.load(Ordering::Relaxed) {
            match self.poll.poll(&mut events, Some(self.patience(busy))) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            let mut ready: BTreeSet<usize> = events
                .iter()
                .filter_map(|event| event.token().0.checked_sub(1))
                .map(|token| token / 2)
                .collect();
            ready.extend(self.wanting());
            if !ready.is_empty() {
                busy = Instant::now();
            }
            self.accept();
            if tick.elapsed() >= TICK {
                tick = Instant::now();
                ready.extend(0..self.connections.len());
            }
            let now = self.now();
            for index in ready {
                self.turn(index, now);
            }
            if let Some(fault) = self.lobby.fault.take() {
                let told = format!("the usher's process is gone: {fault}");
                return Err(io::Error::other(told));
            }
        }
        let now = self.now();
        for connection in self.connections.iter_mut().flatten() {
            connection.goodbye(&mut self.lobby, now);
        }
        Ok(())
    }

    /// How long nothing needs to be looked at; `busy` is when something happened last.
    fn patience(&self, busy: Instant) -> Duration {
        let mut connections = self.connections.iter().flatten();
        match connections.any(Connection::has_venue) {
            true if busy.elapsed() < BUSY => Duration::ZERO,
            true => LOOK,
            false => TICK,
        }
    }

    /// Connections for which there is something in a ring, or to be put there.
    fn wanting(&mut self) -> impl Iterator<Item = usize> {
        let all = self.connections.iter_mut().enumerate();
        all.filter_map(|(index, place)| {
            let connection = place.as_mut()?;
            connection.wants_turn().then_some(index)
        })
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
        if !connection.turn(&mut self.lobby, self.poll.registry(), now) {
            connection.ended(&mut self.lobby);
            *place = None;
        }
    }

    /// Takes who knocks; with no place left they are turned away at once.
    fn accept(&mut self) {
        while let Ok((stream, from)) = self.listener.accept() {
            let now = self.now();
            let free = self.connections.iter().position(Option::is_none);
            let Some(index) = free else {
                tracing::warn!(%from, "turned away: all connections are taken");
                continue;
            };
            let tokens = (Token(1 + 2 * index), Token(2 + 2 * index));
            match Connection::new((stream, from), tokens, self.poll.registry(), now) {
                Ok(connection) => self.connections[index] = Some(connection),
                Err(error) => tracing::warn!(%from, %error, "no connection"),
            }
            self.turn(index, now);
        }
    }
}
