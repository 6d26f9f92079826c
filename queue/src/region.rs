//! A piece of memory that several processes can map.
//!
//! An anonymous region is a memfd: 2 MB pages when the host has any reserved, 4 kB pages
//! otherwise, present before it is used and locked if the system lets us. A file region lives in a
//! directory, so that another process finds it by name. An anonymous one has its size for good; a
//! file has not, so only processes that trust each other share one. A region on the heap is for
//! this process alone. Every access goes through atomic words: whatever another process does to the
//! memory, nothing here is undefined.

use crate::error::Error;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd};
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

/// The pages a region is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageSize {
    /// The ordinary page.
    Small4K,
    /// The huge page: one entry of the address cache covers 2 MB.
    Huge2M,
}

impl PageSize {
    /// Bytes of one page.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Small4K => 4096,
            Self::Huge2M => 2 << 20,
        }
    }
}

/// Where regions on the heap begin: lines are fetched in pairs.
const HEAP_ALIGN: usize = 128;

/// The greatest region: keeps sums of sizes and positions far from overflow.
const REGION_BYTES_MAX: usize = 1 << 40;

/// Where the memory of something that threads share is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// In a mapping of its own, which other processes can be handed.
    Mapped,
    /// On the heap: made and given back without a system call, for those who start a venue a
    /// thousand times a minute.
    Heap,
}

/// Shared memory, zero when new; given back when dropped.
#[derive(Debug)]
pub struct Region {
    start: NonNull<AtomicU64>,
    bytes: usize,
    pages: PageSize,
    locked: bool,
    writable: bool,
    backing: Backing,
}

/// What the memory was taken from.
#[derive(Debug)]
enum Backing {
    File(File),
    Heap(Layout),
}

// SAFETY: the region is memory of atomic words, reachable from any thread while it is mapped.
unsafe impl Send for Region {}
// SAFETY: as above: shared use goes through atomic words alone.
unsafe impl Sync for Region {}

impl Region {
    /// Makes an anonymous region of at least `bytes`; `name` shows in `/proc/<pid>/maps`.
    ///
    /// # Errors
    /// When the system refuses the memory.
    pub fn new(bytes: usize, name: &str) -> Result<Self, Error> {
        Self::anonymous(bytes, name, PageSize::Huge2M)
            .or_else(|_| Self::anonymous(bytes, name, PageSize::Small4K))
    }

    /// As [`Region::new`], on small pages.
    ///
    /// # Errors
    /// As [`Region::new`].
    pub fn small(bytes: usize, name: &str) -> Result<Self, Error> {
        Self::anonymous(bytes, name, PageSize::Small4K)
    }

    /// Makes a region of at least `bytes` on the heap of this process.
    ///
    /// # Errors
    /// There is no memory.
    pub fn heap(bytes: usize) -> Result<Self, Error> {
        size_check(bytes)?;
        let layout = Layout::from_size_align(bytes, HEAP_ALIGN).map(|it| it.pad_to_align());
        let layout = layout.map_err(|e| Error::request(e.to_string()))?;
        // SAFETY: the size is not zero.
        let start = unsafe { alloc_zeroed(layout) };
        let start = NonNull::new(start.cast::<AtomicU64>());
        Ok(Self {
            start: start.ok_or_else(|| Error::request(format!("no memory for {bytes} bytes")))?,
            bytes: layout.size(),
            pages: PageSize::Small4K,
            locked: false,
            writable: true,
            backing: Backing::Heap(layout),
        })
    }

    /// Makes a file of at least `bytes` that can be mapped by its path, replacing an older one.
    ///
    /// `fill` writes the first contents; only then the file gets its name, so that whoever opens
    /// it finds it whole. Processes that still map an older file keep the older one.
    ///
    /// # Errors
    /// When the file cannot be made, or as `fill` says.
    pub fn create_file(
        path: &Path,
        bytes: usize,
        fill: impl FnOnce(&Self) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let said = |what: &str| format!("{what} {}", path.display());
        let mut new_name = path.as_os_str().to_owned();
        new_name.push(format!(".{}.new", std::process::id()));
        let new_path = PathBuf::from(new_name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&new_path)
            .map_err(|e| Error::os(said("create"), e))?;
        let made = Self::sized(file, bytes, PageSize::Small4K).and_then(|region| {
            fill(&region)?;
            std::fs::rename(&new_path, path).map_err(|e| Error::os(said("rename to"), e))?;
            Ok(region)
        });
        if made.is_err() {
            // The new file has no use; if it cannot be removed, the first error still counts.
            let _ = std::fs::remove_file(&new_path);
        }
        made
    }

    /// Maps a region of another process, or of this one, by its path: see [`Region::path`].
    ///
    /// # Errors
    /// When there is no such file, or when it is empty, too large or may not be mapped.
    pub fn attach(path: &Path, writable: bool) -> Result<Self, Error> {
        let said = |what: &str| format!("{what} {}", path.display());
        let file = OpenOptions::new()
            .read(true)
            .write(writable)
            .open(path)
            .map_err(|e| Error::os(said("open"), e))?;
        Self::of_file(file, writable)
    }

