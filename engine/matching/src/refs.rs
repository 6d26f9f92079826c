//! Finds an order by what its member calls it: session and user reference.
//!
//! A reference may rest in its *home* slot or in the other half of the same line, in 16 slots of a
//! *far* line, else in a tree. Homes follow the reference numbers of a session, so that orders
//! entered one after the other share lines; far lines are spread by a hash, for what collides with
//! older orders that still live. There are three to six times as many slots as orders. The tree is
//! a crit-bit tree over 48-bit names: whatever references a member picks, a look-up compares at
//! most 18 slots and walks at most 48 branches, and there is always room for as many references as
//! there are orders.
//!
//! A slot is an order's handle: whose it is stands in its record, which is needed next. In the bits
//! above the handle it counts the references that would be at home there and are elsewhere, so that
//! a name that nobody has is mostly known by one look.

use bytemuck::{Pod, Zeroable};

use crate::memory::cleared;
use crate::slab::{NAME_BITS, NONE, Order, name};

/// Slots of a line.
pub(crate) const LINE_SLOTS: usize = 16;
/// The least number of slots for each order that there is room for; the next power of two of them
/// is taken.
pub(crate) const ORDER_SLOTS: usize = 3;

/// A slot's order; above it the count of those that are elsewhere.
const HANDLE_MASK: u32 = (1 << 28) - 1;
const ELSEWHERE_ONE: u32 = HANDLE_MASK + 1;
/// A count that was reached stays: there may have been more.
const ELSEWHERE_MAX: u32 = !HANDLE_MASK;

const _: () = assert!(crate::ORDERS_MAX <= HANDLE_MASK);
const _: () = assert!(size_of::<u32>() * LINE_SLOTS == crate::LINE_BYTES);
const _: () = assert!(crate::ORDERS_MAX as usize * 2 * ORDER_SLOTS < IN_TREE as usize);
const _: () = assert!(size_of::<Branch>() == 8);

/// A branch of the tree: names with a 0 at the bit are under the first child.
///
/// Each word is a child in its low [`CHILD_BITS`]: a branch, or an order with [`LEAF`]; and above
/// them a half of the bit's number, the low half in the first. In a free branch the first word is
/// the next free one.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Branch([u32; 2]);

const CHILD_BITS: u32 = 29;
const CHILD_MASK: u32 = (1 << CHILD_BITS) - 1;
/// Bits in a half of a bit's number.
const HALF_BITS: u32 = 32 - CHILD_BITS;
/// Marks a child that is an order.
const LEAF: u32 = 1 << (CHILD_BITS - 1);

const _: () = assert!(crate::ORDERS_MAX < LEAF);
const _: () = assert!(NAME_BITS <= 1 << (2 * HALF_BITS));

impl Branch {
    fn new([first, second]: [u32; 2], bit: u32) -> Self {
        let low = bit & ((1 << HALF_BITS) - 1);
        Self([
            first | low << CHILD_BITS,
            second | bit >> HALF_BITS << CHILD_BITS,
        ])
    }

    #[inline]
    fn bit(self) -> u32 {
        let Self([first, second]) = self;
        first >> CHILD_BITS | second >> CHILD_BITS << HALF_BITS
    }

    /// The child that a name is under.
    #[inline]
    fn child(self, name: u64) -> u32 {
        self.0[bit_of(name, self.bit())] & CHILD_MASK
    }

    /// The child that a name is not under.
    fn sibling(self, name: u64) -> u32 {
        self.0[1 - bit_of(name, self.bit())] & CHILD_MASK
    }

    /// Sets the child that a name is under.
    fn set_child(&mut self, name: u64, child: u32) {
        let word = &mut self.0[bit_of(name, self.bit())];
        *word = *word & !CHILD_MASK | child;
    }
}

/// All live references.
pub(crate) struct Refs<'m> {
    /// Orders, 0 for none, and how many are elsewhere.
    slots: &'m mut [u32],
    tree: Tree<'m>,
}

/// The slot of an order that has none.
const IN_TREE: u32 = u32::MAX;

/// A live order and where its reference is.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    pub(crate) order: u32,
    /// [`IN_TREE`] or its place.
    slot: u32,
    home: u32,
}

impl<'m> Refs<'m> {
    /// `slots`: a power of two of lines. `branches`: one more than orders.
    pub(crate) fn new(slots: &'m mut [u32], branches: &'m mut [Branch]) -> Self {
        assert!((slots.len() / LINE_SLOTS).is_power_of_two());
        Self {
            slots,
            tree: Tree {
                branches,
                root: NONE,
                free: NONE,
                fresh: 1,
            },
        }
    }

