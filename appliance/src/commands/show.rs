//! `wirecross admin show`: how a venue stands.
//!
//! Markets, accounts and kill switches are those of the journal's last input, by running the day
//! again; users and rings are read from the counters of the venue, if it runs.

use super::today;
use crate::client::top::{Picture, Reading, Waiting};
use crate::topology::{Link, RISK_LIMITS, Role, Topology};
use crate::venue::word::state_name;
use crate::venue::{decimals, seat_told};
use matching::{AccountStanding, Engine};
use serde::Serialize;
use session::Network;
use session::order_entry::{Rate, Settings};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::ControlFlow;
use wire::ring::{Event, EventKind, Input, Side};

/// How a venue stands.
#[derive(Debug, Serialize)]
pub(super) struct Standing {
    is_running: bool,
    /// The last input of the journal.
    input: u64,
    live_orders: u32,
    symbols: Vec<Symbol>,
    accounts: Vec<Account>,
    users: Vec<User>,
    rings: Vec<Ring>,
}

#[derive(Debug, Serialize)]
struct Symbol {
    name: String,
    state: &'static str,
    /// Prices in 1/10,000.
    last: Option<u32>,
    best_buy: Option<i64>,
    best_sell: Option<i64>,
    is_killed: bool,
}

#[derive(Debug, Serialize)]
struct Account {
    account: u32,
    live_orders: u32,
    /// Values in 1/10,000, as decimal text: they may have more digits than other programs read.
    gross: String,
    net_buy: String,
    net_sell: String,
    /// By name, those that are set.
    limits: BTreeMap<&'static str, u64>,
    restricted: Vec<String>,
    /// Units bought less units sold, by symbol.
    positions: BTreeMap<String, i64>,
}

#[derive(Debug, Serialize)]
struct User {
    session: u16,
    name: String,
    /// Its accounts, the first one that of orders that name none.
    accounts: Vec<Mandate>,
    is_connected: bool,
    is_locked: bool,
    is_killed: bool,
    /// Taken away by an operator.
    is_gone: bool,
}

#[derive(Debug, Serialize)]
struct Mandate {
    account: u32,
    role: &'static str,
}

#[derive(Debug, Serialize)]
struct Ring {
    link: String,
    waiting: u64,
    depth: usize,
}

impl Standing {
    /// Of a venue, or of what it left behind.
    ///
    /// # Errors
    /// The journal of its newest day cannot be run again.
    pub(super) fn of(topology: &Topology) -> Result<Self, String> {
        let reading = Reading::take(&topology.data_dir, 0).ok();
        let reading = reading.filter(|reading| reading.is_running);
        let (mut input, mut changes) = (0, Changes::default());
        let on = &mut |event: &Event, told: &Input| {
            input = told.sequence;
            changes.hear(event);
            ControlFlow::Continue(())
        };
        let mut standing = today::run(topology, on, |engine| Self {
            is_running: reading.is_some(),
            input: 0,
            live_orders: engine.live_orders(),
            symbols: symbols(topology, engine),
            accounts: accounts(topology, engine),
            users: users(topology, engine, reading.as_ref()),
            rings: reading
                .as_ref()
                .map_or_else(Vec::new, |it| rings(topology, it)),
        })?;
        standing.input = input;
        changes.name(&mut standing.users);
        Ok(standing)
    }

    /// Tables for people.
    pub(super) fn text(&self) -> String {
        let venue = if self.is_running {
            "running"
        } else {
            "not running"
        };
        let mut text = format!(
            "{venue}, behind input {}: {} live orders\n\n{:<8} {:<19} {:>14} {:>14} {:>14}\n",
            self.input, self.live_orders, "symbol", "state", "last", "best buy", "best sell"
        );
        // Writing to a String cannot fail.
        for it in &self.symbols {
            let last = it.last.map(i64::from);
            let [last, buy, sell] = [last, it.best_buy, it.best_sell].map(price);
            let killed = if it.is_killed { "  KILLED" } else { "" };
            let _ = writeln!(
                text,
                "{:<8} {:<19} {last:>14} {buy:>14} {sell:>14}{killed}",
                it.name, it.state
            );
        }
        text += "\nuser     connection, accounts\n";
        for it in &self.users {
            let (seat, locked) = it.seat_words();
            let killed = match (it.is_gone, it.is_killed) {
                (true, _) => ", REMOVED",
                (_, true) => ", KILLED",
                _ => "",
            };
            let accounts = it.accounts_told();
            let _ = writeln!(text, "{:<8} {seat}{locked}{killed}: {accounts}", it.name);
        }
        self.accounts.iter().for_each(|it| it.write(&mut text));
        if !self.rings.is_empty() {
            text += "\nring              waiting of\n";
        }
        for it in &self.rings {
            let _ = writeln!(text, "{:<16} {:>8} {}", it.link, it.waiting, it.depth);
        }
        text
    }
}

