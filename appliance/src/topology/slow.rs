//! The slow path: `[slow]` in the file. What it makes is in docs/store.md.

use super::{Error, sandbox};
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr, SocketAddrV4};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// How the address of a database server begins.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// How its lines look, and what is worth one.
const FORMATS: [&str; 2] = ["text", "json"];
const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// What may be a slow turn, in milliseconds.
const SLOW_MS: RangeInclusive<u64> = 1..=3_600_000;

/// The program beside a venue that makes tables of its journal and streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slow {
    /// A folder of its own, where it keeps its database if it has no server.
    pub dir: PathBuf,
    /// The server or servers that have its tables, if they are in no file.
    pub server: Option<Server>,
    /// What it says, and how.
    pub log: Log,
    /// A collector of OpenTelemetry that it sends spans to.
    pub collector: Option<SocketAddrV4>,
    /// Whom it is run as, if the venue is started as root and it is not to be the default one.
    pub user: Option<String>,
    /// The program, if it is not beside ours.
    pub program: Option<PathBuf>,
    /// The core it runs on, if it is to have one.
    pub core: Option<usize>,
}

/// Options of the program's log; without one it does as it does by itself.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// How a line looks: text or json.
    pub format: Option<String>,
    /// What is worth a line: error, warn, info, debug or trace.
    pub level: Option<String>,
    /// How long a turn may take, in milliseconds, before it is told as a slow one.
    pub slow_ms: Option<u64>,
}

/// Where servers are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// `postgres://USER@ADDRESS:PORT/NAME`, with an address of numbers.
    One(String),
    /// A routing table, which names the servers of shards.
    Routes(PathBuf),
}

/// Servers of PostgreSQL's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where they are.
    pub database: Database,
    /// Who knows the password, if one is asked for: read before the venue gives up its rights, and
    /// handed to the service alone.
    pub password_file: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    dir: PathBuf,
    database: Option<String>,
    routes: Option<PathBuf>,
    password_file: Option<PathBuf>,
    user: Option<String>,
    program: Option<PathBuf>,
    core: Option<usize>,
    #[serde(default)]
    log: Log,
    collector: Option<String>,
}

/// Checks the section; an absent one asks for no slow path.
pub(super) fn slow(
    raw: Option<Raw>,
    data_dir: &Path,
    has_shadow: bool,
) -> Result<Option<Slow>, Error> {
    let Some(raw) = raw else { return Ok(None) };
    if !has_shadow {
        return Err(Error::value(
            "slow",
            "has no streams to read",
            "add a section [shadow], which writes them",
        ));
    }
    if raw.dir.as_os_str().is_empty() || raw.dir.starts_with(data_dir) {
        return Err(Error::value(
            "slow.dir",
            "is no folder of its own",
            "name one outside of data_dir, which belongs to the venue alone",
        ));
    }
    let server = server((raw.database, raw.routes), raw.password_file)?;
    raw.log.check()?;
    let user = sandbox::user("slow.user", raw.user)?;
    Ok(Some(Slow {
        dir: raw.dir,
        server,
        log: raw.log,
        collector: raw.collector.map(|it| collector(&it)).transpose()?,
        user,
        program: raw.program,
        core: raw.core,
    }))
}

impl Log {
    fn check(&self) -> Result<(), Error> {
        for (name, word, words) in [
            ("format", &self.format, &FORMATS[..]),
            ("level", &self.level, &LEVELS),
        ] {
            if let Some(word) = word.as_deref().filter(|it| !words.contains(it)) {
                return Err(Error::value(
                    format!("slow.log.{name}"),
                    format!("is {word:?}"),
                    format!("write one of {}", words.join(", ")),
                ));
            }
        }
        if let Some(ms) = self.slow_ms.filter(|ms| !SLOW_MS.contains(ms)) {
            let remedy = format!("write {} to {}", SLOW_MS.start(), SLOW_MS.end());
            return Err(Error::value("slow.log.slow_ms", format!("is {ms}"), remedy));
        }
        Ok(())
    }
}

/// A confined process looks up no name.
fn collector(text: &str) -> Result<SocketAddrV4, Error> {
    let wrong = |_| {
        let remedy = "write its numbers: \"127.0.0.1:4318\"";
        Error::value("slow.collector", format!("is {text:?}"), remedy)
    };
    text.parse().map_err(wrong)
}

