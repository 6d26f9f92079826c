//! Commands over the log, run as an operator runs them: on good files, damaged, cut, foreign and
//! empty ones, and with a reader that goes away.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{Ended, Member, Site, program};
use journal::storage::segment_name;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A venue's day with two members, a trade, a cancel and a replacement by a crash in between.
fn day() -> Site {
    let site = Site::new();
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.enter(b'S', 100, "AAPL", 1_500_000);
    let msft = alpha.enter(b'B', 10, "MSFT", 3_000_000);
    alpha.cancel(msft);
    alpha.until_kinds("SAAC");
    venue.kill();
    let venue = site.start();
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    bravo.enter(b'B', 60, "AAPL", 1_500_000);
    bravo.enter(b'B', 5, "MSFT", 2_900_000);
    bravo.until_kinds("SAEA");
    venue.stop();
    site
}

/// The directory of the only day.
fn day_directory(site: &Site) -> PathBuf {
    let mut days = fs::read_dir(site.data_dir()).unwrap();
    let day = days.find(|entry| entry.as_ref().unwrap().path().is_dir());
    day.unwrap().unwrap().path()
}

fn segment(site: &Site) -> PathBuf {
    day_directory(site).join(segment_name(1))
}

fn log(act: &str, args: &[&str], file: &Path) -> Ended {
    let mut all = vec!["journal", act];
    all.extend(args);
    all.push(file.to_str().unwrap());
    program(&all)
}

#[test]
fn a_good_day_is_in_order_and_is_counted() {
    let site = day();
    for file in [site.data_dir(), day_directory(&site), segment(&site)] {
        let ended = log("verify", &[], &file);
        ended.succeeds();
        assert!(
            ended.out.contains("records=") && ended.out.contains("inputs=1..10 "),
            "{ended:?}"
        );
        assert!(
            ended.out.contains("in order: ") && ended.out.contains("end=clean"),
            "{ended:?}"
        );
        let ended = log("stat", &[], &file);
        ended.succeeds();
        let lines: Vec<Vec<&str>> = ended
            .out
            .lines()
            .map(|l| l.split_whitespace().collect())
            .collect();
        for (name, value) in [
            ("inputs", "10"),
            ("starts", "2"),
            ("clean_stops", "1"),
            ("New", "4"),
            ("Cancel", "1"),
            ("DefineSymbol", "2"),
            ("end", "clean"),
        ] {
            let found = lines.iter().find(|line| line[0] == name);
            assert_eq!(found.map(|line| line[1]), Some(value), "{name}: {ended:?}");
        }
    }
}

#[test]
fn inputs_are_shown_as_they_are_asked_for() {
    let site = day();
    let sequences = |args: &[&str]| -> Vec<u64> {
        let ended = log("show", args, &site.data_dir());
        ended.succeeds();
        let numbers = ended
            .out
            .lines()
            .map(|line| line.split(' ').next().unwrap().parse().unwrap());
        numbers.collect()
    };
    // Two symbols, two sessions, the opening; ALPHA's three; BRAVO's two.
    assert_eq!(sequences(&[]), (1..=10).collect::<Vec<_>>());
    assert_eq!(sequences(&["--symbol", "MSFT"]), [2, 7, 8, 10]);
    assert_eq!(sequences(&["--symbol", "2"]), [2, 7, 8, 10]);
    assert_eq!(sequences(&["--account", "2"]), [4, 9, 10]);
    assert_eq!(sequences(&["--symbol", "AAPL", "--account", "1"]), [6]);
    assert_eq!(sequences(&["--sequence", "3..5"]), [3, 4, 5]);
    assert_eq!(sequences(&["--sequence", "9.."]), [9, 10]);
    assert_eq!(sequences(&["--sequence", "7"]), [7]);
    assert!(sequences(&["--from", "2100-01-01"]).is_empty());
    assert_eq!(
        sequences(&["--to", "2100-01-01", "--from", "2020-01-01T00:00"]).len(),
        10
    );
    let shown = log("show", &["--sequence", "6"], &site.data_dir()).out;
    for piece in [
        "kind=New",
        "session=1",
        "account=1",
        "name=AAPL",
        "side=Sell",
        "quantity=100",
        "price=1500000",
    ] {
        assert!(shown.contains(piece), "{piece} is not in {shown}");
    }
    log("show", &["--symbol", "NONE"], &site.data_dir()).refuses(2, &["no symbol \"NONE\""]);
    log("show", &["--account", "9"], &site.data_dir()).refuses(2, &["no session of account 9"]);
    let backwards = ["--from", "2026-01-02", "--to", "2026-01-01"];
    log("show", &backwards, &site.data_dir()).refuses(2, &["--from 2026-01-02T", "not before"]);
    log("show", &["--sequence", "5..2"], &site.data_dir()).refuses(2, &["5..2"]);
    log("show", &["--from", "noon"], &site.data_dir()).refuses(2, &["noon"]);
}

