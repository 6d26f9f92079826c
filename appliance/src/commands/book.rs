//! `wirecross book`: subscribes to a feed and shows a book live.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::ExitCode;

use nic::{Clock, Net, RealClock, RealNet, RealUdp, UdpOptions};
use session::feed::{ReceiverCounters, State};
use trading::Level;
use wire::ring::{PRICE_MARKET, Side};

use crate::client::depth::DepthSubscriber;
use crate::client::subscriber::Subscriber;
use crate::venue::{decimals, idle};

/// Time between two pictures of the book.
const REFRESH_NS: u64 = 200_000_000;

/// What `wirecross book` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the feed is sent: its multicast group, or this host's address and port.
    #[arg(long, value_name = "ADDRESS")]
    feed: SocketAddrV4,
    /// Where missing messages are asked for.
    #[arg(long, value_name = "ADDRESS")]
    rerequest: Option<SocketAddrV4>,
    /// Address of the interface that the feed arrives on.
    #[arg(long, default_value = "127.0.0.1")]
    interface: Ipv4Addr,
    /// The feed is the depth: it tells levels instead of orders.
    #[arg(long)]
    depth: bool,
    /// Symbol to show.
    #[arg(long)]
    symbol: String,
    /// Levels of each side.
    #[arg(long, default_value_t = 10)]
    levels: usize,
    /// Ends after so many seconds; without it, at the end of the session.
    #[arg(long)]
    seconds: Option<u64>,
}

/// Runs the command.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    match show(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::failed("book", error),
    }
}

/// The feed's port and one for requests, as any subscriber on this host opens them.
///
/// # Errors
/// The system's word.
pub fn open_ports(feed: SocketAddrV4, interface: Ipv4Addr) -> std::io::Result<[RealUdp; 2]> {
    let listen = receive_port(feed, interface)?;
    let ask = RealNet::new().udp(&UdpOptions::new(SocketAddrV4::new(interface, 0)))?;
    Ok([listen, ask])
}

/// A port at which a feed arrives.
///
/// # Errors
/// The system's word.
pub fn receive_port(feed: SocketAddrV4, interface: Ipv4Addr) -> std::io::Result<RealUdp> {
    let groups = if feed.ip().is_multicast() {
        vec![*feed.ip()]
    } else {
        Vec::new()
    };
    RealNet::new().udp(&UdpOptions {
        groups,
        interface,
        ..UdpOptions::new(feed)
    })
}

/// What is shown: books made of orders, or of levels.
enum Source {
    Orders(Subscriber<RealUdp>),
    Levels(DepthSubscriber<RealUdp>),
}

impl Source {
    fn poll(&mut self, now_ns: u64) -> usize {
        match self {
            Self::Orders(it) => it.poll(now_ns, &mut |_, _, _| {}),
            Self::Levels(it) => it.poll(now_ns),
        }
    }

    fn state(&self) -> State {
        match self {
            Self::Orders(it) => it.state(),
            Self::Levels(it) => it.state(),
        }
    }

    fn counters(&self) -> (&ReceiverCounters, &'static str) {
        match self {
            Self::Orders(it) => (it.counters(), it.mode()),
            Self::Levels(it) => (it.counters(), it.mode()),
        }
    }

    /// The best levels of both sides; `None` before the symbol was named.
    fn levels(&self, symbol: &str, count: usize) -> Option<[Vec<Level>; 2]> {
        let sides = [Side::Buy, Side::Sell];
        match self {
            Self::Orders(it) => {
                let books = it.books();
                let book = books.book(books.locate(symbol)?);
                let side = |side| book.into_iter().flat_map(move |book| book.levels(side));
                Some(sides.map(|it| side(it).take(count).collect()))
            }
            Self::Levels(it) => {
                let levels = it.levels();
                let locate = levels.locate(symbol)?;
                Some(sides.map(|it| levels.levels(locate, it).take(count).collect()))
            }
        }
    }
}

fn show(args: &Args) -> Result<(), String> {
    let [feed, requests] = open_ports(args.feed, args.interface)
        .map_err(|error| format!("cannot receive on {}: {error}", args.feed))?;
    let mut source = if args.depth {
        Source::Levels(DepthSubscriber::new(feed, requests, args.rerequest))
    } else {
        Source::Orders(Subscriber::new(feed, requests, args.rerequest))
    };
    let clock = RealClock::new();
    let start_ns = clock.now_ns();
    let mut shown_ns = 0;
    let mut idle_turns = 0;
    loop {
        let now_ns = clock.now_ns();
        let packets = source.poll(now_ns);
        let seconds = (now_ns - start_ns) / session::SECOND_NS;
        let over =
            source.state() == State::Ended || args.seconds.is_some_and(|limit| seconds >= limit);
        if over || now_ns - shown_ns >= REFRESH_NS {
            shown_ns = now_ns;
            draw(&picture(args, &source), over);
        }
        if over {
            return Ok(());
        }
        idle_turns = if packets > 0 { 0 } else { idle_turns + 1 };
        idle(idle_turns);
    }
}

/// On a terminal each picture replaces the one before; elsewhere only the last one is printed.
fn draw(picture: &str, last: bool) {
    let mut out = std::io::stdout().lock();
    if out.is_terminal() {
        // A terminal that went away is not worth an error.
        let _ = write!(out, "\x1b[H\x1b[2J{picture}");
        let _ = out.flush();
    } else if last {
        let _ = out.write_all(picture.as_bytes());
    }
}

fn picture(args: &Args, source: &Source) -> String {
    let (counters, mode) = source.counters();
    let mut text = format!(
        "{}  feed {} ({mode})  messages {}  gaps {}  requests {}  {:?}\n\n",
        args.symbol,
        args.feed,
        counters.messages,
        counters.gaps,
        counters.requests,
        source.state(),
    );
    match source.levels(&args.symbol, args.levels) {
        Some(sides) if sides.iter().all(Vec::is_empty) => text.push_str("no orders\n"),
        Some([bids, offers]) => levels(&mut text, &bids, &offers),
        None => text.push_str("the feed has not named this symbol yet\n"),
    }
    text
}

fn levels(text: &mut String, bids: &[Level], offers: &[Level]) {
    let _ = writeln!(
        text,
        "{:>6} {:>9} {:>12} | {:<12} {:<9} {:<6}",
        "orders", "units", "bid", "offer", "units", "orders"
    );
    for row in 0..bids.len().max(offers.len()) {
        let left = bids.get(row).map_or(String::new(), |bid| {
            let price = price_text(bid.price);
            format!("{:>6} {:>9} {price:>12}", bid.orders, bid.quantity)
        });
        let right = offers.get(row).map_or(String::new(), |offer| {
            let price = price_text(offer.price);
            format!("{price:<12} {:<9} {:<6}", offer.quantity, offer.orders)
        });
        let _ = writeln!(text, "{left:>29} | {right}");
    }
}

/// A price in the currency, with its four decimals; market orders, which only rest while an auction
/// is called, have a word.
pub(super) fn price_text(price: i64) -> String {
    if price == 0 || price == PRICE_MARKET {
        return "market".to_owned();
    }
    decimals(price)
}
