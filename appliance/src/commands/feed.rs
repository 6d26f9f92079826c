//! `wirecross feed`: receives a feed by both lines, with requests and snapshots, and shows live how
//! each line does and what the books are.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::net::SocketAddrV4;
use std::process::ExitCode;

use nic::{Clock, RealClock, RealUdp, SocketTcp};
use session::feed::{LineCounters, State, Way};
use trading::Image;
use wire::ring::Side;

use super::book::price_text;
use super::lines::{LineArgs, config};
use crate::tiles::FeedTile;
use crate::venue::idle;

/// Time between two pictures on a terminal.
const REFRESH_NS: u64 = 200_000_000;

/// Time between two lines elsewhere.
const LINE_NS: u64 = session::SECOND_NS;

/// What `wirecross feed` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    lines: LineArgs,
    /// Stocks to show, most orders first.
    #[arg(long, default_value_t = 10)]
    stocks: usize,
    /// Ends after so many seconds; without it, at the end of the session.
    #[arg(long)]
    seconds: Option<u64>,
    /// Ends when this message and all before it were taken.
    #[arg(long, value_name = "NUMBER")]
    until: Option<u64>,
    #[command(flatten)]
    recorded: super::recorded::RecordedArgs,
}

type Tile = FeedTile<RealUdp, SocketTcp>;

/// Runs the command.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let shown = match args.lines.a {
        Some(a) => show(args, a),
        None => super::recorded::show(&args.recorded),
    };
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::failed("feed", error),
    }
}

fn show(args: &Args, a: SocketAddrV4) -> Result<(), String> {
    let clock = RealClock::new();
    let start_ns = clock.now_ns();
    let (ports, servers) = (args.lines.ports(a)?, args.lines.servers());
    let mut tile = Tile::new(ports, servers, config(), Image::new(), start_ns);
    let is_terminal = std::io::stdout().is_terminal();
    let refresh_ns = if is_terminal { REFRESH_NS } else { LINE_NS };
    let (mut shown_ns, mut idle_turns) = (start_ns, 0);
    loop {
        let now_ns = clock.now_ns();
        let came = tile.turn(now_ns);
        let seconds = (now_ns - start_ns) / session::SECOND_NS;
        let is_over = args.seconds.is_some_and(|limit| seconds >= limit);
        let next = tile.lines().sequence_next();
        let is_over = is_over || args.until.is_some_and(|last| next > last);
        let is_over = is_over || tile.lines().state() == State::Ended;
        if is_over || now_ns - shown_ns >= refresh_ns {
            shown_ns = now_ns;
            let text = picture(&tile, args.stocks, now_ns);
            match (is_terminal, is_over) {
                (true, _) => super::say(&format!("\x1b[H\x1b[2J{text}")),
                (false, true) => super::say(&text),
                (false, false) => super::say(&line(&tile, now_ns)),
            }
        }
        if is_over {
            let _ = std::io::stdout().flush();
            return Ok(());
        }
        idle_turns = if came > 0 { 0 } else { idle_turns + 1 };
        idle(idle_turns);
    }
}

/// One word for how the books are.
fn standing(tile: &Tile, now_ns: u64) -> &'static str {
    match tile.lines().state() {
        State::Ended => "ended",
        State::Joining => "joining",
        _ if tile.lines().is_stale(now_ns) => "STALE",
        State::Waiting => "waiting",
        State::Gap => "gap",
        State::Live => "live",
    }
}

/// Everything in one line, for who does not look at a terminal.
fn line(tile: &Tile, now_ns: u64) -> String {
    let (lines, counters) = (tile.lines(), tile.lines().counters());
    let mut text = format!(
        "{} next={} messages={} requests={} snapshots={} disputes={} broken={} orders={} \
         digest={:016x}",
        standing(tile, now_ns),
        lines.sequence_next(),
        counters.messages,
        counters.requests,
        tile.snapshots_taken(),
        lines.disputes(),
        tile.market().books().counts().broken,
        tile.market().books().live_orders(),
        tile.market().books().digest(),
    );
    for (name, way) in ways(tile) {
        let it = lines.counters_by(way);
        let _ = write!(
            text,
            " {name}={}/{}/{}/{}/{}",
            it.packets, it.gaps, it.duplicates, it.late, it.filled
        );
    }
    text.push('\n');
    text
}

/// The lines by their names, and the answers.
fn ways(tile: &Tile) -> impl Iterator<Item = (&'static str, Way)> {
    let all = [("A", Way::Line(0)), ("B", Way::Line(1))];
    let lines = all.into_iter().take(tile.ports().lines.len());
    lines.chain([("asked", Way::Answer)])
}

fn picture(tile: &Tile, stocks: usize, now_ns: u64) -> String {
    let lines = tile.lines();
    let session = lines.session().unwrap_or([b' '; 10]);
    let mut text = format!(
        "feed {}  session {}  {}  next message {}\n\n",
        tile.ports()
            .lines
            .first()
            .map_or("", |port| nic::UdpPort::mode(port)),
        String::from_utf8_lossy(&session).trim(),
        standing(tile, now_ns),
        lines.sequence_next(),
    );
    let _ = writeln!(
        text,
        "{:<6} {:>10} {:>11} {:>8} {:>10} {:>8} {:>9} {:>9}",
        "line", "packets", "first", "gaps", "duplicates", "late", "filled", ""
    );
    for (name, way) in ways(tile) {
        let is_shut = matches!(way, Way::Line(line) if lines.is_quarantined(line));
        let note = if is_shut { "SHUT OUT" } else { "" };
        row(&mut text, name, lines.counters_by(way), note);
    }
    let counters = lines.counters();
    let _ = writeln!(
        text,
        "\nmessages {}  requests {}  snapshots {}  disputes {}  session changes {}  unreadable {}  \
         trades broken {}",
        counters.messages,
        counters.requests,
        tile.snapshots_taken(),
        lines.disputes(),
        counters.session_changes,
        tile.unreadable(),
        tile.market().books().counts().broken,
    );
    books(&mut text, tile.market(), stocks);
    text
}

fn row(text: &mut String, name: &str, it: &LineCounters, note: &str) {
    let _ = writeln!(
        text,
        "{name:<6} {:>10} {:>11} {:>8} {:>10} {:>8} {:>9} {note:>9}",
        it.packets, it.messages, it.gaps, it.duplicates, it.late, it.filled
    );
}

/// The touch of the books with the most levels.
fn books(text: &mut String, image: &Image, stocks: usize) {
    let books = image.books();
    let _ = writeln!(
        text,
        "\n{} stocks, {} orders, digest {:016x}\n",
        books.books().count(),
        books.live_orders(),
        books.digest()
    );
    let mut all: Vec<_> = books
        .books()
        .map(|(locate, book)| {
            let levels = [Side::Buy, Side::Sell].map(|side| book.levels(side).count());
            (levels[0] + levels[1], locate, book)
        })
        .collect();
    all.sort_by_key(|(levels, locate, _)| (std::cmp::Reverse(*levels), *locate));
    for (_, locate, book) in all.into_iter().take(stocks) {
        let name = books.name(locate).unwrap_or([b' '; 8]);
        let best = |side| {
            book.best(side).map_or("-".to_owned(), |level| {
                format!("{} x {}", price_text(level.price), level.quantity)
            })
        };
        let name = String::from_utf8_lossy(&name).into_owned();
        let (bid, offer) = (best(Side::Buy), best(Side::Sell));
        let _ = writeln!(text, "{name:<8} {bid:>24} | {offer:<24}");
    }
}
