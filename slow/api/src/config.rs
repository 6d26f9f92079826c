//! The settings, a TOML file.

pub use crate::footprints::Watched;
use crate::grpc;
use crate::keys::{Key, RawKey};
pub use crate::memory::Memory;
use crate::scaling::Scaling;
use crate::stream::feed::Feed;
use serde::Deserialize;
use std::ffi::OsStr;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::{Location, Server};

/// Keys at most: each request that names none is compared with all of them.
const KEYS_MAX: usize = 1_000;

/// What a replica may lack unless that is said, in milliseconds, and at most.
const LAG_MS: u64 = 1_000;
const LAG_MS_MAX: u64 = 3_600_000;

/// Where the API listens, what it reads, and who may ask it.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where clients connect.
    pub listen: SocketAddr,
    /// The venue's data directory: its counters are there.
    pub venue: PathBuf,
    /// The database of `wirecross-slow`.
    pub tables: Tables,
    /// The folder of days that are in files alone, if queries are to have these, too.
    pub history: Option<PathBuf>,
    /// The user of the system that the process becomes, if it is started as root.
    pub user: Option<String>,
    /// The certificate's chain and its private key, PEM files.
    pub tls: Option<Tls>,
    /// The feed that streams are made of, if they are.
    pub feed: Option<Feed>,
    /// How many shards there are to be, if that is to be decided.
    pub scaling: Option<Scaling>,
    /// Where gRPC is spoken, if it is.
    pub grpc: Option<grpc::Settings>,
    /// Where the venue takes orders, if it is to get any.
    pub orders: Option<grpc::OrderEntry>,
    /// Answers that are kept.
    pub cache: Memory,
    /// What is looked at of the memory of processes.
    pub memory: Watched,
    /// What is said, and how.
    pub log: logs::Settings,
    /// Where spans of requests go, if anywhere.
    pub trace: Option<logs::Export>,
    /// What a client may use up.
    pub limits: Limits,
    /// Who may ask.
    pub keys: Vec<Key>,
}

/// Where the tables are.
#[derive(Clone, Debug)]
pub enum Tables {
    /// A file, which may be made anew.
    File(PathBuf),
    /// A server, and those that follow it and may answer in its place.
    Servers {
        /// The one that is written.
        primary: Server,
        /// Those that follow it.
        replicas: Vec<Server>,
        /// What they may lack: nothing that is older.
        lag_max: Duration,
        /// Their ports.
        ports: Vec<u16>,
    },
}

impl Tables {
    /// The file, if it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Servers { .. } => None,
        }
    }

    /// The ports that they are reached by.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        match self {
            Self::File(_) => &[],
            Self::Servers { ports, .. } => ports,
        }
    }

    fn checked(
        tables: &Path,
        (replicas, lag_ms): (&[String], u64),
        password: Option<&str>,
    ) -> Result<Self, String> {
        let server = |name: &str, address: &OsStr| {
            let told = |why: store::Error| format!("{name}: {why}");
            let mut location = Location::read(address).map_err(told)?;
            if let Some(password) = password {
                location = location.with_password(password);
            }
            let port = location.port().map_err(told)?;
            match (location, port) {
                (Location::Server(server), Some(port)) => Ok(Some((server, port))),
                _ => Ok::<_, String>(None),
            }
        };
        let Some((primary, port)) = server("tables", tables.as_os_str())? else {
            if !replicas.is_empty() {
                let path = tables.display();
                return Err(format!("replicas: {path} is a file, and nobody follows it"));
            }
            let parent = tables.parent();
            if !parent.is_some_and(|it| it.as_os_str().is_empty() || it.is_dir()) {
                let told = "its folder is not there: has wirecross-slow made it?";
                return Err(format!("tables: {}: {told}", tables.display()));
            }
            return Ok(Self::File(tables.to_owned()));
        };
        if lag_ms == 0 || lag_ms > LAG_MS_MAX {
            return Err(format!("lag_ms: {lag_ms}: from 1 to {LAG_MS_MAX}"));
        }
        let mut ports = vec![port];
        let mut followers = Vec::new();
        for address in replicas {
            let (server, port) = server("replicas", address.as_ref())?
                .ok_or_else(|| format!("replicas: {address}: no server's address"))?;
            followers.push(server);
            ports.push(port);
        }
        Ok(Self::Servers {
            primary,
            replicas: followers,
            lag_max: Duration::from_millis(lag_ms),
            ports,
        })
    }
}

