//! A venue's life: it ends cleanly when asked to, and goes on where it was after any end.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{BOUND, Deaf, Member, Site, Venue, counter, fill_store, wait_until};
use session::feed::{Receiver, ReceiverConfig, State};
use session::soup_client::ClientState;
use std::time::Instant;

/// Two members trade: replies of each are "S" (the day opened), then these.
fn trade(venue: &Venue) -> (Member, Member) {
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.enter(b'S', 100, "AAPL", 1_500_000);
    alpha.enter(b'S', 50, "AAPL", 1_510_000);
    let msft = alpha.enter(b'B', 10, "MSFT", 3_000_000);
    alpha.cancel(msft);
    alpha.until_kinds("SAAAC");
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    bravo.enter(b'B', 120, "AAPL", 1_510_000);
    bravo.until_kinds("SAEE");
    alpha.until_kinds("SAAACEE");
    (alpha, bravo)
}

/// Logs in again and expects the very same replies.
fn replayed(venue: &Venue, user: &str, before: &Member) -> Member {
    let mut member = Member::login(venue.order_entry(), user);
    member.until("the day's replies", |member| {
        member.replies.len() >= before.replies.len()
    });
    assert_eq!(member.replies, before.replies);
    member
}

#[test]
fn ends_when_asked_and_goes_on_where_it_was() {
    let site = Site::new();
    for signal in ["TERM", "INT"] {
        let mut venue = site.start_with(&["--new-day"]);
        let (mut alpha, mut bravo) = trade(&venue);
        venue.signal(signal);
        for member in [&mut alpha, &mut bravo] {
            member.until("the end of the session", |m| {
                m.soup.state() == ClientState::Ended
            });
            member.until_closed();
        }
        assert!(venue.wait().success(), "{}", venue.stderr());
        let summary = harness::fields(&venue.line().unwrap());
        assert_eq!((&*summary["live_orders"], &*summary["cut_off"]), ("1", "0"));

        let again = site.start();
        assert_eq!(again.ready("state_hash"), summary["state_hash"]);
        assert_eq!(again.ready("recovered"), summary["inputs"]);
        assert_eq!(again.ready("session"), venue.ready("session"));
        replayed(&again, "ALPHA", &alpha);
        replayed(&again, "BRAVO", &bravo);
        assert_eq!(again.stop()["state_hash"], summary["state_hash"]);
    }
}

#[test]
fn a_killed_venue_keeps_what_it_acknowledged() {
    let site = Site::new();
    let venue = site.start();
    let (alpha, bravo) = trade(&venue);
    venue.kill();

    let venue = site.start();
    let hash = venue.ready("state_hash").to_owned();
    assert_eq!(venue.ready("live_orders"), "1");
    let mut alpha = replayed(&venue, "ALPHA", &alpha);
    let mut bravo = replayed(&venue, "BRAVO", &bravo);
    venue.kill();
    let venue = site.start();
    assert_eq!(
        venue.ready("state_hash"),
        hash,
        "a second recovery differs from the first"
    );

    // The rest of the second order is still there, behind its session's numbers.
    alpha = replayed(&venue, "ALPHA", &alpha);
    bravo = replayed(&venue, "BRAVO", &bravo);
    bravo.user_ref_next_set(2);
    bravo.enter(b'B', 30, "AAPL", 1_510_000);
    bravo.until_kinds("SAEEAE");
    alpha.until_kinds("SAAACEEE");
    assert_eq!(venue.stop()["live_orders"], "0");
}

#[test]
fn a_new_day_starts_empty_and_leaves_the_old_one_alone() {
    let site = Site::new();
    let venue = site.start();
    let first = venue.ready("session").to_owned();
    trade(&venue);
    venue.stop();
    let venue = site.start_with(&["--new-day"]);
    assert_ne!(venue.ready("session"), first);
    assert_eq!(venue.ready("recovered"), "0");
    let alpha = &mut Member::login(venue.order_entry(), "ALPHA");
    alpha.enter(b'B', 1, "MSFT", 1);
    alpha.until_kinds("SA");
    assert_eq!(venue.stop()["live_orders"], "1");
    assert!(site.data_dir().join(first).join("limits").is_file());
}

#[test]
fn a_member_that_does_not_read_cannot_hold_the_end_up() {
    let site = Site::new().with("cutoff_s = 60", "cutoff_s = 1");
    let venue = site.start();
    fill_store(&venue);
    let _deaf = Deaf::login(venue.order_entry());
    wait_until("the login", || counter(&site, "gate.logins") == 2);
    assert_eq!(venue.stop()["cut_off"], "1");
}

#[test]
fn a_second_start_on_the_same_data_is_refused() {
    let site = Site::new();
    let venue = site.start();
    for args in [&[][..], &["--new-day"]] {
        let mut second = site.spawn(args);
        assert_eq!(second.wait().code(), Some(1));
        let stderr = second.stderr();
        assert!(
            stderr.contains("in use by process") && stderr.contains("data_dir"),
            "{stderr}"
        );
    }
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.enter(b'B', 1, "AAPL", 1);
    alpha.until_kinds("SA");
    venue.stop();
}

