//! Inputs that make every rule of the market happen all the time: few symbols, sessions and prices,
//! so that orders meet, icebergs refresh, orders of one account collide and expire, post-only ones
//! cross; and now and then commands that make no sense.
//!
//! The stream does not look at any answer: it is the same for every engine, and a part of it is as
//! good a stream as the whole, so that a failing one can be cut down ([`crate::reduce()`]).

use std::collections::VecDeque;

use wire::ring::{
    Command, CommandKind, EXTRA_HIDDEN, EXTRA_POST_ONLY, EXTRA_SLIDE, Input, PRICE_MARKET,
    PRICE_MAX, QUANTITY_MAX, Side, TimeInForce,
};

use crate::command::{command, letters};
use crate::random::Random;
use crate::sequencer::Sequencer;

/// The highest symbol number that an engine must have room for. The last one has a bad tick.
pub const SYMBOLS: u16 = 3;

/// The highest session number that an engine must have room for. The last one has a bad mode.
pub const SESSIONS: u16 = 6;

/// More orders than ever rest at a time.
pub const ORDERS: usize = 1_024;

/// Sessions whose orders are meant well.
const SESSIONS_GOOD: u64 = 4;

/// The time of the first input: some noon, in nanoseconds since the Unix epoch.
const START_NS: u64 = 1_700_000_000_000_000_000;

/// Ticks of the symbols; a negative one is refused where ticks are offered.
const TICKS: [i64; SYMBOLS as usize] = [0, 5, -1];

/// Price that all orders are around.
const MIDDLE: i64 = 10_000;

/// Orders of a session that cancels and replacements choose from.
const RECENT: u32 = 12;

/// One command in so many takes everything off one side of a book: books stay small, and some
/// inputs yield many events.
const SWEEP: u64 = 200;

/// The session that does so; its account is its own.
const SWEEPER: u16 = 5;

/// Endless inputs by seed.
pub struct Hostile {
    random: Random,
    sequencer: Sequencer,
    level: u8,
    opening: VecDeque<Command>,
    /// An order whose `Extra` went out already.
    owed: Option<Command>,
    /// The last user reference of each session.
    user_refs: [u32; SESSIONS as usize + 1],
}

impl Hostile {
    /// A stream that asks for attributes of the first `level` increments of `docs/matching.md`, and
    /// rarely for others. It begins with definitions and the opening of the day.
    #[must_use]
    pub fn new(seed: u64, level: u8) -> Self {
        let mut random = Random::new(seed);
        let symbols = (1..).zip(TICKS).map(|(symbol, price)| Command {
            symbol,
            price,
            client_id: letters(b'S', u32::from(symbol)),
            ..command(CommandKind::DefineSymbol)
        });
        let mut mode = |session| match session {
            SESSIONS => 9,
            SWEEPER => 0,
            _ => random.below(5) as u8,
        };
        let sessions = (1..=SESSIONS).map(|session| Command {
            session,
            user_ref: [0, 1, 1, 2, 3, 2][usize::from(session) - 1],
            letters: [mode(session), 0, 0, 0],
            ..command(CommandKind::DefineSession)
        });
        let opening = symbols
            .chain(sessions)
            .chain([command(CommandKind::OpenDay)])
            .collect();
        Self {
            random,
            sequencer: Sequencer::new(START_NS),
            level,
            opening,
            owed: None,
            user_refs: [0; SESSIONS as usize + 1],
        }
    }

    /// The end of the day, which the stream by itself never comes to.
    pub fn closing(&mut self) -> Input {
        self.sequencer.number(1, command(CommandKind::CloseDay))
    }

    fn next_command(&mut self) -> Command {
        if let Some(command) = self.opening.pop_front() {
            return command;
        }
        if self.random.below(10) != 0
            && let Some(order) = self.owed.take()
        {
            return order;
        }
        if self.random.below(SWEEP) == 0 {
            return self.sweep();
        }
        match self.random.below(100) {
            0..60 => self.order(),
            60..90 => self.cancel(),
            90..97 => command(CommandKind::Time),
            _ => self.nonsense(),
        }
    }

    /// An order, or its `Extra`: then the order comes next, most of the time.
    fn order(&mut self) -> Command {
        let order = if self.random.below(4) == 0 {
            self.replace()
        } else {
            self.new_order()
        };
        let asks = if self.level == 0 { 2 } else { 65 };
        if self.owed.is_some() || self.random.below(100) >= asks {
            return order;
        }
        self.owed = Some(order);
        self.extra(&order)
    }

    fn new_order(&mut self) -> Command {
        let side = if self.random.below(2) == 0 {
            Side::Buy
        } else {
            Side::Sell
        };
        let session = self.session();
        let symbol = 1 + (self.random.below(20) / 12) as u16;
        Command {
            symbol,
            side: side as u8,
            ..self.terms(session, symbol, side, CommandKind::New)
        }
    }

    fn replace(&mut self) -> Command {
        let session = self.session();
        let old_user_ref = self.recent(session);
        let (symbol, side) = (1 + self.random.below(2) as u16, Side::Buy);
        Command {
            old_user_ref,
            ..self.terms(session, symbol, side, CommandKind::Replace)
        }
    }

