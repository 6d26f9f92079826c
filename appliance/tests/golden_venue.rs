//! Days of whole venues, with snapshots and streams, of every released version: kept in
//! `tests/golden_venue/<version>`, and gone on with by this program as by the one that wrote them.
//!
//! `GOLDEN_WRITE=1 cargo test -p appliance --test golden_venue` makes the folder of the present
//! version where there is none. A folder of a released version is never written again: what cannot
//! be read any more needs a new version of its format. A folder holds the topology, what the
//! killed venue left in its day's directory, the journal's zeros left out, and `standing`, what
//! `wirecross replay --journal` says of it.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{Member, Site, counter, program, unpack, wait_until};
use journal::DirectoryFiles;
use journal::stream::{self, Kind, Name};
use std::fs;
use std::path::{Path, PathBuf};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden_venue");
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The name that a day's copy gets.
const DAY: &str = "2026010101";
/// Inputs behind which the venue makes its snapshot.
const SNAPSHOT_INPUTS: u64 = 50;

const MORE: &str = "\
[[drop_copies]]
name = \"DROP\"
password = \"drop\"
accounts = [1, 2]

[shadow]
snapshot_inputs = 50
snapshot_s = 86400
";

const REPLIES: Name = Name {
    kind: Kind::Replies,
    number: 1,
};

/// Makes the folder of the present version.
fn write(folder: &Path) {
    let mut site = Site::new();
    site.topology += MORE;
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    let first = alpha.enter_many(60, b'S', (100, "AAPL", 1_500_000));
    bravo.enter_many(5, b'B', (130, "AAPL", 1_500_000));
    wait_until("the snapshot", || {
        counter(&site, "shadow.snapshot_inputs") >= SNAPSHOT_INPUTS
    });
    for number in 0..10 {
        alpha.cancel(first + 20 + number);
    }
    let resting = bravo.enter_many(10, b'B', (7, "MSFT", 2_500_000));
    bravo.cancel(resting);
    let day = site.data_dir().join(venue.ready("session"));
    venue.kill();
    fs::create_dir_all(folder).unwrap();
    let data = site.data_dir().display().to_string();
    let group = site.feed.local_addr().unwrap().to_string();
    let topology = site
        .topology
        .replace(&data, "DATA")
        .replace(&group, "GROUP");
    fs::write(folder.join("topology.toml"), topology).unwrap();
    for entry in fs::read_dir(&day).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_kept = ["limits", "snapshot-", "stream-", "journal-"];
        let bytes = fs::read(&path).unwrap();
        let end = match bytes.iter().rposition(|byte| *byte != 0) {
            Some(last) if name.starts_with("journal-") => last + 1,
            Some(_) => bytes.len(),
            None => continue,
        };
        if is_kept.iter().any(|kept| name.starts_with(kept)) {
            fs::write(folder.join(name), &bytes[..end]).unwrap();
        }
    }
    let (_site, day) = unpacked(folder);
    fs::write(folder.join("standing"), standing(&day) + "\n").unwrap();
}

/// A site with a golden day in its data directory, its segments as long as they were.
fn unpacked(folder: &Path) -> (Site, PathBuf) {
    let mut site = Site::new();
    let topology = fs::read_to_string(folder.join("topology.toml")).unwrap();
    site.topology = topology
        .replace("DATA", site.data_dir().to_str().unwrap())
        .replace("GROUP", &site.feed.local_addr().unwrap().to_string());
    let day = site.data_dir().join(DAY);
    unpack(folder, &day);
    (site, day)
}

/// What a run of the journal says at its end.
fn standing(day: &Path) -> String {
    let ended = program(&["replay", "--journal", day.to_str().unwrap()]);
    ended.succeeds();
    let line = ended.out.lines().find(|line| line.starts_with("at="));
    line.unwrap().to_owned()
}

/// A field of that line.
fn field<'s>(standing: &'s str, name: &str) -> &'s str {
    let mut words = standing.split_whitespace();
    let value = words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    value.unwrap()
}

fn replies(day: &Path) -> Vec<Vec<u8>> {
    let mut replies = Vec::new();
    let mut files = DirectoryFiles::new(day);
    stream::read(&mut files, REPLIES, 1, &mut |_, message| {
        replies.push(message.to_vec());
        true
    })
    .unwrap();
    replies
}

#[test]
fn venues_of_every_version_go_on_from_their_snapshots_with_every_reply() {
    let present = Path::new(FOLDER).join(VERSION);
    if std::env::var_os("GOLDEN_WRITE").is_some() && !present.exists() {
        write(&present);
    }
    assert!(
        present.is_dir(),
        "there is no golden venue of version {VERSION}: make one with GOLDEN_WRITE=1"
    );
    for folder in fs::read_dir(FOLDER).unwrap() {
        let folder = folder.unwrap().path();
        let (site, day) = unpacked(&folder);
        let due = fs::read_to_string(folder.join("standing")).unwrap();
        assert_eq!(standing(&day), due.trim_end(), "{}", folder.display());
        let before = replies(&day);
        let venue = site.start();
        let said = venue.stderr();
        let hint = "a newer format needs a newer version";
        assert!(!said.contains("is not used"), "{hint}: {said}");
        let skipped = said.split("snapshot of ").nth(1).unwrap();
        let skipped: u64 = skipped.split(' ').next().unwrap().parse().unwrap();
        assert!(skipped >= SNAPSHOT_INPUTS, "{said}");
        for (name, due_as) in [
            ("recovered", "at"),
            ("state_hash", "state_hash"),
            ("live_orders", "live_orders"),
        ] {
            assert_eq!(venue.ready(name), field(&due, due_as), "{name}");
        }
        let mut alpha = Member::login(venue.order_entry(), "ALPHA");
        alpha.until("the day's replies", |member| {
            member.replies.len() >= before.len()
        });
        assert_eq!(alpha.replies[..before.len()], before);
        assert!(before.len() > 60, "it was told something");
        venue.stop();
    }
}
