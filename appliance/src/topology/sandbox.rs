//! What the venue's process gives up: `[sandbox]` in the file. docs/sandbox.md tells of it.

use super::Error;
use serde::Deserialize;

/// Whom the process becomes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// The user of the system, if the venue is started as root and it is not to be the default one.
    pub user: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    user: Option<String>,
}

/// Checks the section; whether the system has such a user is seen when it starts there.
pub(super) fn sandbox(raw: Raw) -> Result<Sandbox, Error> {
    let user = user("sandbox.user", raw.user)?;
    Ok(Sandbox { user })
}

/// Checks whom a process may become.
pub(super) fn user(key: &str, user: Option<String>) -> Result<Option<String>, Error> {
    let is_nobody = |name: &str| name.is_empty() || name == "root";
    if user.as_deref().is_some_and(is_nobody) {
        let remedy = "name an unprivileged user of the system, or leave the line out";
        return Err(Error::value(
            key,
            "is nobody that root could become",
            remedy,
        ));
    }
    Ok(user)
}
