//! Keys as the settings have them, and what is wrong with them.

use super::{Key, Login, Proof, bytes_of};
use crate::rights::Role;
use serde::Deserialize;
use std::path::PathBuf;

/// Accounts of a key at most.
const ACCOUNTS_MAX: usize = 64;

/// A key as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawKey {
    name: String,
    role: Role,
    #[serde(default)]
    accounts: Vec<u32>,
    token_sha256: Option<String>,
    secret_file: Option<PathBuf>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    #[serde(default = "per_second")]
    per_second: u32,
    #[serde(default = "at_once")]
    at_once: u32,
}

const fn per_second() -> u32 {
    100
}

const fn at_once() -> u32 {
    200
}

impl RawKey {
    /// The key; an error begins with the field.
    pub(crate) fn checked(self) -> Result<Key, String> {
        let is_name = |name: &str| {
            let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            (1..=32).contains(&name.len()) && name.bytes().all(is_letter)
        };
        if !is_name(&self.name) {
            return Err("name: 1 to 32 letters, digits and `-`".into());
        }
        let role = self.role.name();
        if self.role.has_accounts() && self.accounts.is_empty() {
            return Err(format!(
                "accounts: a {role}'s key is about some: accounts = [1]"
            ));
        }
        if !self.role.has_accounts() && !self.accounts.is_empty() {
            return Err(format!(
                "accounts: a key of role {role} has none of its own"
            ));
        }
        if self.accounts.len() > ACCOUNTS_MAX {
            return Err(format!("accounts: no more than {ACCOUNTS_MAX}"));
        }
        if self.per_second == 0 || self.at_once == 0 {
            return Err("per_second, at_once: at least 1".into());
        }
        let login = self.login()?;
        let proof = match (&self.token_sha256, &self.secret_file) {
            (Some(hash), None) => Proof::Token(bytes_of(hash).ok_or(
                "token_sha256: 64 hexadecimal digits; `wirecross-api make-token` makes both",
            )?),
            (None, Some(path)) => {
                let told = |what: &str| format!("secret_file: {}: {what}", path.display());
                let text = std::fs::read_to_string(path).map_err(|e| told(&e.to_string()))?;
                Proof::Secret(bytes_of(text.trim()).ok_or_else(|| {
                    told("64 hexadecimal digits; `wirecross admin make-key FILE` makes one")
                })?)
            }
            _ => return Err("token_sha256: say it, or secret_file, and not both".into()),
        };
        Ok(Key {
            name: self.name,
            role: self.role,
            accounts: self.accounts,
            login,
            per_second: self.per_second,
            at_once: self.at_once,
            proof,
        })
    }
}

impl RawKey {
    /// Who a trader is at the venue, and nobody for other roles.
    fn login(&self) -> Result<Option<Login>, String> {
        let (user, path) = match (&self.user, &self.password_file) {
            (None, None) if self.role != Role::Trader => return Ok(None),
            _ if self.role != Role::Trader => {
                let role = self.role.name();
                return Err(format!("user, password_file: a {role} enters no orders"));
            }
            (Some(user), Some(path)) => (user, path),
            _ => return Err("user, password_file: who a trader is at the venue".into()),
        };
        if !(1..=6).contains(&user.len()) || !user.bytes().all(|it| it.is_ascii_alphanumeric()) {
            return Err(format!("user: {user:?}: 1 to 6 letters and digits"));
        }
        let told = |what: &str| format!("password_file: {}: {what}", path.display());
        let text = std::fs::read_to_string(path).map_err(|e| told(&e.to_string()))?;
        let password = text.trim().to_owned();
        let is_word = (1..=10).contains(&password.len())
            && password.bytes().all(|it| it.is_ascii_alphanumeric());
        if !is_word && bytes_of(&password).is_none() {
            return Err(told(
                "up to 10 letters and digits, or the 64 hexadecimal digits of a key",
            ));
        }
        Ok(Some(Login {
            user: user.clone(),
            password,
        }))
    }
}