    /// Forgets all of them.
    pub(crate) fn clear(&mut self) {
        let branches = cleared(&mut self.tree.branches);
        *self = Self::new(cleared(&mut self.slots), branches);
    }

    /// The slot where a reference is first looked for.
    #[inline]
    pub(crate) fn home(&self, session: u16, user_ref: u32) -> usize {
        // The golden ratio keeps the sessions' runs of numbers apart, whatever their count.
        let start = u64::from(u32::from(session).wrapping_mul(0x9E37_79B1));
        let start = (start * self.slots.len() as u64) >> 32;
        (start as usize + user_ref as usize) & (self.slots.len() - 1)
    }

    /// All slots, to be fetched.
    #[inline]
    pub(crate) fn slots(&self) -> &[u32] {
        self.slots
    }

    /// The order in a slot: 0 for none.
    #[inline]
    pub(crate) fn order_at(&self, slot: usize) -> u32 {
        self.slots[slot] & HANDLE_MASK
    }

    /// Whether nothing is in a slot, and nothing elsewhere that would be at home there.
    #[inline]
    pub(crate) fn is_clear(&self, slot: usize) -> bool {
        self.slots[slot] == NONE
    }

    /// Puts an order into its home slot, which is clear.
    #[inline]
    pub(crate) fn put(&mut self, home: usize, order: u32) {
        self.slots[home] = order;
    }

    /// Takes the order out of its home slot.
    #[inline]
    pub(crate) fn vacate(&mut self, home: usize) {
        self.slots[home] &= !HANDLE_MASK;
    }

    /// The slots where a reference may be that neither its home nor that one's other half holds.
    fn far(&self, session: u16, user_ref: u32) -> impl Iterator<Item = usize> + use<> {
        let lines = self.slots.len() / LINE_SLOTS;
        let line = mix(name(session, user_ref)) as usize & (lines - 1);
        line * LINE_SLOTS..(line + 1) * LINE_SLOTS
    }

    /// The live order of that name, if there is one.
    #[inline(always)]
    pub(crate) fn get(&self, orders: &[Order], session: u16, user_ref: u32) -> Option<Found> {
        let home = self.home(session, user_ref);
        let slot = self.slots[home];
        let order = slot & HANDLE_MASK;
        if order != NONE && orders[order as usize].is_named(session, user_ref) {
            let home = home as u32;
            let slot = home;
            return Some(Found { order, slot, home });
        }
        if slot < ELSEWHERE_ONE {
            return None;
        }
        self.get_beyond(orders, session, user_ref)
    }

    #[inline(never)]
    fn get_beyond(&self, orders: &[Order], session: u16, user_ref: u32) -> Option<Found> {
        let is_it =
            |order: u32| order != NONE && orders[order as usize].is_named(session, user_ref);
        let order = match self.search_beyond(session, user_ref, is_it) {
            IN_TREE => self.tree.get(orders, name(session, user_ref)),
            slot => self.order_at(slot as usize),
        };
        (order != NONE).then(|| self.find(orders, order))
    }

    /// The slot whose order something holds for beyond the home slot, or [`IN_TREE`].
    fn search_beyond(&self, session: u16, user_ref: u32, holds: impl Fn(u32) -> bool) -> u32 {
        let other = self.home(session, user_ref) ^ (LINE_SLOTS / 2);
        if holds(self.order_at(other)) {
            return other as u32;
        }
        let slot = self
            .far(session, user_ref)
            .find(|slot| holds(self.order_at(*slot)));
        slot.map_or(IN_TREE, |slot| slot as u32)
    }

    /// Where a live order is.
    #[inline(always)]
    pub(crate) fn find(&self, orders: &[Order], order: u32) -> Found {
        let record = &orders[order as usize];
        let (session, user_ref) = (record.session(), record.user_ref);
        let home = self.home(session, user_ref);
        let slot = if self.order_at(home) == order {
            home as u32
        } else {
            self.search_beyond(session, user_ref, |one| one == order)
        };
        let home = home as u32;
        Found { order, slot, home }
    }

    /// Adds a live order; its name is not there yet.
    #[inline(always)]
    pub(crate) fn insert(&mut self, orders: &[Order], session: u16, user_ref: u32, order: u32) {
        let home = self.home(session, user_ref);
        if self.order_at(home) == NONE {
            self.slots[home] |= order;
        } else {
            self.insert_beyond(orders, session, user_ref, order);
        }
    }

