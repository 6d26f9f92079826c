//! What becomes of a journal's closed segments and of old days, in a venue that runs; and a disk
//! that is really full.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{Member, Site, counter, program, wait_until};
use journal::DirectoryFiles;
use journal::storage::{archive_name, segment_name};
use journal::stream::{self, Kind, Name};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Orders that fill more than a segment of a mebibyte: a line each, and a line for each group.
const SEGMENT_ORDERS: usize = 17_000;

/// Segments of a mebibyte, as all sites have, and what else the text says.
fn site(more: &str) -> Site {
    Site::new().with("[limits]", &format!("{more}\n\n[limits]"))
}

/// A member's orders at a price at which nothing trades.
fn flood(member: &mut Member, count: usize) -> u32 {
    member.enter_many(count, b'B', (1, "AAPL", 100))
}

#[test]
fn closed_segments_are_compressed_beside_the_venue_and_everything_reads_them() {
    let site = site("[journal]\narchive = true");
    let venue = site.start();
    let day = site.data_dir().join(venue.ready("session"));
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    flood(&mut alpha, SEGMENT_ORDERS);
    wait_until("the first archive", || {
        counter(&site, "keeper.archived") >= 1
    });
    assert!(day.join(archive_name(1)).is_file());
    assert!(!day.join(segment_name(1)).exists());
    let before = alpha.replies.clone();
    venue.kill();

    site.start_and_compare(&before);

    let path = day.to_str().unwrap();
    let verified = program(&["journal", "verify", path]);
    verified.succeeds();
    assert!(verified.out.contains("in order: "), "{verified:?}");
    // The index beside it says where to look; what is found is the same without it.
    let show = || {
        ["9000..9001", "16500..16510", "3", "17006.."].map(|which| {
            let shown = program(&["journal", "show", "--sequence", which, path]);
            shown.succeeds();
            shown.out
        })
    };
    let shown = show();
    assert!(shown[0].starts_with("9000 ") && shown[0].lines().count() == 2);
    fs::remove_file(day.join("index")).unwrap();
    assert_eq!(show(), shown);
}

