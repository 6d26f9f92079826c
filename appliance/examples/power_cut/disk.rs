//! A disk whose power can be cut: ext4 on a loop device whose file lies on another ext4, which is
//! on a loop device over memory.
//!
//! The outer file system is the disk and its volatile cache: what the inner one wrote to its device
//! and did not flush waits in the outer one's page cache. The ioctl FS_IOC_SHUTDOWN without a flush
//! of the log throws that away, as a power cut does, whether a program writes around its own page
//! cache or through it.
//!
//! Everything is mounted in a mount namespace of this process, loop devices let go of their files
//! with their last mount, and the memory has no name: nothing stays behind, however the process
//! ends.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const OUTER_BYTES: u64 = 80 << 20;
const INNER_BYTES: u64 = 48 << 20;
const _: () = assert!(INNER_BYTES + (16 << 20) < OUTER_BYTES);

/// `_IOR('X', 125, __u32)` and its argument: down at once, what is in memory is lost.
const FS_IOC_SHUTDOWN: libc::c_ulong = 0x8004_587d;
const GOING_NOLOGFLUSH: u32 = 2;

const LOOP_CTL_GET_FREE: libc::c_ulong = 0x4c82;
const LOOP_CONFIGURE: libc::c_ulong = 0x4c0a;
/// Words of `struct loop_config`: file and block size, `loop_info64`, eight reserved.
const LOOP_CONFIG_WORDS: usize = 38;
/// The word that holds `lo_flags` in its upper half, and the flag that frees the device with its
/// last user.
const LOOP_FLAGS_WORD: usize = 7;
const LOOP_AUTOCLEAR: u64 = 4;

/// How long a mount may be held by what a killed process left in the kernel.
const PATIENCE: Duration = Duration::from_secs(60);

/// The disk.
pub struct Disk {
    memory: File,
    outer: PathBuf,
    inner: PathBuf,
}

impl Disk {
    /// Takes this process, which must have one thread, into a mount namespace of its own.
    ///
    /// # Errors
    /// The system's word, usually that this needs root.
    pub fn isolate() -> io::Result<()> {
        // SAFETY: takes no pointers.
        check(unsafe { libc::unshare(libc::CLONE_NEWNS) })?;
        mount("none", Path::new("/"), "", libc::MS_REC | libc::MS_PRIVATE)
    }

    /// Makes both file systems and mounts them below `directory`.
    ///
    /// # Errors
    /// The system's word.
    pub fn create(directory: &Path) -> io::Result<Self> {
        // SAFETY: the name ends with a zero.
        let fd = check(unsafe { libc::memfd_create(c"power-cut".as_ptr(), libc::MFD_CLOEXEC) })?;
        // SAFETY: the descriptor is new and owned by nobody else.
        let memory = unsafe { File::from_raw_fd(fd) };
        memory.set_len(OUTER_BYTES)?;
        let disk = Self {
            memory,
            outer: directory.join("outer"),
            inner: directory.join("inner"),
        };
        fs::create_dir_all(&disk.outer)?;
        fs::create_dir_all(&disk.inner)?;
        disk.format()?;
        Ok(disk)
    }

    /// Where a venue may keep its data.
    pub fn path(&self) -> &Path {
        &self.inner
    }

    /// Makes both file systems anew; nothing is mounted.
    fn format(&self) -> io::Result<()> {
        let (process, fd) = (std::process::id(), self.memory.as_raw_fd());
        make_file_system(Path::new(&format!("/proc/{process}/fd/{fd}")))?;
        self.mount_outer()?;
        let image = self.image();
        let mut file = File::create(&image)?;
        let zeros = vec![0; 1 << 20];
        for _ in 0..INNER_BYTES / zeros.len() as u64 {
            file.write_all(&zeros)?;
        }
        make_file_system(&image)?;
        file.sync_all()?;
        self.mount_inner()
    }

    /// Throws everything away and begins with an empty disk; mounted, before and after.
    ///
    /// # Errors
    /// The system's word.
    pub fn renew(&self) -> io::Result<()> {
        self.unmount()?;
        self.format()
    }

    /// Cuts the power: from here on nothing reaches the disk.
    ///
    /// # Errors
    /// The system's word.
    pub fn cut(&self) -> io::Result<()> {
        shut_down(&self.outer)
    }

    /// Gives the power back: both file systems are mounted again, their logs replayed. Nobody may
    /// hold a file any more.
    ///
    /// # Errors
    /// The system's word.
    pub fn restore(&self) -> io::Result<()> {
        shut_down(&self.inner)?;
        self.unmount()?;
        self.mount_outer()?;
        self.mount_inner()
    }