fn server(
    (database, routes): (Option<String>, Option<PathBuf>),
    password_file: Option<PathBuf>,
) -> Result<Option<Server>, Error> {
    let database = match (database, routes) {
        (Some(_), Some(_)) => {
            return Err(Error::value(
                "slow.routes",
                "stands beside slow.database",
                "keep one: a server has all tables, or shards have them",
            ));
        }
        (Some(database), None) => Database::One(reached(database)?),
        (None, Some(path)) if path.as_os_str().is_empty() => {
            let remedy = "name the routing table that docs/store.md describes";
            return Err(Error::value("slow.routes", "is empty", remedy));
        }
        (None, Some(path)) => Database::Routes(path),
        (None, None) if password_file.is_none() => return Ok(None),
        (None, None) => {
            return Err(Error::value(
                "slow.password_file",
                "has no server to be for",
                "name the server by slow.database, or servers by slow.routes, or leave the \
                 password out",
            ));
        }
    };
    Ok(Some(Server {
        database,
        password_file,
    }))
}

fn reached(database: String) -> Result<String, Error> {
    let remedy =
        "write \"postgres://USER@127.0.0.1:5432/NAME\"; the password is for slow.password_file";
    let wrong = |problem| Error::value("slow.database", problem, remedy);
    reachable(&database).map_err(wrong)?;
    Ok(database)
}

/// Whether a confined process can reach it: it looks up no name, and knows no other socket.
fn reachable(database: &str) -> Result<SocketAddr, &'static str> {
    let rest = SCHEMES.iter().find_map(|it| database.strip_prefix(it));
    let rest = rest.ok_or("is no address of a server")?;
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let (user, host) = host.rsplit_once('@').unwrap_or(("", host));
    if user.contains(':') {
        return Err("holds a password, which everybody sees in the list of processes");
    }
    let bare = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let at = host.parse().or(bare.map(|ip| SocketAddr::new(ip, 5432)));
    at.map_err(|_| "names no host by the numbers of its address")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_by_numbers_and_without_a_password() {
        let at = |text: &str| reachable(text).map(|at| at.to_string());
        assert_eq!(at("postgres://slow@127.0.0.1:7/t").unwrap(), "127.0.0.1:7");
        assert_eq!(at("postgresql://127.0.0.1").unwrap(), "127.0.0.1:5432");
        assert_eq!(at("postgres://slow@[::1]:7/t?a=b").unwrap(), "[::1]:7");
        assert_eq!(at("postgres://slow@[::1]/t").unwrap(), "[::1]:5432");
        for wrong in [
            "tables.db",
            "postgres://slow@localhost:7/t",
            "postgres://slow@%2Frun%2Fpostgresql/t",
            "postgres://slow:secret@127.0.0.1/t",
            "postgres://slow@127.0.0.1:70000/t",
            "postgres://a@127.0.0.1,127.0.0.2/t",
            "postgres://",
        ] {
            assert!(reachable(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_needs_a_server() {
        let file = Some(PathBuf::from("/etc/password"));
        let refused = server((None, None), file.clone()).unwrap_err().to_string();
        assert!(refused.contains("slow.password_file"), "{refused}");
        let one = "postgres://slow@127.0.0.1/t".to_owned();
        let routes = PathBuf::from("/etc/routes.json");
        for (database, due) in [
            ((Some(one.clone()), None), Database::One(one.clone())),
            (
                (None, Some(routes.clone())),
                Database::Routes(routes.clone()),
            ),
        ] {
            let server = server(database, file.clone()).unwrap().unwrap();
            assert_eq!(server.database, due);
            assert_eq!(server.password_file, file);
        }
        let both = server((Some(one), Some(routes)), None).unwrap_err();
        assert!(both.to_string().contains("slow.routes"), "{both}");
        let none = server((None, Some(PathBuf::new())), None).unwrap_err();
        assert!(none.to_string().contains("slow.routes"), "{none}");
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_place() {
        let read = |text: &str| {
            let raw: Raw = toml::from_str(&format!("dir = \"/tables\"\n{text}")).unwrap();
            slow(Some(raw), Path::new("/venue"), true).map_err(|e| e.to_string())
        };
        let told = |text: &str| read(text).unwrap_err();
        for (text, place) in [
            ("log = { format = \"xml\" }", "slow.log.format"),
            ("log = { level = \"loud\" }", "slow.log.level"),
            ("log = { slow_ms = 0 }", "slow.log.slow_ms"),
            ("collector = \"here:4318\"", "slow.collector"),
        ] {
            assert!(told(text).contains(place), "{}", told(text));
        }
        let log = "log = { format = \"json\", level = \"debug\", slow_ms = 5 }";
        let slow = read(&format!("{log}\ncollector = \"127.0.0.1:4318\""));
        let slow = slow.unwrap().unwrap();
        assert_eq!(slow.log.slow_ms, Some(5));
        assert_eq!(slow.collector.unwrap().port(), 4_318);
    }
}
