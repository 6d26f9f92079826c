//! `wirecross feed --recorded`: plays recorded feeds, at once or at their own pace, and shows their
//! books and numbers; `wirecross top` shows them too, if a folder is named.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;

use nic::{Clock, RealClock};
use recorded::{Event, Merged, Options, Recording, Records};
use trading::{Step, Watch, WatchRule};

use super::crossings::{CrossingArgs, Crossings};
use crate::board::Board;
use crate::client::report::duration_text;
use crate::client::top;
use crate::venue::idle;

/// Time between two pictures on a terminal.
const REFRESH_NS: u64 = 200_000_000;

/// Time between two pictures elsewhere, of feeds at their own pace.
const PRINT_NS: u64 = session::SECOND_NS;

/// Events between two looks at the clock.
const BATCH: u64 = 1_024;

/// Bits of an instrument's number within its file; the bits above are the file's.
const FILE_BITS: u32 = 16;
const FILE_MASK: u32 = (1 << FILE_BITS) - 1;

/// Levels a side that are kept of each book.
const WATCHED_LEVELS: usize = 8 << 10;

/// Instruments whose levels are shown.
const BOOKS_SHOWN: usize = 4;

/// What `wirecross feed` takes for recorded feeds.
#[derive(Debug, clap::Args)]
pub struct RecordedArgs {
    /// Plays recorded files instead: captures of Binance, DBN, ITCH in BinaryFILE, LOBSTER, also
    /// compressed. Several are played together, by their times of receipt.
    #[arg(long, value_name = "FILE", conflicts_with = "a", num_args = 1..)]
    recorded: Vec<PathBuf>,
    /// Plays at so many times the pace at which it was received; without it, at once.
    #[arg(long, value_name = "TIMES", requires = "recorded")]
    #[arg(value_parser = pace)]
    pace: Option<f64>,
    /// The tick of captures and DBN.
    #[arg(long, default_value = "0.01", value_parser = step)]
    tick: Step,
    /// The lot of captures.
    #[arg(long, default_value = "0.00000001", value_parser = step)]
    lot: Step,
    /// Shows the numbers to `wirecross top --data DIR` as well.
    #[arg(long, value_name = "DIR", requires = "recorded")]
    data: Option<PathBuf>,
    #[command(flatten)]
    crossings: CrossingArgs,
}

pub(super) fn pace(text: &str) -> Result<f64, String> {
    let pace: f64 = text.parse().map_err(|_| "no number".to_owned())?;
    let is_sound = pace > 0.0 && pace.is_finite();
    is_sound.then_some(pace).ok_or("not above 0".to_owned())
}

fn step(text: &str) -> Result<Step, String> {
    Step::parse(text).ok_or("no decimal number such as 0.25".to_owned())
}

/// Plays the files.
///
/// # Errors
/// What is wrong, with file and place.
pub fn show(args: &RecordedArgs) -> Result<(), String> {
    let clock = RealClock::new();
    let is_terminal = std::io::stdout().is_terminal();
    let refresh_ns = if is_terminal { REFRESH_NS } else { PRINT_NS };
    let is_shown = is_terminal || args.pace.is_some();
    let mut player = Player::new(args)?;
    let start_ns = clock.now_ns();
    let mut shown_ns = start_ns;
    let mut show = |player: &Player, now_ns: u64| {
        if is_shown && now_ns - shown_ns >= refresh_ns {
            shown_ns = now_ns;
            let clear = if is_terminal { "\x1b[H\x1b[2J" } else { "" };
            super::say(&format!("{clear}{}", player.picture(now_ns - start_ns)));
        }
    };
    while let Some(event) = player.next()? {
        if let Some(pace) = args.pace {
            let due_ns = start_ns + (player.since_first_ns(&event) as f64 / pace) as u64;
            let mut turns = 0;
            while clock.now_ns() < due_ns {
                show(&player, clock.now_ns());
                turns += 1;
                idle(turns);
            }
        }
        player.take(&event)?;
        if player.events.is_multiple_of(BATCH) || args.pace.is_some() {
            show(&player, clock.now_ns());
        }
    }
    super::say(&player.picture(clock.now_ns() - start_ns));
    if let Some(crossings) = &mut player.crossings {
        super::say(&format!("\n{}", crossings.end()?));
    }
    Ok(())
}

/// Recorded files on their way through books and numbers.
struct Player {
    files: Merged<Recording<Box<dyn Records + Send>>>,
    /// Numbers on the board, by those of the files.
    numbers: BTreeMap<u32, u32>,
    watches: Vec<Watch>,
    board: Board,
    crossings: Option<Crossings>,
    events: u64,
    first_ns: Option<u64>,
}

impl Player {
    fn new(args: &RecordedArgs) -> Result<Self, String> {
        let open = |(at, path): (u32, &PathBuf)| {
            let options = Options {
                tick: args.tick,
                lot: args.lot,
                day_ns: 0,
                symbol: at << FILE_BITS,
            };
            recorded::open(path, &options).map_err(|error| error.to_string())
        };
        let files: Result<Vec<_>, String> = (0..).zip(&args.recorded).map(open).collect();
        Ok(Self {
            files: Merged::new(files?),
            numbers: BTreeMap::new(),
            watches: Vec::new(),
            board: Board::new(args.data.as_deref(), None)?,
            crossings: Crossings::open(&args.crossings, &args.recorded)?,
            events: 0,
            first_ns: None,
        })
    }

    fn next(&mut self) -> Result<Option<Event>, String> {
        let event = self.files.next().transpose();
        event.map_err(|error| error.to_string())
    }

    /// How long after the first event one was received.
    fn since_first_ns(&mut self, event: &Event) -> u64 {
        let first_ns = *self.first_ns.get_or_insert(event.received_ns);
        event.received_ns.saturating_sub(first_ns)
    }

    fn take(&mut self, event: &Event) -> Result<(), String> {
        self.events += 1;
        let number = match self.numbers.get(&event.symbol) {
            Some(number) => *number,
            None => self.list(event.symbol)?,
        };
        if let Some(watch) = self.watches.get_mut(number as usize)
            && watch.on(event)
        {
            self.board.show(number, watch);
            if let Some(crossings) = &mut self.crossings {
                crossings.take(event, watch)?;
            }
        }
        Ok(())
    }

    /// Gives an instrument a place on the board.
    fn list(&mut self, symbol: u32) -> Result<u32, String> {
        let venue = (symbol >> FILE_BITS) as usize;
        let within = (symbol & FILE_MASK) as usize;
        let file = self.files.sources().get(venue);
        let instrument = file.and_then(|file| file.instruments().get(within));
        let unnamed = || format!("an event of instrument {symbol}, which its file does not name");
        let instrument = instrument.ok_or_else(unnamed)?;
        self.board.list(instrument)?;
        if let Some(crossings) = &mut self.crossings {
            crossings.list(symbol, venue, instrument)?;
        }
        let watch = Watch::new(WatchRule {
            levels_max: WATCHED_LEVELS,
            ..WatchRule::default()
        });
        self.watches.push(watch.map_err(|error| error.to_string())?);
        let number = self.numbers.len() as u32;
        self.numbers.insert(symbol, number);
        Ok(number)
    }

    fn picture(&self, elapsed_ns: u64) -> String {
        let pages = self.board.pages();
        let mut text = format!(
            "{} events of {} instruments in {}\n\n",
            self.events,
            self.watches.len(),
            duration_text(elapsed_ns)
        );
        text += &top::table(pages);
        for page in pages.iter().take(BOOKS_SHOWN) {
            text += &top::levels(page);
        }
        text
    }
}
