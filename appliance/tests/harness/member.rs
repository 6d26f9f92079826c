//! A member: a blocking socket and the client's state machine.

use super::{BOUND, Venue};
use session::soup_client::{ClientState, Heard, SoupClient, SoupConfig};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use wire::ouch::Outbound;
use wire::ouch::Tag;
use wire::ouch::inbound::fields::{CancelOrder, EnterOrder, MassCancel};

/// Bytes that are kept of what came last.
const TAIL_BYTES: usize = 512;

/// One member's connection and all it heard.
pub struct Member {
    pub soup: SoupClient,
    stream: TcpStream,
    user_ref_next: u32,
    /// The day's replies in order, as they came: number `n` is at `n - 1`.
    pub replies: Vec<Vec<u8>>,
    /// What came outside the stream, in order.
    pub aside: Vec<Vec<u8>>,
    /// The last bytes that came, as they came.
    pub tail: Vec<u8>,
    /// The connection is closed.
    pub is_closed: bool,
    /// Bytes that it still sends, and takes, before its connection breaks.
    pub left: [usize; 2],
}

fn connected(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_nodelay(true).unwrap();
    let patience = Some(Duration::from_millis(5));
    stream.set_read_timeout(patience).unwrap();
    stream
}

fn now_ns() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_nanos() as u64
}

impl Member {
    /// Connects and sends a login that asks for the day's replies from the first on.
    pub fn dial(to: SocketAddr, user: &str, password: &str) -> Self {
        // A test talks to one member at a time: how long the others wait says nothing.
        let silence_ns = 3_600 * session::SECOND_NS;
        let config = SoupConfig {
            silence_ns,
            ..SoupConfig::new(user, password)
        };
        let mut soup = SoupClient::new(config);
        soup.connected(now_ns());
        let mut member = Self {
            soup,
            stream: connected(to),
            user_ref_next: 1,
            replies: Vec::new(),
            aside: Vec::new(),
            tail: Vec::new(),
            is_closed: false,
            left: [usize::MAX; 2],
        };
        member.turn();
        member
    }

    /// Connects anew and sends a login that asks for what it did not read; the connection breaks
    /// when it has sent, or taken, so many bytes.
    pub fn redial(&mut self, to: SocketAddr, left: [usize; 2]) {
        self.stream = connected(to);
        (self.is_closed, self.left) = (false, left);
        self.soup.connected(now_ns());
        self.turn();
    }

    /// Connects and logs in.
    pub fn login(to: SocketAddr, user: &str) -> Self {
        let mut member = Self::dial(to, user, &user.to_lowercase());
        member.until("the login", |member| {
            member.soup.state() == ClientState::Live
        });
        member
    }

    /// Moves what can be moved; waits a few milliseconds for bytes when there are none.
    pub fn turn(&mut self) {
        let now = now_ns();
        self.soup.poll(now);
        let (stream, [up, down]) = (&mut self.stream, &mut self.left);
        // A closed connection shows by reading.
        self.soup.transmit(now, &mut |bytes| {
            let taken = stream.write(&bytes[..bytes.len().min(*up)]).unwrap_or(0);
            *up -= taken;
            taken
        });
        if *up == 0 || *down == 0 {
            // What was sent before is on its way, whatever the other side still sends.
            let _ = self.stream.shutdown(Shutdown::Both);
            self.is_closed = true;
            return;
        }
        let mut bytes = [0; 4096];
        let room = bytes.len().min(*down);
        match self.stream.read(&mut bytes[..room]) {
            Ok(0) => self.is_closed = true,
            Ok(length) => {
                *down -= length;
                let old = self.tail.len().saturating_sub(TAIL_BYTES);
                self.tail.drain(..old);
                self.tail.extend_from_slice(&bytes[..length]);
                let (replies, aside) = (&mut self.replies, &mut self.aside);
                self.soup
                    .received(&bytes[..length], now, &mut |heard| match heard {
                        Heard::Sequenced { sequence, message } => {
                            let next = replies.len() + 1;
                            assert_eq!(sequence as usize, next, "a gap in the replies");
                            replies.push(message.to_vec());
                        }
                        Heard::Unsequenced(message) => aside.push(message.to_vec()),
                        _ => {}
                    });
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => self.is_closed = true,
        }
    }

    /// Turns until `done`.
    pub fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !done(self) {
            assert!(
                start.elapsed() < BOUND,
                "waited {BOUND:?} for {what}; {:?}, closed: {}, heard {:?}",
                self.soup.state(),
                self.is_closed,
                self.kinds()
            );
            self.turn();
        }
    }

    /// Enters a day order with the next number, which is returned.
    pub fn enter(&mut self, side: u8, quantity: u32, symbol: &str, price: u64) -> u32 {
        let user_ref = self.user_ref_next;
        self.user_ref_next += 1;
        self.enter_as(user_ref, side, (quantity, symbol, price));
        user_ref
    }

    /// Enters a day order with a number of the caller's choice.
    pub fn enter_as(&mut self, user_ref: u32, side: u8, order: (u32, &str, u64)) {
        self.enter_tagged(user_ref, side, order, &[]);
    }

