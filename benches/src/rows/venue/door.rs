//! What stands between a server and its port: it notes when a message and its answer pass.
//!
//! One message is under way at a time, so the points of its way can be told apart from outside the
//! server: bytes come out of the port, the poll ends when they are parsed and put on the ring, and
//! bytes go in when the answer is written.

use std::net::SocketAddr;
use std::sync::mpsc::Sender;

use nic::{
    BeforeKick, Clock, Conn, ConnectError, FirstTouch, RealTcp, Stamp, TcpEvent, TcpPort, TcpStats,
};

use crate::threads::pin;

/// The way of one message through a server.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// By the port, before it looked at the frame.
    touched: Stamp<FirstTouch>,
    handed_ns: u64,
    parsed_ns: u64,
    answered_ns: u64,
    /// By the port, before the system was told to send.
    kicked: Stamp<BeforeKick>,
}

impl Way {
    /// Nanoseconds from the first touch to the bytes, from there until they are parsed, from there
    /// to the answer, and from there to the kick.
    #[must_use]
    pub fn hops_ns(&self) -> [u64; 4] {
        let mut last_ns = self.touched.ns();
        let ends = [
            self.handed_ns,
            self.parsed_ns,
            self.answered_ns,
            self.kicked.ns(),
        ];
        ends.map(|end_ns| end_ns.saturating_sub(std::mem::replace(&mut last_ns, end_ns)))
    }

    /// Nanoseconds of the whole way.
    #[must_use]
    pub fn total_ns(&self) -> u64 {
        self.kicked.since(self.touched)
    }
}

/// A port that pins the thread which polls it and tells the ways through its server when dropped.
pub struct Door {
    port: RealTcp,
    clock: Box<dyn Clock + Send>,
    is_pinned: bool,
    /// The message under way: when its bytes were touched, handed on, and parsed.
    coming: Option<(Stamp<FirstTouch>, u64, u64)>,
    answered_ns: Option<u64>,
    /// When the port was last looked at.
    look_ns: u64,
    passed: Passed,
    to: Sender<Passed>,
}

/// What passed a door.
#[derive(Debug, Default)]
pub struct Passed {
    /// Messages that were answered, in order.
    pub ways: Vec<Way>,
    /// Distances of looks in vain: a message waits for the next look.
    pub looks_ns: Vec<u64>,
}

/// Distances that are kept.
const LOOKS_MAX: usize = 1 << 16;

impl Door {
    /// A door before `port`, whose times are by `clock` too.
    pub fn new(port: RealTcp, clock: Box<dyn Clock + Send>, to: Sender<Passed>) -> Self {
        Self {
            port,
            clock,
            is_pinned: false,
            coming: None,
            answered_ns: None,
            look_ns: 0,
            passed: Passed::default(),
            to,
        }
    }
}

impl TcpPort for Door {
    fn poll(&mut self, on: &mut dyn FnMut(TcpEvent<'_>)) -> usize {
        self.poll_stamped(&mut |_, event| on(event))
    }

    fn poll_stamped(
        &mut self,
        on: &mut dyn FnMut(Option<Stamp<FirstTouch>>, TcpEvent<'_>),
    ) -> usize {
        if !self.is_pinned {
            pin(1);
            self.is_pinned = true;
        }
        let start = Stamp::touch(&*self.clock);
        let looked_ns = std::mem::replace(&mut self.look_ns, start.ns());
        let (clock, mut handed) = (&*self.clock, None);
        let events = self.port.poll_stamped(&mut |touched, event| {
            if handed.is_none() && matches!(event, TcpEvent::Data { .. }) {
                // A port without times of its own looks at its first completion right behind it.
                handed = Some((touched.unwrap_or(start), clock.now_ns()));
            }
            on(touched, event);
        });
        if let Some((touched, handed_ns)) = handed {
            self.coming = Some((touched, handed_ns, self.clock.now_ns()));
        } else if self.passed.looks_ns.len() < LOOKS_MAX && looked_ns > 0 {
            self.passed.looks_ns.push(start.ns() - looked_ns);
        }
        events
    }

    fn connect(&mut self, to: SocketAddr) -> Result<Conn, ConnectError> {
        self.port.connect(to)
    }

    fn send_room(&self, conn: Conn) -> usize {
        self.port.send_room(conn)
    }

    fn send(&mut self, conn: Conn, bytes: &[u8]) -> usize {
        self.answered_ns = Some(self.clock.now_ns());
        self.port.send(conn, bytes)
    }

    fn unsent(&self, conn: Conn) -> usize {
        self.port.unsent(conn)
    }

    fn pause(&mut self, conn: Conn, is_paused: bool) {
        self.port.pause(conn, is_paused);
    }

    fn close(&mut self, conn: Conn) {
        self.port.close(conn);
    }

    fn flush(&mut self) {
        let before = Stamp::kick(&*self.clock);
        self.port.flush();
        let Some(answered_ns) = self.answered_ns.take() else {
            return;
        };
        if let Some((touched, handed_ns, parsed_ns)) = self.coming.take() {
            self.passed.ways.push(Way {
                touched,
                handed_ns,
                parsed_ns,
                answered_ns,
                kicked: self.port.kicked().unwrap_or(before),
            });
        }
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.port.local_addr()
    }

    fn kicked(&self) -> Option<Stamp<BeforeKick>> {
        self.port.kicked()
    }

    fn stats(&self) -> TcpStats {
        self.port.stats()
    }

    fn mode(&self) -> &'static str {
        self.port.mode()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // Nobody listens any more when the bench has failed.
        let _ = self.to.send(std::mem::take(&mut self.passed));
    }
}
