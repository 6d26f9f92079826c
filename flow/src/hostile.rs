//! Inputs that make every rule of the market happen all the time: few symbols, sessions and prices,
//! so that orders meet, icebergs refresh, orders of one account collide and expire, post-only ones
//! cross; and now and then commands that make no sense. Days are of different [`Character`]: what
//! is rare in one is frequent in another, and [`Coverage`] counts it.
//!
//! The stream does not look at any answer: it is the same for every engine, and a part of it is as
//! good a stream as the whole, so that a failing one can be cut down ([`crate::reduce()`]).

use std::collections::VecDeque;

use wire::ring::{Command, CommandKind, Input, PRICE_MAX};

use crate::command::{command, letters};
use crate::naive::increments::{BANDS, BUST, MANDATES};
use crate::random::Random;
use crate::sequencer::Sequencer;
use busts::Busts;
use mandates::Mandates;

mod busts;
mod character;
mod controls;
mod coverage;
mod halts;
mod heaps;
mod mandates;
mod market;
mod orders;
mod storms;
mod watcher;

pub use character::{Character, Tables, Trait};
pub use coverage::Coverage;
pub use watcher::Watcher;

/// The highest symbol number that an engine must have room for. The last one has a bad tick.
pub const SYMBOLS: u16 = 3;

/// The highest session number that an engine must have room for.
pub const SESSIONS: u16 = 28;

/// The highest one that is defined; it has a bad mode, so that it stays free. From it on users have
/// other accounts.
const DEFINED: u16 = 6;

/// More orders than ever rest at a time.
pub const ORDERS: usize = 1_024;

/// The time of the first input: some noon, in nanoseconds since the Unix epoch.
const START_NS: u64 = 1_700_000_000_000_000_000;

/// Where prices are.
#[derive(Clone, Copy)]
struct Region {
    /// The price that all orders are around.
    middle: i64,
    /// Tick of the second symbol.
    tick: i64,
}

/// The usual one.
const MIDDLE: Region = Region {
    middle: 10_000,
    tick: 5,
};

/// Those of the last of so many seeds: at the least prices, at the greatest ones, and where whole
/// cents and other prices begin to count anew in tables of powers of two.
const REGIONS_RARE: [Region; 4] = [
    Region {
        middle: 40,
        tick: 5,
    },
    Region {
        middle: PRICE_MAX - 49,
        tick: 5,
    },
    Region {
        middle: 998_400,
        tick: 100,
    },
    Region {
        middle: 12_800,
        tick: 5,
    },
];
const REGION_SEEDS: u64 = 16;

/// Orders that come before the day opens.
const EARLY: usize = 2;

/// The session that takes everything off one side of a book; its account is its own, if not all
/// are of one.
const SWEEPER: u16 = 5;

/// Endless inputs by seed.
pub struct Hostile {
    random: Random,
    sequencer: Sequencer,
    /// Bits of `naive::increments`.
    offered: u16,
    character: Character,
    /// What goes out first: definitions, or a storm; and the gap ahead of it, if it matters.
    script: VecDeque<(Option<u64>, Command)>,
    /// The gap ahead of the present command, if the script says.
    gap_ns: Option<u64>,
    /// Bits of those whose commands are used.
    controls: u16,
    /// An order whose `Extra` went out already.
    owed: Option<Command>,
    /// The last user reference of each session.
    user_refs: [u32; DEFINED as usize + 1],
    /// Whose references are free, by session.
    free_refs: [bool; DEFINED as usize + 1],
    /// Kill switches that were set and not lifted yet.
    killed: Vec<Command>,
    region: Region,
    /// How far the price that orders are around is away from its middle, in ticks.
    drift: i64,
    busts: Busts,
    mandates: Mandates,
}

