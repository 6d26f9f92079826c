//! One run of a desk: its tiles on their threads, as `wirecross desk` puts them there.

use std::io::{Sink, sink};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::mpsc::channel;

use appliance::board::Board;
use appliance::client::members::{Login, Members};
use appliance::desk::brain::{Brain, BrainLinks, BrainTimes, RING_DEPTH, Shown};
use appliance::desk::keeper::{Keeper, Papers, Records};
use appliance::desk::ledger::Ledger;
use appliance::desk::live::{COUNTERS, End, HISTOGRAMS, Live, run};
use appliance::desk::market::EVENTS_DEPTH;
use appliance::desk::orders::{OrderLinks, OrdersTile, Route};
use appliance::desk::played::PlayedTile;
use appliance::tiles::{BATCH, Tile};
use bytemuck::Pod;
use nic::RealClock;
use queue::{CounterSet, Reader, Summary, Writer, ring};

use super::check::decisions;
use super::detector::{Found, scanned};
use super::exchange::Exchange;
use super::feeds::{Feed, triangles};
use crate::threads::processors;
use crate::{BenchError, Options};

/// Nanoseconds that market or exchange may be away.
const AWAY_NS: u64 = 600_000_000_000;
/// Answers and timers for an event, at most: what is kept of a run has room for them.
const INPUTS_PER_EVENT: usize = 4;

/// A histogram's figures.
#[derive(Clone, Copy)]
pub struct Measured {
    pub summary: Summary,
    pub min: u64,
}

/// What a run gave.
pub struct Turned {
    /// By the histograms of the desk.
    pub measured: Vec<Measured>,
    pub decisions: u64,
    /// Which cores.
    pub place: String,
}

fn failed(error: impl std::fmt::Display) -> BenchError {
    BenchError::failed("the desk", error)
}

/// Runs a desk once and checks what it decided.
pub fn turn(options: &Options, feed: &Feed) -> Result<Turned, BenchError> {
    std::fs::create_dir_all(&options.directory).map_err(failed)?;
    let folder = tempfile::tempdir_in(&options.directory).map_err(failed)?;
    let session = folder.path().join("session");
    let (to, found) = channel();
    let mut set = CounterSet::anonymous(&COUNTERS, &HISTOGRAMS).map_err(failed)?;
    let (cores, place) = cores();
    let (mut live, mut records) = live(feed, &mut set, cores, feed.desk(&to)?)?;
    let mut idle = keeper(feed, None, feed.desk(&to)?)?;
    let end = run(&mut live, &mut idle, &mut set, &mut || (), &mut |_| false).map_err(failed)?;
    if let Some(why) = live.orders.failure().or_else(|| live.feed.failure()) {
        return Err(failed(why));
    }
    if end != End::Feed || !live.brain.is_flat() || live.brain.lines_dropped() > 0 {
        return Err(failed(format!("{end}, and not as it should")));
    }
    let mut keeper = keeper(feed, Some(&session), feed.desk(&to)?)?;
    let told = live.brain.told();
    let again = feed.desk(&to)?;
    let decisions = decisions(&mut keeper, &mut records, &session, told, again)?;
    let reader = set.reader();
    let measured = reader.histograms().map(|(name, buckets)| {
        // Who comes at the end of a gap waits for nothing.
        let (summary, min) = if name == HISTOGRAMS[4] {
            (buckets.waits(), 0)
        } else {
            (buckets.summary(), buckets.quantile(0.0))
        };
        Measured { summary, min }
    });
    let measured = measured.collect();
    // The detectors tell what they found when their desks are gone.
    drop((live, keeper, idle, to));
    detections(feed, &found.iter().collect::<Vec<_>>())?;
    Ok(Turned {
        measured,
        decisions,
        place,
    })
}

/// Three desks have looked, and one not: each must have found what a scan finds.
fn detections(feed: &Feed, found: &[Found]) -> Result<(), BenchError> {
    let Some(pairs) = &feed.pairs else {
        return Ok(());
    };
    let wanted = scanned(&feed.events, pairs, triangles(pairs)?);
    let right = found.iter().filter(|it| **it == wanted).count();
    if right != 3 || wanted.ways == 0 {
        let why = format!("{found:?} instead of {wanted:?}");
        return Err(BenchError::WrongAnswer(why));
    }
    Ok(())
}

