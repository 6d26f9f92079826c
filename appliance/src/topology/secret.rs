//! What a login proves itself by, and where it may come from.

use super::check::is_word;
use super::{DropCopy, Error, Topology, User};
use argon2::password_hash::phc::PasswordHash;
use serde::Deserialize;
use session::Network;
use session::challenge::Key;
use session::order_entry::PASSWORD_LETTERS;
use std::fmt;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The only kind of hash: the one that is meant for passwords.
const ALGORITHM: &str = "argon2id";

/// What a login proves itself by.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// The password itself: for laboratories.
    Plain(String),
    /// The Argon2id hash of its capital letters, as a PHC string.
    Hash(String),
    /// A key that it has, in a file; once that was read.
    Key(PathBuf, Option<Key>),
    /// Nothing does: nobody can log in, until an operator says what proves it.
    Nobody,
}

/// A password, its hash, or where a key is, as a topology has them.
type Written = (Option<String>, Option<String>, Option<PathBuf>);

/// Nothing of it gets into a message.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain(..)",
            Self::Hash(_) => "Hash(..)",
            Self::Key(..) => "Key(..)",
            Self::Nobody => "Nobody",
        })
    }
}

/// What happens when a user that is logged in logs in again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecondLogin {
    /// The second connection takes the place of the first, which is probably dead.
    #[default]
    Replace,
    /// The first one stays.
    Refuse,
}

/// The letters of a password as they are hashed and compared: capitals. `None` if it is none.
#[must_use]
pub fn letters_of(password: &str) -> Option<String> {
    is_word(password, PASSWORD_LETTERS, "").then(|| password.to_ascii_uppercase())
}

/// Checks a login's password, its hash or its key's file; `login` is its table's key.
pub(super) fn secret(login: &str, written: Written) -> Result<Secret, Error> {
    let wrong = |field: &str, problem: &str, remedy: &str| {
        Err(Error::value(format!("{login}.{field}"), problem, remedy))
    };
    let (password, hash) = match written {
        (None, None, Some(file)) => return Ok(Secret::Key(file, None)),
        (_, _, Some(_)) => {
            return wrong(
                "key_file",
                "stands beside a password",
                "remove one of them: a login proves one thing",
            );
        }
        (password, hash, None) => (password, hash),
    };
    match (password, hash) {
        (Some(password), None) if letters_of(&password).is_some() => Ok(Secret::Plain(password)),
        (Some(_), None) => wrong(
            "password",
            "is no such word",
            "write 1 to 10 letters or digits",
        ),
        (None, Some(hash)) if costs(&hash).is_some() => Ok(Secret::Hash(hash)),
        (None, Some(_)) => wrong(
            "password_hash",
            "is no Argon2id hash",
            "write what `wirecross admin hash-password` prints",
        ),
        (Some(_), Some(_)) => wrong(
            "password",
            "stands beside a `password_hash`",
            "remove it: the hash does",
        ),
        (None, None) => wrong(
            "password_hash",
            "is missing",
            "write what `wirecross admin hash-password` prints",
        ),
    }
}

/// The key in a file, which nobody else may read.
///
/// # Errors
/// The file cannot be read, others may read it, or it holds no key.
pub fn key_in(path: &Path) -> Result<Key, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mode = std::fs::metadata(path)
        .map_err(failed)?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        let (path, mode) = (path.display(), mode & 0o777);
        return Err(format!("{path}: others may read it ({mode:o}): chmod 600"));
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    Key::parse(text.trim_end()).ok_or_else(|| {
        let path = path.display();
        format!(
            "{path}: is no key: write 64 hexadecimal digits, as `wirecross admin make-key` does"
        )
    })
}

/// What a hash costs, in its own words; none if it is none that can be compared with.
fn costs(hash: &str) -> Option<String> {
    let hash = PasswordHash::new(hash).ok()?;
    let is_whole = hash.algorithm.as_str() == ALGORITHM && hash.hash.is_some();
    argon2::Params::try_from(&hash).ok()?;
    (is_whole && hash.salt.is_some()).then(|| format!("{:?} {}", hash.version, hash.params))
}

/// All hashes cost the same, or the time of a refusal would tell whose name exists; and there is
/// one where users may come later, whose hashes cost as much.
pub(super) fn one_cost(users: &[User], copies: &[DropCopy], spare: u16) -> Result<(), Error> {
    let users = users[usize::from(spare)..]
        .iter()
        .zip(0..)
        .map(|(it, n)| ("users", n, &it.secret));
    let copies = copies.iter().zip(0..);
    let copies = copies.map(|(it, n)| ("drop_copies", n, &it.secret));
    let mut first = None;
    for (table, index, secret) in users.chain(copies) {
        let Secret::Hash(hash) = secret else { continue };
        let costs = costs(hash);
        if *first.get_or_insert_with(|| costs.clone()) != costs {
            return Err(Error::value(
                format!("{table}[{index}].password_hash"),
                "costs another time than the first one",
                "hash all passwords with the same parameters: their times must not differ",
            ));
        }
    }
    if spare > 0 && first.is_none() {
        return Err(Error::value(
            "limits.spare_users",
            format!("is {spare}, and no login has a `password_hash`"),
            "give one to a user: those who come later prove a password by its hash",
        ));
    }
    Ok(())
}

/// Whether a running venue may take a hash for one of its users' passwords.
///
/// # Errors
/// It is no hash, it costs another time than the topology's, or nobody there judges hashes.
pub fn hash_fits(topology: &Topology, hash: &str) -> Result<(), String> {
    let costs_of = |(_, secret): (&str, &Secret)| match secret {
        Secret::Hash(hash) => costs(hash),
        Secret::Plain(_) | Secret::Key(..) | Secret::Nobody => None,
    };
    let Some(usual) = topology.secrets().find_map(costs_of) else {
        return Err(
            "no password of this venue is a hash, and nobody in it judges any: give a user a \
             `password_hash` in the topology before the next start"
                .to_owned(),
        );
    };
    match costs(hash) {
        Some(costs) if costs == usual => Ok(()),
        Some(_) => Err("the hash costs another time than those of the topology".to_owned()),
        None => Err(
            "that is no Argon2id hash: say what `wirecross admin hash-password` prints, \
                     never the password"
                .to_owned(),
        ),
    }
}

/// Checks where a login may come from.
pub(super) fn networks(key: &str, written: &[String]) -> Result<Vec<Network>, Error> {
    let network = |text: &str| {
        let (address, bits) = text.split_once('/').unwrap_or((text, "32"));
        Network::new(address.parse::<Ipv4Addr>().ok()?, bits.parse().ok()?)
    };
    let all = written.iter().map(|text| {
        network(text).ok_or_else(|| {
            Error::value(
                key,
                format!("has \"{text}\", which is no network"),
                "write networks such as \"10.0.0.0/8\", with no bits set behind the first ones",
            )
        })
    });
    all.collect()
}
