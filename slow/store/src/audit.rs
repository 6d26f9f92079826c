//! What the journal's inputs say beside orders: who is a member, and who did what and why.

use crate::Error;
use crate::place::id;
use crate::rows::utf8;
use rusqlite::{Connection, OptionalExtension as _, params};
use wire::ring::{Command, CommandKind, Input};

/// An operator's words, of which more may come in the next transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Remark {
    user: u32,
    text: Vec<u8>,
    is_whole: bool,
}

/// Reads a day's inputs that are no orders.
#[derive(Debug, Default)]
pub struct Audit {
    remark: Option<Remark>,
    /// Inputs of orders, which leave no row here.
    pub orders: u64,
}

/// Whether members ask for it as part of their trade: replies tell of these.
const fn is_trade(kind: CommandKind) -> bool {
    matches!(
        kind,
        CommandKind::Time
            | CommandKind::New
            | CommandKind::Cancel
            | CommandKind::Replace
            | CommandKind::Amend
            | CommandKind::Extra
            | CommandKind::Refuse
    )
}

impl Audit {
    /// Reads what stands of the last words of a day.
    ///
    /// # Errors
    /// The database fails.
    pub fn load(connection: &Connection, day: i64) -> Result<Self, Error> {
        let text = "SELECT user, text, is_whole FROM remarks WHERE day = ?";
        let remark = |row: &rusqlite::Row<'_>| {
            Ok(Remark {
                user: row.get(0)?,
                text: row.get(1)?,
                is_whole: row.get(2)?,
            })
        };
        let found = connection.query_row(text, [day], remark).optional()?;
        Ok(Self {
            remark: found,
            orders: 0,
        })
    }

    /// Takes an input.
    ///
    /// # Errors
    /// The database fails.
    pub fn take(&mut self, connection: &Connection, day: i64, input: &Input) -> Result<(), Error> {
        let command = &input.command;
        let Some(kind) = CommandKind::from_byte(command.kind) else {
            return Ok(());
        };
        if is_trade(kind) {
            self.orders += 1;
            return Ok(());
        }
        match kind {
            CommandKind::Remark => {
                self.hear(command);
                Ok(())
            }
            // What is taken is not defined again: a second definition was refused.
            CommandKind::DefineSymbol if command.symbol > 0 => {
                let text = "INSERT OR IGNORE INTO symbols VALUES (?, ?, ?, ?)";
                let tick = command.price.max(1);
                let name = utf8(&command.client_id[..8]);
                let row = params![day, command.symbol, name, tick];
                connection.prepare_cached(text)?.execute(row)?;
                Ok(())
            }
            CommandKind::DefineSession if command.session > 0 => {
                let text = "INSERT OR IGNORE INTO sessions VALUES (?, ?, ?, ?)";
                let firm = utf8(&command.client_id[..4]);
                let row = params![day, command.session, command.user_ref, firm];
                connection.prepare_cached(text)?.execute(row)?;
                Ok(())
            }
            _ => self.act(connection, day, input, kind),
        }
    }

    /// Puts a piece of an operator's words to those before.
    fn hear(&mut self, command: &Command) {
        if command.flags == 0 {
            self.remark = None;
        }
        let remark = self.remark.get_or_insert_default();
        remark.user = command.user_ref;
        let wanted = command.quantity as usize;
        let more = wanted.saturating_sub(remark.text.len());
        let piece = &command.client_id[..more.min(command.client_id.len())];
        remark.text.extend_from_slice(piece);
        remark.is_whole = remark.text.len() == wanted;
    }

    /// Writes an act down, with the words that stood ahead of it.
    fn act(
        &mut self,
        connection: &Connection,
        day: i64,
        input: &Input,
        kind: CommandKind,
    ) -> Result<(), Error> {
        let command = &input.command;
        // A bust is two commands, both behind the same words; what else happens has none.
        let is_said = !matches!(kind, CommandKind::Presence);
        let said = self.remark.as_ref().filter(|it| is_said && it.is_whole);
        let why = said.map(|it| String::from_utf8_lossy(&it.text).into_owned());
        let by_account = matches!(kind, CommandKind::SetLimit | CommandKind::Grant)
            || (kind == CommandKind::Kill && command.letters[0] == 1)
            || (kind == CommandKind::MassCancel && command.letters[0] & 2 != 0);
        let text = "INSERT INTO audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, \
                    (SELECT name FROM symbols WHERE day = ?8 AND number = ?9), ?10, ?11, ?12)";
        connection.prepare_cached(text)?.execute(params![
            id(day, input.sequence)?,
            input.time_ns as i64,
            format!("{kind:?}"),
            said.map(|it| it.user),
            why,
            command.session,
            if by_account { command.user_ref } else { 0 },
            day,
            command.symbol,
            command.flags,
            command.quantity,
            command.price,
        ])?;
        if is_said && kind != CommandKind::Trade {
            self.remark = None;
        }
        Ok(())
    }

    /// Writes down that inputs are gone that nobody read.
    ///
    /// # Errors
    /// The database fails.
    pub fn missed(connection: &Connection, day: i64, gap: crate::inputs::Gap) -> Result<(), Error> {
        let text = "INSERT INTO audit VALUES (?, 0, 'Missed', NULL, ?, 0, 0, NULL, 0, 0, 0)";
        let why = format!(
            "inputs {} to {} were removed unread",
            gap.first,
            gap.next - 1
        );
        let row = params![id(day, gap.first)?, why];
        connection.prepare_cached(text)?.execute(row)?;
        Ok(())
    }

    /// Keeps the words of which more may come.
    ///
    /// # Errors
    /// The database fails.
    pub fn write(&self, connection: &Connection, day: i64) -> Result<(), Error> {
        let Some(remark) = &self.remark else {
            connection
                .prepare_cached("DELETE FROM remarks WHERE day = ?")?
                .execute([day])?;
            return Ok(());
        };
        let text = "INSERT OR REPLACE INTO remarks VALUES (?, ?, ?, ?)";
        let row = params![day, remark.user, remark.text, remark.is_whole];
        connection.prepare_cached(text)?.execute(row)?;
        Ok(())
    }
}
