//! One book: a session with free references, prices in ticks, and reports that name ids.

use std::fmt;

use bytemuck::Zeroable;
use matching::{BURST_MAX, Engine, Events, LimitError, Limits, Line, Step};
use queue::Pages;
use wire::ring::{Command, CommandKind, EventKind, Input, PRICE_MAX, Reason, Side, TimeInForce};

use crate::hearing::Hearing;
use crate::message::{Depth, KIND_CANCEL, KIND_MODIFY, KIND_NEW, Message, REPORT_REJECTED, Report};

/// A tick is a whole cent to the engine, whatever it means outside: 64 neighbours share a group.
pub(crate) const TICK: i64 = 100;
/// The greatest price, in ticks; the least is 1.
pub const PRICE_TICKS_MAX: i64 = PRICE_MAX / TICK;
const _: () = assert!(PRICE_TICKS_MAX < u32::MAX as i64);
/// The greatest id; the least is 0.
pub const ID_MAX: u64 = u32::MAX as u64 - 1;

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
    /// Orders that rest at the same time.
    pub orders: u32,
    /// Groups of 64 prices (a multiple of 64 ticks and the 63 above) with an order in them.
    pub price_groups: u32,
}

/// Why there is no book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookError {
    /// The engine refuses a limit.
    Engine(LimitError),
    /// The system has no memory for it.
    NoMemory,
}

impl fmt::Display for BookError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
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
    input: Input,
    /// Messages applied so far.
    messages: u64,
    /// The orders that the messages of a burst are about, which is all that looking ahead needs.
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

    /// Applies messages one after the other; looks ahead only to warm the caches, where that pays.
    /// The answers are those of [`Book::apply`] for each.
    pub fn apply_all(&mut self, messages: &[Message], mut on: impl FnMut(&Report)) {
        for burst in messages.chunks(BURST_MAX) {
            if burst.len() == 1 || !self.engine.is_ahead_worthwhile() {
                burst
                    .iter()
                    .for_each(|message| self.apply(message, &mut on));
                continue;
            }
            for (guess, message) in self.guesses.iter_mut().zip(burst) {
                guess.command.user_ref = user_ref(message.id);
            }
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
        self.set_head(CommandKind::Cancel, 0, 0);
        self.input.command.quantity = 0;
        self.run(message, EventKind::Canceled, on);
    }

    #[inline]
    fn enter(&mut self, message: &Message, on: &mut impl FnMut(&Report)) {
        if message.ioc > 1 {
            return self.refuse(message, Reason::InvalidField, on);
        }
        self.set_head(CommandKind::New, message.side, message.ioc);
        self.set_terms(message);
        self.run(message, EventKind::Accepted, on);
    }

    #[inline(never)]
    fn modify(&mut self, message: &Message, on: &mut impl FnMut(&Report)) {
        if message.kind != KIND_MODIFY {
            return self.refuse(message, Reason::InvalidField, on);
        }
        self.set_head(CommandKind::Amend, 0, TimeInForce::Day as u8);
        self.set_terms(message);
        self.run(message, EventKind::Replaced, on);
    }

    /// Writes the first word of the command at once: the engine reads it so, and what is written in
    /// pieces and read as one must wait.
    #[inline(always)]
    fn set_head(&mut self, kind: CommandKind, side: u8, time_in_force: u8) {
        let words: &mut [u64; 6] = bytemuck::cast_mut(&mut self.input.command);
        let [a, b] = SYMBOL.to_le_bytes();
        let [c, d] = SESSION.to_le_bytes();
        words[0] = u64::from_le_bytes([kind as u8, side, time_in_force, 0, a, b, c, d]);
    }

    /// Writes price and units of the command. A price out of its range becomes one that the engine
    /// refuses.
    #[inline(always)]
    fn set_terms(&mut self, message: &Message) {
        let is_good = (1..=PRICE_TICKS_MAX).contains(&message.price);
        let command = &mut self.input.command;
        command.price = if is_good { message.price * TICK } else { 0 };
        command.quantity = message.quantity;
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
        if message.id > ID_MAX {
            let reason = match first {
                EventKind::Accepted => Reason::InvalidField,
                _ => Reason::UnknownOrder,
            };
            return self.refuse(message, reason, on);
        }
        let Self {
            engine,
            events,
            input,
            messages,
            ..
        } = self;
        let hearing = Hearing {
            message,
            number: *messages,
        };
        input.sequence += 1;
        input.command.user_ref = user_ref(message.id);
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
}

/// What the engine calls the order of an id up to [`ID_MAX`]; 0 is no reference.
#[inline]
pub(crate) fn user_ref(id: u64) -> u32 {
    (id as u32).wrapping_add(1)
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
            // Its references are free: the harness's ids.
            letters: [0, 1, 0, 0],
            client_id: *b"BOOK          ",
            ..blank
        },
        Command {
            kind: CommandKind::OpenDay as u8,
            ..blank
        },
    ]
}
