//! An exchange in a port: it answers at the next poll. Orders rest, and those that trade at once or
//! leave are filled at their price.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use nic::{Conn, ConnectError, TcpEvent, TcpPort};
use wire::ouch::Inbound;
use wire::ouch::outbound::fields::{
    Accepted, AccountQueryResponse, Canceled, Executed, Rejected, Replaced,
};
use wire::soup::{ClientPacket, LoginAccepted, ServerPacket, Splitter, number_text};

const BUFFER_BYTES: usize = 64 << 10;
const HEARTBEAT: Duration = Duration::from_secs(1);
/// "Order not there", as the reason of a rejected replacement.
const GONE: u16 = 4;

/// See the module.
pub struct Exchange {
    is_asked: bool,
    is_open: bool,
    from: SocketAddr,
    packets: Splitter<Vec<u8>>,
    out: Vec<u8>,
    sent: Vec<u8>,
    heard: Instant,
    user_ref_next: u32,
    orders: u64,
    /// References and quantities of those that rest.
    resting: Vec<(u32, u32)>,
}

impl Exchange {
    /// An exchange without orders at this address.
    pub fn new(at: SocketAddr) -> Result<Self, wire::Error> {
        Ok(Self {
            is_asked: false,
            is_open: false,
            from: at,
            packets: Splitter::new(vec![0; BUFFER_BYTES])?,
            out: Vec::with_capacity(BUFFER_BYTES),
            sent: Vec::with_capacity(BUFFER_BYTES),
            heard: Instant::now(),
            user_ref_next: 1,
            orders: 0,
            resting: Vec::new(),
        })
    }

    fn conn() -> Conn {
        Conn::new(0, 1)
    }

    fn tell(&mut self, packet: &ServerPacket<'_>) {
        let mut bytes = [0; 256];
        // The longest message here has 68 bytes.
        let length = packet.encode(&mut bytes).unwrap_or(0);
        self.out.extend_from_slice(&bytes[..length]);
    }

    fn say(&mut self, encode: impl FnOnce(&mut [u8]) -> Result<usize, wire::Error>) {
        let mut message = [0; 128];
        let length = encode(&mut message).unwrap_or(0);
        self.tell(&ServerPacket::Sequenced(&message[..length]));
    }

    fn take(&mut self) {
        // Taken out: packets are borrowed from it while answers are written.
        let empty = Splitter::new(vec![0; 64]);
        let Ok(empty) = empty else { return };
        let mut packets = std::mem::replace(&mut self.packets, empty);
        while let Ok(Some(packet)) = packets.next_packet() {
            match ClientPacket::parse(packet) {
                Ok(ClientPacket::LoginRequest(_)) => {
                    self.tell(&ServerPacket::LoginAccepted(LoginAccepted {
                        session: *b"BENCH     ",
                        sequence: number_text(1),
                    }));
                }
                Ok(ClientPacket::Unsequenced(message)) => self.message(message),
                _ => {}
            }
        }
        self.packets = packets;
    }

    fn message(&mut self, message: &[u8]) {
        match Inbound::parse(message) {
            Ok(Inbound::EnterOrder(order)) => {
                self.enter(order.user_ref(), order.quantity(), order.price(), &order);
            }
            Ok(Inbound::ReplaceOrder(m)) => {
                self.replace(m.old_user_ref(), m.user_ref(), m.quantity(), m.price());
            }
            Ok(Inbound::CancelOrder(m)) => {
                if let Some(quantity) = self.leave(m.user_ref()) {
                    let canceled = Canceled {
                        timestamp: 1,
                        user_ref: m.user_ref(),
                        quantity,
                        reason: b'U',
                    };
                    self.say(|out| canceled.encode(out));
                }
            }
            Ok(Inbound::AccountQuery(_)) => {
                let answer = AccountQueryResponse {
                    timestamp: 1,
                    next_user_ref: self.user_ref_next,
                };
                let mut message = [0; 64];
                let length = answer.encode(&mut message).unwrap_or(0);
                self.tell(&ServerPacket::Unsequenced(&message[..length]));
            }
            _ => {}
        }
    }

