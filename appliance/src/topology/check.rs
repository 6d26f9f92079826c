//! From what is written to what can be used: every value checked, alone and towards the others.

use super::{
    Ack, DEPTH_MAX, DEPTH_MIN, Ending, Error, Feed, FeedMode, Limits, Link, LinkSize, ORDERS_MAX,
    OrderEntry, Place, SYMBOLS_MAX, Tile, Topology, USERS_MAX, User, raw,
};
use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddrV4;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// Letters of a symbol in ITCH and OUCH.
const SYMBOL_LETTERS: usize = 8;
/// Letters of a SoupBinTCP user name, password, and of an OUCH firm.
const USER_LETTERS: usize = 6;
const PASSWORD_LETTERS: usize = 10;
const FIRM_LETTERS: usize = 4;

/// Reply bytes of a session that one resting order can ask for: accepted and then cancelled.
const REPLY_BYTES_PER_ORDER: usize = 256;

const MIB: usize = 1 << 20;

/// Checks the file.
pub(super) fn checked(file: raw::File) -> Result<Topology, Error> {
    let limits = limits(&file.limits)?;
    let symbols = symbols(file.symbols, limits)?;
    let users = users(file.users, limits)?;
    let places = places(&file.tiles)?;
    let links = links(&file.links)?;
    let order_entry = order_entry(&file.order_entry)?;
    let feed = feed(file.feed, symbols.len())?;
    Ok(Topology {
        name: not_empty("name", file.name, "give the topology a name")?,
        data_dir: PathBuf::from(not_empty("data_dir", file.data_dir, "name a directory")?),
        ack: ack(&file.ack)?,
        order_entry,
        feed,
        limits,
        ending: ending(&file.ending)?,
        segment_bytes: within("segment_mib", file.segment_mib, 1..=4096)? * MIB as u64,
        places,
        links,
        symbols,
        users,
    })
}

fn not_empty(key: &str, text: String, remedy: &str) -> Result<String, Error> {
    if text.trim().is_empty() {
        return Err(Error::value(key, "is empty", remedy));
    }
    Ok(text)
}

