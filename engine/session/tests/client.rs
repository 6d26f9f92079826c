//! The member's side alone: what a server may do to it.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod venue;

use session::SECOND_NS;
use session::soup_client::{ClientState, Heard, SoupClient, SoupConfig};
use venue::{START_NS, packet, packets};

fn sent(client: &mut SoupClient, now_ns: u64) -> Vec<(u8, Vec<u8>)> {
    let mut all = Vec::new();
    client.transmit(now_ns, &mut |bytes| {
        all.extend_from_slice(bytes);
        bytes.len()
    });
    packets(&all)
}

fn accepted(sequence: u64) -> Vec<u8> {
    packet(b'A', format!("{:<10}{sequence:>20}", "DAY1").as_bytes())
}

/// A client that is logged in, with its login taken away.
fn live() -> SoupClient {
    let mut client = SoupClient::new(SoupConfig::new("ALPHA", "secret"));
    client.connected(START_NS);
    assert_eq!(sent(&mut client, START_NS)[0].0, b'L');
    client.received(&accepted(1), START_NS, &mut |_| {});
    assert_eq!(client.state(), ClientState::Live);
    client
}

#[test]
fn it_asks_for_the_next_message_after_a_reconnect() {
    let mut client = live();
    let mut messages = Vec::new();
    let bytes = [packet(b'S', b"one"), packet(b'S', b""), packet(b'+', b"x")].concat();
    for byte in &bytes {
        client.received(&[*byte], START_NS, &mut |heard| {
            if let Heard::Sequenced { sequence, message } = heard {
                messages.push((sequence, message.to_vec()));
            }
        });
    }
    assert_eq!(messages, [(1, b"one".to_vec()), (2, vec![])]);
    assert!(client.send(b"lost with the connection"));
    client.disconnected();
    assert_eq!(
        (client.unsent(), client.state()),
        (0, ClientState::Disconnected)
    );
    assert!(!client.send(b"too early"));
    client.connected(START_NS);
    let login = sent(&mut client, START_NS);
    assert_eq!(login.len(), 1);
    assert_eq!(
        login[0].1,
        format!("ALPHA secret    {:10}{:>20}", "", 3).into_bytes()
    );
}

#[test]
fn it_sends_heartbeats_and_notices_silence() {
    let mut client = live();
    let mut heartbeats = 0;
    for tenth in 1..150 {
        let now_ns = START_NS + tenth * SECOND_NS / 10;
        assert_eq!(client.poll(now_ns), ClientState::Live);
        heartbeats += sent(&mut client, now_ns)
            .iter()
            .filter(|(kind, _)| *kind == b'R')
            .count();
    }
    assert_eq!(heartbeats, 14);
    client.received(&packet(b'H', &[]), START_NS + 14 * SECOND_NS, &mut |_| {});
    assert_eq!(client.poll(START_NS + 15 * SECOND_NS), ClientState::Live);
    assert_eq!(client.poll(START_NS + 29 * SECOND_NS), ClientState::Silent);
    assert!(!client.send(b"late"));
}

#[test]
fn what_a_server_must_not_send_ends_it() {
    let after_login: [&[u8]; 5] = [
        &[0, 0],
        &[0, 1, b'?'],
        &[0, 2, b'H', 0],
        &[0, 1, b'L'],
        &[0, 2, b'Z', 1],
    ];
    for bytes in after_login {
        let mut client = live();
        client.received(bytes, START_NS, &mut |_| {});
        assert_eq!(client.state(), ClientState::Malformed, "{bytes:?}");
    }
    let at_login: [(Vec<u8>, ClientState); 5] = [
        (packet(b'J', b"A"), ClientState::Rejected(b'A')),
        (packet(b'J', b""), ClientState::Malformed),
        (packet(b'A', &[b' '; 30]), ClientState::Malformed),
        (packet(b'S', b"early"), ClientState::Malformed),
        (packet(b'H', b""), ClientState::LoggingIn),
    ];
    for (bytes, state) in at_login {
        let mut client = SoupClient::new(SoupConfig::new("ALPHA", "secret"));
        client.connected(START_NS);
        client.received(&bytes, START_NS, &mut |_| {});
        assert_eq!(client.state(), state, "{bytes:?}");
    }
    let mut client = live();
    let bytes = [packet(b'Z', &[]), packet(b'S', b"after the end")].concat();
    client.received(&bytes, START_NS, &mut |heard| {
        assert_eq!(heard, Heard::Ended)
    });
    assert_eq!(client.state(), ClientState::Ended);
}

#[test]
fn its_queue_is_bounded_and_takes_part_writes() {
    let config = SoupConfig {
        outbound_bytes: 100,
        ..SoupConfig::new("ALPHA", "secret")
    };
    let mut client = SoupClient::new(config);
    client.connected(START_NS);
    assert_eq!(sent(&mut client, START_NS).len(), 1);
    client.received(&accepted(1), START_NS, &mut |_| {});
    assert!((0..4).all(|_| client.send(&[7; 20])));
    assert!(!client.send(&[7; 20]), "92 bytes wait");
    let mut out = Vec::new();
    for _ in 0..200 {
        let _ = client.send(&[8; 20]);
        client.transmit(START_NS, &mut |bytes| {
            let taken = bytes.len().min(13);
            out.extend_from_slice(&bytes[..taken]);
            taken
        });
    }
    client.transmit(START_NS, &mut |bytes| {
        out.extend_from_slice(bytes);
        bytes.len()
    });
    let all = packets(&out);
    assert!(all.len() > 100);
    assert!(
        all.iter()
            .all(|(kind, message)| *kind == b'U' && message.len() == 20)
    );
}
