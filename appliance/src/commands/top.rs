//! `wirecross top`: what a running venue counts and what a desk makes of its markets, live.

use nic::{Clock, RealClock};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyModifiers};
use std::collections::VecDeque;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::board;
use crate::client::top::{Picture, Reading, draw, draw_markets, levels, table};
use crate::venue::runner::COUNTERS_FILE;

/// Readings that the line of rates reaches back.
const HISTORY_MAX: usize = 512;

/// Markets whose levels are shown.
const BOOKS_SHOWN: usize = 2;

/// What `wirecross top` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The data directory of a venue, `data_dir` in its topology, or of `wirecross feed --data`.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Milliseconds between two readings.
    #[arg(long, default_value_t = 1_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(10..=60_000))]
    interval_ms: u64,
    /// Prints tables of two readings, and ends.
    #[arg(long)]
    once: bool,
}

/// Runs the command.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    match show(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::failed("top", error),
    }
}

fn show(args: &Args) -> Result<(), String> {
    let interval = Duration::from_millis(args.interval_ms);
    // A desk alone has markets and no counters.
    let is_venue = args.data.join(COUNTERS_FILE).exists() || markets(&args.data)?.is_empty();
    let mut watch = is_venue.then(|| Watch::start(&args.data)).transpose()?;
    if args.once {
        let mut text = String::new();
        if let Some(watch) = &mut watch {
            std::thread::sleep(interval);
            text = watch.look()?.text();
        }
        super::say(&(text + &markets(&args.data)?));
        return Ok(());
    }
    if !io::stdout().is_terminal() {
        return Err("the output is no terminal: use --once".to_owned());
    }
    // This also puts the terminal back on a panic.
    let opened = ratatui::try_init().map_err(|error| format!("terminal: {error}"));
    let outcome = opened.and_then(|mut terminal| match &mut watch {
        Some(watch) => live(&mut terminal, watch, interval),
        None => live_markets(&mut terminal, &args.data, interval),
    });
    ratatui::restore();
    outcome
}

fn live(
    terminal: &mut DefaultTerminal,
    watch: &mut Watch<'_>,
    interval: Duration,
) -> Result<(), String> {
    let mut history = VecDeque::with_capacity(HISTORY_MAX);
    let mut picture = Picture::of(&watch.last, None);
    loop {
        let rates = history.make_contiguous();
        let markets = markets(watch.data_dir)?;
        let drawn = terminal.draw(|frame| draw(frame, &picture, rates, &markets));
        drawn.map_err(|error| format!("terminal: {error}"))?;
        if is_quit_asked(interval).map_err(|error| format!("terminal: {error}"))? {
            return Ok(());
        }
        picture = watch.look()?;
        if history.len() == HISTORY_MAX {
            history.pop_front();
        }
        history.push_back(picture.rate("gate.commands").unwrap_or(0.0) as u64);
    }
}

/// Shows markets until somebody wants no more.
fn live_markets(
    terminal: &mut DefaultTerminal,
    folder: &Path,
    interval: Duration,
) -> Result<(), String> {
    loop {
        let text = markets(folder)?;
        let drawn = terminal.draw(|frame| draw_markets(frame, frame.area(), &text));
        drawn.map_err(|error| format!("terminal: {error}"))?;
        if is_quit_asked(interval).map_err(|error| format!("terminal: {error}"))? {
            return Ok(());
        }
    }
}

/// What the board of a folder says, with the levels of the first markets.
fn markets(folder: &Path) -> Result<String, String> {
    let pages = board::pages(folder)?;
    let levels = pages.iter().take(BOOKS_SHOWN).map(levels);
    let head = if pages.is_empty() { "" } else { "\n" };
    Ok(head.to_owned() + &table(&pages) + &levels.collect::<String>())
}

/// Waits for a key, at most this long; other keys and a new size of the terminal only end the wait.
fn is_quit_asked(wait: Duration) -> io::Result<bool> {
    if !event::poll(wait)? {
        return Ok(false);
    }
    let Event::Key(key) = event::read()? else {
        return Ok(false);
    };
    let is_control_c =
        key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    Ok(is_control_c || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc))
}

/// Readings of one data directory, each compared with the one before.
struct Watch<'a> {
    data_dir: &'a Path,
    clock: RealClock,
    last: Reading,
}

impl<'a> Watch<'a> {
    fn start(data_dir: &'a Path) -> Result<Self, String> {
        let clock = RealClock::new();
        let last = read(data_dir, &clock)?;
        Ok(Self {
            data_dir,
            clock,
            last,
        })
    }

    fn look(&mut self) -> Result<Picture, String> {
        let now = read(self.data_dir, &self.clock)?;
        let picture = Picture::of(&now, Some(&self.last));
        self.last = now;
        Ok(picture)
    }
}

fn read(data_dir: &Path, clock: &RealClock) -> Result<Reading, String> {
    Reading::take(data_dir, clock.now_ns()).map_err(|error| {
        let path = data_dir.join(COUNTERS_FILE);
        format!(
            "{}: {error}; is this the `data_dir` of a venue that ran?",
            path.display()
        )
    })
}
