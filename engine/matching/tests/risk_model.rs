//! Random orders of accounts with random limits, against the naive risk model, by an engine that is
//! stopped and started from its own bytes again and again.
//!
//! Each event must be the model's: an order beyond a limit is refused for the model's reason, and
//! none that is within is. Every session wants one of the four kinds of self-trade prevention, so
//! no account may trade with itself. Some users enter orders of two accounts and name them by their
//! own number. There are 10,000,000 commands with `SIEGE_FULL`.
#![allow(clippy::unwrap_used)]

mod common;

use common::of;
use flow::Naive;
use matching::{Engine, Events, Limits, Line, Step};
use std::collections::{BTreeMap, VecDeque};
use wire::ring::{
    Command, CommandKind, Event, EventKind, Input, MASS_OF_USER, MAY_CANCEL, MAY_TRADE,
    PRICE_MARKET, Reason, TimeInForce,
};

/// Commands, and how many of them a day has.
const COMMANDS: u64 = 60_000;
const COMMANDS_FULL: u64 = 10_000_000;
const DAY: u64 = 20_000;
/// Commands from one start of the engine to the next, at most.
const STRETCH: u64 = 1_500;

const SYMBOLS: u64 = 3;
const SESSIONS: u16 = 8;
/// Sessions from 1 on have another account, too, under a number from [`SESSIONS`] + 1 on.
const MANDATES: u16 = 4;
const ACCOUNTS: u32 = 4;

/// Of so many newest references one is named.
const RECENT: u64 = 12;

const LIMITS: Limits = Limits {
    symbols: SYMBOLS as u16,
    sessions: SESSIONS + MANDATES,
    orders: 2_048,
    special: 512,
    price_groups: 64,
    accounts: ACCOUNTS as u16,
};

/// What limits can refuse for.
const REASONS: [Reason; 10] = [
    Reason::MaxQuantity,
    Reason::MaxNotional,
    Reason::FatFinger,
    Reason::MaxOpenOrders,
    Reason::MaxPosition,
    Reason::GrossCredit,
    Reason::NetCredit,
    Reason::RateLimit,
    Reason::Restricted,
    Reason::NotPermitted,
];

/// Two sessions in a row have an account, and what they want differs.
const fn account_of(number: u16) -> u32 {
    let account = (user_of(number) as u32 - 1) / 2 + 1;
    if number > SESSIONS {
        account % ACCOUNTS + 1
    } else {
        account
    }
}

/// Whose a number is.
const fn user_of(number: u16) -> u16 {
    if number > SESSIONS {
        number - SESSIONS
    } else {
        number
    }
}

/// 1 to 4: the newest goes, the oldest, both, or what both have is taken off both.
const fn mode_of(number: u16) -> u8 {
    (user_of(number) % 4) as u8 + 1
}

/// What happened so far.
#[derive(Default)]
struct Counts {
    accepted: u64,
    trades: u64,
    starts: u64,
    /// Of them for an account that is not the user's first.
    mandated: u64,
    /// Orders that left by a mass cancel of their own user.
    taken_off: u64,
    refused: BTreeMap<u8, u64>,
    /// Trades that were prevented, by what the arriving order's session wants.
    prevented: [u64; 5],
}

/// Commands of a day.
struct Day {
    state: u64,
    waiting: VecDeque<Command>,
    refs: [u32; SESSIONS as usize + 1],
    sequence: u64,
    time_ns: u64,
}