#[test]
fn another_topology_on_the_same_day_is_refused() {
    let site = Site::new();
    site.start().stop();
    for (from, to, parts) in [
        (
            "\"AAPL\", \"MSFT\"",
            "\"AAPL\", \"GOOG\"",
            ["\"MSFT\"", "\"GOOG\""],
        ),
        ("\"AAPL\", \"MSFT\"", "\"AAPL\"", ["\"MSFT\"", "session 1"]),
        ("account = 2", "account = 3", ["account 2", "account 3"]),
        (
            "orders = 4096",
            "orders = 8192",
            ["orders = 4096", "orders = 8192"],
        ),
    ] {
        let before = site.topology.clone();
        let changed = Site {
            topology: before.clone(),
            ..site_of(&site)
        }
        .with(from, to);
        let mut venue = changed.spawn(&[]);
        assert_eq!(venue.wait().code(), Some(1), "{to}");
        let stderr = venue.stderr();
        for part in parts.into_iter().chain(["--new-day"]) {
            assert!(stderr.contains(part), "{part:?} is not in: {stderr}");
        }
    }
    site.start().stop();
}

/// A site over the same topology text, with a directory of its own for the file.
fn site_of(site: &Site) -> Site {
    Site {
        dir: harness::directory(),
        feed: site.feed.try_clone().unwrap(),
        topology: String::new(),
    }
}

#[test]
fn the_feed_ends_and_can_be_asked_for_after_a_restart() {
    let site = Site::new();
    let venue = site.start();
    trade(&venue);
    let mut live = Subscriber::new();
    live.until(&site, &venue, |_, heard| {
        heard.last().is_some_and(|message| message[0] == b'E')
    });
    venue.signal("TERM");
    live.until(&site, &venue, |state, _| state == State::Ended);
    venue.stop();

    let venue = site.start();
    let mut late = Subscriber::new();
    late.until(&site, &venue, |_, heard| heard.len() == live.heard.len());
    assert_eq!(late.heard, live.heard);
    assert!(late.requests > 0, "nothing was sent again unasked");
    venue.stop();
}

/// Who listens to the feed and asks for what it missed.
struct Subscriber {
    receiver: Receiver,
    heard: Vec<Vec<u8>>,
    requests: usize,
}

impl Subscriber {
    fn new() -> Self {
        let receiver = Receiver::new(ReceiverConfig::default());
        Self {
            receiver,
            heard: Vec::new(),
            requests: 0,
        }
    }

    /// Takes packets until `done`.
    fn until(&mut self, site: &Site, venue: &Venue, done: impl Fn(State, &[Vec<u8>]) -> bool) {
        let start = Instant::now();
        while !done(self.receiver.state(), &self.heard) {
            let waited = start.elapsed();
            assert!(
                waited < BOUND,
                "{:?}, {} messages",
                self.receiver.state(),
                self.heard.len()
            );
            let now_ns = waited.as_nanos() as u64;
            let mut packet = [0; 2048];
            // A time-out is a turn without a packet.
            if let Ok((length, _)) = site.feed.recv_from(&mut packet) {
                let heard = &mut self.heard;
                self.receiver
                    .packet(&packet[..length], now_ns, &mut |_, message| {
                        heard.push(message.to_vec());
                    });
            }
            if let Some(request) = self.receiver.poll(now_ns) {
                self.requests += 1;
                site.feed
                    .send_to(&request, venue.ready("rerequest"))
                    .unwrap();
            }
        }
    }
}

#[test]
fn asked_to_stop_while_it_starts_it_does() {
    let site = Site::new();
    // A topology that does not come: opening the pipe's other end succeeds when the program reads.
    let pipe = site.dir.path().join("pipe.toml");
    let made = std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .unwrap();
    assert!(made.success());
    let mut venue = site.spawn_on(&pipe, &[]);
    let _writer = std::fs::File::options().write(true).open(&pipe).unwrap();
    venue.signal("TERM");
    assert_eq!(venue.wait().code(), Some(0), "{}", venue.stderr());
    assert!(
        venue.stderr().contains("while starting"),
        "{}",
        venue.stderr()
    );
    assert!(!site.data_dir().exists());
}

#[test]
fn a_journal_that_fails_stops_all_acknowledgements() {
    let site = Site::new();
    // The limits of a confined one are changed by nobody but a root with all its rights.
    let mut venue = site.start_with(&["--insecure-dev"]);
    let (mut alpha, _bravo) = trade(&venue);
    let mut resting = 0;
    for count in 1..=64 {
        resting = alpha.enter(b'B', 1, "MSFT", 10_000);
        alpha.until("the answer", |member| member.replies.len() == 7 + count);
    }
    // From now on no file may be written beyond its first page, as on a disk that broke: the
    // journal is past it, and what the program says of it is not.
    venue.file_size_limit(4_096);
    let before = alpha.replies.clone();
    alpha.enter_and_cancel(b'B', (1, "MSFT", 10_000), resting);
    alpha.until_closed();
    assert_eq!(alpha.replies, before, "a reply without a record");
    let why = "the journal's disk failed and the venue stops: nothing more is acknowledged, what \
               was stays";
    assert!(alpha.was_told(why), "{:?}", alpha.tail);
    assert_eq!(venue.wait().code(), Some(1));
    let stderr = venue.stderr();
    for part in [
        "the journal failed",
        "nothing more is acknowledged",
        "mend the disk",
    ] {
        assert!(stderr.contains(part), "{part:?} is not in: {stderr}");
    }
    // On a mended disk it goes on with what it had acknowledged; the cancel has no record either,
    // and the order that it meant is live.
    site.start_and_compare(&before);
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.until("the day's replies", |member| {
        member.replies.len() >= before.len()
    });
    let known = alpha.replies.len();
    alpha.cancel(resting);
    alpha.until("the cancel", |member| member.replies.len() > known);
    assert_eq!(alpha.replies[known][0], b'C');
    venue.stop();
}
