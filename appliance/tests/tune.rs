//! `wirecross doctor` and `wirecross tune` as programs, on a recorded host; and for real in a
//! network namespace of its own, where the kernel and the user's rights allow one.
#![allow(clippy::unwrap_used)]

// Of the recorded hosts only one is used here.
#[allow(dead_code)]
#[path = "../../tuning/tests/all/harness.rs"]
mod recorded;

use recorded::{INTEL, Recorded};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_wirecross");
/// The longest wait for another process.
const PATIENCE: Duration = Duration::from_secs(60);

struct Host(Recorded);

impl Host {
    fn new() -> Self {
        Self(Recorded::new(INTEL))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).arg("--root").arg(self.0.place("/"));
        command
    }

    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        told(&self.command(arguments).output().unwrap())
    }

    fn journal(&self) -> PathBuf {
        self.0.place(tuning::STATE_FILE)
    }

    /// Every file but those of the journal.
    fn dump(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let mut found = self.0.dump();
        found.retain(|path, _| !path.starts_with(self.0.place("/var")));
        found
    }
}

fn told(output: &Output) -> (Option<i32>, String) {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

/// What `doctor` says of the sandbox on this machine, for a venue below a folder.
fn sandbox_told(data_dir: &Path, user: &str) -> BTreeMap<String, serde_json::Value> {
    const GOOD: &str = include_str!("../topologies/dev-2core.toml");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("topology.toml");
    let data_dir = format!("data_dir = \"{}\"", data_dir.display());
    let text = GOOD.replace("data_dir = \"data/dev-2core\"", &data_dir);
    let text = format!("{text}\n[sandbox]\nuser = \"{user}\"\n");
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["doctor", "sandbox", "--json", "--topology", file]);
    let (status, json) = told(&command.output().unwrap());
    let findings: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert!(findings.iter().all(|it| it["stage"] == "sandbox"), "{json}");
    let is_poor = findings.iter().any(|it| it["verdict"] == "poor");
    assert_eq!(status, Some(i32::from(is_poor)), "{json}");
    let named = findings.into_iter();
    named
        .map(|it| (it["subject"].as_str().unwrap().to_owned(), it))
        .collect()
}

#[test]
fn doctor_says_whether_a_venue_can_be_confined() {
    let dir = tempfile::tempdir().unwrap();
    let mode = |bits| std::os::unix::fs::PermissionsExt::from_mode(bits);
    let [above, data] = ["above", "above/data"].map(|name| dir.path().join(name));
    std::fs::create_dir_all(&data).unwrap();
    std::fs::set_permissions(dir.path(), mode(0o755)).unwrap();
    let way = "way to the data directory";
    for (bits, verdict) in [(0o751, "good"), (0o750, "poor")] {
        std::fs::set_permissions(&above, mode(bits)).unwrap();
        // Nobody's folder: whoever runs this is not that user.
        let told = sandbox_told(&data, "daemon");
        assert_eq!(told[way]["verdict"], verdict, "{told:?}");
        let advice = told[way]["by_hand"].as_str().unwrap();
        let is_named = advice.contains(&format!("chmod o+x {}", above.display()));
        assert_eq!(is_named, verdict == "poor", "{advice}");
        assert_eq!(told["user daemon"]["verdict"], "good");
        // The other tests start venues here: this machine has all that is needed.
        for part in ["system calls (seccomp)", "rights to come (no_new_privs)"] {
            assert_eq!(told[part]["verdict"], "good", "{told:?}");
        }
        assert_ne!(told["files and ports (landlock)"]["verdict"], "poor");
    }
    let told = sandbox_told(&data, "no-such-user");
    assert_eq!(told["user no-such-user"]["verdict"], "poor");
    let advice = told["user no-such-user"]["by_hand"].as_str().unwrap();
    assert!(advice.contains("useradd"), "{advice}");
    assert_eq!(told[way]["verdict"], "absent");
}

