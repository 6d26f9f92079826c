//! The market's rules as a topology states them: for symbols, accounts and the day.
//!
//! `docs/matching.md` says what they mean. All of them become commands ahead of the day's opening,
//! but for the schedule, whose commands come when their time has come.

use super::check::within;
use super::turns::{DAY_MS, Schedule, schedule};
use super::{Error, User, raw};
use std::collections::BTreeMap;
use wire::ring::{MarketState, PRICE_MAX};

/// The widest band: all of its reference, in 1/10,000.
const WIDTH_MAX: u32 = 10_000;

/// The limits of an account that have an amount, in the order of their numbers from 1.
pub const RISK_LIMITS: [&str; 8] = [
    "order_units",
    "order_value",
    "fat_finger_bp",
    "open_orders",
    "position_units",
    "gross_credit",
    "net_credit",
    RISK_RATE,
];

/// That of them which also has a number of orders that may come at once.
pub const RISK_RATE: &str = "orders_per_second";

/// The limit behind them, which forbids an account a symbol.
pub const RISK_RESTRICTION: u8 = RISK_LIMITS.len() as u8 + 1;

/// How arriving orders are shared out among those that rest at a price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Allocation {
    /// The oldest first.
    #[default]
    Time,
    /// In proportion to their units.
    ProRata,
    /// So many percent to the oldest, the others in proportion.
    Split(u32),
}

/// Price bands of a symbol; 0 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bands {
    /// Width around the reference price, in 1/10,000 of it.
    pub fixed_bp: u32,
    /// Width around the last trades, in 1/10,000 of them.
    pub dynamic_bp: u32,
    /// How long the price may stay at the edge before a volatility auction.
    pub limit_ms: u32,
    /// How long that auction takes.
    pub auction_ms: u32,
}

/// The rules of one symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SymbolRules {
    /// How arriving orders are shared out.
    pub allocation: Allocation,
    /// Its price bands.
    pub bands: Option<Bands>,
    /// The state in which its day begins.
    pub state: MarketState,
    /// Its reference price, 0 for none.
    pub reference: i64,
}

/// A limit of an account, as its `SetLimit` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RiskLimit {
    /// The account.
    pub account: u32,
    /// Which limit; 0 only keeps the account.
    pub code: u8,
    /// Its value.
    pub value: i64,
    /// Of the rate: how many at once.
    pub at_once: u32,
    /// Of a restriction: the symbol's number.
    pub symbol: u16,
}

/// All rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// By symbol.
    pub symbols: Vec<SymbolRules>,
    /// Limits of accounts.
    pub risk: Vec<RiskLimit>,
    /// When markets change by themselves.
    pub schedule: Option<Schedule>,
}

/// Names of the states that somebody may set; a limit state is nobody's to set.
pub const STATES: [(&str, MarketState); 8] = [
    ("pre-open", MarketState::PreOpen),
    ("opening-auction", MarketState::OpeningAuction),
    ("continuous", MarketState::Continuous),
    ("halt", MarketState::Halt),
    ("volatility-auction", MarketState::VolatilityAuction),
    ("reopening", MarketState::Reopening),
    ("closing-auction", MarketState::ClosingAuction),
    ("closed", MarketState::Closed),
];

/// Those in which a day may begin: the first four.
fn states_opening() -> &'static [(&'static str, MarketState)] {
    &STATES[..4]
}

/// Checks the rules of a file.
pub(super) fn rules(raw: raw::Rules, symbols: &[String], users: &[User]) -> Result<Rules, Error> {
    listed("allocation", raw.allocation.keys(), symbols)?;
    listed("bands", raw.bands.keys(), symbols)?;
    listed("opening", raw.opening.keys(), symbols)?;
    let schedule = raw.schedule.as_ref().map(|raw| schedule(raw, symbols));
    let mut of_symbols = Vec::with_capacity(symbols.len());
    for name in symbols {
        let (state, reference) = opening(name, raw.opening.get(name))?;
        of_symbols.push(SymbolRules {
            allocation: allocation(name, raw.allocation.get(name))?,
            bands: bands(name, raw.bands.get(name))?,
            state,
            reference,
        });
    }
    Ok(Rules {
        symbols: of_symbols,
        risk: risk(&raw.risk, symbols, users)?,
        schedule: schedule.transpose()?,
    })
}

/// Each key names a symbol.
pub(super) fn listed<'k>(
    table: &str,
    mut keys: impl Iterator<Item = &'k String>,
    symbols: &[String],
) -> Result<(), Error> {
    match keys.find(|name| !symbols.contains(name)) {
        Some(name) => Err(Error::value(
            format!("{table}.{name}"),
            "is about no symbol",
            "name a symbol of `symbols`, or leave it out",
        )),
        None => Ok(()),
    }
}

