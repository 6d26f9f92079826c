//! Which stop is touched first: a tree of a side's triggers by trigger, then order number.
//!
//! A crit-bit tree whose branches lie in the parts of the orders that are its leaves, so that it
//! never lacks room. It has one branch fewer than leaves; a branch lies in the part of a leaf below
//! it, and when that leaf goes the branch moves into the part that the leaf's going makes free,
//! which is below it too. A key has 80 bits that matter: every walk is at most 80 branches long,
//! whatever triggers members pick.

use crate::books::rank;
use crate::parts::Part;
use crate::slab::{NONE, Order, Slab};

/// Marks a child that is a leaf.
const LEAF: u32 = 1 << 31;
const _: () = assert!(crate::SPECIAL_MAX < LEAF);

/// The bit of a part that holds no branch.
const NO_BRANCH: u8 = u8::MAX;

/// A tree, by its root: a part with [`LEAF`], a part whose branch it is, or none.
struct Tree<'a> {
    orders: &'a [Order],
    parts: &'a mut [Part],
}

/// Adds a part whose trigger and order are set.
pub(crate) fn insert(slab: &mut Slab<'_>, root: &mut u32, part: u32) {
    let mut tree = Tree::of(slab);
    tree.parts[part as usize].bit = NO_BRANCH;
    if *root == NONE {
        *root = part | LEAF;
        return;
    }
    let key = tree.key(part);
    let differ = key ^ tree.key(tree.leaf(*root, key));
    assert!(differ != 0, "an order's trigger was added again");
    let bit = 127 - differ.leading_zeros() as u8;
    let (mut above, mut at) = (NONE, *root);
    while at & LEAF == 0 && tree.parts[at as usize].bit > bit {
        above = at;
        at = tree.child(at, key);
    }
    let branch = &mut tree.parts[part as usize];
    branch.bit = bit;
    branch.children = [at; 2];
    branch.children[bit_of(key, bit)] = part | LEAF;
    tree.link(root, above, key, part);
}

/// Takes a part out; its trigger is still the one that it was added with.
pub(crate) fn remove(slab: &mut Slab<'_>, root: &mut u32, part: u32) {
    let mut tree = Tree::of(slab);
    let key = tree.key(part);
    // Of the leaf, of its branch, and of the branch that lies in its part.
    let (mut above, mut parent, mut own_above) = (NONE, NONE, NONE);
    let mut at = *root;
    while at & LEAF == 0 {
        if at == part {
            own_above = parent;
        }
        above = parent;
        parent = at;
        at = tree.child(at, key);
    }
    assert!(at == part | LEAF, "a trigger is not in its tree");
    if parent == NONE {
        *root = NONE;
        return;
    }
    let branch = tree.parts[parent as usize];
    tree.link(
        root,
        above,
        key,
        branch.children[1 - bit_of(key, branch.bit)],
    );
    tree.parts[parent as usize].bit = NO_BRANCH;
    if parent != part && tree.parts[part as usize].bit != NO_BRANCH {
        let Part { bit, children, .. } = tree.parts[part as usize];
        let free = &mut tree.parts[parent as usize];
        (free.bit, free.children) = (bit, children);
        tree.link(root, own_above, key, parent);
    }
}

/// The part of the trigger that a price touches first.
pub(crate) fn first(slab: &Slab<'_>, root: u32) -> Option<u32> {
    let mut at = root;
    while at != NONE && at & LEAF == 0 {
        at = slab.parts.all[at as usize].children[0];
    }
    (at != NONE).then_some(at & !LEAF)
}

impl<'a> Tree<'a> {
    fn of(slab: &'a mut Slab<'_>) -> Self {
        Self {
            orders: slab.orders,
            parts: slab.parts.all,
        }
    }

    /// Buys by ascending trigger, sells by descending one, then by number.
    fn key(&self, part: u32) -> u128 {
        let part = &self.parts[part as usize];
        let who = self.orders[part.order as usize].identity();
        let ascending = rank(who.side(), part.trigger(who.side()).unwrap_or(0));
        u128::from(ascending) << 48 | u128::from(who.order_ref)
    }

    /// The leaf that a walk by the bits of a key ends at.
    fn leaf(&self, root: u32, key: u128) -> u32 {
        let mut at = root;
        while at & LEAF == 0 {
            at = self.child(at, key);
        }
        at & !LEAF
    }

    fn child(&self, branch: u32, key: u128) -> u32 {
        let Part { children, bit, .. } = self.parts[branch as usize];
        children[bit_of(key, bit)]
    }

    /// Puts a child where a key leads to below a branch, or at the root.
    fn link(&mut self, root: &mut u32, above: u32, key: u128, child: u32) {
        if above == NONE {
            *root = child;
        } else {
            let branch = &mut self.parts[above as usize];
            branch.children[bit_of(key, branch.bit)] = child;
        }
    }
}

fn bit_of(key: u128, bit: u8) -> usize {
    (key >> bit & 1) as usize
}