#[test]
fn exported_lines_are_json_and_name_what_is_in_the_log() {
    let site = day();
    let ended = log("export", &["--records"], &segment(&site));
    ended.succeeds();
    let lines: Vec<serde_json::Value> = ended
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let inputs: Vec<_> = lines
        .iter()
        .filter(|line| line["sequence"].is_u64())
        .collect();
    assert_eq!(inputs.len(), 10);
    assert_eq!(inputs[0]["kind"], "DefineSymbol");
    assert_eq!(inputs[0]["name"], "AAPL");
    assert_eq!(
        (&inputs[7]["kind"], &inputs[7]["user_ref"]),
        (&"Cancel".into(), &2.into())
    );
    assert!(
        inputs
            .windows(2)
            .all(|two| two[0]["time_ns"].as_u64() <= two[1]["time_ns"].as_u64())
    );
    let kinds: Vec<_> = lines
        .iter()
        .filter_map(|line| line["record"].as_str())
        .collect();
    assert_eq!((kinds[0], *kinds.last().unwrap()), ("segment", "close"));
    // Of records those that hold what is wanted.
    let ended = log(
        "export",
        &["--records", "--symbol", "MSFT"],
        &segment(&site),
    );
    ended.succeeds();
    let lines: Vec<&str> = ended.out.lines().collect();
    let is_record = |line: &&str| line.starts_with("{\"record\":\"group\"");
    assert!(is_record(&lines[0]) && lines[1].starts_with("{\"sequence\":2,"));
    assert!(!is_record(lines.last().unwrap()), "{ended:?}");
    assert!(!ended.out.contains("segment\",\"version"), "{ended:?}");
    // Letters are whole for programs, and short for people.
    assert!(
        ended.out.contains("\"client_id\":\"MSFT    \""),
        "{ended:?}"
    );
    let shown = log("show", &["--sequence", "2"], &segment(&site)).out;
    assert!(shown.ends_with(" client_id=MSFT\n"), "{shown}");
}

/// Changes one byte of the segment and verifies.
fn damaged(site: &Site, at: usize, flip: u8) -> Ended {
    let path = segment(site);
    let whole = fs::read(&path).unwrap();
    let mut bytes = whole.clone();
    bytes[at] ^= flip;
    fs::write(&path, &bytes).unwrap();
    let ended = log("verify", &[], &path);
    fs::write(&path, &whole).unwrap();
    ended
}

#[test]
fn verify_names_the_first_bad_byte_and_what_it_should_be() {
    let site = day();
    let name = segment(&site).display().to_string();
    // A byte of an input of the first group, which begins behind the opening record.
    let ended = damaged(&site, 64 + 64 + 20, 0x10);
    ended.refuses(
        1,
        &[
            &name,
            "at byte 124",
            "the record at byte 64",
            "byte 148 is 0x",
        ],
    );
    assert!(
        ended.out.contains("records=1"),
        "what was in order before is told: {ended:?}"
    );
    damaged(&site, 0, 1).refuses(1, &["at byte 0", "Magic", "0x524a5857 is due"]);
    damaged(&site, 64 + 63, 0x80).refuses(1, &["at byte 124", "byte 127 is"]);
    for act in ["show", "stat", "export"] {
        let path = site.dir.path().join("flipped");
        let mut bytes = fs::read(segment(&site)).unwrap();
        bytes[200] ^= 1;
        fs::write(&path, bytes).unwrap();
        log(act, &[], &path).refuses(1, &["flipped"]);
    }
}

#[test]
fn cut_foreign_empty_and_missing_files_are_refused() {
    let site = day();
    let path = site.dir.path().join("some-file");
    let whole = fs::read(segment(&site)).unwrap();
    for length in [0, 1, 63, 4_096, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        log("verify", &[], &path).refuses(1, &["some-file", &format!("it has {length} bytes")]);
    }
    fs::write(&path, "no journal\n".repeat(20_000)).unwrap();
    log("verify", &[], &path).refuses(1, &["some-file"]);
    fs::write(&path, vec![0x5a; 512 << 10]).unwrap();
    log("verify", &[], &path).refuses(1, &["some-file at byte 0", "Magic"]);
    let missing = site.dir.path().join("none");
    log("verify", &[], &missing).refuses(2, &["none"]);
    log("verify", &[], site.dir.path()).refuses(2, &["neither a segment nor a trading day"]);
    let limits = day_directory(&site).join("limits");
    log("stat", &[], &limits).refuses(1, &["limits", "if it is no segment, name one"]);
    fs::write(&path, vec![0x5a; 512 << 10]).unwrap();
    log("show", &[], &path).refuses(1, &["some-file", "if it is no segment, name one"]);
}

