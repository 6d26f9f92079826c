//! What is told of a venue elsewhere: metrics, rules and a dashboard, judged by Prometheus' own
//! tool.
#![allow(clippy::unwrap_used)]

mod service;

use api::metrics::{alerts, grafana};
use serde_json::Value;
use service::market::Feed;
use service::{Service, Settings};
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// Prometheus' tool, which `cargo x setup` installs; `None` with a word where it is not there.
fn promtool(words: &[&str], input: &[u8], folder: &std::path::Path) -> Option<Output> {
    let mut command = Command::new("promtool");
    command.args(words).current_dir(folder);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        assert!(
            std::env::var_os("CI").is_none(),
            "no promtool: cargo x setup"
        );
        eprintln!("skipped: no promtool, which `cargo x setup` installs");
        return None;
    };
    child.stdin.take().unwrap().write_all(input).unwrap();
    Some(child.wait_with_output().unwrap())
}

fn is_good(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn metrics_are_those_of_prometheus() {
    let service = Service::start();
    for (path, key) in [("/healthz", ""), ("/api/v1/key", "none"), ("/nowhere", "")] {
        service.get(path, key);
    }
    let text = service.get("/metrics", "metrics").body;
    for (route, count) in [("/healthz", 1), ("/api/v1/key", 1)] {
        let line = format!("wirecross_request_seconds_count{{route=\"{route}\"}} {count}");
        assert!(text.lines().any(|it| it == line), "{line}: {text}");
    }
    assert!(!text.contains("/nowhere"), "{text}");
    // Nothing was read yet: 256 may wait for two threads.
    for line in ["wirecross_reads_limit 258", "wirecross_reads_running 0"] {
        assert!(text.lines().any(|it| it == line), "{line}: {text}");
    }
    let folder = tempfile::tempdir().unwrap();
    let Some(output) = promtool(&["check", "metrics"], text.as_bytes(), folder.path()) else {
        return;
    };
    is_good(&output);
    // It has nothing to say about names and units either.
    assert!(
        output.stderr.is_empty() && output.stdout.is_empty(),
        "{output:?}"
    );
}

#[test]
fn the_memory_of_each_process_is_told_and_kept() {
    let settings = Settings {
        limits: "",
        more: "memory = { every_s = 1, keep_s = 2 }".to_owned(),
    };
    let mut service = Service::with(&settings);
    service
        .counters
        .counter("engine.live_orders")
        .unwrap()
        .set(91);
    let told = |name: &str| {
        let told = service.get("/api/v1/memory", "metrics").json();
        let all = told["processes"].as_array().unwrap().clone();
        let one = all.into_iter().find(|it| it["name"] == name).unwrap();
        (one, told)
    };
    let (api, all) = told("api");
    assert_eq!(api["process"], service.process());
    // Of seconds nothing is said that were of an hour.
    assert!(api["growth_bytes_an_hour"].is_null(), "{api}");
    for figure in ["resident_bytes", "anonymous_bytes", "minor_faults"] {
        assert!(api["now"][figure].as_u64() > Some(0), "{figure}: {api}");
    }
    assert!(all["machine"]["available_bytes"].as_u64() > Some(1 << 20));
    assert_eq!(all["set_aside_bytes"]["replies"], 4_096);
    // Nobody keeps tables here, and that is told of nobody else.
    let (slow, _) = told("slow");
    assert!(slow["now"].is_null() && slow["why_not"].as_str().unwrap().contains("footprint"));
    assert_eq!(told("venue").0["process"], std::process::id());
    let orders = &all["pools"][0];
    assert_eq!(
        (&orders["used"], &orders["full"]),
        (&91.into(), &true.into()),
        "{all}"
    );
    let alarm = all["alarms"][0].as_str().unwrap();
    assert!(alarm.contains("orders is nearly full: 91 of 100"), "{all}");
    // It goes on looking, and keeps no more than it was told to.
    let times = |it: &Value| it["past"]["time_ms"].as_array().unwrap().clone();
    let first = times(&api)[0].clone();
    let later = loop {
        let times = times(&told("api").0);
        if !times.contains(&first) {
            break times;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(later.len(), 2, "{later:?}");
    let text = service.get("/metrics", "metrics").body;
    for line in [
        "wirecross_memory_up{process=\"venue\"} 1",
        "wirecross_memory_up{process=\"slow\"} 0",
        "wirecross_pool_full{pool=\"orders\"} 1",
        "wirecross_pool_size{pool=\"gate_engine\"} 64",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}: {text}");
    }
    assert!(!text.contains("\nwirecross_memory_growth_bytes{"), "{text}");
    // What it took of processors, in seconds, and its threads and descriptors.
    let of_api = |name: &str| {
        let head = format!("wirecross_process_{name}{{process=\"api\"}} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&*head));
        value.unwrap().parse::<f64>().unwrap()
    };
    let cpu = of_api("cpu_user_seconds_total") + of_api("cpu_system_seconds_total");
    assert!((0.0..600.0).contains(&cpu), "{cpu}");
    assert!(of_api("threads") > 1.0);
    assert!(of_api("descriptors_max") >= of_api("descriptors"));
}

/// Names of our metrics in an expression.
fn names(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = words.filter(|word| word.starts_with("wirecross_"));
    ours.map(str::to_owned).collect()
}

#[test]
fn rules_and_dashboard_name_what_there_is() {
    let feed = Feed::new();
    let mut service = Service::with(&Settings {
        limits: "",
        more: feed.settings("") + "[scaling]\n",
    });
    let mut text = service.get("/metrics", "metrics").body;
    for line in [
        "wirecross_session_connected{user=\"ALPHA\"} 1",
        "wirecross_session_locked{user=\"ALPHA\"} 1",
        "wirecross_session_connected{user=\"BRAVO\"} 0",
        "wirecross_session_locked{user=\"BRAVO\"} 0",
        "wirecross_risk_used{account=\"1\",limit=\"open_orders\"} 95",
        "wirecross_risk_limit{account=\"1\",limit=\"open_orders\"} 100",
        "wirecross_risk_limit{account=\"1\",limit=\"gross_credit\"} 0",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}: {text}");
    }
    // Tables at servers, which need not be there, have figures of their own.
    service.stop();
    let config = service.dir.path().join("api.toml");
    let settings = std::fs::read_to_string(&config).unwrap();
    let at_server = |line: &str| match line.starts_with("tables = ") {
        true => "tables = \"postgres://nobody@127.0.0.1:1/none\"".to_owned(),
        false => line.to_owned(),
    };
    let settings: Vec<String> = settings.lines().map(at_server).collect();
    std::fs::write(&config, settings.join("\n")).unwrap();
    // Nor need the venue ever have started: what is known is told.
    std::fs::remove_file(service.dir.path().join("venue/counters")).unwrap();
    service.again();
    let without_venue = service.get("/metrics", "metrics");
    assert_eq!(without_venue.status, 200, "{without_venue:?}");
    text += &without_venue.body;
    assert!(text.contains("\nwirecross_up 0\n"), "{text}");
    assert!(text.contains("wirecross_database_up{server="), "{text}");
    // Also what has no value yet has a line that says its kind.
    let lines = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let told: BTreeSet<String> = lines
        .map(|line| match line.split_once(' ').unwrap() {
            (name, "histogram") => format!("{name}_bucket"),
            (name, _) => name.to_owned(),
        })
        .collect();
    assert!(
        !text.contains(" A counter."),
        "a counter without a help: {text}"
    );
    let dashboard = grafana::dashboard();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() > 100);
    let mut drawn = BTreeSet::new();
    for panel in panels {
        for target in panel["targets"].as_array().unwrap() {
            drawn.extend(names(target["expr"].as_str().unwrap()));
        }
    }
    for name in alerts::expressions()
        .flat_map(|(_, text)| names(text))
        .chain(drawn.clone())
    {
        assert!(told.contains(&name), "{name} is no metric");
    }
    // And the dashboard has all of it.
    for name in told {
        let is_drawn = name == "wirecross_up" || drawn.contains(&name);
        assert!(is_drawn, "{name} is in no panel");
    }
}

#[test]
fn each_rule_fires_in_a_case() {
    let cases = include_str!("alerts.yml");
    for (name, _) in alerts::expressions() {
        let fires = format!("alertname: {name}\n    exp_alerts:\n    - exp_labels");
        assert!(
            cases.contains(&fires),
            "{name} fires in no case of alerts.yml"
        );
    }
}

#[test]
fn rules_tell_what_they_should() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("alerts.rules.yml"), alerts::rules()).unwrap();
    std::fs::write(folder.path().join("alerts.yml"), include_str!("alerts.yml")).unwrap();
    // The dashboard's expressions are rules, too, for who only looks at their grammar.
    let mut drawn = String::from("groups:\n- name: drawn\n  rules:\n");
    let dashboard = grafana::dashboard();
    for (at, panel) in dashboard["panels"].as_array().unwrap().iter().enumerate() {
        for (nth, target) in panel["targets"].as_array().unwrap().iter().enumerate() {
            let text = target["expr"].as_str().unwrap();
            drawn += &format!("  - record: drawn:{at}:{nth}\n    expr: {text:?}\n");
        }
    }
    std::fs::write(folder.path().join("drawn.yml"), drawn).unwrap();
    for words in [
        &["check", "rules", "alerts.rules.yml", "drawn.yml"][..],
        &["test", "rules", "alerts.yml"],
    ] {
        match promtool(words, &[], folder.path()) {
            Some(output) => is_good(&output),
            None => return,
        }
    }
}
