//! A feed whose every message is known, and a client of WebSocket of a few lines.

use super::{BOUND, Service};
use flate2::{Decompress, FlushDecompress};
use rustix::net::sockopt::set_socket_recv_buffer_size;
use rustix::net::{AddressFamily, SocketType, connect, socket};
use serde_json::Value;
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};
use wire::itch::fields::{
    AddOrder, BrokenTrade, OrderCancel, OrderDelete, OrderExecuted, StockDirectory,
};

/// What was published: messages by their numbers.
type History = Arc<Mutex<Vec<Vec<u8>>>>;

/// A publisher of a feed, with a server for what was missed.
pub struct Feed {
    pub line: SocketAddrV4,
    pub rerequest: SocketAddrV4,
    socket: UdpSocket,
    history: History,
    /// Nothing is sent yet of what is published.
    is_held: Cell<bool>,
}

/// Messages that fit a packet of Ethernet's size.
const PACKET_MESSAGES: usize = 32;

fn packet(sequence: u64, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"TEST      ".to_vec();
    bytes.extend(sequence.to_be_bytes());
    bytes.extend((messages.len() as u16).to_be_bytes());
    for message in messages {
        bytes.extend((message.len() as u16).to_be_bytes());
        bytes.extend(message);
    }
    bytes
}

fn answer(server: &UdpSocket, history: &Weak<Mutex<Vec<Vec<u8>>>>) {
    let mut request = [0; 64];
    while let Ok((count, from)) = server.recv_from(&mut request) {
        if count != 20 {
            continue;
        }
        let first = u64::from_be_bytes(request[10..18].try_into().unwrap());
        let Some(history) = history.upgrade() else {
            return;
        };
        let history = history.lock().unwrap();
        let wanted = history.iter().skip(first as usize - 1).take(20);
        let wanted: Vec<_> = wanted.cloned().collect();
        let _ = server.send_to(&packet(first, &wanted), from);
    }
}

/// Says how far the feed is, as long as there is one: who missed something asks for it.
fn beat(socket: UdpSocket, line: SocketAddrV4, history: Weak<Mutex<Vec<Vec<u8>>>>) {
    std::thread::spawn(move || {
        while let Some(history) = history.upgrade() {
            let next = history.lock().unwrap().len() as u64 + 1;
            let _ = socket.send_to(&packet(next, &[]), line);
            drop(history);
            std::thread::sleep(Duration::from_millis(100));
        }
    });
}