    /// Price, quantity and life around the middle; a few of them are bad.
    fn terms(&mut self, session: u16, symbol: u16, side: Side, kind: CommandKind) -> Command {
        let tick = TICKS[usize::from(symbol) - 1].max(1);
        let away = self.random.below(10) as i64 - 3;
        let price = match (self.random.below(60), side) {
            (0, _) => PRICE_MARKET,
            (1, _) => MIDDLE + 1,
            (2, _) => [0, -tick, 1, PRICE_MAX][self.random.below(4) as usize],
            (_, Side::Buy) => MIDDLE - away * tick,
            (_, Side::Sell) => MIDDLE + away * tick,
        };
        let quantity = match self.random.below(40) {
            0 => 0,
            1 => 2_000,
            2..6 => 100,
            _ => 1 + self.random.below(24) as u32,
        };
        let life = match self.random.below(12) {
            0 => TimeInForce::ImmediateOrCancel,
            _ => TimeInForce::Day,
        };
        let last = &mut self.user_refs[usize::from(session)];
        *last += u32::from(self.random.below(40) != 0);
        Command {
            session,
            user_ref: *last,
            quantity,
            price,
            time_in_force: life as u8,
            ..command(kind)
        }
    }

    fn extra(&mut self, order: &Command) -> Command {
        let mut extra = Command {
            session: order.session,
            user_ref: order.user_ref,
            ..command(CommandKind::Extra)
        };
        self.ask(order, &mut extra);
        if self.random.below(4) == 0 {
            self.ask(order, &mut extra);
        }
        extra
    }

    /// Adds one attribute.
    fn ask(&mut self, order: &Command, extra: &mut Command) {
        let offered = [3, 5, 6, 6][usize::from(self.level.clamp(1, 4)) - 1];
        let any = self.random.below(50) == 0;
        let choice = self.random.below(if any { 8 } else { offered });
        let quantity = u64::from(order.quantity);
        match choice {
            0 => extra.quantity = 1 + self.random.below(quantity + 1) as u32,
            1 if self.random.below(2) == 0 => extra.flags |= EXTRA_POST_ONLY | EXTRA_SLIDE,
            1 => extra.flags |= EXTRA_POST_ONLY,
            2 => extra.flags |= EXTRA_HIDDEN,
            3 | 4 => extra.old_user_ref = 1 + self.random.below(1 + quantity / 3) as u32,
            5 => {
                let now_ns = self.sequencer.time_ns() as i64;
                extra.price = now_ns + self.random.below(300) as i64;
            }
            6 => extra.flags |= self.random.next() as u8,
            _ if self.random.below(2) == 0 => extra.price = -1,
            _ => {
                extra.letters[0] = self.random.below(2) as u8;
                extra.client_id[0] = 1 - extra.letters[0];
            }
        }
    }

    fn sweep(&mut self) -> Command {
        let any = self.random.next();
        let last = &mut self.user_refs[usize::from(SWEEPER)];
        *last += 1;
        Command {
            session: SWEEPER,
            user_ref: *last,
            symbol: 1 + (any & 1) as u16,
            side: (any >> 1 & 1) as u8,
            quantity: QUANTITY_MAX,
            price: PRICE_MARKET,
            ..command(CommandKind::New)
        }
    }

    fn cancel(&mut self) -> Command {
        let session = self.session();
        let quantity = match self.random.below(3) {
            0 => 0,
            _ => self.random.below(40) as u32,
        };
        Command {
            session,
            user_ref: self.recent(session),
            quantity,
            ..command(CommandKind::Cancel)
        }
    }

    /// A command that is refused, or means nothing.
    fn nonsense(&mut self) -> Command {
        let any = self.random.next() as u8;
        let order = self.new_order();
        match self.random.below(8) {
            0 => command(CommandKind::OpenDay),
            1 => Command {
                symbol: u16::from(any % 4),
                ..command(CommandKind::DefineSymbol)
            },
            2 => Command {
                session: u16::from(any % 7),
                ..command(CommandKind::DefineSession)
            },
            3 => Command { side: any, ..order },
            4 => Command {
                time_in_force: any,
                ..order
            },
            5 => Command {
                symbol: u16::from(any % 5),
                ..order
            },
            6 => Command {
                session: [0, SESSIONS, SESSIONS + 1][usize::from(any % 3)],
                ..order
            },
            _ => Command {
                kind: any.max(64),
                ..order
            },
        }
    }

    fn session(&mut self) -> u16 {
        1 + self.random.below(SESSIONS_GOOD) as u16
    }

    /// One of the last orders of a session.
    fn recent(&mut self, session: u16) -> u32 {
        let back = self.random.below(u64::from(RECENT)) as u32;
        self.user_refs[usize::from(session)].saturating_sub(back)
    }
}

impl Iterator for Hostile {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        let command = self.next_command();
        let gap_ns = match self.random.below(64) {
            0 => 100 + self.random.below(200),
            _ => self.random.below(6),
        };
        Some(self.sequencer.number(gap_ns, command))
    }
}
