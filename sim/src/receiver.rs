//! A receiver of market data by two lines, with requests and snapshots: whatever the network does
//! to either line, its book is the feed's whenever it says that nothing is missing.

use std::io;

use appliance::client::subscriber::Subscriber;
use appliance::tiles::{FeedPorts, FeedServers, FeedTile};
use nic::{Net as _, TcpLimits, UdpOptions};
use session::feed::{LinesConfig, ReceiverConfig, State};
use trading::{Books, Image};
use wire::ring::Side;

use crate::net::{SimNet, SimTcp, SimUdp, Wires};
use crate::random::Random;
use crate::wiring::{GROUP, GROUP_B, LINES, REREQUEST, SNAPSHOTS};

/// Someone who joins the feed, early or late, and stays as long as it is not replaced.
pub(crate) struct Receiver {
    tile: FeedTile<SimUdp, SimTcp>,
    /// Snapshots that were taken by those before it.
    before: u64,
    /// Times at which its book was compared.
    pub compared: u64,
}

impl Receiver {
    /// One that heard nothing yet; `before` is the one in whose place it comes.
    pub fn open(
        (wires, random): (&Wires, &mut Random),
        before: Option<Self>,
        now_ns: u64,
    ) -> io::Result<Self> {
        let (taken, compared) = before.map_or((0, 0), |it| (it.taken(), it.compared));
        let mut net = SimNet::new(wires);
        let mut port = |at: usize, group: &[_]| {
            net.udp(&UdpOptions {
                groups: group.to_vec(),
                ..UdpOptions::new(LINES[at])
            })
        };
        let lines = vec![port(0, &[*GROUP.ip()])?, port(1, &[*GROUP_B.ip()])?];
        let requests = Some(port(2, &[])?);
        let limits = TcpLimits {
            connections: 4,
            ..TcpLimits::default()
        };
        let ports = FeedPorts {
            lines,
            requests,
            snapshots: Some(SimNet::new(wires).tcp_client(limits)?),
        };
        let servers = FeedServers {
            rerequest: Some(REREQUEST),
            snapshots: Some(SNAPSHOTS.into()),
        };
        let tile = FeedTile::new(ports, servers, config(random), Image::new(), now_ns);
        Ok(Self {
            tile,
            before: taken,
            compared,
        })
    }

    /// A turn; whether anything came. Where it says that nothing is missing and
    /// stands where another receiver does, it must know the same.
    pub fn turn(&mut self, now_ns: u64, other: &Subscriber<SimUdp>) -> Result<bool, String> {
        let came = self.tile.turn(now_ns);
        if came > 0 && self.is_whole_at(other.sequence_next()) {
            self.compare(other.books())?;
        }
        Ok(came > 0)
    }

    /// Whether it says that nothing is missing, and this is the number of its next message.
    pub fn is_whole_at(&self, next: u64) -> bool {
        let lines = self.tile.lines();
        matches!(lines.state(), State::Live | State::Ended) && lines.sequence_next() == next
    }

    /// Whether it heard that the session is over.
    pub fn has_ended(&self) -> bool {
        self.tile.lines().state() == State::Ended
    }

    /// Snapshots that were taken.
    pub fn taken(&self) -> u64 {
        self.before + self.tile.snapshots_taken()
    }

    /// Where it stands, for messages.
    pub fn standing(&self) -> String {
        let lines = self.tile.lines();
        format!("lines {:?} at {}", lines.state(), lines.sequence_next())
    }

    /// Whether its book is that one, and nothing that it heard was wrong.
    pub fn compare(&mut self, books: &Books) -> Result<(), String> {
        self.compared += 1;
        let (lines, mine) = (self.tile.lines(), self.tile.market().books());
        if lines.disputes() + self.tile.unreadable() > 0 {
            return Err(format!("two lines differ: {}", self.standing()));
        }
        let same = |symbol| {
            let side = |side| orders(mine, symbol, side).eq(orders(books, symbol, side));
            side(Side::Buy) && side(Side::Sell)
        };
        let symbols = books.books().map(|(symbol, _)| symbol);
        let wrong = symbols.into_iter().find(|symbol| !same(*symbol));
        match wrong {
            Some(symbol) => Err(format!(
                "the book of symbol {symbol} by two lines is not the feed's: {}",
                self.standing()
            )),
            None if mine.live_orders() != books.live_orders() => Err(format!(
                "{} orders by two lines, {} by one: {}",
                mine.live_orders(),
                books.live_orders(),
                self.standing()
            )),
            None => Ok(()),
        }
    }
}

/// The orders of one side of a book.
fn orders(books: &Books, symbol: u16, side: Side) -> impl Iterator<Item = (u64, i64, u32)> {
    let book = books.book(symbol).into_iter();
    let orders = book.flat_map(move |book| book.orders(side));
    orders.map(|order| (order.order_ref, order.price, order.quantity))
}

/// Times are those of a day that lasts a second; who is far behind asks for a snapshot.
fn config(random: &mut Random) -> LinesConfig {
    let defaults = LinesConfig::default();
    LinesConfig {
        receiver: ReceiverConfig {
            held_packets: random.one_of(&[2, 64]),
            retry_ns: random.one_of(&[500_000, 5_000_000]),
            request_messages_max: random.one_of(&[3, 1_000]),
            ..defaults.receiver
        },
        patience_ns: random.one_of(&[1_000_000, 30_000_000]),
        gap_messages_max: random.one_of(&[0, 10, 100_000]),
        ..defaults
    }
}
