//! What is told of a venue elsewhere: metrics, rules and a dashboard, judged by Prometheus' own
//! tool.
#![allow(clippy::unwrap_used)]

mod service;

use api::metrics::{alerts, grafana};
use service::Service;
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Output, Stdio};

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
    let text = service.get("/metrics", "metrics").body;
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

/// Names of our metrics in an expression.
fn names(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = words.filter(|word| word.starts_with("wirecross_"));
    ours.map(str::to_owned).collect()
}

#[test]
fn rules_and_dashboard_name_what_there_is() {
    let mut service = Service::start();
    let mut text = service.get("/metrics", "metrics").body;
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
    service.again();
    text += &service.get("/metrics", "metrics").body;
    assert!(text.contains("wirecross_database_up{server="), "{text}");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let told: BTreeSet<&str> = lines
        .map(|line| line.split(['{', ' ']).next().unwrap())
        .collect();
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
        assert!(told.contains(&*name), "{name} is no metric");
    }
    // And the dashboard has all of it.
    for name in told {
        let is_drawn = name.ends_with("_sum") || name.ends_with("_count") || name == "wirecross_up";
        assert!(is_drawn || drawn.contains(name), "{name} is in no panel");
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
