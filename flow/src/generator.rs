//! Order flow by seed: an endless stream of commands shaped like published exchange flow.
//!
//! First the books are filled to [`Shape::standing`] orders; from then on the commands have the
//! shares of [`Shape::mix`], by default the published ones ([`Mix::PUBLISHED`]). New orders and
//! cancels yield to each other a little where the number of live orders is away from its target.
//!
//! The generator keeps its own idea of what is live. Told of the engine's answers by
//! [`Generator::on_event`] that idea is right; not told, it cancels and replaces orders that are
//! gone already, as members do. It never waits for an answer.
//!
//! Each symbol has a middle price that wanders within [`WANDER_TICKS`]. Passive orders stay on
//! their side of it, so that they meet resting orders only after it moved; the more orders stand,
//! the slower it moves, so that the flow has time to trade through them.

use wire::ring::{
    Command, CommandKind, Event, EventKind, PRICE_MARKET, PRICE_MAX, QUANTITY_MAX, Reason, Side,
    TimeInForce,
};

use crate::command::{command, letters, request};
use crate::live::{Live, LiveOrders};
use crate::middle::Middle;
pub use crate::middle::WANDER_TICKS;
use crate::random::Random;
use crate::shape::MIX_WHOLE;
use crate::shape::{self, BUY_DISTANCE, PRICE_CHANGE, SELL_DISTANCE, SIZE, SIZE_AGGRESSOR, TICK};
pub use crate::shape::{Mix, Shape, ShapeError};

/// Ticks beyond the middle that an aggressor reaches at most.
const REACH_TICKS: u64 = 4;

/// Weight of the first symbol; the k-th has a k-th of it.
const WEIGHT_FIRST: u64 = 1_000_000_000;

/// A command and how long after the one before it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// Time since the command before, on an open-loop schedule.
    pub gap_ns: u64,
    /// The command.
    pub command: Command,
}

/// Makes order flow.
pub struct Generator {
    shape: Shape,
    random: Random,
    live: LiveOrders,
    /// Sum of the symbols' weights up to each of them.
    weights: Vec<u64>,
    middles: Vec<Middle>,
    user_refs: Vec<u32>,
    burst: Burst,
    filled: bool,
}

/// Commands of a burst that are left, and the mean time between them.
#[derive(Clone, Copy, Default)]
struct Burst {
    left: u64,
}

impl Generator {
    /// A generator at its beginning, or the field of the shape that is wrong.
    pub fn new(shape: &Shape) -> Result<Self, ShapeError> {
        shape.check()?;
        let mut total = 0;
        let weights: Vec<u64> = (1..=u64::from(shape.symbols))
            .map(|place| {
                total += WEIGHT_FIRST / place;
                total
            })
            .collect();
        let standing = |place: u64| u64::from(shape.standing) * (WEIGHT_FIRST / place) / total;
        let middles =
            (1..=u64::from(shape.symbols)).map(|place| Middle::new(place, standing(place)));
        Ok(Self {
            shape: *shape,
            random: Random::new(shape.seed),
            live: LiveOrders::new(shape.sessions, shape.standing),
            middles: middles.collect(),
            weights,
            user_refs: vec![0; usize::from(shape.sessions)],
            burst: Burst::default(),
            filled: false,
        })
    }

    /// What an engine must be told first: symbols, sessions, and that the day is open.
    pub fn opening(&self) -> impl Iterator<Item = Command> + use<> {
        let symbols = (1..=self.shape.symbols).map(|symbol| Command {
            symbol,
            client_id: letters(b'S', u32::from(symbol)),
            ..command(CommandKind::DefineSymbol)
        });
        let sessions = (1..=self.shape.sessions).map(|session| Command {
            session,
            user_ref: u32::from(session),
            client_id: *b"FLOW          ",
            ..command(CommandKind::DefineSession)
        });
        symbols
            .chain(sessions)
            .chain([command(CommandKind::OpenDay)])
    }

    /// Whether the books have been filled: from now on the stream has its steady mix.
    #[must_use]
    pub fn is_filled(&self) -> bool {
        self.filled
    }