impl User {
    fn accounts_told(&self) -> String {
        let told = |one: &Mandate| format!("{} {}", one.account, one.role);
        let accounts: Vec<String> = self.accounts.iter().map(told).collect();
        accounts.join(", ")
    }

    const fn seat_words(&self) -> (&'static str, &'static str) {
        let seat = if self.is_connected {
            "connected"
        } else {
            "away"
        };
        (seat, if self.is_locked { ", locked" } else { "" })
    }
}

impl Account {
    fn write(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "\naccount {}: {} live orders, gross {}, net of buys {}, of sells {}",
            self.account, self.live_orders, self.gross, self.net_buy, self.net_sell
        );
        let list = |text: &mut String, name: &str, all: Vec<String>| {
            if !all.is_empty() {
                let _ = writeln!(text, "  {name}: {}", all.join(", "));
            }
        };
        let limits = self.limits.iter().map(|(name, it)| format!("{name} {it}"));
        list(text, "limits", limits.collect());
        let positions = self.positions.iter();
        let positions = positions.map(|(name, units)| format!("{name} {units}"));
        list(text, "positions", positions.collect());
        list(text, "restricted", self.restricted.clone());
    }
}

fn price(price: Option<i64>) -> String {
    price.map_or_else(|| "-".to_owned(), decimals)
}

fn symbols(topology: &Topology, engine: &Engine<'_>) -> Vec<Symbol> {
    let best = |symbol, side| engine.best(symbol, side).map(|(price, _)| price);
    let symbol = |(name, number): (&String, u16)| {
        let market = engine.market_standing(number)?;
        Some(Symbol {
            name: name.clone(),
            state: state_name(market.state as u32),
            last: (market.last != 0).then_some(market.last),
            best_buy: best(number, Side::Buy),
            best_sell: best(number, Side::Sell),
            is_killed: market.is_killed,
        })
    };
    topology
        .symbols
        .iter()
        .zip(1..)
        .filter_map(symbol)
        .collect()
}

fn users(topology: &Topology, engine: &Engine<'_>, reading: Option<&Reading>) -> Vec<User> {
    let user = |(user, session): (&crate::topology::User, u16)| {
        let own = engine.mandates().filter(|one| one.user == session);
        let accounts = own.map(|one| Mandate {
            account: one.account,
            role: Role::of(one.may).map_or("other", Role::name),
        });
        let is_killed = engine.is_session_killed(session);
        seated((session, user), accounts.collect(), is_killed, reading)
    };
    topology.users.iter().zip(1..).map(user).collect()
}

/// A user with what the venue's counters say of it.
fn seated(
    (session, user): (u16, &crate::topology::User),
    accounts: Vec<Mandate>,
    is_killed: bool,
    reading: Option<&Reading>,
) -> User {
    let counter = |name: &str| reading.and_then(|reading| reading.get(name));
    let (is_connected, is_locked) = seat_told(&user.name, &counter);
    User {
        session,
        name: user.name.clone(),
        accounts,
        is_connected,
        is_locked,
        is_killed,
        is_gone: false,
    }
}

/// A line for each user of a running venue: its number, its accounts and what it may do for each,
/// and whether it is there. Where the day cannot be run again the accounts are the topology's, and
/// the text says so.
pub(super) fn sessions_told(topology: &Topology, reading: &Reading) -> String {
    let mut changes = Changes::default();
    let on = &mut |event: &Event, _: &Input| {
        changes.hear(event);
        ControlFlow::Continue(())
    };
    let granted = today::run(topology, on, |engine| {
        users(topology, engine, Some(reading))
    });
    let (mut users, warning) = match granted {
        Ok(users) => (users, None),
        Err(error) => (users_defined(topology, reading), Some(error)),
    };
    let mut text = String::new();
    changes.name(&mut users);
    for it in &users {
        let (seat, locked) = it.seat_words();
        let accounts = it.accounts_told();
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "{} {}: {seat}{locked}; {accounts}",
            it.session, it.name
        );
        let changed = changes.0.get(&it.session).map_or_else(Vec::new, changed);
        let changed = changed.iter().map(|it| format!("; {it}"));
        let _ = writeln!(text, "{}", changed.collect::<String>());
    }
    if let Some(error) = warning {
        let _ = writeln!(text, "accounts as the topology has them: {error}");
    }
    text
}

/// What operators changed of users, by their sessions.
#[derive(Default)]
struct Changes(BTreeMap<u16, Settings>);

impl Changes {
    fn hear(&mut self, event: &Event) {
        if event.kind == EventKind::AccessChanged as u8 {
            self.0.entry(event.session).or_default().hear(event);
        }
    }

