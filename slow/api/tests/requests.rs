//! What is asked and what comes back: every path by every role, batches, signatures, nonsense.
#![allow(clippy::unwrap_used)]

mod service;
#[path = "requests/signed.rs"]
mod signed;

use serde_json::{Value, json};
use service::{Service, Settings, example, fill, words};

/// Every path with what it answers to nobody, and to keys of role market, member, trader,
/// auditor and metrics.
const TABLE: &[(&str, &str, [u16; 6])] = &[
    ("GET", "/api/v1/tape", [401, 200, 200, 200, 200, 403]),
    ("GET", "/api/v1/bars", [401, 200, 200, 200, 200, 403]),
    ("GET", "/api/v1/tops", [401, 200, 200, 200, 200, 403]),
    ("GET", "/api/v1/turns", [401, 200, 200, 200, 200, 403]),
    ("GET", "/api/v1/open-orders", [401, 403, 200, 200, 200, 403]),
    (
        "GET",
        "/api/v1/fills?account=1",
        [401, 403, 200, 200, 200, 403],
    ),
    ("GET", "/api/v1/positions", [401, 403, 200, 200, 200, 403]),
    ("GET", "/api/v1/profits", [401, 403, 200, 200, 200, 403]),
    ("GET", "/api/v1/trades", [401, 403, 403, 403, 200, 403]),
    ("GET", "/api/v1/audit", [401, 403, 403, 403, 200, 403]),
    ("GET", "/api/v1/key", [401, 200, 200, 200, 200, 200]),
    ("GET", "/api/v1/figures", [401, 403, 403, 403, 200, 200]),
    // Without a feed and a policy there is none: `stream.rs` and `scaling.rs` have them.
    ("GET", "/api/v1/scaling", [401, 403, 403, 403, 503, 503]),
    ("GET", "/api/v1/stream", [401, 503, 503, 503, 503, 403]),
    ("GET", "/api/v1/memory", [401, 403, 403, 403, 200, 200]),
    ("GET", "/metrics", [401, 403, 403, 403, 200, 200]),
    (
        "POST",
        "/api/v1/quant/optimise",
        [401, 403, 200, 200, 200, 403],
    ),
    (
        "POST",
        "/api/v1/quant/frontier",
        [401, 403, 200, 200, 200, 403],
    ),
    ("POST", "/api/v1/quant/risk", [401, 403, 200, 200, 200, 403]),
    (
        "POST",
        "/api/v1/quant/simulate",
        [401, 403, 200, 200, 200, 403],
    ),
    (
        "POST",
        "/api/v1/quant/rebalance",
        [401, 403, 200, 200, 200, 403],
    ),
    (
        "POST",
        "/api/v1/quant/forecast",
        [401, 403, 200, 200, 200, 403],
    ),
    (
        "POST",
        "/api/v1/quant/predict",
        [401, 403, 200, 200, 200, 403],
    ),
    (
        "POST",
        "/api/v1/quant/train",
        [401, 403, 200, 200, 200, 403],
    ),
    ("POST", "/api/batch", [401, 200, 200, 200, 200, 200]),
    ("GET", "/healthz", [200; 6]),
    ("GET", "/openapi.json", [200; 6]),
    ("GET", "/", [200; 6]),
    ("GET", "/api/v1/orders", [404; 6]),
    ("GET", "/api/v1/tape/", [404; 6]),
    ("GET", "/../../etc/passwd", [404; 6]),
];

const WHO: [&str; 6] = ["", "market", "member", "trader", "auditor", "metrics"];

/// One that bears as many strangers' requests as a table has, and knows a trader.
fn patient() -> Service {
    let dir = tempfile::tempdir().unwrap();
    let trader = service::trader(dir.path());
    let more = format!("{trader}[grpc]\nlisten = \"127.0.0.1:0\"\n");
    let limits = "strangers_per_second = 5000";
    Service::among(dir, &Settings { limits, more })
}