fn allocation(name: &str, raw: Option<&raw::Allocation>) -> Result<Allocation, Error> {
    let Some(raw) = raw else {
        return Ok(Allocation::default());
    };
    let key = |field: &str| format!("allocation.{name}.{field}");
    match (raw.rule.as_str(), raw.top_percent) {
        ("time", None) => Ok(Allocation::Time),
        ("pro-rata", None) => Ok(Allocation::ProRata),
        ("split", percent) => {
            let percent = within(&key("top_percent"), percent.unwrap_or(0), 1..=100)?;
            Ok(Allocation::Split(percent))
        }
        ("time" | "pro-rata", Some(_)) => Err(Error::value(
            key("top_percent"),
            format!("means nothing with \"{}\"", raw.rule),
            "leave it out, or write rule = \"split\"",
        )),
        (other, _) => Err(Error::value(
            key("rule"),
            format!("is \"{other}\""),
            "write one of \"time\", \"pro-rata\", \"split\"",
        )),
    }
}

fn bands(name: &str, raw: Option<&raw::Bands>) -> Result<Option<Bands>, Error> {
    let Some(raw) = raw else {
        return Ok(None);
    };
    let width = |field: &str, value| within(&format!("bands.{name}.{field}"), value, 0..=WIDTH_MAX);
    let time =
        |field: &str, value| within(&format!("bands.{name}.{field}"), value, 0..=DAY_MS as u32);
    Ok(Some(Bands {
        fixed_bp: width("static_bp", raw.static_bp)?,
        dynamic_bp: width("dynamic_bp", raw.dynamic_bp)?,
        limit_ms: time("limit_ms", raw.limit_ms)?,
        auction_ms: time("auction_ms", raw.auction_ms)?,
    }))
}

fn opening(name: &str, raw: Option<&raw::Opening>) -> Result<(MarketState, i64), Error> {
    let Some(raw) = raw else {
        return Ok((MarketState::Continuous, 0));
    };
    let states = states_opening();
    let state = states.iter().find(|(name, _)| *name == raw.state);
    let Some((_, state)) = state else {
        let names = states.iter().map(|(name, _)| format!("\"{name}\""));
        let names = names.collect::<Vec<_>>().join(", ");
        return Err(Error::value(
            format!("opening.{name}.state"),
            format!("is \"{}\"", raw.state),
            format!("write one of {names}"),
        ));
    };
    let key = format!("opening.{name}.reference");
    let reference = within(&key, raw.reference, 0..=PRICE_MAX)?;
    Ok((*state, reference))
}

fn risk(
    raw: &BTreeMap<String, raw::Risk>,
    symbols: &[String],
    users: &[User],
) -> Result<Vec<RiskLimit>, Error> {
    let mut limits = Vec::new();
    for (name, risk) in raw {
        let account = name.parse().ok();
        let known = account.filter(|account| {
            users
                .iter()
                .any(|user| user.accounts().any(|one| one == *account))
        });
        let Some(account) = known else {
            return Err(Error::value(
                format!("risk.{name}"),
                "is the account of no user",
                "name an account of `users`",
            ));
        };
        limits.extend(risk_of(account, risk, symbols)?);
    }
    Ok(limits)
}

fn risk_of(account: u32, raw: &raw::Risk, symbols: &[String]) -> Result<Vec<RiskLimit>, Error> {
    let plain = RiskLimit {
        account,
        code: 0,
        value: 0,
        at_once: 0,
        symbol: 0,
    };
    let values = [
        raw.order_units,
        raw.order_value,
        raw.fat_finger_bp,
        raw.open_orders,
        raw.position_units,
        raw.gross_credit,
        raw.net_credit,
        raw.orders_per_second,
    ];
    let mut limits = vec![plain];
    for (code, (field, value)) in (1..).zip(RISK_LIMITS.into_iter().zip(values)) {
        let Some(value) = value else {
            continue;
        };
        let value = within(&format!("risk.{account}.{field}"), value, 1..=i64::MAX)?;
        let second = u32::try_from(value).unwrap_or(u32::MAX);
        let is_rate = field == RISK_RATE;
        let at_once = if is_rate {
            raw.orders_at_once.unwrap_or(second)
        } else {
            0
        };
        limits.push(RiskLimit {
            code,
            value,
            at_once,
            ..plain
        });
    }
    if let Some(at_once) = raw.orders_at_once {
        within(
            &format!("risk.{account}.orders_at_once"),
            at_once,
            1..=u32::MAX,
        )?;
    }
    for (index, name) in raw.restricted.iter().enumerate() {
        let Some(place) = symbols.iter().position(|symbol| symbol == name) else {
            return Err(Error::value(
                format!("risk.{account}.restricted[{index}]"),
                format!("is \"{name}\", which is no symbol"),
                "name a symbol of `symbols`",
            ));
        };
        limits.push(RiskLimit {
            code: RISK_RESTRICTION,
            value: 1,
            symbol: place as u16 + 1,
            ..plain
        });
    }
    Ok(limits)
}
