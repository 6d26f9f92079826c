//! `wirecross desk`: strategies that trade on a live venue, by its feed or a recorded one, and by
//! its order entry.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use nic::{Clock, Net, RealClock, RealNet, SocketTcp, TcpLimits};
use queue::{CounterSet, Reader, Writer, ring};
use sandbox::Calls;

use super::backtest::{Lines, Out};
use super::lines::{LineArgs, config};
use super::recorded::pace;
use crate::board::Board;
use crate::client::members::{Login, Members};
use crate::client::report::LatencyRow;
use crate::desk::brain::{Brain, BrainLinks, BrainTimes, RECORD_DEPTH, RING_DEPTH, Shown};
use crate::desk::data;
use crate::desk::feed::Feed;
use crate::desk::file::DeskFile;
use crate::desk::keeper::{Keeper, Papers, Records};
use crate::desk::ledger::Ledger;
use crate::desk::live::{COUNTERS, End, HISTOGRAMS, HOP_HISTOGRAMS, Live, run as work};
use crate::desk::market::{EVENTS_DEPTH, MarketTile, View};
use crate::desk::orders::{OrderLinks, OrdersTile, routes};
use crate::desk::played::PlayedTile;
use crate::desk::slip::Slip;
use crate::tiles::{FeedTile, Tile};
use crate::venue::StopRequests;

/// How long market or venue may be away, unless it is said.
const AWAY_S_MAX: u64 = 30;

/// What `wirecross desk` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Markets, limits and strategies, in TOML.
    #[arg(long, value_name = "FILE")]
    strategy: PathBuf,
    /// Order entry address of the venue.
    #[arg(long, value_name = "ADDRESS")]
    connect: SocketAddr,
    /// The desk's own session, as USER:PASSWORD, or USER:@FILE with a key's file.
    #[arg(long, value_name = "USER:PASSWORD", value_parser = Login::parse)]
    login: Login,
    #[command(flatten)]
    lines: LineArgs,
    /// Trades by recorded files instead of a venue's feed, as `wirecross backtest --data` takes
    /// them.
    #[arg(long, value_name = "FILE", conflicts_with = "a", num_args = 1..)]
    recorded: Vec<PathBuf>,
    /// Plays recorded files at so many times their pace; without it, as fast as they are taken.
    #[arg(long, value_name = "TIMES", requires = "recorded", value_parser = pace)]
    pace: Option<f64>,
    /// Cores of the feed, strategy and orders threads; without them they share what there is.
    #[arg(
        long,
        value_delimiter = ',',
        num_args = 3,
        value_name = "CORE,CORE,CORE"
    )]
    pub(super) cores: Option<Vec<usize>>,
    /// Ends after so many seconds; without it, at the end of the feed or by SIGINT or SIGTERM.
    #[arg(long)]
    seconds: Option<u64>,
    /// Gives up when the market or the venue is away for longer than so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = AWAY_S_MAX)]
    away_max: u64,
    /// Shows the markets' numbers to `wirecross top --data DIR`.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Writes the markets' numbers to this file, a row for each change.
    #[arg(long, value_name = "FILE")]
    numbers: Option<PathBuf>,
    /// Keeps everything that came in this file, for `wirecross backtest --data`.
    #[arg(long, value_name = "FILE")]
    session: Option<PathBuf>,
    #[command(flatten)]
    out: Out,
    /// Whether the venue started it.
    #[arg(skip)]
    is_beside: bool,
}

impl Args {
    /// Those of a desk beside its venue, with its pages in a folder.
    pub(super) fn beside(connect: SocketAddr, login: Login, lines: LineArgs, dir: &Path) -> Self {
        Self {
            strategy: PathBuf::new(),
            connect,
            login,
            lines,
            recorded: Vec::new(),
            pace: None,
            cores: None,
            seconds: None,
            away_max: AWAY_S_MAX,
            data: Some(dir.to_owned()),
            numbers: None,
            session: None,
            out: Out::default(),
            is_beside: true,
        }
    }

    /// Keeps session and decisions in these files.
    pub(super) fn keep(&mut self, [session, decisions]: [PathBuf; 2]) {
        self.session = Some(session);
        self.out.decisions = Some(decisions);
    }
}