    fn leave(&mut self, user_ref: u32) -> Option<u32> {
        let at = self.resting.iter().position(|it| it.0 == user_ref)?;
        Some(self.resting.swap_remove(at).1)
    }

    fn enter(
        &mut self,
        user_ref: u32,
        quantity: u32,
        price: u64,
        order: &wire::ouch::inbound::EnterOrder<'_>,
    ) {
        self.user_ref_next = user_ref + 1;
        self.orders += 1;
        let accepted = Accepted {
            timestamp: 1,
            user_ref,
            side: order.side(),
            quantity,
            symbol: order.symbol(),
            price,
            time_in_force: order.time_in_force(),
            display: order.display(),
            order_ref: self.orders,
            capacity: b'P',
            intermarket_sweep: b'N',
            cross_type: b'N',
            state: b'L',
            client_id: order.client_id(),
        };
        self.say(|out| accepted.encode(out));
        if order.time_in_force() != b'3' {
            self.resting.push((user_ref, quantity));
            return;
        }
        let executed = Executed {
            timestamp: 1,
            user_ref,
            quantity,
            price,
            liquidity: b'R',
            match_number: self.orders,
        };
        self.say(|out| executed.encode(out));
    }

    fn replace(&mut self, old_user_ref: u32, user_ref: u32, quantity: u32, price: u64) {
        self.user_ref_next = user_ref + 1;
        self.orders += 1;
        if self.leave(old_user_ref).is_none() {
            let rejected = Rejected {
                timestamp: 1,
                user_ref,
                reason: GONE,
                client_id: [b' '; 14],
            };
            self.say(|out| rejected.encode(out));
            return;
        }
        self.resting.push((user_ref, quantity));
        let replaced = Replaced {
            timestamp: 1,
            old_user_ref,
            user_ref,
            side: b'B',
            quantity,
            symbol: [b' '; 8],
            price,
            time_in_force: b'0',
            display: b'Y',
            order_ref: self.orders,
            capacity: b'P',
            intermarket_sweep: b'N',
            cross_type: b'N',
            state: b'L',
            client_id: [b' '; 14],
        };
        self.say(|out| replaced.encode(out));
    }
}

impl TcpPort for Exchange {
    fn poll(&mut self, on: &mut dyn FnMut(TcpEvent<'_>)) -> usize {
        let conn = Self::conn();
        if self.is_asked {
            self.is_asked = false;
            self.is_open = true;
            on(TcpEvent::Opened {
                conn,
                peer: self.from,
            });
            return 1;
        }
        if self.is_open && self.heard.elapsed() > HEARTBEAT {
            self.heard = Instant::now();
            self.tell(&ServerPacket::Heartbeat);
        }
        if self.out.is_empty() {
            return 0;
        }
        std::mem::swap(&mut self.out, &mut self.sent);
        self.out.clear();
        on(TcpEvent::Data {
            conn,
            bytes: &self.sent,
        });
        1
    }

    fn connect(&mut self, _to: SocketAddr) -> Result<Conn, ConnectError> {
        self.is_asked = true;
        Ok(Self::conn())
    }

    fn send_room(&self, _conn: Conn) -> usize {
        if self.is_open { BUFFER_BYTES / 2 } else { 0 }
    }

    fn send(&mut self, conn: Conn, bytes: &[u8]) -> usize {
        let bytes = &bytes[..bytes.len().min(self.send_room(conn))];
        let taken = self.packets.push(bytes);
        self.take();
        taken
    }

    fn unsent(&self, _conn: Conn) -> usize {
        0
    }

    fn pause(&mut self, _conn: Conn, _is_paused: bool) {}

    fn close(&mut self, _conn: Conn) {
        self.is_open = false;
    }
}
