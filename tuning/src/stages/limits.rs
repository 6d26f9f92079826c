//! What the appliance's user may lock and open.

use super::Ask;
use crate::change::Change;
use crate::finding::{About, Finding};

const MEMORY: About = About {
    why: "the appliance locks its memory so that no page of it is ever missing; beyond the limit \
          it cannot, and UMEM cannot be registered",
    risk: "the user may keep all memory from others",
};

const FILES: About = About {
    why: "each member's connection is an open file: 10,000 idle ones must fit",
    risk: "none known",
};

/// The kernel's right to lock without a limit.
const CAP_IPC_LOCK: u32 = 14;
const FILES_WANTED: u64 = 65_536;
const MEMORY_WANTED: u64 = 8 << 30;
const DROP_IN: &str = "/etc/security/limits.d/90-wirecross.conf";
const TEXT: &str = "# Written by `wirecross tune`; `wirecross tune undo` takes it away.\n\
                    * - memlock unlimited\n\
                    * - nofile 65536\n";

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let memory = limit(ask, "Max locked memory");
    let files = limit(ask, "Max open files");
    let (Ok(memory), Ok(files)) = (memory, files) else {
        let reason = "/proc/self/limits is not readable";
        return vec![Finding::absent(MEMORY, "locked memory", reason)];
    };
    let may_lock = may_lock(ask);
    let how = if may_lock {
        " (and a right to lock without it)"
    } else {
        ""
    };
    let is_enough = may_lock || memory >= MEMORY_WANTED;
    let locked = Finding::judged(MEMORY, "locked memory, bytes", is_enough)
        .found(format!("{}{how}", told(memory)))
        .wanted("unlimited");
    let open = Finding::judged(FILES, "open files", files >= FILES_WANTED)
        .found(told(files))
        .wanted(format!("at least {FILES_WANTED}"));
    // One file serves both; the second finding would only write it again.
    let is_first = locked.verdict == crate::finding::Verdict::Poor;
    vec![
        with_drop_in(ask, locked, true),
        with_drop_in(ask, open, !is_first),
    ]
}

fn with_drop_in(ask: Ask<'_>, finding: Finding, writes: bool) -> Finding {
    let advice = "counts from the next login on; under systemd set LimitMEMLOCK=infinity and \
                  LimitNOFILE=65536 in the unit";
    if !writes || !ask.host.has("/etc/security/limits.d") || ask.host.has(DROP_IN) {
        return finding.by_hand(advice);
    }
    let (path, text) = (DROP_IN.to_owned(), TEXT.to_owned());
    finding
        .changes([Change::Create { path, text }])
        .by_hand(advice)
}

fn told(limit: u64) -> String {
    match limit {
        u64::MAX => "unlimited".to_owned(),
        limit => limit.to_string(),
    }
}

/// The soft limit of this process.
fn limit(ask: Ask<'_>, name: &str) -> Result<u64, ()> {
    let text = ask.host.read("/proc/self/limits").map_err(|_| ())?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .ok_or(())?;
    match line.split_whitespace().next() {
        Some("unlimited") => Ok(u64::MAX),
        word => word.unwrap_or_default().parse().map_err(|_| ()),
    }
}

fn may_lock(ask: Ask<'_>) -> bool {
    let text = ask.host.read("/proc/self/status").unwrap_or_default();
    let rights = text.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let rights = rights.and_then(|word| u64::from_str_radix(word.trim(), 16).ok());
    rights.is_some_and(|rights| rights >> CAP_IPC_LOCK & 1 == 1)
}
