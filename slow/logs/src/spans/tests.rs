//! What a collector gets, as its own messages have it, and what becomes of spans without one.

use super::*;
use crate::settings::{Export, SpanCounts};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use prost::Message;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, SocketAddrV4, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tracing_subscriber::layer::SubscriberExt;

/// Longer than anything here takes.
const BOUND: Duration = Duration::from_secs(60);

const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A collector that answers each message by the next of these words, and says what it was sent.
fn collector(words: &'static [&'static str]) -> (Export, Receiver<ExportTraceServiceRequest>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let export = Export {
        timeout_ms: 200,
        waiting_max: 4,
        ..Export::to(at(&listener))
    };
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for word in words {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
            let (mut line, mut length) = (String::new(), 0);
            reader.read_line(&mut line).expect("a request");
            assert_eq!(line, "POST /v1/traces HTTP/1.1\r\n");
            while line != "\r\n" {
                line.clear();
                reader.read_line(&mut line).expect("a header");
                if let Some(told) = line.strip_prefix("Content-Length: ") {
                    length = told.trim().parse().expect("a length");
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            let message = ExportTraceServiceRequest::decode(&*body).expect("a message");
            tell.send(message).expect("a listener");
            stream.write_all(word.as_bytes()).expect("an answer");
        }
    });
    (export, told)
}

fn at(listener: &TcpListener) -> SocketAddrV4 {
    match listener.local_addr().expect("an address") {
        SocketAddr::V4(at) => at,
        SocketAddr::V6(at) => panic!("{at}"),
    }
}

/// What becomes of what is done with spans that go there.
fn exported(export: Export, act: impl FnOnce()) -> SpanCounts {
    let exporter = Exporter::new("wirecross-api", export);
    let layer = Spans::filtered(Arc::clone(&exporter));
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, act);
    // So all of it goes in one message.
    exporter.start().expect("a thread");
    exporter.drain(BOUND);
    exporter.counts()
}

fn attributes(all: &[opentelemetry_proto::tonic::common::v1::KeyValue]) -> Vec<(&str, &Any)> {
    let pair = |it| -> (&str, &Any) {
        let it: &opentelemetry_proto::tonic::common::v1::KeyValue = it;
        let value = it.value.as_ref().and_then(|it| it.value.as_ref());
        (&it.key, value.expect("a value"))
    };
    all.iter().map(pair).collect()
}

