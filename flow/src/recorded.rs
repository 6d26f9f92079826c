//! Recorded flow as CSV: one command a line, with the fills that it must produce.
//!
//! | line | meaning |
//! |---|---|
//! | `N,ref,side,qty,px` | a new day order |
//! | `X,ref,qty` | `qty` units leave the order, which keeps its priority |
//! | `D,ref` | the order leaves |
//! | `U,old,new,qty,px` | the order leaves and another with `qty` open units enters |
//! | `A,side,qty,px,ref:qty\|ref:qty` | an aggressor (immediate-or-cancel) and its fills in order |
//!
//! `side` is `B` or `S`, prices are in 1/10,000. Empty lines are skipped.

use std::fmt;

use wire::ring::Side;

pub use crate::record::write;
pub use crate::replay::Replay;

/// A line of recorded flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// A new order that rests.
    New {
        /// Its number in the file.
        reference: u64,
        /// Its side.
        side: Side,
        /// Units.
        quantity: u32,
        /// Its limit.
        price: i64,
    },
    /// Units leave an order, which keeps its priority.
    Reduce {
        /// The order.
        reference: u64,
        /// Units that leave.
        quantity: u32,
    },
    /// An order leaves.
    Delete {
        /// The order.
        reference: u64,
    },
    /// An order leaves and another one enters on its side.
    Replace {
        /// The order that leaves.
        old: u64,
        /// The order that enters.
        reference: u64,
        /// Its open units.
        quantity: u32,
        /// Its limit.
        price: i64,
    },
    /// An immediate-or-cancel order and the fills it must have.
    Aggressor {
        /// Its side.
        side: Side,
        /// Units.
        quantity: u32,
        /// Its limit.
        price: i64,
        /// Which order gave how many units, in order.
        fills: Vec<(u64, u32)>,
    },
}

/// Why a text is not recorded flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedError {
    /// Line, from 1.
    pub line: usize,
    /// The field that is wrong or missing.
    pub field: &'static str,
    /// What stands there, shortened; empty when the field is missing.
    pub found: String,
}

impl fmt::Display for RecordedError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, field, found } = self;
        write!(
            to,
            "line {line}: the field {field} is wrong or missing: {found:?}"
        )
    }
}

impl std::error::Error for RecordedError {}

/// Reads a whole recorded flow, or tells the first line and field that is wrong.
pub fn read(text: &str) -> Result<Vec<Recorded>, RecordedError> {
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.is_empty());
    lines
        .map(|(index, line)| read_line(index + 1, line))
        .collect()
}

fn read_line(line: usize, text: &str) -> Result<Recorded, RecordedError> {
    let mut fields = Fields {
        line,
        rest: text.split(','),
    };
    let kind = fields.take("kind")?;
    let recorded = match kind {
        "N" => Recorded::New {
            reference: fields.number("ref")?,
            side: fields.side()?,
            quantity: fields.number("qty")?,
            price: fields.number("px")?,
        },
        "X" => Recorded::Reduce {
            reference: fields.number("ref")?,
            quantity: fields.number("qty")?,
        },
        "D" => Recorded::Delete {
            reference: fields.number("ref")?,
        },
        "U" => Recorded::Replace {
            old: fields.number("old")?,
            reference: fields.number("new")?,
            quantity: fields.number("qty")?,
            price: fields.number("px")?,
        },
        "A" => Recorded::Aggressor {
            side: fields.side()?,
            quantity: fields.number("qty")?,
            price: fields.number("px")?,
            fills: fields.fills()?,
        },
        other => return Err(fields.wrong("kind", other)),
    };
    match fields.rest.next() {
        None => Ok(recorded),
        Some(more) => Err(fields.wrong("end of line", more)),
    }
}

/// The fields of one line that are left.
struct Fields<'t> {
    line: usize,
    rest: std::str::Split<'t, char>,
}

impl<'t> Fields<'t> {
    fn wrong(&self, field: &'static str, found: &str) -> RecordedError {
        RecordedError {
            line: self.line,
            field,
            found: found.chars().take(40).collect(),
        }
    }

    fn take(&mut self, field: &'static str) -> Result<&'t str, RecordedError> {
        self.rest.next().ok_or_else(|| self.wrong(field, ""))
    }

    fn number<T: std::str::FromStr>(&mut self, field: &'static str) -> Result<T, RecordedError> {
        let text = self.take(field)?;
        text.parse().map_err(|_| self.wrong(field, text))
    }

    fn side(&mut self) -> Result<Side, RecordedError> {
        match self.take("side")? {
            "B" => Ok(Side::Buy),
            "S" => Ok(Side::Sell),
            other => Err(self.wrong("side", other)),
        }
    }

    fn fills(&mut self) -> Result<Vec<(u64, u32)>, RecordedError> {
        let text = self.take("fills")?;
        let parts = text.split('|').filter(|part| !part.is_empty());
        let fill = |part: &str| {
            let (reference, quantity) = part.split_once(':')?;
            Some((reference.parse().ok()?, quantity.parse().ok()?))
        };
        parts
            .map(|part| fill(part).ok_or_else(|| self.wrong("fills", part)))
            .collect()
    }
}
