//! Files of a simulated disk beside the journal's segments.
//!
//! What is written and not flushed is kept or lost in a power cut as it is of a segment, and the
//! file is as long as what was kept of it. A rename is flushed when it returns, and all names with
//! it; a file that is removed may be there again after a power cut until then. A flush that fails
//! loses what it was to bring: the next one says nothing of it.

use std::collections::BTreeMap;
use std::io;

use super::segment::{Loss, land};
use super::{Disk, State};
use crate::files::Files;
use crate::storage::{Act, StorageError};

/// All files by their names.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    present: BTreeMap<String, SimulatedFile>,
    /// What a power cut may bring back.
    removed: BTreeMap<String, SimulatedFile>,
    /// The power went at a call: nothing more can be done until the crash.
    is_off: bool,
}

impl Kept {
    pub const fn is_off(&self) -> bool {
        self.is_off
    }
}

/// One file.
#[derive(Clone, Debug, Default)]
struct SimulatedFile {
    /// What survives a power cut; nothing at all of a file that was never flushed.
    platter: Option<Vec<u8>>,
    /// What a reader sees.
    view: Vec<u8>,
    /// What was written since the last flush: offset and bytes.
    unflushed: Vec<(usize, Vec<u8>)>,
    /// The shortest that it was since then, if it was cut.
    cut_to: Option<usize>,
}

impl SimulatedFile {
    fn flushed(bytes: Vec<u8>) -> Self {
        Self {
            platter: Some(bytes.clone()),
            view: bytes,
            ..Self::default()
        }
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if self.view.len() < end {
            self.view.resize(end, 0);
        }
        self.view[offset..end].copy_from_slice(bytes);
        self.unflushed.push((offset, bytes.to_vec()));
    }

    /// Everything that was written is on the platter.
    fn flush(&mut self) {
        let platter = self.platter.get_or_insert_default();
        platter.truncate(self.cut_to.take().unwrap_or(usize::MAX));
        platter.resize(self.view.len(), 0);
        for (offset, written) in self.unflushed.drain(..) {
            platter[offset..offset + written.len()].copy_from_slice(&written);
        }
    }

    fn cut(&mut self, bytes: usize) {
        self.view.truncate(bytes);
        self.cut_to = Some(self.cut_to.map_or(bytes, |cut| cut.min(bytes)));
        for (offset, written) in &mut self.unflushed {
            written.truncate(bytes.saturating_sub(*offset));
        }
        self.unflushed.retain(|(_, written)| !written.is_empty());
    }

    /// What is left after a power cut, if the file is.
    fn torn(mut self, loss: Loss, random: &mut dyn FnMut() -> u64) -> Option<Self> {
        let mut platter = self.platter.take();
        for (offset, written) in std::mem::take(&mut self.unflushed) {
            let before = platter.as_ref().map_or(0, Vec::len);
            let mut longer = platter.take().unwrap_or_default();
            let was_there = before > 0;
            longer.resize(before.max(offset + written.len()), 0);
            let end = land(&mut longer, loss, (offset, &written), random);
            longer.truncate(before.max(end));
            platter = (was_there || end > 0).then_some(longer);
        }
        platter.map(Self::flushed)
    }
}

/// Cuts the power of all files.
pub(super) fn tear(state: &mut State) {
    let kept = std::mem::take(&mut state.files);
    for (name, file) in kept.present {
        let left = torn(state, file);
        state.files.present.extend(left.map(|left| (name, left)));
    }
    for (name, file) in kept.removed {
        if state.random() & 1 == 0 && !state.files.present.contains_key(&name) {
            state.counts.removals_lost += 1;
            state.files.present.insert(name, file);
        }
    }
}

fn torn(state: &mut State, file: SimulatedFile) -> Option<SimulatedFile> {
    let loss = Loss::EACH[state.random() as usize % Loss::EACH.len()];
    state.counts.files.note(loss, file.unflushed.len() as u64);
    file.torn(loss, &mut || state.random())
}

/// The files of a [`Disk`].
#[derive(Clone, Debug)]
pub struct DiskFiles {
    disk: Disk,
}

/// Which call of [`Files`] goes on.
#[derive(Clone, Copy)]
struct Call<'a> {
    act: Act,
    name: &'a str,
    offset: u64,
}

impl DiskFiles {
    pub(super) const fn of(disk: Disk) -> Self {
        Self { disk }
    }

    /// Puts these bytes, flushed, in the place of a file: damage, or another disk's copy.
    pub fn set_bytes(&self, name: &str, bytes: Vec<u8>) {
        let file = SimulatedFile::flushed(bytes);
        self.disk
            .state()
            .files
            .present
            .insert(name.to_owned(), file);
    }