#[test]
fn spans_arrive_with_names_parents_times_and_attributes() {
    let (export, told) = collector(&["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]);
    let trace = Trace::of(Some(HEADER)).expect("a trace");
    let (before, own) = (now_ns(), trace.to_string());
    let counts = exported(export, || {
        let (traceparent, parent) = (own.as_str(), trace.parent());
        let request = tracing::debug_span!(
            "request",
            method = "GET",
            path = "/api/v1/tops",
            status = tracing::field::Empty,
            traceparent,
            parent
        );
        request.in_scope(|| {
            tracing::warn!(count = 3, share = 0.5, "it is slow");
            tracing::trace!("nobody is to hear of this");
            drop(tracing::debug_span!("reads", rows = 7));
        });
        request.record("status", 503);
    });
    assert_eq!((counts.exported, counts.dropped), (2, 0));
    let message = told.recv_timeout(BOUND).expect("a message");
    let resource = message.resource_spans[0].resource.as_ref().expect("whose");
    let program = Any::StringValue("wirecross-api".to_owned());
    assert!(attributes(&resource.attributes).contains(&("service.name", &program)));
    let spans = &message.resource_spans[0].scope_spans[0].spans;
    let [inner, outer] = &spans[..] else {
        panic!("{spans:?}");
    };
    assert_eq!((&*outer.name, outer.kind), ("GET /api/v1/tops", 2));
    assert_eq!(outer.trace_id, trace.id.to_be_bytes());
    assert_eq!(outer.span_id, trace.span.to_be_bytes());
    assert_eq!(outer.parent_span_id, 0x00f0_67aa_0ba9_02b7u64.to_be_bytes());
    assert_eq!(outer.status.as_ref().map(|it| it.code), Some(2), "an error");
    let found = attributes(&outer.attributes);
    for (name, value) in [
        ("http.request.method", Any::StringValue("GET".to_owned())),
        ("http.route", Any::StringValue("/api/v1/tops".to_owned())),
        ("http.response.status_code", Any::IntValue(503)),
    ] {
        assert!(found.contains(&(name, &value)), "{name}: {found:?}");
    }
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!((&*inner.name, inner.kind), ("reads", 1));
    assert_eq!(inner.parent_span_id, outer.span_id);
    assert_eq!(inner.trace_id, outer.trace_id);
    let times = [
        before,
        outer.start_time_unix_nano,
        inner.start_time_unix_nano,
        inner.end_time_unix_nano,
        outer.end_time_unix_nano,
    ];
    assert!(times.is_sorted(), "{times:?}");
    let [event] = &outer.events[..] else {
        panic!("{:?}", outer.events);
    };
    assert_eq!(event.name, "it is slow");
    let found = attributes(&event.attributes);
    assert!(found.contains(&("count", &Any::IntValue(3))), "{found:?}");
    assert!(
        found.contains(&("share", &Any::DoubleValue(0.5))),
        "{found:?}"
    );
}

#[test]
fn who_began_a_trace_decides_whether_it_is_kept() {
    let (export, told) = collector(&["HTTP/1.1 200 OK\r\n\r\n"]);
    let counts = exported(export, || {
        let unkept = HEADER.replace("-01", "-00");
        let own = Trace::of(Some(&unkept)).expect("a trace").to_string();
        let unkept = tracing::debug_span!("request", traceparent = own);
        unkept.in_scope(|| drop(tracing::debug_span!("inner")));
        drop(tracing::debug_span!("kept", took_us = 5_000_000));
    });
    assert_eq!((counts.exported, counts.dropped), (1, 0));
    let message = told.recv_timeout(BOUND).expect("a message");
    let spans = &message.resource_spans[0].scope_spans[0].spans;
    assert_eq!(spans[0].name, "kept");
    let took_ns = spans[0].end_time_unix_nano - spans[0].start_time_unix_nano;
    assert!(took_ns >= 5_000_000_000 && spans[0].attributes.is_empty());
    assert!(spans[0].parent_span_id.is_empty() && spans[0].trace_id != [0; 16]);
}

#[test]
fn a_collector_may_ask_for_them_again_refuse_them_and_reject_some() {
    const LATER: &str = "HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n";
    // Partial success: one span rejected.
    const SOME: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\x0a\x02\x08\x01";
    let both = || {
        drop(tracing::debug_span!("one"));
        drop(tracing::debug_span!("two"));
    };
    let (export, told) = collector(&[LATER, SOME]);
    let counts = exported(export, both);
    assert_eq!((counts.exported, counts.dropped), (1, 1));
    let [first, second] = [(); 2].map(|()| told.recv_timeout(BOUND).expect("a message"));
    assert_eq!(first, second, "the same again");
    let (export, _) = collector(&["HTTP/1.1 400 No\r\n\r\n"]);
    let counts = exported(export, both);
    assert_eq!((counts.exported, counts.dropped), (0, 2));
}

#[test]
fn a_collector_that_is_away_or_stalls_holds_nobody_up() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let export = Export {
        timeout_ms: 200,
        waiting_max: 4,
        ..Export::to(at(&listener))
    };
    // It takes connections, by its backlog, and no word of them; then not even those.
    for held in [Some(listener), None] {
        let many = || (0..1_000).for_each(|_| drop(tracing::debug_span!("request")));
        let counts = exported(export, many);
        assert_eq!((counts.exported, counts.dropped), (0, 1_000), "{held:?}");
    }
}
