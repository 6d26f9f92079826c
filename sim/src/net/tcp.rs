//! Streams: in order, late, in pieces of any size, with a bounded buffer, and breakable.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use nic::{Conn, ConnectError, TcpEvent, TcpLimits, TcpPort};

use super::{State, Wires};

/// Pieces handed over for one connection in one poll.
const PIECES: usize = 4;

/// Pause before a peer hears of a connection that broke.
const BREAK_NS: u64 = 10_000;

/// What an end has told its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    Opened,
    Closed,
}

/// One end of a connection.
#[derive(Debug)]
struct End {
    port: usize,
    conn: Conn,
    told: Told,
    open_ns: u64,
    /// What comes to this end, in order: when it is due, and the bytes.
    inbox: VecDeque<(u64, Vec<u8>)>,
    last_ns: u64,
    /// When this end hears that the other one sends no more.
    end_ns: Option<u64>,
    closed_here: bool,
    paused: bool,
}

#[derive(Debug)]
struct Connection {
    ends: [End; 2],
    is_cut: bool,
}

/// A port's table of connections.
#[derive(Debug, Default)]
struct Port {
    listens: Option<SocketAddr>,
    is_open: bool,
    /// Connection and end in each slot.
    slots: Vec<Option<(usize, usize)>>,
    generation: u32,
    send_bytes: usize,
}

impl Port {
    fn take_slot(&mut self, connection: usize, end: usize) -> Option<Conn> {
        let slot = self.slots.iter().position(Option::is_none)?;
        self.slots[slot] = Some((connection, end));
        self.generation += 1;
        Some(Conn::new(slot, self.generation))
    }
}

/// All stream ports and connections.
#[derive(Debug, Default)]
pub(super) struct Streams {
    ports: Vec<Port>,
    connections: Vec<Connection>,
}

impl Streams {
    /// Connections that both ends have opened and nobody has ended.
    pub fn open(&self) -> Vec<usize> {
        let is_open = |end: &End| end.told == Told::Opened && !end.closed_here;
        let open = |(index, connection): (usize, &Connection)| {
            (!connection.is_cut && connection.ends.iter().all(is_open)).then_some(index)
        };
        self.connections
            .iter()
            .enumerate()
            .filter_map(open)
            .collect()
    }

    pub fn cut(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        connection.is_cut = true;
        for end in &mut connection.ends {
            end.inbox.clear();
        }
    }

    pub fn is_quiet(&self) -> bool {
        let is_quiet = |end: &End| end.inbox.is_empty() || end.told == Told::Closed;
        self.connections
            .iter()
            .all(|connection| connection.ends.iter().all(is_quiet))
    }

    fn end(&self, port: usize, conn: Conn) -> Option<(usize, usize)> {
        let (connection, end) = (*self.ports.get(port)?.slots.get(conn.slot())?)?;
        (self.connections[connection].ends[end].conn == conn).then_some((connection, end))
    }
}

/// What a poll hands on, collected before the owner is called.
enum Happened {
    Opened(Conn, SocketAddr),
    Data(Conn, Vec<u8>),
    Closed(Conn),
}

impl State {
    fn connect(&mut self, port: usize, to: SocketAddr) -> Result<Conn, ConnectError> {
        let index = self.streams.connections.len();
        let ports = &mut self.streams.ports;
        let conn = ports[port].take_slot(index, 0).ok_or(ConnectError::Full)?;
        let listens = |one: &Port| one.is_open && one.listens == Some(to);
        let server = ports.iter().position(listens);
        // A full server, or none, lets the dialling end hear that it is closed.
        let accepted = server.and_then(|at| Some((at, ports[at].take_slot(index, 1)?)));
        let open_ns = self.due_ns();
        let end = |port, conn, told| End {
            port,
            conn,
            told,
            open_ns,
            inbox: VecDeque::new(),
            last_ns: open_ns,
            end_ns: None,
            closed_here: false,
            paused: false,
        };
        let (is_cut, other) = match accepted {
            Some((at, conn)) => (false, end(at, conn, Told::Nothing)),
            None => (true, end(port, conn, Told::Closed)),
        };
        self.counts.connections += u64::from(!is_cut);
        let ends = [end(port, conn, Told::Nothing), other];
        self.streams.connections.push(Connection { ends, is_cut });
        Ok(conn)
    }

    /// What one connection has to tell one of its ends.
    fn step(&mut self, connection: usize, which: usize, happened: &mut Vec<Happened>) {
        let (now_ns, piece_max) = (self.now_ns, self.faults.piece_bytes_max);
        let Self {
            streams, random, ..
        } = self;
        let is_cut = streams.connections[connection].is_cut;
        let end = &mut streams.connections[connection].ends[which];
        let conn = end.conn;
        if end.told == Told::Closed || end.open_ns > now_ns {
            return;
        }
        if end.told == Told::Nothing && !is_cut {
            end.told = Told::Opened;
            let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), connection as u16);
            happened.push(Happened::Opened(conn, address));
        }
        for _ in 0..PIECES {
            let Some((due_ns, bytes)) = end.inbox.front_mut() else {
                break;
            };
            if *due_ns > now_ns || end.closed_here || end.paused {
                break;
            }
            let most = piece_max.min(bytes.len() as u64);
            let piece: Vec<u8> = bytes.drain(..1 + random.below(most) as usize).collect();
            happened.push(Happened::Data(conn, piece));
            if bytes.is_empty() {
                end.inbox.pop_front();
            }
        }
        let ended = end.end_ns.is_some_and(|end_ns| end_ns <= now_ns) && end.inbox.is_empty();
        let broken = is_cut && end.last_ns + BREAK_NS <= now_ns;
        if end.closed_here || ended || broken {
            end.told = Told::Closed;
            end.inbox.clear();
            streams.ports[end.port].slots[conn.slot()] = None;
            happened.push(Happened::Closed(conn));
            self.finish(connection, which);
        }
    }

    /// This end sends no more: the other one hears it behind all bytes.
    fn finish(&mut self, connection: usize, which: usize) {
        let due_ns = self.due_ns();
        let other = &mut self.streams.connections[connection].ends[1 - which];
        other.last_ns = other.last_ns.max(due_ns);
        other.end_ns = other.end_ns.or(Some(other.last_ns));
    }
}

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
        ports.push(Port {
            listens,
            is_open: true,
            slots: vec![None; usize::from(limits.connections)],
            generation: 0,
            send_bytes: limits.send_bytes as usize,
        });
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
        let due_ns = state.due_ns();
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
