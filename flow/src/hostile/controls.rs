//! What those who run a market send: states, bands, ways to share out, limits, kill switches, mass
//! cancels. Bands are narrow, limits small, timers short and switches lifted soon, so that orders
//! are stopped and let through in turns.

use wire::ring::{Command, CommandKind, MarketState, PRICE_MARKET, PRICE_MAX};

use super::{Character, DEFINED, Hostile, SYMBOLS, Trait};
use crate::command::command;
use crate::naive::increments::{ALLOCATION, BANDS, KILL, RISK, STATES};
use crate::random::Random;

/// Accounts of the sessions, and one that no session has.
const ACCOUNTS: u64 = 5;

/// Limits that a day with kept accounts begins with.
const LIMITS_FIRST: usize = 8;

/// Makes a command.
type Control = fn(&mut Hostile) -> Command;

/// Commands by their increments; what stands here twice is sent twice as often.
const CONTROLS: [(u16, Control); 9] = [
    (STATES, Hostile::state),
    (STATES, Hostile::state),
    (STATES, Hostile::indicate),
    (BANDS, Hostile::bands),
    (ALLOCATION, Hostile::allocation),
    (RISK, Hostile::limit),
    (RISK, Hostile::limit),
    (KILL, Hostile::kill),
    (KILL, Hostile::mass_cancel),
];

/// The increments whose commands a stream uses: of several that are offered some, so that they do
/// not always stop each other's orders; those that the day's character is about in any case.
pub(super) fn used(offered: u16, character: Character, random: &mut Random) -> u16 {
    let all = CONTROLS.iter().fold(0, |all, (needs, _)| all | needs) & offered;
    let some = all & (random.next() as u16 | character.needs());
    match some {
        0 => all,
        // Without states nobody would end what a band begins.
        _ if some & BANDS != 0 => some | all & STATES,
        _ => some,
    }
}

impl Hostile {
    /// A command of one of the increments that are offered, if one of them has any.
    pub(super) fn control(&mut self) -> Option<Command> {
        let used = self.controls;
        let used = CONTROLS.iter().filter(|(needs, _)| used & needs != 0);
        let controls: Vec<Control> = used.map(|(_, control)| *control).collect();
        if controls.is_empty() {
            return None;
        }
        let choice = self.random.below(controls.len() as u64) as usize;
        Some(controls[choice](self))
    }

    /// What comes between the definitions and the day: limits, in most streams, and bands.
    pub(super) fn controls_first(&mut self) -> Vec<Command> {
        let has_limits = self.controls & RISK != 0 && self.random.below(8) != 0;
        let count = match has_limits {
            true if self.character.has(Trait::Tight) => 3 * LIMITS_FIRST,
            true => LIMITS_FIRST,
            false => 0,
        };
        let limits = (0..count).map(|_| self.limit());
        let mut first: Vec<Command> = limits.collect();
        if self.controls & BANDS != 0 && self.character.has(Trait::Narrow) {
            let bands = [1, 2].map(|symbol| Command {
                symbol,
                ..self.bands()
            });
            first.extend(bands);
        }
        first
    }

    /// Back to trades most of the time, seldom to the end.
    fn state(&mut self) -> Command {
        use MarketState::{
            Closed, ClosingAuction, Continuous, Halt, LimitState, OpeningAuction, PreOpen,
            Reopening, VolatilityAuction,
        };
        let state = match self.random.below(200) {
            0 => Closed,
            1..4 => LimitState,
            4..10 => Halt,
            10..20 => PreOpen,
            20..40 => OpeningAuction,
            40..55 => VolatilityAuction,
            55..65 => Reopening,
            65..100 => ClosingAuction,
            _ => Continuous,
        };
        let near = self.region.middle + 5 * self.random.below(9) as i64 - 20;
        let bad = [-5, 1, PRICE_MAX, PRICE_MARKET][self.random.below(4) as usize];
        Command {
            symbol: self.symbol(),
            flags: if self.random.below(100) == 0 {
                10
            } else {
                state as u8
            },
            price: match self.random.below(40) {
                0 => bad,
                1..20 => near,
                _ => 0,
            },
            ..command(CommandKind::SetState)
        }
    }

    fn indicate(&mut self) -> Command {
        Command {
            symbol: self.symbol(),
            ..command(CommandKind::Indicate)
        }
    }

    pub(super) fn bands(&mut self) -> Command {
        if self.character.has(Trait::Narrow) && !self.rarely() {
            return self.bands_narrow();
        }
        let width = |hostile: &mut Self, bound| match hostile.random.below(20) {
            0 => 10_000 + hostile.random.below(2) as u32,
            1..7 => 0,
            _ => 2 + hostile.random.below(bound) as u32,
        };
        let [of_static, of_dynamic] = [width(self, 20), width(self, 12)];
        let long = [-1, 1 << 32, i64::MAX][self.random.below(3) as usize];
        Command {
            symbol: self.symbol(),
            quantity: of_static,
            old_user_ref: of_dynamic,
            user_ref: self
                .random
                .below(if self.has_short_timers() { 2 } else { 4 }) as u32,
            price: match self.random.below(20) {
                0 => long,
                _ if self.has_short_timers() => 1,
                1..8 if self.controls & STATES != 0 => 0,
                _ => 1 + self.random.below(2) as i64,
            },
            ..command(CommandKind::SetBands)
        }
    }

    const fn has_short_timers(&self) -> bool {
        self.character.has(Trait::Governed)
    }

