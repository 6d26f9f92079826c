//! Gaps, their causes and their report; and a real core for a moment.

use crate::harness::Recorded;
use std::time::Duration;
use tuning::{Cause, CoreReport, Cpus, Gap, Gaps, Jitter, Snapshot, jitter_text, svg};

fn gap(at_ns: u64, ns: u64) -> Gap {
    Gap {
        at_ns,
        ns,
        was_switched: false,
    }
}

/// A second with a tick of 3 us each 4 ms, and one gap of 5 ms.
fn ticking() -> Gaps {
    let mut gaps = Gaps::new(1_000);
    for tick in 0..249 {
        gaps.record(gap(tick * 4_000_000, 3_000));
    }
    gaps.record(Gap {
        was_switched: true,
        ..gap(996_000_000, 5_000_000)
    });
    gaps.finish(40_000_000, 20, 1_000_000_000);
    gaps
}

#[test]
fn gaps_are_summed_up() {
    let report = CoreReport::of(3, true, &ticking(), Vec::new());
    assert_eq!(report.gaps, 250);
    assert_eq!(report.max_ns, 5_000_000);
    assert!((3_000..3_010).contains(&report.median_ns), "{report:?}");
    assert_eq!(report.p99_9_ns, 5_000_000);
    assert_eq!(report.lost_ns, 249 * 3_000 + 5_000_000);
    assert!((report.lost_share - 0.005_747).abs() < 1e-9 && report.gaps_per_s == 250.0);
    let filled = report.buckets.iter().filter(|bucket| bucket.count > 0);
    let filled: Vec<_> = filled.map(|b| (b.from_ns, b.to_ns, b.count)).collect();
    assert_eq!(filled, [(2_000, 4_000, 249), (4_096_000, 8_192_000, 1)]);
    let counts: u64 = report.buckets.iter().map(|bucket| bucket.count).sum();
    assert_eq!(counts, report.gaps);
}

#[test]
fn the_longest_are_kept_in_their_order() {
    let mut gaps = Gaps::new(10);
    for number in 0..1_000u64 {
        // Each length from 1,000 to 1,999 once, in no order.
        gaps.record(gap(number, 1_000 + number * 7_919 % 1_000));
    }
    let longest = gaps.longest();
    assert_eq!(longest.len(), 32);
    assert!(longest.iter().all(|gap| gap.ns > 1_967), "{longest:?}");
    assert!(longest.is_sorted_by_key(|gap| gap.at_ns));
    assert_eq!(gaps.max_ns(), 1_999);
}

#[test]
fn nothing_measured_is_no_fault() {
    let report = CoreReport::of(0, false, &Gaps::new(1_000), Vec::new());
    assert_eq!((report.gaps, report.max_ns, report.median_ns), (0, 0, 0));
    let text = jitter_text(std::slice::from_ref(&report));
    assert!(
        text.contains("NOT PINNED") && text.contains("0 gaps"),
        "{text}"
    );
    assert!(svg(&[report]).unwrap().contains("</svg>"));
    assert!(svg(&[]).unwrap().contains("</svg>"));
}

#[test]
fn a_gap_of_an_hour_is_counted() {
    let mut gaps = Gaps::new(1_000);
    gaps.record(gap(0, 3_600_000_000_000));
    let report = CoreReport::of(0, true, &gaps, Vec::new());
    assert_eq!((report.gaps, report.max_ns), (1, 3_600_000_000_000));
    assert!(svg(&[report]).unwrap().contains("</svg>"));
}