#[test]
fn doctor_prints_a_page_and_judges() {
    let host = Host::new();
    let before = host.dump();
    let (status, page) = host.run(&["doctor"]);
    assert_eq!(status, Some(1), "{page}");
    for part in [
        "hot cores 1-7, the rest 0,8, interfaces enp23s0f0",
        "poor     clocksource",
        "why     with the time stamp counter",
        "change  echo 120 > /proc/sys/vm/stat_interval",
        "undo    echo 1 > /proc/sys/vm/stat_interval",
        "risk    `free` and `vmstat` lag",
    ] {
        assert!(page.contains(part), "{part} not in\n{page}");
    }
    let (status, page) = host.run(&["doctor", "same-pages", "--brief"]);
    assert_eq!(status, Some(0), "{page}");
    assert!(!page.contains("risk"), "{page}");
    let (_, json) = host.run(&["doctor", "--json"]);
    let findings: serde_json::Value = serde_json::from_str(&json).unwrap();
    let timer = findings
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["stage"] == "timers")
        .unwrap();
    assert_eq!(
        timer["changes"][0]["path"],
        "/proc/sys/kernel/timer_migration"
    );
    assert_eq!(host.dump(), before);
}

#[test]
fn tune_only_prints_unless_told_to_apply() {
    let host = Host::new();
    let before = host.dump();
    let (status, plan) = host.run(&["tune", "timers"]);
    assert_eq!(status, Some(0));
    assert_eq!(
        plan,
        "# timers\necho 0 > /proc/sys/kernel/timer_migration\necho 120 > \
         /proc/sys/vm/stat_interval\n# 2 changes; nothing was changed: `tune apply` makes them\n"
    );
    assert_eq!(host.dump(), before);
    let (status, done) = host.run(&["tune", "apply", "timers"]);
    assert!(
        status == Some(0) && done.contains("# 2 changes, 0 refused"),
        "{done}"
    );
    assert_ne!(host.dump(), before);
    let (status, done) = host.run(&["tune", "undo"]);
    assert!(
        status == Some(0) && done.contains("# 2 changes, 0 refused"),
        "{done}"
    );
    assert_eq!(host.dump(), before);
    assert!(!host.journal().exists());
}

#[test]
fn wrong_words_are_explained() {
    let host = Host::new();
    for (arguments, word) in [
        (&["tune", "smtp"][..], "smtp"),
        (&["doctor", "--cores", "0-99"], "16-99"),
        (&["doctor", "--cores", "x"], "--cores"),
        (&["tune", "apply", "smtp"], "smtp"),
        (&["tune", "undo", "smtp"], "smtp"),
        (&["tune", "apply", "--force"], "--force"),
    ] {
        let (status, text) = host.run(arguments);
        assert!(
            status == Some(2) && text.contains(word),
            "{arguments:?}: {text}"
        );
    }
}

#[test]
fn hot_cores_and_interface_come_from_the_topology() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("topologies/colo-16core.toml");
    let host = Host::new();
    let (_, page) = host.run(&["doctor", "--brief", "--topology", file.to_str().unwrap()]);
    assert!(
        page.contains("hot cores 12-15, the rest 0-3,8-11, interfaces eth1"),
        "{page}"
    );
}

#[test]
fn jitter_measures_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("jitter.svg");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(PROGRAM);
        told(&command.arg("jitter").args(arguments).output().unwrap())
    };
    let (status, text) = run(&["--time-ms", "50", "--svg", picture.to_str().unwrap()]);
    assert!(
        status == Some(0) && text.contains("of the time lost"),
        "{text}"
    );
    assert!(
        std::fs::read_to_string(picture)
            .unwrap()
            .contains("gaps by length")
    );
    let (_, json) = run(&["--time-ms", "50", "--json", "--threshold-ns", "100"]);
    let cores: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(cores[0]["threshold_ns"], 100, "{json}");
    let (status, text) = run(&["--cores", "8000"]);
    assert!(status == Some(2) && text.contains("cores 8000"), "{text}");
}

