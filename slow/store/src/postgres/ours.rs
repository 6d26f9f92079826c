//! Whether tables are ours, of which version, in how many parts, and of which shard: the comment on
//! their schema says it.

use super::{Postgres, Server};
use crate::database::SCHEMA_VERSION;
use crate::shards::Part;
use crate::{Error, tables};

/// How the comment on a schema of ours begins; its version follows.
pub const COMMENT: &str = "tables of wirecross, version ";

/// What stands behind the version where tables are parted by symbol; in how many parts follows.
const PARTS: &str = ", parts ";

/// What stands behind that in the comment of a shard; which one it is follows.
const PART: &str = "; ";

/// The comment on the schema of a server's tables.
pub fn comment_of(server: &Server) -> String {
    let part = server.part().map(|part| format!("{PART}{}", part.words()));
    let part = part.unwrap_or_default().replace('\'', "''");
    let parts = server.parts.filter(|parts| *parts > 1);
    let parts = parts.map(|parts| format!("{PARTS}{parts}"));
    format!(
        "{COMMENT}{SCHEMA_VERSION}{}{part}",
        parts.unwrap_or_default()
    )
}

/// What such a comment says: the version, and in how many parts the tables are by symbol.
fn said(comment: &str) -> Option<(i32, u32)> {
    let words = comment.strip_prefix(COMMENT)?;
    let words = words.split_once(PART).map_or(words, |(words, _)| words);
    let (version, parts) = words.split_once(PARTS).unwrap_or((words, "1"));
    Some((version.parse().ok()?, parts.parse().ok()?))
}

impl Postgres {
    /// The comment on the schema, if there is one.
    fn comment(&self) -> Result<Option<String>, Error> {
        let text = "SELECT coalesce(obj_description(oid, 'pg_namespace'), '') FROM pg_namespace \
                    WHERE nspname = $1";
        let schema = self.server.schema;
        let which = [schema.into()];
        tables::first(self, text, &which, |row| row[0].text().map(str::to_owned))
    }

    /// Whether the tables are a shard's.
    pub(super) fn is_of_shard(&self) -> Result<bool, Error> {
        let comment = self.comment()?;
        Ok(comment.is_some_and(|it| it.contains(PART)))
    }

    /// Whether the tables are those of the shard that is to be written, or of none.
    pub(super) fn check_part(&self) -> Result<(), Error> {
        let comment = self.comment()?.unwrap_or_default();
        let found = comment.split_once(PART).map(|(_, words)| words);
        let due = self.server.part().map(Part::words);
        if found == due.as_deref() {
            return Ok(());
        }
        let words = |part: Option<&str>| part.unwrap_or("those of no shard").to_owned();
        let (found, due) = (words(found), words(due.as_deref()));
        Err(self.server.refused(&format!(
            "its tables are {found}, and what is to be written is {due}: name the routing table \
             that they were made by, or make them anew by `wirecross-slow rebuild`"
        )))
    }

    /// The version of the tables in the schema, which are ours; none if there is no schema.
    pub(super) fn version(&self) -> Result<Option<i32>, Error> {
        let schema = self.server.schema;
        let Some(comment) = self.comment()? else {
            return Ok(None);
        };
        match said(&comment).map(|(version, _)| version) {
            Some(version) if version > SCHEMA_VERSION => Err(self.server.refused(&format!(
                "a newer program wrote it: its schema is {version} and this program knows \
                 {SCHEMA_VERSION}; use that program, or name another database"
            ))),
            Some(version) => Ok(Some(version)),
            None => Err(self.server.refused(&format!(
                "its schema {schema} is another program's; name another database"
            ))),
        }
    }

    /// In how many parts by symbol the tables are that there are; none if there are none.
    pub(super) fn parts(&self) -> Result<Option<u32>, Error> {
        let comment = self.comment()?;
        Ok(comment.and_then(|it| said(&it)).map(|(_, parts)| parts))
    }

    /// Whether the tables are in as many parts as the address says, if it says it.
    fn check_parts(&self) -> Result<(), Error> {
        let Some(due) = self.server.parts else {
            return Ok(());
        };
        let found = self.parts()?.unwrap_or(1);
        if due == found {
            return Ok(());
        }
        Err(self.server.refused(&format!(
            "its tables are in {found} parts by symbol and its address says parts={due}: say \
             parts={found} or nothing of it, or make them anew by `wirecross-slow rebuild`"
        )))
    }

    /// Whether there are no tables; otherwise they are ours, of this version, and in as many parts
    /// as is said.
    pub(super) fn is_new(&self) -> Result<bool, Error> {
        match self.version()? {
            None => Ok(true),
            Some(SCHEMA_VERSION) => self.check_parts().map(|()| false),
            Some(version) => Err(self.server.refused(&format!(
                "its schema is {version} and this program writes {SCHEMA_VERSION}: run \
                 `wirecross-slow rebuild`"
            ))),
        }
    }
}