#[test]
fn every_path_is_for_who_may_and_nobody_else() {
    let service = patient();
    for (method, path, answers) in TABLE {
        for (key, due) in WHO.iter().zip(answers) {
            let call = r#"{"jsonrpc":"2.0","id":1,"method":"key"}"#.to_owned();
            let body = match path.strip_prefix("/api/v1/quant/") {
                Some(command) => example(command).to_string(),
                None if *method == "POST" => call,
                None => String::new(),
            };
            let answer = service.ask(method, path, &service::token(key), body.as_bytes());
            assert_eq!(
                answer.status, *due,
                "{method} {path} by {key:?}: {answer:?}"
            );
        }
        for other in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
            let is_look = *method == "GET" && other == "GET";
            if other == *method || is_look || answers[0] == 404 {
                continue;
            }
            // Whoever asks: which methods there are is everybody's.
            for key in WHO {
                let answer = service.ask(other, path, &service::token(key), &[]);
                assert_eq!(answer.status, 405, "{other} {path} by {key:?}: {answer:?}");
                let allow = format!("allow: {}", method.to_lowercase());
                assert!(answer.head.contains(&allow), "{answer:?}");
            }
        }
    }
    // The description has what there is, and nothing else.
    let paths = service.get("/openapi.json", "").json()["paths"].clone();
    let told: Vec<&String> = paths.as_object().unwrap().keys().collect();
    let due: Vec<&str> = TABLE
        .iter()
        .filter(|(_, path, answers)| answers[0] != 404 && *path != "/")
        .map(|(_, path, _)| path.split('?').next().unwrap())
        .collect();
    assert_eq!(told.len(), due.len());
    assert!(due.iter().all(|path| told.iter().any(|it| it == path)));
}

#[test]
fn a_call_may_do_what_its_path_may() {
    let service = patient();
    for (_, path, answers) in TABLE {
        let Some(method) = path.strip_prefix("/api/v1/") else {
            continue;
        };
        // A stream is no call.
        if answers[0] == 404 || method == "stream" {
            continue;
        }
        let method = method.split('?').next().unwrap().replace('/', ".");
        let params = match method.strip_prefix("quant.") {
            Some(command) => example(command),
            None if method == "fills" => json!({"account": 1}),
            None => json!({}),
        };
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        for (key, due) in WHO.iter().zip(answers).skip(1) {
            let answer = service.post(&call.to_string(), key).json();
            if *due == 200 {
                assert!(answer["error"].is_null(), "{call} by {key}: {answer}");
            } else {
                let code = if *due == 503 { -32_053 } else { -32_003 };
                assert_eq!(answer["error"]["code"], code, "{call} by {key}: {answer}");
            }
        }
    }
}

#[test]
fn wrong_tokens_are_nobodys_and_too_many_of_them_wait() {
    let service = Service::with(&Settings {
        limits: "strangers_per_second = 5",
        more: String::new(),
    });
    let heads = [
        "Authorization: Bearer wrong",
        "Authorization: Bearer",
        "Authorization: Basic YTpi",
        "Authorization: Bearer auditor-token2",
        "X-Wirecross-Key: signer",
    ];
    let mut refused = 0;
    for turn in 0..200 {
        let head = heads[turn % heads.len()].to_owned();
        let answer = service.ask("GET", "/api/v1/tops", &[head], &[]);
        match answer.status {
            401 => assert!(answer.head.contains("www-authenticate: bearer")),
            429 => {
                refused += 1;
                assert!(answer.head.contains("retry-after: 1"), "{answer:?}");
            }
            _ => panic!("{answer:?}"),
        }
    }
    assert!(refused > 0);
}

#[test]
fn a_member_sees_its_own() {
    let service = Service::start();
    let accounts = |path: &str, key: &str| -> Vec<u64> {
        let rows = service.get(path, key).json();
        let rows = rows.as_array().unwrap();
        rows.iter()
            .map(|row| row["account"].as_u64().unwrap())
            .collect()
    };
    for path in ["open-orders", "fills", "positions", "profits"] {
        let path = format!("/api/v1/{path}");
        assert_eq!(accounts(&path, "member"), [1], "{path}");
        let asked = format!("{path}?account=2");
        let refused = service.get(&asked, "member");
        assert_eq!(refused.status, 403, "{refused:?}");
        assert!(refused.told().contains("account 2"), "{refused:?}");
        // Who has two says which.
        assert_eq!(service.get(&path, "both").status, 400);
        assert!(accounts(&asked, "both").iter().all(|account| *account == 2));
        let of_both = accounts(&asked, "auditor");
        assert!(!of_both.is_empty() && of_both.iter().all(|account| *account == 2));
    }
    let tape = service.get("/api/v1/tape", "market").json();
    assert_eq!(tape[0]["price"], 1_000_000);
    assert!(tape[0].get("buyer").is_none() && tape[0].get("seller").is_none());
    let trades = service.get("/api/v1/trades", "auditor").json();
    assert_eq!(
        (&trades[0]["buyer"], &trades[0]["seller"]),
        (&json!(1), &json!(2))
    );
    let key = service.get("/api/v1/key", "both").json();
    assert_eq!(
        key,
        json!({"name": "both", "role": "member", "accounts": [1, 2]})
    );
}

#[test]
fn words_of_operators_stay_words() {
    let service = Service::start();
    let rows = service.get("/api/v1/audit", "auditor").json();
    assert_eq!(rows[0]["why"], "a \"quote\" and\na line");
}

