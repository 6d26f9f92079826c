//! Pages of 2 MiB kept for the appliance.

use super::Ask;
use super::setting::with_kept;
use crate::change::Change;
use crate::finding::{About, Finding};

const ABOUT: About = About {
    why: "rings, UMEM and books in pages of 2 MiB miss the translation cache less; without any the \
          appliance falls back to pages of 4 KiB and says so",
    risk: "the memory is gone for everything else; late after the start the kernel may not find \
           enough in one piece",
};

const NODES: &str = "/sys/devices/system/node";
const FOLDER: &str = "/sys/kernel/mm/hugepages/hugepages-2048kB";

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let subject = "pages of 2 MiB";
    let path = format!("{FOLDER}/nr_hugepages");
    let there = match ask.host.number(&path) {
        Ok(there) => there,
        Err(fault) => {
            let reason = format!("{fault}: a kernel without hugetlbfs");
            return vec![Finding::absent(ABOUT, subject, reason)];
        }
    };
    let free = ask
        .host
        .number(&format!("{FOLDER}/free_hugepages"))
        .unwrap_or(0);
    let wanted = ask.setup.huge_pages;
    let change = Change::write(&path, &wanted.to_string(), &there.to_string());
    let finding = Finding::judged(ABOUT, subject, there.cast_unsigned() >= wanted);
    let finding = finding.found(format!("{there}, {free} free"));
    let finding = finding
        .wanted(format!("at least {wanted}"))
        .changes([change]);
    vec![with_kept(ask, finding, &of_nodes(ask))]
}

/// How many each node has: one number for all spreads them anew.
fn of_nodes(ask: Ask<'_>) -> Vec<String> {
    let mut nodes = ask.host.list(NODES);
    let is_node = |name: &String| {
        let number = name.strip_prefix("node");
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    };
    nodes.retain(is_node);
    let path = |node| format!("{NODES}/{node}/hugepages/hugepages-2048kB/nr_hugepages");
    nodes.iter().map(path).collect()
}
