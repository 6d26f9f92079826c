//! Trees in memory, level by level, and the way down them.
//!
//! A step waits for the one before it, so several walks go side by side: of one row down many
//! trees, or of many rows down one. All walks of a group take as many steps as its deepest tree
//! has levels; who is at a leaf stays there.

use super::Unread;
use super::columns::{Columns, Rank, SlotNumbers};
use super::forest::Told;
use super::tree::{Missing, Node, Tree};

/// Walks that go side by side.
pub(super) const ABREAST: usize = 8;

/// A place in a tree: `next` nodes further are its two children. A leaf is its own child, and no
/// rank is above its limit.
pub(super) trait Place: Copy {
    /// What its ranks are.
    type Rank: Rank;
    /// The ranks of a row.
    type Row: AsMut<[Self::Rank]>;
    fn new(limit: usize, slot: usize, next: usize) -> Self;
    /// Nodes from here to where a row goes.
    fn step(self, ranks: &Self::Row) -> usize;
}

/// Up to 256 slots and 254 thresholds a feature: four bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Narrow(u32);

impl Place for Narrow {
    type Rank = u8;
    type Row = [u8; 256];

    fn new(limit: usize, slot: usize, next: usize) -> Self {
        Self((next as u32) << 16 | (slot as u32 & 0xFF) << 8 | (limit as u32).min(0xFF))
    }

    #[inline(always)]
    fn step(self, ranks: &[u8; 256]) -> usize {
        let [limit, slot, low, high] = self.0.to_le_bytes();
        let is_right = ranks[usize::from(slot)] > limit;
        usize::from(u16::from_le_bytes([low, high])) + usize::from(is_right)
    }
}

/// Up to 65,536 of both: eight bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wide {
    next: u32,
    slot: u16,
    limit: u16,
}

impl Place for Wide {
    type Rank = u16;
    type Row = Vec<u16>;

    fn new(limit: usize, slot: usize, next: usize) -> Self {
        Self {
            next: next as u32,
            slot: slot as u16,
            limit: limit.min(usize::from(u16::MAX)) as u16,
        }
    }

    #[inline(always)]
    fn step(self, ranks: &Vec<u16>) -> usize {
        let is_right = ranks[usize::from(self.slot)] > self.limit;
        self.next as usize + usize::from(is_right)
    }
}

/// A tree among others.
#[derive(Clone, Copy, Debug)]
struct Root {
    first: usize,
    levels: usize,
    class: usize,
}

/// All trees, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Trees<P> {
    places: Vec<P>,
    /// Of leaves; as many as there are places.
    values: Vec<f64>,
    roots: Vec<Root>,
}

impl<P: Place> Trees<P> {
    pub fn new(told: &Told, columns: &Columns, slots: &SlotNumbers) -> Result<Self, Unread> {
        let mut all = Self {
            places: Vec::new(),
            values: Vec::new(),
            roots: Vec::with_capacity(told.trees.len()),
        };
        for (number, tree) in told.trees.iter().enumerate() {
            all.push(tree, |feature, threshold, missing| {
                let slot = slots.get(&(feature, missing)).copied().unwrap_or(0);
                (columns.place(feature, threshold), slot)
            })
            .map_err(|unread| unread.within(format!("tree {number}")))?;
        }
        Ok(all)
    }

    fn push(
        &mut self,
        tree: &Tree,
        question: impl Fn(usize, f32, Missing) -> (usize, usize),
    ) -> Result<(), Unread> {
        let (order, levels) = tree.levels()?;
        let first = self.places.len();
        let mut children = first + 1;
        for node in order {
            let here = self.places.len();
            let (place, value) = match tree.nodes[node] {
                Node::Leaf(value) => (P::new(usize::MAX, 0, 0), value),
                Node::Split {
                    feature,
                    threshold,
                    missing,
                    ..
                } => {
                    let (limit, slot) = question(feature, threshold, missing);
                    children += 2;
                    (P::new(limit, slot, children - 2 - here), 0.0)
                }
            };
            self.places.push(place);
            self.values.push(value);
        }
        let class = tree.class;
        self.roots.push(Root {
            first,
            levels,
            class,
        });
        Ok(())
    }

    pub fn count(&self) -> usize {
        self.roots.len()
    }

    /// Adds the leaves of a row to its sums, tree by tree.
    #[inline]
    pub fn add_row(&self, ranks: &P::Row, sums: &mut [f64], is_single: bool) {
        let (groups, rest) = self.roots.as_chunks::<ABREAST>();
        for group in groups {
            let levels = group.iter().map(|root| root.levels).max().unwrap_or(0);
            let at = group.map(|root| root.first);
            let ends = walk(&self.places, at, [ranks; ABREAST], levels);
            for (root, end) in group.iter().zip(ends) {
                add(&mut sums[root.class], self.values[end], is_single);
            }
        }
        for root in rest {
            let [end] = walk(&self.places, [root.first], [ranks], root.levels);
            add(&mut sums[root.class], self.values[end], is_single);
        }
    }

    /// The same of several rows.
    #[inline]
    pub fn add_rows(&self, ranks: &[P::Row; ABREAST], sums: &mut [f64], is_single: bool) {
        let outputs = sums.len() / ABREAST;
        let ranks = ranks.each_ref();
        for root in &self.roots {
            let ends = walk(&self.places, [root.first; ABREAST], ranks, root.levels);
            for (row, end) in sums.chunks_exact_mut(outputs).zip(ends) {
                add(&mut row[root.class], self.values[end], is_single);
            }
        }
    }
}

impl Trees<Narrow> {
    /// The same trees in eight bytes a place.
    pub fn widened(&self) -> Trees<Wide> {
        let widened = |place: &Narrow| {
            let [limit, slot, low, high] = place.0.to_le_bytes();
            let limit = if limit == u8::MAX {
                usize::MAX
            } else {
                limit.into()
            };
            Wide::new(limit, slot.into(), u16::from_le_bytes([low, high]).into())
        };
        Trees {
            places: self.places.iter().map(widened).collect(),
            values: self.values.clone(),
            roots: self.roots.clone(),
        }
    }
}

/// In the order and to the digits of the library that made the tree.
#[inline(always)]
fn add(sum: &mut f64, value: f64, is_single: bool) {
    *sum += value;
    if is_single {
        // Of two `f32` the sum in `f64`, rounded, is their sum in `f32`.
        *sum = f64::from(*sum as f32);
    }
}

/// Where walks from these places end after so many steps.
#[inline(always)]
fn walk<P: Place, const WALKS: usize>(
    places: &[P],
    mut at: [usize; WALKS],
    ranks: [&P::Row; WALKS],
    steps: usize,
) -> [usize; WALKS] {
    for _ in 0..steps {
        for (at, ranks) in at.iter_mut().zip(ranks) {
            *at += places[*at].step(ranks);
        }
    }
    at
}
