//! Threads that share a core with a hot one.

use super::Ask;
use crate::change::Change;
use crate::cpus::Cpus;
use crate::finding::{About, Finding};
use crate::setup::siblings;

const ABOUT: About = About {
    why: "two threads of a core share its execution units and nearest caches: whatever runs on the \
          sibling slows the hot one",
    risk: "the host loses these threads; taking them away makes the kernel move interrupts and \
           shrink cpusets, which bringing them back does not undo",
};

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let subject = "siblings of hot cores";
    let hot = &ask.setup.hot;
    let each = |cpu| siblings(ask.host, cpu).without(&Cpus::from_iter([cpu]));
    let beside = hot
        .iter()
        .fold(Cpus::default(), |all, cpu| all.either(&each(cpu)));
    let beside: Cpus = beside.iter().filter(|cpu| runs(ask, *cpu)).collect();
    if beside.is_empty() {
        let control = ask.host.read("/sys/devices/system/cpu/smt/control");
        let control = control.unwrap_or_else(|_| "not told".to_owned());
        let found = format!("none runs (smt: {control})");
        return vec![
            Finding::judged(ABOUT, subject, true)
                .found(found)
                .wanted("none"),
        ];
    }
    let twice = beside.both(hot);
    let idle = beside.without(hot);
    let offline = |cpu| {
        let path = format!("/sys/devices/system/cpu/cpu{cpu}/online");
        Change::write(&path, "0", "1")
    };
    let finding = Finding::judged(ABOUT, subject, false)
        .found(format!("{beside} beside {hot}"))
        .wanted("offline")
        .changes(idle.iter().map(offline));
    vec![if twice.is_empty() {
        finding
    } else {
        finding.by_hand(format!(
            "{twice} share cores among themselves: choose one thread of each"
        ))
    }]
}

/// The first processor has no such file: it cannot be taken away.
fn runs(ask: Ask<'_>, cpu: usize) -> bool {
    let path = format!("/sys/devices/system/cpu/cpu{cpu}/online");
    ask.setup.online.has(cpu) && ask.host.read(&path).as_deref() != Ok("0")
}