/// What makes connections private.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate, and those up to an authority that clients know.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What a client may use up.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at a time.
    pub connections_max: usize,
    /// Of them from one address.
    pub connections_an_address: usize,
    /// Bytes of a request's body, in KiB.
    pub body_kib: usize,
    /// Bytes of all bodies that are held at once, in MiB.
    pub bodies_mib: usize,
    /// Calls of a batch.
    pub batch_max: usize,
    /// Bytes of an answer, in KiB.
    pub answer_kib: usize,
    /// How long a request may take to arrive and to be answered, in seconds.
    pub request_s: u64,
    /// How long a request may take, in milliseconds, before it is told as a slow one.
    pub slow_ms: u64,
    /// How long a client may take no byte of what waits for it, in seconds.
    pub stall_s: u64,
    /// How long the client of a stream may be silent, in seconds, before it is asked whether it
    /// lives, and then again before it is taken for dead.
    pub ping_s: u64,
    /// Requests without a right key that an address may make in a second.
    pub strangers_per_second: u32,
    /// Threads that read the tables.
    pub readers: usize,
    /// How long a read of the tables may take, in milliseconds, before fewer are taken on at once.
    pub read_goal_ms: u64,
    /// Rows of days that are in files alone which a read of the tables brings into memory.
    pub history_rows: u64,
    /// Threads that compute what is asked of `wirecross quant`.
    pub calculators: usize,
    /// Bytes that wait for the client of a stream, in KiB: with more it gets the present state
    /// in their place.
    pub stream_kib: usize,
    /// Symbols' channels that a stream asks for by name.
    pub subscriptions_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            connections_an_address: 256,
            body_kib: 256,
            bodies_mib: 64,
            batch_max: 100,
            answer_kib: 8_192,
            request_s: 10,
            slow_ms: 1_000,
            stall_s: 10,
            ping_s: 15,
            strangers_per_second: 20,
            readers: 2,
            read_goal_ms: 250,
            history_rows: 1_000_000,
            calculators: 1,
            stream_kib: 256,
            subscriptions_max: 1_000,
        }
    }
}

impl Limits {
    /// How long a request may take.
    #[must_use]
    pub const fn request(&self) -> Duration {
        Duration::from_secs(self.request_s)
    }

    /// What is a slow request.
    #[must_use]
    pub const fn slow(&self) -> Duration {
        Duration::from_millis(self.slow_ms)
    }

    /// How long a client may take nothing.
    #[must_use]
    pub const fn stall(&self) -> Duration {
        Duration::from_secs(self.stall_s)
    }

    /// How long the client of a stream may be silent before it is asked.
    #[must_use]
    pub const fn silence(&self) -> Duration {
        Duration::from_secs(self.ping_s)
    }

