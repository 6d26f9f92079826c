//! Short scripts that begin with an empty book and end with one order from which much follows: what
//! chance alone seldom brings about.

use wire::ring::{
    Command, CommandKind, Condition, EXTRA_ALL_OR_NONE, EXTRA_HIDDEN, MarketState, PRICE_MARKET,
    QUANTITY_MAX, Side, TimeInForce,
};

use super::{Hostile, SWEEPER, Trait};
use crate::command::command;
use crate::naive::increments::{BANDS, BASIC, KILL, PEGS, STATES, STOPS, WHOLE};

/// One command in so many begins a storm that any day may have.
const STORM: u64 = 400;

/// One command in so many begins any storm, on a day with storms of its own.
const STORM_TRAIT: u64 = 100;

const _: () = assert!(STORM.is_multiple_of(STORM_TRAIT));

/// Puts a storm into the script.
type Storm = fn(&mut Hostile);

/// Storms, the increments that each needs, and the trait of the days that have it, if not all do.
const STORMS: [(u16, Option<Trait>, Storm); 6] = [
    (STOPS, None, Hostile::cascade),
    (WHOLE, None, Hostile::pile),
    (BASIC | STOPS | PEGS, None, Hostile::chase),
    (0, Some(Trait::Heaps), Hostile::heap),
    (KILL, Some(Trait::Purges), Hostile::purge),
    (STATES | BANDS, Some(Trait::Halts), Hostile::interruption),
];

/// Levels that a cascade runs through.
const LEVELS: i64 = 7;

/// Sessions of three accounts: who shows quotes, who waits for trades, who begins it all.
pub(super) const QUOTES: u16 = 4;
pub(super) const WAITING: u16 = 2;
pub(super) const OTHER: u16 = 1;

impl Hostile {
    /// Begins a storm, seldom, if it has all that one needs; those of the day's traits more often.
    pub(super) fn storm(&mut self) {
        if self.owed.is_some() || self.random.below(STORM_TRAIT) != 0 {
            return;
        }
        let is_usual = self.random.below(STORM / STORM_TRAIT) == 0;
        let (offered, character) = (self.offered, self.character);
        let known = STORMS.into_iter().filter(|(needs, of, _)| {
            let is_of_day = of.map_or(is_usual, |of| !is_usual && character.has(of));
            offered & needs == *needs && is_of_day
        });
        let known: Vec<_> = known.collect();
        if known.is_empty() {
            return;
        }
        let choice = self.random.below(known.len() as u64) as usize;
        known[choice].2(self);
    }

    /// Each stop that comes to life trades one level up and elects the next.
    fn cascade(&mut self) {
        let at = self.field();
        for level in 0..LEVELS {
            self.enter(at.order(QUOTES, -1, level, 2), None);
        }
        for level in 1..LEVELS {
            let stop = Command::BLANK.with_condition(Condition::Stop, at.price(level - 1) as i32);
            let mut order = at.order(WAITING, 1, level, 2);
            if self.random.below(2) == 0 {
                order.price = PRICE_MARKET;
            }
            self.enter(order, Some(stop));
        }
        let quantity = 1 + self.random.below(3) as u32;
        self.enter(at.order(OTHER, 1, 0, quantity), None);
    }

    /// All-or-none orders wait for units that come little by little.
    fn pile(&mut self) {
        let at = self.field();
        let whole = Command {
            flags: EXTRA_ALL_OR_NONE,
            ..Command::BLANK
        };
        for quantity in [9, 6, 4, 12] {
            self.enter(at.order(WAITING, 1, 2, quantity), Some(whole));
        }
        for level in [1, 2, 0, 3, 2, 1] {
            let quantity = 1 + self.random.below(4) as u32;
            self.enter(at.order(QUOTES, -1, level, quantity), None);
        }
    }

    /// A better quote moves the pegs; one of them trades with a hidden order and elects a stop,
    /// which takes the best offer away: the pegs move again.
    fn chase(&mut self) {
        let at = self.field();
        let hidden = Command {
            flags: EXTRA_HIDDEN,
            ..Command::BLANK
        };
        let peg = |condition, ticks| {
            let amount = ticks * at.tick;
            Command::BLANK.with_condition(condition, amount as i32)
        };
        for (side, level) in [(1, 0), (-1, 3), (-1, 6), (-1, 7)] {
            self.enter(at.order(QUOTES, side, level, 2), None);
        }
        self.enter(at.order(OTHER, -1, 2, 1), Some(hidden));
        let uncapped = Command {
            price: PRICE_MARKET,
            ..at.order(WAITING, 1, 0, 2)
        };
        self.enter(uncapped, Some(peg(Condition::PrimaryPeg, 1)));
        self.enter(uncapped, Some(peg(Condition::MidpointPeg, 2)));
        self.enter(
            at.order(WAITING, 1, 3, 2),
            Some(peg(Condition::MarketPeg, 3)),
        );
        let stop = Command::BLANK.with_condition(Condition::Stop, at.price(2) as i32);
        self.enter(uncapped, Some(stop));
        self.enter(at.order(QUOTES, 1, 1, 2), None);
    }

    /// Takes both sides of a book off, and says where the storm is.
    pub(super) fn field(&mut self) -> Field {
        let symbol = 1 + self.random.below(2) as u16;
        self.field_of(symbol)
    }

    pub(super) fn field_of(&mut self, symbol: u16) -> Field {
        for side in [Side::Buy, Side::Sell] {
            let sweep = Command {
                session: SWEEPER,
                symbol,
                side: side as u8,
                quantity: QUANTITY_MAX,
                price: PRICE_MARKET,
                time_in_force: TimeInForce::ImmediateOrCancel as u8,
                ..command(CommandKind::New)
            };
            self.enter(sweep, None);
        }
        Field {
            symbol,
            direction: if self.random.below(2) == 0 { 1 } else { -1 },
            middle: self.region.middle,
            tick: self.tick_of(symbol),
        }
    }

    /// Puts an order into the script, behind its `Extra`.
    pub(super) fn enter(&mut self, order: Command, extra: Option<Command>) {
        let last = &mut self.user_refs[usize::from(order.session)];
        *last += 1;
        let user_ref = *last;
        if let Some(extra) = extra {
            self.put(Command {
                kind: CommandKind::Extra as u8,
                session: order.session,
                ..extra
            });
        }
        self.put(Command { user_ref, ..order });
    }
}

/// Where a storm is, and whether it goes up or down.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) symbol: u16,
    direction: i64,
    middle: i64,
    tick: i64,
}

impl Field {
    /// The price so many levels on.
    pub(super) fn price(self, level: i64) -> i64 {
        self.middle + self.direction * level * self.tick
    }

    pub(super) fn tick(self) -> i64 {
        self.tick
    }

    /// Puts its symbol into a state.
    pub(super) fn state(self, state: MarketState) -> Command {
        Command {
            symbol: self.symbol,
            flags: state as u8,
            ..command(CommandKind::SetState)
        }
    }

    /// An order that goes along with the storm (`side` 1) or stands against it (-1).
    pub(super) fn order(self, session: u16, side: i64, level: i64, quantity: u32) -> Command {
        let side = if side == self.direction {
            Side::Buy
        } else {
            Side::Sell
        };
        Command {
            symbol: self.symbol,
            side: side as u8,
            session,
            quantity,
            price: self.price(level),
            ..command(CommandKind::New)
        }
    }
}
