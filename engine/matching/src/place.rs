//! Where a price of a side is: ladder, group and slot, and the way to them.
//!
//! A group is 64 neighbouring prices of one ladder. A side has two ladders, because real prices
//! sit on whole cents and rarely between: whole cents, and all other prices. One ladder of plain
//! prices would hold a single used price in a group; this one holds up to 64. The price of that is
//! that the best of a side is the better of two.
//!
//! Each side has its own ladders, as in a call the book is crossed. Their ends are levels too, for
//! what sells at any price ([`ANY_SELL`]) and what buys at any price ([`ANY_BUY`]).

use core::hint::select_unpredictable;

use wire::ring::{PRICE_MARKET, PRICE_MAX};

/// The level of what sells at any price: better than every price.
pub(crate) const ANY_SELL: u32 = 0;
/// The level of what buys at any price.
pub(crate) const ANY_BUY: u32 = PRICE_MARKET as u32;

const _: () = assert!(PRICE_MARKET <= u32::MAX as i64 && PRICE_MARKET > PRICE_MAX);

/// Ladder of the prices in whole cents.
pub(crate) const CENTS: usize = 0;
/// Ladder of all other prices.
pub(crate) const FINE: usize = 1;

/// Prices of 1/10,000 in a step of each ladder.
pub(crate) const STRIDE: [u32; 2] = [100, 1];
/// Nodes between root and group in each ladder.
pub(crate) const DEPTH: [u32; 2] = [3, 4];
/// The most nodes that one group can need.
pub(crate) const NODES_A_GROUP_MAX: usize = 4;

/// A node has 64 children and a group 64 levels.
pub(crate) const SLOT_BITS: u32 = 6;
/// The bits of a slot.
pub(crate) const SLOT_MASK: u32 = 63;

/// Each ladder's group numbers fit two roots above its nodes.
const _: () = assert!((PRICE_MARKET as u64 / 100) >> SLOT_BITS < 2 << (SLOT_BITS * DEPTH[CENTS]));
const _: () = assert!(PRICE_MARKET as u64 >> SLOT_BITS < 2 << (SLOT_BITS * DEPTH[FINE]));

/// Divides by 25, where that goes without a rest: 25 times it is 1 in 32 bits.
const BY_25: u32 = 0xC28F_5C29;

const _: () = assert!(BY_25.wrapping_mul(25) == 1 && STRIDE[CENTS] == 4 * 25);

/// Splits a price into its ladder, its group's number there, and its place in the group.
#[inline(always)]
fn split(price: u32) -> (usize, u32, u32) {
    // What is no multiple of 100 becomes more than any price is in cents (Granlund, Montgomery:
    // Division by Invariant Integers using Multiplication, section 9).
    let cents = price.wrapping_mul(BY_25).rotate_right(2);
    let is_cents = cents <= u32::MAX / 100;
    let step = select_unpredictable(is_cents, cents, price);
    (usize::from(!is_cents), step >> SLOT_BITS, step & SLOT_MASK)
}

/// The two top nodes of each ladder of a side.
pub(crate) type Roots = [[u32; 2]; 2];

/// A side of a symbol's book as one number.
#[inline]
pub(crate) fn half(symbol: u16, side: u8) -> u32 {
    u32::from(symbol) << 1 | u32::from(side & 1)
}

/// A group's name: [`half`] a book, ladder and number.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) half: u32,
    pub(crate) ladder: usize,
    pub(crate) key: u32,
}

impl Place {
    /// The group of a side's price, and the price's place in it.
    #[inline]
    pub(crate) fn of(half: u32, price: u32) -> (Self, u32) {
        let (ladder, key, slot) = split(price);
        let place = Self { half, ladder, key };
        (place, slot)
    }

    /// 43 bits that no other place has.
    #[inline]
    pub(crate) fn tag(self) -> u64 {
        u64::from(self.half) << 26 | (self.ladder as u64) << 25 | u64::from(self.key)
    }

    /// Which of the two roots it is under.
    pub(crate) fn root(self) -> usize {
        (self.key >> (SLOT_BITS * DEPTH[self.ladder])) as usize & 1
    }

    /// Which child of its node at a depth leads to it; the lowest nodes have depth 0.
    #[inline]
    pub(crate) fn slot(self, depth: u32) -> usize {
        (self.key >> (SLOT_BITS * depth) & SLOT_MASK) as usize
    }
}
