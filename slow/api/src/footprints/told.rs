//! What is told of it: for Prometheus, and as an object.

use super::{Footprints, Inside, Process};
use crate::metrics::family;
use footprint::{Area, FIGURES, Figure};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// Figures of which the past is told, too.
const PAST: [&str; 4] = [
    "resident_bytes",
    "anonymous_bytes",
    "transparent_huge_bytes",
    "major_faults",
];

/// Figures of a process that follow from the others.
const OF_PROCESSES: [(&str, &str); 3] = [
    ("up", "1: the process is there and tells what it takes"),
    (
        "growth_bytes",
        "How much resident memory grows in an hour, by the line through what is kept",
    ),
    ("growing", "1: resident memory grows steadily"),
];

/// Figures of the machine, as the system's file has them.
const OF_MACHINE: [(&str, &str); 4] = [
    ("total_bytes", "Memory of the machine"),
    ("available_bytes", "Memory that programs may still have"),
    (
        "huge_pool_bytes",
        "Memory of the system's pool of huge pages",
    ),
    (
        "huge_pool_free_bytes",
        "Of that pool what nobody has or was promised",
    ),
];

/// Figures of the venue's pools.
const OF_POOLS: [(&str, &str); 3] = [
    ("used", "What is used of a pool of the venue"),
    ("size", "What a pool of the venue holds"),
    ("full", "1: a pool of the venue is nearly full"),
];

const SET_ASIDE: (&str, &str) = (
    "set_aside_bytes",
    "Memory that the venue set aside at its start",
);

