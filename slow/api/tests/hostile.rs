//! What clients do who mean no good, or know no better: bounded, refused, and nobody else notices.
#![allow(clippy::unwrap_used)]

#[path = "hostile/bodies.rs"]
mod bodies;
#[path = "hostile/calls.rs"]
mod calls;
mod service;

use axum::http::Request;
use serde_json::Value;
use service::{BOUND, Service, Settings, token, words};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_rustls::rustls;

/// Counts clients that took nothing or did not live.
const STALLED: &str = "wirecross_connections_stalled_total";

fn with(limits: &'static str) -> Service {
    Service::with(&Settings {
        limits,
        more: String::new(),
    })
}

/// Memory that the process has, in KiB.
fn resident(service: &Service) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.process())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn is_well(service: &Service) {
    let answer = service.get("/api/v1/tops", "auditor");
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// What strangers say forges no line of the log, and each request is one with who asked for it.
#[test]
fn the_log_is_a_line_a_request_whatever_they_say() {
    let mut service = Service::with(&Settings {
        limits: "slow_ms = 1\nstrangers_per_second = 1000",
        more: "log = { format = \"json\", level = \"debug\" }".to_owned(),
    });
    service.get("/api/v1/tops", "auditor");
    service.get(
        "/api/v1/tops?symbol=%0A%7B%22level%22:%22error%22%7D%1b",
        "auditor",
    );
    service.get("/%0A%7B%22level%22:%22error%22%7D", "nobody\u{1b}[2J");
    let slow = r#"{"jsonrpc":"2.0","id":1,"method":"quant.simulate",
        "params":{"paths":200000,"option":"asian","rate":0.01}}"#;
    assert_eq!(service.post(slow, "auditor").status, 200);
    let text = service.said();
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("wirecross-api: INSECURE"));
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    let told = |name: &str| -> Vec<&Value> {
        let all = lines.iter().filter(|it| it["message"] == name);
        all.map(|it| &it["fields"]).collect()
    };
    let requests = told("request");
    assert_eq!(requests.len(), 3, "{text}");
    for (request, path) in requests
        .iter()
        .zip(["/api/v1/tops", "/api/v1/tops", "/api/batch"])
    {
        assert_eq!(
            (&request["path"], &request["key"]),
            (&path.into(), &"auditor".into())
        );
        assert!(
            request["ms"].as_f64() > Some(0.0) && request["status"].is_u64(),
            "{request}"
        );
    }
    let slow = told("a slow request");
    assert!(slow.iter().any(|it| it["path"] == "/api/batch"), "{text}");
    assert!(lines.iter().all(|it| it["level"] != "error"), "{text}");
}

#[test]
fn words_of_others_stay_in_their_line() {
    let mut service = Service::with(&Settings {
        limits: "",
        more: "log = { format = \"json\", level = \"debug\" }".to_owned(),
    });
    for words in words() {
        let escaped: String = words.bytes().map(|byte| format!("%{byte:02x}")).collect();
        service.get(&format!("/{escaped}"), "eager");
        service.get(&format!("/api/v1/tops?symbol={escaped}"), "eager");
    }
    let text = service.said();
    let mut count = 0;
    let is_ours = |line: &&str| line.starts_with("wirecross-api: INSECURE");
    for line in text.lines().filter(|line| !is_ours(line)) {
        let told: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        count += usize::from(told["message"] == "request");
        assert!(
            told["level"] != "error" && !line.chars().any(char::is_control),
            "{line:?}"
        );
    }
    assert_eq!(count, words().count(), "{text}");
}

#[test]
fn bombs_are_refused() {
    let service = with("body_kib = 64\nbatch_max = 10");
    let deep = "[".repeat(30_000);
    let answer = service.post(&deep, "market");
    assert_eq!(answer.json()["error"]["code"], -32_700, "{answer:?}");
    let deep = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tops\",\"params\":{}}}",
        "{\"a\":".repeat(8_000)
    );
    let answer = service.post(&deep, "market");
    assert_eq!(answer.json()["error"]["code"], -32_700, "{answer:?}");
    let call = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tops\"}";
    let many = format!("[{}]", [call; 11].join(","));
    let answer = service.post(&many, "market");
    assert_eq!(answer.status, 413, "{answer:?}");
    assert!(answer.told().contains("no more than 10"), "{answer:?}");
    let wide = format!("[{}]", ["1"; 30_000].join(","));
    assert_eq!(service.post(&wide, "market").status, 413);
    let large = " ".repeat(64 * 1_024 + 1);
    let answer = service.post(&large, "market");
    assert_eq!(answer.status, 413, "{answer:?}");
    // Nothing is unpacked, so nothing can burst: what is compressed is no JSON.
    let mut head = token("market");
    head.push("Content-Encoding: gzip".into());
    let answer = service.ask("POST", "/api/batch", &head, &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    assert_eq!(answer.json()["error"]["code"], -32_700);
    is_well(&service);
}

