//! The configuration of a PgBouncer in front of servers, made of their addresses, and the addresses
//! by which clients then come.
//!
//! Written for Debian's 1.18, which does not carry named statements over transactions: an address
//! of a pool says how it is pooled (`pool_mode`), and who connects by it asks without names. The
//! builder's tool makes its pool by this file, too.

use std::fmt::Write as _;

/// What an address of a pool says of it.
pub const POOL_MODE: &str = "pool_mode";

/// How long a client waits for a connection of its pool, in seconds.
const QUERY_WAIT_S: u32 = 10;

/// How long a server may take to take a connection, in seconds.
const CONNECT_S: u32 = 5;

/// How soon a server that refused is asked again, in seconds: PgBouncer's own 15 are what a restart
/// of a server would cost.
const LOGIN_RETRY_S: u32 = 1;

/// How long a connection that nobody uses stays, in seconds.
const IDLE_S: u32 = 300;

/// Connections of a pool at most.
const CONNECTIONS_MAX: u32 = 10_000;

/// Clients at most.
const CLIENTS_MAX: u32 = 1_000_000;

/// Letters of a name of a database or a user, beside letters and digits.
const NAME_LETTERS: &str = "_-.";

/// When a connection goes back to its pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolMode {
    /// When its client goes.
    Session,
    /// At the end of each transaction.
    Transaction,
    /// After each statement.
    Statement,
}

impl PoolMode {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Transaction => "transaction",
            Self::Statement => "statement",
        }
    }
}

/// A database behind the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// What clients call it.
    pub alias: String,
    user: String,
    host: String,
    port: u16,
    name: String,
}

impl Database {
    /// Reads `postgres://user@host:port/name`, or `ALIAS=` and that.
    ///
    /// # Errors
    /// It is none, holds a password, or names what PgBouncer's file cannot hold.
    pub fn read(text: &str) -> Result<Self, String> {
        let told =
            |why: &str| format!("{text}: {why}; it is [ALIAS=]postgres://user@host:port/name");
        let (alias, url) = match text.split_once('=') {
            Some((alias, url)) if !alias.contains(':') => (Some(alias), url),
            _ => (None, text),
        };
        let schemes = ["postgres://", "postgresql://"];
        let rest = schemes.iter().find_map(|scheme| url.strip_prefix(scheme));
        let rest = rest.ok_or_else(|| told("no address of a database"))?;
        let (authority, name) = rest.split_once('/').unwrap_or((rest, ""));
        if name.contains('?') {
            return Err(told("options belong to what connects, not to the pool"));
        }
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        if user.contains(':') {
            // The address is not repeated: it holds a password.
            let words = "the address holds a password, which everybody sees in the list of \
                         processes: put it into a file for --auth-file";
            return Err(words.to_owned());
        }
        let (host, port) = match host.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let port = port.parse().ok().filter(|port| *port > 0);
                (host, port.ok_or_else(|| told("its port is no number"))?)
            }
            _ => (host, 5432),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let host = unescaped(host).ok_or_else(|| told("its host is not understood"))?;
        if host.is_empty() {
            return Err(told("it names no host"));
        }
        if host.chars().any(|it| it.is_control() || "' ,".contains(it)) {
            return Err(told("its host has letters that no host has"));
        }
        let user = if user.is_empty() { "wirecross" } else { user };
        let name = if name.is_empty() { user } else { name };
        let alias = alias.unwrap_or(name);
        for word in [alias, user, name] {
            let fits = |it: char| it.is_ascii_alphanumeric() || NAME_LETTERS.contains(it);
            if word.is_empty() || !word.chars().all(fits) {
                let words = format!("{word:?}: letters, digits and {NAME_LETTERS} only");
                return Err(told(&words));
            }
        }
        if alias == "pgbouncer" {
            return Err(told(
                "PgBouncer keeps the name pgbouncer for itself: name an alias",
            ));
        }
        Ok(Self {
            alias: alias.to_owned(),
            user: user.to_owned(),
            host,
            port,
            name: name.to_owned(),
        })
    }
}

