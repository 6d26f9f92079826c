//! A desk's day as a file: everything that came to it, in its order, a line each. Run again, it
//! takes the same decisions.
//!
//! The first line is [`HEAD`]. A number is decimal; prices are ticks, quantities lots, times ns. An
//! input has its number first, from 1: a line that is missing shows.
//!
//! | line | is |
//! |---|---|
//! | `N level RECEIVED EVENT SYMBOL buy\|sell PRICE QUANTITY` | what stands at a price |
//! | `N quote RECEIVED EVENT SYMBOL BID QUANTITY OFFER QUANTITY` | best prices |
//! | `N trade RECEIVED EVENT SYMBOL buy\|sell\|- PRICE QUANTITY` | a trade, and who came |
//! | `N clear RECEIVED EVENT SYMBOL`, `N end ...` | all is void; all was told |
//! | `N accepted NOW ORDER`, `N refused NOW ORDER REASON` | answers to orders |
//! | `N replaced NOW ORDER PRICE OPEN`, `N kept NOW ORDER REASON` | to replacements |
//! | `N filled NOW ORDER PRICE QUANTITY maker\|taker` | a fill |
//! | `N canceled NOW ORDER QUANTITY`, `N not-canceled NOW ORDER` | to cancels |
//! | `N before NOW STRATEGY SYMBOL buy\|sell PRICE QUANTITY maker\|taker` | a fill of before |
//! | `N broken NOW STRATEGY SYMBOL buy\|sell PRICE QUANTITY maker\|taker` | a fill is taken back |
//! | `N time NOW`, `N kill NOW loss\|word\|blind` | a timer was due; the desk was stopped |
//! | `overrun CALL TOOK` | a call in the next input took too long |

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use trading::backtest::Watcher;
use trading::desk::{
    Answer, Desk, Fill, Input, Kill, OrderId, Overrun, Remembered, Report, side_text,
};
use trading::{Event, Standing, What};
use wire::ring::Side;

/// The first line of a session's file.
pub const HEAD: &str = "wirecross desk session 1";

/// A line of the file, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// An input with its number.
    Input(u64, Input),
    /// A call in the next input took too long.
    Overrun(Overrun),
}

impl fmt::Display for Entry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overrun(Overrun { call, took_ns }) => write!(out, "overrun {call} {took_ns}"),
            Self::Input(number, input) => {
                write!(out, "{number} ")?;
                match input {
                    Input::Event(event) => write_event(out, event),
                    Input::Report(now_ns, report) => write_report(out, *now_ns, report),
                    Input::Before(fill) => write_fill(out, "before", fill),
                    Input::Broken(fill) => write_fill(out, "broken", fill),
                    Input::Time(now_ns) => write!(out, "time {now_ns}"),
                    Input::Kill(now_ns, why) => write!(out, "kill {now_ns} {}", kill_text(*why)),
                }
            }
        }
    }
}

fn write_event(out: &mut fmt::Formatter<'_>, event: &Event) -> fmt::Result {
    let Event {
        event_ns,
        received_ns,
        symbol,
        what,
    } = event;
    let head = |word: &str| format!("{word} {received_ns} {event_ns} {symbol}");
    match what {
        What::Level {
            side,
            price,
            quantity,
        } => {
            let side = side_text(*side);
            write!(out, "{} {side} {price} {quantity}", head("level"))
        }
        What::Quote { bid, offer } => write!(
            out,
            "{} {} {} {} {}",
            head("quote"),
            bid.price,
            bid.quantity,
            offer.price,
            offer.quantity
        ),
        What::Trade {
            price,
            quantity,
            aggressor,
        } => {
            let side = aggressor.map_or("-", side_text);
            write!(out, "{} {side} {price} {quantity}", head("trade"))
        }
        What::Clear => write!(out, "{}", head("clear")),
        What::End => write!(out, "{}", head("end")),
    }
}

