//! Accounts: what each has open and traded, kept from the first limit on.
//!
//! An account is known by its place, which its sessions have. What limits look at is kept as they
//! look at it, live orders and trades in one sum, so a trade of a resting order at its own price
//! only moves what the other side may still do, and a check adds one order to one number.
//!
//! Sums of value have 128 bits: all orders that can be live and all trades that can be numbered do
//! not fill them. A position has 64, which hold a day of fifty million trades a second.

use bytemuck::{Pod, Zeroable};
use wire::ring::{PRICE_MARKET, PRICE_MAX, QUANTITY_MAX, Side};

use crate::Engine;
use crate::memory::cleared;
use crate::prefetch::prefetch;
use crate::slab::{Identity, ORDER_REF_MAX};

/// Trades of a day that a position is made for.
const TRADES_A_DAY_MAX: u64 = 50_000_000 * 86_400;

/// What a sum of value is kept below.
pub(crate) const VALUE_MAX: i128 = 1 << 120;
/// What a position is kept below.
pub(crate) const UNITS_MAX: i64 = 1 << 62;

const _: () = assert!(TRADES_A_DAY_MAX * (QUANTITY_MAX as u64) < UNITS_MAX as u64);
const _: () =
    assert!(ORDER_REF_MAX as i128 * QUANTITY_MAX as i128 * (PRICE_MAX as i128) < VALUE_MAX);
const _: () = assert!(size_of::<Account>() == 2 * crate::LINE_BYTES);
const _: () = assert!(size_of::<Position>() == 16);
const _: () = assert!(core::mem::offset_of!(Account, next_ns) == crate::LINE_BYTES);

/// An account: its sums and, in the second line but for small ones, its limits.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Account {
    /// By side: value of its live orders and its trades, less that of the other side's trades.
    pub(crate) net: [i128; 2],
    /// Value of all live orders and all trades.
    pub(crate) gross: i128,
    /// Live orders.
    pub(crate) live: u32,
    pub(crate) live_max: u32,
    /// Units of an order.
    pub(crate) units_max: u32,
    /// Symbols that it is restricted in.
    pub(crate) restrictions: u32,
    /// When the next order would be in time, if they came one by one: of more bits than a time, as
    /// it may lie behind the last one.
    pub(crate) next_ns: u128,
    /// Value of an order.
    pub(crate) value_max: u64,
    /// How far a limit may be beyond the market, in 1/10,000 of that.
    pub(crate) distance_max: u64,
    pub(crate) position_max: u64,
    pub(crate) gross_max: u64,
    pub(crate) net_max: u64,
    /// Time between two orders at the greatest rate.
    pub(crate) interval_ns: u32,
    /// Orders that may come at once, 0 without a greatest rate.
    pub(crate) burst: u32,
}

/// What an account has of a symbol, by side: units of its live orders and its trades, less those of
/// the other side's trades.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Position(pub(crate) [i64; 2]);

impl Position {
    pub(crate) fn is_none(&self) -> bool {
        self.0 == [0; 2]
    }
}

/// Who has a place.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Holder {
    number: u32,
    /// The lowest session of the account, 0 while nobody has the place.
    session_first: u16,
    unused: u16,
}

/// Whose an order is, and what of.
#[derive(Clone, Copy)]
pub(crate) struct Whose {
    pub(crate) place: u16,
    pub(crate) symbol: u16,
    pub(crate) side: Side,
}

/// The memory of accounts, all empty if there is to be none.
pub(crate) struct AccountTables<'m> {
    /// By place, up to the last one.
    pub(crate) all: &'m mut [Account],
    /// By place, then symbol.
    pub(crate) positions: &'m mut [Position],
    /// A bit for each of these.
    pub(crate) restricted: &'m mut [u64],
    /// By place.
    pub(crate) holders: &'m mut [Holder],
    /// A power of two, at least two for each place.
    pub(crate) slots: &'m mut [u16],
}

/// All accounts. Place 0 is nobody's.
pub(crate) struct Accounts<'m> {
    /// Whether there was a limit: nothing is counted before.
    pub(crate) is_kept: bool,
    /// By place.
    pub(crate) all: &'m mut [Account],
    /// By place, then symbol.
    pub(crate) positions: &'m mut [Position],
    /// Which of these are restricted, a bit each.
    restricted: &'m mut [u64],
    /// By place, too.
    holders: &'m mut [Holder],
    /// Places, to be found by the accounts' numbers.
    slots: &'m mut [u16],
    /// Positions of an account: one for each symbol number.
    symbols: usize,
    /// The last place that somebody has.
    last: u16,
}

