//! How much an engine holds, and the memory it needs for that.

use core::fmt;

use bytemuck::{Pod, Zeroable};

use crate::memory;

/// One cache line of the memory that an engine lives in.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct Line([u64; 8]);

impl Line {
    /// A line of zeros.
    pub const ZERO: Self = Self([0; 8]);
}

/// Bytes of a [`Line`].
pub const LINE_BYTES: usize = 64;

/// The most orders that an engine can be made for.
pub const ORDERS_MAX: u32 = 1 << 27;

/// The most orders that are not plain that an engine can be made for.
pub const SPECIAL_MAX: u32 = (1 << 20) - 1;

/// The most all-or-none orders that wait in a symbol at a time.
pub const WHOLE_MAX: u32 = 64;

/// The most price groups that an engine can be made for.
pub const PRICE_GROUPS_MAX: u32 = (1 << 21) - 1;

const _: () = assert!(size_of::<Line>() == LINE_BYTES);

/// What an engine has room for. Every limit but that of accounts is at least 1.
///
/// # Memory
/// [`Limits::lines`] is exact; of it take
///
/// | one | bytes | of them |
/// |---|---|---|
/// | order | 52 to 64 | a record of 32, a branch of 8, and 3 to 6 slots of 4 |
/// | order with more to it | 68 | beyond that: a part of 64, and 4 of a heap |
/// | price group | at most 3,072 | 64 levels of 24, up to 4 nodes of 320 |
/// | symbol | at most 512 | |
/// | session | at most 128 | |
/// | account | at most 144 | and for each symbol 16 and a bit |
///
/// Slots come in powers of two: with room for 1,000,000 orders one takes 56.8 bytes. Books whose
/// prices are dense fill 64 levels with a group: 5,000 symbols of 4 groups each take 60 MB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The greatest symbol number.
    pub symbols: u16,
    /// The greatest session number.
    pub sessions: u16,
    /// Live orders on all books together, at most [`ORDERS_MAX`].
    pub orders: u32,
    /// Live orders with more to them than price, units and being hidden, at most [`SPECIAL_MAX`]:
    /// those that hold units back, expire, wait for something or follow something.
    pub special: u32,
    /// Groups of neighbouring prices with an order in them, all books together, at most
    /// [`PRICE_GROUPS_MAX`]. A group is 64 whole cents (0.64), or, for prices off the cent, 64
    /// units of 1/10,000 (0.0064).
    pub price_groups: u32,
    /// Accounts that sessions can have, 0 if none is to have limits: then any number of them, and
    /// every `SetLimit` is refused.
    pub accounts: u16,
}

impl Limits {
    /// A usual [`Limits::special`] for a number of orders: one of eight, but 1,024 if there are as
    /// many orders, and all of fewer.
    #[must_use]
    pub const fn special_of(orders: u32) -> u32 {
        let (few, many) = (orders / 8, if orders < 1_024 { orders } else { 1_024 });
        let special = if few > many { few } else { many };
        if special > SPECIAL_MAX {
            SPECIAL_MAX
        } else {
            special
        }
    }

    /// How many [`Line`]s [`Engine::new`](crate::Engine::new) must be handed.
    #[must_use]
    pub fn lines(&self) -> usize {
        memory::lines(self)
    }

    /// # Errors
    /// The first limit that is out of its range.
    pub(crate) fn check(&self) -> Result<(), LimitError> {
        let limits = [
            ("symbols", u32::from(self.symbols), u32::from(u16::MAX)),
            ("sessions", u32::from(self.sessions), u32::from(u16::MAX)),
            ("orders", self.orders, ORDERS_MAX),
            ("special", self.special, SPECIAL_MAX),
            ("price_groups", self.price_groups, PRICE_GROUPS_MAX),
        ];
        match limits
            .into_iter()
            .find(|(_, value, max)| *value == 0 || value > max)
        {
            Some((limit, value, max)) => Err(LimitError::OutOfRange { limit, value, max }),
            None => Ok(()),
        }
    }
}

/// Why an engine cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitError {
    /// A limit is 0 or above its maximum.
    OutOfRange {
        /// The field of [`Limits`].
        limit: &'static str,
        /// Its value.
        value: u32,
        /// The greatest value it may have; the least is 1.
        max: u32,
    },
    /// The memory handed in is too small.
    TooFewLines {
        /// What [`Limits::lines`] says.
        needed: usize,
        /// What was handed in.
        given: usize,
    },
}

impl fmt::Display for LimitError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange { limit, value, max } => {
                write!(to, "engine limit `{limit}` is {value}: give 1 to {max}")
            }
            Self::TooFewLines { needed, given } => {
                write!(to, "engine memory has {given} lines: hand in {needed}")
            }
        }
    }
}

impl core::error::Error for LimitError {}