    /// How many orders the generator thinks are live.
    #[must_use]
    pub fn live_orders(&self) -> usize {
        self.live.len()
    }

    /// Makes the next command.
    pub fn next_item(&mut self) -> Item {
        let gap_ns = self.gap_ns();
        let command = self.next_command();
        Item { gap_ns, command }
    }

    /// Hears what the engine answered; events of sessions that are not its own must be left out.
    pub fn on_event(&mut self, event: &Event) {
        let (session, user_ref) = (event.session, event.user_ref);
        match EventKind::from_byte(event.kind) {
            Some(EventKind::Executed) => {
                self.live
                    .trade(session, user_ref, event.quantity, event.leaves);
            }
            Some(EventKind::Replaced) => self.live.set_leaves(session, user_ref, event.leaves),
            Some(EventKind::Canceled) => {
                self.live.remove(session, user_ref);
            }
            Some(EventKind::Rejected) if event.reason != Reason::DuplicateUserRef as u8 => {
                self.live.remove(session, user_ref);
            }
            _ => {}
        }
    }

    fn next_command(&mut self) -> Command {
        let (live, standing) = (self.live.len() as u64, u64::from(self.shape.standing));
        if !self.filled {
            self.filled = live + 1 >= standing;
            return self.passive();
        }
        let at = self.random.below(u64::from(MIX_WHOLE));
        let mix = self.shape.mix;
        let (new, cancel) = (u64::from(mix.new), u64::from(mix.new + mix.cancel));
        if at < u64::from(mix.aggressor) {
            return self.aggressor();
        }
        // One new order in ten too many or too few becomes a cancel, and the other way round.
        let tilt = self.random.chance(6_554);
        let kind = match at {
            _ if at < new && tilt && live > standing => CommandKind::Cancel,
            _ if at < new => CommandKind::New,
            _ if at < cancel && tilt && live < standing => CommandKind::New,
            _ if at < cancel => CommandKind::Cancel,
            _ if at < u64::from(MIX_WHOLE - mix.reduce) => CommandKind::Replace,
            _ => CommandKind::Time,
        };
        let made = match kind {
            CommandKind::Cancel => self.cancel(),
            CommandKind::Replace => self.replace(),
            CommandKind::Time => self.reduce(),
            _ => None,
        };
        match made {
            Some(command) => command,
            None => self.passive(),
        }
    }

    /// A day order on its own side of the middle.
    fn passive(&mut self) -> Command {
        let symbol = self.symbol();
        let middle = self.middle(symbol);
        let side = self.side();
        let price = match side {
            Side::Buy => {
                let distance = i64::from(shape::draw(BUY_DISTANCE, &mut self.random));
                (middle - distance * TICK).max(TICK)
            }
            Side::Sell => {
                let distance = i64::from(shape::draw(SELL_DISTANCE, &mut self.random));
                (middle + distance * TICK).min(PRICE_MAX / TICK * TICK)
            }
        };
        let quantity = shape::draw(SIZE, &mut self.random);
        self.enter(symbol, side, price, quantity, TimeInForce::Day)
    }

    /// An order that reaches over the middle: one in four is a day order, the rest is
    /// immediate-or-cancel, some of them at any price.
    fn aggressor(&mut self) -> Command {
        let symbol = self.symbol();
        let middle = self.middle(symbol);
        let side = self.side();
        let reach = (1 + self.random.below(REACH_TICKS)) as i64 * TICK;
        let price = match side {
            Side::Buy => middle + reach,
            Side::Sell => middle - reach,
        };
        let quantity = shape::draw(SIZE_AGGRESSOR, &mut self.random);
        match self.random.below(16) {
            0..4 => self.enter(symbol, side, price, quantity, TimeInForce::Day),
            4 => self.enter(
                symbol,
                side,
                PRICE_MARKET,
                quantity,
                TimeInForce::ImmediateOrCancel,
            ),
            _ => self.enter(
                symbol,
                side,
                price,
                quantity,
                TimeInForce::ImmediateOrCancel,
            ),
        }
    }

