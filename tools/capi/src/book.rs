//! One book with dense ids, prices in ticks and reports that name ids.

use std::fmt;

use bytemuck::Zeroable;
use matching::{BURST_MAX, Engine, Events, LimitError, Limits, Step};
use wire::ring::{Command, CommandKind, Event, EventKind, Input, PRICE_MAX, Reason, Side};

use crate::memory::Lines;
use crate::message::{
    Depth, KIND_CANCEL, KIND_MODIFY, KIND_NEW, Message, REPORT_ACCEPTED, REPORT_CANCELED,
    REPORT_FILL, REPORT_MODIFIED, REPORT_REJECTED, Report,
};
use crate::orders::{Entry, Orders};

/// A tick is a whole cent to the engine, whatever it means outside: 64 neighbours share a group.
const TICK: i64 = 100;
/// The greatest price, in ticks; the least is 1.
pub const PRICE_TICKS_MAX: i64 = PRICE_MAX / TICK;
const _: () = assert!(PRICE_TICKS_MAX < u32::MAX as i64);
/// The most ids, and the most accepted orders and modifies, that a book can be made for.
const COUNT_MAX: u32 = 1 << 30;

const SYMBOL: u16 = 1;
const SESSION: u16 = 1;

/// What a book has room for. Every limit is at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct BookLimits {
    /// Order ids are below this.
    pub ids: u32,
    /// Orders that rest at the same time.
    pub orders: u32,
    /// Groups of 64 prices (a multiple of 64 ticks and the 63 above) with an order in them.
    pub price_groups: u32,
    /// New orders and modifies accepted in the whole life of the book.
    pub entries: u32,
}

/// Why there is no book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookError {
    /// A limit is 0 or too great: its name.
    Limit(&'static str),
    /// The engine refuses a limit.
    Engine(LimitError),
    /// The system has no memory for it.
    NoMemory,
}

impl fmt::Display for BookError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(name) => write!(to, "book limit `{name}` must be 1 to {COUNT_MAX}"),
            Self::Engine(error) => error.fmt(to),
            Self::NoMemory => write!(to, "no memory for a book of this size"),
        }
    }
}

impl std::error::Error for BookError {}

/// One book.
pub struct Book {
    engine: Engine<'static>,
    events: Events,
    orders: Orders,
    input: Input,
    /// Messages applied so far.
    messages: u64,
    /// Where the engine lives; after it, because fields are dropped in their order.
    _lines: Lines,
}

impl Book {
    /// An empty book that is open. All memory is taken here.
    ///
    /// # Errors
    /// A limit out of its range, or no memory.
    pub fn new(limits: BookLimits) -> Result<Self, BookError> {
        for (name, value) in [("ids", limits.ids), ("entries", limits.entries)] {
            if value == 0 || value > COUNT_MAX {
                return Err(BookError::Limit(name));
            }
        }
        let engine_limits = Limits {
            symbols: SYMBOL,
            sessions: SESSION,
            orders: limits.orders,
            price_groups: limits.price_groups,
        };
        // Made for checking the limits alone: the engine looks at them before it looks at memory.
        if let Err(error @ LimitError::OutOfRange { .. }) = Engine::new(engine_limits, &mut []) {
            return Err(BookError::Engine(error));
        }
        let mut lines = Lines::new(engine_limits.lines()).ok_or(BookError::NoMemory)?;
        // SAFETY: the engine is dropped before the lines, and nothing else borrows them.
        let memory = unsafe { lines.as_static() };
        let mut engine = Engine::new(engine_limits, memory).map_err(BookError::Engine)?;
        let mut events = Events::new();
        let mut input = Input::zeroed();
        for command in opening() {
            input.sequence += 1;
            input.command = command;
            let step = engine.apply(&input, &mut events);
            assert!(step == Step::Done, "opening a book takes one step each");
        }
        Ok(Self {
            engine,
            events,
            orders: Orders::new(limits.ids, limits.entries).ok_or(BookError::NoMemory)?,
            input,
            messages: 0,
            _lines: lines,
        })
    }

    /// Applies a message and gives its reports in order.
    #[inline]
    pub fn apply(&mut self, message: &Message, mut on: impl FnMut(&Report)) {
        self.messages += 1;
        let answer = match self.command(message) {
            Ok(Some(command)) => return self.run(message, command, &mut on),
            Ok(None) => Report {
                price: message.price,
                quantity: message.quantity,
                ..Report::new(REPORT_MODIFIED, self.messages, message.id)
            },
            Err(reason) => self.rejected(message, reason as u8),
        };
        on(&answer);
    }

