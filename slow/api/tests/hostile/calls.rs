//! The same by gRPC: what its clients may send that no client of good will would.

use super::{Service, Settings, is_well, reset_all, resident, runtime, until_closed};
use axum::body::Bytes;
use axum::http::Request;
use flate2::Compression;
use flate2::write::GzEncoder;
use h2::client::SendRequest;
use std::io::Write;
use std::net::TcpStream;

/// Memory that all of it may cost, in KiB.
const GROWN_MAX: u64 = 60_000;

/// Codes of gRPC.
const INVALID_ARGUMENT: u32 = 3;
const NOT_FOUND: u32 = 5;
const RESOURCE_EXHAUSTED: u32 = 8;
const OUT_OF_RANGE: u32 = 11;
const UNIMPLEMENTED: u32 = 12;
const INTERNAL: u32 = 13;

const ROWS: &str = "wirecross.v1.Tables/Rows";
const HEALTH: &str = "grpc.health.v1.Health/Check";

fn started() -> Service {
    Service::with(&Settings {
        limits: "request_s = 2\nstall_s = 2\nstrangers_per_second = 100000",
        more: "[grpc]\nlisten = \"127.0.0.1:0\"\n".to_owned(),
    })
}

/// Does it, and looks that the service lives on and has not grown.
fn survives(act: impl FnOnce(&Service)) {
    let service = started();
    is_well(&service);
    let before = resident(&service);
    act(&service);
    is_well(&service);
    let client = runtime().block_on(async {
        let client = connected(&service).await;
        called(&client, "wirecross.v1.Tables/Key", &[], &[message(0, &[])]).await
    });
    assert_eq!(client, Some(0), "gRPC goes on");
    let grown = resident(&service).saturating_sub(before);
    assert!(grown < GROWN_MAX, "{grown} KiB more");
}

async fn connected(service: &Service) -> SendRequest<Bytes> {
    let stream = tokio::net::TcpStream::connect(service.grpc()).await;
    let (client, connection) = h2::client::handshake(stream.unwrap()).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A message behind its five bytes.
fn message(flag: u8, bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u32).to_be_bytes();
    [&[flag][..], &length, bytes].concat()
}

/// The status that a call comes to, which is sent in these parts; none where the stream is ended.
async fn called(
    client: &SendRequest<Bytes>,
    call: &str,
    head: &[(&str, &str)],
    parts: &[Vec<u8>],
) -> Option<u32> {
    let mut request = Request::post(format!("http://venue/{call}"))
        .header("content-type", "application/grpc")
        .header("authorization", "Bearer auditor-token");
    for (name, value) in head {
        request = request.header(*name, *value);
    }
    let mut client = client.clone().ready().await.ok()?;
    let sent = client.send_request(request.body(()).unwrap(), parts.is_empty());
    let (answer, mut body) = sent.ok()?;
    for (number, part) in parts.iter().enumerate() {
        let is_last = number + 1 == parts.len();
        // Who is refused early need not be listened to.
        let _ = body.send_data(part.clone().into(), is_last);
    }
    let (parts, mut body) = answer.await.ok()?.into_parts();
    let mut headers = parts.headers;
    while let Some(data) = body.data().await {
        let data = data.ok()?;
        let _ = body.flow_control().release_capacity(data.len());
    }
    headers.extend(body.trailers().await.ok()?.unwrap_or_default());
    headers.get("grpc-status")?.to_str().ok()?.parse().ok()
}

/// What a call is made of: its metadata, and the parts that its messages are sent in.
type Sent<'s> = (&'s [(&'s str, &'s str)], Vec<Vec<u8>>);