    fn enter(
        &mut self,
        symbol: u16,
        side: Side,
        price: i64,
        quantity: u32,
        life: TimeInForce,
    ) -> Command {
        let session = 1 + self.random.below(u64::from(self.shape.sessions)) as u16;
        let user_ref = self.user_ref(session);
        let order = Live {
            session,
            symbol,
            user_ref,
            side,
            price,
            total: quantity,
            executed: 0,
        };
        if life == TimeInForce::Day {
            self.live.insert(order);
        }
        request(&order, life)
    }

    fn cancel(&mut self) -> Option<Command> {
        let order = self.live.choose(&mut self.random)?;
        self.live.remove(order.session, order.user_ref);
        Some(Command {
            session: order.session,
            user_ref: order.user_ref,
            ..command(CommandKind::Cancel)
        })
    }

    fn reduce(&mut self) -> Option<Command> {
        let order = self.live.choose(&mut self.random)?;
        let open = order.total.saturating_sub(order.executed);
        if open < 2 {
            return None;
        }
        let total = order.executed + 1 + self.random.below(u64::from(open) - 1) as u32;
        self.live.set_total(order.session, order.user_ref, total);
        Some(Command {
            session: order.session,
            user_ref: order.user_ref,
            quantity: total,
            ..command(CommandKind::Cancel)
        })
    }

    /// Moves an order by a few ticks; 12 in 1,000 change their size too.
    fn replace(&mut self) -> Option<Command> {
        let old = self.live.choose(&mut self.random)?;
        self.live.remove(old.session, old.user_ref);
        let middle = self.middle(old.symbol);
        let change = i64::from(shape::draw(PRICE_CHANGE, &mut self.random)) * TICK;
        let change = if self.random.chance(32_768) {
            change
        } else {
            -change
        };
        let price = match old.side {
            Side::Buy => (old.price + change).min(middle - TICK).max(TICK),
            Side::Sell => (old.price + change)
                .max(middle + TICK)
                .min(PRICE_MAX / TICK * TICK),
        };
        let mut order = Live {
            user_ref: self.user_ref(old.session),
            price,
            ..old
        };
        if self.random.chance(786) {
            let size = shape::draw(SIZE, &mut self.random);
            order.total = (order.executed + size).min(QUANTITY_MAX);
        }
        self.live.insert(order);
        Some(Command {
            kind: CommandKind::Replace as u8,
            old_user_ref: old.user_ref,
            ..request(&order, TimeInForce::Day)
        })
    }

    fn user_ref(&mut self, session: u16) -> u32 {
        let user_ref = &mut self.user_refs[usize::from(session) - 1];
        *user_ref += 1;
        *user_ref
    }

    fn side(&mut self) -> Side {
        if self.random.chance(32_768) {
            Side::Buy
        } else {
            Side::Sell
        }
    }

    fn symbol(&mut self) -> u16 {
        let Some(total) = self.weights.last() else {
            return 1;
        };
        let at = self.random.below(*total);
        1 + self.weights.partition_point(|weight| *weight <= at) as u16
    }

    fn middle(&mut self, symbol: u16) -> i64 {
        let middle = &mut self.middles[usize::from(symbol) - 1];
        // It stands still while the books are filled, or every run would begin with crossed orders.
        if self.filled {
            middle.price_next(&mut self.random)
        } else {
            middle.price()
        }
    }

    /// Bursts of 1 to 512 commands, eight times as dense as the mean; pauses make up for it.
    fn gap_ns(&mut self) -> u64 {
        let mean = self.shape.gap_mean_ns;
        if self.burst.left == 0 {
            self.burst.left = 1 << self.random.below(10);
            let pause = mean * self.burst.left - mean / 8 * (self.burst.left - 1);
            self.burst.left -= 1;
            return self.random.below(2 * pause + 1);
        }
        self.burst.left -= 1;
        self.random.below(mean / 4 + 1)
    }
}

impl Iterator for Generator {
    type Item = Item;

    /// The next command; it never ends.
    fn next(&mut self) -> Option<Item> {
        Some(self.next_item())
    }
}
