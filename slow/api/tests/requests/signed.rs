//! Requests that are signed: which are good, how often, and at which rate.

use crate::service::{SECRET, Service, Settings, now_ms, signature};
use api::keys::{Signed, digits_of};

#[test]
fn a_signature_is_good_once_and_for_what_was_signed() {
    let service = Service::start();
    let body = br#"{"jsonrpc":"2.0","id":1,"method":"key"}"#;
    let time = now_ms().to_string();
    let signed = Signed {
        time: &time,
        nonce: "1",
        method: "POST",
        path: "/api/batch",
        body,
    };
    let head = signature(&signed, "signer", &SECRET);
    let right = service.ask("POST", "/api/batch", &head, body);
    assert_eq!(right.json()["result"]["name"], "signer", "{right:?}");
    let status =
        |head: &[String], path: &str, body: &[u8]| service.ask("POST", path, head, body).status;
    assert_eq!(status(&head, "/api/batch", body), 401, "again");
    let other = Signed {
        nonce: "2",
        ..signed
    };
    let head = signature(&other, "signer", &SECRET);
    assert_eq!(status(&head, "/api/batch?x=1", body), 401, "another path");
    assert_eq!(status(&head, "/api/batch", b"[]"), 401, "another body");
    let head = signature(&other, "signer", &[8; 32]);
    assert_eq!(status(&head, "/api/batch", body), 401, "another secret");
    for name in ["nobody", "auditor", ""] {
        let head = signature(&other, name, &[0; 32]);
        assert_eq!(status(&head, "/api/batch", body), 401, "{name:?}");
    }
    for (off, due) in [
        (-60_000i64, 401),
        (60_000, 401),
        (-1_000, 200),
        (1_000, 200),
    ] {
        let time = (now_ms() as i64 + off).to_string();
        let signed = Signed {
            time: &time,
            ..other
        };
        let head = signature(&signed, "signer", &SECRET);
        assert_eq!(status(&head, "/api/batch", body), due, "{off} ms off");
    }
    let head = signature(
        &Signed {
            time: "soon",
            ..other
        },
        "signer",
        &SECRET,
    );
    assert_eq!(status(&head, "/api/batch", body), 401, "no time");
}

/// It is told so, and what it signed stays good for the time that it says.
#[test]
fn who_signs_above_its_rate_waits() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("brisk");
    std::fs::write(&file, digits_of(&SECRET)).unwrap();
    let more = format!(
        "[[keys]]\nname = \"brisk\"\nrole = \"market\"\nper_second = 1\nat_once = 2\n\
         secret_file = {file:?}\n"
    );
    let service = Service::among(dir, &Settings { limits: "", more });
    // As far ahead as a clock may well be, so it is good for long.
    let time = (now_ms() + 3_000).to_string();
    let asked = |nonce: &str| {
        let signed = Signed {
            time: &time,
            nonce,
            method: "GET",
            path: "/api/v1/tops",
            body: &[],
        };
        let head = signature(&signed, "brisk", &SECRET);
        service.ask("GET", "/api/v1/tops", &head, &[])
    };
    assert_eq!(asked("0").status, 200);
    let mut all = (1..1_000).map(|number| number.to_string());
    let (nonce, refused) = all
        .find_map(|nonce| {
            let answer = asked(&nonce);
            (answer.status != 200).then_some((nonce, answer))
        })
        .unwrap();
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!(refused.head.contains("retry-after: 1"), "{refused:?}");
    assert_eq!(asked("0").status, 401, "it was here before");
    let mut last = refused;
    while last.status == 429 {
        last = asked(&nonce);
    }
    assert_eq!(last.status, 200, "{last:?}");
    assert_eq!(asked(&nonce).status, 401, "it was done");
}
