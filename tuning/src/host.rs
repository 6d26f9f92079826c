//! A host as a tree of texts: the running one, or one that was recorded.
//!
//! Everything the stages look at is a path and a text. What the kernel offers only through system
//! calls has a path too: `/ethtool/INTERFACE/NAME` are settings of a card, and
//! `/dev/cpu_dma_latency` reads as a decimal number. In a recorded tree these are plain files, and
//! writes behave as the kernel's would: `[word]` moves in files that offer a choice.

mod ethtool;
mod record;

pub(crate) use ethtool::command as ethtool_command;
pub use record::{pack, unpack};

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Bytes of the longest text that is read.
const TEXT_BYTES_MAX: u64 = 4 << 20;

/// The kernel's bound on the time to wake up, in microseconds.
pub const DMA_LATENCY: &str = "/dev/cpu_dma_latency";

/// Why something could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not there.
    Missing,
    /// It takes more rights.
    Denied,
    /// The kernel or driver does not do it, or the text makes no sense.
    Refused(String),
}

impl Fault {
    fn of(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Self::Missing,
            // The other word for it, EPERM, is also said to root: a kernel that is locked down.
            ErrorKind::PermissionDenied if error.raw_os_error() != Some(libc::EPERM) => {
                Self::Denied
            }
            _ => Self::Refused(error.to_string()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("not there"),
            Self::Denied => f.write_str("not readable without root"),
            Self::Refused(why) => f.write_str(why),
        }
    }
}

/// A host.
#[derive(Debug)]
pub struct Host {
    root: PathBuf,
    is_live: bool,
    heard: RefCell<BTreeMap<String, String>>,
}

impl Host {
    /// The running one.
    #[must_use]
    pub fn live() -> Self {
        Self::at(Path::new("/"), true)
    }

    /// A folder that holds the files of another.
    #[must_use]
    pub fn tree(root: &Path) -> Self {
        Self::at(root, false)
    }

    fn at(root: &Path, is_live: bool) -> Self {
        Self {
            root: root.to_owned(),
            is_live,
            heard: RefCell::default(),
        }
    }

    /// Whether this is the running host.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.is_live
    }

    /// Where a path of this host is on this machine.
    #[must_use]
    pub fn place(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// A text without the space around it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(&self, path: &str) -> Result<String, Fault> {
        let text = self.read_raw(path).map_err(|error| Fault::of(&error))?;
        self.heard
            .borrow_mut()
            .insert(path.to_owned(), text.clone());
        Ok(text.trim().to_owned())
    }

    /// A text as it is.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn text(&self, path: &str) -> Result<String, Fault> {
        self.read_raw(path).map_err(|error| Fault::of(&error))
    }

    fn read_raw(&self, path: &str) -> io::Result<String> {
        if self.is_live {
            if let Some(rest) = path.strip_prefix("/ethtool/") {
                return ethtool::read(rest);
            }
            if path == DMA_LATENCY {
                let mut bytes = [0; 4];
                fs::File::open(path)?.read_exact(&mut bytes)?;
                return Ok(i32::from_ne_bytes(bytes).to_string());
            }
        }
        let mut text = String::new();
        let file = fs::File::open(self.place(path))?;
        file.take(TEXT_BYTES_MAX).read_to_string(&mut text)?;
        Ok(text)
    }

    /// A whole number.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn number(&self, path: &str) -> Result<i64, Fault> {
        let text = self.read(path)?;
        let number = text.parse();
        number.map_err(|_| Fault::Refused(format!("{text:?} is no number")))
    }

    /// Names in a folder, numbers in their order; none if there is no such folder.
    #[must_use]
    pub fn list(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.place(folder)).into_iter().flatten();
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        let number = |name: &str| -> Option<u64> {
            let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
            digits.parse().ok()
        };
        names.sort_by_cached_key(|name| (number(name), name.clone()));
        names
    }

    /// Whether there is a file or folder.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        if self.is_live && path.starts_with("/ethtool/") {
            return self.read(path).is_ok();
        }
        let place = self.place(path);
        if place.is_dir() {
            self.heard
                .borrow_mut()
                .insert(format!("{path}/"), String::new());
            return true;
        }
        // What the text says matters to a record only.
        let _ = self.read(path);
        place.exists()
    }

    /// Everything that was read so far: what [`pack`] makes a record of.
    #[must_use]
    pub fn heard(&self) -> BTreeMap<String, String> {
        self.heard.borrow().clone()
    }

    /// Writes into a file that is there.
    ///
    /// # Errors
    /// As of the system.
    pub fn write(&self, path: &str, value: &str) -> io::Result<()> {
        if self.is_live {
            if let Some(rest) = path.strip_prefix("/ethtool/") {
                return ethtool::write(rest, value);
            }
            let mut file = OpenOptions::new().write(true).open(path)?;
            return file.write_all(format!("{value}\n").as_bytes());
        }
        let old = self.read_raw(path)?;
        // The kernel takes a write as a whole or not at all, and so does a record: a program
        // killed here leaves no empty file and nothing new in the tree, only beside its root.
        let new = self.root.with_extension("wirecross-new");
        fs::write(&new, record::as_kernel(path, &old, value))?;
        fs::rename(&new, self.place(path))
    }

    /// Makes or replaces a file of settings: it is there as a whole or not at all.
    ///
    /// # Errors
    /// As of the system.
    pub fn create(&self, path: &str, text: &str) -> io::Result<()> {
        replace(&self.place(path), text)
    }

    /// Takes away what a [`Host::create`] that did not come to its end left beside the file.
    ///
    /// # Errors
    /// As of the system.
    pub fn clear(&self, path: &str) -> io::Result<()> {
        gone(fs::remove_file(beside(&self.place(path))))
    }

    /// Takes a file away, as [`Host::clear`] what may be beside it; that there is none is fine.
    ///
    /// # Errors
    /// As of the system.
    pub fn remove(&self, path: &str) -> io::Result<()> {
        self.clear(path)?;
        gone(fs::remove_file(self.place(path)))
    }

    /// Makes a folder; that there is one is fine.
    ///
    /// # Errors
    /// As of the system.
    pub fn make_folder(&self, path: &str) -> io::Result<()> {
        match fs::create_dir(self.place(path)) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Ok(()) if !self.is_live => record::fill_group(&self.place(path), path),
            outcome => outcome,
        }
    }

    /// Takes a folder away; that there is none is fine.
    ///
    /// # Errors
    /// As of the system: a control group in use stays.
    pub fn remove_folder(&self, path: &str) -> io::Result<()> {
        if !self.is_live && path.starts_with("/sys/fs/cgroup/") {
            return gone(fs::remove_dir_all(self.place(path)));
        }
        gone(fs::remove_dir(self.place(path)))
    }
}

fn gone(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

/// The name under which a file is written before it takes its place.
fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".wirecross-new");
    path.with_file_name(name)
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let new = beside(path);
    let mut file = fs::File::create(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}

/// The word in brackets of a file that offers a choice; else all of the text.
pub(crate) fn choice_of(text: &str) -> &str {
    let text = text.trim();
    let word = text
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'));
    word.map_or(text, |(word, _)| word)
}