    #[inline(never)]
    fn insert_beyond(&mut self, orders: &[Order], session: u16, user_ref: u32, order: u32) {
        match self.search_beyond(session, user_ref, |one| one == NONE) {
            IN_TREE => self.tree.insert(orders, order),
            slot => self.slots[slot as usize] |= order,
        }
        let home = self.home(session, user_ref);
        let home = &mut self.slots[home];
        if *home < ELSEWHERE_MAX {
            *home += ELSEWHERE_ONE;
        }
    }

    /// Takes out what was found, before its record is freed.
    #[inline(always)]
    pub(crate) fn remove(&mut self, orders: &[Order], found: Found) {
        if found.slot == found.home {
            self.slots[found.home as usize] &= !HANDLE_MASK;
        } else {
            self.remove_beyond(orders, found);
        }
    }

    #[inline(never)]
    fn remove_beyond(&mut self, orders: &[Order], found: Found) {
        match found.slot {
            IN_TREE => self.tree.remove(orders, found.order),
            slot => self.slots[slot as usize] &= !HANDLE_MASK,
        }
        let home = &mut self.slots[found.home as usize];
        if *home < ELSEWHERE_MAX {
            *home -= ELSEWHERE_ONE;
        }
    }
}

/// Spreads a name over 64 bits (the finalizer of `SplitMix64`).
fn mix(name: u64) -> u64 {
    let name = (name ^ name >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let name = (name ^ name >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    name ^ name >> 31
}

/// A crit-bit tree; a branch's bit is higher than those below it.
struct Tree<'m> {
    branches: &'m mut [Branch],
    root: u32,
    free: u32,
    fresh: u32,
}

impl Tree<'_> {
    /// The leaf that a walk by the bits of a name ends at; the tree is not empty.
    fn walk(&self, name: u64) -> u32 {
        let mut at = self.root;
        while at & LEAF == 0 {
            at = self.branches[at as usize].child(name);
        }
        at & !LEAF
    }

    fn get(&self, orders: &[Order], name: u64) -> u32 {
        if self.root == NONE {
            return NONE;
        }
        let order = self.walk(name);
        if orders[order as usize].name() == name {
            order
        } else {
            NONE
        }
    }

    #[cold]
    fn insert(&mut self, orders: &[Order], order: u32) {
        if self.root == NONE {
            self.root = order | LEAF;
            return;
        }
        let name = orders[order as usize].name();
        let differ = name ^ orders[self.walk(name) as usize].name();
        assert!(differ != 0, "a live reference was taken again");
        let bit = 63 - differ.leading_zeros();
        let (mut above, mut at) = (NONE, self.root);
        while at & LEAF == 0 && self.branches[at as usize].bit() > bit {
            above = at;
            at = self.branches[at as usize].child(name);
        }
        let mut children = [at; 2];
        children[bit_of(name, bit)] = order | LEAF;
        let branch = self.take();
        self.branches[branch as usize] = Branch::new(children, bit);
        self.link(above, name, branch);
    }

    #[cold]
    fn remove(&mut self, orders: &[Order], order: u32) {
        assert!(self.root != NONE, "a live order has no reference");
        let name = orders[order as usize].name();
        let (mut above, mut parent, mut at) = (NONE, NONE, self.root);
        while at & LEAF == 0 {
            above = parent;
            parent = at;
            at = self.branches[at as usize].child(name);
        }
        assert!(at == order | LEAF, "a live order has no reference");
        if parent == NONE {
            self.root = NONE;
            return;
        }
        let sibling = self.branches[parent as usize].sibling(name);
        self.link(above, name, sibling);
        self.branches[parent as usize] = Branch::new([self.free, NONE], 0);
        self.free = parent;
    }

    /// Puts a child where a name leads to below a branch, or at the root.
    fn link(&mut self, above: u32, name: u64, child: u32) {
        if above == NONE {
            self.root = child;
        } else {
            self.branches[above as usize].set_child(name, child);
        }
    }

    fn take(&mut self) -> u32 {
        let branch = self.free;
        if branch == NONE {
            self.fresh += 1;
            return self.fresh - 1;
        }
        self.free = self.branches[branch as usize].child(0);
        branch
    }
}

#[inline]
fn bit_of(name: u64, bit: u32) -> usize {
    (name >> bit & 1) as usize
}
