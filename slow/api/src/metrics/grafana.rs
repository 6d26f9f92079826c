//! A dashboard for Grafana, made from the list of figures.

use super::list::{HOPS, Kind, LIST};
use super::{named, risk, seats};
use crate::{bodies, crowd, footprints, memory, reads, said, scaling, stream};
use serde_json::{Value, json};

/// Expressions with their names.
type Named = &'static [(&'static str, &'static str)];

/// What stands first: title, unit and the expressions with their names.
const FIRST: &[(&str, &str, Named)] = &[
    (
        "Inputs a second",
        "short",
        &[("inputs", "rate(wirecross_engine_inputs_total[1m])")],
    ),
    (
        "Where the tiles' time goes",
        "percentunit",
        &[
            ("gate", BUSY_GATE),
            ("engine", BUSY_ENGINE),
            ("journal", BUSY_JOURNAL),
            ("publish", BUSY_PUBLISH),
        ],
    ),
    (
        "Reads of the tables at once",
        "short",
        &[
            ("limit", "wirecross_reads_limit"),
            ("running", "wirecross_reads_running"),
            (
                "refused a second",
                "rate(wirecross_reads_refused_total[1m])",
            ),
            (
                "answered with others a second",
                "rate(wirecross_reads_shared_total[1m])",
            ),
        ],
    ),
    (
        "Requests a second of the service",
        "short",
        &[(
            "{{route}}",
            "sum by (route) (rate(wirecross_request_seconds_bucket{le=\"+Inf\"}[1m]))",
        )],
    ),
    (
        "From a request to its answer, p95",
        "s",
        &[(
            "{{route}}",
            "histogram_quantile(0.95, \
             sum by (le, route) (rate(wirecross_request_seconds_bucket[5m])))",
        )],
    ),
];

macro_rules! busy {
    ($tile:literal) => {
        concat!(
            "rate(wirecross_",
            $tile,
            "_busy_seconds_total[1m]) / (rate(wirecross_",
            $tile,
            "_busy_seconds_total[1m]) + rate(wirecross_",
            $tile,
            "_waiting_seconds_total[1m]) + rate(wirecross_",
            $tile,
            "_idle_seconds_total[1m]))"
        )
    };
}

const BUSY_GATE: &str = busy!("gate");
const BUSY_ENGINE: &str = busy!("engine");
const BUSY_JOURNAL: &str = busy!("journal");
const BUSY_PUBLISH: &str = busy!("publish");

const PERCENTILES: [(&str, &str); 3] = [("p50", "0.5"), ("p99", "0.99"), ("p99.9", "0.999")];

/// A panel's width and height; two stand beside one another.
const SIZE: (usize, usize) = (12, 8);

/// A panel: its title, its unit, and expressions with their names.
type Panel = (String, &'static str, Vec<(String, String)>);

fn panels() -> Vec<Panel> {
    let owned = |list: &[(&str, &str)]| {
        let pairs = list
            .iter()
            .map(|(name, text)| ((*name).into(), (*text).into()));
        pairs.collect::<Vec<(String, String)>>()
    };
    let first = FIRST
        .iter()
        .map(|(title, unit, list)| ((*title).to_owned(), *unit, owned(list)));
    let hops = HOPS.iter().map(|(hop, help)| {
        let name = hop.trim_end_matches("_ns").replace('.', "_");
        let list = PERCENTILES.map(|(title, q)| {
            let buckets = format!("rate(wirecross_{name}_seconds_bucket[1m])");
            let text = format!("histogram_quantile({q}, sum by (le) ({buckets}))");
            (title.to_owned(), text)
        });
        ((*help).to_owned(), "s", list.to_vec())
    });
    let rest = LIST.iter().map(|figure| {
        let (name, _) = named(figure.name, figure.kind, 0);
        let unit = match () {
            () if name.contains("_seconds") => "s",
            () if name.contains("_bytes") => "bytes",
            () => "short",
        };
        let text = match figure.kind {
            Kind::Total => format!("rate({name}[1m])"),
            Kind::Gauge => name,
        };
        let list = vec![(figure.name.to_owned(), text)];
        (figure.help.to_owned(), unit, list)
    });
    let kept = memory::figures().map(|it| of_service(it, None));
    // A line for each server.
    let servers = reads::of_servers().map(|it| of_service(it, Some("{{server}} ({{role}})")));
    let users = seats::SEATS.into_iter();
    let users = users.map(|(name, help, _)| (name.to_owned(), help, "gauge", "{{user}}"));
    let risk = risk::RISK.into_iter();
    let risk = risk.map(|(name, help, _)| {
        let line = "{{account}} {{limit}}";
        (name.to_owned(), help, "gauge", line)
    });
    let with_lines = footprints::figures().chain(scaling::figures());
    let with_lines = with_lines.chain(users).chain(risk);
    let with_lines =
        with_lines.map(|(name, help, kind, line)| of_service((name, help, kind), Some(line)));
    let lines = said::SAID.into_iter().chain(stream::FIGURES);
    let lines = lines.chain(crowd::FIGURES).chain(bodies::FIGURES);
    let lines = lines.map(|(name, help, kind)| of_service((name.to_owned(), help, kind), None));
    let ours = kept.chain(servers).chain(with_lines).chain(lines);
    first.chain(hops).chain(rest).chain(ours).collect()
}

/// A figure of the service's own, whose lines are called as it is unless they have names.
fn of_service((name, help, kind): (String, &str, &str), line: Option<&str>) -> Panel {
    let unit = match () {
        () if name.contains("bytes") => "bytes",
        () if name.contains("_seconds") => "s",
        () if name.ends_with("_ratio") => "percentunit",
        () => "short",
    };
    let text = match kind {
        "counter" => format!("rate({name}[1m])"),
        _ => name.clone(),
    };
    let line = line.map_or(name, str::to_owned);
    (help.to_owned(), unit, vec![(line, text)])
}

/// The dashboard, as Grafana imports it.
#[must_use]
pub fn dashboard() -> Value {
    let panels: Vec<Value> = panels()
        .iter()
        .enumerate()
        .map(|(at, panel)| drawn(at, panel))
        .collect();
    json!({
        "title": "wirecross",
        "uid": "wirecross",
        "schemaVersion": 39,
        "timezone": "utc",
        "refresh": "5s",
        "time": { "from": "now-15m", "to": "now" },
        "templating": { "list": [{
            "name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus",
        }] },
        "panels": panels,
    })
}

fn drawn(at: usize, (title, unit, list): &Panel) -> Value {
    let (width, height) = SIZE;
    let source = json!({ "type": "prometheus", "uid": "${source}" });
    let targets: Vec<Value> = list
        .iter()
        .zip('A'..)
        .map(|((name, text), letter)| {
            json!({
                "refId": letter.to_string(), "expr": text, "legendFormat": name,
                "datasource": source,
            })
        })
        .collect();
    json!({
        "id": at + 1,
        "title": title,
        "type": "timeseries",
        "datasource": source,
        "gridPos": { "x": at % 2 * width, "y": at / 2 * height, "w": width, "h": height },
        "fieldConfig": { "defaults": { "unit": unit }, "overrides": [] },
        "targets": targets,
    })
}
