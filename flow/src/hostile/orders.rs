//! Orders, what they ask beyond the plain order, and cancels.

use wire::ring::{
    Command, CommandKind, Condition, EXTRA_ALL_OR_NONE, EXTRA_HIDDEN, EXTRA_POST_ONLY, EXTRA_SLIDE,
    EXTRA_TO_LIMIT, PRICE_MARKET, PRICE_MAX, Side, TimeInForce,
};

use super::{Hostile, Trait};
use crate::command::command;
use crate::naive::increments::{BASIC, EXPIRY, ICEBERG, PEGS, STATES, STOPS, WHOLE};

/// One order in so many may move the price that orders are around by a tick.
const DRIFT: u64 = 24;

/// How far it goes from the middle, in ticks.
const DRIFT_MAX: i64 = 4;

/// Orders of a session that cancels and replacements choose from, half of the time the last two.
const RECENT: u64 = 12;

/// Most expiries are a multiple of it.
const EXPIRY_NS: i64 = 64;

/// Sessions whose orders are meant well.
const SESSIONS_GOOD: u64 = 4;

/// Adds an attribute to an order and its `Extra`.
type Wish = fn(&mut Hostile, &mut Command, &mut Command);

/// Attributes by their increments; what stands here twice is asked twice as often.
const WISHES: [(u16, Wish); 11] = [
    (BASIC, Hostile::ask_minimum),
    (BASIC, Hostile::ask_post_only),
    (BASIC, Hostile::ask_hidden),
    (ICEBERG, Hostile::ask_iceberg),
    (ICEBERG, Hostile::ask_iceberg),
    (EXPIRY, Hostile::ask_expiry),
    (STOPS, Hostile::ask_stop),
    (STOPS, Hostile::ask_trailing_stop),
    (WHOLE, Hostile::ask_whole),
    (WHOLE, Hostile::ask_limit),
    (PEGS, Hostile::ask_peg),
];

impl Hostile {
    /// An order, or its `Extra`: then the order comes next, most of the time.
    pub(super) fn order(&mut self) -> Command {
        let mut order = if self.random.below(4) == 0 {
            self.replace()
        } else {
            self.new_order()
        };
        let has_wishes = WISHES.iter().any(|(needs, _)| self.offered & needs != 0);
        let asks = if has_wishes { 65 } else { 2 };
        if self.owed.is_some() || self.random.below(100) >= asks {
            return order;
        }
        let extra = self.extra(&mut order);
        self.owed = Some(order);
        extra
    }

    pub(super) fn new_order(&mut self) -> Command {
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
        let terms = self.terms(session, symbol, side, CommandKind::Replace);
        let keeps = self.free_refs[usize::from(session)] && self.random.below(3) == 0;
        Command {
            user_ref: if keeps { old_user_ref } else { terms.user_ref },
            old_user_ref,
            ..terms
        }
    }

    /// Price, quantity and life around the middle; a few of them are bad.
    fn terms(&mut self, session: u16, symbol: u16, side: Side, kind: CommandKind) -> Command {
        let tick = self.tick_of(symbol);
        if self.offered & (STOPS | PEGS) != 0 && self.random.below(DRIFT) == 0 {
            let step = self.random.below(3) as i64 - 1;
            self.drift = (self.drift + step).clamp(-DRIFT_MAX, DRIFT_MAX);
        }
        let away = self.away();
        let middle = self.region.middle + self.drift * tick;
        let price = match (self.random.below(60), side) {
            (0, _) => PRICE_MARKET,
            (1, _) => self.region.middle + 1,
            (2, _) => [0, -tick, 1, PRICE_MAX][self.random.below(4) as usize],
            (_, Side::Buy) => middle - away * tick,
            (_, Side::Sell) => middle + away * tick,
        };
        let quantity = match self.random.below(40) {
            0 => 0,
            1 => 2_000,
            2..6 => 100,
            _ if self.character.has(Trait::Deep) => 1 + self.random.below(4) as u32,
            _ => 1 + self.random.below(24) as u32,
        };
        let life = match self.random.below(12) {
            0 => TimeInForce::ImmediateOrCancel,
            1 if self.controls & STATES != 0 => TimeInForce::AtOpen,
            2 if self.controls & STATES != 0 => TimeInForce::AtClose,
            _ => TimeInForce::Day,
        };
        Command {
            session,
            user_ref: self.user_ref(session),
            quantity,
            price,
            time_in_force: life as u8,
            ..command(kind)
        }
    }