fn write_report(out: &mut fmt::Formatter<'_>, now_ns: u64, report: &Report) -> fmt::Result {
    let order = report.order.0;
    match report.what {
        Answer::Accepted => write!(out, "accepted {now_ns} {order}"),
        Answer::Refused(why) => write!(out, "refused {now_ns} {order} {why}"),
        Answer::Replaced { price, open } => {
            write!(out, "replaced {now_ns} {order} {price} {open}")
        }
        Answer::ReplaceRefused(why) => write!(out, "kept {now_ns} {order} {why}"),
        Answer::Filled {
            price,
            quantity,
            is_maker,
        } => {
            let who = liquidity_text(is_maker);
            write!(out, "filled {now_ns} {order} {price} {quantity} {who}")
        }
        Answer::Canceled { quantity } => write!(out, "canceled {now_ns} {order} {quantity}"),
        Answer::CancelRefused => write!(out, "not-canceled {now_ns} {order}"),
    }
}

fn write_fill(out: &mut fmt::Formatter<'_>, word: &str, fill: &Fill) -> fmt::Result {
    let Fill {
        time_ns,
        seat,
        symbol,
        price,
        quantity,
        ..
    } = fill;
    let (side, who) = (side_text(fill.side), liquidity_text(fill.is_maker));
    write!(
        out,
        "{word} {time_ns} {seat} {symbol} {side} {price} {quantity} {who}"
    )
}

const fn liquidity_text(is_maker: bool) -> &'static str {
    if is_maker { "maker" } else { "taker" }
}

const fn kill_text(why: Kill) -> &'static str {
    match why {
        Kill::Loss => "loss",
        Kill::Word => "word",
        Kill::Blind => "blind",
    }
}

/// The words of a line, taken one by one.
struct Words<'l>(std::str::SplitAsciiWhitespace<'l>);

impl Words<'_> {
    fn word(&mut self) -> Option<&str> {
        self.0.next()
    }

    fn number<N: std::str::FromStr>(&mut self) -> Option<N> {
        self.0.next()?.parse().ok()
    }

    fn side(&mut self) -> Option<Option<Side>> {
        match self.word()? {
            "buy" => Some(Some(Side::Buy)),
            "sell" => Some(Some(Side::Sell)),
            "-" => Some(None),
            _ => None,
        }
    }

    fn is_maker(&mut self) -> Option<bool> {
        match self.word()? {
            "maker" => Some(true),
            "taker" => Some(false),
            _ => None,
        }
    }

    fn standing(&mut self) -> Option<Standing> {
        Some(Standing {
            price: self.number()?,
            quantity: self.number()?,
        })
    }
}

impl Entry {
    /// Reads a line; `None` for one that is none.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = Words(line.split_ascii_whitespace());
        let first = words.word()?.to_owned();
        let entry = if first == "overrun" {
            Self::Overrun(Overrun {
                call: words.number()?,
                took_ns: words.number()?,
            })
        } else {
            let kind = words.word()?.to_owned();
            let input = match kind.as_str() {
                "level" | "quote" | "trade" | "clear" | "end" => event(&kind, &mut words)?,
                "time" => Input::Time(words.number()?),
                "kill" => kill(&mut words)?,
                "before" => Input::Before(fill(&mut words)?),
                "broken" => Input::Broken(fill(&mut words)?),
                _ => report(&kind, &mut words)?,
            };
            Self::Input(first.parse().ok()?, input)
        };
        words.word().is_none().then_some(entry)
    }
}

fn event(kind: &str, words: &mut Words<'_>) -> Option<Input> {
    let (received_ns, event_ns, symbol) = (words.number()?, words.number()?, words.number()?);
    let what = match kind {
        "level" => What::Level {
            side: words.side()??,
            price: words.number()?,
            quantity: words.number()?,
        },
        "quote" => What::Quote {
            bid: words.standing()?,
            offer: words.standing()?,
        },
        "trade" => What::Trade {
            aggressor: words.side()?,
            price: words.number()?,
            quantity: words.number()?,
        },
        "clear" => What::Clear,
        _ => What::End,
    };
    Some(Input::Event(Event {
        event_ns,
        received_ns,
        symbol,
        what,
    }))
}

fn kill(words: &mut Words<'_>) -> Option<Input> {
    let now_ns = words.number()?;
    let why = match words.word()? {
        "loss" => Kill::Loss,
        "word" => Kill::Word,
        "blind" => Kill::Blind,
        _ => return None,
    };
    Some(Input::Kill(now_ns, why))
}

