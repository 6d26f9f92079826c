//! Orders and answers in short, for cases written by hand.
//!
//! A command is `session/user_ref` and what it asks: `B 10@100` buys, `S 10@100` sells, `R5 10@100`
//! replaces order 5, `A 10@100` amends to 10, `X3` cancels to 3. Then words: `ioc`, `open`,
//! `close`, `min=5`, `show=5`, `exp=50`, `post`, `slide`, `hide`,
//! `flags=9`, `odd` (something that nobody offers), `sym=2`, `at=50` (the time). `-` is a command
//! that only carries time. `PRICE_MARKET` is written `any`. Any other command is written as
//! `flow::saved` has it, from its kind on.
//!
//! An answer is its events: `Kind:Reason(session/user_ref quantity@price leaves flags)`, the flags
//! by their first letters (`O` for `OLD_HIDDEN`; `LAST` is left out); `Refreshed` and `Replaced`
//! have `new<old` order numbers behind, `Broken` its match number and the order's text, `Reduced`
//! its held back units, `Uncrossed` and `Indicative` their side, `StateChanged` the end of its
//! timer.
//!
//! The reference gives the answer, and where all is offered the engine must give the same events.
#![allow(dead_code, reason = "each test program uses a part")]

mod engine;

use engine::Beside;
use flow::naive::{KNOWN, OFFERED};
use flow::{Naive, saved};
use wire::ring::{
    Command, CommandKind, Condition, EXTRA_ALL_OR_NONE, EXTRA_HIDDEN, EXTRA_POST_ONLY, EXTRA_SLIDE,
    EXTRA_TO_LIMIT, Event, EventKind, Input, PRICE_MARKET, Reason, Side, TimeInForce,
};

/// Commands and their answers, one after the other.
pub type Lines<'a> = &'a [(&'a str, &'a str)];

/// An open engine: symbol 2 has a tick of 5; sessions 1 and 3 are of one account.
pub struct Desk {
    pub naive: Naive,
    /// It offers all, so there is none where less is offered.
    engine: Option<Beside>,
    mode: u8,
    sequence: u64,
    time_ns: u64,
}

impl Desk {
    /// With a self-trade mode for session 1.
    pub fn new(offered: u16, mode: u8) -> Self {
        Self::with(offered, mode, &[])
    }

    /// With commands that come before the day opens.
    pub fn with(offered: u16, mode: u8, first: &[&str]) -> Self {
        let mut desk = Self {
            naive: Naive::offering(offered),
            engine: (offered == OFFERED).then(Beside::new),
            mode,
            sequence: 0,
            time_ns: 0,
        };
        for (symbol, price) in [(1, 0), (2, 5)] {
            desk.send(Command {
                symbol,
                price,
                ..of(CommandKind::DefineSymbol)
            });
        }
        for (session, user_ref) in [(1, 1), (2, 2), (3, 1)] {
            let mode = if session == 1 { mode } else { 0 };
            desk.send(Command {
                session,
                user_ref,
                letters: [mode, 0, 0, 0],
                ..of(CommandKind::DefineSession)
            });
        }
        for text in first {
            desk.answer(text);
        }
        desk.send(of(CommandKind::OpenDay));
        desk
    }

    #[track_caller]
    pub fn send(&mut self, command: Command) -> Vec<Event> {
        self.sequence += 1;
        let input = Input {
            sequence: self.sequence,
            time_ns: self.time_ns,
            command,
        };
        let events = self.naive.apply(&input);
        if let Some(engine) = &mut self.engine {
            assert_eq!(engine.apply(&input), events, "the engine: {command:?}");
        }
        events
    }

    /// Sends a command, behind its `Extra` if it asks for anything, and gives its answer.
    #[track_caller]
    pub fn answer(&mut self, text: &str) -> String {
        let (extra, command) = self.read(text);
        if let Some(extra) = extra {
            self.send(extra);
        }
        let events = self.send(command);
        events.iter().map(short).collect::<Vec<_>>().join(" ")
    }

    /// Sends commands, each of which is to be answered so.
    #[track_caller]
    pub fn check(&mut self, lines: Lines<'_>) {
        for (command, answer) in lines {
            let mode = self.mode;
            assert_eq!(self.answer(command), *answer, "mode {mode}: {command}");
        }
    }

    /// What the feed would show of a book: units at price, best first.
    pub fn shown(&self, symbol: u16, side: Side) -> String {
        let orders = self.naive.orders(symbol, side);
        let shown = orders.filter(|order| order.shown() > 0);
        let shown = shown.map(|order| format!("{}@{}", order.shown(), order.price));
        shown.collect::<Vec<_>>().join(" ")
    }

