//! The file as it is written: names and types only, nothing compared yet.

use super::Error;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub name: String,
    pub data_dir: String,
    pub ack: String,
    #[serde(default = "segment_mib_default")]
    pub segment_mib: u64,
    pub symbols: Vec<String>,
    #[serde(default)]
    pub ticks: BTreeMap<String, i64>,
    pub order_entry: OrderEntry,
    pub feed: Feed,
    pub limits: Limits,
    #[serde(default)]
    pub ending: Ending,
    #[serde(default)]
    pub uring: super::uring::Raw,
    #[serde(default)]
    pub journal: super::keeping::Raw,
    pub shadow: Option<super::shadow::Raw>,
    pub slow: Option<super::slow::Raw>,
    pub api: Option<super::api::Raw>,
    pub desk: Option<super::desk::Raw>,
    #[serde(default)]
    pub sandbox: super::sandbox::Raw,
    pub tiles: BTreeMap<String, Place>,
    pub links: BTreeMap<String, Link>,
    pub users: Vec<User>,
    #[serde(default)]
    pub drop_copies: Vec<DropCopy>,
    #[serde(default)]
    allocation: BTreeMap<String, Allocation>,
    #[serde(default)]
    bands: BTreeMap<String, Bands>,
    #[serde(default)]
    opening: BTreeMap<String, Opening>,
    #[serde(default)]
    risk: BTreeMap<String, Risk>,
    schedule: Option<Schedule>,
}

/// The market's rules.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub allocation: BTreeMap<String, Allocation>,
    pub bands: BTreeMap<String, Bands>,
    pub opening: BTreeMap<String, Opening>,
    pub risk: BTreeMap<String, Risk>,
    pub schedule: Option<Schedule>,
}

