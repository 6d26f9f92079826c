//! Heaps: many orders that one input takes away, elects or reprices, in more steps than one.

use wire::ring::{
    Command, CommandKind, Condition, EXTRA_ALL_OR_NONE, EXTRA_HIDDEN, MarketState, PRICE_MARKET,
    TimeInForce,
};

use super::Hostile;
use super::storms::{Field, OTHER, QUOTES, WAITING};
use crate::command::command;
use crate::naive::increments::{
    ALLOCATION, BANDS, BASIC, EXPIRY, KILL, PEGS, RISK, STATES, STOPS, WHOLE,
};

/// Orders of a heap: a few more than a step has events, or than one looks at.
const EVENTS: u32 = 66;
const LOOKS: u32 = 260;

/// How many more.
const MORE: u64 = 30;

/// A time that no script takes, in nanoseconds.
const LONG_NS: u64 = 1_000_000_000_000;

/// Piles so many orders up, and then sets them off.
type Heap = fn(&mut Hostile, Field, u32);

/// Heaps, the increments that each needs, and its least number of orders.
const HEAPS: [(u16, u32, Heap); 12] = [
    (0, EVENTS, Hostile::swept),
    (BASIC, LOOKS, Hostile::judged),
    (BASIC | PEGS, LOOKS, Hostile::looked_through),
    (EXPIRY, EVENTS, Hostile::expired),
    (KILL, EVENTS, Hostile::taken_off),
    (STATES, LOOKS / 2, Hostile::called),
    (STATES, EVENTS, Hostile::closed),
    (ALLOCATION, EVENTS, Hostile::shared),
    (STOPS, EVENTS, Hostile::elected),
    (PEGS, EVENTS, Hostile::repriced),
    (BASIC | STOPS | PEGS, LOOKS, Hostile::mixed),
    (WHOLE, LOOKS, Hostile::tried),
];

impl Hostile {
    pub(super) fn heap(&mut self) {
        let offered = self.offered;
        let known = HEAPS.iter();
        let known = known.filter(|(needs, ..)| offered & needs == *needs);
        let known: Vec<(u32, Heap)> = known.map(|(_, least, heap)| (*least, *heap)).collect();
        let (least, heap) = known[self.random.below(known.len() as u64) as usize];
        let count = least + self.random.below(MORE) as u32;
        self.calm();
        let at = self.field();
        heap(self, at, count);
    }

    /// Lets orders in again.
    fn calm(&mut self) {
        let killed = std::mem::take(&mut self.killed);
        for switch in killed {
            self.put(Command { flags: 0, ..switch });
        }
        if self.controls & RISK != 0 {
            self.loosen();
        }
        for symbol in [1, 2] {
            let calm = |kind, flags| Command {
                symbol,
                flags,
                ..command(kind)
            };
            if self.offered & STATES != 0 {
                let state = MarketState::Continuous as u8;
                self.put(calm(CommandKind::SetState, state));
            }
            if self.offered & BANDS != 0 {
                self.put(calm(CommandKind::SetBands, 0));
            }
        }
    }

    /// Takes all limits from the accounts of those who pile up.
    fn loosen(&mut self) {
        for (account, limit) in (0..=2).flat_map(|account| (1..=8).map(move |one| (account, one))) {
            self.put(Command {
                user_ref: account,
                flags: limit,
                ..command(CommandKind::SetLimit)
            });
        }
    }

    /// Orders of one unit that stand against the direction, on one level, on two, or on many.
    fn wall(&mut self, at: Field, count: u32, extra: Option<Command>) {
        let levels = [1, 2, count, count][self.random.below(4) as usize];
        self.wall_of(at, count, levels, extra);
    }

    fn wall_of(&mut self, at: Field, count: u32, levels: u32, extra: Option<Command>) {
        for number in 0..count {
            let level = i64::from(number % levels);
            self.enter(at.order(QUOTES, -1, level, 1), extra);
        }
    }

    fn swept(&mut self, at: Field, count: u32) {
        self.wall(at, count, None);
        self.enter(at.order(OTHER, 1, i64::from(count), count + 1), None);
    }

    fn judged(&mut self, at: Field, count: u32) {
        self.wall(at, count, None);
        for quantity in [count + 1, count - 1] {
            let minimum = Command {
                quantity,
                ..Command::BLANK
            };
            let order = at.order(OTHER, 1, i64::from(count), count + 2);
            self.enter(order, Some(minimum));
        }
    }

    /// The shown order that a peg refers to stands behind hidden ones.
    fn looked_through(&mut self, at: Field, count: u32) {
        let hidden = Command {
            flags: EXTRA_HIDDEN,
            ..Command::BLANK
        };
        self.wall_of(at, count, count, Some(hidden));
        self.enter(at.order(QUOTES, -1, i64::from(count), 1), None);
        let peg = Command {
            price: PRICE_MARKET,
            ..at.order(WAITING, 1, 0, 1)
        };
        let offset = i64::from(count) * at.tick();
        let extra = Command::BLANK.with_condition(Condition::MarketPeg, offset as i32);
        self.enter(peg, Some(extra));
        self.enter(at.order(QUOTES, -1, i64::from(count) - 1, 1), None);
    }

