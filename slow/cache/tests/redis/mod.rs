//! A Redis of the test's own, and a cache over it.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

#[path = "../../../../tools/src/redis/server.rs"]
mod server;

pub use server::{asked, is_installed};

use cache::{Cache, Loaded, Settings};
use server::{Server, answers};
use std::convert::Infallible;
use std::net::TcpListener;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Far longer than anything takes, also beside other work.
pub const WAIT_MAX: Duration = Duration::from_secs(300);

/// A server that goes with the test.
pub struct Redis {
    server: Server,
    child: Child,
    _dir: tempfile::TempDir,
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawned(server: &Server) -> Option<Child> {
    let mut child = server.command().spawn().unwrap();
    let begun = Instant::now();
    loop {
        // The port may have been taken meanwhile.
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        if server.pid() == Some(child.id()) && answers(server.port) {
            return Some(child);
        }
        assert!(begun.elapsed() < WAIT_MAX, "Redis does not start");
        sleep(Duration::from_millis(5));
    }
}

impl Redis {
    /// Starts one; none, with a word, where the program is not installed.
    pub fn start() -> Option<Self> {
        if !is_installed() {
            let why = "redis-server is not installed: `cargo x setup` installs it";
            assert!(std::env::var_os("CI").is_none(), "{why}");
            eprintln!("SKIPPED: {why}");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        for _ in 0..100 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let server = Server {
                folder: dir.path().to_owned(),
                port,
            };
            if let Some(child) = spawned(&server) {
                return Some(Self {
                    server,
                    child,
                    _dir: dir,
                });
            }
        }
        panic!("no port for Redis");
    }

    pub fn settings(&self) -> Settings {
        Settings {
            redis: Some(self.server.url()),
            redis_wait: Duration::from_secs(60),
            load_wait: Duration::from_secs(120),
            ..Settings::default()
        }
    }

    /// A cache that is linked to it.
    pub fn cache(&self) -> Cache {
        let cache = Cache::new(self.settings()).unwrap();
        assert!(cache.wait_for_redis(WAIT_MAX));
        cache
    }

    /// Says something to it.
    pub fn say(&self, what: &str) -> String {
        asked(self.server.port, what).unwrap_or_default()
    }

    /// As if its machine went away.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Another one in its place, which knows nothing.
    pub fn again(&mut self) {
        let begun = Instant::now();
        loop {
            if let Some(child) = spawned(&self.server) {
                self.child = child;
                return;
            }
            assert!(begun.elapsed() < WAIT_MAX, "its port is taken");
        }
    }
}

/// What a database would give.
pub fn loaded(version: u64, value: &str, tags: &[&str]) -> Loaded {
    Loaded {
        version,
        value: (!value.is_empty()).then(|| value.as_bytes().to_vec()),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
    }
}

/// What a key has, loading this if it has nothing.
pub fn asks(cache: &Cache, key: &str, or: &Loaded) -> String {
    let entry = cache.get_or_load(key, || Ok::<_, Infallible>(or.clone()));
    let entry = entry.unwrap();
    String::from_utf8(entry.value().unwrap_or(b"(absent)").to_vec()).unwrap()
}

/// What a key has; a load is a fault.
pub fn has(cache: &Cache, key: &str) -> Option<(u64, String)> {
    let entry = cache.get_or_load(key, || Err(()));
    let entry = entry.ok()?;
    let value = entry.value().unwrap_or(b"(absent)").to_vec();
    Some((entry.version(), String::from_utf8(value).unwrap()))
}

/// Waits until something is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < WAIT_MAX, "never: {what}");
        sleep(Duration::from_millis(2));
    }
}
