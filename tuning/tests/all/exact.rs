//! What comes back with a setting: by name, by the way, and on the way it came.

use crate::harness::INTEL;
use crate::tune::{Bench, all_good};

/// A word of `ethtool` stands for several features: undone, only those are on that were.
#[test]
fn features_come_back_by_name() {
    let bench = Bench::new(INTEL);
    let changes = bench.plan(&["nic-offloads"]);
    let undo: Vec<String> = changes.iter().map(|(_, c)| c.undo_command()).collect();
    let wanted = "ethtool -K enp23s0f0 tx-tcp-segmentation on tx-tcp-ecn-segmentation on \
                  tx-tcp6-segmentation on";
    assert!(undo.iter().any(|line| line == wanted), "{undo:#?}");
}

/// What the kernel moves along with a setting comes back too, whoever moved it.
#[test]
fn what_moves_along_comes_back() {
    let bench = Bench::new(INTEL);
    let before = bench.recorded.dump();
    let names = ["transparent-huge-pages", "huge-pages"];
    bench.apply(bench.plan(&names), usize::MAX);
    let node = "/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages";
    for (path, text) in [("/proc/sys/vm/min_free_kbytes", "19802\n"), (node, "256\n")] {
        std::fs::write(bench.recorded.place(path), text).unwrap();
    }
    all_good(&bench.undo(&[], false, usize::MAX).0);
    assert_eq!(bench.recorded.dump(), before);
}

/// An interrupt stays where it was sent unless it is sent back; here none arrives in time.
#[test]
fn an_interrupt_that_does_not_come_back_is_told() {
    let bench = Bench::new(INTEL);
    let changes = bench.plan(&["irq"]);
    let line = changes
        .iter()
        .find(|(_, change)| change.path() == "/proc/irq/121/smp_affinity_list");
    let undo = line.unwrap().1.undo_command();
    assert!(undo.contains("; sleep 1; echo "), "{undo}");
    bench.apply(changes, usize::MAX);
    let arrives = bench
        .recorded
        .place("/proc/irq/121/effective_affinity_list");
    std::fs::write(&arrives, "0\n").unwrap();
    let (outcomes, _) = bench.undo(&[], false, usize::MAX);
    all_good(&outcomes);
    let told: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| outcome.result.as_ref().ok())
        .filter(|remark| remark.contains("still arrives on 0, not on "))
        .collect();
    assert_eq!(told.len(), 1, "{outcomes:#?}");
}
