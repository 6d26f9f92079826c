//! What members do wrong is answered by the protocol or counted, and hurts nobody else.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{Deaf, Member, Site, counter, fill_store, wait_until};
use session::soup_client::ClientState;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

/// Reads until the venue closes; gives what it said.
fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    stream.set_read_timeout(Some(harness::BOUND)).unwrap();
    let mut said = Vec::new();
    let mut bytes = [0; 256];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return said,
            Ok(length) => said.extend_from_slice(&bytes[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return said,
            Err(error) => panic!("the venue neither answered nor closed: {error}"),
        }
    }
}

/// A login packet as a client sends it.
fn login_packet() -> Vec<u8> {
    let mut packet = vec![0, 47, b'L'];
    packet.extend_from_slice(b"ALPHA alpha               ");
    packet.extend_from_slice(b"                   1");
    assert_eq!(packet.len(), 49);
    packet
}

#[test]
fn a_wrong_login_is_rejected_and_the_connection_closed() {
    let site = Site::new();
    let venue = site.start();
    for (user, password) in [("ALPHA", "wrong"), ("NOBODY", "alpha"), ("ALPHA", "")] {
        let mut member = Member::dial(venue.order_entry(), user, password);
        member.until("the answer", |m| {
            m.soup.state() == ClientState::Rejected(b'A')
        });
        member.until_closed();
    }
    wait_until("the count", || counter(&site, "gate.login_rejects") == 3);
    venue.stop();
}

#[test]
fn one_connection_too_many_is_turned_away_and_counted() {
    let site = Site::new().with("connections_max = 8", "connections_max = 2");
    let venue = site.start();
    let mut good = Member::login(venue.order_entry(), "BRAVO");
    let silent = TcpStream::connect(venue.order_entry()).unwrap();
    let mut third = TcpStream::connect(venue.order_entry()).unwrap();
    assert_eq!(read_all(&mut third), b"");
    wait_until("the count", || counter(&site, "gate.refused") == 1);
    good.enter(b'B', 1, "AAPL", 1);
    good.until_kinds("SA");
    drop(silent);
    venue.stop();
}

#[test]
fn a_login_that_is_cut_short_costs_only_itself() {
    let site = Site::new();
    let venue = site.start();
    let mut good = Member::login(venue.order_entry(), "BRAVO");
    for length in [0, 1, 3, 20, 48] {
        let mut stream = TcpStream::connect(venue.order_entry()).unwrap();
        stream.write_all(&login_packet()[..length]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_all(&mut stream), b"", "{length} bytes of a login");
    }
    // The whole of it is good: the test's packet is not what is wrong.
    let mut stream = TcpStream::connect(venue.order_entry()).unwrap();
    stream.write_all(&login_packet()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&mut stream).get(2), Some(&b'A'));
    good.enter(b'B', 1, "AAPL", 1);
    good.until_kinds("SA");
    venue.stop();
}

#[test]
fn garbage_is_counted_and_disconnected() {
    let site = Site::new();
    let venue = site.start();
    let mut good = Member::login(venue.order_entry(), "BRAVO");
    let mut unknown_message = login_packet();
    unknown_message.extend_from_slice(&[0, 2, b'U', b'?']);
    let mut short_message = login_packet();
    short_message.extend_from_slice(&[0, 3, b'U', b'O', 0]);
    let mut second_login = login_packet();
    second_login.extend_from_slice(&login_packet());
    let cases: [&[u8]; 8] = [
        b"GET / HTTP/1.1\r\n\r\n",
        &[0xff; 64],
        &[0, 0],
        &[0, 1, b'R'],
        &[0, 2, b'L', b'A'],
        &unknown_message,
        &short_message,
        &second_login,
    ];
    for (index, bytes) in cases.iter().enumerate() {
        let mut stream = TcpStream::connect(venue.order_entry()).unwrap();
        // The venue may close before it read everything.
        let _ = stream.write_all(bytes);
        read_all(&mut stream);
        let counted = index as u64 + 1;
        wait_until("the count", || counter(&site, "gate.malformed") == counted);
    }
    good.enter(b'B', 1, "AAPL", 1);
    good.until_kinds("SA");
    venue.stop();
}

#[test]
fn a_bad_order_is_rejected_with_its_reason_and_the_session_goes_on() {
    let site = Site::new();
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    let own = session::order_entry::REJECT_CODE_OWN;
    let duplicate = own + wire::ring::Reason::DuplicateUserRef as u16;
    let cases = [
        ("an unknown symbol", 1, (10, "NOPE", 10_000), 0x17),
        ("a zero quantity", 1, (0, "AAPL", 10_000), 0x13),
        ("too great a quantity", 1, (1_000_000, "AAPL", 10_000), 0x13),
        ("a zero price", 1, (10, "AAPL", 0), 0x1D),
        ("too great a price", 1, (10, "AAPL", u64::MAX), 0x1D),
    ];
    let mut kinds = "S".to_owned();
    for (what, user_ref, order, code) in cases {
        alpha.enter_as(user_ref, b'B', order);
        kinds.push('J');
        alpha.until_kinds(&kinds);
        assert_eq!(alpha.reject_code(), Some(code), "{what}");
    }
    // A refused order did not use its number up; an accepted one did.
    alpha.enter_as(1, b'B', (10, "AAPL", 10_000));
    kinds.push('A');
    alpha.until_kinds(&kinds);
    alpha.enter_as(1, b'B', (10, "AAPL", 10_000));
    assert_eq!(
        alpha.until_aside(1),
        alpha.replies[6],
        "the same order again"
    );
    alpha.enter_as(1, b'B', (11, "AAPL", 10_000));
    kinds.push('J');
    alpha.until_kinds(&kinds);
    assert_eq!(alpha.reject_code(), Some(duplicate), "a number used twice");
    // A cancel of an order that never was, then of the one that is.
    alpha.cancel(77);
    kinds.push('I');
    alpha.until_kinds(&kinds);
    alpha.cancel(1);
    kinds.push('C');
    alpha.until_kinds(&kinds);
    assert_eq!(venue.stop()["live_orders"], "0");
}

#[test]
fn a_member_that_stops_reading_is_cut_off_and_no_other_is() {
    let site = Site::new().with("stall_ms = 60000", "stall_ms = 1500\nbacklog_kib = 4");
    let venue = site.start();
    let replies = fill_store(&venue);
    let mut good = Member::login(venue.order_entry(), "BRAVO");
    let _deaf = Deaf::login(venue.order_entry());
    wait_until("the cut", || {
        good.turn();
        counter(&site, "gate.stalled") == 1
    });
    good.enter(b'B', 1, "AAPL", 1);
    good.until_kinds("SA");
    // The cut connection lost nothing: whoever reads gets the day's replies, whole and in order.
    loop {
        let mut back = Member::login(venue.order_entry(), "ALPHA");
        back.until("its replies", |m| m.is_closed || m.replies.len() == replies);
        // On a machine that pauses for longer than the venue's patience it is cut off, too.
        if !back.is_closed {
            break;
        }
    }
    venue.stop();
}
