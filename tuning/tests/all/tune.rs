//! Changing hosts and changing them back: exactly, whenever the program dies.

use crate::harness::{INTEL, Recorded, VM, folder, stages};
use std::path::PathBuf;
use tempfile::TempDir;
use tuning::{Applying, Change, Journal, Outcome, Undoing, Verdict, doctor, plan};

/// Stages with each kind of change, few enough to die after every step of them.
const FEW: &[&str] = &[
    "isolation",
    "command-line",
    "transparent-huge-pages",
    "limits",
];

pub struct Bench {
    pub recorded: Recorded,
    folder: TempDir,
}

impl Bench {
    pub fn new(text: &str) -> Self {
        Self {
            recorded: Recorded::new(text),
            folder: folder(),
        }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("below/tune.journal")
    }

    pub fn plan(&self, names: &[&str]) -> Vec<(&'static str, Change)> {
        let setup = self.recorded.setup();
        let findings = doctor(&self.recorded.host(), &setup, &stages(names));
        plan(&findings, !names.is_empty())
    }

    /// Applies, but dies after so many steps; says whether it came to its end before.
    pub fn apply(&self, plan: Vec<(&'static str, Change)>, steps: usize) -> (Vec<Outcome>, bool) {
        let host = self.recorded.host();
        let mut journal = Journal::open(&self.state()).unwrap();
        let mut applying = Applying::new(&host, &mut journal, plan);
        let mut outcomes = Vec::new();
        for _ in 0..steps {
            match applying.step().unwrap() {
                Some(more) => outcomes.extend(more),
                None => {
                    journal.close().unwrap();
                    return (outcomes, true);
                }
            }
        }
        (outcomes, false)
    }

    pub fn undo(&self, names: &[&str], is_forced: bool, steps: usize) -> (Vec<Outcome>, bool) {
        let host = self.recorded.host();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut journal = Journal::open(&self.state()).unwrap();
        let mut undoing = Undoing::new(&host, &mut journal, &names, is_forced);
        let mut outcomes = Vec::new();
        for _ in 0..steps {
            match undoing.step().unwrap() {
                Some(more) => outcomes.extend(more),
                None => {
                    journal.close().unwrap();
                    return (outcomes, true);
                }
            }
        }
        (outcomes, false)
    }
}

pub fn all_good(outcomes: &[Outcome]) {
    let bad: Vec<_> = outcomes
        .iter()
        .filter(|outcome| outcome.result.is_err())
        .collect();
    assert!(bad.is_empty(), "{bad:#?}");
}

#[test]
fn applied_it_is_as_wanted_and_undone_it_is_as_before() {
    for text in [INTEL, VM] {
        let bench = Bench::new(text);
        let before = bench.recorded.dump();
        let plan = bench.plan(&[]);
        let count = plan.len();
        let (outcomes, is_through) = bench.apply(plan, usize::MAX);
        all_good(&outcomes);
        assert!(
            is_through && outcomes.len() == count && count > 30,
            "{count}"
        );
        assert_ne!(bench.recorded.dump(), before);

        // What is still poor is what only hands or a restart can change.
        for finding in bench.recorded.doctor() {
            let is_poor = finding.verdict == Verdict::Poor;
            assert!(!is_poor || finding.changes.is_empty(), "{finding:#?}");
        }
        let (outcomes, _) = bench.undo(&[], false, usize::MAX);
        all_good(&outcomes);
        assert_eq!(bench.recorded.dump(), before);
        assert!(!bench.state().exists(), "nothing is left to undo");
    }
}

#[test]
fn choices_are_made_only_for_stages_that_are_named() {
    let bench = Bench::new(INTEL);
    let writes =
        |plan: &[(&str, Change)], path: &str| plan.iter().any(|(_, change)| change.path() == path);
    let turbo = "/sys/devices/system/cpu/intel_pstate/no_turbo";
    assert!(!writes(&bench.plan(&[]), turbo));
    let named = bench.plan(&["frequency"]);
    assert!(writes(&named, turbo) && named.iter().all(|(stage, _)| *stage == "frequency"));
}

#[test]
fn changes_are_written_as_commands() {
    let bench = Bench::new(INTEL);
    let text = tuning::plan_text(&bench.plan(&[]));
    for line in [
        "# irq",
        "echo 0,8 > /proc/irq/120/smp_affinity_list",
        "echo 101 > /proc/irq/default_smp_affinity",
        "echo +cpuset > /sys/fs/cgroup/cgroup.subtree_control",
        "mkdir /sys/fs/cgroup/wirecross",
        "echo isolated > /sys/fs/cgroup/wirecross/cpuset.cpus.partition",
        "ethtool -L enp23s0f0 combined 1",
        "ethtool -G enp23s0f0 rx 2048",
        "ethtool -C enp23s0f0 adaptive-rx off",
        "ethtool -K enp23s0f0 gro off",
        "echo never > /sys/kernel/mm/transparent_hugepage/enabled",
        "mkdir /etc/default/grub.d",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} not in\n{text}"
        );
    }
    let changes = bench.plan(&["transparent-huge-pages"]);
    let undo: Vec<String> = changes.iter().map(|(_, c)| c.undo_command()).collect();
    assert_eq!(
        undo[..2],
        [
            "echo 67584 > /proc/sys/vm/min_free_kbytes",
            "echo always > /sys/kernel/mm/transparent_hugepage/enabled"
        ]
    );
}

