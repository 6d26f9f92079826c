//! The design's table of rooms as data: who may name whom, and what a room must not contain.

/// Which files of a room may hold `unsafe`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unsafe {
    /// None: every program and library of the room opens with `#![forbid(unsafe_code)]`.
    Forbidden,
    /// Only the file of that name, from the room's folder; its library opens with
    /// `#![deny(unsafe_code)]`, which that file alone lifts.
    Only(&'static str),
    /// Any; clippy demands a reason for each.
    Allowed,
}

/// One crate.
pub struct Room {
    /// Its folder, from the root.
    pub folder: &'static str,
    /// Crates of ours that it may depend on; `None` for any.
    pub ours: Option<&'static [&'static str]>,
    /// Crates of others that it may depend on; `None` for any that the workspace lists.
    pub others: Option<&'static [&'static str]>,
    pub unsafe_code: Unsafe,
    /// Whether it may hold atomics.
    pub atomics: bool,
    /// Pieces of code that must not stand in its sources, tests apart.
    pub banned: &'static [&'static str],
}

/// Crates that only tests use, wherever.
pub const TEST_CRATES: &[&str] = &["bytemuck", "proptest", "serde_json", "tempfile"];

const TIME: &str = "std::time";
const THREADS: &str = "std::thread";
const SOCKETS: &str = "std::net";
const HASH_MAP: &str = "HashMap";

/// A room without unsafe code, atomics or bans that may use anything.
const FREE: Room = Room {
    folder: "",
    ours: None,
    others: None,
    unsafe_code: Unsafe::Forbidden,
    atomics: false,
    banned: &[],
};

