//! The address of a server, and the password for it, which stands in no command line.

use crate::Error;
use crate::pgbouncer::POOL_MODE;
use crate::shards::Part;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_postgres::config::{Host, SslMode};

/// The schema of the tables.
const SCHEMA: &str = "wirecross";

/// Parts by symbol that tables may have at most.
const PARTS_MAX: u32 = 64;

/// What names them in an address.
const PARTS: &str = "parts";

/// How long a server may take to take a connection.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// How long bytes may be on their way before the host is taken for gone.
const HOST_MAX: Duration = Duration::from_secs(30);

/// A file of passwords is not longer.
const PASSWORDS_BYTES_MAX: u64 = 65_536;

const _: () = assert!(CONNECT_MAX.as_secs() < HOST_MAX.as_secs());

/// A server, as one connects to it.
#[derive(Clone, Debug)]
pub struct Server {
    pub(super) config: Box<tokio_postgres::Config>,
    /// Host, port and database, for people.
    words: String,
    pub(super) schema: &'static str,
    /// There is a pool before it that gives a connection to a transaction: nothing that one asks
    /// may count on what was said before.
    pub(super) is_pooled: bool,
    /// The shard whose rows it has alone.
    pub(super) part: Option<Arc<Part>>,
    /// In how many parts by symbol its tables are, if that is said.
    pub(super) parts: Option<u32>,
    /// Who waits for the server ends when it is set.
    stop: Option<Arc<AtomicBool>>,
    /// Longer no answer is waited for.
    pub(super) answer_max: Option<Duration>,
}

impl Server {
    /// Reads an address, `postgres://user@host:port/database`; the password is that of the
    /// environment (`PGPASSWORD`) or of a password file (`PGPASSFILE`, or `.pgpass` at home).
    ///
    /// # Errors
    /// It is none, holds a password, or asks for what is not there; or the password file cannot be
    /// used.
    pub fn read(address: &str) -> Result<Self, Error> {
        let (address, own) = options(address)?;
        let parsed: Result<tokio_postgres::Config, _> = address.parse();
        let mut config = parsed.map_err(|error| {
            let why =
                std::error::Error::source(&error).map_or(String::new(), |it| format!(": {it}"));
            Error::Refused(format!(
                "the database's address is not understood{why}; it is \
                 postgres://user@host:port/database"
            ))
        })?;
        if config.get_password().is_some() {
            let words = "the database's address holds a password, which everybody sees in the list \
                         of processes: put it into the environment (PGPASSWORD), or into a file \
                         that is named there (PGPASSFILE)";
            return Err(Error::Refused(words.to_owned()));
        }
        if config.get_ssl_mode() == SslMode::Require {
            let words = "the database's address asks for TLS, which this program does not speak: \
                         connect by loopback, a socket file or a tunnel";
            return Err(Error::Refused(words.to_owned()));
        }
        let [host] = config.get_hosts() else {
            let words = "the database's address must name one host";
            return Err(Error::Refused(words.to_owned()));
        };
        let host = match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(folder) => folder.display().to_string(),
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let user = config.get_user().unwrap_or("wirecross").to_owned();
        let name = config.get_dbname().unwrap_or(&user).to_owned();
        let words = format!("{host}:{port}/{name}");
        if let Some(password) = password([&host, &port.to_string(), &name, &user])? {
            config.password(password);
        }
        config
            .user(user)
            .ssl_mode(SslMode::Disable)
            .application_name("wirecross-slow")
            .connect_timeout(CONNECT_MAX)
            .keepalives_idle(HOST_MAX)
            .tcp_user_timeout(HOST_MAX);
        Ok(Self {
            config: Box::new(config),
            words,
            schema: SCHEMA,
            is_pooled: own.is_pooled,
            part: None,
            parts: own.parts,
            stop: None,
            answer_max: None,
        })
    }

    /// The same, with a flag that ends waiting for it.
    #[must_use]
    pub fn until(mut self, stop: Arc<AtomicBool>) -> Self {
        self.stop = Some(stop);
        self
    }

    /// The same, which has the rows of a shard alone.
    pub(crate) fn with_part(mut self, part: Arc<Part>) -> Self {
        self.part = Some(part);
        self
    }

    /// The shard whose rows it has alone.
    pub(crate) fn part(&self) -> Option<&Part> {
        self.part.as_deref()
    }

    /// The same, whose answers are waited for so long, and not for as long as it is there.
    pub(crate) const fn within(mut self, answer_max: Duration) -> Self {
        self.answer_max = Some(answer_max);
        self
    }

    /// The same, with a password.
    pub(crate) fn with_password(mut self, password: &str) -> Self {
        self.config.password(password);
        self
    }

    /// Its TCP port, if no name has to be looked up for it.
    pub(crate) fn port(&self) -> Result<u16, Error> {
        let is_numbers = match &self.config.get_hosts()[0] {
            Host::Tcp(name) => name.parse::<IpAddr>().is_ok(),
            Host::Unix(_) => false,
        };
        if is_numbers {
            return Ok(self.config.get_ports().first().copied().unwrap_or(5432));
        }
        Err(self.refused("a confined process reaches a host by the numbers of its address only"))
    }

    /// The same, whose tables are made in so many parts.
    pub(super) const fn in_parts(mut self, parts: Option<u32>) -> Self {
        self.parts = parts;
        self
    }

    /// The same server's tables in another schema.
    pub(super) fn with_schema(mut self, schema: &'static str) -> Self {
        self.schema = schema;
        self
    }