#[test]
fn parameters_that_make_no_sense_are_named() {
    let service = Service::start();
    for (asked, pieces) in [
        (
            "tape?colour=7",
            ["colour", "symbol, from, to, order, limit"],
        ),
        ("tape?account=1", ["account", "no parameter"]),
        ("tape?limit=0", ["limit", "10000"]),
        ("tape?limit=10001", ["limit", "10000"]),
        ("tape?limit=-1", ["limit", "number"]),
        ("tape?from=yesterday", ["from", "nanoseconds"]),
        ("tape?from=99999999999999999999", ["from", "nanoseconds"]),
        ("tape?symbol=ABCDEFGHI", ["symbol", "8 letters"]),
        ("tape?symbol=%zz", ["%zz", "escaped"]),
        ("tape?symbol=%", ["%", "escaped"]),
        ("tape?symbol=%ff", ["%ff", "escaped"]),
        ("bars?width=2", ["width", "3600"]),
        ("tape?order=newest", ["order", "desc"]),
        (
            "positions?order=desc",
            ["order", "no parameter of positions"],
        ),
        ("tops?order=asc", ["order", "no parameter of tops"]),
        ("open-orders?account=x", ["account", "number"]),
    ] {
        let answer = service.get(&format!("/api/v1/{asked}"), "auditor");
        assert_eq!(answer.status, 400, "{asked}: {answer:?}");
        let told = answer.told();
        assert!(
            pieces.iter().all(|piece| told.contains(piece)),
            "{asked}: {told}"
        );
    }
    let answer = service.get("/api/v1/fills", "auditor");
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(answer.told().contains("about one account"), "{answer:?}");
}

#[test]
fn nothing_that_is_asked_becomes_a_statement() {
    let service = Service::start();
    let told = || {
        let all = ["tape", "trades", "audit", "open-orders", "profits", "tops"];
        all.map(|query| service.get(&format!("/api/v1/{query}"), "eager").body)
    };
    let before = told();
    for words in words() {
        let get = |path: &str| service.get(path, "eager");
        let escaped: String = words.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for query in ["tape", "trades", "audit", "open-orders", "profits", "tops"] {
            let answer = get(&format!("/api/v1/{query}?symbol={escaped}"));
            let is_none = answer.status == 200 && answer.body == "[]";
            assert!(is_none || answer.status == 400, "{words:?}: {answer:?}");
        }
        for name in ["account", "from", "to", "width", "order", "limit"] {
            let query = if name == "account" { "fills" } else { "bars" };
            let answer = get(&format!("/api/v1/{query}?{name}={escaped}"));
            let is_number = words.parse::<i64>().is_ok();
            assert!(is_number || answer.status == 400, "{words:?}: {answer:?}");
        }
        assert_eq!(
            get(&format!("/api/v1/tape?{escaped}=1")).status,
            400,
            "{words:?}"
        );
        assert_eq!(get(&format!("/api/v1/{escaped}")).status, 404, "{words:?}");
        let call = |method: &str, name: &str, value: &str| {
            let params = json!({name: value});
            json!({"jsonrpc": "2.0", "id": words, "method": method, "params": params})
        };
        let calls = [
            call("tape", "symbol", &words),
            call("tape", "from", &words),
            call("tape", &words, "1"),
            call(&words, "symbol", "AAPL"),
        ];
        let answers = service.post(&json!(calls).to_string(), "eager").json();
        for answer in answers.as_array().unwrap() {
            assert_eq!(answer["id"], words);
            let is_none = answer["result"] == json!([]);
            let is_number = words.parse::<i64>().is_ok();
            assert!(
                answer["error"].is_object() || is_none || is_number,
                "{answer}"
            );
        }
    }
    assert_eq!(told(), before);
}

/// A body, and what is answered to it.
fn answered(service: &Service, body: &str) -> Value {
    let answer = service.post(body, "market");
    assert_eq!(answer.status, 200, "{body}: {answer:?}");
    answer.json()
}

