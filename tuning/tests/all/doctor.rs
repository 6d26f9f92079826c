//! What `doctor` says of hosts: one as delivered, one on which all is done, a virtual machine.

use crate::harness::{AMD, INTEL, Recorded, VM};
use tuning::{Cpus, Finding, Profile, STAGES, Setup, Verdict, Wish, doctor, stages_named};

/// Lines of `stage | subject | verdict | found`.
fn check(findings: &[Finding], expected: &[&str]) {
    for line in expected {
        let parts: Vec<&str> = line.split(" | ").collect();
        let [stage, subject, verdict, found] = parts.as_slice() else {
            panic!("{line}");
        };
        let is_it = |f: &&Finding| f.stage == *stage && f.subject == *subject;
        let finding = findings
            .iter()
            .find(is_it)
            .unwrap_or_else(|| panic!("no {line}"));
        let told = format!("{} | {}", finding.verdict.word(), finding.found);
        assert_eq!(told, format!("{verdict} | {found}"), "{stage} | {subject}");
    }
}

#[test]
fn a_host_as_delivered() {
    let host = Recorded::new(INTEL);
    let setup = host.setup();
    assert_eq!(setup.hot.to_string(), "1-7");
    assert_eq!(setup.rest.to_string(), "0,8");
    assert_eq!(setup.interfaces, ["enp23s0f0"]);
    check(
        &host.doctor(),
        &[
            "virtual-machine | processors | good | real",
            "clocksource | clock source | poor | hpet",
            "clocksource | time stamp counter | good | constant_tsc nonstop_tsc",
            "smt | siblings of hot cores | poor | 9-15 beside 1-7",
            "command-line | cores without a tick | poor | none",
            "isolation | hot cores | poor | no core isolated",
            "irq | interrupts on hot cores | poor | 4 of 6: 16 120 121 123",
            "irq | interrupts to come | poor | on 0-15",
            "irq | irqbalance | poor | runs",
            "workqueue | workqueues | poor | 2 of 2 may run on 1-7",
            "timers | timer migration | poor | 1",
            "watchdogs | watchdog of cores | poor | 1",
            "real-time | throttling, us of a second | choice | 950000",
            "real-time | fair server, ns of a second | choice | 50000000",
            "c-states | bound on sleep, 0: none, n/a: no sleep | poor | 0",
            "c-states | deepest state of a hot core | poor | C6, 170 us to leave",
            "frequency | governor | poor | powersave",
            "frequency | energy preference | poor | balance_performance",
            "frequency | turbo | choice | on",
            "transparent-huge-pages | joining pages | poor | always",
            "huge-pages | pages of 2 MiB | poor | 0, 0 free",
            "numa | balancing | poor | 1",
            "numa | node of enp23s0f0 | poor | 0; hot cores 4-7 are elsewhere",
            "swap | areas | poor | /dev/nvme0n1p3",
            "nic-queues | queues of enp23s0f0 | poor | 16",
            "nic-rings | rx ring of enp23s0f0 | poor | 512 of 8160",
            "nic-rings | tx ring of enp23s0f0 | good | 2048 of 8160",
            "nic-coalescing | adaptive rx, enp23s0f0 | poor | 1",
            "nic-offloads | gro of enp23s0f0 | poor | rx-gro",
            "nic-offloads | lro of enp23s0f0 | good | off",
            "steering | rps of enp23s0f0 | poor | 1 of 4 queues on hot cores",
            "steering | xps of enp23s0f0 | poor | 3 of 4 queues on hot cores",
            "busy-poll | gro_flush_timeout of enp23s0f0 | poor | 20000",
            "ptp | clock kept by | choice | chronyd",
            "ptp | clock of enp23s0f0 | good | /dev/ptp0",
            "limits | locked memory, bytes | poor | 8388608",
            "limits | open files | poor | 1024",
        ],
    );
}

#[test]
fn a_host_on_which_all_is_done() {
    let host = Recorded::new(AMD);
    let findings = host.doctor();
    let is_open = |f: &&Finding| !matches!(f.verdict, Verdict::Good | Verdict::Absent);
    let open: Vec<_> = findings.iter().filter(is_open).collect();
    assert!(open.is_empty(), "{open:#?}");
    check(
        &findings,
        &[
            "isolation | hot cores | good | 2-15 isolated",
            "command-line | parameters | good | all",
            "command-line | mitigations | good | mitigations=off",
            "c-states | deepest state of a hot core | good | C2, 800 us to leave, bounded to none",
            "ptp | clock kept by | good | phc2sys, ptp4l",
        ],
    );
}

