//! No session moves another one's orders, whatever it names.
//!
//! Eight users, four of whom have two of four accounts, send commands about one another's newest
//! references, by their own numbers and by those that they have for their second accounts. What an
//! order loses but by a trade, it loses by a command of its own user, and one that names a number
//! for one account moves no order of another one; by a mass cancel of an account, only if it is of
//! that account, and of the user's if a user asks for it. What takes the place of an order is of
//! the same account.
#![allow(clippy::unwrap_used)]

use matching::{Engine, Events, Limits, Line, Step};
use std::collections::BTreeMap;
use wire::ring::{Command, CommandKind, Event, EventKind, Input, MASS_OF_USER, MAY_TRADE, Side};

const USERS: u16 = 8;
/// Users of several accounts: the last ones.
const MANDATES: u16 = 4;
const NUMBERS: u16 = USERS + MANDATES;
const ACCOUNTS: u16 = 4;

/// Commands about an order that is named. In all, there are 10,000,000 with `SIEGE_FULL`.
const TRIES: u64 = 300_000;
const TRIES_FULL: u64 = 10_000_000;

/// Of so many newest references one is named.
const RECENT: u64 = 100;

struct Venue<'m> {
    engine: Engine<'m>,
    events: Events,
    sequence: u64,
    /// The number that each live order is under.
    owners: BTreeMap<u64, u16>,
    /// The same by reference: no two numbers use the same one.
    names: BTreeMap<u32, u16>,
    /// Orders that left by a mass cancel of a user.
    taken_off: u64,
    state: u64,
}

impl Venue<'_> {
    fn below(&mut self, end: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % end
    }

    fn apply(&mut self, command: Command) -> Vec<Event> {
        self.sequence += 1;
        let input = Input {
            sequence: self.sequence,
            time_ns: self.sequence,
            command,
        };
        let mut all = Vec::new();
        let mut step = self.engine.apply(&input, &mut self.events);
        loop {
            all.extend_from_slice(self.events.as_slice());
            if step == Step::Done {
                return all;
            }
            step = self.engine.resume(&mut self.events);
        }
    }

    /// One command of somebody, judged; whether it named an order of another session.
    fn attempt(&mut self) -> bool {
        let session = self.below(NUMBERS.into()) as u16 + 1;
        let fresh = self.sequence as u32;
        let named = fresh.saturating_sub(self.below(RECENT) as u32);
        // The sides meet at two prices only, so that many orders rest.
        let side = self.below(2) as u8;
        let command = Command {
            session,
            symbol: 1,
            side,
            quantity: self.below(20) as u32,
            price: i64::from(side) * 20 + 80 + self.below(22) as i64,
            user_ref: named,
            old_user_ref: named,
            ..Command::BLANK
        };
        let (kind, command) = match self.below(64) {
            0..24 => (
                CommandKind::New,
                Command {
                    user_ref: fresh,
                    ..command
                },
            ),
            24..40 => (CommandKind::Cancel, command),
            40..54 => (
                CommandKind::Replace,
                Command {
                    user_ref: fresh,
                    ..command
                },
            ),
            54..63 => (CommandKind::Amend, command),
            _ => (CommandKind::MassCancel, self.mass_cancel(command, fresh)),
        };
        let command = Command {
            kind: kind as u8,
            ..command
        };
        let owner = self.names.get(&named).copied();
        for event in self.apply(command) {
            self.judge(&event, &command);
        }
        kind != CommandKind::New && owner.is_some_and(|owner| !reaches(session, owner))
    }

    /// A mass cancel of an account by the operator, or by a user; of any account, now and then of
    /// one side.
    fn mass_cancel(&mut self, command: Command, fresh: u32) -> Command {
        let (own, any) = (account_of(command.session), self.below(ACCOUNTS.into()) + 1);
        let is_own = self.below(2) == 0;
        let account = if is_own { u32::from(own) } else { any as u32 };
        let (flags, session) = [(0, 0), (MASS_OF_USER, 1)][self.below(2) as usize];
        Command {
            letters: [2 | session | [0, 4][self.below(2) as usize], 0, 0, 0],
            flags,
            user_ref: account,
            old_user_ref: fresh,
            ..command
        }
    }

    fn judge(&mut self, event: &Event, command: &Command) {
        let is_mass = command.kind == CommandKind::MassCancel as u8;
        match EventKind::from_byte(event.kind).unwrap() {
            EventKind::Accepted | EventKind::Replaced => {
                if event.kind == EventKind::Replaced as u8 {
                    assert!(
                        reaches(command.session, event.session),
                        "{command:?}: {event:?}"
                    );
                    let owner = self.owners.remove(&event.related);
                    assert_eq!(owner, Some(event.session), "{command:?}: {event:?}");
                    self.names.remove(&event.old_user_ref);
                } else {
                    assert_eq!(event.session, command.session, "{command:?}: {event:?}");
                }
                self.names.insert(event.user_ref, event.session);
                self.owners.insert(event.order_ref, event.session);
            }
            EventKind::Canceled | EventKind::Reduced => {
                let owner = self.owners.get(&event.order_ref).copied();
                let owner = owner.expect("nothing leaves that was never taken");
                assert_eq!(owner, event.session, "{command:?}: {event:?}");
                if is_mass {
                    assert_eq!(u32::from(account_of(owner)), command.user_ref);
                    let is_side = command.letters[0] & 4 == 0 || event.side == command.side;
                    assert!(is_side, "{command:?}: {event:?}");
                    self.taken_off += u64::from(command.flags == MASS_OF_USER);
                }
                if !is_mass || command.flags == MASS_OF_USER {
                    assert!(reaches(command.session, owner), "{command:?}: {event:?}");
                }
                if event.kind == EventKind::Canceled as u8 {
                    self.forget(event);
                }
            }
            EventKind::Executed => {
                assert_eq!(self.owners.get(&event.order_ref), Some(&event.session));
                if event.leaves == 0 {
                    self.forget(event);
                }
            }
            _ => {}
        }
    }

    fn forget(&mut self, event: &Event) {
        self.owners.remove(&event.order_ref);
        self.names.remove(&event.user_ref);
    }
}