/// Two stages that write the same file would not know each other's text. But for queues that are
/// taken away: whichever of the two stages comes first changes what is set for them.
#[test]
fn each_path_belongs_to_one_change() {
    for text in [INTEL, VM] {
        let mut findings = Recorded::new(text).doctor();
        findings.retain(|finding| finding.stage != "steering");
        let mut paths: Vec<&str> = findings
            .iter()
            .flat_map(|f| f.changes.iter().map(Change::path))
            .collect();
        let count = paths.len();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), count);
    }
}

#[test]
fn it_may_die_after_any_step_of_applying() {
    let bench = Bench::new(INTEL);
    let before = bench.recorded.dump();
    for steps in 0.. {
        let (_, is_through) = bench.apply(bench.plan(FEW), steps);
        let (outcomes, _) = bench.undo(&[], false, usize::MAX);
        all_good(&outcomes);
        assert_eq!(bench.recorded.dump(), before, "after {steps} steps");
        assert!(!bench.state().exists());
        if is_through {
            assert!(steps > 25, "{steps}");
            return;
        }
    }
}

#[test]
fn a_file_that_was_only_begun_goes_too() {
    let bench = Bench::new(INTEL);
    let before = bench.recorded.dump();
    let plan = bench.plan(FEW);
    let is_file = |change: &Change| matches!(change, Change::Create { .. });
    let at = plan.iter().position(|(_, change)| is_file(change)).unwrap();
    // Three steps a change, the first of which only says what is to come.
    let path = plan[at].1.path().to_owned();
    bench.apply(plan, 3 * at + 1);
    let (folder, name) = path.rsplit_once('/').unwrap();
    let begun = bench
        .recorded
        .place(&format!("{folder}/.{name}.wirecross-new"));
    std::fs::write(begun, "half of its te").unwrap();
    let (outcomes, _) = bench.undo(&[], false, usize::MAX);
    all_good(&outcomes);
    assert_eq!(bench.recorded.dump(), before);
}

#[test]
fn it_may_die_after_any_step_of_undoing() {
    let bench = Bench::new(INTEL);
    let before = bench.recorded.dump();
    for steps in 0.. {
        bench.apply(bench.plan(FEW), usize::MAX);
        let (_, is_through) = bench.undo(&[], false, steps);
        let (outcomes, _) = bench.undo(&[], false, usize::MAX);
        all_good(&outcomes);
        assert_eq!(bench.recorded.dump(), before, "after {steps} steps");
        if is_through {
            assert!(steps > 15, "{steps}");
            return;
        }
    }
}

#[test]
fn applying_twice_keeps_the_first_text() {
    let bench = Bench::new(INTEL);
    let before = bench.recorded.dump();
    bench.apply(bench.plan(FEW), 7);
    let (outcomes, _) = bench.apply(bench.plan(FEW), usize::MAX);
    all_good(&outcomes);
    let again = bench.plan(FEW);
    assert!(again.is_empty(), "{again:?}");
    all_good(&bench.undo(&[], false, usize::MAX).0);
    assert_eq!(bench.recorded.dump(), before);
}

#[test]
fn stages_are_undone_by_name() {
    let bench = Bench::new(INTEL);
    let before = bench.recorded.dump();
    bench.apply(bench.plan(&["timers", "watchdogs"]), usize::MAX);
    all_good(&bench.undo(&["timers"], false, usize::MAX).0);
    assert_eq!(bench.recorded.read("/proc/sys/kernel/timer_migration"), "1");
    assert_eq!(bench.recorded.read("/proc/sys/kernel/watchdog"), "0");
    assert!(bench.state().exists());
    all_good(&bench.undo(&[], false, usize::MAX).0);
    assert_eq!(bench.recorded.dump(), before);
}

