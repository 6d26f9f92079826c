//! A FIX member before a venue, by the gateway's process and its rings: what rests and trades
//! outlives the death of either process, and no death goes unnoticed.
#![allow(clippy::unwrap_used)]

mod gateway;
mod harness;

use gateway::{Fix, Gateway, logon_again, settings, site};
use harness::paired::Random;
use harness::{BOUND, Member, Site, wait_until};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

/// Processes that call the venue for a gateway with these settings.
fn ushers(site: &Site) -> usize {
    let settings = settings(site);
    let processes = fs::read_dir("/proc").unwrap().map_while(Result::ok);
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    let ours = lines.filter(|line| {
        let line = String::from_utf8_lossy(line);
        line.contains(settings.to_str().unwrap()) && line.contains("--usher")
    });
    ours.count()
}

#[test]
fn what_a_member_has_outlives_the_death_of_gateway_and_venue() {
    let Some(site) = site("") else { return };
    // The gateway may come first.
    let mut gateway = Gateway::start(&site);
    let venue = site.start();
    let mut fix = logon_again(&gateway, 1);
    fix.enter("first", 10);
    fix.until(150, "0");
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    bravo.enter(b'S', 4, "AAPL", 1_000_000);
    fix.until(150, "F");
    let before = fix.reports(false);

    gateway.kill();
    bravo.enter(b'S', 6, "AAPL", 1_000_000);
    bravo.until("the trade", |it| it.kinds().ends_with('E'));
    wait_until("the usher's end", || ushers(&site) == 0);
    gateway = Gateway::start(&site);
    let mut fix = logon_again(&gateway, fix.number);
    fix.until(39, "2");
    assert_eq!(fix.reports(false).len(), 1, "reported once");
    // Nobody is ALPHA by another way.
    Member::dial(venue.order_entry(), "ALPHA", "alpha").until_closed();

    venue.kill();
    fix.until(58, "the venue ended the session");
    let venue = site.start();
    let mut after = logon_again(&gateway, fix.number);
    after.send("2", "7=1|16=0|");
    after.enter("second", 1);
    after.until(11, "second");
    let again = after.reports(true);
    let told = before
        .iter()
        .chain(&fix.reports(false))
        .all(|(number, report)| {
            let copy = again.get(number);
            assert_eq!(copy, Some(report), "message {number}");
            true
        });
    assert!(told && before.len() == 2);
    drop(gateway);
    venue.stop();
}

#[test]
fn a_gateway_is_confined_and_has_one_usher() {
    let Some(site) = site("") else { return };
    let gateway = Gateway::start(&site);
    // One that serves, one that looks at memory, and one that writes the log.
    let threads = gateway.threads();
    assert_eq!(threads.len(), 3);
    for line in [
        "Uid:\t65534\t65534\t65534\t65534",
        "CapEff:\t0000000000000000",
        "CapBnd:\t0000000000000000",
        "NoNewPrivs:\t1",
        "Seccomp:\t2",
    ] {
        let has = |status: &String| status.contains(line);
        assert!(threads.iter().all(has), "no {line:?} in {threads:?}");
    }
    assert_eq!(ushers(&site), 1);
    // Without a venue nobody gets in, and is told so.
    let mut fix = Fix::logon(&gateway, 1);
    fix.until(35, "5");
    assert!(
        fix.heard[0]
            .text(58)
            .unwrap()
            .starts_with("the venue is not there")
    );
}

#[test]
fn orders_leave_when_their_gateway_dies() {
    let Some(site) = site("cancel_on_disconnect_ms = 0\n") else {
        return;
    };
    let venue = site.start();
    let mut gateway = Gateway::start(&site);
    let mut fix = logon_again(&gateway, 1);
    fix.enter("rests", 999_999);
    fix.until(150, "0");
    gateway.kill();
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    let start = std::time::Instant::now();
    // As long as the order rests each of these trades; the first that rests itself finds it gone.
    loop {
        let count = bravo.replies.len();
        bravo.enter(b'S', 1, "AAPL", 1_000_000);
        bravo.until("an answer", |it| it.replies.len() > count);
        if bravo.kinds().ends_with("AA") {
            break;
        }
        assert!(start.elapsed() < BOUND, "{}", bravo.kinds());
    }
    venue.stop();
}

#[test]
fn what_comes_too_fast_is_reported_and_may_come_again() {
    let rate = "rate = { messages_per_second = 1, at_once = 1, refusals_max = 0 }\n";
    let Some(site) = site(rate) else { return };
    let venue = site.start();
    let gateway = Gateway::start(&site);
    let mut fix = logon_again(&gateway, 1);
    fix.enter("first", 10);
    fix.enter("second", 10);
    fix.until(58, "RateLimit");
    let refused = fix.heard.last().unwrap();
    let told = [35, 11, 150].map(|tag| refused.text(tag).unwrap());
    assert_eq!(told, ["8", "second", "8"]);
    wait_until("the same order's acceptance", || {
        fix.heard.clear();
        fix.enter("second", 10);
        fix.until(11, "second");
        fix.has(150, "0")
    });
    drop(gateway);
    venue.stop();
}

/// Pieces of what a member says, and of what nobody says.
fn nonsense(random: &mut Random) -> Vec<u8> {
    const PIECES: [&[u8]; 10] = [
        b"8=FIX.4.4\x019=5\x0135=A\x0110=178\x01",
        b"8=FIX.4.4\x019=99999999999999999999\x01",
        b"8=FIX.4.4\x019=4294967295\x0135=A\x01",
        b"8=FIX.4.4\x019=",
        b"49=ALPHA\x0156=VENUE\x01",
        b"554=alpha\x0198=0\x01108=60\x01",
        b"10=000\x01",
        b"\x00\xff\x01=\x01",
        b"=",
        b"\x01",
    ];
    let count = 1 + random.below(40);
    let pieces = (0..count).map(|_| PIECES[random.below(PIECES.len())]);
    let mut bytes = pieces.collect::<Vec<_>>().concat();
    for _ in 0..random.below(20) {
        let at = random.below(bytes.len());
        bytes[at] = random.below(256) as u8;
    }
    bytes
}

#[test]
fn whatever_strangers_say_in_any_pieces_a_member_goes_on_trading() {
    let Some(site) = site("") else { return };
    let venue = site.start();
    let gateway = Gateway::start(&site);
    let mut fix = logon_again(&gateway, 1);
    let mut random = Random(1);
    for round in 0..200 {
        let bytes = nonsense(&mut random);
        let mut stranger = TcpStream::connect(gateway.address).unwrap();
        stranger.set_read_timeout(Some(BOUND)).unwrap();
        for piece in bytes.chunks(1 + random.below(bytes.len())) {
            // The gateway may have heard enough.
            let _ = stranger.write_all(piece);
        }
        let _ = stranger.shutdown(Shutdown::Write);
        let mut told = Vec::new();
        let _ = stranger.read_to_end(&mut told);
        let told = String::from_utf8_lossy(&told);
        assert!(!told.contains("\x0135=A\x01"), "{bytes:?}: {told}");
        if round % 50 == 0 {
            let id = format!("order{round}");
            fix.enter(&id, 1);
            fix.until(11, &id);
        }
    }
    // Who is logged on may say nonsense, too: it is skipped.
    fix.say(&[&nonsense(&mut random)[..], b"\x01"].concat());
    fix.enter("last", 1);
    fix.until(11, "last");
    drop(gateway);
    venue.stop();
}
