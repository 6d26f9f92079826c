//! The recovered log, read without the venue: whether it holds what was acknowledged, and the state
//! that follows from it.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use appliance::venue::rerun::{Rerun, limits_of};
use journal::{FileSegments, Walker};
use matching::Line;
use wire::ring::CommandKind;

use crate::members::Ledger;

/// What a day's journal holds.
#[derive(Debug, Default)]
pub struct Log {
    pub inputs: u64,
    pub state_hash: u64,
    /// Units and price of every order, by session and number.
    orders: HashMap<(u16, u32), (u32, u64)>,
}

/// The newest day of a data directory that was begun.
pub fn day(data: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(data).ok()?;
    let days = entries.filter_map(|entry| Some(entry.ok()?.path()));
    days.filter(|path| path.join("limits").is_file()).max()
}

/// Name of a day.
pub fn name(day: &Path) -> String {
    let name = day.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

impl Log {
    /// Reads a day's journal and runs it again.
    ///
    /// # Errors
    /// It is damaged: no power cut does that.
    pub fn read(day: &Path) -> Result<Self, String> {
        let walker = || Walker::new(FileSegments::new(day)).map_err(|error| error.to_string());
        let limits = limits_of(day, &mut walker()?)?;
        let mut lines = vec![Line::ZERO; limits.lines()];
        let mut run = Rerun::new(limits, &mut lines, wire::padded(&name(day)))?;
        let mut log = Self::default();
        let mut journal = walker()?;
        while let Some(record) = journal.record().map_err(|error| error.to_string())? {
            for input in record.inputs {
                run.take(input);
                log.inputs = input.sequence;
                let command = &input.command;
                if command.kind == CommandKind::New as u8 {
                    let order = (command.quantity, command.price as u64);
                    log.orders
                        .insert((command.session, command.user_ref), order);
                }
            }
        }
        log.state_hash = run.standing().state_hash;
        Ok(log)
    }

    /// The first acknowledged order that is not there as it was sent.
    pub fn lost(&self, session: u16, ledger: &Ledger) -> Option<String> {
        ledger.acknowledged().find_map(|user_ref| {
            let sent = ledger.sent.get(&user_ref);
            let found = self.orders.get(&(session, user_ref));
            (sent.is_none() || sent != found).then(|| {
                format!(
                    "order {user_ref} of session {session} was acknowledged as {sent:?}; the log \
                     holds {found:?}, {} inputs in all",
                    self.inputs
                )
            })
        })
    }
}
