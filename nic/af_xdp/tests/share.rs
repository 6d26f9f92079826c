//! The memory seen from another process: a child maps it and reads a frame where it is told.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod support;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::process::{Command, Stdio};
use std::time::Instant;

use af_xdp::{Pages, Span, Umem, UmemOptions, View};
use nic::netns::VethOptions;
use support::{PATIENCE, Side, Wanted, cable, datagram};

/// Set for the child: the path of the memory's file.
const CHILD: &str = "AF_XDP_TEST_MEMORY";

/// Not a test of its own: in the child it maps the memory, reads the spans it is told of, and says
/// what was there.
#[test]
fn child_that_reads_frames() {
    let Ok(path) = std::env::var(CHILD) else {
        return;
    };
    let file = File::open(path).unwrap();
    let view = View::map(file.as_fd()).unwrap();
    let mut said = [0; 12];
    while std::io::stdin().read_exact(&mut said).is_ok() {
        let (at, length) = said.split_at(8);
        let span = Span {
            at: u64::from_le_bytes(at.try_into().unwrap()),
            length: u32::from_le_bytes(length.try_into().unwrap()),
        };
        let mut bytes = vec![0; span.length as usize];
        assert!(view.copy(span, &mut bytes));
        // Apart from what the test harness prints.
        std::io::stderr().write_all(&bytes).unwrap();
    }
}

#[test]
fn another_process_reads_frames_as_they_arrive() {
    let Some(pair) = cable(&VethOptions::default()) else {
        return;
    };
    let mut left = Side::open(&pair.left, &Wanted::default()).unwrap();
    let mut right = Side::open(&pair.right, &Wanted::default()).unwrap();
    let file = right.umem.file().as_raw_fd();
    let path = format!("/proc/{}/fd/{file}", std::process::id());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_reads_frames", "--nocapture"])
        .env(CHILD, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ask = child.stdin.take().unwrap();
    let mut answers = child.stderr.take().unwrap();
    for length in [1usize, 15, 16, 17, 100, 1000, 1400] {
        let sent = datagram(&pair.left, &pair.right, &vec![length as u8; length]);
        left.push(&sent);
        left.flush();
        let start = Instant::now();
        let received = loop {
            if let Some(received) = right.queue.rx.pop() {
                break received;
            }
            assert!(start.elapsed() < PATIENCE);
        };
        let span = received.span(&right.umem);
        assert_eq!(span.length as usize, sent.len());
        let said = [&span.at.to_le_bytes()[..], &span.length.to_le_bytes()].concat();
        ask.write_all(&said).unwrap();
        let mut seen = vec![0; sent.len()];
        answers.read_exact(&mut seen).unwrap();
        assert!(seen == sent, "{length}");
        right.queue.fill.push(received.into_frame()).unwrap();
        right.queue.rx.release();
        right.queue.fill.publish();
    }
    drop(ask);
    assert!(child.wait().unwrap().success());
}

fn small() -> UmemOptions {
    UmemOptions {
        frames: 4,
        ..UmemOptions::default()
    }
}

#[test]
fn a_view_reads_only_inside_and_never_writes() {
    let (umem, mut frames) = Umem::create(&small()).unwrap();
    umem.room(&mut frames[3])[2047] = 42;
    let view = View::map(umem.file()).unwrap();
    let mut byte = [0];
    let last = Span {
        at: 4 * 2048 - 1,
        length: 1,
    };
    assert!(view.copy(last, &mut byte) && byte == [42]);
    let far = Span {
        at: u64::MAX,
        length: 1,
    };
    assert!(!view.copy(far, &mut byte));
    assert!(
        !view.copy(Span { length: 2, ..last }, &mut byte),
        "no room for it"
    );
    // Neither by mapping nor by writing can anyone else change a frame, or shrink the file.
    let writable = File::options()
        .write(true)
        .open(format!("/proc/self/fd/{}", umem.file().as_raw_fd()));
    if let Ok(mut file) = writable {
        assert!(file.write_all(b"x").is_err());
        assert!(file.set_len(0).is_err());
    }
    assert!(maps_writable(umem.file()).is_err());
    let unsealed = tempfile();
    assert!(View::map(unsealed.as_fd()).is_err());
}

fn maps_writable(file: BorrowedFd<'_>) -> std::io::Result<()> {
    let (none, access) = (std::ptr::null_mut(), libc::PROT_READ | libc::PROT_WRITE);
    // SAFETY: the kernel chooses the place.
    let at = unsafe { libc::mmap(none, 4096, access, libc::MAP_SHARED, file.as_raw_fd(), 0) };
    if at == libc::MAP_FAILED {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: just mapped.
    unsafe { libc::munmap(at, 4096) };
    Ok(())
}

/// A file in memory that anyone may resize.
fn tempfile() -> File {
    use std::os::fd::FromRawFd;
    // SAFETY: the name is a string.
    let fd = unsafe { libc::memfd_create(c"unsealed".as_ptr(), libc::MFD_CLOEXEC) };
    assert!(fd >= 0);
    // SAFETY: new, and owned by nobody else.
    unsafe { File::from_raw_fd(fd) }
}

/// Huge pages when the machine has free ones, small ones with the reason when it has not.
#[test]
fn the_pages_are_those_the_machine_has() {
    let (umem, frames) = Umem::create(&small()).unwrap();
    println!("{:?}", umem.pages());
    assert!(matches!(
        umem.pages(),
        Pages::Huge | Pages::SmallInstead(libc::ENOMEM | libc::EINVAL | libc::ENOSYS)
    ));
    assert_eq!(frames.len(), 4);
    let plain = UmemOptions {
        huge_pages: false,
        ..small()
    };
    assert_eq!(Umem::create(&plain).unwrap().0.pages(), Pages::Small);
}

#[test]
fn sizes_out_of_range_are_refused() {
    let wrong = [
        (0, 2048),
        (af_xdp::FRAMES_MAX + 1, 2048),
        (4, 0),
        (4, 1024),
        (4, 8192),
        (4, 3000),
    ];
    for (frames, frame_bytes) in wrong {
        let options = UmemOptions {
            frames,
            frame_bytes,
            ..UmemOptions::default()
        };
        assert!(Umem::create(&options).is_err(), "{options:?}");
    }
}