#[test]
fn old_days_go_and_the_newest_stay() {
    let site = site("[journal]\nkeep_days = 2");
    let days = |site: &Site| -> Vec<String> {
        let entries = fs::read_dir(site.data_dir()).unwrap().map(Result::unwrap);
        let days = entries.filter(|entry| entry.path().is_dir());
        let mut names: Vec<String> = days
            .map(|it| it.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let mut begun = Vec::new();
    for _ in 0..4 {
        let venue = site.start_with(&["--new-day"]);
        begun.push(venue.ready("session").to_owned());
        let kept = begun.len().min(2);
        wait_until("the old days to go", || days(&site).len() == kept);
        assert_eq!(days(&site), begun[begun.len() - kept..]);
        venue.stop();
    }
}

#[test]
fn days_that_are_over_are_compressed_to_their_end_and_can_be_run_again() {
    const KEPT: usize = 3;
    let more = format!("[journal]\narchive = true\nkeep_days = {KEPT}\n\n[shadow]");
    let site = site(&more);
    let mut begun = Vec::new();
    for _ in 0..=KEPT {
        let venue = site.start_with(&["--new-day"]);
        begun.push(venue.ready("session").to_owned());
        let mut alpha = Member::login(venue.order_entry(), "ALPHA");
        flood(&mut alpha, 200);
        if begun.len() > 1 {
            let day = site.data_dir().join(&begun[begun.len() - 2]);
            let is_packed = || {
                let names = fs::read_dir(&day)
                    .unwrap()
                    .map(|entry| entry.unwrap().path());
                let mut journal = names.filter(|path| path.to_str().unwrap().contains("/journal-"));
                journal.all(|path| path.extension().is_some())
            };
            wait_until("the day before to be compressed", is_packed);
        }
        venue.stop();
    }
    let first = site.data_dir().join(&begun[0]);
    assert!(!first.exists(), "more than {KEPT} days");
    for day in &begun[1..] {
        let day = site.data_dir().join(day);
        let path = day.to_str().unwrap();
        let verified = program(&["journal", "verify", path]);
        verified.succeeds();
        assert!(verified.out.contains("end=clean"), "{verified:?}");
        let again = program(&["replay", "--journal", path]);
        again.succeeds();
        assert!(
            again.out.contains("as the venue said behind input"),
            "{again:?}"
        );
        assert!(again.out.contains("and no more"), "{again:?}");
    }
    // The newest goes on from its snapshot; the one before it would have to be unpacked.
    let venue = site.start();
    assert_eq!(venue.ready("session"), begun[KEPT]);
    assert!(venue.stderr().contains("snapshot of"), "{}", venue.stderr());
    venue.stop();
    fs::remove_dir_all(site.data_dir().join(&begun[KEPT])).unwrap();
    let mut venue = site.spawn(&[]);
    assert_eq!(venue.wait().code(), Some(1));
    assert!(
        venue.stderr().contains("zstd -d --rm"),
        "{}",
        venue.stderr()
    );
}

#[test]
fn what_a_snapshot_stands_for_may_go_and_nothing_that_was_told_is_lost() {
    let more = "[journal]\nkeep_mib = 1\n\n[shadow]\nsnapshot_inputs = 4000";
    let site = site(more).with("orders = 4096", "orders = 100000");
    let venue = site.start();
    let day = site.data_dir().join(venue.ready("session"));
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    for _ in 0..3 {
        flood(&mut alpha, SEGMENT_ORDERS);
    }
    wait_until("the first segment to go", || {
        counter(&site, "keeper.removed") >= 1
    });
    assert!(!day.join(segment_name(1)).exists());
    let before = alpha.replies.clone();
    venue.kill();
    site.start_and_compare(&before);
    // With the newest snapshot damaged the one before it still has all that it needs.
    let mut snapshots: Vec<PathBuf> = fs::read_dir(&day)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().contains("/snapshot-"))
        .collect();
    snapshots.sort();
    let newest = snapshots.last().unwrap();
    let mut bytes = fs::read(newest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(newest, bytes).unwrap();
    site.start_and_compare(&before);
}

/// A file system in memory, of so many bytes, mounted at a directory until it is dropped.
struct Mount(PathBuf);

impl Mount {
    /// `None` for those who may not mount.
    fn new(at: &Path, size: &str) -> Option<Self> {
        // SAFETY: the call has no conditions.
        if unsafe { libc::geteuid() } != 0 {
            println!("skipped: mounting a small file system needs root");
            return None;
        }
        fs::create_dir_all(at).unwrap();
        let size = format!("size={size}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "none"])
            .arg(at)
            .status()
            .unwrap();
        assert!(mounted.success(), "mount: {mounted}");
        Some(Self(at.to_path_buf()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: a venue that failed a test may still be about to die.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Writes zeros until the disk takes no more.
fn fill_up(file: &Path) {
    let mut file = File::create(file).unwrap();
    for bytes in [1 << 16, 1 << 12] {
        let zeros = vec![0; bytes];
        while file.write_all(&zeros).is_ok() {}
    }
}

#[test]
fn a_disk_that_is_full_refuses_orders_and_takes_cancels_until_it_has_room() {
    let site = site("").with("orders = 4096", "orders = 100000");
    let Some(_mount) = Mount::new(&site.data_dir(), "16m") else {
        return;
    };
    let venue = site.start();
    let day = site.data_dir().join(venue.ready("session"));
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    let standing = flood(&mut alpha, 100);
    let made = day.join(segment_name(2));
    wait_until("a segment ahead", || made.exists());
    let ballast = site.data_dir().join("ballast");
    fill_up(&ballast);
    // The segment ahead is the last one. Half of it is taken, then orders are refused.
    let mut entered = 0;
    while alpha.reject_code().is_none() {
        assert!(entered < 4 * SEGMENT_ORDERS, "orders are never refused");
        flood(&mut alpha, 100);
        entered += 100;
    }
    assert!(
        entered > SEGMENT_ORDERS / 2,
        "{entered} orders are half a segment"
    );
    assert_eq!(alpha.reject_code(), Some(0x8000 + 37), "the disk is full");
    assert_eq!(counter(&site, "journal.disk_full"), 1);
    assert_eq!(counter(&site, "journal.reserve"), 1);
    for user_ref in standing..standing + 50 {
        let replies = alpha.replies.len();
        alpha.cancel(user_ref);
        alpha.until("the cancel", |member| member.replies.len() > replies);
        assert_eq!(alpha.replies.last().unwrap()[0], b'C');
    }
    assert!(
        venue.stderr().contains("free some space"),
        "{}",
        venue.stderr()
    );

    fs::remove_file(&ballast).unwrap();
    wait_until("room", || counter(&site, "journal.reserve") == 0);
    flood(&mut alpha, 1);
    assert_eq!(
        alpha.replies.last().unwrap()[0],
        b'A',
        "orders are taken again"
    );
    // The conductor says it at its next look.
    wait_until("the word", || {
        venue.stderr().contains("new orders are taken again")
    });
    let before = alpha.replies.clone();
    venue.kill();
    // What was refused is refused when the day is read back, in the same words.
    site.start_and_compare(&before);
}

/// All messages of a day's streams.
fn told(day: &Path) -> Vec<Vec<u8>> {
    let mut files = DirectoryFiles::new(day);
    let names = (1..=2).map(|number| Name {
        kind: Kind::Replies,
        number,
    });
    let mut all = Vec::new();
    for name in [Name::FEED].into_iter().chain(names) {
        stream::read(&mut files, name, 1, &mut |_, message| {
            all.push(message.to_vec());
            true
        })
        .unwrap();
    }
    all
}

/// What a day's streams lack is written before the next day is begun.
#[test]
fn the_streams_of_a_day_that_is_over_are_made_whole() {
    let site = site("[journal]\narchive = true\n\n[shadow]");
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    flood(&mut alpha, 2_000);
    let first = site.data_dir().join(venue.ready("session"));
    venue.stop();
    let due = told(&first);
    assert!(due.len() > 4_000, "{} messages", due.len());
    // As a venue leaves it that was killed: replies behind the feed, and no snapshot.
    let cut = |day: &Path| {
        for entry in fs::read_dir(day).unwrap() {
            let path = entry.unwrap().path();
            if path.to_str().unwrap().contains("/snapshot-") {
                fs::remove_file(path).unwrap();
            }
        }
        let replies = File::options()
            .write(true)
            .open(day.join("stream-replies-0001"));
        replies.unwrap().set_len(8 * 4096).unwrap();
        assert!(told(day).len() < due.len());
    };
    cut(&first);
    let venue = site.start_with(&["--new-day"]);
    assert!(told(&first) == due);
    let second = site.data_dir().join(venue.ready("session"));
    venue.stop();
    let topology = site.dir.path().join("topology.toml");
    let complete = |day: &Path| {
        let topology = topology.to_str().unwrap();
        let day = day.to_str().unwrap();
        program(&["journal", "complete", "--topology", topology, day])
    };
    let done = complete(&first);
    done.succeeds();
    assert!(done.out.contains("whole already"), "{done:?}");
    let refused = complete(&second);
    assert!(
        refused.err.contains("name a day that is over"),
        "{refused:?}"
    );
}