    /// Maps a region by its file, which another process handed over.
    ///
    /// # Errors
    /// As [`Region::attach`].
    pub fn of_file(file: File, writable: bool) -> Result<Self, Error> {
        let length = file
            .metadata()
            .map_err(|e| Error::os("size of a region".to_owned(), e))?
            .len();
        let bytes = usize::try_from(length).unwrap_or(usize::MAX);
        if !(8..=REGION_BYTES_MAX).contains(&bytes) {
            return Err(Error::bad("size of the file", length, "8 bytes to 1 TB"));
        }
        Self::map(file, bytes - bytes % 8, PageSize::Small4K, writable)
    }

    /// A path by which another process of the same user can attach this region while we live; none
    /// leads to the heap.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        let descriptor = self.file()?.as_raw_fd();
        let path = format!("/proc/{}/fd/{descriptor}", std::process::id());
        Some(PathBuf::from(path))
    }

    /// Its file, to be handed to another process; none on the heap.
    #[must_use]
    pub fn file(&self) -> Option<BorrowedFd<'_>> {
        match &self.backing {
            Backing::File(file) => Some(file.as_fd()),
            Backing::Heap(_) => None,
        }
    }

    /// What pages it was made of. An attached region says [`PageSize::Small4K`].
    #[must_use]
    pub const fn pages(&self) -> PageSize {
        self.pages
    }

    /// Whether the system promised to keep it in memory.
    #[must_use]
    pub const fn locked(&self) -> bool {
        self.locked
    }

    /// Bytes mapped.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn writable(&self) -> Result<(), Error> {
        if self.writable {
            return Ok(());
        }
        Err(Error::request(
            "the region is attached read-only: attach it writable",
        ))
    }

    /// All words. Nobody stores to a read-only region: its users check [`Region::writable`].
    pub(crate) fn words(&self) -> &[AtomicU64] {
        // SAFETY: `start` is aligned for a word and `bytes` long while `self` lives, and memory of
        // a shared mapping, or zeroed memory, may be read as atomic words whatever is in it.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.bytes / 8) }
    }

    fn anonymous(bytes: usize, name: &str, pages: PageSize) -> Result<Self, Error> {
        let c_name = CString::new(name).map_err(|_| Error::request("a name with a zero byte"))?;
        let mut flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
        if pages == PageSize::Huge2M {
            flags |= libc::MFD_HUGETLB | libc::MFD_HUGE_2MB;
        }
        // SAFETY: `c_name` is a string with its end; the call reads nothing else.
        let descriptor = unsafe { libc::memfd_create(c_name.as_ptr(), flags) };
        if descriptor < 0 {
            return Err(Error::last_os(format!("memfd_create {name}")));
        }
        // SAFETY: the descriptor was just given to us and nobody else owns it.
        let file = unsafe { File::from_raw_fd(descriptor) };
        let region = Self::sized(file, bytes, pages)?;
        // Whoever shares the memory may write what he likes, but not take it away from under us.
        let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
        // SAFETY: the call changes the descriptor's file and reads no memory of ours.
        if unsafe { libc::fcntl(descriptor, libc::F_ADD_SEALS, seals) } != 0 {
            return Err(Error::last_os(format!("seal the size of {name}")));
        }
        Ok(region)
    }

    fn sized(file: File, bytes: usize, pages: PageSize) -> Result<Self, Error> {
        size_check(bytes)?;
        let bytes = bytes.next_multiple_of(pages.bytes());
        // A file with holes would kill its process by SIGBUS at the first store into one when the
        // disk is full.
        // SAFETY: the descriptor is open for writing; only numbers are handed over.
        let refused = unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, bytes as libc::off_t) };
        if refused != 0 {
            let error = std::io::Error::from_raw_os_error(refused);
            let what = format!("make room for {bytes} bytes of shared memory");
            return Err(Error::os(what, error));
        }
        Self::map(file, bytes, pages, true)
    }

    fn map(file: File, bytes: usize, pages: PageSize, writable: bool) -> Result<Self, Error> {
        let protection = libc::PROT_READ | if writable { libc::PROT_WRITE } else { 0 };
        let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
        let any = std::ptr::null_mut();
        // SAFETY: a new mapping of a file that we own, at an address that the system chooses.
        let address = unsafe { libc::mmap(any, bytes, protection, flags, file.as_raw_fd(), 0) };
        if address == libc::MAP_FAILED {
            return Err(Error::last_os(format!(
                "map {bytes} bytes of shared memory"
            )));
        }
        let Some(start) = NonNull::new(address.cast::<AtomicU64>()) else {
            return Err(Error::request(
                "the system mapped shared memory at address 0",
            ));
        };
        // SAFETY: locks the mapping just made; a refusal changes nothing and is reported.
        let locked = unsafe { libc::mlock(address, bytes) } == 0;
        Ok(Self {
            start,
            bytes,
            pages,
            locked,
            writable,
            backing: Backing::File(file),
        })
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        let start = self.start.as_ptr();
        match self.backing {
            // SAFETY: the mapping is ours and no reference into it outlives `self`.
            Backing::File(_) => _ = unsafe { libc::munmap(start.cast(), self.bytes) },
            // SAFETY: it was taken with this layout, and no reference into it outlives `self`.
            Backing::Heap(layout) => unsafe { dealloc(start.cast(), layout) },
        }
    }
}

fn size_check(bytes: usize) -> Result<(), Error> {
    if bytes == 0 || bytes > REGION_BYTES_MAX {
        let what = format!("a region of {bytes} bytes: 1 byte to 1 TB");
        return Err(Error::request(what));
    }
    Ok(())
}
