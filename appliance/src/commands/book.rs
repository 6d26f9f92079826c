//! `wirecross book`: subscribes to a feed and shows a book live.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::ExitCode;

use nic::{Clock, Net, RealClock, RealNet, RealUdp, UdpOptions};
use session::feed::State;
use trading::{Book, Level};
use wire::ring::Side;

use crate::client::subscriber::Subscriber;
use crate::venue::idle;

/// Time between two pictures of the book.
const REFRESH_NS: u64 = 200_000_000;
/// Exit code when the feed cannot be received.
const EXIT_USAGE: u8 = 2;

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
        Err(error) => {
            eprintln!("book: {error}");
            ExitCode::from(EXIT_USAGE)
        }
    }
}

/// The feed's port and one for requests, as any subscriber on this host opens them.
///
/// # Errors
/// The system's word.
pub fn open_ports(feed: SocketAddrV4, interface: Ipv4Addr) -> std::io::Result<[RealUdp; 2]> {
    let mut net = RealNet::new();
    let groups = if feed.ip().is_multicast() {
        vec![*feed.ip()]
    } else {
        Vec::new()
    };
    let listen = net.udp(&UdpOptions {
        groups,
        interface,
        ..UdpOptions::new(feed)
    })?;
    let ask = net.udp(&UdpOptions::new(SocketAddrV4::new(interface, 0)))?;
    Ok([listen, ask])
}

fn show(args: &Args) -> Result<(), String> {
    let [feed, requests] = open_ports(args.feed, args.interface)
        .map_err(|error| format!("cannot receive on {}: {error}", args.feed))?;
    let mut subscriber = Subscriber::new(feed, requests, args.rerequest);
    let clock = RealClock::new();
    let start_ns = clock.now_ns();
    let mut shown_ns = 0;
    let mut idle_turns = 0;
    loop {
        let now_ns = clock.now_ns();
        let packets = subscriber.poll(now_ns, &mut |_, _, _| {});
        let seconds = (now_ns - start_ns) / session::SECOND_NS;
        let over = subscriber.state() == State::Ended
            || args.seconds.is_some_and(|limit| seconds >= limit);
        if over || now_ns - shown_ns >= REFRESH_NS {
            shown_ns = now_ns;
            draw(&picture(args, &subscriber), over);
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

fn picture(args: &Args, subscriber: &Subscriber<RealUdp>) -> String {
    let counters = subscriber.counters();
    let mut text = format!(
        "{}  feed {} ({})  messages {}  gaps {}  requests {}  {:?}\n\n",
        args.symbol,
        args.feed,
        subscriber.mode(),
        counters.messages,
        counters.gaps,
        counters.requests,
        subscriber.state(),
    );
    let books = subscriber.books();
    match books.locate(&args.symbol).map(|locate| books.book(locate)) {
        Some(Some(book)) => levels(&mut text, book, args.levels),
        Some(None) => text.push_str("no orders\n"),
        None => text.push_str("the feed has not named this symbol yet\n"),
    }
    text
}

fn levels(text: &mut String, book: &Book, count: usize) {
    let mut bids = book.levels(Side::Buy).take(count);
    let mut offers = book.levels(Side::Sell).take(count);
    let _ = writeln!(
        text,
        "{:>6} {:>9} {:>12} | {:<12} {:<9} {:<6}",
        "orders", "units", "bid", "offer", "units", "orders"
    );
    loop {
        let (bid, offer) = (bids.next(), offers.next());
        if bid.is_none() && offer.is_none() {
            return;
        }
        let left = bid.map_or(
            String::new(),
            |Level {
                 price,
                 quantity,
                 orders,
             }| { format!("{orders:>6} {quantity:>9} {:>12}", price_text(price)) },
        );
        let right = offer.map_or(
            String::new(),
            |Level {
                 price,
                 quantity,
                 orders,
             }| { format!("{:<12} {quantity:<9} {orders:<6}", price_text(price)) },
        );
        let _ = writeln!(text, "{left:>29} | {right}");
    }
}

/// A price in the currency, with its four decimals.
fn price_text(price: i64) -> String {
    format!("{}.{:04}", price / 10_000, price % 10_000)
}