    /// What a session calls its next order: mostly a name that is good.
    fn user_ref(&mut self, session: u16) -> u32 {
        let at = usize::from(session);
        let last = self.user_refs[at];
        if self.free_refs[at] && self.random.below(3) == 0 {
            return self.random.below(u64::from(last) + 2) as u32;
        }
        self.user_refs[at] = last + u32::from(self.random.below(40) != 0);
        self.user_refs[at]
    }

    /// Ticks from the middle to an order, away from the other side.
    fn away(&mut self) -> i64 {
        let meets = self.random.below(12) == 0;
        if !meets && self.character.has(Trait::Deep) {
            return 1 + self.random.below(3) as i64;
        }
        if !meets && self.character.has(Trait::Quiet) {
            return 1 + self.random.below(8) as i64;
        }
        self.random.below(10) as i64 - 3
    }

    fn extra(&mut self, order: &mut Command) -> Command {
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

    /// Adds one attribute; seldom one that is none.
    fn ask(&mut self, order: &mut Command, extra: &mut Command) {
        let dear = self.wishes_dear();
        let offered = match self.offered & dear {
            of_dear if of_dear != 0 && self.random.below(4) != 0 => of_dear,
            _ => self.offered,
        };
        let offered = WISHES.iter().filter(|(needs, _)| offered & needs != 0);
        let wishes: Vec<Wish> = offered.map(|(_, wish)| *wish).collect();
        if wishes.is_empty() || self.random.below(80) == 0 {
            return self.ask_nonsense(extra);
        }
        let choice = self.random.below(wishes.len() as u64) as usize;
        wishes[choice](self, order, extra);
    }

    /// Increments whose attributes are asked most, if there are such.
    const fn wishes_dear(&self) -> u16 {
        let attached = if self.character.has(Trait::Attached) {
            STOPS | PEGS
        } else {
            0
        };
        let whole = if self.character.has(Trait::Whole) {
            WHOLE
        } else {
            0
        };
        attached | whole
    }

    fn ask_minimum(&mut self, order: &mut Command, extra: &mut Command) {
        extra.quantity = 1 + self.random.below(u64::from(order.quantity) + 1) as u32;
    }

    fn ask_post_only(&mut self, _: &mut Command, extra: &mut Command) {
        let slides = self.random.below(2) == 0;
        extra.flags |= EXTRA_POST_ONLY | if slides { EXTRA_SLIDE } else { 0 };
    }

    fn ask_hidden(&mut self, _: &mut Command, extra: &mut Command) {
        extra.flags |= EXTRA_HIDDEN;
    }

    fn ask_iceberg(&mut self, order: &mut Command, extra: &mut Command) {
        extra.old_user_ref = 1 + self.random.below(1 + u64::from(order.quantity) / 3) as u32;
    }

    fn ask_expiry(&mut self, _: &mut Command, extra: &mut Command) {
        let now_ns = self.sequencer.time_ns() as i64;
        let away_ns = self.random.below(300) as i64;
        extra.price = now_ns + away_ns;
        // Mostly at the same time as others.
        if away_ns % 4 != 0 {
            extra.price -= extra.price % EXPIRY_NS;
        }
    }

    fn ask_stop(&mut self, order: &mut Command, extra: &mut Command) {
        // Mostly where the market is not yet, so that one elects the next.
        let away = self.random.below(10) as i64 - 2;
        let beyond = if order.side == Side::Buy as u8 { 1 } else { -1 };
        let trigger = match self.random.below(40) {
            0 => -self.region.middle,
            1 => self.region.middle + 1,
            _ => self.region.middle + (self.drift + beyond * away) * self.tick_of(order.symbol),
        };
        if self.random.below(2) == 0 {
            order.price = trigger + beyond * self.tick_of(order.symbol);
        }
        self.ask_condition(Condition::Stop, trigger, order, extra);
    }

    fn ask_trailing_stop(&mut self, order: &mut Command, extra: &mut Command) {
        let distance = match self.random.below(40) {
            0 => 0,
            1 => 2 * self.region.middle,
            _ => self.tick_of(order.symbol) * (1 + self.random.below(4) as i64),
        };
        self.ask_condition(Condition::TrailingStop, distance, order, extra);
    }

    fn ask_peg(&mut self, order: &mut Command, extra: &mut Command) {
        let ticks = self.random.below(6) as i64 - 2;
        let (condition, offset) = match self.random.below(5) {
            0 | 1 => (Condition::PrimaryPeg, ticks * self.tick_of(order.symbol)),
            2 => (Condition::PrimaryPeg, ticks),
            3 => (Condition::MarketPeg, ticks + 2),
            _ => (Condition::MidpointPeg, ticks.clamp(-1, 1)),
        };
        self.ask_condition(condition, offset, order, extra);
    }

    /// Asks for a condition; half of the orders get the market price, most an end: without one they
    /// could wait for ever.
    fn ask_condition(
        &mut self,
        condition: Condition,
        amount: i64,
        order: &mut Command,
        extra: &mut Command,
    ) {
        *extra = extra.with_condition(condition, amount as i32);
        if self.random.below(2) == 0 {
            order.price = PRICE_MARKET;
        }
        self.ask_end(extra);
    }

    fn ask_whole(&mut self, order: &mut Command, extra: &mut Command) {
        extra.flags |= EXTRA_ALL_OR_NONE;
        if self.random.below(4) == 0 {
            order.quantity += 60;
        }
        let stays = order.time_in_force == TimeInForce::Day as u8 && order.price != PRICE_MARKET;
        if stays {
            self.ask_end(extra);
        }
    }

    fn ask_limit(&mut self, order: &mut Command, extra: &mut Command) {
        extra.flags |= EXTRA_TO_LIMIT;
        if self.random.below(8) != 0 {
            order.price = PRICE_MARKET;
        }
    }

    /// An expiry, most of the time, where it is offered.
    fn ask_end(&mut self, extra: &mut Command) {
        if self.offered & EXPIRY != 0 && self.random.below(8) != 0 {
            let now_ns = self.sequencer.time_ns() as i64;
            let bound = if self.character.has(Trait::Whole) {
                10_000
            } else {
                2_500
            };
            extra.price = now_ns + 50 + self.random.below(bound) as i64;
        }
    }

    /// Something that no engine knows.
    fn ask_nonsense(&mut self, extra: &mut Command) {
        match self.random.below(5) {
            0 => extra.flags |= 32 << self.random.below(3),
            1 if self.offered & EXPIRY != 0 => extra.price = -1,
            2 => extra.letters[0] = 1,
            3 => extra.letters[1] = 6,
            _ => extra.client_id[0] = 1,
        }
    }

    /// An order's other price or units, under the same name where that is allowed.
    fn amend(&mut self) -> Command {
        let session = self.session();
        let user_ref = self.recent(session);
        let (symbol, side) = match self.random.below(2) {
            0 => (1, Side::Buy),
            _ => (2, Side::Sell),
        };
        let last = self.user_refs[usize::from(session)];
        let terms = self.terms(session, symbol, side, CommandKind::Amend);
        // No name is taken for it.
        self.user_refs[usize::from(session)] = last;
        Command { user_ref, ..terms }
    }

    pub(super) fn cancel(&mut self) -> Command {
        if self.random.below(4) == 0 {
            return self.amend();
        }
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

    fn session(&mut self) -> u16 {
        1 + self.random.below(SESSIONS_GOOD) as u16
    }

    /// One of the last orders of a session.
    fn recent(&mut self, session: u16) -> u32 {
        let reach = if self.random.below(2) == 0 { 2 } else { RECENT };
        let back = self.random.below(reach) as u32;
        self.user_refs[usize::from(session)].saturating_sub(back)
    }
}