impl Day {
    fn new(seed: u64) -> Self {
        let mut day = Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            waiting: VecDeque::new(),
            refs: [0; SESSIONS as usize + 1],
            sequence: 0,
            time_ns: 1_700_000_000_000_000_000,
        };
        for symbol in 1..=SYMBOLS as u16 {
            day.waiting.push_back(Command {
                symbol,
                ..of(CommandKind::DefineSymbol)
            });
        }
        for session in 1..=SESSIONS {
            day.waiting.push_back(Command {
                session,
                user_ref: account_of(session),
                letters: [mode_of(session), 0, 0, 0],
                ..of(CommandKind::DefineSession)
            });
        }
        for number in SESSIONS + 1..=SESSIONS + MANDATES {
            day.waiting.push_back(Command {
                session: user_of(number),
                user_ref: account_of(number),
                flags: MAY_TRADE,
                ..of(CommandKind::Grant)
            });
        }
        for number in 1..=8 {
            for account in 1..=ACCOUNTS {
                let limit = day.limit(number, account);
                day.waiting.push_back(limit);
            }
        }
        day.waiting.push_back(of(CommandKind::OpenDay));
        day
    }

    fn below(&mut self, end: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % end
    }

    /// A limit that is often reached, or none.
    fn limit(&mut self, number: u8, account: u32) -> Command {
        const HIGHEST: [u64; 10] = [1, 60, 8_000, 2_000, 30, 400, 90_000, 60_000, 2_000, 1];
        let value = match (number, self.below(6)) {
            (9, 0) => 1,
            (9, _) | (_, 0..3) => 0,
            _ => 1 + self.below(HIGHEST[usize::from(number)]),
        };
        Command {
            flags: number,
            user_ref: account,
            symbol: 1 + self.below(SYMBOLS) as u16,
            quantity: 1 + self.below(8) as u32,
            price: value as i64,
            ..of(CommandKind::SetLimit)
        }
    }

    /// What may be done under a number, mostly all that is usual; behind it a replacement of an
    /// order that was entered under it, by the user's own number.
    fn grant(&mut self, number: u16) -> Command {
        let entered = self.order(number);
        let replacement = Command {
            kind: CommandKind::Replace as u8,
            old_user_ref: entered.user_ref,
            ..self.order(user_of(number))
        };
        let granted = self.granted(number);
        self.waiting.extend([granted, replacement]);
        entered
    }

    fn granted(&mut self, number: u16) -> Command {
        Command {
            session: user_of(number),
            user_ref: account_of(number),
            flags: if self.below(3) == 0 {
                MAY_CANCEL
            } else {
                MAY_TRADE
            },
            ..of(CommandKind::Grant)
        }
    }

    fn order(&mut self, session: u16) -> Command {
        let last = &mut self.refs[usize::from(user_of(session))];
        *last += 1;
        let fresh = *last;
        let is_ioc = self.below(5) == 0;
        let is_market = self.below(20) == 0;
        let time_in_force = if is_ioc {
            TimeInForce::ImmediateOrCancel
        } else {
            TimeInForce::Day
        };
        Command {
            side: self.below(2) as u8,
            symbol: 1 + self.below(SYMBOLS) as u16,
            session,
            user_ref: fresh,
            quantity: 1 + self.below(40) as u32,
            price: if is_market {
                PRICE_MARKET
            } else {
                90 + self.below(20) as i64
            },
            time_in_force: time_in_force as u8,
            ..of(CommandKind::New)
        }
    }

    fn command(&mut self) -> Command {
        if let Some(command) = self.waiting.pop_front() {
            return command;
        }
        let number = 1 + self.below((SESSIONS + MANDATES).into()) as u16;
        // All but new orders mostly name the user's own number.
        let session = if self.below(4) == 0 {
            number
        } else {
            user_of(number)
        };
        let recent =
            self.refs[usize::from(user_of(session))].saturating_sub(self.below(RECENT) as u32);
        let named = |command: Command| Command {
            session,
            old_user_ref: recent,
            user_ref: recent,
            ..command
        };
        match self.below(100) {
            0..3 => {
                let (number, account) = (1 + self.below(9), 1 + self.below(ACCOUNTS.into()));
                self.limit(number as u8, account as u32)
            }
            3..6 => {
                // An iceberg: the order follows what it shows.
                let session = number;
                let order = self.order(session);
                self.waiting.push_back(order);
                Command {
                    session,
                    old_user_ref: 1 + self.below(10) as u32,
                    ..of(CommandKind::Extra)
                }
            }
            6..20 => Command {
                kind: CommandKind::Replace as u8,
                old_user_ref: recent,
                ..self.order(session)
            },
            20..35 => {
                let quantity = self.below(20) as u32;
                named(Command {
                    quantity: quantity.saturating_sub(10),
                    ..of(CommandKind::Cancel)
                })
            }
            35 => match self.below(2) {
                0 => named(Command {
                    letters: [1 + self.below(2) as u8, 0, 0, 0],
                    ..of(CommandKind::MassCancel)
                }),
                _ => self.mass_of_user(session),
            },
            36 => self.grant(number),
            _ => self.order(number),
        }
    }

    /// A user takes off what it has of an account, its own or another one, or of all.
    fn mass_of_user(&mut self, session: u16) -> Command {
        let last = &mut self.refs[usize::from(user_of(session))];
        *last += 1;
        let old_user_ref = *last;
        let own = account_of(session);
        Command {
            session,
            old_user_ref,
            user_ref: [own, 1 + self.below(ACCOUNTS.into()) as u32][self.below(2) as usize],
            side: self.below(2) as u8,
            symbol: 1 + self.below(SYMBOLS) as u16,
            // 1: its own; or of the account, of one side, of one symbol.
            letters: [1 | (self.below(16) << 1 & 14) as u8, 0, 0, 0],
            flags: MASS_OF_USER,
            ..of(CommandKind::MassCancel)
        }
    }

    fn input(&mut self) -> Input {
        let command = self.command();
        self.sequence += 1;
        self.time_ns += self.below(2_000_000);
        Input {
            sequence: self.sequence,
            time_ns: self.time_ns,
            command,
        }
    }
}

