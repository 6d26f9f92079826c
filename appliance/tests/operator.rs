//! An operator's words to a running venue: heard, obeyed, answered, or refused with a reason.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::paired::Random;
use harness::{BOUND, Ended, Member, Site, counter, program, wait_until};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// A site and the operator's command for it.
fn operator(site: &Site) -> impl Fn(&str) -> Ended {
    let topology = site.dir.path().join("topology.toml");
    let topology = topology.to_str().unwrap().to_owned();
    move |words| {
        let head = ["control", "--topology", &topology].into_iter();
        program(&head.chain(words.split(' ')).collect::<Vec<_>>())
    }
}

fn says(ended: &Ended, text: &str) {
    ended.succeeds();
    assert_eq!(ended.out.trim_end(), text);
}

#[test]
fn orders_leave_by_an_operators_word_and_their_members_are_told() {
    let site = Site::new();
    let venue = site.start();
    let control = operator(&site);
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    for price in [1_000_000, 1_000_100, 1_000_200] {
        alpha.enter(b'S', 10, "AAPL", price);
    }
    bravo.enter(b'B', 10, "AAPL", 900_000);
    alpha.until_kinds("SAAA");
    bravo.until_kinds("SA");
    let cancels = control("mass-cancel symbol AAPL side sell prices 1000100 1000200");
    says(&cancels, "2 orders cancelled");
    alpha.until_kinds("SAAACC");
    says(&control("kill user bravo"), "killed, 1 order cancelled");
    bravo.until_kinds("SAC");
    bravo.enter(b'B', 10, "AAPL", 900_000);
    bravo.until_kinds("SACJ");
    assert_eq!(bravo.reject_code(), Some(0x8000 + 27));
    // The switch is in the journal.
    venue.kill();
    let venue = site.start();
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    bravo.until_kinds("SACJ");
    // Under the number that was refused it would be the same order again.
    bravo.user_ref_next_set(3);
    bravo.enter(b'B', 10, "AAPL", 900_000);
    bravo.until_kinds("SACJJ");
    says(&control("revive user BRAVO"), "revived");
    bravo.enter(b'B', 10, "AAPL", 900_000);
    bravo.until_kinds("SACJJA");
    says(&control("allocation AAPL split 40"), "set");
    assert_eq!(venue.stop()["live_orders"], "2");
}

#[test]
fn an_operator_is_told_what_is_wrong() {
    let site = Site::new();
    let venue = site.start();
    let control = operator(&site);
    let split = control("allocation AAPL split 101");
    split.refuses(1, &["the engine refused it", "outside its range"]);
    // It is counted, and in the journal: two symbols, two sessions, the opening, three pieces of
    // the word's letters, and the word.
    wait_until("the journal", || counter(&site, "journal.durable") == 9);
    wait_until("the count", || counter(&site, "engine.refused") == 1);
    let limit = control("limit 1 order_units 5");
    limit.refuses(1, &["the engine refused it", "[risk.ACCOUNT]"]);
    control("state NONE halt").refuses(1, &["\"NONE\" is no symbol"]);
    control("lift the gates").refuses(1, &["\"lift\" is no word", "mass-cancel"]);
    venue.stop();
    control("kill all").refuses(1, &["is the venue running?"]);
}

/// Lines of which every piece that ends early says nothing.
const WORDS: [&str; 6] = [
    "halt AAPL\twhy\n",
    "kill user ALPHA\twhy\n",
    "limit 1 quantity-max 7\twhy\n",
    "mass-cancel user ALPHA account 1\twhy\n",
    "grant ALPHA 7 trader\twhy\n",
    "bust AAPL 1 erroneous\twhy\n",
];

/// What somebody says to the socket in one of so many ways, none of which is a whole word.
fn nonsense(random: &mut Random) -> Vec<u8> {
    let word = WORDS[random.below(WORDS.len())].as_bytes();
    let any = |random: &mut Random| {
        let count = random.below(700);
        (0..count).map(|_| random.below(256) as u8).collect()
    };
    match random.below(4) {
        0 => any(random),
        1 => word[..random.below(word.len())].to_vec(),
        2 => [&any(random)[..], b"\n"].concat(),
        _ => [&b"\xff"[..], word].concat(),
    }
}

/// Says bytes in pieces, and gives the answer, if there is one.
fn said(socket: &Path, bytes: &[u8], pieces: usize) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    for piece in bytes.chunks(bytes.len().div_ceil(pieces).max(1)) {
        // The venue may have heard enough.
        let _ = stream.write_all(piece);
    }
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => panic!("{error}"),
        _ => String::from_utf8(answer).unwrap(),
    }
}

#[test]
fn whatever_is_said_to_the_socket_is_answered_and_nothing_is_done() {
    let site = Site::new();
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    alpha.until_kinds("SA");
    let socket = site.data_dir().join("control");
    let (mut random, mut answers) = (Random(1), 0);
    for _ in 0..300 {
        let bytes = nonsense(&mut random);
        let answer = said(&socket, &bytes, 1 + random.below(4));
        assert!(!answer.starts_with("taken"), "{bytes:?}: {answer}");
        answers += usize::from(!answer.is_empty());
    }
    assert!(answers > 200, "{answers}");
    let cut = said(&socket, b"mass-cancel user ALPHA", 1);
    assert!(
        cut.starts_with("a word and its reason are one whole line of"),
        "{cut}"
    );
    // Who says nothing takes nobody's place for long.
    let silent = UnixStream::connect(&socket).unwrap();
    let control = operator(&site);
    says(
        &control("mass-cancel user ALPHA account 1"),
        "1 order cancelled",
    );
    drop(silent);
    alpha.until_kinds("SAC");
    venue.stop();
}