#[test]
fn text_and_picture_tell_the_worst() {
    let causes = vec![Cause {
        name: "interrupt LOC Local timer interrupts".to_owned(),
        count: 250,
    }];
    let reports = [
        CoreReport::of(3, true, &ticking(), causes),
        CoreReport::of(4, true, &ticking(), Vec::new()),
    ];
    let text = jitter_text(&reports);
    for part in [
        "core 3: 1.0 s, 40000000 looks, at best 20 ns apart; gaps of 1000 ns and more count",
        "max 5000000 ns, p99.9 5000000, p99 300",
        "250 gaps, 250 a second, 0.575 % of the time lost",
        "at   0.996000 s      5000000 ns  another thread ran",
        "         250  interrupt LOC Local timer interrupts",
        "0  of everything that the kernel counts",
    ] {
        assert!(text.contains(part), "{part} not in\n{text}");
    }
    let picture = svg(&reports).unwrap();
    for part in [
        "gaps by length",
        "the longest gaps",
        "core 3",
        "core 4",
        "<circle",
        "<rect",
    ] {
        assert!(picture.contains(part), "{part}");
    }
}

const BEFORE: &str = "=== /proc/interrupts
           CPU0       CPU2
  24:          1          5   PCI-MSIX-0000:00:05.0   0-edge      eth0-rx-0
 LOC:       1000       2000   Local timer interrupts
 RES:         10         20   Rescheduling interrupts
 ERR:          0
=== /proc/softirqs
                    CPU0       CPU2
       TIMER:        100        200
=== /proc/stat
cpu  1 2 3 4 5 6 7 8 9 10
cpu0 1 2 3 4 5 6 7 8 9 10
cpu2 1 2 3 4 5 6 7 8 9 10
=== /proc/thread-self/status
Name:\tjitter-2
voluntary_ctxt_switches:\t7
nonvoluntary_ctxt_switches:\t9
=== /proc/thread-self/stat
12 (a (b) c) R 1 1 1 0 -1 64 30 0 2 0 5 5 0 0
";

#[test]
fn causes_are_those_of_the_core() {
    let host = Recorded::new(BEFORE);
    let before = Snapshot::take(&host.host(), 2);
    let after = BEFORE
        .replace("1000       2000", "9000       2250")
        .replace("  1          5   PCI", "  9          6   PCI")
        .replace(
            "TIMER:        100        200",
            "TIMER:        900        240",
        )
        .replace("cpu2 1 2 3 4 5 6 7 8", "cpu2 1 2 3 4 5 6 7 11")
        .replace(
            "nonvoluntary_ctxt_switches:\t9",
            "nonvoluntary_ctxt_switches:\t12",
        )
        .replace("64 30 0 2", "64 31 0 4");
    let host = Recorded::new(&after);
    let causes = Snapshot::take(&host.host(), 2).since(&before);
    let told: Vec<_> = causes
        .iter()
        .map(|c| format!("{} {}", c.count, c.name))
        .collect();
    assert_eq!(
        told,
        [
            "250 interrupt LOC Local timer interrupts",
            "40 softirq TIMER",
            "30 stolen by the hypervisor, ms",
            "3 switch, forced",
            "2 page fault, large",
            "1 interrupt 24 PCI-MSIX-0000:00:05.0 0-edge eth0-rx-0",
            "1 page fault, small",
        ]
    );
    // A core that is off has no column.
    let of_none = Snapshot::take(&host.host(), 1).since(&Snapshot::take(&host.host(), 1));
    assert!(of_none.is_empty());
    let nothing = Recorded::new("=== /x\n\n");
    assert!(Snapshot::take(&nothing.host(), 0).since(&before).is_empty());
}

#[test]
fn a_real_core_can_be_measured() {
    let usable = core_affinity::get_core_ids().unwrap();
    let cpu = usable[0].id;
    let jitter = Jitter {
        cores: Cpus::from_iter([cpu]),
        time: Duration::from_millis(200),
        threshold_ns: 1_000,
    };
    let [report] = jitter.run().unwrap().try_into().unwrap();
    assert!(report.is_pinned && report.cpu == cpu);
    assert!(
        report.time_ns >= 199_999_000 && report.looks > 1_000,
        "{report:?}"
    );
    assert!(report.shortest_ns < 1_000, "{report:?}");
    assert!(report.lost_ns <= report.time_ns && report.max_ns <= report.lost_ns);
    let of_longest = report
        .longest
        .iter()
        .map(|gap| gap.at_ns + gap.ns)
        .max()
        .unwrap_or(0);
    assert!(of_longest <= report.time_ns, "{report:?}");
}
