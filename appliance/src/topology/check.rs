//! From what is written to what can be used: every value checked, alone and towards the others.

use super::{
    Ack, DepthFeed, Ending, Error, Feed, Limits, ORDERS_MAX, OrderEntry, SYMBOLS_MAX, Topology,
    USERS_MAX, api, desk, keeping, lines, logins, packets, raw, rules, sandbox, secret, shadow,
    slow, uring, wiring, xdp,
};
use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddrV4;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wire::ring::PRICE_MAX;

/// Letters of a symbol in ITCH and OUCH.
const SYMBOL_LETTERS: usize = 8;

/// Bytes of a symbol's directory message in the feed's history. The directory opens the day; the
/// history must hold it and as much again, or nobody could start from the feed.
const DIRECTORY_BYTES: usize = 41;

const MIB: usize = 1 << 20;

/// What the rooms below allow, in the units of the file.
const CONNECTIONS_MAX: usize = session::order_entry::CONNECTIONS_MAX;
const _: () = assert!(CONNECTIONS_MAX <= nic::TcpLimits::CONNECTIONS_MAX as usize);
const BACKLOG_KIB_MAX: usize = nic::TcpLimits::BUFFER_BYTES_MAX as usize >> 10;
const REPLY_MIB_MAX: usize = (u32::MAX as usize) / MIB;
const SEGMENT_MIB_MAX: u64 = journal::SEGMENT_BYTES_MAX / MIB as u64;

/// Clients say something once a second; less than two of their heartbeats would cut good ones off.
const SILENCE_MS_MIN: u64 = 2_000;

const _: () = assert!(journal::SEGMENT_BYTES_MIN <= MIB as u64);

/// Checks the file.
pub(super) fn checked(mut file: raw::File) -> Result<Topology, Error> {
    let raw_rules = file.rules();
    let limits = limits(&file.limits)?;
    let symbols = symbols(file.symbols, limits)?;
    let ticks = ticks(&file.ticks, &symbols)?;
    let users = logins::users(file.users, limits)?;
    let drop_copies = logins::drop_copies(file.drop_copies, &users)?;
    secret::one_cost(&users, &drop_copies, limits.spare_users)?;
    let places = wiring::places(&file.tiles)?;
    let links = wiring::links(&file.links)?;
    let order_entry = order_entry(&file.order_entry)?;
    let mut feed = feed(file.feed, symbols.len())?;
    packets::interface_shared(&order_entry, &mut feed)?;
    let ack = ack(&file.ack)?;
    let slow = slow::slow(file.slow, Path::new(&file.data_dir), file.shadow.is_some())?;
    let raw_api = file.api.take();
    let raw_desk = file.desk.take();
    let mut topology = Topology {
        name: not_empty("name", file.name, "give the topology a name")?,
        data_dir: PathBuf::from(not_empty("data_dir", file.data_dir, "name a directory")?),
        ack,
        order_entry,
        feed,
        limits,
        ending: ending(&file.ending)?,
        uring: uring::options(&file.uring)?,
        segment_bytes: within("segment_mib", file.segment_mib, 1..=SEGMENT_MIB_MAX)? * MIB as u64,
        gather: keeping::gather(&file.journal, ack)?,
        keeping: keeping::keeping(&file.journal)?,
        shadow: shadow::shadow(file.shadow.as_ref())?,
        slow,
        api: None,
        desk: None,
        sandbox: sandbox::sandbox(file.sandbox)?,
        places,
        links,
        ticks,
        rules: rules::rules(raw_rules, &symbols, &users)?,
        symbols,
        users,
        drop_copies,
    };
    keeping::under_way_fits(&topology)?;
    topology.desk = desk::desk(raw_desk, &topology)?;
    topology.api = api::api(raw_api, &topology)?;
    Ok(topology)
}

fn not_empty(key: &str, text: String, remedy: &str) -> Result<String, Error> {
    if text.trim().is_empty() {
        return Err(Error::value(key, "is empty", remedy));
    }
    Ok(text)
}