    /// Enters a day order with optional elements and the next number, which is returned.
    pub fn enter_with(&mut self, side: u8, order: (u32, &str, u64), tags: &[Tag<'_>]) -> u32 {
        let user_ref = self.user_ref_next;
        self.user_ref_next += 1;
        self.enter_tagged(user_ref, side, order, tags);
        user_ref
    }

    /// Enters so many day orders as fast as they go out, and waits for the answers; gives the
    /// number of the first.
    pub fn enter_many(&mut self, count: usize, side: u8, order: (u32, &str, u64)) -> u32 {
        let (first, replies) = (self.user_ref_next, self.replies.len());
        for _ in 0..count {
            let (bytes, length) = order_bytes(self.user_ref_next, side, order, &[]);
            self.queue(&bytes[..length]);
            self.user_ref_next += 1;
        }
        self.until("the answers", |member| {
            member.replies.len() >= replies + count
        });
        first
    }

    fn enter_tagged(&mut self, user_ref: u32, side: u8, order: (u32, &str, u64), tags: &[Tag<'_>]) {
        let (bytes, length) = order_bytes(user_ref, side, order, tags);
        self.message(&bytes[..length]);
    }

    /// Takes off all orders of an account with the next number.
    pub fn mass_cancel(&mut self, account: u32) {
        let asked = MassCancel {
            user_ref: self.user_ref_next,
            firm: [b' '; 4],
            symbol: [b' '; 8],
        };
        self.user_ref_next += 1;
        let mut bytes = [0; 64];
        let length = asked.encode_with([Tag::Account(account)], &mut bytes);
        self.message(&bytes[..length.unwrap()]);
    }

    /// Cancels an order.
    pub fn cancel(&mut self, user_ref: u32) {
        self.queue_cancel(user_ref);
        self.turn();
    }

    /// Enters a day order with the next number and cancels another one, in one piece.
    pub fn enter_and_cancel(&mut self, side: u8, order: (u32, &str, u64), user_ref: u32) {
        let (bytes, length) = order_bytes(self.user_ref_next, side, order, &[]);
        self.user_ref_next += 1;
        self.queue(&bytes[..length]);
        self.cancel(user_ref);
    }

    fn queue_cancel(&mut self, user_ref: u32) {
        let mut bytes = [0; 64];
        let length = CancelOrder {
            user_ref,
            quantity: 0,
        }
        .encode(&mut bytes)
        .unwrap();
        self.queue(&bytes[..length]);
    }

    fn message(&mut self, message: &[u8]) {
        self.queue(message);
        self.turn();
    }

    /// Hands a message to the client, which may keep it until the next turn.
    fn queue(&mut self, message: &[u8]) {
        let start = Instant::now();
        while !self.soup.send(message) {
            assert!(
                start.elapsed() < BOUND && !self.is_closed,
                "the order does not go out"
            );
            self.turn();
        }
    }

    /// Numbers orders from here on.
    pub fn user_ref_next_set(&mut self, user_ref: u32) {
        self.user_ref_next = user_ref;
    }

    /// The letters of the replies, in order.
    pub fn kinds(&self) -> String {
        self.replies
            .iter()
            .map(|reply| char::from(reply[0]))
            .collect()
    }

    /// Turns until the replies are of these kinds.
    pub fn until_kinds(&mut self, kinds: &str) {
        self.until(kinds, |member| member.replies.len() >= kinds.len());
        assert_eq!(self.kinds(), kinds);
    }

    /// Turns until so many messages came outside the stream; gives the last one.
    pub fn until_aside(&mut self, count: usize) -> Vec<u8> {
        let what = format!("{count} messages outside the stream");
        self.until(&what, |member| member.aside.len() >= count);
        assert_eq!(self.aside.len(), count);
        self.aside[count - 1].clone()
    }

    /// The reject code of the last reply.
    pub fn reject_code(&self) -> Option<u16> {
        match Outbound::parse(self.replies.last()?) {
            Ok(Outbound::Rejected(rejected)) => Some(rejected.reason()),
            _ => None,
        }
    }

    /// Whether the last bytes hold a packet outside the stream with this text.
    pub fn was_told(&self, text: &str) -> bool {
        let packet = [b"+", text.as_bytes()].concat();
        self.tail.windows(packet.len()).any(|bytes| bytes == packet)
    }

    /// Turns until the venue closed the connection.
    pub fn until_closed(&mut self) {
        self.until("the end of the connection", |member| member.is_closed);
    }
}

/// ALPHA offers so many units in orders of one, and BRAVO buys them; both did so with `before`.
pub fn trade(venue: &Venue, before: usize, count: usize) {
    for (name, side) in [("ALPHA", b'S'), ("BRAVO", b'B')] {
        let mut member = Member::login(venue.order_entry(), name);
        member.user_ref_next_set(before as u32 + 1);
        member.enter_many(count, side, (1, "AAPL", 1_000_000));
        member.until("acceptances", |it| {
            it.kinds().matches('A').count() == before + count
        });
    }
}

/// The message that enters a day order.
fn order_bytes(
    user_ref: u32,
    side: u8,
    (quantity, symbol, price): (u32, &str, u64),
    tags: &[Tag<'_>],
) -> ([u8; 128], usize) {
    let message = EnterOrder {
        user_ref,
        side,
        quantity,
        symbol: wire::padded(symbol),
        price,
        time_in_force: b'0',
        display: b'Y',
        capacity: b'P',
        intermarket_sweep: b'N',
        cross_type: b'N',
        client_id: [b' '; 14],
    };
    let mut bytes = [0; 128];
    let length = message.encode_with(tags.iter().copied(), &mut bytes);
    (bytes, length.unwrap())
}
