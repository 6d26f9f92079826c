//! What went wrong at exchanges, as far as a whole venue can show it; `docs/incidents.md` lists the
//! others, which the engine and the journal show.
#![allow(clippy::unwrap_used)]

mod harness;

use door::{Door, Rings};
use harness::{Member, Site, counter, program, wait_until};
use session::soup_client::ClientState;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

/// The symbol that is halted, by an operator's word; whether it was said.
fn halt(site: &Site) {
    let topology = site.dir.path().join("topology.toml");
    let topology = topology.to_str().unwrap();
    program(&["control", "--topology", topology, "state", "AAPL", "halt"]).succeeds();
}

/// NYSE, 24 January 2023: a second site was left running, the first one believed that the day had
/// been opened, and thousands of symbols skipped their auction.
///
/// A copy of the day that is started beside the venue gets nobody to listen to: the address is
/// taken, and the program gives up after ten seconds of waiting for it. And what state a symbol is
/// in is what the journal says, also for who starts on it.
#[test]
fn two_primaries() {
    let site = Site::new();
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    alpha.until_kinds("SA");

    // A copy of what was there until now, at the same address.
    let at = format!("[order_entry]\naddress = \"{}\"", venue.order_entry());
    let other = Site::new().with("[order_entry]\naddress = \"127.0.0.1:0\"", &at);
    let copied = Command::new("cp")
        .arg("-a")
        .args([site.data_dir(), other.data_dir()])
        .status();
    assert!(copied.unwrap().success());
    let mut second = other.spawn(&[]);
    assert_eq!(second.line(), None, "two venues at one address");
    assert!(!second.wait().success());
    let said = second.stderr();
    assert!(said.contains("in use"), "{said}");

    // The first one has gone on and notices nothing.
    halt(&site);
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    alpha.until_kinds("SAJ");
    venue.kill();
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.until_kinds("SAJ");
    alpha.user_ref_next_set(9);
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    alpha.until("the refusal", |alpha| alpha.replies.len() == 4);
    assert_eq!(alpha.kinds(), "SAJJ", "the halt is in the journal");
    venue.stop();
}

/// Tokyo, 1 October 2020: a part failed without falling silent for good, and what should have taken
/// over did not.
///
/// A venue that is frozen says nothing: members take it for dead by its silence. When it goes on,
/// what reached it is executed, once, and who comes back reads all of it.
#[test]
fn gray() {
    let site = Site::new();
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    alpha.until_kinds("S");
    bravo.until_kinds("S");

    venue.signal("STOP");
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    bravo.enter(b'B', 10, "AAPL", 1_000_000);
    for _ in 0..4 {
        alpha.turn();
        bravo.turn();
    }
    assert_eq!((alpha.kinds(), bravo.kinds()), ("S".into(), "S".into()));
    assert_eq!(bravo.soup.poll(u64::MAX), ClientState::Silent);

    venue.signal("CONT");
    alpha.until("the trade", |alpha| alpha.replies.len() == 3);
    wait_until("both orders", || counter(&site, "gate.commands") == 2);
    bravo.redial(venue.order_entry(), [usize::MAX; 2]);
    bravo.until("the trade", |bravo| bravo.replies.len() == 3);
    let told = [alpha.kinds(), bravo.kinds()];
    assert!(told.iter().all(|kinds| kinds == "SAE"), "{told:?}");
    assert_eq!(venue.stop()["live_orders"], "0");
}

/// Where shared memory says which layout follows.
const LAYOUT_AT: u64 = 8;

/// Changes that word; changing it twice brings it back.
fn skew(memory: &File) {
    let mut word = [0; 1];
    memory.read_exact_at(&mut word, LAYOUT_AT).unwrap();
    memory.write_all_at(&[!word[0]], LAYOUT_AT).unwrap();
}

/// NYSE, 8 July 2015: gateways and engine of different versions, and three and a half hours to find
/// out.
///
/// What two programs share says its layout. A gateway that is handed the rings of a venue of
/// another version refuses them by that name, and so does an operator's command the counters; the
/// venue goes on. (What outlives a program, journals and snapshots, is in `golden`.)
#[test]
fn version_skew() {
    let dir = tempfile::tempdir().unwrap();
    for skewed in 0..3 {
        let socket = dir.path().join(format!("ring-{skewed}"));
        let listener = UnixListener::bind(&socket).unwrap();
        let rings = Rings::create("version-skew").unwrap();
        if let Some(ring) = [&rings.commands, &rings.replies].get(skewed) {
            let memory = ring.region().file().unwrap().try_clone_to_owned();
            skew(&File::from(memory.unwrap()));
        }
        let venue = std::thread::spawn(move || rings.hand(&listener.accept().unwrap().0));
        let opened = Door::open(&socket);
        venue.join().unwrap().unwrap();
        match opened {
            Ok(_) => assert_eq!(skewed, 2, "rings of another layout were taken"),
            Err(error) => assert!(error.to_string().contains("layout hash"), "{error}"),
        }
    }

    let site = Site::new();
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.until_kinds("S");
    let topology = site.dir.path().join("topology.toml");
    let asked = [
        "admin",
        "sessions",
        "--topology",
        topology.to_str().unwrap(),
    ];
    program(&asked).succeeds();
    let counters = site.data_dir().join("counters");
    let counters = OpenOptions::new().read(true).write(true).open(counters);
    let counters = counters.unwrap();
    skew(&counters);
    program(&asked).refuses(2, &["layout hash"]);
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    alpha.until_kinds("SA");
    skew(&counters);
    program(&asked).succeeds();
    venue.stop();
}

/// All tests' names below a folder.
fn tests_below(folder: &Path, names: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_ours = !path.ends_with("target") && !path.ends_with(".git");
        if path.is_dir() && is_ours {
            tests_below(&path, names);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let lines = text.lines().map(str::trim_start);
            let tests = lines.filter_map(|line| line.strip_prefix("fn ")?.split('(').next());
            tests.for_each(|name| names.extend([" ", name, " "]));
        }
    }
}

#[test]
fn every_incident_has_its_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/incidents.md")).unwrap();
    let mut names = String::new();
    tests_below(&root, &mut names);
    let lines = page.lines().filter(|line| line.starts_with("| "));
    let mut count = 0;
    for line in lines.filter(|line| !line.contains("shown by")) {
        let shown = line.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let named: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test: {line}");
        for name in named {
            assert!(names.contains(&format!(" {name} ")), "{name} is no test");
            count += 1;
        }
    }
    assert!(count > 40);
}
