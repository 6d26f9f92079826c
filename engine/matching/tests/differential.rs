//! The engine against the naive reference, event by event and book by book.

mod common;

use common::{Rig, of};
use flow::{Generator, Naive, Shape};
use matching::Limits;
use wire::ring::{
    Command, CommandKind, EXTRA_ALL_OR_NONE, EXTRA_TO_LIMIT, Event, EventKind, Input, PRICE_MARKET,
    PRICE_MAX, QUANTITY_MAX, Side, TimeInForce,
};

/// Commands between two comparisons of all books.
const BOOKS_EVERY: u64 = 5_000;

/// Both engines.
struct Pair {
    rig: Rig,
    naive: Naive,
    seed: u64,
}

impl Pair {
    fn new(seed: u64, limits: Limits) -> Self {
        Self {
            rig: Rig::new(limits),
            naive: Naive::new(),
            seed,
        }
    }

    fn apply(&mut self, command: Command) -> Vec<Event> {
        let events = self.rig.apply(command);
        let (seed, sequence) = (self.seed, self.rig.sequence);
        let expected = self.naive.apply(&Input {
            sequence,
            time_ns: sequence,
            command,
        });
        assert_eq!(
            events, expected,
            "seed {seed}, input {sequence}: {command:?}"
        );
        if sequence.is_multiple_of(BOOKS_EVERY) {
            self.compare_books();
        }
        events
    }

    fn compare_books(&self) {
        let (seed, sequence) = (self.seed, self.rig.sequence);
        let engine = &self.rig.engine;
        assert!(
            engine.symbols().eq(self.naive.symbols()),
            "seed {seed}, input {sequence}"
        );
        assert_eq!(
            engine.live_orders() as usize,
            self.naive.live_orders(),
            "seed {seed}"
        );
        for symbol in self.naive.symbols() {
            for side in [Side::Buy, Side::Sell] {
                let mut orders = Vec::new();
                engine.orders(symbol, side, |order| {
                    let known = (order.session, order.user_ref, order.price);
                    assert_eq!((order.symbol, order.side), (symbol, side));
                    orders.push((known, order.quantity, order.executed, order.order_ref));
                });
                let expected = self.naive.orders(symbol, side).map(|order| {
                    let known = (order.session, order.user_ref, order.price);
                    (known, order.open, order.executed, order.order_ref)
                });
                let at = format!("seed {seed}, input {sequence}, symbol {symbol}, {side:?}");
                assert_eq!(orders, expected.collect::<Vec<_>>(), "{at}");
                assert_eq!(
                    engine.best(symbol, side),
                    self.naive.best(symbol, side),
                    "{at}"
                );
            }
        }
    }
}

/// A small generator of numbers (`SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

const SYMBOLS: u64 = 4;
const SESSIONS: u64 = 5;

/// Makes commands that cross, collide, name dead orders and carry wrong fields.
struct Chaos {
    random: Random,
    user_refs: [u32; SESSIONS as usize + 1],
}

impl Chaos {
    fn next(&mut self) -> Command {
        let random = &mut self.random;
        let session = (random.below(SESSIONS) + u64::from(!random.one_in(200))) as usize;
        let recent = self.user_refs[session];
        let reach = if random.one_in(4) { 300 } else { 20 };
        let old = recent.saturating_sub(random.below(reach) as u32);
        let step = if random.one_in(30) {
            random.below(3_000)
        } else {
            1
        };
        let entered = recent.saturating_add(if random.one_in(100) { 0 } else { step as u32 });
        let kind = match random.below(1_000) {
            0..450 => CommandKind::New,
            450..780 => CommandKind::Cancel,
            780..990 => CommandKind::Replace,
            990..996 => CommandKind::Extra,
            996..998 => CommandKind::Time,
            998 => CommandKind::DefineSymbol,
            _ => CommandKind::OpenDay,
        };
        let enters = matches!(kind, CommandKind::New | CommandKind::Replace);
        if enters {
            self.user_refs[session] = entered;
        }
        let command = Command {
            side: random.below(2) as u8,
            time_in_force: u8::from(random.one_in(10)),
            symbol: (random.below(SYMBOLS) + 1) as u16,
            session: session as u16,
            user_ref: if enters { entered } else { old },
            old_user_ref: old,
            quantity: quantity(random, kind),
            price: price(random),
            ..of(kind)
        };
        if random.one_in(100) {
            spoil(random, command)
        } else {
            command
        }
    }
}

fn quantity(random: &mut Random, kind: CommandKind) -> u32 {
    match (kind, random.below(10)) {
        (CommandKind::Cancel, 0..7) => 0,
        (_, 9) => random.below(2_000) as u32,
        _ => 1 + random.below(100) as u32,
    }
}