impl Feed {
    pub fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let std::net::SocketAddr::V4(rerequest) = server.local_addr().unwrap() else {
            unreachable!("it was bound to one")
        };
        // A group is heard by many; its port is one that nobody else has.
        let line = SocketAddrV4::new(Ipv4Addr::new(239, 193, 0, 1), rerequest.port());
        let history = History::default();
        let kept = Arc::downgrade(&history);
        std::thread::spawn(move || answer(&server, &kept));
        beat(socket.try_clone().unwrap(), line, Arc::downgrade(&history));
        Self {
            line,
            rerequest,
            socket,
            history,
            is_held: Cell::new(false),
        }
    }

    /// The section of the settings that follows it.
    pub fn settings(&self, more: &str) -> String {
        format!(
            "[feed]\na = \"{}\"\nrerequest = \"{}\"\n{more}\n",
            self.line, self.rerequest
        )
    }

    /// Publishes a message, which may be lost on its way.
    fn publish(&self, bytes: &[u8], is_lost: bool) {
        let mut history = self.history.lock().unwrap();
        history.push(bytes.to_vec());
        if !is_lost && !self.is_held.get() {
            let bytes = packet(history.len() as u64, &[bytes.to_vec()]);
            self.socket.send_to(&bytes, self.line).unwrap();
        }
    }

    /// Sends what is published by `tell` in packets of many messages.
    pub fn together(&self, tell: impl FnOnce()) {
        let first = self.history.lock().unwrap().len();
        self.is_held.set(true);
        tell();
        self.is_held.set(false);
        let history = self.history.lock().unwrap();
        let firsts = (first..).step_by(PACKET_MESSAGES);
        for (first, messages) in firsts.zip(history[first..].chunks(PACKET_MESSAGES)) {
            let bytes = packet(first as u64 + 1, messages);
            self.socket.send_to(&bytes, self.line).unwrap();
        }
    }

    pub fn list(&self, stock_locate: u16, name: &str) {
        let mut stock = [b' '; 8];
        stock[..name.len()].copy_from_slice(name.as_bytes());
        let mut bytes = [0; wire::itch::StockDirectory::BYTES];
        let listed = StockDirectory {
            stock_locate,
            stock,
            ..directory()
        };
        listed.encode(&mut bytes).unwrap();
        self.publish(&bytes, false);
    }

    pub fn add(&self, locate: u16, order: u64, side: u8, shares: u32, price: u32) {
        self.add_or_lose((locate, order), (side, shares, price), false);
    }

    pub fn add_or_lose(
        &self,
        (stock_locate, order_ref): (u16, u64),
        (side, shares, price): (u8, u32, u32),
        is_lost: bool,
    ) {
        let mut bytes = [0; wire::itch::AddOrder::BYTES];
        let add = AddOrder {
            stock_locate,
            tracking_number: 0,
            timestamp: 1_000,
            order_ref,
            side,
            shares,
            stock: [b' '; 8],
            price,
        };
        add.encode(&mut bytes).unwrap();
        self.publish(&bytes, is_lost);
    }

    pub fn execute(&self, stock_locate: u16, order_ref: u64, shares: u32, match_number: u64) {
        let mut bytes = [0; wire::itch::OrderExecuted::BYTES];
        let executed = OrderExecuted {
            stock_locate,
            tracking_number: 0,
            timestamp: 2_000,
            order_ref,
            shares,
            match_number,
        };
        executed.encode(&mut bytes).unwrap();
        self.publish(&bytes, false);
    }

    pub fn cancel(&self, stock_locate: u16, order_ref: u64, shares: u32) {
        let mut bytes = [0; wire::itch::OrderCancel::BYTES];
        let cancel = OrderCancel {
            stock_locate,
            tracking_number: 0,
            timestamp: 3_000,
            order_ref,
            shares,
        };
        cancel.encode(&mut bytes).unwrap();
        self.publish(&bytes, false);
    }

    pub fn delete(&self, stock_locate: u16, order_ref: u64) {
        let mut bytes = [0; wire::itch::OrderDelete::BYTES];
        let delete = OrderDelete {
            stock_locate,
            tracking_number: 0,
            timestamp: 3_000,
            order_ref,
        };
        delete.encode(&mut bytes).unwrap();
        self.publish(&bytes, false);
    }

    pub fn bust(&self, stock_locate: u16, match_number: u64) {
        let mut bytes = [0; wire::itch::BrokenTrade::BYTES];
        let broken = BrokenTrade {
            stock_locate,
            tracking_number: 0,
            timestamp: 4_000,
            match_number,
        };
        broken.encode(&mut bytes).unwrap();
        self.publish(&bytes, false);
    }
}

/// An entry of the directory with everything but its symbol.
fn directory() -> StockDirectory {
    StockDirectory {
        stock_locate: 0,
        tracking_number: 0,
        timestamp: 0,
        stock: [b' '; 8],
        market_category: b' ',
        financial_status: b' ',
        round_lot: 1,
        round_lots_only: b'N',
        issue_class: b'C',
        issue_subtype: [b'Z', b' '],
        authenticity: b'T',
        short_sale_threshold: b' ',
        ipo_flag: b' ',
        luld_tier: b' ',
        etp_flag: b' ',
        etp_leverage: 0,
        inverse: b'N',
    }
}

/// A client of WebSocket.
pub struct Client {
    stream: TcpStream,
    left: Vec<u8>,
    pub head: String,
}

/// A message that came: its opcode, and its bytes as they were before they were packed.
pub type Told = (u8, Vec<u8>);

impl Client {
    /// Opens a stream with a token and these lines of head.
    pub fn open(service: &Service, key: &str, more: &str) -> Self {
        Self::over(service.connect(), key, more)
    }

    /// The same with as little room for what comes as the system lets one have.
    pub fn open_small(service: &Service, key: &str, more: &str) -> Self {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        set_socket_recv_buffer_size(&socket, 4_096).unwrap();
        connect(&socket, &service.address).unwrap();
        Self::over(socket.into(), key, more)
    }