/// What each of them comes to, on one connection.
fn codes(service: &Service, call: &str, all: &[Sent<'_>]) -> Vec<Option<u32>> {
    runtime().block_on(async {
        let client = connected(service).await;
        let mut codes = Vec::new();
        for (head, parts) in all {
            codes.push(called(&client, call, head, parts).await);
        }
        codes
    })
}

#[test]
fn messages_that_are_none_are_refused() {
    survives(|service| {
        let deep = [0x0b; 10_000].to_vec();
        let broken: Vec<Vec<u8>> = vec![
            vec![0xff],
            vec![10, 100, 1],
            vec![0xff; 100],
            deep,
            // A text that is none.
            vec![10, 2, 0xc3, 0x28],
            // A map whose entry says that it is 4 GiB long.
            vec![18, 0xff, 0xff, 0xff, 0xff, 0x0f],
        ];
        let broken: Vec<_> = broken
            .iter()
            .map(|it| (&[][..], vec![message(0, it)]))
            .collect();
        assert_eq!(codes(service, ROWS, &broken), vec![Some(INTERNAL); 6]);
        let told_long = [&[0][..], &u32::MAX.to_be_bytes(), &[1, 2, 3]].concat();
        let short = [&[0][..], &9u32.to_be_bytes(), &[1]].concat();
        let odd: [Sent<'_>; 6] = [
            (&[], vec![told_long]),
            (&[], vec![short]),
            (&[], vec![vec![0, 0]]),
            (&[], vec![]),
            (&[], vec![message(7, &[])]),
            // Two messages where one is asked for.
            (&[], vec![message(0, &[]), message(0, &[])]),
        ];
        // The first of two is what was asked: no query has an empty name.
        let due = [
            OUT_OF_RANGE,
            INTERNAL,
            INTERNAL,
            INTERNAL,
            INTERNAL,
            NOT_FOUND,
        ];
        assert_eq!(codes(service, ROWS, &odd), due.map(Some));
    });
}

#[test]
fn bombs_of_messages_are_not_unpacked() {
    survives(|service| {
        let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
        bomb.write_all(&vec![0; 64 << 20]).unwrap();
        let bomb = bomb.finish().unwrap();
        let gzip: &[(&str, &str)] = &[("grpc-encoding", "gzip")];
        let small = bomb.get(..100_000).unwrap_or(&bomb).to_vec();
        let found = codes(
            service,
            ROWS,
            &[
                (gzip, vec![message(1, &small)]),
                (&[("grpc-encoding", "snappy")], vec![message(1, &small)]),
                (&[], vec![message(1, &small)]),
            ],
        );
        let due = [UNIMPLEMENTED, UNIMPLEMENTED, INTERNAL];
        assert_eq!(found, due.map(Some));
    });
}

#[test]
fn what_does_not_end_is_not_kept() {
    survives(|service| {
        let chunk = vec![0; 16_384];
        let endless = vec![chunk; 4_000];
        let found = codes(service, ROWS, &[(&[], endless)]);
        assert!(
            [Some(RESOURCE_EXHAUSTED), None].contains(&found[0]),
            "{found:?}"
        );
        // Of what anybody may ask, little is read.
        let large = vec![message(0, &[0; 20_000])];
        let found = codes(service, HEALTH, &[(&[], large)]);
        assert_eq!(found, [Some(RESOURCE_EXHAUSTED)]);
        for call in [ROWS, HEALTH] {
            assert_eq!(runtime().block_on(waited(service, call)), "4", "{call}");
        }
    });
}

/// The status of a call without a message, among others like it, when its time is over.
async fn waited(service: &Service, call: &str) -> String {
    let client = connected(service).await;
    let mut open = Vec::new();
    for _ in 0..20 {
        let request = Request::post(format!("http://venue/{call}"))
            .header("content-type", "application/grpc")
            .header("authorization", "Bearer auditor-token")
            .body(());
        let mut client = client.clone().ready().await.unwrap();
        open.push(client.send_request(request.unwrap(), false).unwrap());
    }
    let (answer, _kept) = open.swap_remove(0);
    let head = answer.await.unwrap().into_parts().0.headers;
    let status = head.get("grpc-status").unwrap();
    status.to_str().unwrap().to_owned()
}

#[test]
fn metadata_has_its_bound() {
    survives(|service| {
        let value = "a".repeat(4_000);
        let many: Vec<(&str, &str)> = ["x-a", "x-b", "x-c", "x-d", "x-e", "x-f"]
            .map(|name| (name, &*value))
            .to_vec();
        let found = codes(service, ROWS, &[(&many, vec![message(0, &[])])]);
        assert_eq!(found, [None], "it is not even looked at");
        // A head that goes on and on.
        let mut stream = raw(service);
        let mut sent = 0;
        let first = frame(1, 0, 1, &[0x82; 16]);
        let _ = stream.write_all(&first);
        let more = frame(9, 0, 1, &[0x40; 16_000]);
        while sent < 10_000 && stream.write_all(&more).is_ok() {
            sent += 1;
        }
        assert!(sent < 10_000, "160 MiB were taken");
    });
}

/// A connection whose frames are made by hand.
fn raw(service: &Service) -> TcpStream {
    let mut stream = TcpStream::connect(service.grpc()).unwrap();
    stream.set_read_timeout(Some(super::BOUND)).unwrap();
    stream.set_write_timeout(Some(super::BOUND)).unwrap();
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .unwrap();
    stream.write_all(&frame(4, 0, 0, &[])).unwrap();
    stream
}

/// A frame of HTTP/2: kind, flags, stream.
fn frame(kind: u8, flags: u8, stream: u32, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    let stream = stream.to_be_bytes();
    [&length[1..], &[kind, flags], &stream, body].concat()
}

/// A head by words of the table of HPACK: POST, http, and a path as it is.
fn head() -> Vec<u8> {
    let path = format!("/{ROWS}");
    let mut head = vec![0x83, 0x86, 0x04, path.len() as u8];
    head.extend(path.as_bytes());
    head
}

#[test]
fn who_breaks_the_rules_of_connections_is_ended() {
    survives(|service| {
        // Calls by the thousand at once, whatever was agreed.
        let mut stream = raw(service);
        for number in 0..5_000 {
            if stream
                .write_all(&frame(1, 4, 2 * number + 1, &head()))
                .is_err()
            {
                break;
            }
        }
        drop(stream);
        let broken = [
            // A frame of 1 MiB, where 16 KiB were agreed on; one of a stream that is not there;
            // a window that overflows; settings that are none; a head that no table has.
            frame(0, 0, 1, &vec![0; 1 << 20]),
            frame(0, 0, 7, &[0; 10]),
            frame(8, 0, 0, &[0x7f, 0xff, 0xff, 0xff]),
            frame(4, 0, 0, &[0, 4, 0xff, 0xff, 0xff, 0xff]),
            frame(1, 4, 1, &[0xff; 100]),
        ];
        for bytes in broken {
            let mut stream = raw(service);
            let _ = stream.write_all(&bytes);
            until_closed(&mut stream);
        }
        // Words that must be answered, by who reads no answer.
        let mut stream = raw(service);
        stream
            .set_write_timeout(Some(std::time::Duration::from_millis(500)))
            .unwrap();
        let pings = frame(6, 0, 0, &[0; 8]).repeat(1_000);
        let begun = std::time::Instant::now();
        while begun.elapsed() < super::BOUND {
            match stream.write_all(&pings) {
                Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => break,
                _ => {}
            }
        }
        assert!(begun.elapsed() < super::BOUND, "it was not ended");
    });
}

#[test]
fn calls_that_are_taken_back_at_once_end_the_connection() {
    survives(|service| {
        for _ in 0..3 {
            let path = format!("http://venue/{ROWS}");
            let request = || Request::post(&path).body(()).unwrap();
            let count = runtime().block_on(reset_all(service.grpc(), request));
            assert!(count < 100_000, "all {count} were taken");
        }
    });
}

/// A client that gives no room for answers has as many of them waiting as it may have calls.
#[test]
fn who_takes_no_answer_has_few_of_them() {
    survives(|service| {
        runtime().block_on(async {
            let stream = tokio::net::TcpStream::connect(service.grpc())
                .await
                .unwrap();
            let mut builder = h2::client::Builder::new();
            builder.initial_window_size(0);
            let (client, connection) = builder.handshake::<_, Bytes>(stream).await.unwrap();
            tokio::spawn(connection);
            let (mut open, mut kept) = (Vec::new(), Vec::new());
            for _ in 0..40 {
                let request = Request::post("http://venue/wirecross.v1.Tables/Key")
                    .header("content-type", "application/grpc")
                    .header("authorization", "Bearer auditor-token")
                    .body(());
                let sent = client.clone().ready().await.unwrap();
                let (answer, mut body) = { sent }.send_request(request.unwrap(), false).unwrap();
                body.send_data(message(0, &[]).into(), true).unwrap();
                open.push((answer, body));
            }
            // As many as a connection has; the next one waits, or is refused.
            let mut open = open.into_iter();
            for (answer, _) in open.by_ref().take(32) {
                kept.push(answer.await.unwrap());
            }
            let (next, _) = open.next().unwrap();
            let moment = std::time::Duration::from_millis(300);
            let next = tokio::time::timeout(moment, next).await;
            assert!(!matches!(next, Ok(Ok(_))), "{next:?}");
            // Others are served meanwhile.
            let other = connected(service).await;
            let key = "wirecross.v1.Tables/Key";
            assert_eq!(called(&other, key, &[], &[message(0, &[])]).await, Some(0));
        });
    });
}

/// A connection of a client that gives so much room for each answer, and how it ends.
async fn narrow(
    at: std::net::SocketAddr,
    window: u32,
) -> (SendRequest<Bytes>, tokio::task::JoinHandle<()>) {
    let stream = tokio::net::TcpStream::connect(at).await.unwrap();
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(window);
    let (client, mut connection) = builder.handshake(stream).await.unwrap();
    let mut pings = connection.ping_pong().unwrap();
    // It lives, and says so all the time.
    tokio::spawn(async move { while pings.ping(h2::Ping::opaque()).await.is_ok() {} });
    let ended = tokio::spawn(async move {
        let _ = connection.await;
    });
    (client, ended)
}

/// A client that says that it lives keeps no answer for ever: not by giving no room, nor next to
/// none. Who takes a little at a time gets all.
#[test]
fn who_lives_and_takes_nothing_of_an_answer_is_ended() {
    survives(|service| {
        let path = format!("http://{}/metrics", service.address);
        let asked = || {
            let request = Request::get(&path).header("authorization", "Bearer metrics-token");
            request.body(()).unwrap()
        };
        runtime().block_on(async {
            let mut endings = Vec::new();
            for window in [0, 1] {
                let (client, ended) = narrow(service.address, window).await;
                let (answer, _) = { client.ready().await.unwrap() }
                    .send_request(asked(), true)
                    .unwrap();
                endings.push((answer.await.unwrap(), ended));
            }
            let (client, slow) = narrow(service.address, 1_024).await;
            let begun = std::time::Instant::now();
            let (answer, _) = { client.ready().await.unwrap() }
                .send_request(asked(), true)
                .unwrap();
            let mut body = answer.await.unwrap().into_body();
            let mut count = 0;
            while let Some(data) = body.data().await {
                count += data.unwrap().len();
                tokio::time::sleep(std::time::Duration::from_millis(120)).await;
                let room = body.flow_control();
                room.release_capacity(room.used_capacity()).unwrap();
            }
            assert!(begun.elapsed().as_secs() >= 3, "{count} bytes came at once");
            assert!(!slow.is_finished(), "the connection goes on");
            for (_, ended) in endings {
                tokio::time::timeout(super::BOUND, ended)
                    .await
                    .unwrap()
                    .unwrap();
            }
        });
    });
}

#[test]
fn what_is_no_call_is_none() {
    survives(|service| {
        let found = codes(service, "no.Such/Call", &[(&[], vec![message(0, &[])])]);
        assert_eq!(found, [Some(UNIMPLEMENTED)]);
        let long = format!("no.Such/{}", "a".repeat(8_000));
        let found = codes(service, &long, &[(&[], vec![message(0, &[])])]);
        assert_eq!(found, [Some(UNIMPLEMENTED)]);
        let asked = [&[10, 4][..], b"tape", &[18, 6, 10, 4], b"from"].concat();
        let found = codes(service, ROWS, &[(&[], vec![message(0, &asked)])]);
        assert_eq!(
            found,
            [Some(INVALID_ARGUMENT)],
            "a parameter without a value"
        );
        for nonsense in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 100], &[0xff; 1_000]] {
            let mut stream = TcpStream::connect(service.grpc()).unwrap();
            stream.set_read_timeout(Some(super::BOUND)).unwrap();
            let _ = stream.write_all(nonsense);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            until_closed(&mut stream);
        }
    });
}