/// A figure, what it tells, its kind, and how its lines are called in a picture.
type Told = (String, &'static str, &'static str, &'static str);

fn named(figure: &Figure) -> Told {
    let (end, kind) = match figure.is_total {
        true => ("_total", "counter"),
        false => ("", "gauge"),
    };
    let area = match figure.area {
        Area::Memory => "memory",
        Area::Process => "process",
    };
    let name = match figure.name.strip_suffix("_ns") {
        Some(base) => format!("{base}_seconds"),
        None => figure.name.to_owned(),
    };
    let name = format!("wirecross_{area}_{name}{end}");
    (name, figure.help, kind, "{{process}}")
}

/// A value of it, times in seconds.
fn value_of(figure: &Figure, value: u64) -> String {
    if figure.name.ends_with("_ns") {
        (value as f64 / 1e9).to_string()
    } else {
        value.to_string()
    }
}

/// Every figure.
pub(crate) fn figures() -> impl Iterator<Item = Told> {
    let gauge = |prefix: &'static str, line: &'static str| {
        move |(name, help): (&str, &'static str)| {
            (format!("wirecross_{prefix}_{name}"), help, "gauge", line)
        }
    };
    let processes = OF_PROCESSES.into_iter().map(gauge("memory", "{{process}}"));
    let machine = OF_MACHINE.into_iter().map(gauge("machine", "machine"));
    let pools = OF_POOLS.into_iter().map(gauge("pool", "{{pool}}"));
    let aside = [SET_ASIDE].into_iter().map(gauge("pool", "{{pool}}"));
    let all = FIGURES.iter().map(named).chain(processes);
    all.chain(machine).chain(pools).chain(aside)
}

impl Footprints {
    /// In the text format of Prometheus.
    pub(crate) fn figures(&self, text: &mut String) {
        let inside = self.inside();
        for figure in &FIGURES {
            let (name, help, kind, _) = named(figure);
            family(text, &name, kind, help);
            for process in &inside.processes {
                if let Ok(seen) = &process.seen {
                    let value = seen.footprint.get(figure.name).unwrap_or_default();
                    let value = value_of(figure, value);
                    let process = &process.name;
                    let _ = writeln!(text, "{name}{{process=\"{process}\"}} {value}");
                }
            }
        }
        let mut gauges = |prefix: &str, (name, help), lines: Vec<(String, i64)>| {
            let name = format!("wirecross_{prefix}_{name}");
            family(text, &name, "gauge", help);
            for (label, value) in lines {
                let _ = writeln!(text, "{name}{label} {value}");
            }
        };
        for (at, figure) in OF_PROCESSES.into_iter().enumerate() {
            let lines = inside.processes.iter().filter_map(|it| {
                let value = self.judged(it)[at]?;
                Some((format!("{{process=\"{}\"}}", it.name), value))
            });
            gauges("memory", figure, lines.collect());
        }
        for (figure, (_, value)) in OF_MACHINE.into_iter().zip(&inside.machine) {
            gauges("machine", figure, vec![(String::new(), *value as i64)]);
        }
        let pools = self.pools(&inside);
        for (at, figure) in OF_POOLS.into_iter().enumerate() {
            let lines = pools.iter().map(|it| {
                let values = [it.used, it.size, self.is_full(it).into()];
                (format!("{{pool=\"{}\"}}", it.name), values[at] as i64)
            });
            gauges("pool", figure, lines.collect());
        }
        let aside =
            set_aside(&inside).map(|(pool, bytes)| (format!("{{pool=\"{pool}\"}}"), bytes as i64));
        gauges("pool", SET_ASIDE, aside.collect());
    }

    /// As an object: what each process takes and took, the machine, the pools, and what is wrong.
    pub(crate) fn json(&self) -> Value {
        let inside = self.inside();
        let mut told = self.told(&inside);
        if let Some(processes) = told["processes"].as_array_mut() {
            for (told, process) in processes.iter_mut().zip(&inside.processes) {
                told["past"] = past(process);
            }
        }
        told
    }

    /// The same without what was.
    pub(crate) fn now(&self) -> Value {
        self.told(&self.inside())
    }

    fn told(&self, inside: &Inside) -> Value {
        let processes: Vec<Value> = inside.processes.iter().map(|it| self.process(it)).collect();
        let machine: Map<String, Value> = inside
            .machine
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let pools = self.pools(inside);
        let alarms = self.alarms(inside, &pools);
        let pools: Vec<Value> = pools
            .iter()
            .map(|it| {
                let is_full = self.is_full(it);
                json!({ "name": it.name, "used": it.used, "size": it.size, "full": is_full })
            })
            .collect();
        let aside: Map<String, Value> = set_aside(inside)
            .map(|(name, bytes)| (name.to_owned(), json!(bytes)))
            .collect();
        json!({
            "every_s": self.watched.every_s, "keep_s": self.watched.keep_s,
            "processes": processes, "machine": machine, "pools": pools,
            "set_aside_bytes": aside, "alarms": alarms,
        })
    }

    fn process(&self, process: &Process) -> Value {
        let seen = process.seen.as_ref();
        let now: Option<Map<String, Value>> = seen.ok().map(|seen| {
            let all = seen.footprint.each();
            all.map(|(figure, value)| (figure.name.to_owned(), json!(value)))
                .collect()
        });
        json!({
            "name": process.name, "process": seen.ok().map(|it| it.process), "now": now,
            "why_not": seen.err(), "growth_bytes_an_hour": self.growth(process),
            "growing": self.is_growing(process),
        })
    }

    /// The values of [`OF_PROCESSES`], as far as they mean something.
    fn judged(&self, process: &Process) -> [Option<i64>; OF_PROCESSES.len()] {
        let [is_up, is_growing] = [process.seen.is_ok(), self.is_growing(process)];
        [
            Some(is_up.into()),
            self.growth(process),
            Some(is_growing.into()),
        ]
    }

    /// What is wrong, in the words of who would mend it.
    fn alarms(&self, inside: &Inside, pools: &[super::Pool]) -> Vec<String> {
        let mib = self.watched.grows_mib;
        let growing = inside.processes.iter().filter(|it| self.is_growing(it));
        let growing = growing.map(|it| {
            let name = &it.name;
            format!("{name}: resident memory grows steadily, by more than {mib} MiB: a leak?")
        });
        let full = pools.iter().filter(|it| self.is_full(it)).map(|it| {
            let (name, used, size) = (it.name, it.used, it.size);
            format!("the venue's pool {name} is nearly full: {used} of {size}")
        });
        let small = small_pages(inside).map(|bytes| {
            format!(
                "{} MiB of the venue's tables are not on huge pages: wirecross doctor says why",
                bytes >> 20
            )
        });
        growing.chain(full).chain(small).collect()
    }
}

/// What was seen of a process, a list for each figure and one of the times.
fn past(process: &Process) -> Value {
    let mut past = Map::new();
    let times: Vec<u64> = process.kept.iter().map(|it| it.0).collect();
    past.insert("time_ms".to_owned(), json!(times));
    for name in PAST {
        let values = process.kept.iter().map(|it| it.1.get(name));
        past.insert(name.to_owned(), json!(values.collect::<Vec<_>>()));
    }
    past.into()
}

/// What the venue set aside at its start, in bytes.
fn set_aside(inside: &Inside) -> impl Iterator<Item = (&str, u64)> {
    let venue = inside.processes.iter().find(|it| it.name == super::VENUE);
    let known = venue.and_then(|it| it.seen.as_ref().ok());
    let known = known.into_iter().flat_map(|seen| &seen.known);
    known.filter_map(|(name, bytes)| {
        let name = name.strip_prefix("set_aside.")?;
        Some((name.strip_suffix("_bytes")?, *bytes))
    })
}

/// Bytes of the engine's tables that cannot be on huge pages, as the process has too few of them.
fn small_pages(inside: &Inside) -> Option<u64> {
    let venue = inside.processes.iter().find(|it| it.name == super::VENUE)?;
    let huge = venue.seen.as_ref().ok()?;
    let huge = huge.footprint.get("transparent_huge_bytes")?;
    let (_, engine) = set_aside(inside).find(|(name, _)| *name == "engine")?;
    Some(engine.saturating_sub(huge)).filter(|bytes| *bytes > 0)
}
