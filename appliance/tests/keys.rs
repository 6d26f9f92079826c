//! Logins that prove a key: over real sockets, beside those with passwords.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{Member, Site, Venue, program, wait_until};
use session::challenge::{Key, NONCE_BYTES};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

/// A site whose ALPHA proves a key, and the key's file.
fn site() -> (Site, PathBuf) {
    let site = Site::new();
    let file = site.dir.path().join("alpha.key");
    let path = file.to_str().unwrap();
    program(&["admin", "make-key", path]).succeeds();
    let proves = format!("key_file = \"{path}\"");
    (site.with("password = \"alpha\"", &proves), file)
}

fn key(file: &PathBuf) -> String {
    std::fs::read_to_string(file).unwrap().trim_end().to_owned()
}

/// A connection, and the number that it was greeted with.
fn greeted(venue: &Venue) -> (TcpStream, [u8; NONCE_BYTES]) {
    let mut stream = TcpStream::connect(venue.order_entry()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut greeting = [0; 37];
    stream.read_exact(&mut greeting).unwrap();
    assert_eq!(&greeting[..13], b"\x00\x23+challenge ");
    let text = std::str::from_utf8(&greeting[13..]).unwrap();
    let nonce =
        std::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap());
    (stream, nonce)
}

/// The packet type that answers a login with these letters.
fn answer(stream: &mut TcpStream, letters: &[u8; 10]) -> u8 {
    let mut packet = b"\x00\x2fLALPHA ".to_vec();
    packet.extend_from_slice(letters);
    packet.extend_from_slice(format!("{:10}{:>20}", "", 1).as_bytes());
    stream.write_all(&packet).unwrap();
    let mut head = [0; 3];
    stream.read_exact(&mut head).unwrap();
    head[2]
}

#[test]
fn a_key_is_proved_and_a_password_does_for_who_has_one() {
    let (site, file) = site();
    let venue = site.start();
    // Three ways in: our client, by hand as the page says, and a password beside it.
    let mut alpha = Member::dial(venue.order_entry(), "ALPHA", &key(&file));
    alpha.until_kinds("S");
    let (mut stream, nonce) = greeted(&venue);
    let letters = Key::parse(&key(&file))
        .unwrap()
        .letters(&nonce, b"ALPHA ", &[b' '; 10]);
    assert_eq!(answer(&mut stream, &letters), b'A');
    // Once only: the same letters are wrong on another connection, which has another number.
    let (mut stream, other) = greeted(&venue);
    assert_ne!(nonce, other);
    assert_eq!(answer(&mut stream, &letters), b'J');
    Member::login(venue.order_entry(), "BRAVO").until_kinds("S");
    // Neither its digits nor a password do for who must prove it.
    for secret in [
        "alpha",
        "ABCDEFGHIJ",
        &key(&file).replace(|it: char| it.is_ascii(), "0"),
    ] {
        Member::dial(venue.order_entry(), "ALPHA", secret).until_closed();
    }
    venue.stop();
}

#[test]
fn a_wrong_proof_counts_as_a_wrong_password() {
    let (site, file) = site();
    let site = site.with(
        "[order_entry]",
        "[order_entry]\nlock_after = 2\nlock_s = 3600",
    );
    let venue = site.start();
    for _ in 0..2 {
        Member::dial(venue.order_entry(), "ALPHA", &"00".repeat(32)).until_closed();
    }
    Member::dial(venue.order_entry(), "ALPHA", &key(&file)).until_closed();
    wait_until("the lock", || harness::counter(&site, "gate.locks") == 1);
    venue.stop();
}

#[test]
fn a_key_that_others_may_read_or_that_is_none_ends_the_start() {
    let (site, file) = site();
    program(&["admin", "make-key", file.to_str().unwrap()]).refuses(2, &["exists"]);
    let fails = |reason: &str| {
        let mut venue = site.spawn(&[]);
        assert!(!venue.wait().success());
        assert!(venue.stderr().contains(reason), "{}", venue.stderr());
    };
    let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode));
    mode(0o640).unwrap();
    fails("others may read it (640)");
    mode(0o600).unwrap();
    std::fs::write(&file, "0123").unwrap();
    fails("is no key");
    std::fs::remove_file(&file).unwrap();
    fails("alpha.key: No such file");
}