/// The kernel's bound is a number of four bytes that lasts as long as its file is open.
#[test]
fn hold_writes_the_bound_until_it_is_told_to_end() {
    use std::io::{BufRead, BufReader};
    let host = Host::new();
    let bound = host.0.place(tuning::DMA_LATENCY);
    std::fs::create_dir_all(bound.parent().unwrap()).unwrap();
    std::fs::write(&bound, 2_000_000_000i32.to_ne_bytes()).unwrap();
    let mut child = host
        .command(&["tune", "hold"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(line.starts_with("no core sleeps"), "{line}");
    assert_eq!(std::fs::read(&bound).unwrap(), 0i32.to_ne_bytes());
    assert!(child.try_wait().unwrap().is_none(), "it holds on");
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    let since = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(since.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(1));
    };
    assert_eq!(status.code(), Some(0));
}

/// Killed by the system at whatever moment, the program leaves what undo needs.
#[test]
fn undo_is_exact_after_a_kill() {
    let host = Host::new();
    let before = host.dump();
    for lines in [0, 1, 2, 5, 9, 20, 41, 60, 83, 100] {
        let mut command = host.command(&["tune", "apply"]);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let since = Instant::now();
        let written = || std::fs::read(host.journal()).unwrap_or_default();
        let count = || written().iter().filter(|byte| **byte == b'\n').count();
        while count() < lines && child.try_wait().unwrap().is_none() {
            assert!(since.elapsed() < PATIENCE);
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let (status, done) = host.run(&["tune", "undo"]);
        assert_eq!(status, Some(0), "after {lines} lines:\n{done}");
        assert_eq!(host.dump(), before, "after {lines} lines:\n{done}");
    }
}

/// What the script does: a veth pair with settings to mend, the page before, apply, the page
/// between, undo, the page after. The namespaces vanish with it.
const SCRIPT: &str = r#"
set -e
mount -t sysfs none /sys
ip link add wxa numrxqueues 2 numtxqueues 2 type veth peer name wxb numrxqueues 2 numtxqueues 2
ip link set wxa up; ip link set wxb up
for queue in rx-0 rx-1; do echo 3 > /sys/class/net/wxa/queues/$queue/rps_cpus; done
echo 20000 > /sys/class/net/wxa/gro_flush_timeout
page() { "$1" doctor nic-offloads nic-queues nic-rings nic-coalescing steering --brief \
    --interface wxa --record "$2" > "$2.page" || test $? = 1; }
page "$1" "$2/before"
"$1" tune apply nic-offloads nic-queues steering --interface wxa --state "$2/journal" \
    > "$2/applied"
page "$1" "$2/between"
"$1" tune undo --state "$2/journal" > "$2/undone"
page "$1" "$2/after"
"#;

#[test]
fn a_real_interface_is_changed_and_changed_back() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("unshare")
        .args(["--net", "--mount", "sh", "-c", SCRIPT, "sh", PROGRAM])
        .arg(folder.path())
        .output();
    let output = match output {
        Ok(output) if output.status.success() => output,
        // Without root, without `ip`, without veth: nothing can be tried.
        Ok(output) if !folder.path().join("before").exists() => {
            return eprintln!("skipped: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(output) => panic!("{output:?}"),
        Err(error) => return eprintln!("skipped: unshare: {error}"),
    };
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(output.stdout.is_empty(), "{output:?}");
    assert_eq!(read("before"), read("after"));
    assert_ne!(read("before"), read("between"));
    for line in [
        "-L wxa rx 1",
        "-K wxa tso off",
        "rx-0/rps_cpus",
        "rx-1/rps_cpus",
    ] {
        assert!(
            read("applied").contains(line),
            "{line} not in {}",
            read("applied")
        );
    }
    let poor = |page: &str| page.lines().filter(|line| line.starts_with("poor")).count();
    assert!(poor(&read("before.page")) > 3, "{}", read("before.page"));
    assert_eq!(poor(&read("between.page")), 0, "{}", read("between.page"));
    assert!(!folder.path().join("journal").exists());
}