    fn check(&self) -> Result<(), String> {
        for (name, value, max) in [
            ("connections_max", self.connections_max, 100_000),
            (
                "connections_an_address",
                self.connections_an_address,
                100_000,
            ),
            ("body_kib", self.body_kib, 16_384),
            ("bodies_mib", self.bodies_mib, 2_048),
            ("batch_max", self.batch_max, 1_000),
            ("calculators", self.calculators, 64),
            ("answer_kib", self.answer_kib, 65_536),
            ("request_s", self.request_s as usize, 3_600),
            ("slow_ms", self.slow_ms as usize, 3_600_000),
            ("stall_s", self.stall_s as usize, 3_600),
            ("ping_s", self.ping_s as usize, 3_600),
            (
                "strangers_per_second",
                self.strangers_per_second as usize,
                1_000_000,
            ),
            ("readers", self.readers, 64),
            ("history_rows", self.history_rows as usize, 100_000_000),
            ("read_goal_ms", self.read_goal_ms as usize, 60_000),
            ("stream_kib", self.stream_kib, 65_536),
            ("subscriptions_max", self.subscriptions_max, 100_000),
        ] {
            if value == 0 || value > max {
                return Err(format!("limits.{name}: {value}: from 1 to {max}"));
            }
        }
        let (mib, kib) = (self.bodies_mib, self.body_kib);
        if mib * 1_024 < 2 * kib {
            return Err(format!(
                "limits.bodies_mib: {mib}: it has no room for two bodies of {kib} KiB (body_kib)"
            ));
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    listen: SocketAddr,
    venue: Option<PathBuf>,
    tables: Option<PathBuf>,
    #[serde(default)]
    replicas: Vec<String>,
    lag_ms: Option<u64>,
    history: Option<PathBuf>,
    user: Option<String>,
    tls: Option<Tls>,
    #[serde(default)]
    plain_text: bool,
    feed: Option<Feed>,
    scaling: Option<Scaling>,
    grpc: Option<grpc::Settings>,
    orders: Option<grpc::OrderEntry>,
    #[serde(default)]
    cache: Memory,
    #[serde(default)]
    memory: Watched,
    #[serde(default)]
    log: logs::Settings,
    trace: Option<logs::Export>,
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    keys: Vec<RawKey>,
}

/// The file cannot be used: why, and where in it.
#[derive(Debug)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// What whoever starts the service says beside its settings.
#[derive(Default)]
pub struct Beside {
    /// Takes the place of the settings' venue.
    pub venue: Option<PathBuf>,
    /// Takes the place of the settings' tables.
    pub tables: Option<PathBuf>,
    /// Where orders go, where the settings do not say it.
    pub order_entry: Option<SocketAddr>,
    /// The password for all servers of the tables.
    pub password: Option<String>,
}

impl Config {
    /// Reads a file, and what is named beside it.
    ///
    /// # Errors
    /// It cannot be read, or says what makes no sense.
    pub fn load(path: &Path, beside: &Beside) -> Result<Self, ConfigError> {
        let told = |what: &dyn fmt::Display| ConfigError(format!("{}: {what}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|e| told(&e))?;
        let mut raw: Raw = toml::from_str(&text).map_err(|e| told(&e))?;
        raw.venue = beside.venue.clone().or(raw.venue);
        raw.tables = beside.tables.clone().or(raw.tables);
        if let Some(orders) = &mut raw.orders {
            orders.venue = orders.venue.or(beside.order_entry);
        }
        let password = beside.password.as_deref();
        Self::checked(raw, password).map_err(|why| told(&why))
    }

    fn checked(raw: Raw, password: Option<&str>) -> Result<Self, String> {
        raw.limits.check()?;
        raw.cache.check()?;
        raw.memory.check()?;
        raw.feed.as_ref().map_or(Ok(()), Feed::check)?;
        let trace = raw.trace.as_ref().map_or(Ok(()), logs::Export::check);
        trace.map_err(|why| format!("trace: {why}"))?;
        let scaling = raw.scaling.map(Scaling::checked).transpose();
        let scaling = scaling.map_err(|why| format!("scaling.{why}"))?;
        let venue = raw.venue.ok_or("venue: say the venue's data directory")?;
        let tables = raw
            .tables
            .ok_or("tables: say where wirecross-slow keeps them")?;
        let lag_ms = raw.lag_ms.unwrap_or(LAG_MS);
        let tables = Tables::checked(&tables, (&raw.replicas, lag_ms), password)?;
        let grpc = raw.grpc.map(|grpc| ("grpc.listen", grpc.listen));
        for (name, listen) in [("listen", raw.listen)].into_iter().chain(grpc) {
            if raw.tls.is_none() && !listen.ip().is_loopback() && !raw.plain_text {
                return Err(format!(
                    "{name}: {listen} is no loopback address and keys would cross the network as \
                     plain text: add [tls] with certificate and key, or plain_text = true where \
                     something else makes the connections private"
                ));
            }
        }
        if raw.orders.is_some_and(|orders| orders.venue.is_none()) {
            return Err("orders.venue: say where the venue takes orders".into());
        }
        if raw.orders.is_some() && raw.grpc.is_none() {
            return Err("orders: they come by gRPC: add [grpc] with listen".into());
        }
        if raw.keys.len() > KEYS_MAX {
            return Err(format!("keys: no more than {KEYS_MAX}"));
        }
        let mut keys = Vec::<Key>::new();
        for (number, key) in raw.keys.into_iter().enumerate() {
            let key = key
                .checked()
                .map_err(|why| format!("keys[{number}].{why}"))?;
            if keys.iter().any(|other| other.name == key.name) {
                return Err(format!("keys[{number}].name: {:?} twice", key.name));
            }
            if key.login.is_some() && raw.orders.is_none() {
                let told = "a trader's orders go somewhere: add [orders] with venue";
                return Err(format!("keys[{number}].role: {told}"));
            }
            keys.push(key);
        }
        Ok(Self {
            listen: raw.listen,
            venue,
            tables,
            history: raw.history,
            user: raw.user,
            tls: raw.tls,
            feed: raw.feed,
            scaling,
            grpc: raw.grpc,
            orders: raw.orders,
            cache: raw.cache,
            memory: raw.memory,
            log: raw.log,
            trace: raw.trace,
            limits: raw.limits,
            keys,
        })
    }
}