    fn over(mut stream: TcpStream, key: &str, more: &str) -> Self {
        stream.set_read_timeout(Some(BOUND)).unwrap();
        let text = format!(
            "GET /api/v1/stream HTTP/1.1\r\nHost: venue\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Authorization: Bearer {key}-token\r\n{more}\r\n"
        );
        stream.write_all(text.as_bytes()).unwrap();
        let mut left = Vec::new();
        let mut bytes = [0; 4_096];
        let end = loop {
            let at = left.windows(4).position(|it| it == b"\r\n\r\n");
            if let Some(at) = at {
                break at + 4;
            }
            let count = stream.read(&mut bytes).unwrap();
            assert!(count > 0, "no head: {:?}", String::from_utf8_lossy(&left));
            left.extend(&bytes[..count]);
        };
        let head = String::from_utf8(left.drain(..end).collect()).unwrap();
        Self { stream, left, head }
    }

    pub fn say(&mut self, text: &str) {
        self.send(0x81, text.as_bytes());
    }

    /// Bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    pub fn send(&mut self, first: u8, payload: &[u8]) {
        let mask = [3, 1, 4, 1];
        let mut bytes = vec![first];
        match payload.len() {
            length @ 0..=125 => bytes.push(0x80 | length as u8),
            length => {
                bytes.push(0x80 | 126);
                bytes.extend((length as u16).to_be_bytes());
            }
        }
        bytes.extend(mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b));
        // Who was closed may not take it.
        let _ = self.stream.write_all(&bytes);
    }

    /// The next frame that is not a question whether we live, which is answered; none when the
    /// connection is over.
    pub fn next(&mut self) -> Option<Told> {
        loop {
            match self.frame()? {
                (9, payload) => self.send(0x8A, &payload),
                told => return Some(told),
            }
        }
    }

    /// The next frame, whatever it is.
    pub fn frame(&mut self) -> Option<Told> {
        let mut bytes = vec![0; 1 << 16];
        loop {
            if let Some((told, end)) = framed(&self.left) {
                self.left.drain(..end);
                return Some(told);
            }
            let count = self.stream.read(&mut bytes).unwrap_or(0);
            if count == 0 {
                return None;
            }
            self.left.extend(&bytes[..count]);
        }
    }

    /// The next text, as JSON.
    pub fn json(&mut self) -> Value {
        let (opcode, bytes) = self.next().expect("the connection is over");
        assert_eq!(opcode, 1, "{}", String::from_utf8_lossy(&bytes));
        serde_json::from_slice(&bytes).unwrap()
    }

    /// The next text of which this is so; others are passed over.
    pub fn until(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let told = self.json();
            if is_it(&told) {
                return told;
            }
            assert!(begun.elapsed() < BOUND, "waited for another than {told}");
        }
    }

    /// Waits until the feed is followed, and all of these symbols were heard of.
    pub fn knows(&mut self, symbols: &[&str]) {
        self.until(|told| told["state"] == "live");
        loop {
            self.say(r#"{"id":"known","op":"symbols"}"#);
            let told = self.until(|told| told["id"] == "known");
            let told = told["result"].as_array().unwrap().clone();
            if symbols.iter().all(|name| told.iter().any(|it| it == name)) {
                return;
            }
            // Wishes are counted.
            std::thread::sleep(Duration::from_millis(600));
        }
    }
}

fn framed(bytes: &[u8]) -> Option<(Told, usize)> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let (length, at) = match second {
        126 => (
            usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
            4,
        ),
        127 => (
            u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize,
            10,
        ),
        length => (length.into(), 2),
    };
    let payload = bytes.get(at..at + length)?;
    let payload = if first & 0x40 != 0 {
        unpacked(payload)
    } else {
        payload.to_vec()
    };
    Some(((first & 0x0F, payload), at + length))
}

fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut bytes = packed.to_vec();
    bytes.extend([0, 0, 0xFF, 0xFF]);
    let mut plain = Vec::with_capacity(1 << 20);
    Decompress::new(false)
        .decompress_vec(&bytes, &mut plain, FlushDecompress::Sync)
        .unwrap();
    plain
}