#[test]
fn a_virtual_machine() {
    let host = Recorded::new(VM);
    assert_eq!(host.setup().hot.to_string(), "1");
    check(
        &host.doctor(),
        &[
            "clocksource | clock source | good | tsc",
            "smt | siblings of hot cores | good | none runs (smt: notsupported)",
            "isolation | hot cores | poor | no core isolated",
            "irq | interrupts to come | poor | on 0-1",
            "c-states | deepest state of a hot core | poor | haltpoll idle, 1 us to leave and what \
             the hypervisor takes",
            "frequency | governor | absent | no cpufreq driver: firmware or hypervisor \
             sets the rate",
            "same-pages | merging equal pages | good | 0",
            "numa | node of eth0 | absent | the device names no node",
            "limits | locked memory, bytes | good | 8388608 (and a right to lock without it)",
        ],
    );
    let findings = host.doctor();
    let processors = findings.iter().find(|f| f.subject == "processors").unwrap();
    assert_eq!(processors.verdict, Verdict::Poor);
    assert!(
        processors.found.contains("hypervisor"),
        "{}",
        processors.found
    );
}

/// Every check says what was found, why it matters, what is wanted, how to get it, and the risk.
#[test]
fn every_finding_is_whole() {
    for text in [VM, INTEL, AMD] {
        for finding in Recorded::new(text).doctor() {
            let name = format!("{}: {}", finding.stage, finding.subject);
            assert!(
                STAGES.iter().any(|stage| stage.name == finding.stage),
                "{name}"
            );
            for part in [&finding.found, finding.why, finding.risk] {
                assert!(!part.is_empty(), "{name}");
            }
            let is_there = finding.verdict != Verdict::Absent;
            assert_eq!(!finding.wanted.is_empty(), is_there, "{name}");
            let is_open = matches!(finding.verdict, Verdict::Poor | Verdict::Choice);
            let has_way = !finding.changes.is_empty() || !finding.by_hand.is_empty();
            assert_eq!(has_way, is_open, "{name}");
        }
    }
}

#[test]
fn a_host_without_any_file_has_nothing() {
    let host = Recorded::new("=== /sys/devices/system/cpu/online\n0-1\n");
    let findings = host.doctor();
    // That the thread has a core of its own, and that no program runs, can be told nevertheless.
    for finding in &findings {
        let is_told = ["smt", "command-line", "isolation", "irq", "ptp"].contains(&finding.stage);
        assert!(finding.verdict == Verdict::Absent || is_told, "{finding:?}");
    }
    let empty = Recorded::new("=== /etc/x\n\n");
    let error = Setup::of(&empty.host(), &Wish::default()).unwrap_err();
    assert!(
        error.to_string().contains("cpu/online: not there"),
        "{error}"
    );
}

#[test]
fn texts_that_make_no_sense_are_no_panic() {
    let host = Recorded::new(INTEL);
    let paths: Vec<_> = host
        .dump()
        .into_iter()
        .filter(|(_, text)| text.is_some())
        .collect();
    for nonsense in ["", "-1\n", "[x", "99999999999999999999\n", "ü,,--;\n"] {
        for (path, _) in &paths {
            if !path.ends_with("cpu/online") {
                std::fs::write(path, nonsense).unwrap();
            }
        }
        assert!(host.doctor().len() > STAGES.len());
    }
}

#[test]
fn looking_changes_nothing() {
    for text in [VM, INTEL, AMD] {
        let host = Recorded::new(text);
        let before = host.dump();
        assert!(!host.doctor().is_empty());
        assert_eq!(host.dump(), before);
    }
}

/// A record of what was looked at stands in for the host.
#[test]
fn a_record_gives_the_same_page() {
    for text in [VM, INTEL, AMD] {
        let first = Recorded::new(text);
        let host = first.host();
        let setup = Setup::of(&host, &Wish::default()).unwrap();
        let findings = doctor(&host, &setup, &[]);
        let second = Recorded::new(&tuning::pack(&host.heard()));
        assert_eq!(tuning::table(&second.doctor()), tuning::table(&findings));
    }
}

#[test]
fn what_the_operator_says_counts() {
    let host = Recorded::new(INTEL);
    let wish = |list: &str| Wish {
        profile: Some(Profile::Laptop),
        hot: Cpus::of_list(list),
        interfaces: vec!["other".to_owned()],
    };
    let setup = Setup::of(&host.host(), &wish("2,10")).unwrap();
    assert_eq!(
        (setup.hot.to_string(), setup.rest.to_string().as_str()),
        ("2,10".to_owned(), "0-1,3-9,11-15")
    );
    let findings = doctor(&host.host(), &setup, &[]);
    assert!(
        findings.iter().all(|f| f.stage != "isolation"),
        "not for laptops"
    );
    assert!(findings.iter().any(|f| f.subject == "clock of other"));
    let named = stages_named(&["smt".to_owned()]).unwrap();
    let [smt] = doctor(&host.host(), &setup, &named).try_into().unwrap();
    assert!(smt.by_hand.contains("2,10 share cores"), "{}", smt.by_hand);

    for list in ["0-15", "3,99"] {
        assert!(Setup::of(&host.host(), &wish(list)).is_err(), "{list}");
    }
    let error = stages_named(&["smtp".to_owned()]).err().unwrap();
    assert!(error.contains("smtp") && error.contains("irq"), "{error}");
}
