//! One side of a book: its levels in order, in blocks.
//!
//! A change moves no more than its block. In one long row it would move all that is better, and far
//! from the touch of a market with thousands of levels that is much.
//!
//! A venue that tells hundreds of levels at a time tells them in order, so the block of the last
//! change is looked at first; where blocks begin stands in a row of its own, so that the search for
//! another one reads a few cache lines instead of one for each block it asks.

use analytics::book::Standing;
use wire::ring::Side;

/// The most levels of a block.
const BLOCK: usize = 64;

/// Two neighbours that have no more than this together become one block.
const MERGED: usize = BLOCK / 2;

/// The levels of a side; all memory is taken at the start.
#[derive(Clone, Debug)]
pub(crate) struct Ranked {
    side: Side,
    /// Blocks with levels, the worst first, and in each the worst level first.
    blocks: Vec<Vec<Standing>>,
    /// The rank of each block's worst level.
    begins: Vec<i64>,
    /// The block of the last change; it may be gone.
    last: usize,
    spare: Vec<Vec<Standing>>,
    count: usize,
}

/// Levels whose number is known, which that of several blocks in a row is not.
struct Counted<I> {
    levels: I,
    left: usize,
}

impl<I: Iterator<Item = Standing>> Iterator for Counted<I> {
    type Item = Standing;

    #[inline]
    fn next(&mut self) -> Option<Standing> {
        let next = self.levels.next();
        self.left -= usize::from(next.is_some());
        next
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<I: Iterator<Item = Standing>> ExactSizeIterator for Counted<I> {}

impl Ranked {
    /// Room for so many levels.
    pub fn new(side: Side, levels_max: usize) -> Self {
        // Two neighbours hold more than `MERGED` levels: so many blocks are enough, with one more
        // to split into.
        let blocks = 2 * levels_max.div_ceil(MERGED) + 2;
        let spare = (0..blocks).map(|_| Vec::with_capacity(BLOCK));
        Self {
            side,
            blocks: Vec::with_capacity(blocks),
            begins: Vec::with_capacity(blocks),
            last: 0,
            spare: spare.collect(),
            count: 0,
        }
    }

    pub const fn len(&self) -> usize {
        self.count
    }

    #[inline]
    pub fn best(&self) -> Option<Standing> {
        self.blocks.last()?.last().copied()
    }

    /// The levels, best first.
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Standing> {
        let blocks = self.blocks.iter().rev();
        Counted {
            levels: blocks.flat_map(|block| block.iter().rev().copied()),
            left: self.count,
        }
    }

    pub fn at(&self, price: i64) -> u64 {
        match self.place(price) {
            Some((block, Ok(at))) => self.blocks[block][at].quantity,
            _ => 0,
        }
    }

    /// Whether a price is worse than all there are.
    pub fn is_worst(&self, price: i64) -> bool {
        let worst = self.blocks.first().and_then(|block| block.first());
        worst.is_some_and(|worst| self.rank(price) < self.rank(worst.price))
    }

    /// Takes the worst level away.
    pub fn forget_worst(&mut self) {
        if !self.blocks.is_empty() {
            self.remove(0, 0);
        }
    }

    pub fn clear(&mut self) {
        for mut block in self.blocks.drain(..) {
            block.clear();
            self.spare.push(block);
        }
        self.begins.clear();
        self.count = 0;
    }

    /// Puts a level into its place, or takes it away if nothing stands there; what stood there.
    #[inline]
    pub fn set(&mut self, level: Standing) -> u64 {
        let place = self.place(level.price);
        self.last = place.map_or(0, |(block, _)| block);
        match place {
            Some((block, Ok(at))) => {
                let before = self.blocks[block][at].quantity;
                if level.quantity == 0 {
                    self.remove(block, at);
                } else {
                    self.blocks[block][at] = level;
                }
                before
            }
            _ if level.quantity == 0 => 0,
            Some((block, Err(at))) => {
                self.insert(block, at, level);
                0
            }
            None => {
                let block = self.spare.pop();
                self.blocks.extend(block);
                self.begins.push(self.rank(level.price));
                self.insert(0, 0, level);
                0
            }
        }
    }

    /// Greater for better prices.
    #[inline]
    const fn rank(&self, price: i64) -> i64 {
        match self.side {
            Side::Buy => price,
            // Turns the order around without overflow.
            Side::Sell => !price,
        }
    }

    /// The block of a price, and where in it the price stands or would stand; none without blocks.
    #[inline]
    fn place(&self, price: i64) -> Option<(usize, Result<usize, usize>)> {
        let rank = self.rank(price);
        let newest = self.blocks.len().checked_sub(1)?;
        let begins_below = |block: usize| self.begins.get(block).is_some_and(|it| *it <= rank);
        // Most changes are in the block of the one before, or in the best one.
        let block = if begins_below(self.last) && !begins_below(self.last + 1) {
            self.last
        } else if begins_below(newest) {
            newest
        } else {
            let blocks = self.begins.partition_point(|begin| *begin <= rank);
            blocks.saturating_sub(1)
        };
        let at = self.blocks[block].binary_search_by(|it| self.rank(it.price).cmp(&rank));
        Some((block, at))
    }

    fn insert(&mut self, mut block: usize, mut at: usize, level: Standing) {
        if self.blocks[block].len() == BLOCK {
            let mut better = self.spare.pop().unwrap_or_default();
            better.extend(self.blocks[block].drain(BLOCK / 2..));
            self.begins.insert(block + 1, self.rank(better[0].price));
            self.blocks.insert(block + 1, better);
            if at > BLOCK / 2 {
                (block, at) = (block + 1, at - BLOCK / 2);
            }
        }
        self.blocks[block].insert(at, level);
        if at == 0 {
            self.begins[block] = self.rank(level.price);
        }
        self.count += 1;
    }

    fn remove(&mut self, block: usize, at: usize) {
        self.blocks[block].remove(at);
        self.count -= 1;
        let length = self.blocks[block].len();
        if at == 0
            && let Some(worst) = self.blocks[block].first()
        {
            self.begins[block] = self.rank(worst.price);
        }
        if length == 0 {
            let empty = self.blocks.remove(block);
            self.begins.remove(block);
            self.spare.push(empty);
        } else if length <= MERGED {
            // Only a block that is half empty can have become one with a neighbour.
            self.merge(block);
            if let Some(before) = block.checked_sub(1) {
                self.merge(before);
            }
        }
    }

    /// Makes one block of a block and the next, if they have little together.
    fn merge(&mut self, block: usize) {
        let Some([low, high]) = self.blocks.get_mut(block..block + 2) else {
            return;
        };
        if low.len() + high.len() <= MERGED {
            low.append(high);
            let empty = self.blocks.remove(block + 1);
            self.begins.remove(block + 1);
            self.spare.push(empty);
        }
    }
}
