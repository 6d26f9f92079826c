//! The ring refuses what is neither a write nor a flush.

use super::*;

/// What the kernel answers to one entry.
fn answer(ring: &mut IoUring, entry: &Entry) -> i32 {
    // SAFETY: the callers' entries point at what outlives this call, or at nothing.
    unsafe { ring.submission().push(entry) }.unwrap();
    ring.submit_and_wait(1).unwrap();
    ring.completion().next().unwrap().result()
}

#[test]
fn other_operations_are_refused() {
    let Ok(mut uring) = Uring::new() else {
        eprintln!("skipped: no io_uring here");
        return;
    };
    let file = tempfile::tempfile().unwrap();
    let fd = types::Fd(file.as_raw_fd());
    let (path, how) = (c"/dev/null", types::OpenHow::new());
    let mut byte = 7_u8;
    let at = &raw mut byte;
    let here = types::Fd(libc::AT_FDCWD);
    let refused = [
        opcode::Nop::new().build(),
        opcode::OpenAt2::new(here, path.as_ptr(), &raw const how).build(),
        opcode::Read::new(fd, at, 1).build(),
        opcode::UnlinkAt::new(here, c"/nowhere".as_ptr()).build(),
        opcode::Socket::new(libc::AF_INET, libc::SOCK_STREAM, 0).build(),
        opcode::Write::new(fd, at, 1).build().flags(Flags::ASYNC),
        opcode::Write::new(fd, at, 1).build().personality(1),
    ];
    for entry in &refused {
        assert!(answer(&mut uring.ring, entry) < 0, "{entry:?}");
    }
    assert_eq!(
        answer(&mut uring.ring, &opcode::Write::new(fd, at, 1).build()),
        1
    );
    assert_eq!(answer(&mut uring.ring, &opcode::Fsync::new(fd).build()), 0);
}
