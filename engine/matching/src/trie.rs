//! Which price groups have orders: 64-ary bitmap tries over group numbers, a cache before them.
//!
//! Nodes and groups exist only while something is in them, and are clean when they are freed, so
//! taking one is O(1). The path to a group is 3 nodes for cents, 4 for the rest: every walk here
//! has a constant bound. Handle 0 means none.

use bytemuck::{Pod, Zeroable};

use crate::memory::cleared;
use crate::place::{DEPTH, Place, Roots, SLOT_BITS, SLOT_MASK, STRIDE};
use crate::slab::NONE;

const _: () = assert!(size_of::<Group>() == 64 && size_of::<Node>() == 320);

/// What is known of a group; its 64 levels lie elsewhere.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Group {
    /// Which of its levels have orders.
    pub(crate) occupied: u64,
    /// Price of its first level.
    base: u32,
    /// Price step between levels.
    stride: u32,
    /// The group's number in its ladder.
    key: u32,
    /// The node above; in a free group, the next free one.
    parent: u32,
    half: u32,
    ladder: u32,
    unused: [u32; 8],
}

impl Group {
    /// Price of a level.
    #[inline]
    pub(crate) fn price(&self, slot: u32) -> u32 {
        self.base + slot * self.stride
    }

    pub(crate) fn ladder(&self) -> usize {
        self.ladder as usize
    }

    fn place(&self) -> Place {
        Place {
            half: self.half,
            ladder: self.ladder(),
            key: self.key,
        }
    }
}

/// An inner node: which children there are, and their handles.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Node {
    occupied: u64,
    /// The node above, none under a root; in a free node, the next free one.
    parent: u32,
    unused: [u32; 13],
    children: [u32; 64],
}

impl Node {
    fn put(&mut self, slot: usize, child: u32) {
        self.children[slot] = child;
        self.occupied |= 1 << slot;
    }
}

/// All groups and nodes of all symbols.
pub(crate) struct Trie<'m> {
    pub(crate) groups: &'m mut [Group],
    nodes: &'m mut [Node],
    /// Group handle (21 bits) under the place's tag (43 bits); a power of two of them.
    cache: &'m mut [u64],
    group_free: u32,
    group_fresh: u32,
    node_free: u32,
    node_fresh: u32,
}

const HANDLE_BITS: u32 = 21;
const _: () = assert!(crate::PRICE_GROUPS_MAX < 1 << HANDLE_BITS);

impl<'m> Trie<'m> {
    pub(crate) fn new(
        groups: &'m mut [Group],
        nodes: &'m mut [Node],
        cache: &'m mut [u64],
    ) -> Self {
        assert!(cache.len().is_power_of_two());
        Self {
            groups,
            nodes,
            cache,
            group_free: NONE,
            group_fresh: 1,
            node_free: 0,
            node_fresh: 1,
        }
    }

    /// Makes it as it was at first.
    pub(crate) fn clear(&mut self) {
        let (groups, nodes) = (cleared(&mut self.groups), cleared(&mut self.nodes));
        *self = Self::new(groups, nodes, cleared(&mut self.cache));
    }