    /// Applies messages one after the other; looks ahead only to warm the caches. The answers are
    /// those of [`Book::apply`] for each.
    pub fn apply_all(&mut self, messages: &[Message], mut on: impl FnMut(&Report)) {
        for burst in messages.chunks(BURST_MAX) {
            if let [message] = burst {
                self.apply(message, &mut on);
                continue;
            }
            let guesses = self.guesses(burst);
            for (at, message) in burst.iter().enumerate() {
                self.engine.look_ahead(&guesses[..burst.len()], at);
                self.apply(message, &mut on);
            }
        }
    }

    /// Best price of a side with its open units; 0 orders are shown.
    #[must_use]
    pub fn best(&self, side: Side) -> Option<(i64, u64)> {
        let (price, quantity) = self.engine.best(SYMBOL, side)?;
        Some((price / TICK, quantity))
    }

    /// What is open at a price. Walks the side's orders: not for the timed part of a harness.
    #[must_use]
    pub fn depth_at(&self, side: Side, price: i64) -> Depth {
        let mut depth = Depth {
            price,
            ..Depth::default()
        };
        self.engine.orders(SYMBOL, side, |order| {
            if order.price / TICK == price {
                depth.quantity += u64::from(order.quantity);
                depth.orders += 1;
            }
        });
        depth
    }

    /// All prices of a side, best first.
    #[must_use]
    pub fn depth(&self, side: Side) -> Vec<Depth> {
        let mut depths: Vec<Depth> = Vec::new();
        self.engine.orders(SYMBOL, side, |order| {
            let price = order.price / TICK;
            if depths.last().is_none_or(|last| last.price != price) {
                let empty = Depth::default();
                depths.push(Depth { price, ..empty });
            }
            if let Some(last) = depths.last_mut() {
                last.quantity += u64::from(order.quantity);
                last.orders += 1;
            }
        });
        depths
    }

    /// Orders on the book.
    #[must_use]
    pub fn live_orders(&self) -> u32 {
        self.engine.live_orders()
    }

    /// The engine's hash of all its state.
    #[must_use]
    pub fn state_hash(&self) -> u64 {
        self.engine.state_hash()
    }

    /// What the engine is asked; nothing for a modify that changes nothing.
    #[inline]
    fn command(&mut self, message: &Message) -> Result<Option<Command>, Reason> {
        let blank = Command {
            symbol: SYMBOL,
            session: SESSION,
            ..Command::zeroed()
        };
        if message.kind == KIND_CANCEL {
            let user_ref = self.orders.find(message.id).ok_or(Reason::UnknownOrder)?;
            let kind = CommandKind::Cancel as u8;
            return Ok(Some(Command {
                kind,
                user_ref,
                ..blank
            }));
        }
        if !(1..=PRICE_TICKS_MAX).contains(&message.price) {
            return Err(Reason::InvalidPrice);
        }
        let price = message.price * TICK;
        let user_ref = self.orders.next().ok_or(Reason::PoolFull);
        match message.kind {
            KIND_NEW if message.side > 1 || message.ioc > 1 || !self.orders.knows(message.id) => {
                Err(Reason::InvalidField)
            }
            KIND_NEW if self.orders.find(message.id).is_some() => Err(Reason::DuplicateUserRef),
            KIND_NEW => Ok(Some(Command {
                kind: CommandKind::New as u8,
                side: message.side,
                time_in_force: message.ioc,
                user_ref: user_ref?,
                quantity: message.quantity,
                price,
                ..blank
            })),
            KIND_MODIFY => {
                let old_user_ref = self.orders.find(message.id).ok_or(Reason::UnknownOrder)?;
                let entry = *self.orders.entry(old_user_ref);
                let total = entry.executed.checked_add(message.quantity);
                let quantity = match total {
                    Some(total) if message.quantity > 0 => total,
                    _ => return Err(Reason::InvalidQuantity),
                };
                if i64::from(entry.price) == message.price && message.quantity <= entry.open {
                    let less = Command {
                        kind: CommandKind::Cancel as u8,
                        user_ref: old_user_ref,
                        quantity,
                        ..blank
                    };
                    return Ok((message.quantity < entry.open).then_some(less));
                }
                Ok(Some(Command {
                    kind: CommandKind::Replace as u8,
                    user_ref: user_ref?,
                    old_user_ref,
                    quantity,
                    price,
                    ..blank
                }))
            }
            _ => Err(Reason::InvalidField),
        }
    }

