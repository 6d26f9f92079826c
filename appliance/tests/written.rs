//! A day run again beside the streams that the venue wrote: what is the same, what is missing, what
//! is another message, and what is damaged.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{Ended, Member, Site, program, wait_until};
use journal::stream::{self, Kind, Name, PAGE_BYTES, Position, Writer};
use journal::{DirectoryFiles, Files as _};
use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};

/// The stream that is tampered with.
const REPLIES: Name = Name {
    kind: Kind::Replies,
    number: 1,
};

const COPY: &str = "[[drop_copies]]\nname = \"DROP\"\npassword = \"drop\"\naccounts = [1]\n";

/// A day of two lives, with a crash between them, of a venue that tells all that one can tell.
fn day() -> (Site, PathBuf) {
    let depth = UdpSocket::bind("127.0.0.1:0").unwrap();
    let group = depth.local_addr().unwrap();
    let more = format!("depth_group = \"{group}\"\ndepth_history_mib = 1\n[limits]");
    let mut site = Site::new().with("[limits]", &more);
    site.topology += COPY;
    site.topology += "[shadow]\nsnapshot_inputs = 1000\n";
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    for _ in 0..200 {
        alpha.enter(b'S', 100, "AAPL", 1_500_000);
    }
    alpha.until("the answers", |member| member.replies.len() > 200);
    venue.kill();
    let venue = site.start();
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    bravo.enter(b'B', 60, "AAPL", 1_500_000);
    bravo.enter(b'B', 5, "MSFT", 2_900_000);
    bravo.until_kinds("SAEA");
    let day = site.data_dir().join(venue.ready("session"));
    venue.stop();
    (site, day)
}

fn replayed(day: &Path, more: &[&str]) -> Ended {
    let mut words = vec!["replay", "--journal", day.to_str().unwrap()];
    words.extend(more);
    program(&words)
}

#[test]
fn every_stream_of_a_day_holds_what_its_journal_says() {
    let (site, day) = day();
    let topology = site.dir.path().join("topology.toml");
    let topology = ["--topology", topology.to_str().unwrap()];
    for (more, streams) in [(&[][..], 4), (&topology[..], 5)] {
        let ended = replayed(&day, more);
        ended.succeeds();
        let same = ended.out.matches("are the same; and no more").count();
        assert_eq!(same, streams, "{ended:?}");
        let line = |name: Name| {
            let file = name.file();
            let line = ended.out.lines().find(|line| line.contains(&file));
            line.unwrap().to_owned()
        };
        // System event, 200 orders, one trade, from either side.
        assert!(line(REPLIES).contains(": 202 messages"), "{ended:?}");
        assert!(!line(Name::FEED).contains(": 0 messages"), "{ended:?}");
    }
    // In the middle of the day the streams are longer, and that is no difference.
    let ended = replayed(&day, &["--at", "100"]);
    ended.succeeds();
    assert!(ended.out.contains("it goes on behind them"), "{ended:?}");
}

/// Writes a stream anew, its checksums right.
fn rewrite(day: &Path, change: &dyn Fn(u64, &mut Vec<u8>) -> bool) {
    let mut files = DirectoryFiles::new(day);
    let mut messages = Vec::new();
    stream::read(&mut files, REPLIES, 1, &mut |number, message| {
        let mut message = message.to_vec();
        if change(number, &mut message) {
            messages.push(message);
        }
        true
    })
    .unwrap();
    let mut writer = Writer::open(&mut files, REPLIES, &Position::default()).unwrap();
    for message in messages {
        assert!(writer.push(&message));
    }
    writer.write(&mut files).unwrap();
}

#[test]
fn a_stream_that_tells_something_else_is_named_with_the_message_and_the_input() {
    let (_site, day) = day();
    let file = REPLIES.file();
    let saved = fs::read(day.join(&file)).unwrap();
    rewrite(&day, &|number, message| {
        if number == 150 {
            message[20] ^= 1;
        }
        true
    });
    // Symbols, sessions and the opening are inputs 1 to 5; message 1 is the system event.
    let pieces = [
        &file,
        "149 messages are the same",
        "message 150, of input 154",
    ];
    replayed(&day, &[]).refuses(1, &pieces);

    rewrite(&day, &|number, _| number <= 120);
    replayed(&day, &[]).refuses(
        1,
        &[&file, "120 messages are the same; 82 more are not in it"],
    );

    fs::write(day.join(&file), &saved).unwrap();
    let mut bytes = saved.clone();
    bytes[PAGE_BYTES + 500] ^= 4;
    fs::write(day.join(&file), &bytes).unwrap();
    replayed(&day, &[]).refuses(1, &[&file, "at byte 4096", "Checksum"]);

    fs::write(day.join(&file), &saved).unwrap();
    replayed(&day, &[]).succeeds();
}

#[test]
fn a_day_that_is_still_written_has_no_difference() {
    let site = Site::new().with("[limits]", "[shadow]\nsnapshot_s = 1\n[limits]");
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    let day = site.data_dir().join(venue.ready("session"));
    alpha.enter(b'S', 100, "AAPL", 1_500_000);
    alpha.until_kinds("SA");
    let mut files = DirectoryFiles::new(&day);
    wait_until("the stream", || {
        files.length(&Name::FEED.file()).unwrap() > 0
    });
    for _ in 0..5 {
        alpha.enter(b'S', 100, "AAPL", 1_500_000);
        replayed(&day, &[]).succeeds();
    }
    venue.stop();
    replayed(&day, &[]).succeeds();
}