impl Hostile {
    /// A stream that asks for a set of [`increments`](crate::naive::increments), and rarely for
    /// what no engine knows. It begins with definitions and the opening of the day.
    #[must_use]
    pub fn new(seed: u64, offered: u16) -> Self {
        let mut random = Random::new(seed);
        let region = region_of(seed);
        let character = Character::of(seed);
        let accounts = match character.has(Trait::OneAccount) {
            true => [1; DEFINED as usize],
            false => [0, 1, 1, 2, 3, 2],
        };
        // A negative tick is refused where ticks are offered.
        let symbols = (1..)
            .zip([0, region.tick, -1])
            .map(|(symbol, price)| Command {
                symbol,
                price,
                client_id: letters(b'S', u32::from(symbol)),
                ..command(CommandKind::DefineSymbol)
            });
        let mut mode = |session| match session {
            DEFINED => 9,
            SWEEPER => 0,
            _ => random.below(5) as u8,
        };
        let modes: Vec<u8> = (1..=DEFINED).map(&mut mode).collect();
        let free_refs = std::array::from_fn(|session| {
            (1..usize::from(SWEEPER)).contains(&session) && random.below(3) == 0
        });
        let sessions = (1..=DEFINED).zip(modes).map(|(session, mode)| Command {
            session,
            user_ref: accounts[usize::from(session) - 1],
            letters: [mode, u8::from(free_refs[usize::from(session)]), 0, 0],
            ..command(CommandKind::DefineSession)
        });
        let script = symbols.chain(sessions);
        let script = script.map(|command| (None, command)).collect();
        let controls = controls::used(offered, character, &mut random);
        let mut hostile = Self {
            random,
            sequencer: Sequencer::new(START_NS),
            offered,
            character,
            script,
            gap_ns: None,
            controls,
            owed: None,
            user_refs: [0; DEFINED as usize + 1],
            free_refs,
            killed: Vec::new(),
            region,
            drift: 0,
            busts: Busts::new(seed, offered & BUST != 0, region.middle),
            mandates: Mandates::new(seed, offered & MANDATES != 0, region.middle, region.tick),
        };
        let first = hostile.controls_first();
        first.into_iter().for_each(|control| hostile.put(control));
        for _ in 0..EARLY {
            let order = hostile.order();
            hostile.put(order);
        }
        hostile.put(command(CommandKind::OpenDay));
        hostile
    }

    /// Adds a command to the script.
    fn put(&mut self, command: Command) {
        self.script.push_back((None, command));
    }

    /// As [`Hostile::put`], so long after the command before.
    fn put_after(&mut self, gap_ns: u64, command: Command) {
        self.script.push_back((Some(gap_ns), command));
    }

    /// The tick of a symbol, which is a guess where none is named or it is refused.
    fn tick_of(&self, symbol: u16) -> i64 {
        if symbol == 2 { self.region.tick } else { 1 }
    }

    /// The end of the day, which the stream by itself never comes to.
    pub fn closing(&mut self) -> Input {
        self.sequencer.number(1, command(CommandKind::CloseDay))
    }

    /// As long as timers of bands are, seldom as long as a reference of bands lives.
    fn pause_ns(&mut self) -> u64 {
        match self.random.below(30) {
            0 => 29_999_999_990 + self.random.below(20),
            _ => self.random.below(2_500_000),
        }
    }

    fn next_command(&mut self) -> Command {
        if self.script.is_empty() {
            self.storm();
        }
        if let Some((gap_ns, command)) = self.script.pop_front() {
            self.gap_ns = gap_ns;
            return command;
        }
        if self.random.below(10) != 0
            && let Some(order) = self.owed.take()
        {
            return order;
        }
        if self.random.below(self.character.sweep_in()) == 0 {
            return self.sweep();
        }
        if self.random.below(self.character.control_in()) == 0
            && let Some(control) = self.control()
        {
            return control;
        }
        let (orders, cancels) = self.character.shares();
        match self.random.below(100) {
            share if share < orders => self.order(),
            share if share < cancels => self.cancel(),
            0..97 => command(CommandKind::Time),
            _ => self.nonsense(),
        }
    }
}

impl Iterator for Hostile {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        if self.script.is_empty()
            && let Some(bust) = self.busts.next()
        {
            return Some(self.sequencer.number(0, bust));
        }
        if self.script.is_empty()
            && let Some(mandate) = self.mandates.next(&mut self.user_refs)
        {
            return Some(self.sequencer.number(0, mandate));
        }
        let command = self.next_command();
        let pauses = self.character.pauses();
        let gap_ns = match self.random.below(64) {
            0 => 100 + self.random.below(200),
            gap if gap <= pauses && self.controls & BANDS != 0 => self.pause_ns(),
            _ => self.random.below(6),
        };
        let gap_ns = self.gap_ns.take().unwrap_or(gap_ns);
        Some(self.sequencer.number(gap_ns, command))
    }
}

/// Where the prices of a stream are.
fn region_of(seed: u64) -> Region {
    let rare = (seed % REGION_SEEDS).checked_sub(REGION_SEEDS - REGIONS_RARE.len() as u64);
    let rare = rare.and_then(|at| REGIONS_RARE.get(at as usize));
    rare.copied().unwrap_or(MIDDLE)
}