#[test]
fn what_somebody_else_changed_since_stays_unless_forced() {
    let bench = Bench::new(INTEL);
    let path = "/proc/sys/vm/stat_interval";
    bench.apply(bench.plan(&["timers"]), usize::MAX);
    std::fs::write(bench.recorded.place(path), "7\n").unwrap();
    let (outcomes, _) = bench.undo(&[], false, usize::MAX);
    let refused: Vec<_> = outcomes
        .iter()
        .filter_map(|o| o.result.as_ref().err())
        .collect();
    assert_eq!(refused, ["somebody changed it since: 7; --force undoes it"]);
    assert_eq!(bench.recorded.read(path), "7");
    all_good(&bench.undo(&[], true, usize::MAX).0);
    assert_eq!(bench.recorded.read(path), "1");
    assert!(!bench.state().exists());
}

/// An interface that was taken away has no settings to bring back.
#[test]
fn a_setting_that_is_gone_is_let_go_of_by_force() {
    let bench = Bench::new(INTEL);
    bench.apply(bench.plan(&["timers"]), usize::MAX);
    let place = bench.recorded.place("/proc/sys/vm/stat_interval");
    std::fs::remove_file(&place).unwrap();
    let (outcomes, _) = bench.undo(&[], false, usize::MAX);
    assert!(
        outcomes[0].result.is_err() && outcomes[1].result.is_ok(),
        "{outcomes:?}"
    );
    assert!(bench.state().exists());
    all_good(&bench.undo(&[], true, usize::MAX).0);
    assert!(!bench.state().exists() && !place.exists());
}

#[test]
fn a_refused_change_does_not_stop_the_others() {
    let bench = Bench::new(INTEL);
    let plan = bench.plan(&["timers"]);
    std::fs::remove_file(bench.recorded.place("/proc/sys/kernel/timer_migration")).unwrap();
    let before = bench.recorded.dump();
    let (outcomes, _) = bench.apply(plan, usize::MAX);
    let results: Vec<bool> = outcomes
        .iter()
        .map(|outcome| outcome.result.is_ok())
        .collect();
    assert_eq!(results, [false, true]);
    all_good(&bench.undo(&[], false, usize::MAX).0);
    assert_eq!(bench.recorded.dump(), before);
}

#[test]
fn after_a_restart_only_lasting_files_are_undone() {
    let bench = Bench::new(INTEL);
    let names = ["timers", "command-line"];
    bench.apply(bench.plan(&names), usize::MAX);
    // The kernel starts with its own text again, which happens to be another one.
    let place = |path: &str| bench.recorded.place(path);
    std::fs::write(place("/proc/sys/kernel/random/boot_id"), "another\n").unwrap();
    std::fs::write(place("/proc/sys/vm/stat_interval"), "5\n").unwrap();
    let drop_in = place("/etc/default/grub.d/90-wirecross.cfg");
    assert!(drop_in.exists());
    all_good(&bench.undo(&[], false, usize::MAX).0);
    assert_eq!(bench.recorded.read("/proc/sys/vm/stat_interval"), "5");
    assert!(!drop_in.exists() && !place("/etc/default/grub.d").exists());
}

#[test]
fn a_line_cut_off_was_never_carried_out() {
    let bench = Bench::new(INTEL);
    let before = bench.recorded.dump();
    bench.apply(bench.plan(&["timers"]), usize::MAX);
    let whole = std::fs::read(bench.state()).unwrap();
    let cut = [whole.as_slice(), b"{\"line\":\"intended\",\"id\":9,\"sta"].concat();
    std::fs::write(bench.state(), cut).unwrap();
    all_good(&bench.undo(&[], false, usize::MAX).0);
    assert_eq!(bench.recorded.dump(), before);

    std::fs::create_dir_all(bench.state().parent().unwrap()).unwrap();
    std::fs::write(bench.state(), "nonsense\n").unwrap();
    let error = Journal::open(&bench.state()).unwrap_err().to_string();
    assert!(error.contains("line 1"), "{error}");
}

#[test]
fn two_at_once_are_refused() {
    let bench = Bench::new(INTEL);
    let held = Journal::open(&bench.state()).unwrap();
    let error = Journal::open(&bench.state()).unwrap_err().to_string();
    assert!(error.contains("another"), "{error}");
    held.close().unwrap();
    assert!(Journal::open(&bench.state()).unwrap().entries().is_empty());
}