    fn read(&mut self, text: &str) -> (Option<Command>, Command) {
        if text.starts_with(|letter: char| letter.is_ascii_uppercase()) {
            let inputs = saved::read(&format!("0 0 {text}")).expect("a command");
            return (None, inputs[0].command);
        }
        let mut words = text.split(' ');
        let mut order = Command {
            symbol: 1,
            ..Command::BLANK
        };
        if let Some((session, user_ref)) = words.next().and_then(|who| who.split_once('/')) {
            order.session = number(session);
            order.user_ref = number(user_ref);
            ask(&mut order, words.next().expect("what is asked"));
        }
        if !matches!(order.kind, 0 | 2) {
            let (quantity, price) = words.next().and_then(|at| at.split_once('@')).expect("@");
            order.quantity = number(quantity);
            order.price = match price {
                "any" => PRICE_MARKET,
                price => number(price),
            };
        }
        let mut extra = Command {
            session: order.session,
            ..of(CommandKind::Extra)
        };
        let plain = extra;
        for word in words {
            match word.split_once('=').unwrap_or((word, "0")) {
                ("ioc", _) => order.time_in_force = TimeInForce::ImmediateOrCancel as u8,
                ("open", _) => order.time_in_force = TimeInForce::AtOpen as u8,
                ("close", _) => order.time_in_force = TimeInForce::AtClose as u8,
                ("sym", symbol) => order.symbol = number(symbol),
                ("at", time) => self.time_ns = number(time),
                ("min", quantity) => extra.quantity = number(quantity),
                ("show", quantity) => extra.old_user_ref = number(quantity),
                ("exp", time) => extra.price = number(time),
                ("post", _) => extra.flags |= EXTRA_POST_ONLY,
                ("slide", _) => extra.flags |= EXTRA_SLIDE,
                ("hide", _) => extra.flags |= EXTRA_HIDDEN,
                ("flags", flags) => extra.flags = number(flags),
                ("aon", _) => extra.flags |= EXTRA_ALL_OR_NONE,
                ("limit", _) => extra.flags |= EXTRA_TO_LIMIT,
                ("stop", price) => extra = extra.with_condition(Condition::Stop, number(price)),
                ("trail", distance) => {
                    extra = extra.with_condition(Condition::TrailingStop, number(distance));
                }
                ("primary", offset) => {
                    extra = extra.with_condition(Condition::PrimaryPeg, number(offset));
                }
                ("market", offset) => {
                    extra = extra.with_condition(Condition::MarketPeg, number(offset));
                }
                ("middle", offset) => {
                    extra = extra.with_condition(Condition::MidpointPeg, number(offset));
                }
                ("odd", _) => extra.letters[0] = 25,
                _ => panic!("{word}"),
            }
        }
        ((extra != plain).then_some(extra), order)
    }
}

/// A desk that offers all, after [`Desk::check`].
#[track_caller]
pub fn check(mode: u8, lines: Lines<'_>) -> Desk {
    let mut desk = Desk::new(KNOWN, mode);
    desk.check(lines);
    desk
}

/// How the answer to an order begins that is rejected for a reason, or taken for want of one.
pub fn begins(reason: Reason) -> String {
    match reason {
        Reason::None => "Accepted(".to_owned(),
        reason => format!("Rejected:{reason:?}("),
    }
}

pub fn of(kind: CommandKind) -> Command {
    Command {
        kind: kind as u8,
        ..Command::BLANK
    }
}

fn ask(order: &mut Command, text: &str) {
    let (kind, value) = text.split_at(1);
    order.kind = match kind {
        "B" | "S" => CommandKind::New,
        "R" => CommandKind::Replace,
        "A" => CommandKind::Amend,
        "X" => CommandKind::Cancel,
        other => panic!("{other}"),
    } as u8;
    match kind {
        "S" => order.side = Side::Sell as u8,
        "R" => order.old_user_ref = number(value),
        "X" => order.quantity = number(value),
        _ => {}
    }
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    let parsed = text.parse();
    parsed.unwrap_or_else(|_| panic!("{text:?} is no number"))
}

fn short(event: &Event) -> String {
    let kind = EventKind::from_byte(event.kind).expect("a known kind");
    let reason = match Reason::from_byte(event.reason).expect("a known reason") {
        Reason::None => String::new(),
        reason => format!(":{reason:?}"),
    };
    let flags = [
        (Event::MAKER, 'M'),
        (Event::BOOKED, 'B'),
        (Event::HIDDEN, 'H'),
        (Event::OLD_HIDDEN, 'O'),
        (Event::PARKED, 'P'),
        (Event::AUCTION, 'A'),
    ];
    let set = flags.iter().filter(|(flag, _)| event.has(*flag));
    let flags: String = set.map(|(_, letter)| *letter).collect();
    let Event {
        session,
        user_ref,
        quantity,
        leaves,
        order_ref,
        related,
        ..
    } = event;
    let price = match event.price {
        PRICE_MARKET => "any".to_owned(),
        price => price.to_string(),
    };
    let behind = match kind {
        EventKind::Refreshed | EventKind::Replaced | EventKind::Triggered | EventKind::Repriced => {
            format!("{order_ref}<{related}")
        }
        EventKind::Reduced => related.to_string(),
        EventKind::Broken => {
            let text = event.client_id();
            format!(
                "#{related} {}",
                String::from_utf8_lossy(&text).trim_end_matches('\0')
            )
        }
        EventKind::StateChanged if *related != 0 => format!("!{related}"),
        EventKind::Uncrossed | EventKind::Indicative => {
            ["B", "S"][usize::from(event.side)].to_owned()
        }
        _ => String::new(),
    };
    // Letters of the text stand there.
    let leaves = if kind == EventKind::Broken {
        0
    } else {
        *leaves
    };
    let flags = if flags.is_empty() {
        flags
    } else {
        format!(" {flags}")
    };
    format!("{kind:?}{reason}({session}/{user_ref} {quantity}@{price} {leaves}{flags}){behind}")
}
