//! Recorded hosts in folders, and everything that a folder holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tuning::{Finding, Host, STAGES, Setup, Stage, Wish, doctor, stages_named, unpack};

/// A guest of Firecracker, recorded by `wirecross doctor --record`.
pub const VM: &str = include_str!("../hosts/vm-firecracker.txt");
/// A server of two sockets as it is delivered; written by hand.
pub const INTEL: &str = include_str!("../hosts/intel-as-delivered.txt");
/// A server on which everything is done; written by hand.
pub const AMD: &str = include_str!("../hosts/amd-tuned.txt");

/// A folder in memory where there is such: the journal waits for the disk after each line.
pub fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// A recorded host.
pub struct Recorded {
    folder: TempDir,
}

impl Recorded {
    pub fn new(text: &str) -> Self {
        let folder = folder();
        unpack(text, folder.path()).unwrap();
        Self { folder }
    }

    pub fn host(&self) -> Host {
        Host::tree(self.folder.path())
    }

    pub fn place(&self, path: &str) -> PathBuf {
        self.folder.path().join(path.trim_start_matches('/'))
    }

    pub fn setup(&self) -> Setup {
        Setup::of(&self.host(), &Wish::default()).unwrap()
    }

    pub fn doctor(&self) -> Vec<Finding> {
        doctor(&self.host(), &self.setup(), &[])
    }

    pub fn read(&self, path: &str) -> String {
        self.host().read(path).unwrap()
    }

    /// Every file with its text, every folder without.
    pub fn dump(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let mut found = BTreeMap::new();
        walk(self.folder.path(), &mut found);
        found
    }
}

fn walk(folder: &Path, found: &mut BTreeMap<PathBuf, Option<Vec<u8>>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
            found.insert(path, None);
        } else {
            let text = std::fs::read(&path).unwrap();
            found.insert(path, Some(text));
        }
    }
}

/// Stages by name.
pub fn stages(names: &[&str]) -> Vec<&'static Stage> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let found = stages_named(&names).unwrap();
    assert!(found.len() <= STAGES.len());
    found
}