#[test]
fn batches_are_those_of_the_specification() {
    let service = Service::start();
    let code = |body: &str| answered(&service, body)["error"]["code"].clone();
    assert_eq!(
        code("{\"jsonrpc\": \"2.0\", \"method\": \"foobar, \"params\": \"bar\""),
        -32_700
    );
    assert_eq!(code(""), -32_700);
    assert_eq!(code("[{\"jsonrpc\": \"2.0\", \"method\""), -32_700);
    assert_eq!(code("[]"), -32_600);
    assert_eq!(
        code(r#"{"jsonrpc": "2.0", "method": 1, "params": "bar"}"#),
        -32_600
    );
    assert_eq!(
        code(r#"{"jsonrpc": "1.0", "method": "tops", "id": 1}"#),
        -32_600
    );
    assert_eq!(
        code(r#"{"jsonrpc": "2.0", "method": "tops", "id": {}}"#),
        -32_600
    );
    assert_eq!(
        code(r#"{"jsonrpc": "2.0", "method": "foobar", "id": "1"}"#),
        -32_601
    );
    assert_eq!(
        code(r#"{"jsonrpc": "2.0", "method": "tops", "id": "1", "params": [1]}"#),
        -32_602
    );
    assert_eq!(
        code(r#"{"jsonrpc": "2.0", "method": "tape", "id": 1, "params": {"limit": 1.5}}"#),
        -32_602
    );
    let many = answered(&service, "[1,2,3]");
    assert_eq!(many.as_array().unwrap().len(), 3);
    assert!(
        many.as_array()
            .unwrap()
            .iter()
            .all(|it| it["error"]["code"] == -32_600)
    );
    // What fails in it does not touch the rest, notifications have no answer, ids come back as
    // they were.
    let many = answered(
        &service,
        r#"[{"jsonrpc": "2.0", "method": "tops", "id": null},
            {"jsonrpc": "2.0", "method": "tops"},
            {"jsonrpc": "2.0", "method": "trades", "id": "a\"b"},
            {"foo": "boo"},
            {"jsonrpc": "2.0", "method": "tape", "params": {"limit": 1},
             "id": 12345678901234567890}]"#,
    );
    let many = many.as_array().unwrap();
    assert_eq!(many.len(), 4);
    assert_eq!(many[0]["result"][0]["symbol"], "AAPL");
    assert!(many[0]["id"].is_null());
    assert_eq!(many[1]["error"]["code"], -32_003);
    assert_eq!(many[1]["id"], "a\"b");
    assert_eq!(many[2]["error"]["code"], -32_600);
    assert_eq!(many[3]["id"], 12_345_678_901_234_567_890u64);
    for only in [
        r#"{"jsonrpc": "2.0", "method": "tops"}"#,
        r#"[{"jsonrpc": "2.0", "method": "tops"}, {"jsonrpc": "2.0", "method": "nope"}]"#,
    ] {
        let answer = service.post(only, "market");
        assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{only}");
    }
}

#[test]
fn tables_that_were_made_anew_are_read() {
    let service = Service::start();
    let price = || service.get("/api/v1/tape", "market").json()[0]["price"].clone();
    assert_eq!(price(), 1_000_000);
    let new = service.dir.path().join("tables/new.db");
    fill(&new, 2_000_000);
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(service.tables().with_extension(format!("db{end}")));
    }
    std::fs::rename(&new, service.tables()).unwrap();
    assert_eq!(price(), 2_000_000);
    std::fs::remove_file(service.tables()).unwrap();
    let gone = service.get("/api/v1/tape", "market");
    assert_eq!(gone.status, 503, "{gone:?}");
    assert!(gone.told().contains("the tables"), "{gone:?}");
    fill(&service.tables(), 3_000_000);
    assert_eq!(price(), 3_000_000);
}

#[test]
fn figures_are_those_of_the_venue() {
    let mut service = Service::start();
    let mut inputs = service.counters.counter("engine.inputs").unwrap();
    let mut back = service.counters.counter("clock.divergence_ns").unwrap();
    let mut hop = service.counters.histogram("hop.engine_reply_ns").unwrap();
    inputs.set(77);
    back.set((-1_500i64) as u64);
    for value in [100, 300, 1_000_000, 20_000_000_000] {
        hop.record(value);
    }
    let text = service.get("/metrics", "metrics").body;
    for line in [
        "wirecross_up 1",
        "# TYPE wirecross_engine_inputs_total counter",
        "wirecross_engine_inputs_total 77",
        "wirecross_clock_divergence_seconds -0.0000015",
        "# TYPE wirecross_hop_engine_reply_seconds histogram",
        "wirecross_hop_engine_reply_seconds_bucket{le=\"0.000000255\"} 1",
        "wirecross_hop_engine_reply_seconds_bucket{le=\"0.000000511\"} 2",
        "wirecross_hop_engine_reply_seconds_bucket{le=\"0.001048575\"} 3",
        "wirecross_hop_engine_reply_seconds_bucket{le=\"+Inf\"} 4",
        "wirecross_hop_engine_reply_seconds_count 4",
    ] {
        assert!(text.lines().any(|it| it == line), "no {line:?} in {text}");
    }
    // Each is described, and no name comes twice.
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .collect();
    let unique: std::collections::BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(names.len(), unique.len());
    assert!(!text.contains("A counter."), "a counter is not described");
    let json = service.get("/api/v1/figures", "auditor").json();
    assert_eq!(json["counters"]["engine.inputs"], 77);
    assert_eq!(
        json["hops"]["hop.engine_reply_ns"]["max"],
        20_000_000_000u64
    );
    assert_eq!(service.get("/healthz", "").json()["venue"], "up");
}
