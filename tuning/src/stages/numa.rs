//! Nodes of memory: balancing, and how far cards are from hot cores.

use super::Ask;
use super::setting::Setting;
use crate::cpus::Cpus;
use crate::finding::{About, Finding};

const BALANCING: About = About {
    why: "to see who uses a page the kernel takes it away and waits for the hot thread to miss it",
    risk: "programs that do not place their memory themselves may run on far memory",
};

const DISTANCE: About = About {
    why: "a frame for a core of another node crosses the link between the sockets, about 100 ns \
          each way",
    risk: "none: other cores are chosen, or another slot",
};

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let balancing = Setting {
        subject: "balancing",
        wanted: "0",
        lacking: "a kernel without NUMA balancing",
        about: BALANCING,
    };
    let mut findings = vec![balancing.check_one(ask, "/proc/sys/kernel/numa_balancing")];
    findings.extend(
        ask.setup
            .interfaces
            .iter()
            .map(|interface| distance(ask, interface)),
    );
    findings
}

fn distance(ask: Ask<'_>, interface: &str) -> Finding {
    let subject = format!("node of {interface}");
    let Ok(node) = ask
        .host
        .number(&format!("/sys/class/net/{interface}/device/numa_node"))
    else {
        return Finding::absent(DISTANCE, subject, "the device names no node");
    };
    if node < 0 {
        return Finding::absent(DISTANCE, subject, "the firmware names no node (-1)");
    }
    let path = format!("/sys/devices/system/node/node{node}/cpulist");
    let near = ask
        .host
        .read(&path)
        .ok()
        .and_then(|text| Cpus::of_list(&text));
    let far = ask.setup.hot.without(&near.clone().unwrap_or_default());
    let found = match far.is_empty() {
        true => format!("{node}, with all hot cores"),
        false => format!("{node}; hot cores {far} are elsewhere"),
    };
    Finding::judged(DISTANCE, subject, far.is_empty())
        .found(found)
        .wanted("that of the hot cores")
        .by_hand(format!(
            "choose hot cores among {}",
            near.unwrap_or_default()
        ))
}
