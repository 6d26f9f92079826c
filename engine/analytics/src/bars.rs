//! Windows: trades of each symbol summed up into bars, by event time, by count and by volume.
//!
//! A window of time has a key, its start by its width; windows are aligned to multiples of the
//! width. A bar ends
//! - by time, when a trade of a later window comes, or time itself is said to have come so far;
//! - by count or volume, behind the trade that reaches it: the next one begins another bar, of the
//!   same key while the window lasts.
//!
//! A trade of an older window than the open one of its symbol is late: it changes nothing and is
//! counted. Within a window trades count in the order in which they come. A window without trades
//! has no bar.

use crate::kernels::Bar;

/// Nanoseconds of a usual window.
pub const WIDTH_NS: u64 = 1_000_000_000;
/// Trades of a usual bar by count.
pub const COUNT: u64 = 100;
/// The most symbols.
pub const SYMBOLS_MAX: usize = 1 << 16;

/// When a bar ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Width of a window, in nanoseconds; 0 for one window that lasts for ever.
    pub width_ns: u64,
    /// Trades of a bar, 0 for any number.
    pub count_max: u64,
    /// Units from which on it ends, 0 for any number.
    pub volume_max: u64,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            width_ns: WIDTH_NS,
            count_max: 0,
            volume_max: 0,
        }
    }
}

/// Why a bar ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Its window did.
    Time,
    /// It had as many trades as a bar may.
    Count,
    /// It had as many units.
    Volume,
    /// It was asked for.
    Flush,
}

/// A bar that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedBar {
    /// Of which symbol.
    pub symbol: u32,
    /// Of which window: its start by the width.
    pub key: u64,
    /// What was traded.
    pub bar: Bar,
    /// Why it ended.
    pub ended: Ended,
}

/// A trade that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Its window is older than the open one.
    Late {
        /// The window it belongs to.
        key: u64,
        /// The open one.
        open: u64,
    },
    /// There are not so many symbols.
    UnknownSymbol(u32),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Late { key, open } => {
                write!(f, "a trade of window {key} came while {open} is open")
            }
            Self::UnknownSymbol(symbol) => write!(f, "there is no room for symbol {symbol}"),
        }
    }
}

impl std::error::Error for Refused {}

#[derive(Clone, Copy, Debug)]
struct Window {
    key: u64,
    bar: Option<Bar>,
}

/// The open windows of all symbols. Nothing is allocated after it is made.
#[derive(Clone, Debug)]
pub struct Bars {
    rule: Rule,
    windows: Vec<Window>,
    late: u64,
}

impl Bars {
    /// For so many symbols, at most [`SYMBOLS_MAX`].
    #[must_use]
    pub fn new(rule: Rule, symbols: usize) -> Self {
        let window = Window { key: 0, bar: None };
        Self {
            rule,
            windows: vec![window; symbols.min(SYMBOLS_MAX)],
            late: 0,
        }
    }

    /// The window of a time.
    #[inline]
    #[must_use]
    pub fn key(&self, time_ns: u64) -> u64 {
        time_ns.checked_div(self.rule.width_ns).unwrap_or(0)
    }

    /// Takes a trade and hands on the bars that end by it: at most two, that of the window before
    /// and its own.
    ///
    /// # Errors
    /// It is late, or of a symbol for which there is no room.
    #[inline]
    pub fn trade(
        &mut self,
        symbol: u32,
        time_ns: u64,
        (price, units): (u32, u32),
        mut on: impl FnMut(EndedBar),
    ) -> Result<(), Refused> {
        let key = self.key(time_ns);
        let window = self.windows.get_mut(symbol as usize);
        let window = window.ok_or(Refused::UnknownSymbol(symbol))?;
        if key != window.key {
            if key < window.key {
                self.late += 1;
                let open = window.key;
                return Err(Refused::Late { key, open });
            }
            window.end(symbol, Ended::Time, &mut on);
            window.key = key;
        }
        let one = Bar::of(price, units);
        let bar = match &mut window.bar {
            Some(bar) => {
                bar.add(&one);
                *bar
            }
            none => *none.insert(one),
        };
        let Rule {
            count_max,
            volume_max,
            ..
        } = self.rule;
        if count_max != 0 && bar.count >= count_max {
            window.end(symbol, Ended::Count, &mut on);
        } else if volume_max != 0 && bar.volume >= volume_max {
            window.end(symbol, Ended::Volume, &mut on);
        }
        Ok(())
    }

    /// Time has come so far: windows that are over end, by symbol. Trades of theirs are late from
    /// now on.
    pub fn advance(&mut self, time_ns: u64, mut on: impl FnMut(EndedBar)) {
        let key = self.key(time_ns);
        for (symbol, window) in (0..).zip(&mut self.windows) {
            if window.key < key {
                window.end(symbol, Ended::Time, &mut on);
                window.key = key;
            }
        }
    }

    /// Ends all bars, by symbol.
    pub fn flush(&mut self, mut on: impl FnMut(EndedBar)) {
        for (symbol, window) in (0..).zip(&mut self.windows) {
            window.end(symbol, Ended::Flush, &mut on);
        }
    }

    /// The open bar of a symbol, if it has one.
    #[must_use]
    pub fn open(&self, symbol: u32) -> Option<&Bar> {
        self.windows.get(symbol as usize)?.bar.as_ref()
    }

    /// Trades that came late.
    #[must_use]
    pub fn late(&self) -> u64 {
        self.late
    }
}

impl Window {
    fn end(&mut self, symbol: u32, ended: Ended, on: &mut impl FnMut(EndedBar)) {
        if let Some(bar) = self.bar.take() {
            on(EndedBar {
                symbol,
                key: self.key,
                bar,
                ended,
            });
        }
    }
}