/// Text whose `%2F` and the like are read.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| (byte? as char).to_digit(16);
        let value = digit(rest.next())? * 16 + digit(rest.next())?;
        bytes.push(value as u8);
    }
    String::from_utf8(bytes).ok()
}

/// A pool in front of databases.
#[derive(Clone, Debug)]
pub struct Pool {
    /// What is behind it.
    pub databases: Vec<Database>,
    /// When a connection goes back to it.
    pub mode: PoolMode,
    /// Where clients come: numbers, or a name.
    pub listen_host: String,
    /// And by which port.
    pub listen_port: u16,
    /// Connections of a user to a database.
    pub size: u32,
    /// Such connections more, for clients that waited.
    pub reserve: u32,
    /// Connections to a database at most.
    pub connections_max: u32,
    /// Clients at most.
    pub clients_max: u32,
    /// Users and what proves them, as PgBouncer's `userlist.txt`; nobody proves anything without.
    pub auth_file: Option<String>,
    /// Where the log and the number of the process go.
    pub folder: String,
}

impl Pool {
    /// What makes no sense, before PgBouncer says so or does not.
    ///
    /// # Errors
    /// The words name the option.
    pub fn check(&self) -> Result<(), String> {
        for (name, value, least, most) in [
            ("--pool-size", self.size, 1, CONNECTIONS_MAX),
            ("--reserve", self.reserve, 0, CONNECTIONS_MAX),
            (
                "--connections-max",
                self.connections_max,
                1,
                CONNECTIONS_MAX,
            ),
            ("--clients-max", self.clients_max, 1, CLIENTS_MAX),
        ] {
            if value < least || value > most {
                return Err(format!("{name}: {value}: from {least} to {most}"));
            }
        }
        if self.size + self.reserve > self.connections_max {
            return Err(format!(
                "--connections-max: {}: less than --pool-size and --reserve together, {}",
                self.connections_max,
                self.size + self.reserve
            ));
        }
        let mut aliases: Vec<&str> = self.databases.iter().map(|it| it.alias.as_str()).collect();
        aliases.sort_unstable();
        if let Some(twice) = aliases.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("--database: {:?} twice: name an alias", twice[0]));
        }
        if aliases.is_empty() {
            return Err("--database: name one".to_owned());
        }
        let is_near = ["127.0.0.1", "::1"].contains(&self.listen_host.as_str());
        if self.auth_file.is_none() && !is_near {
            return Err(format!(
                "--listen: {} is no loopback address, and nobody would have to prove who he is: \
                 name a file of users with --auth-file",
                self.listen_host
            ));
        }
        let words = [Some(&self.folder), self.auth_file.as_ref()];
        match words
            .into_iter()
            .flatten()
            .find(|it| it.chars().any(char::is_control))
        {
            Some(bad) => Err(format!(
                "{bad:?}: a name of a file with letters that cannot be seen"
            )),
            None => Ok(()),
        }
    }

    /// PgBouncer's file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::from(
            "; Made by `wirecross pgbouncer config`: make it anew rather than change it.\n\
             [databases]\n",
        );
        for database in &self.databases {
            let Database {
                alias,
                user,
                host,
                port,
                name,
            } = database;
            let _ = write!(text, "{alias} = host='{host}' port={port} dbname='{name}'");
            // Who proves nothing is whom the pool says.
            if self.auth_file.is_none() {
                let _ = write!(text, " user='{user}'");
            }
            text.push('\n');
        }
        let auth = self.auth_file.as_ref().map_or_else(
            || "auth_type = any\n".to_owned(),
            |file| format!("auth_type = scram-sha-256\nauth_file = {file}\n"),
        );
        let _ = write!(
            text,
            "\n[pgbouncer]\n\
             listen_addr = {}\nlisten_port = {}\nunix_socket_dir =\n{auth}\
             pool_mode = {}\ndefault_pool_size = {}\nreserve_pool_size = {}\n\
             max_db_connections = {}\nmax_client_conn = {}\n\
             query_wait_timeout = {QUERY_WAIT_S}\nserver_connect_timeout = {CONNECT_S}\n\
             server_login_retry = {LOGIN_RETRY_S}\nserver_idle_timeout = {IDLE_S}\n\
             ignore_startup_parameters = extra_float_digits\n\
             logfile = {folder}/pgbouncer.log\npidfile = {folder}/pgbouncer.pid\n",
            self.listen_host,
            self.listen_port,
            self.mode.name(),
            self.size,
            self.reserve,
            self.connections_max,
            self.clients_max,
            folder = self.folder,
        );
        text
    }

    /// The addresses by which clients come to the databases, in their order.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        let host = match self.listen_host.contains(':') {
            true => format!("[{}]", self.listen_host),
            false => self.listen_host.clone(),
        };
        let url = |it: &Database| {
            format!(
                "postgres://{}@{host}:{}/{}?{POOL_MODE}={}",
                it.user,
                self.listen_port,
                it.alias,
                self.mode.name()
            )
        };
        self.databases.iter().map(url).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pool(databases: &[&str]) -> Pool {
        let read = |it: &&str| Database::read(it).unwrap();
        Pool {
            databases: databases.iter().map(read).collect(),
            mode: PoolMode::Transaction,
            listen_host: "127.0.0.1".to_owned(),
            listen_port: 6_432,
            size: 20,
            reserve: 5,
            connections_max: 40,
            clients_max: 1_000,
            auth_file: None,
            folder: "/run/pool".to_owned(),
        }
    }

    #[test]
    fn addresses_become_lines_and_addresses_of_the_pool() {
        let pool = pool(&[
            "postgres://slow@10.0.0.1:5433/tables",
            "near=postgresql://slow@%2Frun%2Fpostgresql/tables",
            "six=postgres://[fe80::1]:5434/tables",
        ]);
        assert_eq!(pool.check(), Ok(()));
        let text = pool.text();
        for line in [
            "tables = host='10.0.0.1' port=5433 dbname='tables' user='slow'\n",
            "near = host='/run/postgresql' port=5432 dbname='tables' user='slow'\n",
            "six = host='fe80::1' port=5434 dbname='tables' user='wirecross'\n",
            "pool_mode = transaction\n",
            "max_db_connections = 40\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        assert_eq!(
            pool.urls()[1],
            "postgres://slow@127.0.0.1:6432/near?pool_mode=transaction"
        );
    }

    #[test]
    fn what_cannot_be_pooled_is_refused_in_words() {
        let refused = |text: &str| Database::read(text).unwrap_err();
        let said = refused("postgres://slow:secret@h/tables");
        assert!(
            said.contains("--auth-file") && !said.contains("secret"),
            "{said}"
        );
        assert!(refused("/var/tables.db").contains("no address"));
        assert!(refused("postgres://slow@h:x/tables").contains("no number"));
        assert!(refused("postgres://slow@h:0/tables").contains("no number"));
        assert!(refused("postgres://slow@/tables").contains("names no host"));
        assert!(refused("postgres://slow@h/a;b").contains("letters"));
        assert!(refused("postgres://slow@h%0a/tables").contains("no host has"));
        assert!(refused("postgres://slow@h/tables?x=y").contains("options"));
        assert!(refused("postgres://slow@h/pgbouncer").contains("name an alias"));
        let mut two = pool(&["postgres://a@h/tables", "postgres://a@i/tables"]);
        assert!(two.check().unwrap_err().contains("twice"));
        two.databases.pop();
        two.listen_host = "0.0.0.0".to_owned();
        assert!(two.check().unwrap_err().contains("--auth-file"));
        two.auth_file = Some("/etc/users".to_owned());
        assert_eq!(two.check(), Ok(()));
        assert!(
            two.text()
                .contains("auth_type = scram-sha-256\nauth_file = /etc/users\n")
        );
        assert!(!two.text().contains("user="));
        two.reserve = 30;
        assert!(two.check().unwrap_err().contains("together, 50"));
    }
}