/// The value of so many units, fewer than none if they leave, of a live order.
#[inline]
fn value_of(units: i64, price: u32) -> i128 {
    let price = i64::from(price);
    let price = if price == PRICE_MARKET { 0 } else { price };
    i128::from(units * price)
}

impl<'m> Accounts<'m> {
    /// `symbols`: entries of the symbols' tables.
    pub(crate) fn new(tables: AccountTables<'m>, symbols: usize) -> Self {
        let AccountTables {
            all,
            positions,
            restricted,
            holders,
            slots,
        } = tables;
        Self {
            is_kept: false,
            all,
            positions,
            restricted,
            holders,
            slots,
            symbols,
            last: 0,
        }
    }

    /// Forgets every account.
    pub(crate) fn clear(&mut self) {
        let tables = AccountTables {
            all: cleared(&mut self.all),
            positions: cleared(&mut self.positions),
            restricted: cleared(&mut self.restricted),
            holders: cleared(&mut self.holders),
            slots: cleared(&mut self.slots),
        };
        *self = Self::new(tables, self.symbols);
    }

    /// Whether any account has room.
    pub(crate) fn has_places(&self) -> bool {
        !self.slots.is_empty()
    }

    /// The place of an account that has one, or the slot where it would be found.
    fn find(&self, number: u32) -> Result<u16, usize> {
        let mask = self.slots.len() - 1;
        let mixed = u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let mut slot = mixed as usize & mask;
        loop {
            match self.slots[slot] {
                0 => return Err(slot),
                place if self.holders[usize::from(place)].number == number => return Ok(place),
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    /// The places that somebody has.
    pub(crate) fn places(&self) -> impl Iterator<Item = u16> + use<> {
        1..=self.last
    }

    /// The number of the account at a place.
    pub(crate) fn number(&self, place: u16) -> u32 {
        self.holders[usize::from(place)].number
    }

    /// The place of an account, if a session has it.
    pub(crate) fn place(&self, number: u32) -> Option<u16> {
        self.has_places().then(|| self.find(number).ok()).flatten()
    }

    /// The place of the account of a session that is being defined; `None` if there is none left.
    /// Without any place all have number 1.
    pub(crate) fn join(&mut self, number: u32, session: u16) -> Option<u16> {
        if !self.has_places() {
            return Some(1);
        }
        let place = match self.find(number) {
            Ok(place) => place,
            Err(_) if usize::from(self.last) + 1 == self.all.len() => return None,
            Err(slot) => {
                self.last += 1;
                self.slots[slot] = self.last;
                self.all[usize::from(self.last)] = Account::UNLIMITED;
                self.holders[usize::from(self.last)] = Holder {
                    number,
                    session_first: session,
                    unused: 0,
                };
                self.last
            }
        };
        let holder = &mut self.holders[usize::from(place)];
        holder.session_first = holder.session_first.min(session);
        Some(place)
    }

    /// Whether a session is the lowest one of the account that has a place.
    pub(crate) fn is_first(&self, place: u16, session: u16) -> bool {
        self.holders[usize::from(place)].session_first == session
    }

    fn at(&self, place: u16, symbol: u16) -> usize {
        usize::from(place) * self.symbols + usize::from(symbol)
    }

    pub(crate) fn position(&self, place: u16, symbol: u16) -> Position {
        self.positions[self.at(place, symbol)]
    }

    pub(crate) fn position_mut(&mut self, place: u16, symbol: u16) -> &mut Position {
        let at = self.at(place, symbol);
        &mut self.positions[at]
    }

    pub(crate) fn is_restricted(&self, place: u16, symbol: u16) -> bool {
        let at = self.at(place, symbol);
        self.restricted[at / 64] >> (at % 64) & 1 != 0
    }

    pub(crate) fn restrict(&mut self, place: u16, symbol: u16, is_set: bool) {
        let (was_set, at) = (self.is_restricted(place, symbol), self.at(place, symbol));
        if was_set != is_set {
            self.restricted[at / 64] ^= 1 << (at % 64);
            let count = &mut self.all[usize::from(place)].restrictions;
            *count = if is_set { *count + 1 } else { *count - 1 };
        }
    }

    /// Counts units that a live order has more, or fewer, than before.
    #[inline]
    pub(crate) fn change(&mut self, whose: Whose, units: i64, price: u32) {
        let (place, side) = (usize::from(whose.place), whose.side as usize);
        let (account, value) = (&mut self.all[place], value_of(units, price));
        account.net[side] += value;
        account.gross += value;
        self.position_mut(whose.place, whose.symbol).0[side] += units;
    }

    /// Counts a trade, of units that are not open any more.
    #[inline]
    fn trade(&mut self, whose: Whose, units: u32, price: u32) {
        let (own, other) = (whose.side as usize, whose.side.opposite() as usize);
        let value = i128::from(u64::from(units) * u64::from(price));
        let account = &mut self.all[usize::from(whose.place)];
        account.net[own] += value;
        account.net[other] -= value;
        account.gross += value;
        let Position(units_by_side) = self.position_mut(whose.place, whose.symbol);
        units_by_side[own] += i64::from(units);
        units_by_side[other] -= i64::from(units);
    }

    /// Undoes what a trade counted, once its units are not open any more.
    pub(crate) fn take_back(&mut self, whose: Whose, units: u32, price: u32) {
        let (own, other) = (whose.side as usize, whose.side.opposite() as usize);
        let value = i128::from(u64::from(units) * u64::from(price));
        let account = &mut self.all[usize::from(whose.place)];
        account.net[own] -= value;
        account.net[other] += value;
        account.gross -= value;
        let Position(units_by_side) = self.position_mut(whose.place, whose.symbol);
        units_by_side[own] -= i64::from(units);
        units_by_side[other] += i64::from(units);
    }

    /// Counts a trade of a live order at its own price, by which the units stay what they were for
    /// its side.
    #[inline]
    fn fill(&mut self, whose: Whose, units: u32, price: u32) {
        let other = whose.side.opposite() as usize;
        let value = i128::from(u64::from(units) * u64::from(price));
        self.all[usize::from(whose.place)].net[other] -= value;
        self.position_mut(whose.place, whose.symbol).0[other] -= i64::from(units);
    }

    /// Asks for what an account has of a symbol. Nothing need exist.
    #[inline]
    pub(crate) fn fetch(&self, place: u16, symbol: u16) {
        prefetch(self.all, usize::from(place));
        prefetch(self.positions, self.at(place, symbol));
    }
}

impl Engine<'_> {
    pub(crate) fn whose(&self, who: &Identity) -> Whose {
        Whose {
            place: self.sessions[usize::from(who.session())].defined,
            symbol: who.symbol(),
            side: who.side(),
        }
    }

    /// Counts an order that is live from now on.
    #[inline(never)]
    pub(crate) fn count_in(&mut self, who: &Identity, units: u32, price: u32) {
        let whose = self.whose(who);
        self.accounts.change(whose, i64::from(units), price);
        self.accounts.all[usize::from(whose.place)].live += 1;
    }

    /// Counts a live order that leaves with so many units open.
    #[inline(never)]
    pub(crate) fn count_out(&mut self, who: &Identity, units: u32, price: u32) {
        let whose = self.whose(who);
        self.accounts.change(whose, -i64::from(units), price);
        self.accounts.all[usize::from(whose.place)].live -= 1;
    }

    /// As [`Engine::count_in`], for an order that has its record.
    pub(crate) fn count_in_live(&mut self, handle: u32) {
        let order = self.slab.orders[handle as usize];
        self.count_in(&order.identity(), order.open(), self.price_of(handle));
    }

    /// As [`Engine::count_out`], for an order that still has its record.
    pub(crate) fn count_out_live(&mut self, handle: u32) {
        let order = self.slab.orders[handle as usize];
        self.count_out(&order.identity(), order.open(), self.price_of(handle));
    }

    /// Counts units that leave a live order without a trade.
    #[inline(never)]
    pub(crate) fn count_lowered(&mut self, handle: u32, units: u32) {
        let whose = self.whose(&self.slab.orders[handle as usize].identity());
        let price = self.price_of(handle);
        self.accounts.change(whose, -i64::from(units), price);
    }

    /// Counts a trade of a live order with an arriving one.
    #[inline(never)]
    pub(crate) fn count_fill(
        &mut self,
        maker: &Identity,
        taker: &Identity,
        units: u32,
        price: u32,
    ) {
        let [maker, taker] = [maker, taker].map(|who| self.whose(who));
        self.accounts.fill(maker, units, price);
        self.accounts.trade(taker, units, price);
    }

    /// Counts an auction's trade of a live order, at another price than its own.
    pub(crate) fn count_auctioned(&mut self, who: &Identity, units: u32, own: u32, price: u32) {
        let whose = self.whose(who);
        self.accounts.change(whose, -i64::from(units), own);
        self.accounts.trade(whose, units, price);
    }
}
