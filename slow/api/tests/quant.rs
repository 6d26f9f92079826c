//! Commands of `wirecross quant` over HTTP, JSON-RPC and gRPC: the answers are the function's, what
//! is wrong is named, and nothing takes longer or is larger than it may be.
#![allow(clippy::unwrap_used)]

mod service;

use calculator::{ASKED, Stop, ask};
use serde_json::{Value, json};
use service::{BOUND, Service, Settings, example, token};
use std::time::Instant;

fn limited(limits: &'static str) -> Service {
    Service::with(&Settings {
        limits,
        more: String::new(),
    })
}

fn post(service: &Service, command: &str, params: &Value) -> service::Answer {
    let path = format!("/api/v1/quant/{command}");
    service.ask(
        "POST",
        &path,
        &token("auditor"),
        params.to_string().as_bytes(),
    )
}

fn call(command: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": format!("quant.{command}"), "params": params})
}

#[test]
fn answers_are_those_of_the_function_and_paths_and_calls_say_the_same() {
    let service = limited("");
    let mut calls = Vec::new();
    let mut wanted = Vec::new();
    for command in ASKED {
        let params = example(command);
        let answer = ask(command, params.as_object().unwrap(), &Stop::default()).unwrap();
        let answer: Value = serde_json::from_str(&answer.to_string()).unwrap();
        let told = post(&service, command, &params);
        assert_eq!(
            (told.status, told.json()),
            (200, answer.clone()),
            "{command}"
        );
        calls.push(call(command, &params));
        wanted.push(json!({"jsonrpc": "2.0", "id": 1, "result": answer}));
    }
    let told = service
        .post(&Value::Array(calls).to_string(), "member")
        .json();
    assert_eq!(told, Value::Array(wanted));
}

#[test]
fn what_is_wrong_is_named() {
    let service = limited("");
    for (command, params, why) in [
        ("optimise", json!({}), "returns: is missing"),
        (
            "optimise",
            json!({"returns": "A,B\n1,2\n3,x\n"}),
            "returns, line 3, column 2 (B)",
        ),
        ("simulate", json!({"paths": "many"}), "paths: invalid value"),
        (
            "simulate",
            json!({"plot": "/tmp/x.svg"}),
            "plot: no such parameter",
        ),
        (
            "predict",
            json!({"model": "/etc/passwd", "rows": "1"}),
            "model: ",
        ),
    ] {
        let told = post(&service, command, &params);
        let words = told.json()["error"]["message"].as_str().unwrap().to_owned();
        assert_eq!(told.status, 400, "{words}");
        assert!(words.contains(why), "{words:?}, not {why:?}");
        let told = service
            .post(&call(command, &params).to_string(), "auditor")
            .json();
        assert_eq!(told["error"]["code"], -32_602, "{told}");
        assert_eq!(told["error"]["message"], words);
    }
    let told = post(&service, "simulate", &json!([1]));
    assert_eq!(told.status, 400);
    let told = service
        .post(&call("simulate", &json!([1])).to_string(), "auditor")
        .json();
    assert_eq!(told["error"]["code"], -32_602, "{told}");
    let told = service
        .post(&call("features", &json!({})).to_string(), "auditor")
        .json();
    assert_eq!(told["error"]["code"], -32_601, "{told}");
}

#[test]
fn what_takes_too_long_is_stopped_and_the_next_one_is_answered() {
    let service = limited("request_s = 2");
    // Many minutes of work for the one thread there is.
    let long = json!({"paths": 100_000_000, "steps": 1_000});
    assert_eq!(post(&service, "simulate", &long).status, 408);
    // The thread is free again, however slow the machine is.
    let short = json!({"series": "1\n2\n3\n4\n5\n6\n", "method": "naive"});
    let begun = Instant::now();
    while post(&service, "forecast", &short).status != 200 {
        assert!(begun.elapsed() < BOUND, "the work goes on");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let service = limited("answer_kib = 1");
    let large = json!({"series": "1\n2\n3\n4\n5\n6\n", "horizon": 500, "method": "naive"});
    assert_eq!(post(&service, "forecast", &large).status, 413);
    let told = service
        .post(&call("forecast", &large).to_string(), "auditor")
        .json();
    assert_eq!(told["error"]["code"], -32_013, "{told}");
    let body = json!({"series": "1\n".repeat(200_000)});
    assert_eq!(post(&service, "forecast", &body).status, 413);
    let wide = vec!["1"; 501].join(",");
    let told = post(
        &service,
        "frontier",
        &json!({"returns": format!("{wide}\n{wide}\n")}),
    );
    assert_eq!(told.status, 400);
    assert!(told.body.contains("returns: 501 columns"), "{told:?}");
}