    pub(super) fn is_stopped(&self) -> bool {
        let stop = self.stop.as_ref();
        stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// What went wrong, in words that name the server.
    pub(super) fn failed(&self, error: &tokio_postgres::Error) -> Error {
        let source = std::error::Error::source(error);
        let why = match (error.as_db_error(), source) {
            (Some(told), _) => {
                let detail = told.detail().map_or(String::new(), |it| format!(" ({it})"));
                format!("{}{detail}", told.message())
            }
            (None, Some(source)) => format!("{error}: {source}"),
            (None, None) => error.to_string(),
        };
        Error::Server(format!("database {self}: {why}"))
    }

    pub(super) fn refused(&self, why: &str) -> Error {
        Error::Refused(format!("database {self}: {why}"))
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// What an address says that is for us and not for the server.
#[derive(Default)]
struct Own {
    is_pooled: bool,
    parts: Option<u32>,
}

/// The address without that, and that.
fn options(address: &str) -> Result<(String, Own), Error> {
    let mut own = Own::default();
    let Some((place, options)) = address.split_once('?') else {
        return Ok((address.to_owned(), own));
    };
    let mut others = Vec::new();
    for option in options.split('&') {
        match option.split_once('=') {
            Some((POOL_MODE, "transaction")) => own.is_pooled = true,
            Some((POOL_MODE, "session")) => {}
            Some((POOL_MODE, other)) => {
                let words = format!(
                    "the database's address says {POOL_MODE}={other}: what is asked here is asked \
                     in transactions, so the pool must be one of transaction or session"
                );
                return Err(Error::Refused(words));
            }
            Some((PARTS, number)) => own.parts = Some(parts(number)?),
            _ => others.push(option),
        }
    }
    let rest = match others.is_empty() {
        true => place.to_owned(),
        false => format!("{place}?{}", others.join("&")),
    };
    Ok((rest, own))
}

fn parts(number: &str) -> Result<u32, Error> {
    let read = number.parse().ok();
    let read = read.filter(|parts| (1..=PARTS_MAX).contains(parts));
    read.ok_or_else(|| {
        Error::Refused(format!(
            "the database's address says {PARTS}={number}: from 1, which is none below a day's, to \
             {PARTS_MAX}"
        ))
    })
}

/// The password for host, port, database and user, if one is needed and known.
fn password(whom: [&str; 4]) -> Result<Option<String>, Error> {
    if let Ok(password) = std::env::var("PGPASSWORD") {
        return Ok(Some(password));
    }
    let (path, is_named) = match std::env::var_os("PGPASSFILE") {
        Some(path) => (PathBuf::from(path), true),
        None => match std::env::var_os("HOME") {
            Some(home) => (PathBuf::from(home).join(".pgpass"), false),
            None => return Ok(None),
        },
    };
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(_) if !is_named => return Ok(None),
        Err(error) => return Err(Error::file(&path, &error)),
    };
    let failed = |error| Error::file(&path, &error);
    let about = file.metadata().map_err(failed)?;
    if about.mode() & 0o077 != 0 || about.len() > PASSWORDS_BYTES_MAX {
        let why = "others may read these passwords, or it is no file of them: chmod 600 it";
        return Err(Error::Refused(format!("{}: {why}", path.display())));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed)?;
    Ok(text.lines().find_map(|line| password_of(line, whom)))
}

/// The password of a line `host:port:database:user:password`, where `*` is anything and a
/// backslash stands before colons and backslashes.
fn password_of(line: &str, whom: [&str; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ':' if fields.len() < 5 => fields.push(String::new()),
            _ => {
                let letter = if letter == '\\' {
                    letters.next()?
                } else {
                    letter
                };
                fields.last_mut()?.push(letter);
            }
        }
    }
    let password = (fields.len() == 5).then(|| fields.pop())??;
    let mut pairs = fields.iter().zip(whom);
    pairs
        .all(|(field, it)| field == "*" || field == it)
        .then_some(password)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_password_file_is_for_whom_it_names() {
        let whom = ["db.example", "5432", "tables", "slow"];
        let of = |line| password_of(line, whom);
        assert_eq!(of("db.example:5432:tables:slow:word").unwrap(), "word");
        assert_eq!(of(r"*:*:*:slow:a\:b\\c:d").unwrap(), r"a:b\c:d");
        assert_eq!(of("db.example:5433:tables:slow:word"), None);
        assert_eq!(of("#db.example:5432:tables:slow:word"), None);
        assert_eq!(of("db.example:5432:tables:slow"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn an_address_of_a_pool_is_that_of_a_server() {
        let read = |address: &str| Server::read(address).unwrap();
        let pooled = read("postgres://slow@h:6432/tables?pool_mode=transaction&keepalives=0");
        assert!(pooled.is_pooled && !pooled.config.get_keepalives());
        assert_eq!(pooled.to_string(), "h:6432/tables");
        let parted = read("postgres://slow@h:6432/tables?pool_mode=session&parts=8");
        assert!(!parted.is_pooled && parted.parts == Some(8));
    }

    #[test]
    fn addresses_that_cannot_be_used_are_refused_in_words() {
        let refused = |address: &str| Server::read(address).unwrap_err().to_string();
        let said = refused("postgres://slow:secret@127.0.0.1/tables");
        assert!(
            said.contains("PGPASSFILE") && !said.contains("secret"),
            "{said}"
        );
        assert!(refused("postgres://slow@h/tables?sslmode=require").contains("TLS"));
        assert!(refused("postgres://slow@h,i/tables").contains("one host"));
        assert!(refused("postgres://slow@h/t?pool_mode=statement").contains("transactions"));
        for number in ["0", "65", "-1", "many", ""] {
            let said = refused(&format!("postgres://slow@h/t?parts={number}"));
            assert!(said.contains("parts=") && said.contains("64"), "{said}");
        }
        assert!(refused("postgres://slow@h:port/tables").contains("not understood"));
    }
}