pub(super) fn within<T: PartialOrd + Copy + std::fmt::Display>(
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

pub(super) fn address(key: &str, text: &str) -> Result<SocketAddrV4, Error> {
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
    let special = raw
        .special
        .unwrap_or_else(|| matching::Limits::special_of(raw.orders));
    Ok(Limits {
        symbols: within("limits.symbols", raw.symbols, 1..=SYMBOLS_MAX as u16)?,
        sessions: within("limits.sessions", raw.sessions, 1..=USERS_MAX as u16)?,
        spare_users: within("limits.spare_users", raw.spare_users, 0..=raw.sessions)?,
        orders: within("limits.orders", raw.orders, 1..=ORDERS_MAX)?,
        special: within("limits.special", special, 1..=matching::SPECIAL_MAX)?,
        price_groups: within(
            "limits.price_groups",
            price_groups,
            16..=matching::PRICE_GROUPS_MAX,
        )?,
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
    let feed_end_ms = within("ending.feed_end_ms", raw.feed_end_ms, 1..=60_000)?;
    Ok(Ending {
        drain: Duration::from_secs(drain_s),
        cutoff: Duration::from_secs(cutoff_s),
        feed_end: Duration::from_millis(feed_end_ms),
    })
}

/// Whether a text has 1 to `letters_max` letters or digits (and, in a symbol, `. - +` too).
pub(crate) fn is_word(text: &str, letters_max: usize, extra: &str) -> bool {
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

/// The tick of each symbol, in the order of the symbols.
fn ticks(named: &BTreeMap<String, i64>, symbols: &[String]) -> Result<Vec<i64>, Error> {
    for (name, &tick) in named {
        let key = format!("ticks.{name}");
        if !symbols.contains(name) {
            let remedy = "name a symbol of `symbols`, or leave the line out";
            return Err(Error::value(key, "is the tick of no symbol", remedy));
        }
        within(&key, tick, 1..=PRICE_MAX)?;
    }
    let tick = |name: &String| named.get(name).copied().unwrap_or(1);
    Ok(symbols.iter().map(tick).collect())
}

/// At least one entry and no more than the limit.
pub(super) fn count_within(
    key: &str,
    count: usize,
    limit_key: &str,
    limit: usize,
) -> Result<(), Error> {
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

fn order_entry(raw: &raw::OrderEntry) -> Result<OrderEntry, Error> {
    let address = address("order_entry.address", &raw.address)?;
    let mode = packets::mode("order_entry.mode", &raw.mode)?;
    packets::has_interface(mode, address, &raw.interface)?;
    let port = xdp::Port {
        section: "order_entry",
        mode,
        interface: &raw.interface,
        is_tcp: true,
    };
    Ok(OrderEntry {
        address,
        mode,
        xdp: xdp::options(port, raw.xdp.as_ref())?,
        connections_max: within(
            "order_entry.connections_max",
            raw.connections_max,
            1..=CONNECTIONS_MAX,
        )?,
        stall: Duration::from_millis(within("order_entry.stall_ms", raw.stall_ms, 1..=600_000)?),
        silence: Duration::from_millis(within(
            "order_entry.silence_ms",
            raw.silence_ms,
            SILENCE_MS_MIN..=3_600_000,
        )?),
        login: Duration::from_millis(within(
            "order_entry.login_ms",
            raw.login_ms.unwrap_or(raw.silence_ms),
            1..=3_600_000,
        )?),
        connections_an_address: within(
            "order_entry.connections_an_address",
            raw.connections_an_address.unwrap_or(raw.connections_max),
            1..=CONNECTIONS_MAX,
        )?,
        second_login: raw.second_login,
        lock_after: raw.lock_after,
        lock: Duration::from_secs(within("order_entry.lock_s", raw.lock_s, 0..=31_536_000)?),
        refuse_after: raw
            .refuse_after_ms
            .map(|ms| within("order_entry.refuse_after_ms", ms, 1..=60_000))
            .transpose()?
            .map(Duration::from_millis),
        backlog_bytes: within(
            "order_entry.backlog_kib",
            raw.backlog_kib,
            4..=BACKLOG_KIB_MAX,
        )? << 10,
        reply_bytes: within("order_entry.reply_mib", raw.reply_mib, 1..=REPLY_MIB_MAX)? * MIB,
    })
}

/// The depth's stream; its directory must fit its history as that of the feed must.
fn depth(text: &str, history_mib: usize, symbols: usize) -> Result<DepthFeed, Error> {
    let group = address("feed.depth_group", text)?;
    if group.port() == 0 {
        let problem = format!("is \"{group}\": nobody listens at port 0");
        let remedy = "write the port of the receivers";
        return Err(Error::value("feed.depth_group", problem, remedy));
    }
    let history_mib = within("feed.depth_history_mib", history_mib, 1..=1 << 16)?;
    let history_bytes = history_mib * MIB;
    if symbols * DIRECTORY_BYTES * 2 > history_bytes {
        let problem = format!("is {history_mib}, too small for the directory of {symbols} symbols");
        return Err(Error::value("feed.depth_history_mib", problem, "raise it"));
    }
    Ok(DepthFeed {
        group,
        history_bytes,
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
    let mode = packets::mode("feed.mode", &raw.mode)?;
    let interface = raw.interface.clone();
    let interface = not_empty("feed.interface", interface, "name a network interface")?;
    let port = xdp::Port {
        section: "feed",
        mode,
        interface: &interface,
        is_tcp: false,
    };
    let history_mib = within("feed.history_mib", raw.history_mib, 1..=1 << 16)?;
    let history_bytes = history_mib * MIB;
    if symbols * DIRECTORY_BYTES * 2 > history_bytes {
        return Err(Error::value(
            "feed.history_mib",
            format!("is {history_mib}, too small for the directory of {symbols} symbols"),
            "raise it",
        ));
    }
    let depth = raw
        .depth_group
        .as_ref()
        .map(|group| depth(group, raw.depth_history_mib, symbols));
    let depth = depth.transpose()?;
    Ok(Feed {
        line_b: lines::line_b(&raw, group)?,
        heartbeat: lines::heartbeat(&raw)?,
        rerequest_allow: lines::allow(&raw)?,
        rerequest_bytes_per_second: lines::bytes_per_second(&raw)?,
        snapshot: lines::snapshot(&raw)?,
        group,
        source: address("feed.source", &raw.source)?,
        rerequest: address("feed.rerequest", &raw.rerequest)?,
        mode,
        xdp: xdp::options(port, raw.xdp.as_ref())?,
        interface,
        history_bytes,
        depth,
    })
}
