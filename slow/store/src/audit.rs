//! What the journal's inputs say beside orders: who is a member, and who did what and why.

use crate::Error;
use crate::place::id;
use crate::rows::utf8;
use crate::tables::{AUDIT, Cell, How, REMARKS, SESSIONS, SYMBOLS, Tables, Writer};
use crate::tables::{each, first};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
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
    /// Names of symbols, and whose sessions are, as the journal defined them.
    symbols: HashMap<u16, String>,
    accounts: HashMap<u16, u32>,
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
    pub fn load(tables: &dyn Tables, day: i64) -> Result<Self, Error> {
        let text = "SELECT \"user\", text, is_whole FROM remarks WHERE day = $1";
        let found = first(tables, text, &[day.into()], |row| {
            let Cell::Bytes(text) = row[1] else {
                return Err(Error::Refused(format!(
                    "remarks of day {day}: damaged; rebuild"
                )));
            };
            Ok(Remark {
                user: row[0].integer()?,
                text: text.to_vec(),
                is_whole: row[2].integer::<i64>()? != 0,
            })
        })?;
        let mut audit = Self {
            remark: found,
            ..Self::default()
        };
        let text = "SELECT number, name FROM symbols WHERE day = $1";
        each(tables, text, &[day.into()], &mut |row| {
            let name = row[1].text()?.to_owned();
            audit.symbols.insert(row[0].integer()?, name);
            Ok(())
        })?;
        let text = "SELECT session, account FROM sessions WHERE day = $1";
        each(tables, text, &[day.into()], &mut |row| {
            audit.accounts.insert(row[0].integer()?, row[1].integer()?);
            Ok(())
        })?;
        Ok(audit)
    }

    /// The account that a session is bound to.
    pub fn account(&self, session: u16) -> Option<u32> {
        self.accounts.get(&session).copied()
    }

    /// Takes an input.
    ///
    /// # Errors
    /// The database fails.
    pub fn take(&mut self, writer: &mut dyn Writer, day: i64, input: &Input) -> Result<(), Error> {
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
            CommandKind::DefineSymbol if command.symbol > 0 => self.symbol(writer, day, command),
            CommandKind::DefineSession if command.session > 0 => self.session(writer, day, command),
            _ => self.act(writer, day, input, kind),
        }
    }

    fn symbol(
        &mut self,
        writer: &mut dyn Writer,
        day: i64,
        command: &Command,
    ) -> Result<(), Error> {
        let Entry::Vacant(place) = self.symbols.entry(command.symbol) else {
            return Ok(());
        };
        let name = place.insert(utf8(&command.client_id[..8]).into_owned());
        let tick = command.price.max(1);
        let row = [
            day.into(),
            command.symbol.into(),
            name.as_str().into(),
            tick.into(),
        ];
        writer.write(&SYMBOLS, How::Add, &row)
    }

    fn session(
        &mut self,
        writer: &mut dyn Writer,
        day: i64,
        command: &Command,
    ) -> Result<(), Error> {
        let Entry::Vacant(place) = self.accounts.entry(command.session) else {
            return Ok(());
        };
        place.insert(command.user_ref);
        let firm = utf8(&command.client_id[..4]);
        let row = [
            day.into(),
            command.session.into(),
            command.user_ref.into(),
            (&*firm).into(),
        ];
        writer.write(&SESSIONS, How::Add, &row)
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
        writer: &mut dyn Writer,
        day: i64,
        input: &Input,
        kind: CommandKind,
    ) -> Result<(), Error> {
        let command = &input.command;
        // A bust is two commands, both behind the same words; what else happens has none.
        let is_said = !matches!(kind, CommandKind::Presence);
        let said = self.remark.as_ref().filter(|it| is_said && it.is_whole);
        let why = said.map(|it| String::from_utf8_lossy(&it.text).replace('\0', "?"));
        let by_account = matches!(kind, CommandKind::SetLimit | CommandKind::Grant)
            || (kind == CommandKind::Kill && command.letters[0] == 1)
            || (kind == CommandKind::MassCancel && command.letters[0] & 2 != 0);
        let symbol = self.symbols.get(&command.symbol);
        let kind_name = format!("{kind:?}");
        let row = [
            id(day, input.sequence)?.into(),
            input.time_ns.into(),
            kind_name.as_str().into(),
            said.map(|it| it.user).into(),
            why.as_deref().into(),
            command.session.into(),
            if by_account { command.user_ref } else { 0 }.into(),
            symbol.map(String::as_str).into(),
            i64::from(command.flags).into(),
            command.quantity.into(),
            command.price.into(),
        ];
        writer.write(&AUDIT, How::Add, &row)?;
        if is_said && kind != CommandKind::Trade {
            self.remark = None;
        }
        Ok(())
    }

    /// Writes down that inputs are gone that nobody read.
    ///
    /// # Errors
    /// The database fails.
    pub fn missed(writer: &mut dyn Writer, day: i64, gap: crate::inputs::Gap) -> Result<(), Error> {
        let why = format!(
            "inputs {} to {} were removed unread",
            gap.first,
            gap.next - 1
        );
        let mut row = [Cell::Integer(0); 11];
        row[0] = id(day, gap.first)?.into();
        row[2] = "Missed".into();
        row[3] = Cell::Null;
        row[4] = why.as_str().into();
        row[7] = Cell::Null;
        writer.write(&AUDIT, How::Add, &row)
    }

    /// Keeps the words of which more may come.
    ///
    /// # Errors
    /// The database fails.
    pub fn write(&self, writer: &mut dyn Writer, day: i64) -> Result<(), Error> {
        let Some(remark) = &self.remark else {
            return writer.write(&REMARKS, How::Remove, &[day.into()]);
        };
        let row = [
            day.into(),
            remark.user.into(),
            remark.text.as_slice().into(),
            i64::from(remark.is_whole).into(),
        ];
        writer.write(&REMARKS, How::Put, &row)
    }
}
