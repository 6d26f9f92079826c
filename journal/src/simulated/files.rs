//! Files of a simulated disk beside the journal's segments.
//!
//! What is written and not flushed is kept or lost sector by sector in a power cut, and the file is
//! as long as what was kept of it. A rename is flushed when it returns.

use std::collections::BTreeMap;
use std::io;

use super::{Disk, SECTOR_BYTES, State};
use crate::files::Files;
use crate::storage::{Act, StorageError};

/// All files by their names.
pub(super) type Kept = BTreeMap<String, SimulatedFile>;

/// One file.
#[derive(Clone, Debug, Default)]
pub(super) struct SimulatedFile {
    /// What survives a power cut; nothing at all of a file that was never flushed.
    platter: Option<Vec<u8>>,
    /// What a reader sees.
    view: Vec<u8>,
    /// Sectors that were written since the last flush.
    unflushed: Vec<usize>,
}

impl SimulatedFile {
    fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if self.view.len() < end {
            self.view.resize(end, 0);
        }
        self.view[offset..end].copy_from_slice(bytes);
        self.unflushed
            .extend(offset / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES));
    }

    /// What is left after a power cut, if the file is.
    fn torn(mut self, keep: &mut dyn FnMut() -> bool) -> Option<Self> {
        self.unflushed.sort_unstable();
        self.unflushed.dedup();
        let mut platter = self.platter.take();
        for sector in self.unflushed.drain(..) {
            let from = sector * SECTOR_BYTES;
            let to = (from + SECTOR_BYTES).min(self.view.len());
            if from < to && keep() {
                let platter = platter.get_or_insert_default();
                platter.resize(platter.len().max(to), 0);
                platter[from..to].copy_from_slice(&self.view[from..to]);
            }
        }
        platter.map(|platter| Self {
            view: platter.clone(),
            platter: Some(platter),
            unflushed: Vec::new(),
        })
    }
}

/// Cuts the power of all files.
pub(super) fn tear(state: &mut State) {
    for (name, file) in std::mem::take(&mut state.files) {
        let left = file.torn(&mut || state.random() & 1 == 0);
        if let Some(left) = left {
            state.files.insert(name, left);
        }
    }
}

/// The files of a [`Disk`].
#[derive(Clone, Debug)]
pub struct DiskFiles {
    disk: Disk,
}

impl DiskFiles {
    pub(super) const fn of(disk: Disk) -> Self {
        Self { disk }
    }

    /// Puts these bytes, flushed, in the place of a file: damage, or another disk's copy.
    pub fn set_bytes(&self, name: &str, bytes: Vec<u8>) {
        let file = SimulatedFile {
            platter: Some(bytes.clone()),
            view: bytes,
            unflushed: Vec::new(),
        };
        self.disk.state().files.insert(name.to_owned(), file);
    }

    /// What a reader sees of a file; `None` when there is none.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.disk.state();
        state.files.get(name).map(|file| file.view.clone())
    }

    fn error(&self, act: Act, name: &str, offset: u64, errno: i32) -> StorageError {
        let error = io::Error::from_raw_os_error(errno);
        StorageError::new(act, self.path(name), offset, &error)
    }
}

impl Files for DiskFiles {
    fn names(&mut self) -> Result<Vec<String>, StorageError> {
        Ok(self.disk.state().files.keys().cloned().collect())
    }

    fn length(&mut self, name: &str) -> Result<u64, StorageError> {
        let state = self.disk.state();
        Ok(state.files.get(name).map_or(0, |file| file.view.len()) as u64)
    }

    fn read(&mut self, name: &str, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        let (start, state) = (offset as usize, self.disk.state());
        let view = state.files.get(name).map(|file| &file.view);
        let found = view.and_then(|view| view.get(start..start.checked_add(into.len())?));
        match found {
            Some(found) => {
                into.copy_from_slice(found);
                Ok(())
            }
            None => Err(self.error(Act::Read, name, offset, libc::ENODATA)),
        }
    }

    fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        let mut state = self.disk.state();
        let file = state.files.entry(name.to_owned()).or_default();
        file.write(offset as usize, bytes);
        Ok(())
    }

    fn cut(&mut self, name: &str, bytes: u64) -> Result<(), StorageError> {
        if let Some(file) = self.disk.state().files.get_mut(name) {
            let bytes = file.view.len().min(bytes as usize);
            file.view.truncate(bytes);
        }
        Ok(())
    }

    fn flush(&mut self, name: &str) -> Result<(), StorageError> {
        match self.disk.state().files.get_mut(name) {
            Some(file) => {
                file.platter = Some(file.view.clone());
                file.unflushed.clear();
                Ok(())
            }
            None => Err(self.error(Act::Flush, name, 0, libc::ENOENT)),
        }
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), StorageError> {
        let mut state = self.disk.state();
        let Some(file) = state.files.remove(from) else {
            return Err(self.error(Act::Rename, from, 0, libc::ENOENT));
        };
        state.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), StorageError> {
        self.disk.state().files.remove(name);
        Ok(())
    }

    fn path(&self, name: &str) -> String {
        format!("simulated/{name}")
    }
}