    /// Names users that came in the running day; a place that nobody has yet is left out.
    fn name(&self, users: &mut Vec<User>) {
        for user in &mut *users {
            let Some(settings) = self.0.get(&user.session) else {
                continue;
            };
            if let Some(named) = &settings.named {
                user.name.clone_from(&named.user);
            }
            user.is_gone = settings.is_gone;
        }
        users.retain(|user| is_named(&user.name));
    }
}

/// Whether a name is that of a user, not of a place.
fn is_named(name: &str) -> bool {
    name.bytes().all(|letter| letter.is_ascii_alphanumeric())
}

/// What operators changed of a user, in words; of its password no more than that.
fn changed(settings: &Settings) -> Vec<String> {
    let rate = |rate: Rate| match rate.a_second {
        0 => "rate off".to_owned(),
        a_second => format!(
            "rate {a_second} a second, {} at once, {} refusals",
            rate.at_once, rate.refusals_max
        ),
    };
    let grace = |grace: Option<u64>| match grace {
        None => "grace off".to_owned(),
        Some(ns) => format!("grace {} ms", ns / 1_000_000),
    };
    let addresses = |all: &Vec<Network>| match all.as_slice() {
        [] => "from anywhere".to_owned(),
        all => {
            let all: Vec<String> = all.iter().map(ToString::to_string).collect();
            format!("from {}", all.join(" "))
        }
    };
    let secret = settings
        .secret
        .as_ref()
        .filter(|_| settings.named.is_none())
        .map(|_| "another password".to_owned());
    let came = settings.named.as_ref().map(|named| {
        let firm = String::from_utf8_lossy(&named.firm);
        format!("came today, of {}", firm.trim_end())
    });
    let gone = settings.is_gone.then(|| "removed".to_owned());
    let simple = [settings.rate.map(rate), settings.grace.map(grace)];
    let lists = [settings.networks.as_ref().map(addresses), secret];
    let ends = [came, gone].into_iter();
    ends.chain(simple).chain(lists).flatten().collect()
}

/// The users with the accounts that a day begins with.
fn users_defined(topology: &Topology, reading: &Reading) -> Vec<User> {
    let user = |(user, session): (&crate::topology::User, u16)| {
        let first = (user.account, user.role);
        let more = user.mandates.iter().map(|one| (one.account, one.role));
        let all = std::iter::once(first).chain(more);
        let accounts = all.map(|(account, role)| Mandate {
            account,
            role: role.name(),
        });
        seated((session, user), accounts.collect(), false, Some(reading))
    };
    topology.users.iter().zip(1..).map(user).collect()
}

fn accounts(topology: &Topology, engine: &Engine<'_>) -> Vec<Account> {
    let live = live_units(engine);
    let account = |it: AccountStanding| {
        let limits = RISK_LIMITS.into_iter().zip(it.limits);
        let named = || topology.symbols.iter().zip(1_u16..);
        let position = |(name, symbol): (&String, u16)| {
            let [buy, _] = engine.account_units(it.account, symbol);
            let buys = live.get(&(it.account, symbol)).copied().unwrap_or(0);
            (buy != buys).then(|| (name.clone(), buy - buys))
        };
        let is_restricted = |symbol| engine.is_account_restricted(it.account, symbol);
        let restricted = named().filter(|(_, symbol)| is_restricted(*symbol));
        Account {
            account: it.account,
            live_orders: it.live_orders,
            gross: it.gross.to_string(),
            net_buy: it.net[0].to_string(),
            net_sell: it.net[1].to_string(),
            limits: limits.filter(|(_, limit)| *limit != 0).collect(),
            restricted: restricted.map(|(name, _)| name.clone()).collect(),
            positions: named().filter_map(position).collect(),
        }
    };
    engine.accounts().map(account).collect()
}

/// Units of live buys by account and symbol.
fn live_units(engine: &Engine<'_>) -> BTreeMap<(u32, u16), i64> {
    let accounts = engine.mandates().map(|one| (one.session, one.account));
    let accounts: BTreeMap<u16, u32> = accounts.collect();
    let mut live = BTreeMap::new();
    for symbol in engine.symbols() {
        let mut count = |order: matching::RestingOrder| {
            let account = accounts.get(&order.session);
            if let Some(account) = account.filter(|_| order.side == Side::Buy) {
                *live.entry((*account, symbol)).or_insert(0) += i64::from(order.quantity);
            }
        };
        engine.orders(symbol, Side::Buy, &mut count);
        engine.parked(symbol, &mut count);
    }
    live
}

fn rings(topology: &Topology, reading: &Reading) -> Vec<Ring> {
    let waiting = Picture::of(reading, None).waiting.into_iter();
    let ring = |it: Waiting| {
        let link = Link::ALL.into_iter().find(|link| link.name() == it.link)?;
        Some(Ring {
            waiting: it.count,
            depth: topology.depth(link),
            link: it.link,
        })
    };
    waiting.filter_map(ring).collect()
}
