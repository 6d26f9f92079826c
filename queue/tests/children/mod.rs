//! Other processes for tests: the test's own binary again, which then runs only the ignored test
//! `child`, and does what the environment asks.

#![allow(dead_code)] // each test program uses its part
#![allow(clippy::unwrap_used)] // A test's helpers fail the test.

use std::process::{Child, Command};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub const PATIENCE: Duration = Duration::from_secs(60);

/// Starts a process with a role; `what` is for it to read.
pub fn child_start(role: &str, what: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "child",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env("QUEUE_TEST_ROLE", role)
        .env("QUEUE_TEST_WHAT", what)
        .spawn()
        .unwrap()
}

/// What [`child_start`] was told, in the process that it started.
pub fn child_role() -> Option<(String, String)> {
    let said = |name: &str| std::env::var(name).ok();
    Some((said("QUEUE_TEST_ROLE")?, said("QUEUE_TEST_WHAT")?))
}

/// Repeats until it gives something; fails the test when that takes a minute.
pub fn until<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(
            start.elapsed() < PATIENCE,
            "the other process did not do its part"
        );
        std::thread::yield_now();
    }
}

/// A clock that all processes share.
pub fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_nanos() as u64
}
