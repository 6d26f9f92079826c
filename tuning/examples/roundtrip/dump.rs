//! Everything that a stage can touch, byte for byte: what it writes, and what the kernel might
//! move along with it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tuning::{DMA_LATENCY, Host};

/// Folders that are read as a whole, and how deep.
const FOLDERS: &[(&str, usize)] = &[
    ("/proc/sys", 12),
    ("/proc/irq", 2),
    ("/sys/devices/system/cpu", 6),
    ("/sys/devices/system/node", 6),
    ("/sys/devices/system/clocksource", 3),
    ("/sys/devices/virtual/workqueue", 3),
    ("/sys/kernel/mm", 6),
    ("/sys/kernel/debug/sched/fair_server", 3),
    ("/sys/fs/cgroup", 1),
    ("/sys/fs/cgroup/cpuset", 3),
    ("/sys/fs/cgroup/wirecross", 1),
    ("/etc/default", 3),
    ("/etc/security", 3),
];
/// What is read of each network interface.
const INTERFACES: &str = "/sys/class/net";
const CARD: &[&str] = &[
    "features",
    "channels_rx",
    "channels_tx",
    "channels_combined",
    "ring_rx",
    "ring_tx",
    "rx_usecs",
    "tx_usecs",
    "adaptive_rx",
    "adaptive_tx",
];
/// Control groups hold much that is no setting.
const GROUPS: &str = "/sys/fs/cgroup/";
const OF_GROUPS: &[&str] = &[
    "cpuset.",
    "cgroup.subtree_control",
    "cgroup.clone",
    "notify",
];

/// Names of files that count what goes on, and move by themselves.
const COUNTS: &[&str] = &[
    "/spurious",
    "/statistics",
    "/carrier_",
    "/meminfo",
    "/numastat",
    "/vmstat",
    "/stats",
    "/free_hugepages",
    "/resv_hugepages",
    "/surplus_hugepages",
    "/cpuidle/",
    "/thermal_throttle/",
    "/crash_notes",
    "/ksm/",
    "/khugepaged/full_scans",
    "/khugepaged/pages_collapsed",
    "/byte_queue_limits/",
    "/fs/quota/",
    "/fs/dentry-state",
    "/fs/file-nr",
    "/fs/inode-",
    "/fs/aio-nr",
    "/fs/binfmt_misc",
    "/kernel/ns_last_pid",
    "/kernel/random/",
    "/kernel/pty/nr",
    "/kernel/perf_event_max_sample_rate",
    "/runtime_active_time",
    "/runtime_suspended_time",
];
/// Those among them that stages write.
const SETTINGS: &[&str] = &["/ksm/run", "/cpuidle/state0/disable"];

/// Texts by path; of a folder that it is there.
pub type Dump = BTreeMap<String, Vec<u8>>;

/// Reads all of it.
pub fn dump(host: &Host) -> Dump {
    let mut found = Dump::new();
    for (folder, depth) in FOLDERS {
        walk(Path::new(folder), *depth, &mut found);
    }
    for interface in host.list(INTERFACES) {
        // The name is a link to where the device is.
        if let Ok(place) = fs::canonicalize(format!("{INTERFACES}/{interface}")) {
            walk(&place, 3, &mut found);
        }
        for name in CARD {
            let path = format!("/ethtool/{interface}/{name}");
            let told = host.text(&path).unwrap_or_else(|fault| fault.to_string());
            found.insert(path, told.into_bytes());
        }
    }
    let bound = host.text(DMA_LATENCY);
    let bound = bound.unwrap_or_else(|fault| fault.to_string());
    found.insert(DMA_LATENCY.to_owned(), bound.into_bytes());
    found
}

/// Paths whose texts are not the same in both, with both.
pub fn differences(before: &Dump, after: &Dump) -> Vec<String> {
    let paths = before
        .keys()
        .chain(after.keys().filter(|path| !before.contains_key(*path)));
    let shown = |text: Option<&Vec<u8>>| match text {
        None => "nothing".to_owned(),
        Some(text) => String::from_utf8_lossy(text).trim().to_owned(),
    };
    paths
        .filter(|path| before.get(*path) != after.get(*path))
        .map(|path| {
            let [old, new] = [before, after].map(|dump| shown(dump.get(path)));
            format!("{path}: {old:?} became {new:?}")
        })
        .collect()
}

fn walk(folder: &Path, depth: usize, found: &mut Dump) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let (path, text) = (entry.path(), entry.path().to_string_lossy().into_owned());
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if !counts(&text) || kind.is_symlink() {
            continue;
        }
        if kind.is_dir() {
            found.insert(format!("{text}/"), Vec::new());
            if depth > 1 {
                walk(&path, depth - 1, found);
            }
        } else if let Some(content) = content(&path) {
            found.insert(text, content);
        }
    }
}

/// Whether a path is a setting.
fn counts(path: &str) -> bool {
    if let Some(rest) = path.strip_prefix(GROUPS) {
        let name = rest.rsplit('/').next().unwrap_or(rest);
        let is_setting = OF_GROUPS.iter().any(|start| name.starts_with(start));
        return is_setting || Path::new(path).is_dir();
    }
    SETTINGS.iter().any(|end| path.ends_with(end)) || !COUNTS.iter().any(|part| path.contains(part))
}

/// What a file says; of those in `/etc` also who may read it.
fn content(path: &Path) -> Option<Vec<u8>> {
    let mode = fs::metadata(path).ok()?.permissions().mode();
    // What nobody may read is there to be written: it says nothing.
    if mode & 0o444 == 0 {
        return None;
    }
    let mut text = fs::read(path).unwrap_or_else(|error| error.to_string().into_bytes());
    if path.starts_with("/etc") {
        text.extend(format!("\nmode {mode:o}").into_bytes());
    }
    Some(text)
}