fn fill(words: &mut Words<'_>) -> Option<Fill> {
    Some(Fill {
        time_ns: words.number()?,
        seat: words.number()?,
        order: OrderId::default(),
        symbol: words.number()?,
        side: words.side()??,
        price: words.number()?,
        quantity: words.number()?,
        is_maker: words.is_maker()?,
    })
}

fn report(kind: &str, words: &mut Words<'_>) -> Option<Input> {
    let (now_ns, order) = (words.number()?, OrderId(words.number()?));
    let what = match kind {
        "accepted" => Answer::Accepted,
        "refused" => Answer::Refused(words.number()?),
        "replaced" => Answer::Replaced {
            price: words.number()?,
            open: words.number()?,
        },
        "kept" => Answer::ReplaceRefused(words.number()?),
        "filled" => Answer::Filled {
            price: words.number()?,
            quantity: words.number()?,
            is_maker: words.is_maker()?,
        },
        "canceled" => Answer::Canceled {
            quantity: words.number()?,
        },
        "not-canceled" => Answer::CancelRefused,
        _ => return None,
    };
    Some(Input::Report(now_ns, Report { order, what }))
}

/// Reads a session's file.
pub struct Session {
    path: PathBuf,
    lines: std::iter::Enumerate<std::io::Lines<BufReader<File>>>,
    number: u64,
}

impl Session {
    /// Whether a file is a session.
    #[must_use]
    pub fn is_one(path: &Path) -> bool {
        Self::open(path).is_ok()
    }

    /// # Errors
    /// It cannot be read, or is no session.
    pub fn open(path: &Path) -> Result<Self, String> {
        let named = |error: String| format!("{}: {error}", path.display());
        let file = File::open(path).map_err(|error| named(error.to_string()))?;
        let mut lines = BufReader::new(file).lines().enumerate();
        match lines.next() {
            Some((_, Ok(head))) if head == HEAD => Ok(Self {
                path: path.to_owned(),
                lines,
                number: 0,
            }),
            _ => Err(named(format!("line 1: not {HEAD:?}"))),
        }
    }

    fn fault(&self, line: usize, what: &str) -> String {
        format!("{}: line {}: {what}", self.path.display(), line + 1)
    }
}

impl Iterator for Session {
    type Item = Result<Entry, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let (at, line) = self.lines.next()?;
        let line = match line {
            Ok(line) => line,
            Err(error) => return Some(Err(self.fault(at, &error.to_string()))),
        };
        let Some(entry) = Entry::parse(&line) else {
            return Some(Err(self.fault(at, "no input")));
        };
        if let Entry::Input(number, _) = entry {
            self.number += 1;
            if number != self.number {
                let what = format!("input {number}, where {} is to stand", self.number);
                return Some(Err(self.fault(at, &what)));
            }
        }
        Some(Ok(entry))
    }
}

/// Runs a session again, with the answers that came.
///
/// # Errors
/// The file's.
pub fn replay(
    mut desk: Desk,
    session: Session,
    watcher: &mut impl Watcher,
) -> Result<Desk, String> {
    let mut watch = Remembered::default();
    for entry in session {
        match entry? {
            Entry::Input(_, input) => take(&mut desk, &input, &mut watch, watcher),
            Entry::Overrun(overrun) => watch.add(overrun),
        }
    }
    Ok(desk)
}

/// Hands an input to a desk and tells what it did.
pub fn take(
    desk: &mut Desk,
    input: &Input,
    watch: &mut impl trading::desk::Stopwatch,
    watcher: &mut impl Watcher,
) {
    let heard = desk.input(input, watch);
    watcher.heard(desk, &heard);
    if let Input::Event(event) = input {
        watcher.event(desk, event);
    }
    let mut decisions = Vec::new();
    desk.take_decisions(|decision| decisions.push(*decision));
    for decision in &decisions {
        watcher.decided(desk, decision);
    }
}

/// The events of a session, for a simulated exchange.
///
/// # Errors
/// The file cannot be read, or is no session.
pub fn events(path: &Path) -> Result<impl Iterator<Item = Result<Event, String>>, String> {
    let session = Session::open(path)?;
    Ok(session.filter_map(|entry| match entry {
        Ok(Entry::Input(_, Input::Event(event))) => Some(Ok(event)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    }))
}