/// Runs the command.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let traded = DeskFile::load(&args.strategy).and_then(|file| at_work(args, &file, None));
    match traded {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::failed("desk", error),
    }
}

/// Trades until the end; with `walls`, by these calls only.
pub(super) fn at_work(args: &Args, file: &DeskFile, walls: Option<Calls>) -> Result<(), String> {
    let requests = StopRequests::listen().map_err(|error| error.to_string())?;
    let ledger = Ledger::new(file, args.out.decisions()?);
    let papers = Papers {
        session: args.session.as_deref(),
        numbers: args.numbers.as_deref(),
    };
    let mut keeper = Keeper::new(file.desk()?, ledger, papers)?;
    let histograms = [&HISTOGRAMS[..], &HOP_HISTOGRAMS].concat();
    let mut set = CounterSet::anonymous(&COUNTERS, &histograms).map_err(|e| e.to_string())?;
    for (strategy, model) in file.models_asked() {
        super::say(&format!("{strategy} asks {}\n", model.title));
    }
    let mut live = live(args, file, &mut set)?;
    live.walls = walls;
    let clock = RealClock::new();
    let seconds = args.seconds.map(|it| it.saturating_mul(session::SECOND_NS));
    let end_ns = seconds.map(|seconds| clock.now_ns().saturating_add(seconds));
    let stops = requests.started();
    let end = work(
        &mut live,
        &mut keeper,
        &mut set,
        &mut || super::say("trading\n"),
        &mut |now_ns| end_ns.is_some_and(|end| now_ns >= end) || stops.try_recv().is_ok(),
    )?;
    told(args, file, &mut keeper, &live, &figures(&set)?)?;
    super::say(&format!("ended: {end}\n"));
    compare(&live, &keeper)?;
    keeper.end()?;
    judge(&live, &keeper, end)
}

/// Whether the desk ended as it should.
fn judge(live: &Live<SocketTcp>, keeper: &Keeper<Lines>, end: End) -> Result<(), String> {
    if let Some(why) = live.orders.failure().or_else(|| live.feed.failure()) {
        return Err(why.to_owned());
    }
    let open = keeper.desk.orders().len();
    if open > 0 {
        return Err(format!(
            "{open} orders may still rest at the venue, which did not answer: the next desk of \
             this login takes them off, and so does its `cancel_on_disconnect_ms`"
        ));
    }
    match end {
        End::Word | End::Feed | End::Venue => Ok(()),
        End::Away | End::Failed | End::NoLogin => Err(end.to_string()),
    }
}

fn live(args: &Args, file: &DeskFile, set: &mut CounterSet) -> Result<Live<SocketTcp>, String> {
    let (events_in, events) = rings(EVENTS_DEPTH)?;
    let (requests_in, requests) = rings(RING_DEPTH)?;
    let (answers_in, answers) = rings(RING_DEPTH)?;
    let (own_in, own) = rings(RING_DEPTH)?;
    let (record, inputs) = rings(RECORD_DEPTH)?;
    let (lines_in, lines) = ring(RECORD_DEPTH).map_err(|error| error.to_string())?;
    let limits = TcpLimits {
        connections: 1,
        ..TcpLimits::default()
    };
    let tcp = RealNet::new().tcp_client(limits);
    let tcp = tcp.map_err(|error| error.to_string())?;
    let members = Members::new(tcp, args.connect, std::slice::from_ref(&args.login), 1);
    let mut histogram = |name: &str| set.histogram(name).map_err(|e| e.to_string());
    let [features, inference, signal, validation, fill] = HOP_HISTOGRAMS;
    let times = BrainTimes {
        event: histogram(HISTOGRAMS[0])?,
        call: histogram(HISTOGRAMS[1])?,
        signal: histogram(HISTOGRAMS[2])?,
        gap: histogram(HISTOGRAMS[4])?,
        hops: Some([
            histogram(features)?,
            histogram(inference)?,
            histogram(signal)?,
            histogram(validation)?,
            histogram(fill)?,
        ]),
    };
    let links = OrderLinks {
        requests,
        answers: answers_in,
        own: own_in,
    };
    let clock = RealClock::new;
    let routes = routes(file, args.lines.a.is_some())?;
    let orders = OrdersTile::new(members, clock(), links, routes, histogram(HISTOGRAMS[3])?);
    let links = BrainLinks {
        events,
        answers,
        requests: requests_in,
        record,
    };
    let board = Board::new(args.data.as_deref(), Some(lines_in))?;
    let shown = Shown::new(file.listings(), board)?;
    let cores = args.cores.as_deref();
    Ok(Live {
        feed: feed(args, file, events_in, own)?,
        brain: Brain::new(file.desk()?, clock(), links, shown, times),
        orders,
        records: Records { inputs, lines },
        cores: cores.and_then(|cores| cores.try_into().ok()),
        away_ns_max: args.away_max.saturating_mul(session::SECOND_NS),
        is_beside: args.is_beside,
        walls: None,
    })
}

