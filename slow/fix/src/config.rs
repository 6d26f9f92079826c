//! The gateway's settings, a TOML file.

use serde::Deserialize;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Where the gateway listens, and which venue it stands before.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where members connect.
    pub listen: SocketAddr,
    /// The venue's data directory, where its members' rings are to be had.
    pub venue: PathBuf,
    /// Our CompID.
    pub comp_id: String,
    /// Where the sequence numbers are kept, a file for a member and day.
    pub data_dir: PathBuf,
    /// The user of the system that the gateway becomes, if it is started as root.
    pub user: Option<String>,
    /// Connections at once, logged on or not.
    #[serde(default = "connections_max")]
    pub connections_max: usize,
    /// How long a connection may take to log on, in seconds.
    #[serde(default = "logon_s")]
    pub logon_s: u64,
    /// What is said, and how.
    #[serde(default)]
    pub log: logs::Settings,
}

const fn connections_max() -> usize {
    64
}

const fn logon_s() -> u64 {
    10
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

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or says what makes no sense.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let told = |what: &dyn fmt::Display| ConfigError(format!("{}: {what}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|e| told(&e))?;
        let config: Self = toml::from_str(&text).map_err(|e| told(&e))?;
        config.checked().map_err(|why| told(&why))
    }

    fn checked(self) -> Result<Self, String> {
        let is_name =
            |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_name(&self.comp_id) {
            return Err("comp_id: letters and digits, at least one".into());
        }
        if self.connections_max == 0 || self.connections_max > 4_096 {
            return Err("connections_max: from 1 to 4096".into());
        }
        if self.logon_s == 0 {
            return Err("logon_s: at least 1".into());
        }
        Ok(self)
    }
}