/// Cores of feed, strategy and orders: feed and orders share one where there are but two.
fn cores() -> (Option<[usize; 3]>, String) {
    match processors()[..] {
        [] | [_] => (None, "unpinned on one core".to_string()),
        [first, second] => (
            Some([first, second, first]),
            "feed and orders on one core, the strategy on the other".to_string(),
        ),
        [first, second, third, ..] => (
            Some([first, second, third]),
            "feed, strategy and orders on a core each".to_string(),
        ),
    }
}

fn keeper(
    feed: &Feed,
    session: Option<&Path>,
    desk: trading::desk::Desk,
) -> Result<Keeper<Sink>, BenchError> {
    let papers = Papers {
        session,
        numbers: None,
    };
    let ledger = Ledger::new(&feed.file, sink());
    Keeper::new(desk, ledger, papers).map_err(failed)
}

/// A ring whose memory was used once: a page's first touch is no part of a desk's day.
fn touched<B: Pod>(depth: usize) -> Result<(Writer<B>, Reader<B>), BenchError> {
    let (mut writer, mut reader) = ring(depth).map_err(failed)?;
    while writer.put(0, &B::zeroed()).is_ok() {}
    writer.publish();
    while reader.take(BATCH, |_, _| ()) > 0 {}
    Ok((writer, reader))
}

/// The tiles; and what they will have kept, which nobody takes while they work.
fn live(
    feed: &Feed,
    set: &mut CounterSet,
    cores: Option<[usize; 3]>,
    desk: trading::desk::Desk,
) -> Result<(Live<Exchange>, Records), BenchError> {
    let depth = (INPUTS_PER_EVENT * feed.events.len() + RING_DEPTH).next_power_of_two();
    let (events_in, events) = touched(EVENTS_DEPTH)?;
    let (requests_in, requests) = touched(RING_DEPTH)?;
    let (answers_in, answers) = touched(RING_DEPTH)?;
    let (own, _) = touched(RING_DEPTH)?;
    let (record, inputs) = touched(depth)?;
    let (lines_in, lines_out) = touched(depth)?;
    let mut histogram = |at: usize| set.histogram(HISTOGRAMS[at]).map_err(failed);
    let times = BrainTimes {
        event: histogram(0)?,
        call: histogram(1)?,
        signal: histogram(2)?,
        gap: histogram(4)?,
        hops: None,
    };
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let login = Login::parse("BENCH:bench").map_err(failed)?;
    let members = Members::new(Exchange::new(at).map_err(failed)?, at, &[login], 1);
    let links = OrderLinks {
        requests,
        answers: answers_in,
        own,
    };
    let routes = feed.file.symbols().map(|symbol| Route::new(symbol, 1));
    let clock = RealClock::new;
    let orders = OrdersTile::new(members, clock(), links, routes.collect(), histogram(3)?);
    let links = BrainLinks {
        events,
        answers,
        requests: requests_in,
        record,
    };
    let board = Board::new(None, Some(lines_in)).map_err(failed)?;
    let shown = Shown::new(feed.file.listings(), board).map_err(failed)?;
    // The book-keeper of the run has nothing to do: on two cores it would be in the way.
    let (_, no_inputs) = touched(RING_DEPTH)?;
    let (_, no_lines) = touched(RING_DEPTH)?;
    let played = feed.events.clone().into_iter().map(Ok);
    let live = Live {
        feed: Box::new(PlayedTile::new(Box::new(played), feed.pace, events_in)),
        brain: Brain::new(desk, clock(), links, shown, times),
        orders,
        records: Records {
            inputs: no_inputs,
            lines: no_lines,
        },
        cores,
        away_ns_max: AWAY_NS,
        is_beside: false,
        walls: None,
    };
    let records = Records {
        inputs,
        lines: lines_out,
    };
    Ok((live, records))
}
