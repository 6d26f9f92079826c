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
