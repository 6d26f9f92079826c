//! Streams: in order, late, in pieces of any size, with a bounded buffer, and breakable.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use nic::{Conn, ConnectError};

use super::{CutOff, State};

/// Pieces handed over for one connection in one poll.
const PIECES: usize = 4;

/// Pause before a peer hears of a connection that broke.
const BREAK_NS: u64 = 10_000;

/// What an end has told its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Nothing,
    Opened,
    Closed,
}

/// One end of a connection.
#[derive(Debug)]
pub(super) struct End {
    port: usize,
    conn: Conn,
    pub told: Told,
    open_ns: u64,
    /// What comes to this end, in order: when it is due, and the bytes.
    pub inbox: VecDeque<(u64, Vec<u8>)>,
    pub last_ns: u64,
    /// When this end hears that the other one sends no more.
    end_ns: Option<u64>,
    pub closed_here: bool,
    pub paused: bool,
}

impl End {
    /// All bytes that are due. Pieces make room for pieces only: where nothing disturbs a stream
    /// any more, it would stay in small ones, and come on slowly.
    fn all_due(&mut self, now_ns: u64) -> Option<Vec<u8>> {
        let count = self.inbox.partition_point(|(due_ns, _)| *due_ns <= now_ns);
        let bytes: Vec<u8> = self
            .inbox
            .drain(..count)
            .flat_map(|(_, bytes)| bytes)
            .collect();
        (!bytes.is_empty()).then_some(bytes)
    }
}

#[derive(Debug)]
pub(super) struct Connection {
    pub ends: [End; 2],
    pub is_cut: bool,
}

/// A port's table of connections.
#[derive(Debug, Default)]
pub(super) struct Port {
    pub listens: Option<SocketAddr>,
    pub is_open: bool,
    /// Connection and end in each slot.
    pub slots: Vec<Option<(usize, usize)>>,
    generation: u32,
    pub send_bytes: usize,
    cut_off: CutOff,
}

impl Port {
    /// A port with room for so many connections.
    pub fn new(listens: Option<SocketAddr>, connections: usize, send_bytes: usize) -> Self {
        Self {
            listens,
            is_open: true,
            slots: vec![None; connections],
            send_bytes,
            ..Self::default()
        }
    }

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
    pub ports: Vec<Port>,
    pub connections: Vec<Connection>,
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

    /// Whether nothing is under way: no bytes, and no word of a connection that was cut. What was
    /// late when it was cut delays that word too, so that a member may not know for long.
    pub fn is_quiet(&self) -> bool {
        self.connections.iter().all(|connection| {
            let is_quiet = |end: &End| end.inbox.is_empty() && !connection.is_cut;
            let mut ends = connection.ends.iter();
            ends.all(|end| end.told == Told::Closed || is_quiet(end))
        })
    }

    /// Until when what this end sends is held back.
    fn held_until_ns(&self, connection: usize, which: usize) -> u64 {
        let ends = &self.connections[connection].ends;
        let mute_ns = self.ports[ends[which].port].cut_off.mute_until_ns;
        mute_ns.max(self.ports[ends[1 - which].port].cut_off.deaf_until_ns)
    }

    pub fn end(&self, port: usize, conn: Conn) -> Option<(usize, usize)> {
        let (connection, end) = (*self.ports.get(port)?.slots.get(conn.slot())?)?;
        (self.connections[connection].ends[end].conn == conn).then_some((connection, end))
    }
}

/// What a poll hands on, collected before the owner is called.
pub(super) enum Happened {
    Opened(Conn, SocketAddr),
    Data(Conn, Vec<u8>),
    Closed(Conn),
}

impl State {
    pub(super) fn connect(&mut self, port: usize, to: SocketAddr) -> Result<Conn, ConnectError> {
        let index = self.streams.connections.len();
        let ports = &mut self.streams.ports;
        let conn = ports[port].take_slot(index, 0).ok_or(ConnectError::Full)?;
        let listens = |one: &Port| one.is_open && one.listens == Some(to);
        let server = ports.iter().position(listens);
        // A full server, or none, lets the dialling end hear that it is closed.
        let accepted = server.and_then(|at| Some((at, ports[at].take_slot(index, 1)?)));
        let (open_ns, _) = self.due_ns();
        let open_ns = open_ns.max(self.streams.ports[port].cut_off.mute_until_ns);
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
    pub(super) fn step(&mut self, connection: usize, which: usize, happened: &mut Vec<Happened>) {
        let (now_ns, piece_max) = (self.now_ns, self.faults.piece_bytes_max);
        let Self {
            streams,
            random,
            counts,
            ..
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
        if self.is_calm && !end.closed_here && !end.paused {
            happened.extend(end.all_due(now_ns).map(|bytes| Happened::Data(conn, bytes)));
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
            } else {
                counts.split += 1;
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
    pub(super) fn finish(&mut self, connection: usize, which: usize) {
        let due_ns = self.due_on_stream_ns(connection, which);
        let other = &mut self.streams.connections[connection].ends[1 - which];
        other.last_ns = other.last_ns.max(due_ns);
        other.end_ns = other.end_ns.or(Some(other.last_ns));
    }
}

impl State {
    /// When what an end sends now comes to the other one, if nothing is before it.
    pub(super) fn due_on_stream_ns(&mut self, connection: usize, which: usize) -> u64 {
        let (due_ns, is_late) = self.due_ns();
        self.counts.streams_late += u64::from(is_late);
        due_ns.max(self.streams.held_until_ns(connection, which))
    }

    /// Nobody is cut off any more.
    pub(super) fn join(&mut self) {
        let ports = self.streams.ports.iter_mut().map(|it| &mut it.cut_off);
        let endpoints = self.datagrams.cut_off();
        ports
            .chain(endpoints)
            .for_each(|it| *it = CutOff::default());
    }

    pub(super) fn partition_streams(&mut self, longest_ns: u64) {
        for index in 0..self.streams.ports.len() {
            let port = &self.streams.ports[index];
            if !port.is_open || port.listens.is_some() || self.random.chance(500_000) {
                continue;
            }
            let cut_off = self.cut_off(longest_ns);
            let is_one_way = cut_off.deaf_until_ns != cut_off.mute_until_ns;
            self.counts.partitions += u64::from(!is_one_way);
            self.counts.partitions_one_way += u64::from(is_one_way);
            self.streams.ports[index].cut_off = cut_off;
        }
    }
}