/// The market: a venue's lines, or recorded files.
fn feed(
    args: &Args,
    file: &DeskFile,
    out: Writer<Slip>,
    own: Reader<Slip>,
) -> Result<Box<dyn Feed>, String> {
    let Some(a) = args.lines.a else {
        let events = Box::new(data::open(file, &args.recorded)?);
        return Ok(Box::new(PlayedTile::new(events, args.pace, out)));
    };
    let symbols = file.symbols().map(str::to_owned).collect();
    let (ports, servers) = (args.lines.ports(a)?, args.lines.servers());
    let view = View::new(symbols, out);
    let now_ns = RealClock::new().now_ns();
    let tile = FeedTile::new(ports, servers, config(), view, now_ns);
    Ok(Box::new(MarketTile::new(tile, own)))
}

fn rings(depth: usize) -> Result<(Writer<Slip>, Reader<Slip>), String> {
    ring(depth).map_err(|error| error.to_string())
}

/// What the tiles measured; of the parts of a decision those that there were.
fn figures(set: &CounterSet) -> Result<Vec<(&'static str, LatencyRow)>, String> {
    let reader = set.reader();
    let row = |name: &str| super::demo::histogram_row(&reader, name);
    let [event, call, signal, order, gap] = HISTOGRAMS;
    let gaps = reader.histograms().find(|(name, _)| *name == gap);
    let gaps = gaps.map(|(_, gaps)| LatencyRow::of(&gaps.waits()));
    let gaps = gaps.ok_or("no histogram of gaps")?;
    let mut rows = vec![
        ("event: all the strategy tile does", row(event)?),
        ("call of a strategy", row(call)?),
        ("tick -> signal", row(signal)?),
        ("tick -> order", row(order)?),
        ("wait for the idle core", gaps),
    ];
    let hops = [
        "features",
        "inference",
        "signal",
        "validation",
        "order -> fill",
    ];
    for (name, histogram) in hops.into_iter().zip(HOP_HISTOGRAMS) {
        let row = row(histogram)?;
        rows.extend((row.count > 0).then_some((name, row)));
    }
    Ok(rows)
}

fn told(
    args: &Args,
    file: &DeskFile,
    keeper: &mut Keeper<Lines>,
    live: &Live<SocketTcp>,
    figures: &[(&str, LatencyRow)],
) -> Result<(), String> {
    let ledger = &mut keeper.ledger;
    args.out.tell(&keeper.desk, ledger, figures, file)?;
    super::say(&keeper.refusals());
    super::say(&live.feed.told());
    super::say(&live.orders.told());
    super::say(&format!(
        "numbers: {} rows, {} dropped\n",
        keeper.lines(),
        live.brain.lines_dropped()
    ));
    Ok(())
}

/// The desk at work and the book-keeper's must have decided the same.
fn compare(live: &Live<SocketTcp>, keeper: &Keeper<Lines>) -> Result<(), String> {
    let ((digest, lost), second) = (live.brain.told(), keeper.digest());
    if lost > 0 {
        return Err(format!(
            "the book-keeper had no room for {lost} inputs: profits and the session are not whole"
        ));
    }
    if (digest.count, digest.value()) != (second.count, second.value()) {
        return Err("the desk decided otherwise than its inputs say: this is a fault".to_owned());
    }
    super::say(&format!(
        "decisions digest {:016x}, the same when run again\n",
        digest.value()
    ));
    Ok(())
}
