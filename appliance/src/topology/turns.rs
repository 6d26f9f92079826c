//! When the markets change by themselves: the turns of the day, after its opening or by the clock.

use super::check::within;
use super::{Error, raw};
use std::time::Duration;

/// The longest that a timer or a day may take.
pub(super) const DAY_MS: u64 = 86_400_000;

/// Times of day end here: a day that opens before midnight UTC may name hours of the next one.
const HOURS_MAX: u64 = 47;

const DAY_NS: u64 = DAY_MS * 1_000_000;

/// When a turn is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// So long after the day's opening.
    After(Duration),
    /// So long after the midnight, UTC, of the date on which the day opened.
    At(Duration),
}

impl Turn {
    /// When it is due in a day that opened then, in nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn due_ns(self, opened_ns: u64) -> u64 {
        let (from_ns, after) = match self {
            Self::After(after) => (opened_ns, after),
            Self::At(after) => (opened_ns - opened_ns % DAY_NS, after),
        };
        from_ns.saturating_add(after.as_nanos() as u64)
    }
}

/// The turns of a symbol's day. One whose time is over when the day opens comes at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// Pre-open becomes the opening auction.
    pub opening_auction: Option<Turn>,
    /// Pre-open and opening auction become continuous trading.
    pub continuous: Option<Turn>,
    /// Whatever trades becomes the closing auction; halted symbols stay so.
    pub closing_auction: Option<Turn>,
    /// The closing auction ends the symbol's day.
    pub closed: Option<Turn>,
}

/// When the markets change by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Of each symbol.
    pub turns: Vec<Turns>,
    /// Time between two indications of an auction.
    pub indicate: Duration,
    /// Time after which the engine is told how late it is when nothing else happens: without it,
    /// orders expire and timers end with the next command.
    pub time: Option<Duration>,
}

pub(super) fn schedule(raw: &raw::Schedule, symbols: &[String]) -> Result<Schedule, Error> {
    let general = turns("schedule", &raw.turns())?;
    super::rules::listed("schedule.symbols", raw.symbols.keys(), symbols)?;
    let of_symbol = |name: &String| match raw.symbols.get(name) {
        Some(own) => turns(&format!("schedule.symbols.{name}"), own),
        None => Ok(general),
    };
    let time = raw
        .time_ms
        .map(|time| within("schedule.time_ms", time, 1..=DAY_MS));
    let indicate = within("schedule.indicate_ms", raw.indicate_ms, 1..=DAY_MS)?;
    Ok(Schedule {
        turns: symbols.iter().map(of_symbol).collect::<Result<_, _>>()?,
        indicate: Duration::from_millis(indicate),
        time: time.transpose()?.map(Duration::from_millis),
    })
}

fn turns(table: &str, raw: &raw::Turns) -> Result<Turns, Error> {
    let mut order = Order::default();
    let mut turn = |name: &str, ms: Option<u64>, at: &Option<String>| {
        order.turn(&format!("{table}.{name}"), ms, at.as_deref())
    };
    Ok(Turns {
        opening_auction: turn(
            "opening_auction",
            raw.opening_auction_ms,
            &raw.opening_auction_at,
        )?,
        continuous: turn("continuous", raw.continuous_ms, &raw.continuous_at)?,
        closing_auction: turn(
            "closing_auction",
            raw.closing_auction_ms,
            &raw.closing_auction_at,
        )?,
        closed: turn("closed", raw.closed_ms, &raw.closed_at)?,
    })
}

/// Sees that turns come one after the other and are all told the same way.
#[derive(Default)]
struct Order {
    last: Option<(String, Turn)>,
}

impl Order {
    fn turn(
        &mut self,
        key: &str,
        ms: Option<u64>,
        at: Option<&str>,
    ) -> Result<Option<Turn>, Error> {
        let (key, turn) = match (ms, at) {
            (None, None) => return Ok(None),
            (Some(ms), None) => {
                let key = format!("{key}_ms");
                let ms = within(&key, ms, 0..=DAY_MS)?;
                (key, Turn::After(Duration::from_millis(ms)))
            }
            (None, Some(text)) => {
                let key = format!("{key}_at");
                let turn = Turn::At(time_of_day(&key, text)?);
                (key, turn)
            }
            (Some(_), Some(_)) => {
                let problem = "stands beside a time of day for the same turn";
                return Err(Error::value(
                    format!("{key}_ms"),
                    problem,
                    "leave one of them out",
                ));
            }
        };
        if let Some((before, last)) = &self.last {
            in_order(&key, turn, before, *last)?;
        }
        self.last = Some((key, turn));
        Ok(Some(turn))
    }
}

fn in_order(key: &str, turn: Turn, before: &str, last: Turn) -> Result<(), Error> {
    match (turn, last) {
        (Turn::After(one), Turn::After(other)) | (Turn::At(one), Turn::At(other)) => {
            if one >= other {
                return Ok(());
            }
            let problem = format!("comes before `{before}`");
            Err(Error::value(
                key,
                problem,
                "write a later time, or the same",
            ))
        }
        _ => {
            let problem = format!("is told in another way than `{before}`");
            let remedy = "write all turns of a table after the opening (_ms), or all by the clock \
                          (_at)";
            Err(Error::value(key, problem, remedy))
        }
    }
}

fn time_of_day(key: &str, text: &str) -> Result<Duration, Error> {
    let mut parts = text.split(':').map(|part| match part.len() {
        2 if part.bytes().all(|byte| byte.is_ascii_digit()) => part.parse::<u64>().ok(),
        _ => None,
    });
    let [hours, minutes] = [parts.next().flatten(), parts.next().flatten()];
    let seconds = parts.next().unwrap_or(Some(0));
    match (hours, minutes, seconds, parts.next()) {
        (Some(0..=HOURS_MAX), Some(0..=59), Some(0..=59), None) => {}
        _ => {
            return Err(Error::value(
                key,
                format!("is \"{text}\", which is no time of day"),
                format!(
                    "write hours and minutes of UTC, such as \"09:30\" or \"09:30:15\"; hours \
                         up to {HOURS_MAX} are those of the next day"
                ),
            ));
        }
    }
    let of = |part: Option<u64>| part.unwrap_or(0);
    let seconds = (of(hours) * 60 + of(minutes)) * 60 + of(seconds);
    Ok(Duration::from_secs(seconds))
}