    /// Whether another group can be opened. Nodes cannot run out before groups do.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        self.group_free != NONE || (self.group_fresh as usize) < self.groups.len()
    }

    /// The group of a place, or none.
    #[inline(always)]
    pub(crate) fn find(&mut self, roots: &Roots, place: Place) -> u32 {
        let entry = self.cache_entry(place);
        let cached = self.cache[entry];
        if cached >> HANDLE_BITS == place.tag() {
            return (cached & ((1 << HANDLE_BITS) - 1)) as u32;
        }
        self.find_uncached(roots, place)
    }

    /// The group of a place if it is in the cache, or none.
    #[inline(always)]
    pub(crate) fn find_near(&self, place: Place) -> Option<u32> {
        // Bits that differ from those of the group's entry, which end with its handle.
        let entry = self.cache[self.cache_entry(place)] ^ place.tag() << HANDLE_BITS;
        (entry < 1 << HANDLE_BITS).then_some(entry as u32)
    }

    #[cold]
    fn find_uncached(&mut self, roots: &Roots, place: Place) -> u32 {
        let group = self.walk(roots, place);
        if group != NONE {
            let entry = self.cache_entry(place);
            self.cache[entry] = place.tag() << HANDLE_BITS | u64::from(group);
        }
        group
    }

    #[inline]
    fn cache_entry(&self, place: Place) -> usize {
        let spread = place.half.wrapping_mul(0x9E37_79B1) >> 8;
        let at = place
            .key
            .wrapping_add(spread)
            .wrapping_add((place.ladder as u32) << 12);
        at as usize & (self.cache.len() - 1)
    }

    fn walk(&self, roots: &Roots, place: Place) -> u32 {
        let mut at = roots[place.ladder][place.root()];
        for depth in (0..DEPTH[place.ladder]).rev() {
            if at == NONE {
                return NONE;
            }
            at = self.nodes[at as usize].children[place.slot(depth)];
        }
        at
    }

    /// Opens the group of a place that has none; the caller has looked at [`Trie::has_room`].
    pub(crate) fn open(&mut self, roots: &mut Roots, place: Place) -> u32 {
        assert!(
            self.has_room(),
            "a group was opened for which there is no room"
        );
        let group = self.take_group();
        let root = &mut roots[place.ladder][place.root()];
        if *root == NONE {
            *root = self.take_node(NONE);
        }
        let mut parent = *root;
        for depth in (1..DEPTH[place.ladder]).rev() {
            let slot = place.slot(depth);
            let child = self.nodes[parent as usize].children[slot];
            let child = if child == NONE {
                self.take_node(parent)
            } else {
                child
            };
            self.nodes[parent as usize].put(slot, child);
            parent = child;
        }
        self.nodes[parent as usize].put(place.slot(0), group);
        let stride = STRIDE[place.ladder];
        self.groups[group as usize] = Group {
            base: (place.key << SLOT_BITS) * stride,
            stride,
            key: place.key,
            parent,
            half: place.half,
            ladder: place.ladder as u32,
            ..Group::zeroed()
        };
        group
    }

    fn take_group(&mut self) -> u32 {
        let group = self.group_free;
        if group == NONE {
            self.group_fresh += 1;
            return self.group_fresh - 1;
        }
        self.group_free = self.groups[group as usize].parent;
        group
    }

    /// A node without children, from the free ones or from those never used.
    fn take_node(&mut self, parent: u32) -> u32 {
        let mut node = self.node_free;
        if node == NONE {
            node = self.node_fresh;
            self.node_fresh += 1;
        } else {
            self.node_free = self.nodes[node as usize].parent;
        }
        self.nodes[node as usize].parent = parent;
        node
    }

    /// Frees a group without orders, and the nodes that have nothing else below them.
    pub(crate) fn close(&mut self, roots: &mut Roots, group: u32) {
        let closed = &self.groups[group as usize];
        assert!(closed.occupied == 0, "a group with orders was closed");
        let (place, parent) = (closed.place(), closed.parent);
        let entry = self.cache_entry(place);
        if self.cache[entry] >> HANDLE_BITS == place.tag() {
            self.cache[entry] = 0;
        }
        self.groups[group as usize].parent = self.group_free;
        self.group_free = group;
        let mut at = parent;
        for depth in 0..DEPTH[place.ladder] {
            let slot = place.slot(depth);
            let node = &mut self.nodes[at as usize];
            node.children[slot] = NONE;
            node.occupied &= !(1 << slot);
            if node.occupied != 0 {
                return;
            }
            let above = node.parent;
            node.parent = self.node_free;
            self.node_free = at;
            at = above;
        }
        roots[place.ladder][place.root()] = NONE;
    }

    /// The nearest level with orders above (`UP`) or below a level of the same ladder, as
    /// group and slot.
    pub(crate) fn next<const UP: bool>(
        &self,
        roots: &Roots,
        group: u32,
        slot: u32,
    ) -> Option<(u32, u32)> {
        let from = &self.groups[group as usize];
        if let Some(next) = beyond::<UP>(from.occupied, slot) {
            return Some((group, next));
        }
        let (place, ladder) = (from.place(), from.ladder());
        let mut at = from.parent;
        for depth in 0..DEPTH[ladder] {
            let node = &self.nodes[at as usize];
            if let Some(next) = beyond::<UP>(node.occupied, place.slot(depth) as u32) {
                return Some(self.first::<UP>(node.children[next as usize], depth));
            }
            at = node.parent;
        }
        let other = roots[ladder][1 - place.root()];
        let onward = (place.root() == 0) == UP && other != NONE;
        onward.then(|| self.first::<UP>(other, DEPTH[ladder]))
    }

    /// The first level with orders below something that has `depth` nodes on the way.
    fn first<const UP: bool>(&self, top: u32, depth: u32) -> (u32, u32) {
        let mut at = top;
        for _ in 0..depth {
            let node = &self.nodes[at as usize];
            at = node.children[end::<UP>(node.occupied) as usize];
        }
        (at, end::<UP>(self.groups[at as usize].occupied))
    }
}

/// The nearest set bit above (`UP`) or below a slot.
#[inline]
fn beyond<const UP: bool>(word: u64, slot: u32) -> Option<u32> {
    let rest = if UP {
        word & (!1 << slot)
    } else {
        word & ((1 << slot) - 1)
    };
    (rest != 0).then(|| end::<UP>(rest))
}

/// The lowest (`UP`) or highest set bit of a word that has one.
#[inline]
fn end<const UP: bool>(word: u64) -> u32 {
    debug_assert!(word != 0);
    let bit = if UP {
        word.trailing_zeros()
    } else {
        63 - (word | 1).leading_zeros()
    };
    bit & SLOT_MASK
}
