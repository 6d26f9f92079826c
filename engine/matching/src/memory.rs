//! Cuts the lines handed to an engine into its tables.

use bytemuck::Pod;

use crate::accounts::{Account, AccountTables, Holder, Position};
use crate::attributes::Asked;
use crate::books::{Book, GROUP_LEVELS, Level};
use crate::bust::BUSTS_MAX;
use crate::engine::Session;
use crate::limits::{LINE_BYTES, Limits, Line};
use crate::mandates::Mandate;
use crate::market::Market;
use crate::parts::Part;
use crate::place::NODES_A_GROUP_MAX;
use crate::refs::{Branch, LINE_SLOTS, ORDER_SLOTS};
use crate::slab::Order;
use crate::trie::{Group, Node};
use crate::watch::Watch;

/// The most entries of the cache before the tries: 512 KiB.
const CACHE_MAX: usize = 1 << 16;

/// The tables, all zero.
pub(crate) struct Tables<'m> {
    pub(crate) books: &'m mut [Book],
    pub(crate) markets: &'m mut [Market],
    pub(crate) sessions: &'m mut [Session],
    pub(crate) asked: &'m mut [Asked],
    pub(crate) mandates: &'m mut [Mandate],
    pub(crate) orders: &'m mut [Order],
    pub(crate) parts: &'m mut [Part],
    pub(crate) expiries: &'m mut [u32],
    pub(crate) timers: &'m mut [u32],
    pub(crate) slots: &'m mut [u32],
    pub(crate) branches: &'m mut [Branch],
    pub(crate) levels: &'m mut [Level],
    pub(crate) dark: &'m mut [u64],
    pub(crate) groups: &'m mut [Group],
    pub(crate) nodes: &'m mut [Node],
    pub(crate) cache: &'m mut [u64],
    pub(crate) watches: &'m mut [Watch],
    pub(crate) marked: &'m mut [u64],
    pub(crate) accounts: AccountTables<'m>,
    /// Match numbers of trades that were taken back.
    pub(crate) broken: &'m mut [u64],
}

/// Entries of each table. Entry 0 of those that handles name is never used.
struct Sizes {
    books: usize,
    marked: usize,
    sessions: usize,
    orders: usize,
    parts: usize,
    slots: usize,
    groups: usize,
    levels: usize,
    nodes: usize,
    cache: usize,
    accounts: usize,
    account_slots: usize,
    positions: usize,
}

impl Sizes {
    fn of(limits: &Limits) -> Self {
        let (orders, groups) = (limits.orders as usize, limits.price_groups as usize);
        let accounts = match limits.accounts {
            0 => 0,
            some => usize::from(some) + 1,
        };
        Self {
            books: usize::from(limits.symbols) + 1,
            marked: usize::from(limits.symbols / 64) + 1,
            sessions: usize::from(limits.sessions) + 1,
            orders: orders + 1,
            parts: limits.special as usize + 1,
            slots: (ORDER_SLOTS * orders)
                .next_power_of_two()
                .max(2 * LINE_SLOTS),
            groups: groups + 1,
            levels: (groups + 1) * GROUP_LEVELS as usize,
            nodes: groups * NODES_A_GROUP_MAX + 1,
            cache: (4 * groups).next_power_of_two().min(CACHE_MAX),
            accounts,
            account_slots: if accounts == 0 {
                0
            } else {
                (2 * accounts).next_power_of_two()
            },
            positions: accounts * (usize::from(limits.symbols) + 1),
        }
    }
}

/// Lines of a table.
const fn lines_of<T>(entries: usize) -> usize {
    (entries * size_of::<T>()).div_ceil(LINE_BYTES)
}

/// Lines of all tables.
pub(crate) fn lines(limits: &Limits) -> usize {
    let sizes = Sizes::of(limits);
    lines_of::<Book>(sizes.books)
        + lines_of::<Market>(sizes.books)
        + lines_of::<u32>(sizes.books)
        + lines_of::<Session>(sizes.sessions)
        + lines_of::<Asked>(sizes.sessions)
        + lines_of::<Mandate>(sizes.sessions)
        + lines_of::<Order>(sizes.orders)
        + lines_of::<Part>(sizes.parts)
        + lines_of::<u32>(sizes.parts)
        + lines_of::<u32>(sizes.slots)
        + lines_of::<Branch>(sizes.orders)
        + lines_of::<Level>(sizes.levels)
        + lines_of::<u64>(sizes.levels)
        + lines_of::<Group>(sizes.groups)
        + lines_of::<Node>(sizes.nodes)
        + lines_of::<u64>(sizes.cache)
        + lines_of::<Watch>(sizes.books)
        + lines_of::<u64>(sizes.marked)
        + lines_of::<Account>(sizes.accounts)
        + lines_of::<Position>(sizes.positions)
        + lines_of::<u64>(sizes.positions.div_ceil(64))
        + lines_of::<Holder>(sizes.accounts)
        + lines_of::<u16>(sizes.account_slots)
        + lines_of::<u64>(BUSTS_MAX)
}

/// Clears the memory, which is as many lines as [`lines`] says, and cuts it up.
pub(crate) fn cut<'m>(limits: &Limits, mut memory: &'m mut [Line]) -> Tables<'m> {
    memory.fill(Line::ZERO);
    let (sizes, rest) = (Sizes::of(limits), &mut memory);
    Tables {
        books: table(rest, sizes.books),
        markets: table(rest, sizes.books),
        sessions: table(rest, sizes.sessions),
        asked: table(rest, sizes.sessions),
        mandates: table(rest, sizes.sessions),
        orders: table(rest, sizes.orders),
        parts: table(rest, sizes.parts),
        timers: table(rest, sizes.books),
        expiries: table(rest, sizes.parts),
        slots: table(rest, sizes.slots),
        branches: table(rest, sizes.orders),
        levels: table(rest, sizes.levels),
        dark: table(rest, sizes.levels),
        groups: table(rest, sizes.groups),
        nodes: table(rest, sizes.nodes),
        cache: table(rest, sizes.cache),
        watches: table(rest, sizes.books),
        marked: table(rest, sizes.marked),
        accounts: AccountTables {
            all: table(rest, sizes.accounts),
            positions: table(rest, sizes.positions),
            restricted: table(rest, sizes.positions.div_ceil(64)),
            holders: table(rest, sizes.accounts),
            slots: table(rest, sizes.account_slots),
        },
        broken: table(rest, BUSTS_MAX),
    }
}

/// Takes a table from who has it, and clears it.
pub(crate) fn cleared<'m, T: Pod>(table: &mut &'m mut [T]) -> &'m mut [T] {
    let table = core::mem::take(table);
    table.fill(T::zeroed());
    table
}

/// Takes a table off the front of the memory.
fn table<'m, T: Pod>(rest: &mut &'m mut [Line], entries: usize) -> &'m mut [T] {
    const { assert!(align_of::<T>() <= LINE_BYTES) };
    let (front, back) = core::mem::take(rest).split_at_mut(lines_of::<T>(entries));
    *rest = back;
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(front);
    bytemuck::cast_slice_mut(&mut bytes[..entries * size_of::<T>()])
}
