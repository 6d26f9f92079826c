//! Calls by who signs, over connections that are private, and with words of others.

use super::started;
use crate::service::calls::{Client, Done, field, until};
use crate::service::{SECRET, Service, Settings, now_ms, signature, words};
use api::keys::Signed;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, rustls};

const KEY: &str = "wirecross.v1.Tables/Key";
const ROWS: &str = "wirecross.v1.Tables/Rows";

/// A call for who a key is, signed for this call at this time, with a nonce, by a name and secret.
async fn signed(
    client: &Client,
    (call, time, nonce): (&str, &str, &str),
    (name, secret): (&str, &[u8; 32]),
) -> Done {
    let path = format!("/{call}");
    let signed = Signed {
        time,
        nonce,
        method: "POST",
        path: &path,
        // No flag, no length, and nothing behind that.
        body: &[0; 5],
    };
    let lines = signature(&signed, name, secret);
    let pairs = lines.iter().map(|line| line.split_once(": ").unwrap());
    let pairs: Vec<(String, &str)> = pairs.map(|(k, v)| (k.to_lowercase(), v)).collect();
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(k, v)| (&**k, *v)).collect();
    client.call_with(KEY, ("", &pairs), &[], usize::MAX).await
}

#[test]
fn a_signed_call_is_good_once_and_for_what_was_signed() {
    let service = started("", "");
    until(async {
        let client = Client::connect(service.grpc()).await;
        let (signer, time) = (("signer", &SECRET), now_ms().to_string());
        let done = signed(&client, (KEY, &time, "1"), signer).await;
        assert_eq!((done.code, done.messages.len()), (0, 1), "{done:?}");
        let says = String::from_utf8_lossy(&done.messages[0]).into_owned();
        assert!(says.contains("signer"), "{says}");
        let again = signed(&client, (KEY, &time, "1"), signer).await;
        assert_eq!(again.code, 16, "{again:?}");
        assert_eq!(signed(&client, (KEY, &time, "2"), signer).await.code, 0);
        let early = (now_ms() - 60_000).to_string();
        for (what, (call, time), nonce, by) in [
            ("call", (ROWS, &time), "3", signer),
            ("time", (KEY, &early), "4", signer),
            ("secret", (KEY, &time), "5", ("signer", &[8; 32])),
            ("key", (KEY, &time), "6", ("auditor", &SECRET)),
            ("name", (KEY, &time), "7", ("nobody", &SECRET)),
        ] {
            let done = signed(&client, (call, time, nonce), by).await;
            assert_eq!(done.code, 16, "another {what}: {done:?}");
        }
    });
}

#[test]
fn calls_are_private_where_there_is_a_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["venue".to_owned()]).unwrap();
    let (chain, key) = (dir.path().join("chain.pem"), dir.path().join("key.pem"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let settings = Settings {
        limits: "request_s = 1",
        more: format!(
            "tls = {{ certificate = {chain:?}, key = {key:?} }}\n[grpc]\nlisten = \"127.0.0.1:0\"\n"
        ),
    };
    let service = Service::among(dir, &settings);
    let at = service.grpc();
    until(async {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let mut config = rustls::ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stream = TcpStream::connect(at).await.unwrap();
        let name = rustls::pki_types::ServerName::try_from("venue").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector.connect(name, stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let client = Client::over(stream).await;
        let done = client.call(KEY, "auditor", &[], usize::MAX).await;
        assert_eq!(done.code, 0, "{done:?}");
        let done = client.call(KEY, "", &[], usize::MAX).await;
        assert_eq!(done.code, 16, "{done:?}");
        // Plain text is no way in.
        let plain = TcpStream::connect(at).await.unwrap();
        let (client, connection) = h2::client::handshake(plain).await.unwrap();
        let ended = tokio::spawn(connection);
        let request = axum::http::Request::post(format!("http://venue/{KEY}"));
        let request = request.header("authorization", "Bearer auditor-token");
        let mut client = client.ready().await.unwrap();
        let sent = client.send_request(request.body(()).unwrap(), true);
        match sent {
            Ok((answer, _)) => assert!(answer.await.is_err()),
            Err(error) => assert!(!error.is_reset(), "{error}"),
        }
        assert!(ended.await.unwrap().is_err());
    });
}

/// What others may take for a statement, a mark or a line is a value, an unknown name, or none.
#[test]
fn words_of_others_are_no_statements() {
    let service = started("", "");
    let all = [
        "open-orders",
        "trades",
        "tape",
        "bars",
        "positions",
        "profits",
        "audit",
        "turns",
        "tops",
    ];
    until(async {
        let client = Client::connect(service.grpc()).await;
        let of = |query: &str, name: &str, value: &str| {
            let pair = [field(1, name.as_bytes()), field(2, value.as_bytes())].concat();
            [field(1, query.as_bytes()), field(2, &pair)].concat()
        };
        let ask = async |message: Vec<u8>| client.call(ROWS, "eager", &message, usize::MAX).await;
        let counts = async || {
            let mut counts = Vec::new();
            for query in all {
                let done = ask(field(1, query.as_bytes())).await;
                counts.push((done.code, done.messages));
            }
            counts
        };
        let before = counts().await;
        assert!(before.iter().all(|(code, _)| *code == 0), "{before:?}");
        let empty = ask(of("tape", "symbol", "NOBODY'S")).await.messages;
        for words in words() {
            for query in all {
                let done = ask(of(query, "symbol", &words)).await;
                // It is no symbol, or one of which there is nothing.
                let is_nothing = done.code == 0 && done.messages == empty;
                assert!(done.code == 3 || is_nothing, "{query}: {words:?}: {done:?}");
            }
            let done = ask(of("positions", "account", &words)).await;
            let is_number = words.parse::<u32>().is_ok();
            assert!(done.code == 3 || is_number, "account {words:?}: {done:?}");
            let done = ask(of("tape", &words, "1")).await;
            assert_eq!(done.code, 3, "parameter {words:?}: {done:?}");
            let done = ask(field(1, words.as_bytes())).await;
            assert_eq!(done.code, 5, "query {words:?}: {done:?}");
        }
        assert_eq!(counts().await, before);
    });
}
