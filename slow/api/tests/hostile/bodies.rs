//! Bodies that do not end, by many at once: how much of them is held, for how long, and who is
//! served meanwhile.

use super::{is_well, runtime, with};
use crate::service::{SECRET, Service, now_ms, signature};
use api::keys::Signed;
use axum::body::Bytes;
use axum::http::Request;
use axum::http::request::Builder;
use h2::SendStream;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const LIMITS: &str = "bodies_mib = 4\nrequest_s = 3\nstrangers_per_second = 20";

/// Connections, requests that each of them begins, and bytes of each body: 127 MiB in all.
const CONNECTIONS: usize = 16;
const REQUESTS: usize = 32;
const ALL: usize = CONNECTIONS * REQUESTS;
const BYTES: usize = 254 * 1_024;

/// Memory that all of it may cost, in KiB: the bodies' 4 MiB, what connections keep of their own,
/// and what the allocator does not give back.
const GROWN_MAX: u64 = 24 * 1_024;

/// The most memory that the process ever had, in KiB.
fn peak(service: &Service) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.process())).unwrap();
    let mut lines = status.lines();
    let line = lines.find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Begins as many requests as a connection may have, whose bodies go as far as they are let and do
/// not end; gives them with the statuses of those that are answered when so many are.
async fn flood(
    at: SocketAddr,
    due: usize,
    request: impl Fn(usize) -> Builder,
) -> (Vec<u16>, impl Sized) {
    let body = Bytes::from(vec![b' '; BYTES]);
    let (mut kept, mut answers) = (Vec::<SendStream<Bytes>>::new(), Vec::new());
    let mut connections = Vec::new();
    for connection in 0..CONNECTIONS {
        let stream = tokio::net::TcpStream::connect(at).await.unwrap();
        let (client, driver) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(driver);
        let mut client = client;
        for number in 0..REQUESTS {
            let head = request(connection * REQUESTS + number).body(()).unwrap();
            let Ok(ready) = client.ready().await else {
                panic!("the connection ended");
            };
            client = ready;
            let (answer, mut stream) = client.send_request(head, false).unwrap();
            let _ = stream.send_data(body.clone(), false);
            kept.push(stream);
            answers.push(tokio::spawn(answer));
        }
        connections.push(client);
    }
    let begun = Instant::now();
    while answers.iter().filter(|it| it.is_finished()).count() < due {
        assert!(begun.elapsed() < super::BOUND, "not so many are answered");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut statuses = Vec::new();
    for answer in answers {
        if answer.is_finished()
            && let Ok(Ok(answer)) = answer.await
        {
            statuses.push(answer.status().as_u16());
        }
    }
    (statuses, (kept, connections))
}

/// A known caller is answered, with a body of its own.
fn is_served(service: &Service) {
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"key"}"#;
    let padded = format!("{call}{}", " ".repeat(200_000));
    let answer = service.post(&padded, "auditor");
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn post() -> Builder {
    Request::post("http://venue/api/batch")
}

#[test]
fn strangers_bodies_are_not_read() {
    let service = with(LIMITS);
    is_well(&service);
    let before = peak(&service);
    let runtime = runtime();
    let (statuses, kept) =
        runtime.block_on(flood(service.address, ALL, |number| match number % 2 {
            0 => post(),
            _ => post().header("authorization", "Bearer nobody"),
        }));
    is_served(&service);
    let grown = peak(&service) - before;
    assert!(grown < GROWN_MAX, "{grown} KiB more");
    assert!(statuses.iter().all(|it| [401, 429].contains(it)));
    assert!(statuses.contains(&429));
    drop(kept);
}

/// Whoever knows a key's name may have a body read, to see whether its signature is right.
#[test]
fn bodies_of_whom_a_signature_may_be_have_a_part_of_the_room_for_a_time() {
    let service = with(LIMITS);
    is_well(&service);
    let before = peak(&service);
    let time = now_ms().to_string();
    let runtime = runtime();
    let begun = Instant::now();
    let (statuses, _kept) = runtime.block_on(flood(service.address, ALL / 2, |_| {
        post()
            .header("x-wirecross-key", "signer")
            .header("x-wirecross-time", &time)
            .header("x-wirecross-signature", "00")
    }));
    is_served(&service);
    let held = service.figure("wirecross_bodies_bytes");
    let limit = service.figure("wirecross_bodies_limit_bytes");
    assert!(held > Some(0) && held < limit, "{held:?} of {limit:?}");
    let grown = peak(&service) - before;
    assert!(grown < GROWN_MAX, "{grown} KiB more");
    assert!(statuses.iter().all(|it| [503, 408].contains(it)));
    assert!(statuses.contains(&503), "{statuses:?}");
    // Then there is room again for who signs right, whatever these clients do.
    let body = br#"{"jsonrpc":"2.0","id":1,"method":"key"}"#;
    while begun.elapsed() < super::BOUND {
        let time = now_ms().to_string();
        let signed = Signed {
            time: &time,
            nonce: "1",
            method: "POST",
            path: "/api/batch",
            body,
        };
        let head = signature(&signed, "signer", &SECRET);
        let answer = service.ask("POST", "/api/batch", &head, body);
        if answer.status == 200 {
            // One for each that was refused, and for nobody else.
            let refused = statuses.iter().filter(|it| **it == 503).count() as u64;
            assert!(service.figure("wirecross_bodies_refused_total") >= Some(refused));
            return;
        }
        assert_eq!(answer.status, 503, "{answer:?}");
    }
    panic!("no room was given back");
}