    fn rejected(&self, message: &Message, reason: u8) -> Report {
        Report {
            reason,
            ..Report::new(REPORT_REJECTED, self.messages, message.id)
        }
    }

    #[inline]
    fn run(&mut self, message: &Message, command: Command, on: &mut impl FnMut(&Report)) {
        self.input.sequence += 1;
        self.input.command = command;
        let mut step = self.engine.apply(&self.input, &mut self.events);
        loop {
            for index in 0..self.events.as_slice().len() {
                let event = self.events.as_slice()[index];
                self.hear(message, &command, &event, on);
            }
            if step == Step::Done {
                return;
            }
            step = self.engine.resume(&mut self.events);
        }
    }

    /// Follows an event and reports it.
    #[inline]
    fn hear(
        &mut self,
        message: &Message,
        command: &Command,
        event: &Event,
        on: &mut impl FnMut(&Report),
    ) {
        let blank = |kind| Report {
            quantity: event.quantity,
            ..Report::new(kind, self.messages, message.id)
        };
        let report = match EventKind::from_byte(event.kind) {
            Some(EventKind::Executed) if event.has(Event::MAKER) => self.fill(message.id, event),
            Some(EventKind::Executed) => {
                let taker = self.orders.entry(event.user_ref);
                taker.executed += event.quantity;
                taker.open = event.leaves;
                if event.leaves == 0 {
                    self.orders.forget(message.id as u32);
                }
                return;
            }
            Some(kind @ (EventKind::Accepted | EventKind::Replaced)) => {
                let executed = command.quantity - message.quantity;
                self.orders.take(Entry {
                    id: message.id as u32,
                    price: message.price as u32,
                    open: message.quantity,
                    executed,
                });
                let is_new = kind == EventKind::Accepted;
                let kind = if is_new {
                    REPORT_ACCEPTED
                } else {
                    REPORT_MODIFIED
                };
                Report {
                    price: message.price,
                    quantity: message.quantity,
                    side: if is_new { message.side } else { 0 },
                    ..Report::new(kind, self.messages, message.id)
                }
            }
            Some(EventKind::Canceled) => {
                self.orders.forget(message.id as u32);
                blank(REPORT_CANCELED)
            }
            Some(EventKind::Reduced) => {
                self.orders.entry(event.user_ref).open = message.quantity;
                Report {
                    price: message.price,
                    quantity: message.quantity,
                    ..blank(REPORT_MODIFIED)
                }
            }
            Some(EventKind::Booked) => return,
            _ => self.rejected(message, event.reason),
        };
        on(&report);
    }

    /// Follows a resting order that trades with the arriving order `id`.
    #[inline]
    fn fill(&mut self, id: u64, event: &Event) -> Report {
        let maker = self.orders.entry(event.user_ref);
        maker.executed += event.quantity;
        maker.open = event.leaves;
        let maker = maker.id;
        if event.leaves == 0 {
            self.orders.forget(maker);
        }
        Report {
            other: u64::from(maker),
            price: event.price / TICK,
            quantity: event.quantity,
            left: event.leaves,
            side: Side::from_byte(event.side).map_or(0, |side| side.opposite() as u8),
            ..Report::new(REPORT_FILL, self.messages, id)
        }
    }

    /// What the messages of a burst will likely ask of the engine, as far as can be told before the
    /// first of them is applied.
    fn guesses(&mut self, burst: &[Message]) -> [Input; BURST_MAX] {
        let mut guesses = [Input::zeroed(); BURST_MAX];
        for (guess, message) in guesses.iter_mut().zip(burst) {
            if let Ok(Some(command)) = self.command(message) {
                guess.command = command;
            }
        }
        guesses
    }
}

fn opening() -> [Command; 3] {
    let blank = Command::zeroed();
    [
        Command {
            kind: CommandKind::DefineSymbol as u8,
            symbol: SYMBOL,
            client_id: *b"BOOK          ",
            ..blank
        },
        Command {
            kind: CommandKind::DefineSession as u8,
            session: SESSION,
            user_ref: 1,
            client_id: *b"BOOK          ",
            ..blank
        },
        Command {
            kind: CommandKind::OpenDay as u8,
            ..blank
        },
    ]
}