fn within<T: PartialOrd + Copy + std::fmt::Display>(
    key: &str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<T, Error> {
    if range.contains(&value) {
        return Ok(value);
    }
    let remedy = format!("write a number from {} to {}", range.start(), range.end());
    Err(Error::value(key, format!("is {value}"), remedy))
}

fn address(key: &str, text: &str) -> Result<SocketAddrV4, Error> {
    text.parse().map_err(|_| {
        Error::value(
            key,
            format!("is \"{text}\", which is no address"),
            "write an IPv4 address and a port, such as \"127.0.0.1:26400\"",
        )
    })
}

fn ack(text: &str) -> Result<Ack, Error> {
    [Ack::Memory, Ack::Disk]
        .into_iter()
        .find(|ack| ack.name() == text)
        .ok_or_else(|| {
            Error::value(
                "ack",
                format!("is \"{text}\""),
                "write \"memory\" or \"disk\"",
            )
        })
}

fn limits(raw: &raw::Limits) -> Result<Limits, Error> {
    let price_groups = raw
        .price_groups
        .unwrap_or_else(|| raw.orders.clamp(1_024, 1 << 16));
    Ok(Limits {
        symbols: within("limits.symbols", raw.symbols, 1..=SYMBOLS_MAX as u16)?,
        sessions: within("limits.sessions", raw.sessions, 1..=USERS_MAX as u16)?,
        orders: within("limits.orders", raw.orders, 1..=ORDERS_MAX)?,
        price_groups: within("limits.price_groups", price_groups, 16..=ORDERS_MAX)?,
    })
}

fn ending(raw: &raw::Ending) -> Result<Ending, Error> {
    let drain_s = within("ending.drain_s", raw.drain_s, 1..=3_600)?;
    let cutoff_s = within("ending.cutoff_s", raw.cutoff_s, 1..=3_600)?;
    if cutoff_s > drain_s {
        return Err(Error::value(
            "ending.cutoff_s",
            format!("is {cutoff_s}, longer than `ending.drain_s`, {drain_s}"),
            "give clients less time than the whole ending has",
        ));
    }
    Ok(Ending {
        drain: Duration::from_secs(drain_s),
        cutoff: Duration::from_secs(cutoff_s),
    })
}

/// Whether a text has 1 to `letters_max` letters or digits (and, in a symbol, `. - +` too).
fn is_word(text: &str, letters_max: usize, extra: &str) -> bool {
    (1..=letters_max).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
}

fn symbols(symbols: Vec<String>, limits: Limits) -> Result<Vec<String>, Error> {
    let mut seen = HashSet::new();
    for (index, symbol) in symbols.iter().enumerate() {
        let key = format!("symbols[{index}]");
        let upper = symbol.to_ascii_uppercase() == *symbol;
        if !is_word(symbol, SYMBOL_LETTERS, ".-+") || !upper {
            let remedy = "write 1 to 8 capital letters or digits, such as \"AAPL\"";
            return Err(Error::value(key, format!("is \"{symbol}\""), remedy));
        }
        if !seen.insert(symbol.as_str()) {
            let problem = format!("is \"{symbol}\", listed twice");
            return Err(Error::value(key, problem, "list each symbol once"));
        }
    }
    count_within(
        "symbols",
        symbols.len(),
        "limits.symbols",
        usize::from(limits.symbols),
    )?;
    Ok(symbols)
}

/// At least one entry and no more than the limit.
fn count_within(key: &str, count: usize, limit_key: &str, limit: usize) -> Result<(), Error> {
    if count == 0 {
        return Err(Error::value(key, "is empty", "name at least one"));
    }
    if count > limit {
        return Err(Error::value(
            key,
            format!("has {count} entries, and `{limit_key}` is {limit}"),
            format!("raise `{limit_key}` to {count} or more"),
        ));
    }
    Ok(())
}

fn users(users: Vec<raw::User>, limits: Limits) -> Result<Vec<User>, Error> {
    count_within(
        "users",
        users.len(),
        "limits.sessions",
        usize::from(limits.sessions),
    )?;
    let mut seen = HashSet::new();
    let mut checked = Vec::with_capacity(users.len());
    for (index, user) in users.into_iter().enumerate() {
        let word = |field: &str, text: &str, letters: usize| {
            if is_word(text, letters, "") {
                return Ok(());
            }
            let remedy = format!("write 1 to {letters} letters or digits");
            Err(Error::value(
                format!("users[{index}].{field}"),
                "is no such word",
                remedy,
            ))
        };
        word("name", &user.name, USER_LETTERS)?;
        word("password", &user.password, PASSWORD_LETTERS)?;
        word("firm", &user.firm, FIRM_LETTERS)?;
        // User names are compared without regard to case on the wire.
        if !seen.insert(user.name.to_ascii_uppercase()) {
            return Err(Error::value(
                format!("users[{index}].name"),
                format!("is \"{}\", used twice", user.name),
                "give each user another name",
            ));
        }
        let raw::User {
            name,
            password,
            firm,
            account,
        } = user;
        checked.push(User {
            name,
            password,
            firm,
            account,
        });
    }
    Ok(checked)
}

fn order_entry(raw: &raw::OrderEntry) -> Result<OrderEntry, Error> {
    Ok(OrderEntry {
        address: address("order_entry.address", &raw.address)?,
        connections_max: within(
            "order_entry.connections_max",
            raw.connections_max,
            1..=4_096,
        )?,
        stall: Duration::from_millis(within("order_entry.stall_ms", raw.stall_ms, 1..=600_000)?),
        backlog_bytes: within("order_entry.backlog_kib", raw.backlog_kib, 4..=1 << 20)? << 10,
        reply_bytes: within("order_entry.reply_mib", raw.reply_mib, 1..=1 << 16)? * MIB,
    })
}

fn feed(raw: raw::Feed, symbols: usize) -> Result<Feed, Error> {
    let group = address("feed.group", &raw.group)?;
    if group.port() == 0 {
        let problem = format!("is \"{group}\": nobody listens at port 0");
        return Err(Error::value(
            "feed.group",
            problem,
            "write the port of the receivers",
        ));
    }
    let mut modes = Vec::new();
    for (index, name) in raw.modes.iter().enumerate() {
        let key = format!("feed.modes[{index}]");
        let mode = FeedMode::ALL.into_iter().find(|mode| mode.name() == name);
        let Some(mode) = mode.filter(|mode| !modes.contains(mode)) else {
            let remedy = "write \"zero-copy\", \"native\", \"generic\" or \"io_uring\", each once";
            return Err(Error::value(key, format!("is \"{name}\""), remedy));
        };
        modes.push(mode);
    }
    if modes.is_empty() {
        return Err(Error::value(
            "feed.modes",
            "is empty",
            "write [\"io_uring\"] at least",
        ));
    }
    let history_mib = within("feed.history_mib", raw.history_mib, 1..=1 << 16)?;
    // The day begins with a directory message of 39 bytes a symbol, which must stay.
    let history_bytes = history_mib * MIB;
    if symbols * 2 * REPLY_BYTES_PER_ORDER > history_bytes {
        return Err(Error::value(
            "feed.history_mib",
            format!("is {history_mib}, too small for the directory of {symbols} symbols"),
            "raise it",
        ));
    }
    Ok(Feed {
        group,
        source: address("feed.source", &raw.source)?,
        rerequest: address("feed.rerequest", &raw.rerequest)?,
        interface: not_empty("feed.interface", raw.interface, "name a network interface")?,
        modes,
        history_bytes,
    })
}

fn places(raw: &BTreeMap<String, raw::Place>) -> Result<[Place; Tile::ALL.len()], Error> {
    if let Some(name) = raw
        .keys()
        .find(|name| Tile::ALL.iter().all(|tile| tile.name() != *name))
    {
        let remedy = "the tiles are gate, engine, journal and publish";
        return Err(Error::value(format!("tiles.{name}"), "is no tile", remedy));
    }
    let mut cores = BTreeMap::new();
    let mut place = |tile: Tile| -> Result<Place, Error> {
        let key = format!("tiles.{}", tile.name());
        let remedy = "write { core = NUMBER } or { thread = \"NAME\" }";
        let Some(raw) = raw.get(tile.name()) else {
            return Err(Error::value(key, "is missing", remedy));
        };
        match (raw.core, &raw.thread) {
            (Some(core), None) => {
                if let Some(other) = cores.insert(core, tile.name()) {
                    let problem = format!("is {core}, which `tiles.{other}.core` has already");
                    let remedy = "give each pinned tile its own core, or let them share a thread";
                    return Err(Error::value(format!("{key}.core"), problem, remedy));
                }
                Ok(Place::Core(core))
            }
            (None, Some(thread)) if is_word(thread, 15, "-_") => Ok(Place::Thread(thread.clone())),
            (None, Some(thread)) => Err(Error::value(
                format!("{key}.thread"),
                format!("is \"{thread}\""),
                "write 1 to 15 letters or digits",
            )),
            (Some(_), Some(_)) => Err(Error::value(key, "has a core and a thread", remedy)),
            (None, None) => Err(Error::value(key, "has neither core nor thread", remedy)),
        }
    };
    let [gate, engine, journal, publish] = Tile::ALL;
    Ok([
        place(gate)?,
        place(engine)?,
        place(journal)?,
        place(publish)?,
    ])
}

/// A link's key that is none of the venue's: says which end is missing.
fn link_unknown(name: &str) -> Error {
    let key = format!("links.{name}");
    let names: Vec<String> = Link::ALL.iter().map(|link| link.name()).collect();
    let remedy = format!("the links are {}", names.join(", "));
    let is_tile = |end: &str| Tile::ALL.iter().any(|tile| tile.name() == end);
    let problem = match name.split_once('_') {
        Some((from, to)) if is_tile(from) && is_tile(to) => {
            format!("joins `{from}` and `{to}`, which nothing writes or reads")
        }
        Some((from, to)) if is_tile(from) => format!("has no reader: `{to}` is no tile"),
        Some((from, _)) => format!("has no writer: `{from}` is no tile"),
        None => "names no writer and reader".to_owned(),
    };
    Error::value(key, problem, remedy)
}

fn links(raw: &BTreeMap<String, raw::Link>) -> Result<[LinkSize; Link::ALL.len()], Error> {
    if let Some(name) = raw
        .keys()
        .find(|name| Link::ALL.iter().all(|link| link.name() != **name))
    {
        return Err(link_unknown(name));
    }
    let size = |link: Link| -> Result<LinkSize, Error> {
        let key = format!("links.{}", link.name());
        let Some(raw) = raw.get(&link.name()) else {
            let (from, to) = link.ends();
            let problem = format!(
                "is missing: `{}` has nothing to give `{}`",
                from.name(),
                to.name()
            );
            return Err(Error::value(
                key,
                problem,
                "write { depth = 4096, full = \"wait\" }",
            ));
        };
        let depth_ok = raw.depth.is_power_of_two() && (DEPTH_MIN..=DEPTH_MAX).contains(&raw.depth);
        if !depth_ok {
            return Err(Error::value(
                format!("{key}.depth"),
                format!("is {}", raw.depth),
                format!("write a power of two from {DEPTH_MIN} to {DEPTH_MAX}"),
            ));
        }
        if raw.full != "wait" {
            return Err(Error::value(
                format!("{key}.full"),
                format!("is \"{}\"", raw.full),
                "write \"wait\": no link of a venue may lose a message",
            ));
        }
        Ok(LinkSize { depth: raw.depth })
    };
    let [gate_engine, engine_journal, engine_gate, engine_publish] = Link::ALL;
    Ok([
        size(gate_engine)?,
        size(engine_journal)?,
        size(engine_gate)?,
        size(engine_publish)?,
    ])
}