/// The head of a batch, with a line that says how long it is.
fn post_head(length: &str) -> String {
    let token = &token("auditor")[0];
    format!("POST /api/batch HTTP/1.1\r\nHost: x\r\n{token}\r\n{length}\r\n\r\n")
}

#[test]
fn a_body_without_an_end_and_one_that_is_announced_too_large_are_refused() {
    let service = with("body_kib = 64");
    let mut stream = service.connect();
    let head = post_head("Transfer-Encoding: chunked");
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4_096));
    let mut sent = 0;
    while sent < 10_000 && stream.write_all(chunk.as_bytes()).is_ok() {
        sent += 1;
    }
    assert!(sent < 10_000, "40 MiB were taken");
    let mut stream = service.connect();
    let head = post_head("Content-Length: 99999999999");
    stream.write_all(head.as_bytes()).unwrap();
    let mut told = vec![0; 4_096];
    let count = stream.read(&mut told).unwrap();
    assert!(
        told[..count].starts_with(b"HTTP/1.1 413"),
        "{:?}",
        &told[..count]
    );
    is_well(&service);
}

#[test]
fn heads_that_are_too_large_or_no_heads_are_refused() {
    let service = with("");
    let long = format!("X: {}", "a".repeat(40_000));
    let status = service.ask("GET", "/healthz", &[long], &[]).status;
    assert!([400, 431, 0].contains(&status), "{status}");
    let many: Vec<String> = (0..500).map(|number| format!("X-{number}: 1")).collect();
    let status = service.ask("GET", "/healthz", &many, &[]).status;
    assert!([400, 431, 0].contains(&status), "{status}");
    let path = format!("/{}", "a".repeat(60_000));
    let status = service.ask("GET", &path, &[], &[]).status;
    assert!([400, 404, 414, 431, 0].contains(&status), "{status}");
    for nonsense in [
        &b"\0\0\0\0"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense behind the preface",
    ] {
        let mut stream = service.connect();
        stream.write_all(nonsense).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        // Whatever it says, it ends.
        let _ = stream.read_to_end(&mut rest);
    }
    is_well(&service);
}

/// Reads until the other side ends the connection, by whatever way.
fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let begun = Instant::now();
    let mut told = Vec::new();
    let mut bytes = [0; 65_536];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return told,
            Ok(count) => told.extend(&bytes[..count]),
            Err(error) => {
                assert!(begun.elapsed() < BOUND, "still open: {error}");
                return told;
            }
        }
    }
}

#[test]
fn who_is_slow_is_not_waited_for() {
    let service = with("request_s = 1\nstall_s = 1");
    // A head that never ends, a body that never comes, and silence.
    let mut streams: Vec<TcpStream> = (0..3).map(|_| service.connect()).collect();
    streams[0].write_all(b"GET / HTTP/1.1\r\nX: ").unwrap();
    let head = post_head("Content-Length: 10") + "[";
    streams[1].write_all(head.as_bytes()).unwrap();
    until_closed(&mut streams[0]);
    let told = String::from_utf8(until_closed(&mut streams[1])).unwrap();
    assert!(told.starts_with("HTTP/1.1 408"), "{told}");
    until_closed(&mut streams[2]);
    is_well(&service);
}

#[test]
fn who_takes_nothing_is_ended() {
    let service = with("stall_s = 1");
    let mut stream = service.connect();
    // Many requests at once, whose answers nobody reads.
    let mut text = String::new();
    for _ in 0..100 {
        let head = &token("auditor")[0];
        let _ = write!(text, "GET /metrics HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n");
    }
    let begun = Instant::now();
    stream
        .set_write_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    // Until it is reset: what is sent is taken as long as answers find room.
    while begun.elapsed() < BOUND {
        match stream.write_all(text.as_bytes()) {
            Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => break,
            _ => {}
        }
    }
    assert!(begun.elapsed() < BOUND, "it was not ended");
    assert!(resident(&service) < 200_000, "{} KiB", resident(&service));
    assert_eq!(service.figure(STALLED), Some(1));
    is_well(&service);
}