    /// Bytes that are free.
    ///
    /// # Errors
    /// The system's word.
    pub fn free_bytes(&self) -> io::Result<u64> {
        let path = name(&self.inner)?;
        // SAFETY: zeros are a value of this structure.
        let mut found: libc::statvfs = unsafe { std::mem::zeroed() };
        // SAFETY: both pointers are valid for the call, the name ends with a zero.
        check(unsafe { libc::statvfs(path.as_ptr(), &raw mut found) })?;
        Ok(found.f_bavail * found.f_frsize)
    }

    fn image(&self) -> PathBuf {
        self.outer.join("image")
    }

    fn mount_outer(&self) -> io::Result<()> {
        mount_loop(&self.memory, &self.outer)
    }

    fn mount_inner(&self) -> io::Result<()> {
        let image = OpenOptions::new()
            .read(true)
            .write(true)
            .open(self.image())?;
        mount_loop(&image, &self.inner)
    }

    fn unmount(&self) -> io::Result<()> {
        unmount(&self.inner)?;
        unmount(&self.outer)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The namespace's end does it otherwise.
        let _ = self.unmount();
    }
}

fn check(answer: libc::c_int) -> io::Result<libc::c_int> {
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(answer)
}

fn name(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_encoded_bytes())?)
}

fn make_file_system(target: &Path) -> io::Result<()> {
    let options = "-q -F -b 4096 -m 0 -J size=4 -E lazy_itable_init=0,lazy_journal_init=0";
    let mut command = Command::new("mkfs.ext4");
    command.args(options.split(' ')).arg(target);
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io::Error::other(format!("mkfs.ext4: {said}")))
}

fn mount(source: &str, target: &Path, kind: &str, flags: libc::c_ulong) -> io::Result<()> {
    let (source, kind, target) = (CString::new(source)?, CString::new(kind)?, name(target)?);
    // SAFETY: the three names end with a zero; there is no data.
    check(unsafe {
        libc::mount(
            source.as_ptr(),
            target.as_ptr(),
            kind.as_ptr(),
            flags,
            std::ptr::null(),
        )
    })
    .map(|_| ())
}

/// Mounts a file's ext4 by way of a loop device, which lives as long as the mount.
fn mount_loop(file: &File, target: &Path) -> io::Result<()> {
    let (device, path) = loop_device(file)?;
    let mounted = mount(&path, target, "ext4", libc::MS_NOATIME);
    drop(device);
    mounted
}

fn loop_device(file: &File) -> io::Result<(File, String)> {
    let control = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/loop-control")?;
    let mut config = [0_u64; LOOP_CONFIG_WORDS];
    config[0] = file.as_raw_fd() as u64;
    config[LOOP_FLAGS_WORD] = LOOP_AUTOCLEAR << 32;
    let start = Instant::now();
    loop {
        // SAFETY: this request takes no argument.
        let number = check(unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE) })?;
        let path = format!("/dev/loop{number}");
        let device = OpenOptions::new().read(true).write(true).open(&path)?;
        // SAFETY: the request reads a whole `loop_config`, which the array is as long as.
        let configured =
            check(unsafe { libc::ioctl(device.as_raw_fd(), LOOP_CONFIGURE, config.as_ptr()) });
        match configured {
            Ok(_) => return Ok((device, path)),
            // Somebody else was faster.
            Err(error)
                if error.raw_os_error() == Some(libc::EBUSY) && start.elapsed() < PATIENCE => {}
            Err(error) => return Err(error),
        }
    }
}

fn shut_down(mounted: &Path) -> io::Result<()> {
    let root = File::open(mounted)?;
    let how = GOING_NOLOGFLUSH;
    // SAFETY: the request reads one u32, which outlives the call.
    check(unsafe { libc::ioctl(root.as_raw_fd(), FS_IOC_SHUTDOWN, &raw const how) }).map(|_| ())
}

/// Unmounts, waiting for what the kernel still holds of a killed process.
fn unmount(mounted: &Path) -> io::Result<()> {
    let target = name(mounted)?;
    let start = Instant::now();
    loop {
        // SAFETY: the name ends with a zero.
        match check(unsafe { libc::umount2(target.as_ptr(), 0) }) {
            Ok(_) => return Ok(()),
            Err(error)
                if error.raw_os_error() == Some(libc::EBUSY) && start.elapsed() < PATIENCE =>
            {
                std::thread::sleep(Duration::from_micros(200));
            }
            Err(error) => return Err(error),
        }
    }
}
