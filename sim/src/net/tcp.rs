//! The port of streams that tiles and members hold.

use std::io;
use std::net::SocketAddr;

use nic::{Conn, ConnectError, TcpEvent, TcpLimits, TcpPort, TcpStats};

use super::Wires;
use super::streams::{Happened, Port, Told};

/// A simulated stream port.
#[derive(Debug)]
pub struct SimTcp {
    wires: Wires,
    index: usize,
    listens: Option<SocketAddr>,
}

impl SimTcp {
    pub(super) fn open(
        wires: &Wires,
        listens: Option<SocketAddr>,
        limits: TcpLimits,
    ) -> io::Result<Self> {
        let mut state = wires.state();
        let ports = &mut state.streams.ports;
        let taken = |port: &Port| port.is_open && port.listens == listens;
        if listens.is_some() && ports.iter().any(taken) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let connections = usize::from(limits.connections);
        ports.push(Port::new(listens, connections, limits.send_bytes as usize));
        let index = ports.len() - 1;
        drop(state);
        Ok(Self {
            wires: wires.clone(),
            index,
            listens,
        })
    }
}

impl TcpPort for SimTcp {
    fn poll(&mut self, on: &mut dyn FnMut(TcpEvent<'_>)) -> usize {
        let mut happened = Vec::new();
        let mut state = self.wires.state();
        for slot in 0..state.streams.ports[self.index].slots.len() {
            if let Some((connection, end)) = state.streams.ports[self.index].slots[slot] {
                state.step(connection, end, &mut happened);
            }
        }
        drop(state);
        for event in &happened {
            match event {
                Happened::Opened(conn, peer) => on(TcpEvent::Opened {
                    conn: *conn,
                    peer: *peer,
                }),
                Happened::Data(conn, bytes) => on(TcpEvent::Data { conn: *conn, bytes }),
                Happened::Closed(conn) => on(TcpEvent::Closed { conn: *conn }),
            }
        }
        happened.len()
    }

    fn connect(&mut self, to: SocketAddr) -> Result<Conn, ConnectError> {
        self.wires.state().connect(self.index, to)
    }

    fn send_room(&self, conn: Conn) -> usize {
        let state = self.wires.state();
        let Some((connection, which)) = state.streams.end(self.index, conn) else {
            return 0;
        };
        let connection = &state.streams.connections[connection];
        let end = &connection.ends[which];
        if end.told != Told::Opened || end.closed_here || connection.is_cut {
            return 0;
        }
        let inbox = &connection.ends[1 - which].inbox;
        let waiting: usize = inbox.iter().map(|(_, bytes)| bytes.len()).sum();
        state.streams.ports[self.index]
            .send_bytes
            .saturating_sub(waiting)
    }

    fn send(&mut self, conn: Conn, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(self.send_room(conn));
        if taken == 0 {
            return 0;
        }
        let mut state = self.wires.state();
        let Some((connection, which)) = state.streams.end(self.index, conn) else {
            return 0;
        };
        let due_ns = state.due_on_stream_ns(connection, which);
        let other = &mut state.streams.connections[connection].ends[1 - which];
        other.last_ns = other.last_ns.max(due_ns);
        let last_ns = other.last_ns;
        if other.told != Told::Closed {
            other.inbox.push_back((last_ns, bytes[..taken].to_vec()));
        }
        taken
    }

    /// What was taken is on the wire.
    fn unsent(&self, _conn: Conn) -> usize {
        0
    }

    fn pause(&mut self, conn: Conn, is_paused: bool) {
        let mut state = self.wires.state();
        if let Some((connection, which)) = state.streams.end(self.index, conn) {
            state.streams.connections[connection].ends[which].paused = is_paused;
        }
    }

    fn close(&mut self, conn: Conn) {
        let mut state = self.wires.state();
        if let Some((connection, which)) = state.streams.end(self.index, conn) {
            state.streams.connections[connection].ends[which].closed_here = true;
            state.finish(connection, which);
        }
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.listens
    }

    fn stats(&self) -> TcpStats {
        let state = self.wires.state();
        let slots = &state.streams.ports[self.index].slots;
        TcpStats {
            connections: slots.iter().flatten().count() as u64,
            ..TcpStats::default()
        }
    }

    fn mode(&self) -> &'static str {
        "simulated"
    }
}

impl Drop for SimTcp {
    /// The process is gone: its connections break.
    fn drop(&mut self) {
        let mut state = self.wires.state();
        let port = std::mem::take(&mut state.streams.ports[self.index]);
        for (connection, which) in port.slots.into_iter().flatten() {
            state.streams.cut(connection);
            state.streams.connections[connection].ends[which].told = Told::Closed;
        }
    }
}