impl File {
    /// Takes the market's rules out of it.
    pub(super) fn rules(&mut self) -> Rules {
        Rules {
            allocation: std::mem::take(&mut self.allocation),
            bands: std::mem::take(&mut self.bands),
            opening: std::mem::take(&mut self.opening),
            risk: std::mem::take(&mut self.risk),
            schedule: self.schedule.take(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Allocation {
    pub rule: String,
    pub top_percent: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bands {
    #[serde(default)]
    pub static_bp: u32,
    #[serde(default)]
    pub dynamic_bp: u32,
    #[serde(default)]
    pub limit_ms: u32,
    #[serde(default)]
    pub auction_ms: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Opening {
    pub state: String,
    #[serde(default)]
    pub reference: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Risk {
    pub order_units: Option<i64>,
    pub order_value: Option<i64>,
    pub fat_finger_bp: Option<i64>,
    pub open_orders: Option<i64>,
    pub position_units: Option<i64>,
    pub gross_credit: Option<i64>,
    pub net_credit: Option<i64>,
    pub orders_per_second: Option<i64>,
    pub orders_at_once: Option<u32>,
    #[serde(default)]
    pub restricted: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Schedule {
    opening_auction_ms: Option<u64>,
    continuous_ms: Option<u64>,
    closing_auction_ms: Option<u64>,
    closed_ms: Option<u64>,
    opening_auction_at: Option<String>,
    continuous_at: Option<String>,
    closing_auction_at: Option<String>,
    closed_at: Option<String>,
    #[serde(default = "indicate_ms_default")]
    pub indicate_ms: u64,
    pub time_ms: Option<u64>,
    #[serde(default)]
    pub symbols: BTreeMap<String, Turns>,
}

impl Schedule {
    /// The turns of symbols that have none of their own.
    pub(super) fn turns(&self) -> Turns {
        Turns {
            opening_auction_ms: self.opening_auction_ms,
            continuous_ms: self.continuous_ms,
            closing_auction_ms: self.closing_auction_ms,
            closed_ms: self.closed_ms,
            opening_auction_at: self.opening_auction_at.clone(),
            continuous_at: self.continuous_at.clone(),
            closing_auction_at: self.closing_auction_at.clone(),
            closed_at: self.closed_at.clone(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Turns {
    pub opening_auction_ms: Option<u64>,
    pub continuous_ms: Option<u64>,
    pub closing_auction_ms: Option<u64>,
    pub closed_ms: Option<u64>,
    pub opening_auction_at: Option<String>,
    pub continuous_at: Option<String>,
    pub closing_auction_at: Option<String>,
    pub closed_at: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DropCopy {
    pub name: String,
    pub password: Option<String>,
    pub password_hash: Option<String>,
    pub key_file: Option<PathBuf>,
    #[serde(default)]
    pub addresses: Vec<String>,
    pub accounts: Vec<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderEntry {
    pub address: String,
    #[serde(default = "mode_default")]
    pub mode: String,
    #[serde(default)]
    pub interface: String,
    pub xdp: Option<super::xdp::Raw>,
    #[serde(default = "connections_default")]
    pub connections_max: usize,
    pub connections_an_address: Option<usize>,
    pub login_ms: Option<u64>,
    #[serde(default)]
    pub second_login: super::SecondLogin,
    #[serde(default = "lock_after_default")]
    pub lock_after: u32,
    #[serde(default = "lock_s_default")]
    pub lock_s: u64,
    pub refuse_after_ms: Option<u64>,
    #[serde(default = "stall_ms_default")]
    pub stall_ms: u64,
    #[serde(default = "silence_ms_default")]
    pub silence_ms: u64,
    #[serde(default = "backlog_kib_default")]
    pub backlog_kib: usize,
    #[serde(default = "reply_mib_default")]
    pub reply_mib: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Feed {
    pub group: String,
    pub source: String,
    pub rerequest: String,
    #[serde(default = "interface_default")]
    pub interface: String,
    #[serde(default = "mode_default")]
    pub mode: String,
    pub xdp: Option<super::xdp::Raw>,
    #[serde(default = "history_mib_default")]
    pub history_mib: usize,
    pub depth_group: Option<String>,
    #[serde(default = "history_mib_default")]
    pub depth_history_mib: usize,
    pub group_b: Option<String>,
    pub source_b: Option<String>,
    #[serde(default = "heartbeat_ms_default")]
    pub heartbeat_ms: u64,
    pub rerequest_allow: Option<Vec<String>>,
    #[serde(default = "rerequest_kib_per_s_default")]
    pub rerequest_kib_per_s: u64,
    pub snapshot: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    pub symbols: u16,
    pub sessions: u16,
    #[serde(default)]
    pub spare_users: u16,
    pub orders: u32,
    pub special: Option<u32>,
    pub price_groups: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ending {
    #[serde(default = "drain_s_default")]
    pub drain_s: u64,
    #[serde(default = "cutoff_s_default")]
    pub cutoff_s: u64,
    #[serde(default = "feed_end_ms_default")]
    pub feed_end_ms: u64,
}

impl Default for Ending {
    fn default() -> Self {
        Self {
            drain_s: drain_s_default(),
            cutoff_s: cutoff_s_default(),
            feed_end_ms: feed_end_ms_default(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    pub core: Option<usize>,
    pub thread: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    pub depth: usize,
    pub full: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct User {
    pub name: String,
    pub password: Option<String>,
    pub password_hash: Option<String>,
    pub key_file: Option<PathBuf>,
    #[serde(default)]
    pub addresses: Vec<String>,
    pub gateway: Option<String>,
    pub firm: String,
    pub account: Option<u32>,
    #[serde(default)]
    pub accounts: Vec<Account>,
    pub cancel_on_disconnect_ms: Option<u64>,
    pub rate: Option<super::rate::Raw>,
    #[serde(default = "self_trade_default")]
    pub self_trade: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    pub account: u32,
    pub role: Option<String>,
}

fn self_trade_default() -> String {
    super::SelfTrade::ALL[0].name().to_owned()
}

fn segment_mib_default() -> u64 {
    64
}

fn connections_default() -> usize {
    64
}

fn lock_after_default() -> u32 {
    10
}

fn lock_s_default() -> u64 {
    900
}

fn stall_ms_default() -> u64 {
    5_000
}

fn silence_ms_default() -> u64 {
    15_000
}

fn backlog_kib_default() -> usize {
    256
}

fn reply_mib_default() -> usize {
    64
}

fn history_mib_default() -> usize {
    64
}

fn heartbeat_ms_default() -> u64 {
    250
}

fn rerequest_kib_per_s_default() -> u64 {
    16 << 10
}

fn indicate_ms_default() -> u64 {
    1_000
}

fn interface_default() -> String {
    "lo".to_owned()
}

fn mode_default() -> String {
    "io_uring".to_owned()
}

fn drain_s_default() -> u64 {
    30
}

fn cutoff_s_default() -> u64 {
    5
}

fn feed_end_ms_default() -> u64 {
    2_000
}

/// Reads the text; unknown keys, missing keys and wrong types are errors with their line.
pub(super) fn parse(text: &str) -> Result<File, Error> {
    toml::from_str(text).map_err(|error| Error::Syntax {
        message: error.to_string(),
    })
}
