//! What the scheduler may put on hot cores.

use super::Ask;
use crate::change::Change;
use crate::cpus::Cpus;
use crate::finding::{About, Finding};

const ABOUT: About = About {
    why: "on a core that the scheduler balances, any program may take the place of the pinned \
          thread for milliseconds",
    risk: "hot cores take only threads that are put there; start the appliance inside the group: \
           echo $$ into its file cgroup.procs (v1: tasks) first",
};

const V2: &str = "/sys/fs/cgroup";
const V1: &str = "/sys/fs/cgroup/cpuset";
/// The group's name.
const GROUP: &str = "wirecross";
/// The name of that of the rest, where balancing needs one.
const REST: &str = "wirecross-rest";

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    vec![scheduler(ask)]
}

fn scheduler(ask: Ask<'_>) -> Finding {
    let hot = &ask.setup.hot;
    let isolated = isolated(ask);
    let missing = hot.without(&isolated);
    let found = match (missing.is_empty(), isolated.is_empty()) {
        (true, _) => format!("{isolated} isolated"),
        (false, true) => "no core isolated".to_owned(),
        (false, false) => format!("{isolated} isolated, {missing} not"),
    };
    let finding = Finding::judged(ABOUT, "hot cores", missing.is_empty())
        .found(found)
        .wanted(format!("{hot} isolated"));
    if missing.is_empty() {
        return finding;
    }
    match ask.host.read(&format!("{V2}/cgroup.controllers")) {
        Ok(text) if text.split_whitespace().any(|word| word == "cpuset") => {
            let changes = partition(ask);
            finding.changes(changes)
        }
        _ if ask.host.has(&format!("{V1}/cpuset.cpus")) => in_v1(ask, finding),
        _ => finding.by_hand("no cpusets here: isolcpus= on the kernel's command line"),
    }
}

/// Those of the kernel's command line, those of partitions, and a group of version 1 that is cut
/// off from balancing.
fn isolated(ask: Ask<'_>) -> Cpus {
    let list = |path: &str| {
        let text = ask.host.read(path).unwrap_or_default();
        Cpus::of_list(&text).unwrap_or_default()
    };
    let mut all = list("/sys/devices/system/cpu/isolated");
    all = all.either(&list(&format!("{V2}/cpuset.cpus.isolated")));
    if ask
        .host
        .read(&format!("{V2}/{GROUP}/cpuset.cpus.partition"))
        .as_deref()
        == Ok("isolated")
    {
        all = all.either(&list(&format!("{V2}/{GROUP}/cpuset.cpus")));
    }
    let is_off = |group: &str| {
        let path = format!("{group}/cpuset.sched_load_balance");
        ask.host.read(&path).as_deref() == Ok("0")
    };
    let group = format!("{V1}/{GROUP}");
    if is_off(V1) && is_off(&group) {
        all = all.either(&list(&format!("{group}/cpuset.cpus")));
    }
    all
}

/// An isolated partition of version 2: the kernel takes the cores from everybody else.
fn partition(ask: Ask<'_>) -> Vec<Change> {
    let hot = ask.setup.hot.to_string();
    let group = format!("{V2}/{GROUP}");
    let mut changes = Vec::new();
    let control = format!("{V2}/cgroup.subtree_control");
    let enabled = ask.host.read(&control).unwrap_or_default();
    if !enabled.split_whitespace().any(|word| word == "cpuset") {
        changes.push(Change::Write {
            path: control,
            value: "+cpuset".to_owned(),
            restore: "-cpuset".to_owned(),
        });
    }
    changes.push(Change::MakeFolder {
        path: group.clone(),
    });
    changes.push(Change::write(&format!("{group}/cpuset.cpus"), &hot, ""));
    let path = format!("{group}/cpuset.cpus.partition");
    changes.push(Change::write(&path, "isolated", "member"));
    changes
}

/// Version 1 has no partitions: balancing stops for all, and starts again inside a group of the
/// rest. Tasks need not be in it: those outside stay on the side where they are.
fn in_v1(ask: Ask<'_>, finding: Finding) -> Finding {
    let memory = ask.host.read(&format!("{V1}/cpuset.mems"));
    let memory = memory.unwrap_or_else(|_| "0".to_owned());
    let group = |name: &str, cpus: &Cpus| {
        let folder = format!("{V1}/{name}");
        let file = |leaf: &str, value: &str| Change::write(&format!("{folder}/{leaf}"), value, "");
        let cpus = file("cpuset.cpus", &cpus.to_string());
        let memory = file("cpuset.mems", &memory);
        [Change::MakeFolder { path: folder }, cpus, memory]
    };
    let mut changes = group(REST, &ask.setup.rest).to_vec();
    changes.extend(group(GROUP, &ask.setup.hot));
    let off = |group: &str| Change::write(&format!("{group}/cpuset.sched_load_balance"), "0", "1");
    changes.extend([off(&format!("{V1}/{GROUP}")), off(V1)]);
    let advice = "threads that are on a hot core now stay there: `cset shield` moves them";
    finding.changes(changes).by_hand(advice)
}