fn apply(engine: &mut Engine<'_>, input: &Input) -> Vec<Event> {
    let mut events = Events::new();
    let mut step = engine.apply(input, &mut events);
    let mut all = events.as_slice().to_vec();
    while step == Step::More {
        step = engine.resume(&mut events);
        all.extend_from_slice(events.as_slice());
    }
    all
}

impl Counts {
    fn judge(&mut self, input: &Input, events: &[Event]) {
        let mut sides: BTreeMap<u64, u16> = BTreeMap::new();
        for event in events {
            match EventKind::from_byte(event.kind).unwrap() {
                EventKind::Accepted | EventKind::Replaced => {
                    self.accepted += 1;
                    self.mandated += u64::from(event.session > SESSIONS);
                }
                EventKind::Rejected => *self.refused.entry(event.reason).or_default() += 1,
                EventKind::Executed => {
                    if let Some(other) = sides.insert(event.related, event.session) {
                        self.trades += 1;
                        let accounts = [other, event.session].map(account_of);
                        assert_ne!(accounts[0], accounts[1], "{input:?}: {events:?}");
                    }
                }
                EventKind::MassCanceled if input.command.flags == MASS_OF_USER => {
                    let gone = events.iter().filter(|event| {
                        let user = user_of(input.command.session);
                        event.kind == EventKind::Canceled as u8 && user_of(event.session) == user
                    });
                    let gone = gone.count() as u64;
                    assert_eq!(events.len() as u64, gone + 1, "{input:?}: {events:?}");
                    self.taken_off += gone;
                }
                _ if event.reason == Reason::SelfTrade as u8 => {
                    self.prevented[usize::from(mode_of(input.command.session))] += 1;
                }
                _ => {}
            }
        }
    }

    fn told(&self) -> String {
        let refused = REASONS.map(|reason| {
            let count = self.refused.get(&(reason as u8)).copied().unwrap_or(0);
            format!("{count} {reason:?}")
        });
        format!(
            "{} orders taken, {} of them of users' second accounts, {} trades, {} taken off by \
             mass cancels of users, {} starts from bytes; refused: {}; self-trades prevented by \
             mode: {:?}",
            self.accepted,
            self.mandated,
            self.trades,
            self.taken_off,
            self.starts,
            refused.join(", "),
            &self.prevented[1..]
        )
    }
}

/// A day of an engine that starts again and again; the model never does.
fn day(seed: u64, memory: &mut [Line], counts: &mut Counts) {
    let (mut day, mut naive) = (Day::new(seed), Naive::new());
    let mut bytes: Option<Vec<u8>> = None;
    let mut left = DAY;
    while left > 0 {
        memory.fill(Line::ZERO);
        let mut engine = match &bytes {
            None => Engine::new(LIMITS, memory).unwrap(),
            Some(bytes) => Engine::restore(LIMITS, memory, bytes).unwrap(),
        };
        counts.starts += u64::from(bytes.is_some());
        let stretch = left.min(1 + day.below(STRETCH));
        for _ in 0..stretch {
            let input = day.input();
            let events = apply(&mut engine, &input);
            let expected = naive.apply(&input);
            assert_eq!(events, expected, "seed {seed}: {input:?}");
            counts.judge(&input, &events);
        }
        left -= stretch;
        let mut next = Vec::new();
        engine.snapshot(&mut |piece| next.extend_from_slice(piece));
        bytes = Some(next);
    }
}

#[test]
fn no_limit_is_passed_and_no_account_trades_with_itself() {
    let is_full = std::env::var_os("SIEGE_FULL").is_some();
    let commands = if is_full { COMMANDS_FULL } else { COMMANDS };
    let mut memory = vec![Line::ZERO; LIMITS.lines()];
    let mut counts = Counts::default();
    for seed in 1..=commands / DAY {
        day(seed, &mut memory, &mut counts);
    }
    println!("{commands} commands, 0 differences: {}", counts.told());
    for reason in REASONS {
        assert!(
            counts.refused.contains_key(&(reason as u8)),
            "{reason:?}: {}",
            counts.told()
        );
    }
    assert!(
        counts.prevented[1..].iter().all(|count| *count > 0),
        "{}",
        counts.told()
    );
    assert!(counts.mandated > commands / 200, "{}", counts.told());
    assert!(counts.taken_off > commands / 2_000, "{}", counts.told());
    assert!(counts.accepted > commands / 20, "{}", counts.told());
}