#[test]
fn connections_are_counted_by_address() {
    let service = with("connections_an_address = 10");
    let kept: Vec<TcpStream> = (0..10).map(|_| service.connect()).collect();
    // The tenth may not be there yet.
    let mut more = service.connect();
    until_closed(&mut more);
    drop(kept);
    let begun = Instant::now();
    while service.get("/healthz", "").status != 200 {
        assert!(begun.elapsed() < BOUND, "no place was given back");
    }
    assert!(service.figure("wirecross_connections_refused_total") > Some(0));
    assert_eq!(service.figure("wirecross_connections"), Some(1));
}

#[test]
fn a_key_has_its_rate() {
    let service = with("");
    let answers: Vec<u16> = (0..20)
        .map(|_| service.get("/api/v1/key", "slow").status)
        .collect();
    assert_eq!(answers[..3], [200; 3]);
    assert!(answers.contains(&429), "{answers:?}");
    let refused = service.post("[1,2,3]", "slow");
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!(refused.head.contains("retry-after: "), "{refused:?}");
    is_well(&service);
}

#[test]
fn an_answer_has_its_size() {
    let service = with("answer_kib = 1");
    let many: Vec<String> = (0..50)
        .map(|id| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tape\"}}"))
        .collect();
    let answer = service
        .post(&format!("[{}]", many.join(",")), "market")
        .json();
    let answers = answer.as_array().unwrap();
    assert_eq!(answers.len(), 50);
    assert!(answers[0]["result"].is_array(), "{answer}");
    assert_eq!(answers[49]["error"]["code"], -32_013, "{answer}");
}

fn runtime() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap()
}

/// Opens streams and takes them back at once, until the other side has enough of it.
async fn reset_all(at: SocketAddr, request: impl Fn() -> Request<()>) -> usize {
    let stream = tokio::net::TcpStream::connect(at).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    let driver = tokio::spawn(connection);
    let mut client = client;
    let mut count = 0;
    while count < 100_000 {
        let ready = client.ready().await;
        let Ok(ready) = ready else { break };
        client = ready;
        let Ok((_, mut stream)) = client.send_request(request(), true) else {
            break;
        };
        stream.send_reset(h2::Reason::CANCEL);
        count += 1;
        if count % 16 == 0 {
            tokio::task::yield_now().await;
        }
    }
    driver.abort();
    count
}

#[test]
fn requests_that_are_taken_back_at_once_end_the_connection() {
    let service = with("");
    let before = resident(&service);
    for _ in 0..5 {
        let request = || Request::get("http://venue/metrics").body(()).unwrap();
        let count = runtime().block_on(reset_all(service.address, request));
        assert!(count < 100_000, "all {count} were taken");
    }
    is_well(&service);
    let grown = resident(&service).saturating_sub(before);
    assert!(grown < 50_000, "{grown} KiB more");
}

/// A client that believes this certificate alone.
fn client(certificate: &rcgen::Certificate, protocols: &[&[u8]]) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let mut config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|it| it.to_vec()).collect();
    config
}

#[test]
fn connections_are_private_where_there_is_a_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["venue".to_owned()]).unwrap();
    let (chain, key) = (dir.path().join("chain.pem"), dir.path().join("key.pem"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let settings = Settings {
        limits: "request_s = 1",
        more: format!("tls = {{ certificate = {chain:?}, key = {key:?} }}"),
    };
    let service = Service::among(dir, &settings);
    let runtime = runtime();
    let secured = |protocols: &'static [&'static [u8]]| {
        let config = Arc::new(client(&made.cert, protocols));
        async move {
            let stream = tokio::net::TcpStream::connect(service.address)
                .await
                .unwrap();
            let name = rustls::pki_types::ServerName::try_from("venue").unwrap();
            let connector = tokio_rustls::TlsConnector::from(config);
            connector.connect(name, stream).await.unwrap()
        }
    };
    runtime.block_on(async {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = secured(&[b"http/1.1"]).await;
        let head = token("auditor").remove(0);
        let text = format!(
            "GET /api/v1/tops HTTP/1.1\r\nHost: venue\r\nConnection: close\r\n{head}\r\n\r\n"
        );
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut told = String::new();
        let _ = stream.read_to_string(&mut told).await;
        assert!(told.starts_with("HTTP/1.1 200"), "{told}");
        let stream = secured(&[b"h2"]).await;
        let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get("https://venue/api/v1/tops")
            .header("authorization", "Bearer auditor-token")
            .body(())
            .unwrap();
        let (answer, _) = client.send_request(request, true).unwrap();
        assert_eq!(answer.await.unwrap().status(), 200);
    });
    // Who does not shake hands is not waited for, and plain text is no way in.
    let mut silent = service.connect();
    until_closed(&mut silent);
    let plain = service.get("/healthz", "");
    assert_ne!(plain.status, 200);
}