pub const ROOMS: &[Room] = &[
    Room {
        folder: "wire",
        ours: Some(&[]),
        others: Some(&["bytemuck"]),
        banned: &[TIME, THREADS, SOCKETS, HASH_MAP],
        ..FREE
    },
    Room {
        folder: "queue",
        ours: Some(&[]),
        others: Some(&["bytemuck", "libc"]),
        unsafe_code: Unsafe::Allowed,
        atomics: true,
        banned: &[TIME, THREADS, SOCKETS],
    },
    Room {
        folder: "nic",
        ours: Some(&["af_xdp"]),
        others: Some(&["io-uring", "libc", "quanta", "smoltcp"]),
        unsafe_code: Unsafe::Allowed,
        ..FREE
    },
    Room {
        folder: "nic/af_xdp",
        ours: Some(&[]),
        others: Some(&["libc"]),
        unsafe_code: Unsafe::Allowed,
        atomics: true,
        ..FREE
    },
    Room {
        folder: "flow",
        ours: Some(&["wire"]),
        others: Some(&[]),
        banned: &[TIME, THREADS, SOCKETS],
        ..FREE
    },
    Room {
        folder: "engine/analytics",
        ours: Some(&[]),
        others: Some(&[]),
        unsafe_code: Unsafe::Only("/src/arch/x86.rs"),
        banned: &[TIME, THREADS, SOCKETS, HASH_MAP],
        ..FREE
    },
    Room {
        folder: "engine/matching",
        ours: Some(&["wire"]),
        others: Some(&["bytemuck"]),
        unsafe_code: Unsafe::Only("/src/prefetch.rs"),
        banned: &[
            TIME, THREADS, SOCKETS, HASH_MAP, "f32", "f64", "Box::new", "Vec::",
        ],
        ..FREE
    },
    Room {
        folder: "engine/session",
        ours: Some(&["wire"]),
        others: Some(&["bytemuck", "hmac", "sha2"]),
        banned: &[TIME, THREADS, SOCKETS, HASH_MAP],
        ..FREE
    },
    Room {
        folder: "engine/subscriber",
        ours: Some(&["nic", "session", "trading"]),
        others: Some(&[]),
        banned: &[TIME, THREADS, HASH_MAP],
        ..FREE
    },
    Room {
        folder: "engine/trading",
        ours: Some(&["wire", "analytics"]),
        others: Some(&[]),
        banned: &[TIME, THREADS, SOCKETS, HASH_MAP],
        ..FREE
    },
    Room {
        folder: "recorded",
        ours: Some(&["trading", "wire"]),
        others: Some(&["dbn", "flate2", "serde", "serde_json", "zstd"]),
        banned: &[TIME, THREADS, SOCKETS, HASH_MAP],
        ..FREE
    },
    Room {
        folder: "journal",
        ours: Some(&["wire"]),
        others: Some(&["bytemuck", "crc32c", "io-uring", "libc", "zstd"]),
        unsafe_code: Unsafe::Allowed,
        banned: &[SOCKETS],
        ..FREE
    },
    Room {
        folder: "footprint",
        ours: Some(&["queue"]),
        others: Some(&[]),
        banned: &[SOCKETS, HASH_MAP],
        ..FREE
    },
    // The program that tries what a thief would, with system calls of its own.
    Room {
        folder: "sandbox",
        ours: Some(&[]),
        others: Some(&["landlock", "libc", "rustix", "seccompiler"]),
        unsafe_code: Unsafe::Only("/examples/evil_gateway/acts.rs"),
        ..FREE
    },
    Room {
        folder: "slow/api",
        ours: Some(&[
            "cache",
            "calculator",
            "footprint",
            "logs",
            "nic",
            "queue",
            "sandbox",
            "scale",
            "session",
            "store",
            "subscriber",
            "trading",
            "websocket",
            "wire",
        ]),
        ..FREE
    },
    Room {
        folder: "slow/cache",
        ours: Some(&[]),
        others: Some(&["quick_cache", "redis", "zstd"]),
        atomics: true,
        ..FREE
    },
    Room {
        folder: "slow/calculator",
        ours: Some(&["history", "onnx", "quant", "recorded", "scale", "trading"]),
        others: Some(&["clap", "serde_json", "signal-hook"]),
        atomics: true,
        banned: &[SOCKETS],
        ..FREE
    },
    Room {
        folder: "slow/door",
        ours: Some(&["nic", "queue"]),
        others: Some(&["bytemuck", "rustix"]),
        ..FREE
    },
    Room {
        folder: "slow/fix",
        ours: Some(&["door", "footprint", "logs", "sandbox", "session", "wire"]),
        atomics: true,
        ..FREE
    },
    Room {
        folder: "slow/history",
        ours: Some(&[]),
        others: Some(&["parquet"]),
        banned: &[TIME, THREADS, SOCKETS],
        ..FREE
    },
    Room {
        folder: "slow/logs",
        ours: Some(&[]),
        others: Some(&[
            "opentelemetry-proto",
            "prost",
            "serde",
            "serde_json",
            "time",
            "toml",
            "tracing",
            "tracing-subscriber",
        ]),
        ..FREE
    },
    Room {
        folder: "slow/onnx",
        ours: Some(&[]),
        others: Some(&["ort"]),
        banned: &[TIME, THREADS, SOCKETS],
        ..FREE
    },
    Room {
        folder: "slow/python",
        ours: Some(&["analytics", "quant"]),
        others: Some(&["numpy", "pyo3"]),
        banned: &[TIME, THREADS, SOCKETS, HASH_MAP],
        ..FREE
    },
    Room {
        folder: "slow/quant",
        ours: Some(&["analytics"]),
        others: Some(&["clarabel", "libm", "serde", "serde_json"]),
        banned: &[TIME, THREADS, SOCKETS, HASH_MAP],
        ..FREE
    },
    Room {
        folder: "slow/scale",
        ours: Some(&["quant"]),
        others: Some(&[]),
        banned: &[TIME, THREADS, SOCKETS, HASH_MAP],
        ..FREE
    },
    Room {
        folder: "slow/store",
        ours: Some(&[
            "analytics",
            "footprint",
            "history",
            "journal",
            "logs",
            "queue",
            "sandbox",
            "wire",
        ]),
        others: Some(&[
            "bytemuck",
            "clap",
            "core_affinity",
            "futures-util",
            "rusqlite",
            "rustix",
            "serde_json",
            "signal-hook",
            "tokio",
            "tokio-postgres",
            "toml",
            "tracing",
        ]),
        atomics: true,
        ..FREE
    },
    Room {
        folder: "slow/websocket",
        ours: Some(&[]),
        others: Some(&["flate2", "sha1"]),
        banned: &[TIME, THREADS, SOCKETS],
        ..FREE
    },
    Room {
        folder: "appliance",
        unsafe_code: Unsafe::Allowed,
        ..FREE
    },
    // One system call, behind the settings of network cards.
    Room {
        folder: "tuning",
        ours: Some(&[]),
        others: Some(&[
            "core_affinity",
            "hdrhistogram",
            "libc",
            "plotters",
            "quanta",
            "serde",
            "serde_json",
        ]),
        unsafe_code: Unsafe::Only("/src/host/ethtool.rs"),
        ..FREE
    },
    Room {
        folder: "sim",
        banned: &[SOCKETS_STD],
        ..FREE
    },
    Room {
        folder: "loom-tests",
        unsafe_code: Unsafe::Allowed,
        atomics: true,
        ..FREE
    },
    // Calibration bounces one cache line between two threads: nothing of ours could time that.
    Room {
        folder: "benches",
        unsafe_code: Unsafe::Allowed,
        atomics: true,
        ..FREE
    },
    Room {
        folder: "tools",
        ..FREE
    },
    // Pointers from C, and the memory its engine lives in.
    Room {
        folder: "tools/capi",
        ours: Some(&["matching", "queue", "wire"]),
        others: Some(&["bytemuck"]),
        unsafe_code: Unsafe::Allowed,
        ..FREE
    },
];

/// A simulation touches no real socket.
const SOCKETS_STD: &str = "std::net::Tcp";

/// Crates of ours that no other crate may depend on.
pub const LEAVES: &[&str] = &["sim", "tools", "benches", "loom-tests"];