    fn expired(&mut self, at: Field, count: u32) {
        let end = Command {
            price: (self.sequencer.time_ns() + LONG_NS) as i64,
            ..Command::BLANK
        };
        self.wall(at, count, Some(end));
        let last = at.order(OTHER, 1, 0, 1);
        let kinds = [command(CommandKind::Time), last];
        let last = kinds[self.random.below(2) as usize];
        self.put_after(LONG_NS, last);
    }

    fn taken_off(&mut self, at: Field, count: u32) {
        self.wall(at, count, None);
        let session = Command {
            session: QUOTES,
            ..Command::BLANK
        };
        if self.random.below(2) == 0 {
            return self.put(Command {
                kind: CommandKind::MassCancel as u8,
                letters: [1, 0, 0, 0],
                ..session
            });
        }
        for flags in [1, 0] {
            self.put(Command {
                kind: CommandKind::Kill as u8,
                letters: [2, 0, 0, 0],
                flags,
                ..session
            });
        }
    }

    fn called(&mut self, at: Field, count: u32) {
        self.put(at.state(MarketState::OpeningAuction));
        // Few levels with many orders, or many with one.
        let levels = if self.random.below(4) == 0 {
            7
        } else {
            i64::from(count)
        };
        for number in 0..i64::from(count) {
            self.enter(at.order(QUOTES, -1, -(number % levels), 2), None);
            self.enter(at.order(OTHER, 1, number % levels, 2), None);
        }
        self.put(Command {
            symbol: at.symbol,
            ..command(CommandKind::Indicate)
        });
        self.put(at.state(MarketState::Continuous));
    }

    /// Orders at the close come to life all at once; in a book without prices they leave again.
    fn closed(&mut self, at: Field, count: u32) {
        for number in 0..i64::from(count) {
            let order = at.order(QUOTES, -1, number % 7, 1);
            let at_close = Command {
                time_in_force: TimeInForce::AtClose as u8,
                ..order
            };
            self.enter(at_close, None);
        }
        self.put(at.state(MarketState::ClosingAuction));
        self.put(at.state(MarketState::Continuous));
    }

    fn shared(&mut self, at: Field, count: u32) {
        let share = |flags| Command {
            symbol: at.symbol,
            flags,
            ..command(CommandKind::SetAllocation)
        };
        self.put(share(1));
        for _ in 0..count {
            let quantity = 1 + self.random.below(3) as u32;
            self.enter(at.order(QUOTES, -1, 0, quantity), None);
        }
        self.enter(at.order(OTHER, 1, 0, count), None);
        self.enter(at.order(OTHER, 1, 0, 3 * count), None);
        self.put(share(0));
    }

    fn elected(&mut self, at: Field, count: u32) {
        self.enter(at.order(QUOTES, -1, 0, 1 + count / 2), None);
        let stop = Command::BLANK.with_condition(Condition::Stop, at.price(0) as i32);
        for _ in 0..count {
            self.enter(at.order(WAITING, 1, 0, 1), Some(stop));
        }
        self.enter(at.order(OTHER, 1, 0, 1), None);
    }

    fn repriced(&mut self, at: Field, count: u32) {
        self.enter(at.order(QUOTES, 1, -3, 1), None);
        self.enter(at.order(QUOTES, -1, 5, 1), None);
        let uncapped = Command {
            price: PRICE_MARKET,
            ..at.order(WAITING, 1, 0, 1)
        };
        let peg = Command::BLANK.with_condition(Condition::PrimaryPeg, at.tick() as i32);
        for _ in 0..count {
            self.enter(uncapped, Some(peg));
        }
        self.enter(at.order(QUOTES, 1, -2, 1), None);
        self.enter(at.order(OTHER, -1, -2, 5), None);
    }

    /// One trade elects stops and moves pegs, whose reference stands behind hidden orders.
    fn mixed(&mut self, at: Field, count: u32) {
        let hidden = Command {
            flags: EXTRA_HIDDEN,
            ..Command::BLANK
        };
        let quantity = count / 4;
        self.enter(at.order(QUOTES, -1, 0, quantity), None);
        for level in 1..i64::from(count) {
            self.enter(at.order(QUOTES, -1, level, 1), Some(hidden));
        }
        self.enter(at.order(QUOTES, -1, i64::from(count), 1), None);
        let uncapped = Command {
            price: PRICE_MARKET,
            ..at.order(WAITING, 1, 0, 1)
        };
        let offset = i64::from(count) * at.tick();
        let peg = Command::BLANK.with_condition(Condition::MarketPeg, offset as i32);
        for _ in 0..20 + self.random.below(50) {
            self.enter(uncapped, Some(peg));
        }
        let stop = Command::BLANK.with_condition(Condition::Stop, at.price(0) as i32);
        for _ in 1..quantity.min(63) {
            self.enter(at.order(OTHER, 1, 0, 1), Some(stop));
        }
        let quantity = quantity - self.random.below(u64::from(quantity.min(63))) as u32;
        self.enter(at.order(OTHER, 1, 0, quantity), None);
    }

    fn tried(&mut self, at: Field, count: u32) {
        let whole = Command {
            flags: EXTRA_ALL_OR_NONE,
            ..Command::BLANK
        };
        for number in 0..count.min(70) {
            let order = at.order(WAITING, 1, i64::from(count), count + 5 + number % 5);
            self.enter(order, Some(whole));
        }
        self.wall(at, count, None);
        self.enter(at.order(QUOTES, -1, 0, 1), None);
        self.enter(at.order(QUOTES, -1, 0, 2 * count), None);
    }
}