#[test]
fn a_file_missing_between_others_is_named() {
    let site = day();
    let day = day_directory(&site);
    fs::rename(day.join(segment_name(1)), day.join(segment_name(3))).unwrap();
    log("verify", &[], &day).refuses(1, &[&segment_name(1)[..8]]);
}

#[test]
fn a_reader_that_goes_away_ends_the_command_quietly() {
    let site = day();
    // The day again and again: more than a pipe holds.
    let many = vec![day_directory(&site); 200];
    for act in ["show", "export"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wirecross"))
            .args(["journal", act, "--records"])
            .args(&many)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::with_capacity(16, child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        drop(out);
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(
            ended.status.success() && said.is_empty(),
            "{} {said}",
            ended.status
        );
    }
    let closed = Command::new("sh")
        .args(["-c", "exec \"$0\" journal verify \"$1\" >&-"])
        .arg(env!("CARGO_BIN_EXE_wirecross"))
        .arg(segment(&site))
        .output()
        .unwrap();
    assert!(
        !String::from_utf8_lossy(&closed.stderr).contains("panicked"),
        "{closed:?}"
    );
}

#[test]
fn a_day_that_is_run_again_comes_to_what_the_venue_said() {
    let site = day();
    for directory in [site.data_dir(), day_directory(&site)] {
        let ended = program(&["replay", "--journal", directory.to_str().unwrap()]);
        ended.succeeds();
        assert!(
            ended.out.contains("as the venue said behind input 10"),
            "{ended:?}"
        );
    }
    let day = day_directory(&site);
    let day = day.to_str().unwrap();
    let every = program(&["replay", "--journal", day, "--every", "2", "--at", "7"]);
    every.succeeds();
    let told: Vec<_> = every
        .out
        .lines()
        .filter(|line| line.starts_with("at="))
        .collect();
    assert_eq!(told.len(), 4, "{every:?}");
    assert!(told[3].starts_with("at=7 "), "{every:?}");
    // What the venue said is compared, not believed.
    let closing = day_directory(&site).join("closing");
    let said = fs::read_to_string(&closing).unwrap();
    let other = said.replace("messages=", "messages=1");
    fs::write(&closing, other).unwrap();
    program(&["replay", "--journal", day]).refuses(1, &["behind input 10", "feed messages"]);
    fs::write(&closing, said.replace("inputs=10", "inputs=11")).unwrap();
    program(&["replay", "--journal", day]).refuses(1, &["does not hold it"]);
    fs::write(&closing, "nonsense").unwrap();
    program(&["replay", "--journal", day]).refuses(2, &["closing"]);
    fs::remove_file(&closing).unwrap();
    let ended = program(&["replay", "--journal", day]);
    assert!(ended.out.contains("never ended cleanly"), "{ended:?}");
    fs::remove_file(day_directory(&site).join("limits")).unwrap();
    program(&["replay", "--journal", day]).refuses(2, &["limits"]);
}

/// A program that is the one under test, but for what it says from an input on.
fn other_build(site: &Site, from: u64) -> PathBuf {
    let path = site.dir.path().join(format!("other-{from}"));
    let script = format!(
        "#!/bin/bash\n\"{}\" \"$@\" | while read -r line; do\n\
         at=${{line#at=}}; at=${{at%% *}}\n\
         [[ $line == at=* && $at -ge {from} ]] && line=${{line/state_hash=/state_hash=f}}\n\
         echo \"$line\"\ndone\n",
        env!("CARGO_BIN_EXE_wirecross")
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn the_first_difference_of_two_builds_is_found() {
    let site = day();
    let ours = env!("CARGO_BIN_EXE_wirecross");
    let data = site.data_dir();
    let data = data.to_str().unwrap();
    let same = program(&["bisect", ours, ours, data]);
    same.succeeds();
    assert!(same.out.contains("no difference in 10 inputs"), "{same:?}");
    for from in [1, 2, 7, 10] {
        let other = other_build(&site, from);
        let ended = program(&["bisect", ours, other.to_str().unwrap(), data]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let due = format!("they differ behind input {from}, and not before it");
        assert!(ended.out.contains(&due), "{ended:?}");
        assert!(
            ended.out.contains(&format!("\n  {from} time=")),
            "the input is shown: {ended:?}"
        );
    }
    let other = other_build(&site, 0);
    let ended = program(&["bisect", ours, other.to_str().unwrap(), data]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.out.contains("before the first input"), "{ended:?}");
    program(&["bisect", ours, "/bin/true", data]).refuses(2, &["/bin/true", "does not say"]);
    program(&["bisect", ours, "/none", data]).refuses(2, &["/none"]);
}
