//! Three currencies of a demo: a member quotes each against the others, and now and then one of its
//! prices strays from what the other two say. That is what a way around them lives from.

use std::net::SocketAddr;

use nic::{Net, RealNet, SocketTcp, TcpLimits};
use session::ouch_client::Order;

use crate::client::members::{Login, Members};

/// The markets: the first one is worth the product of the others.
pub const MARKETS: [&str; 3] = ["EURUSD", "EURGBP", "GBPUSD"];

/// Prices of the last two at first, in 1/10,000.
const CROSS: i64 = 8_510;
const DOLLARS: i64 = 12_800;
const ONE: i64 = 10_000;

/// How far these wander, each from where it was at first.
const WANDER_MAX: i64 = 40;
/// How far the first one strays from their product.
const STRAY_MAX: u64 = 12;
/// Half a spread, in 1/10,000, and units on each side.
const HALF_SPREAD: i64 = 1;
const UNITS: u32 = 100_000;

/// Time between two quotations.
const EVERY_NS: u64 = 50_000_000;

const _: () = assert!(CROSS > WANDER_MAX && DOLLARS > WANDER_MAX && STRAY_MAX > 0);

/// The member and its prices.
pub struct Currencies {
    members: Members<SocketTcp>,
    random: u64,
    cross: i64,
    dollars: i64,
    due_ns: u64,
    /// References of the orders that stand.
    standing: Vec<u32>,
}

impl Currencies {
    /// A member that logs in when it is polled.
    ///
    /// # Errors
    /// The system has no socket, in words.
    pub fn new(order_entry: SocketAddr, login: &Login, seed: u64) -> Result<Self, String> {
        let limits = TcpLimits {
            connections: 1,
            ..TcpLimits::default()
        };
        let tcp = RealNet::new().tcp_client(limits);
        let tcp = tcp.map_err(|error| error.to_string())?;
        Ok(Self {
            members: Members::new(tcp, order_entry, std::slice::from_ref(login), 0),
            random: seed,
            cross: CROSS,
            dollars: DOLLARS,
            due_ns: 0,
            standing: Vec::with_capacity(2 * MARKETS.len()),
        })
    }

    /// Quotes, if it is time.
    ///
    /// # Errors
    /// The member cannot go on, in words.
    pub fn poll(&mut self, now_ns: u64) -> Result<(), String> {
        let polled = self.members.poll(now_ns, &mut |_, _| {});
        polled.map_err(|error| error.to_string())?;
        if now_ns < self.due_ns || !self.members.all_live() {
            return Ok(());
        }
        self.due_ns = now_ns + EVERY_NS;
        let prices = self.prices_next();
        let ouch = self.members.member(0);
        let mut is_sent = true;
        for user_ref in self.standing.drain(..) {
            is_sent &= ouch.cancel(user_ref, 0);
        }
        for (symbol, price) in MARKETS.into_iter().zip(prices) {
            for (side, away) in [(b'B', -HALF_SPREAD), (b'S', HALF_SPREAD)] {
                let order = Order::day(side, UNITS, symbol, (price + away).unsigned_abs());
                let entered = ouch.enter(&order);
                is_sent &= entered.is_some();
                self.standing.extend(entered);
            }
        }
        self.members.transmit(now_ns);
        if is_sent {
            return Ok(());
        }
        Err("the venue does not read what quotes the currencies".to_owned())
    }

    /// The middles of the next quotation.
    fn prices_next(&mut self) -> [i64; 3] {
        let wander = |price: i64, home: i64, up: bool| {
            let next = price + if up { 1 } else { -1 };
            next.clamp(home - WANDER_MAX, home + WANDER_MAX)
        };
        self.cross = wander(self.cross, CROSS, self.below(2) == 0);
        self.dollars = wander(self.dollars, DOLLARS, self.below(2) == 0);
        let stray = self.below(2 * STRAY_MAX + 1) as i64 - STRAY_MAX as i64;
        let worth = self.cross * self.dollars / ONE;
        [worth + stray, self.cross, self.dollars]
    }

    /// A number below a bound: splitmix64.
    const fn below(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
