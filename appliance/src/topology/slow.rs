//! The slow path: `[slow]` in the file. What it makes is in docs/store.md.

use super::{Error, sandbox};
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// How the address of a database server begins.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// The program beside a venue that makes tables of its journal and streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slow {
    /// A folder of its own, where it keeps its database if it has no server.
    pub dir: PathBuf,
    /// The server that has its tables, if they are in no file.
    pub server: Option<Server>,
    /// Whom it is run as, if the venue is started as root and it is not to be the default one.
    pub user: Option<String>,
    /// The program, if it is not beside ours.
    pub program: Option<PathBuf>,
    /// The core it runs on, if it is to have one.
    pub core: Option<usize>,
}

/// A server of PostgreSQL's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// `postgres://USER@ADDRESS:PORT/NAME`, with an address of numbers.
    pub database: String,
    /// Who knows the password, if one is asked for: read before the venue gives up its rights, and
    /// handed to the service alone.
    pub password_file: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    dir: PathBuf,
    database: Option<String>,
    password_file: Option<PathBuf>,
    user: Option<String>,
    program: Option<PathBuf>,
    core: Option<usize>,
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
    let server = server(raw.database, raw.password_file)?;
    let user = sandbox::user("slow.user", raw.user)?;
    Ok(Some(Slow {
        dir: raw.dir,
        server,
        user,
        program: raw.program,
        core: raw.core,
    }))
}

fn server(
    database: Option<String>,
    password_file: Option<PathBuf>,
) -> Result<Option<Server>, Error> {
    let Some(database) = database else {
        return match password_file {
            None => Ok(None),
            Some(_) => Err(Error::value(
                "slow.password_file",
                "has no server to be for",
                "name the server by slow.database, or leave the password out",
            )),
        };
    };
    if let Err(problem) = reachable(&database) {
        return Err(Error::value(
            "slow.database",
            problem,
            "write \"postgres://USER@127.0.0.1:5432/NAME\"; the password is for slow.password_file",
        ));
    }
    Ok(Some(Server {
        database,
        password_file,
    }))
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
        let refused = server(None, file.clone()).unwrap_err().to_string();
        assert!(refused.contains("slow.password_file"), "{refused}");
        let database = Some("postgres://slow@127.0.0.1/t".to_owned());
        assert_eq!(
            server(database, file)
                .unwrap()
                .unwrap()
                .password_file
                .unwrap(),
            *"/etc/password"
        );
    }
}
