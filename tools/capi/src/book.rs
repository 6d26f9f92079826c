//! One book with dense ids, prices in ticks and reports that name ids.

use std::fmt;

use bytemuck::Zeroable;
use matching::{BURST_MAX, Engine, Events, LimitError, Limits, Line, Step};
use queue::Pages;
use wire::ring::{Command, CommandKind, EventKind, Input, PRICE_MAX, Reason, Side, TimeInForce};

use crate::hearing::Hearing;
use crate::message::{
    Depth, KIND_CANCEL, KIND_MODIFY, KIND_NEW, Message, REPORT_MODIFIED, REPORT_REJECTED, Report,
};
use crate::orders::Orders;

/// A tick is a whole cent to the engine, whatever it means outside: 64 neighbours share a group.
pub(crate) const TICK: i64 = 100;
/// The greatest price, in ticks; the least is 1.
pub const PRICE_TICKS_MAX: i64 = PRICE_MAX / TICK;
const _: () = assert!(PRICE_TICKS_MAX < u32::MAX as i64);
/// The most ids, and the most accepted orders and modifies, that a book can be made for.
const COUNT_MAX: u32 = 1 << 30;

const SYMBOL: u16 = 1;
const SESSION: u16 = 1;

/// A command of the one session about the one symbol that asks for nothing.
const BLANK: Command = Command {
    symbol: SYMBOL,
    session: SESSION,
    ..Command::BLANK
};

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
    /// What the messages of a burst will likely ask.
    guesses: [Input; BURST_MAX],
    /// Where the engine lives; after it, because fields are dropped in their order.
    _lines: Pages<Line>,
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
            // Orders of this interface are all plain.
            special: 1,
            price_groups: limits.price_groups,
            accounts: 0,
        };
        // Made for checking the limits alone: the engine looks at them before it looks at memory.
        if let Err(error @ LimitError::OutOfRange { .. }) = Engine::new(engine_limits, &mut []) {
            return Err(BookError::Engine(error));
        }
        let mut lines = Pages::<Line>::zeroed(engine_limits.lines()).ok_or(BookError::NoMemory)?;
        // SAFETY: the engine is dropped before the lines, and nothing else borrows them.
        let memory = unsafe { lifelong(&mut lines) };
        let mut engine = Engine::new(engine_limits, memory).map_err(BookError::Engine)?;
        let mut events = Events::new();
        let mut input = Input::zeroed();
        for command in opening() {
            input.sequence += 1;
            input.command = command;
            let step = engine.apply(&input, &mut events);
            assert!(step == Step::Done, "opening a book takes one step each");
        }
        input.command = BLANK;
        let guess = Input {
            command: BLANK,
            ..Input::zeroed()
        };
        Ok(Self {
            engine,
            events,
            orders: Orders::new(limits.ids, limits.entries).ok_or(BookError::NoMemory)?,
            input,
            messages: 0,
            guesses: [guess; BURST_MAX],
            _lines: lines,
        })
    }

    /// Applies a message and gives its reports in order.
    #[inline]
    pub fn apply(&mut self, message: &Message, mut on: impl FnMut(&Report)) {
        self.messages += 1;
        // Each kind asks and hears by itself, so that what is known of it here is not looked for
        // again and again.
        match message.kind {
            KIND_CANCEL => self.cancel(message, &mut on),
            KIND_NEW => self.enter(message, &mut on),
            _ => self.modify(message, &mut on),
        }
    }

    /// Applies messages one after the other; looks ahead only to warm the caches. The answers are
    /// those of [`Book::apply`] for each.
    pub fn apply_all(&mut self, messages: &[Message], mut on: impl FnMut(&Report)) {
        for burst in messages.chunks(BURST_MAX) {
            if let [message] = burst {
                self.apply(message, &mut on);
                continue;
            }
            self.guess(burst);
            for (at, message) in burst.iter().enumerate() {
                self.engine.look_ahead(&self.guesses[..burst.len()], at);
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

    #[inline]
    fn cancel(&mut self, message: &Message, on: &mut impl FnMut(&Report)) {
        let Some(user_ref) = self.orders.find(message.id) else {
            return self.refuse(message, Reason::UnknownOrder, on);
        };
        let command = &mut self.input.command;
        command.kind = CommandKind::Cancel as u8;
        command.user_ref = user_ref;
        command.quantity = 0;
        self.run(message, EventKind::Canceled, on);
    }

    #[inline]
    fn enter(&mut self, message: &Message, on: &mut impl FnMut(&Report)) {
        if let Err(reason) = check_new(&self.orders, message) {
            return self.refuse(message, reason, on);
        }
        let command = &mut self.input.command;
        command.kind = CommandKind::New as u8;
        command.side = message.side;
        command.time_in_force = message.ioc;
        command.user_ref = self.orders.next();
        command.quantity = message.quantity;
        command.price = message.price * TICK;
        self.run(message, EventKind::Accepted, on);
    }

    #[inline(never)]
    fn modify(&mut self, message: &Message, on: &mut impl FnMut(&Report)) {
        match ask_modify(&mut self.orders, message, &mut self.input.command) {
            Ok(true) => self.run(message, EventKind::Replaced, on),
            Ok(false) => on(&Report {
                price: message.price,
                quantity: message.quantity,
                ..Report::new(REPORT_MODIFIED, self.messages, message.id)
            }),
            Err(reason) => self.refuse(message, reason, on),
        }
    }

    #[cold]
    fn refuse(&self, message: &Message, reason: Reason, on: &mut impl FnMut(&Report)) {
        on(&Report {
            reason: reason as u8,
            ..Report::new(REPORT_REJECTED, self.messages, message.id)
        });
    }

    /// Asks the engine for what stands in the command. The fields of a command are written in
    /// place: one that is made elsewhere and copied must wait for its own stores.
    ///
    /// `first` is the event that is likely the first one, and often the only one.
    #[inline(always)]
    fn run(&mut self, message: &Message, first: EventKind, on: &mut impl FnMut(&Report)) {
        let Self {
            engine,
            events,
            orders,
            input,
            messages,
            ..
        } = self;
        let mut hearing = Hearing {
            orders,
            message,
            number: *messages,
            total: input.command.quantity,
        };
        input.sequence += 1;
        let mut step = engine.apply(input, events);
        loop {
            for event in events.as_slice() {
                if event.kind == first as u8 {
                    hearing.hear(event, first, on);
                } else {
                    hearing.hear_other(event, on);
                }
            }
            if step == Step::Done {
                return;
            }
            step = engine.resume(events);
        }
    }

    /// What the messages of a burst will likely ask of the engine, as far as can be told before the
    /// first of them is applied. What stands there for a message that will be refused does no harm.
    fn guess(&mut self, burst: &[Message]) {
        let next = self.orders.next();
        for (guess, message) in self.guesses.iter_mut().zip(burst) {
            let command = &mut guess.command;
            let live = self.orders.find(message.id).unwrap_or_default();
            command.kind = message.kind;
            command.side = message.side & 1;
            command.user_ref = if message.kind == KIND_NEW { next } else { live };
            command.old_user_ref = live;
            command.price = message.price.wrapping_mul(TICK);
        }
    }
}

// A guess takes the kind from the message as it is.
const _: () = assert!(KIND_NEW == CommandKind::New as u8);
const _: () = assert!(KIND_CANCEL == CommandKind::Cancel as u8);
const _: () = assert!(KIND_MODIFY == CommandKind::Replace as u8);

/// Whether there is anything to ask the engine about a new order.
#[inline]
fn check_new(orders: &Orders, message: &Message) -> Result<(), Reason> {
    if !(1..=PRICE_TICKS_MAX).contains(&message.price) {
        return Err(Reason::InvalidPrice);
    }
    if message.side > 1 || message.ioc > 1 || !orders.knows(message.id) {
        return Err(Reason::InvalidField);
    }
    if orders.find(message.id).is_some() {
        return Err(Reason::DuplicateUserRef);
    }
    if orders.has_next() {
        Ok(())
    } else {
        Err(Reason::PoolFull)
    }
}

/// Writes what the engine is asked over `to`. Says whether there is anything to ask: a modify may
/// change nothing.
#[inline]
fn ask_modify(orders: &mut Orders, message: &Message, to: &mut Command) -> Result<bool, Reason> {
    if !(1..=PRICE_TICKS_MAX).contains(&message.price) {
        return Err(Reason::InvalidPrice);
    }
    if message.kind != KIND_MODIFY {
        return Err(Reason::InvalidField);
    }
    let user_ref = orders.find(message.id).ok_or(Reason::UnknownOrder)?;
    let entry = *orders.entry(user_ref);
    to.price = message.price * TICK;
    to.quantity = match entry.executed.checked_add(message.quantity) {
        Some(total) if message.quantity > 0 => total,
        _ => return Err(Reason::InvalidQuantity),
    };
    if i64::from(entry.price) == message.price && message.quantity <= entry.open {
        to.kind = CommandKind::Cancel as u8;
        to.user_ref = user_ref;
        return Ok(message.quantity < entry.open);
    }
    if !orders.has_next() {
        return Err(Reason::PoolFull);
    }
    to.kind = CommandKind::Replace as u8;
    to.user_ref = orders.next();
    to.old_user_ref = user_ref;
    to.time_in_force = TimeInForce::Day as u8;
    Ok(true)
}

/// The lines for as long as anyone likes.
///
/// # Safety
/// Nothing may use the slice after `lines` is dropped, and nothing else may borrow them.
unsafe fn lifelong(lines: &mut Pages<Line>) -> &'static mut [Line] {
    let (start, count) = (lines.as_mut_ptr(), lines.len());
    // SAFETY: the lines do not move with their owner; the lifetime is the caller's promise.
    unsafe { std::slice::from_raw_parts_mut(start, count) }
}

fn opening() -> [Command; 3] {
    let blank = Command {
        symbol: 0,
        session: 0,
        ..BLANK
    };
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