/// Mostly near a middle, on cents and between; some far away, in other nodes; some market.
fn price(random: &mut Random) -> i64 {
    match random.below(100) {
        0..60 => 100 * (9_980 + random.below(40) as i64),
        60..80 => 998_000 + random.below(4_000) as i64,
        80..90 => 100 * (9_000 + random.below(2_000) as i64),
        90..94 => 1 + random.below(PRICE_MAX as u64) as i64,
        94..96 => 1 + random.below(200) as i64,
        96..98 => PRICE_MAX - random.below(200) as i64,
        _ => PRICE_MARKET,
    }
}

/// Puts a wrong or extreme value into one field.
fn spoil(random: &mut Random, mut command: Command) -> Command {
    let wild = random.next();
    match random.below(8) {
        0 => command.kind = wild as u8,
        1 => command.side = wild as u8,
        2 => command.time_in_force = (wild as u8).max(TimeInForce::AtClose as u8 + 1),
        3 => command.symbol = [0, SYMBOLS as u16 + 1][wild as usize % 2],
        4 => command.old_user_ref = wild as u32,
        5 => command.quantity = [0, QUANTITY_MAX, QUANTITY_MAX + 1, u32::MAX][wild as usize % 4],
        6 => command.price = [0, 1, PRICE_MAX, PRICE_MARKET + 1, wild as i64][wild as usize % 5],
        _ => command.flags = wild as u8 & !(EXTRA_ALL_OR_NONE | EXTRA_TO_LIMIT),
    }
    // Ending the day, tables that only the real engine has, and what the hostile stream asks for
    // increment by increment, are not for this one.
    if command.kind == CommandKind::DefineSession as u8
        || (CommandKind::CloseDay as u8..CommandKind::Extra as u8).contains(&command.kind)
    {
        command.kind = 0;
    }
    if command.kind == CommandKind::DefineSymbol as u8 {
        command.symbol = 1;
    }
    command
}

#[test]
fn chaos_is_answered_as_the_reference_answers() {
    for seed in 1..=6 {
        let limits = Limits {
            symbols: SYMBOLS as u16,
            sessions: SESSIONS as u16,
            orders: 20_000,
            special: 1,
            price_groups: 8_000,
            accounts: 0,
        };
        let mut pair = Pair::new(seed, limits);
        let mut chaos = Chaos {
            random: Random(seed),
            user_refs: Default::default(),
        };
        for symbol in 1..=SYMBOLS as u16 {
            let name = *b"CHAOS           ".first_chunk().expect("14 letters");
            pair.apply(Command {
                symbol,
                client_id: name,
                ..of(CommandKind::DefineSymbol)
            });
        }
        for session in 1..=SESSIONS as u16 {
            pair.apply(Command {
                session,
                user_ref: 7,
                ..of(CommandKind::DefineSession)
            });
        }
        pair.apply(chaos.next());
        pair.apply(of(CommandKind::OpenDay));
        let mut fills = 0;
        for _ in 0..50_000 {
            let events = pair.apply(chaos.next());
            fills += events
                .iter()
                .filter(|event| event.has(Event::MAKER))
                .count();
        }
        pair.compare_books();
        assert!(fills > 5_000, "seed {seed}: only {fills} fills");
        assert!(pair.rig.engine.live_orders() > 100, "seed {seed}");
        pair.apply(of(CommandKind::CloseDay));
        pair.apply(chaos.next());
        pair.compare_books();
    }
}

#[test]
fn market_like_flow_is_answered_as_the_reference_answers() {
    let shape = Shape {
        seed: 11,
        symbols: 20,
        sessions: 7,
        standing: 3_000,
        gap_mean_ns: 1_000,
        ..Shape::default()
    };
    let limits = Limits {
        symbols: 20,
        sessions: 7,
        orders: 20_000,
        special: 1,
        price_groups: 16_000,
        accounts: 0,
    };
    let mut generator = Generator::new(&shape).expect("a good shape");
    let mut pair = Pair::new(shape.seed, limits);
    for command in generator.opening() {
        pair.apply(command);
    }
    let mut fills = 0;
    for _ in 0..60_000 {
        let command = generator.next_item().command;
        for event in pair.apply(command) {
            generator.on_event(&event);
            fills +=
                usize::from(event.kind == EventKind::Executed as u8 && event.has(Event::MAKER));
        }
    }
    pair.compare_books();
    assert!(fills > 1_000, "only {fills} fills");
    pair.apply(of(CommandKind::CloseDay));
    pair.compare_books();
}