    /// What a reader sees of a file; `None` when there is none.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.disk.state();
        state.files.present.get(name).map(|file| file.view.clone())
    }

    fn error(&self, call: Call<'_>, errno: i32) -> StorageError {
        let error = io::Error::from_raw_os_error(errno);
        StorageError::new(call.act, self.path(call.name), call.offset, &error)
    }

    /// Begins a call that changes something: counts it, and says how it fails, if it does, and
    /// whether what it was to do is done all the same, of a write some.
    fn begin(&self, call: Call<'_>) -> Result<(), (StorageError, bool)> {
        let mut state = self.disk.state();
        let failed = |errno, is_done| Err((self.error(call, errno), is_done));
        if state.files.is_off {
            return failed(libc::EIO, false);
        }
        state.counts.file_calls += 1;
        if state.faults.power_at_file_call == Some(state.counts.file_calls) {
            state.files.is_off = true;
            state.counts.powers_cut_at_file += 1;
            let is_done = state.random() & 1 == 0;
            return failed(libc::EIO, is_done);
        }
        if call.act == Act::Write && state.faults.are_files_full {
            state.counts.files_full += 1;
            return failed(libc::ENOSPC, true);
        }
        let in_million = match call.act {
            Act::Write => state.faults.file_writes_in_million,
            Act::Flush => state.faults.file_flushes_in_million,
            Act::Rename => state.faults.file_renames_in_million,
            _ => 0,
        };
        if in_million == 0 || state.random() % 1_000_000 >= u64::from(in_million) {
            return Ok(());
        }
        let is_done = call.act == Act::Write || state.random() & 1 == 0;
        let counts = &mut state.counts;
        match call.act {
            Act::Write => counts.file_writes_failed += 1,
            Act::Flush => counts.file_flushes_failed += 1,
            _ => counts.file_renames_failed += 1,
        }
        failed(libc::EIO, is_done)
    }
}

impl DiskFiles {
    /// Begins to do something with a closed segment, which fails as it would with another file.
    pub(super) fn segment_call(&self, act: Act, name: &str) -> Result<(), StorageError> {
        let offset = 0;
        let begun = self.begin(Call { act, name, offset });
        begun.map_err(|(error, _)| error)
    }
}

impl Files for DiskFiles {
    fn names(&mut self) -> Result<Vec<String>, StorageError> {
        let state = self.disk.state();
        Ok(state.files.present.keys().cloned().collect())
    }

    fn length(&mut self, name: &str) -> Result<u64, StorageError> {
        let state = self.disk.state();
        let file = state.files.present.get(name);
        Ok(file.map_or(0, |file| file.view.len()) as u64)
    }

    fn read(&mut self, name: &str, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        let (start, mut state) = (offset as usize, self.disk.state());
        let act = Act::Read;
        let call = Call { act, name, offset };
        if state.is_read_failing() {
            return Err(self.error(call, libc::EIO));
        }
        let view = state.files.present.get(name).map(|file| &file.view);
        let found = view.and_then(|view| view.get(start..start.checked_add(into.len())?));
        match found {
            Some(found) => {
                into.copy_from_slice(found);
                Ok(())
            }
            None => Err(self.error(call, libc::ENODATA)),
        }
    }

    /// One that fails has written some of the bytes, from the first one on.
    fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        let act = Act::Write;
        let begun = self.begin(Call { act, name, offset });
        let mut state = self.disk.state();
        let part = match begun {
            Ok(()) => Some(bytes.len()),
            Err((_, true)) => Some(state.random() as usize % (bytes.len() + 1)),
            Err((_, false)) => None,
        };
        if let Some(part) = part {
            let file = state.files.present.entry(name.to_owned()).or_default();
            file.write(offset as usize, &bytes[..part]);
        }
        begun.map_err(|(error, _)| error)
    }

    fn cut(&mut self, name: &str, bytes: u64) -> Result<(), StorageError> {
        let (act, offset) = (Act::Cut, bytes);
        let begun = self.begin(Call { act, name, offset });
        let mut state = self.disk.state();
        if let Some(file) = state.files.present.get_mut(name).filter(|_| begun.is_ok()) {
            file.cut(bytes as usize);
        }
        begun.map_err(|(error, _)| error)
    }

    fn flush(&mut self, name: &str) -> Result<(), StorageError> {
        let (act, offset) = (Act::Flush, 0);
        let call = Call { act, name, offset };
        let begun = self.begin(call);
        let mut state = self.disk.state();
        if state.files.is_off {
            return begun.map_err(|(error, _)| error);
        }
        let Some(file) = state.files.present.get_mut(name) else {
            return Err(self.error(call, libc::ENOENT));
        };
        if begun.is_ok() {
            file.flush();
            state.files.removed.clear();
        } else {
            let file = std::mem::take(file);
            let left = torn(&mut state, file).unwrap_or_default();
            state.files.present.insert(name.to_owned(), left);
        }
        begun.map_err(|(error, _)| error)
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), StorageError> {
        let (act, name, offset) = (Act::Rename, from, 0);
        let call = Call { act, name, offset };
        let begun = self.begin(call);
        let mut state = self.disk.state();
        if matches!(begun, Ok(()) | Err((_, true))) {
            let Some(file) = state.files.present.remove(from) else {
                return Err(self.error(call, libc::ENOENT));
            };
            state.files.present.insert(to.to_owned(), file);
            state.files.removed.clear();
        }
        begun.map_err(|(error, _)| error)
    }

    fn remove(&mut self, name: &str) -> Result<(), StorageError> {
        let (act, offset) = (Act::Remove, 0);
        let begun = self.begin(Call { act, name, offset });
        let mut state = self.disk.state();
        if begun.is_ok()
            && let Some(file) = state.files.present.remove(name)
            && let Some(platter) = file.platter
        {
            let file = SimulatedFile::flushed(platter);
            state.files.removed.insert(name.to_owned(), file);
        }
        begun.map_err(|(error, _)| error)
    }

    fn path(&self, name: &str) -> String {
        format!("simulated/{name}")
    }
}
