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
    let user = raw.user;
    if user
        .as_deref()
        .is_some_and(|name| name.is_empty() || name == "root")
    {
        let remedy = "name an unprivileged user of the system, or leave the line out";
        return Err(Error::value(
            "sandbox.user",
            "is nobody that root could become",
            remedy,
        ));
    }
    Ok(Sandbox { user })
}
