//! Calls in the log and in traces: as requests over HTTP are told.

use super::SCALING;
#[cfg(feature = "otel")]
use super::started;
#[cfg(feature = "otel")]
use crate::service::BOUND;
use crate::service::calls::{Client, field, until};
use crate::service::{Service, Settings};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACED: [(&str, &str); 1] = [("traceparent", TRACE)];

/// Each call is told with its status, whether that stands in the head, behind the message or
/// nowhere because the client left; a slow one is told as such, a stream never.
#[test]
fn calls_are_told_as_requests_are() {
    let mut service = Service::with(&Settings {
        limits: "slow_ms = 1",
        more: format!(
            "log = {{ format = \"json\", level = \"debug\" }}\n{SCALING}[grpc]\n\
             listen = \"127.0.0.1:0\"\n"
        ),
    });
    let paths = [field(1, b"paths"), field(2, b"200000")].concat();
    let option = [field(1, b"option"), field(2, b"asian")].concat();
    let slow = [field(1, &paths), field(1, &option)].concat();
    let calls: [(&str, &str, &[u8], usize, u32); 4] = [
        ("wirecross.v1.Tables/Key", "auditor", &[], usize::MAX, 0),
        ("wirecross.v1.Tables/Key", "", &[], usize::MAX, 16),
        (
            "externalscaler.ExternalScaler/StreamIsActive",
            "auditor",
            &[],
            1,
            1,
        ),
        (
            "wirecross.v1.Quant/Simulate",
            "auditor",
            &slow,
            usize::MAX,
            0,
        ),
    ];
    until(async {
        let client = Client::connect(service.grpc()).await;
        for (call, key, message, answers, _) in calls {
            let done = client
                .call_with(call, (key, &TRACED), message, answers)
                .await;
            let trace = done.trace.unwrap();
            assert!(trace.starts_with(&TRACE[..36]) && trace != TRACE, "{trace}");
        }
        let done = client
            .call("no.Such/Call", "auditor", &[], usize::MAX)
            .await;
        assert_eq!((done.code, done.trace), (12, None));
    });
    let text = service.said();
    let lines = text.lines().filter_map(|it| serde_json::from_str(it).ok());
    let lines: Vec<serde_json::Value> = lines.collect();
    let told = |name: &str| -> Vec<&serde_json::Value> {
        let all = lines.iter().filter(|it| it["message"] == name);
        all.map(|it| &it["fields"]).collect()
    };
    let all = told("call");
    assert_eq!(all.len(), calls.len(), "{text}");
    for (call, key, _, _, status) in calls {
        let one = all.iter().find(|it| {
            (&it["call"], &it["status"]) == (&call.into(), &status.into())
                && it["parent"] == "00f067aa0ba902b7"
        });
        let one = one.unwrap_or_else(|| panic!("{call} by {key:?}: {text}"));
        assert_eq!(one["key"].as_str().unwrap_or(""), key, "{one}");
        assert_eq!(one["from"], "127.0.0.1", "{one}");
        assert!(one["ms"].as_f64() > Some(0.0), "{one}");
    }
    let slow = told("a slow call");
    assert!(
        slow.iter()
            .any(|it| it["call"] == "wirecross.v1.Quant/Simulate"),
        "{text}"
    );
    assert!(
        slow.iter()
            .all(|it| !it["call"].as_str().unwrap().contains("Stream"))
    );
}

/// Bytes that a collector was sent, until it goes away.
#[cfg(feature = "otel")]
fn collected(listener: &std::net::TcpListener, is_all: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    use std::io::{Read, Write};
    let mut all = Vec::new();
    while !is_all(&all) {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(BOUND)).unwrap();
        let (mut bytes, mut part) = (Vec::new(), [0; 65_536]);
        // Its head says how long it is.
        loop {
            let text = String::from_utf8_lossy(&bytes);
            let head = text.split_once("\r\n\r\n").map(|(head, _)| head);
            let length = head.and_then(|it| it.split_once("Content-Length: "));
            let length = length.and_then(|(_, it)| it.lines().next()?.parse::<usize>().ok());
            let end = bytes.windows(4).position(|it| it == b"\r\n\r\n");
            if let (Some(length), Some(end)) = (length, end)
                && bytes.len() >= end + 4 + length
            {
                break;
            }
            let count = stream.read(&mut part).unwrap();
            bytes.extend(&part[..count]);
        }
        all.extend(bytes);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    }
    all
}

/// What a collector gets of a confined service; and once it is gone all goes on.
#[cfg(feature = "otel")]
#[test]
fn spans_reach_a_collector_and_nobody_waits_for_one() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let trace = format!("[trace]\ncollector = \"{at}\"\nwaiting_max = 4\n");
    let mut service = started(&trace, "");
    service.confined();
    let head = [
        &crate::service::token("auditor")[..],
        &[format!("traceparent: {TRACE}")],
    ]
    .concat();
    let answer = service.ask("GET", "/api/v1/tops", &head, &[]);
    let back = format!("traceparent: {}", &TRACE[..36]);
    assert!(answer.head.contains(&back), "{answer:?}");
    until(async {
        let client = Client::connect(service.grpc()).await;
        let call = "wirecross.v1.Tables/Key";
        let done = client
            .call_with(call, ("auditor", &TRACED), &[], usize::MAX)
            .await;
        assert_eq!(done.code, 0);
    });
    let has = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|it| it == part);
    let told = collected(&listener, |bytes| {
        has(bytes, b"GET /api/v1/tops") && has(bytes, b"wirecross.v1.Tables/Key")
    });
    let trace = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes();
    let parent = 0x00f0_67aa_0ba9_02b7_u64.to_be_bytes();
    for part in [
        &b"wirecross-api"[..],
        &trace,
        &parent,
        b"rpc.method",
        b"127.0.0.1",
    ] {
        assert!(
            has(&told, part),
            "{part:?} in {}",
            String::from_utf8_lossy(&told)
        );
    }
    drop(listener);
    let figure = |name: &str| {
        let text = service.get("/metrics", "metrics").body;
        let line = text.lines().find(|it| it.starts_with(name)).unwrap();
        line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    // They count when the collector's answer is read.
    until(async {
        while figure("wirecross_trace_spans_total ") < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    let answered = |_| service.get("/api/v1/tops", "auditor").status == 200;
    assert!((0..100).all(answered));
    assert!(figure("wirecross_trace_dropped_total ") > 0);
}