    /// Dynamic bands of a few ticks that begin a limit state; seldom a static one.
    fn bands_narrow(&mut self) -> Command {
        let symbol = 1 + self.random.below(2) as u16;
        let ticks = 1 + self.random.below(4) as i64;
        let width = self.width_of(ticks * self.tick_of(symbol));
        Command {
            symbol,
            quantity: if self.rarely() { 2 * width } else { 0 },
            old_user_ref: width,
            user_ref: 1 + self.random.below(2) as u32,
            price: 1 + self.random.below(2) as i64,
            ..command(CommandKind::SetBands)
        }
    }

    /// The least width of a band that reaches so far from the middle.
    pub(super) fn width_of(&self, distance: i64) -> u32 {
        let width = (distance * 10_000 + self.region.middle - 1) / self.region.middle;
        width.min(10_000) as u32
    }

    fn allocation(&mut self) -> Command {
        let code = self.below_or(3, 5) as u8;
        let split = [0, 10, 40, 100, 101][self.random.below(5) as usize];
        Command {
            symbol: self.symbol(),
            flags: code,
            quantity: if code == 2 || self.rarely() { split } else { 0 },
            ..command(CommandKind::SetAllocation)
        }
    }

    fn limit(&mut self) -> Command {
        let number = self.below_or(10, 12) as u8;
        let up_to = |hostile: &mut Self, bound| 1 + hostile.random.below(bound) as i64;
        let tight = self.character.has(Trait::Tight);
        let value = match number {
            1 if tight => 16 + up_to(self, 10),
            2 if tight => self.region.middle * (16 + up_to(self, 10)),
            4 if tight => up_to(self, 6),
            5 if tight => 10 + up_to(self, 60),
            6 if tight => self.region.middle * (50 + up_to(self, 2_000)),
            7 if tight => self.region.middle * (20 + up_to(self, 200)),
            1 => up_to(self, 100),
            2 => self.region.middle * up_to(self, 100),
            3 => up_to(self, 8),
            4 => 2 + up_to(self, 30),
            5 => 20 + up_to(self, 400),
            6 => (self.region.middle * 100) << self.random.below(14),
            7 => (self.region.middle * 20) << self.random.below(8),
            8 => up_to(self, 40) * 5_000_000,
            _ => i64::from(self.random.below(6) == 0),
        };
        let price = match self.random.below(20) {
            0 => [-1, 2, 3_000_000_000, i64::MAX][self.random.below(4) as usize],
            1..7 => value,
            7..16 if tight => value,
            _ if number == 9 => value,
            _ => 0,
        };
        Command {
            user_ref: self.account(),
            symbol: self.symbol(),
            flags: number,
            quantity: self.random.below(4) as u32,
            price,
            ..command(CommandKind::SetLimit)
        }
    }

    /// Sets a switch, or lifts one that was set.
    pub(super) fn kill(&mut self) -> Command {
        if !self.killed.is_empty() && self.random.below(4) != 0 {
            let choice = self.random.below(self.killed.len() as u64) as usize;
            let set = self.killed.swap_remove(choice);
            return Command { flags: 0, ..set };
        }
        let scope = match self.random.below(12) {
            0 => 0,
            1..4 => 1,
            4..8 => 2,
            8..11 => 3,
            _ => self.random.below(6) as u8,
        };
        let kill = Command {
            user_ref: self.account(),
            session: self.session_any(),
            symbol: self.symbol(),
            letters: [scope, 0, 0, 0],
            flags: if self.rarely() { 2 } else { 1 },
            ..command(CommandKind::Kill)
        };
        self.killed.push(kill);
        kill
    }

    /// Few filters fit much, many fit little; none fits all.
    pub(super) fn mass_cancel(&mut self) -> Command {
        let bits = [self.random.next(), self.random.next(), self.random.next()];
        let filters = match self.random.below(20) {
            0 => bits[0] as u8,
            1 => 0,
            2..8 => (bits[0] & bits[1] & 31) as u8,
            _ => 1 << (bits[2] % 5),
        };
        let low = self.region.middle - 8 + self.random.below(12) as i64;
        Command {
            session: self.session_any(),
            user_ref: self.account(),
            side: self.below_or(2, 3) as u8,
            symbol: self.symbol(),
            old_user_ref: if self.rarely() { 0 } else { low as u32 },
            price: match self.random.below(20) {
                0 => [PRICE_MAX, i64::MAX, i64::MIN][self.random.below(3) as usize],
                _ => low + self.random.below(4) as i64 - 1,
            },
            letters: [filters, 0, 0, 0],
            ..command(CommandKind::MassCancel)
        }
    }

    fn rarely(&mut self) -> bool {
        self.random.below(10) == 0
    }

    /// Below a bound, rarely below a greater one.
    fn below_or(&mut self, bound: u64, bound_rare: u64) -> u64 {
        let bound = if self.rarely() { bound_rare } else { bound };
        self.random.below(bound)
    }

    fn account(&mut self) -> u32 {
        self.random.below(ACCOUNTS) as u32
    }

    /// A symbol, rarely one that is none.
    fn symbol(&mut self) -> u16 {
        match self.rarely() {
            true => [0, SYMBOLS, SYMBOLS + 1][self.random.below(3) as usize],
            false => 1 + self.random.below(2) as u16,
        }
    }

    /// A session, also one that is none.
    fn session_any(&mut self) -> u16 {
        self.random.below(u64::from(DEFINED) + 2) as u16
    }
}