/// Two users have each account as their first one.
const fn account_of(number: u16) -> u16 {
    let second = if number > USERS { 1 } else { 0 };
    (number + second) % ACCOUNTS + 1
}

/// Whose a number is.
const fn user_of(number: u16) -> u16 {
    if number > USERS {
        number - MANDATES
    } else {
        number
    }
}

/// Whether a command that names a number is about orders under another one: a user's own is about
/// all that it has.
const fn reaches(named: u16, number: u16) -> bool {
    named == number || named == user_of(number)
}

#[test]
fn no_order_leaves_by_another_accounts_word() {
    let limits = Limits {
        symbols: 1,
        sessions: NUMBERS,
        orders: 4_096,
        special: 16,
        price_groups: 64,
        accounts: 0,
    };
    let mut lines = vec![Line::ZERO; limits.lines()];
    let mut venue = Venue {
        engine: Engine::new(limits, &mut lines).unwrap(),
        events: Events::new(),
        sequence: 0,
        owners: BTreeMap::new(),
        names: BTreeMap::new(),
        taken_off: 0,
        state: 0x9e37_79b9_7f4a_7c15,
    };
    let define = |kind: CommandKind| Command {
        kind: kind as u8,
        ..Command::BLANK
    };
    venue.apply(Command {
        symbol: 1,
        ..define(CommandKind::DefineSymbol)
    });
    for session in 1..=USERS {
        // References of users of one account come in any order.
        let has_one = session <= USERS - MANDATES;
        venue.apply(Command {
            session,
            user_ref: account_of(session).into(),
            letters: [0, u8::from(has_one), 0, 0],
            ..define(CommandKind::DefineSession)
        });
    }
    for number in USERS + 1..=NUMBERS {
        let granted = venue.apply(Command {
            session: user_of(number),
            user_ref: account_of(number).into(),
            flags: MAY_TRADE,
            ..define(CommandKind::Grant)
        });
        assert_eq!((granted[0].session, granted[0].reason), (number, 0));
    }
    venue.apply(define(CommandKind::OpenDay));
    let is_full = std::env::var_os("SIEGE_FULL").is_some();
    let tries = if is_full { TRIES_FULL } else { TRIES };
    let (mut foreign, mut left) = (0, tries);
    while left > 0 {
        foreign += u64::from(venue.attempt());
        left -= 1;
    }
    assert!(foreign > tries / 20, "{foreign} named another one's order");
    let taken_off = venue.taken_off;
    assert!(
        taken_off > tries / 1_000,
        "{taken_off} left by mass cancels of users"
    );
    println!(
        "{tries} commands, {foreign} about another one's order, 0 of those moved: {taken_off} \
              left by mass cancels of users"
    );
    let live: Vec<u16> = [Side::Buy, Side::Sell]
        .into_iter()
        .flat_map(|side| {
            let mut all = Vec::new();
            venue.engine.orders(1, side, |order| {
                assert_eq!(venue.owners.get(&order.order_ref), Some(&order.session));
                all.push(order.session);
            });
            all
        })
        .collect();
    assert_eq!(
        live.len(),
        venue.owners.len(),
        "what stays is what nobody lost"
    );
}
