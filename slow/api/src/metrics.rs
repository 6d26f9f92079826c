//! The venue's counters and latencies, read from its memory: the venue does not notice.

pub mod alerts;
pub mod grafana;
mod list;
mod risk;
mod seats;

use list::{HOPS, Kind, figure};
use queue::{Buckets, CounterReader};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The file of a venue's counters, in its data directory.
pub(crate) const COUNTERS_FILE: &str = "counters";

/// Bounds of a histogram are below powers of two of nanoseconds: from 256 ns to 8.6 s.
const BOUNDS: std::ops::RangeInclusive<u32> = 8..=33;

/// Where a venue's figures are.
#[derive(Debug)]
pub struct Figures {
    path: PathBuf,
}

impl Figures {
    /// Of the venue with this data directory, which need not run.
    #[must_use]
    pub fn new(venue: &Path) -> Self {
        Self {
            path: venue.join(COUNTERS_FILE),
        }
    }

    /// A venue that starts makes the file anew: so it is opened each time.
    fn open(&self) -> Result<CounterReader, String> {
        CounterReader::attach(&self.path).map_err(|error| {
            let path = self.path.display();
            format!("the venue's counters: {path}: {error}; is it started?")
        })
    }

    /// In the text format of Prometheus: that the venue is not up, where it was never started.
    #[must_use]
    pub fn text(&self) -> String {
        let reader = self.open().ok();
        let mut text = String::new();
        let is_up = reader.as_ref().is_some_and(|it| is_alive(it.process_id()));
        family(
            &mut text,
            "wirecross_up",
            "gauge",
            "1: the venue's process is there",
        );
        let _ = writeln!(text, "wirecross_up {}", u8::from(is_up));
        if let Some(reader) = reader {
            counted(&mut text, &reader);
        }
        text
    }

    /// As an object: counters by name, hops with their percentiles in nanoseconds.
    ///
    /// # Errors
    /// There are no counters: the venue was never started there.
    pub fn json(&self) -> Result<Value, String> {
        let reader = self.open()?;
        let counters: Map<String, Value> = reader
            .counters()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        let hops: Map<String, Value> = reader
            .histograms()
            .map(|(name, buckets)| {
                let it = buckets.summary();
                let bounds = BOUNDS
                    .map(|power| below(&buckets, power))
                    .collect::<Vec<_>>();
                let summary = json!({
                    "count": it.count, "sum": it.sum, "p50": it.p50, "p99": it.p99,
                    "p99_9": it.p99_9, "max": it.max, "below": bounds,
                });
                (name.to_owned(), summary)
            })
            .collect();
        Ok(json!({
            "up": is_alive(reader.process_id()),
            "process": reader.process_id(),
            "counters": counters,
            "hops": hops,
            "below_first_ns": 1u64 << BOUNDS.start(),
        }))
    }

    /// Whether the venue lives and takes orders.
    #[must_use]
    pub fn health(&self) -> Value {
        let Ok(reader) = self.open() else {
            return json!({ "service": "up", "venue": "never started" });
        };
        let phase = reader.get("venue.phase").unwrap_or(u64::MAX);
        let venue = match phase {
            _ if !is_alive(reader.process_id()) => "down",
            0 => "up",
            1 | 2 => "ending",
            3 => "stopped",
            _ => "failing",
        };
        json!({ "service": "up", "venue": venue })
    }
}

/// The counters and latencies of a venue.
fn counted(text: &mut String, reader: &CounterReader) {
    for (counter, value) in reader.counters() {
        if seats::user_of(counter).is_some() || risk::of(counter).is_some() {
            continue;
        }
        let told = figure(counter);
        let (kind, help) = told.map_or((Kind::Gauge, "A counter"), |it| (it.kind, it.help));
        let (name, value) = named(counter, kind, value);
        let kind = if kind == Kind::Total {
            "counter"
        } else {
            "gauge"
        };
        family(text, &name, kind, help);
        let _ = writeln!(text, "{name} {value}");
    }
    seats::figures(text, reader);
    risk::figures(text, reader);
    for (hop, buckets) in reader.histograms() {
        let told = HOPS.iter().find(|(name, _)| *name == hop);
        histogram(text, hop, told.map_or("A latency", |told| told.1), &buckets);
    }
}

/// Whether a process is there. Of another user's one that is all that can be seen.
pub(crate) fn is_alive(process: u64) -> bool {
    i32::try_from(process)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .is_some_and(
            |process| match rustix::process::test_kill_process(process) {
                Ok(()) => true,
                Err(error) => error == rustix::io::Errno::PERM,
            },
        )
}

pub(crate) fn family(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}.\n# TYPE {name} {kind}");
}

/// The name and the value by the conventions of Prometheus: units are seconds and bytes.
fn named(counter: &str, kind: Kind, value: u64) -> (String, String) {
    let (base, value) = match counter.split_once("_ns") {
        Some((base, rest)) => (
            format!("{base}{rest}_seconds"),
            (value as i64 as f64 / 1e9).to_string(),
        ),
        None => (counter.to_owned(), value.to_string()),
    };
    let end = if kind == Kind::Total { "_total" } else { "" };
    // A lone `b` would be taken for bytes.
    let base = base
        .replace("dropped_b", "dropped_second_line")
        .replace('.', "_");
    (format!("wirecross_{base}{end}"), value)
}

/// How many values are below this power of two.
fn below(buckets: &Buckets, power: u32) -> u64 {
    buckets.no_greater((1 << power) - 1)
}

fn histogram(text: &mut String, hop: &str, help: &str, buckets: &Buckets) {
    let hop = hop.trim_end_matches("_ns").replace('.', "_");
    let name = format!("wirecross_{hop}_seconds");
    family(text, &name, "histogram", help);
    for power in BOUNDS {
        let bound = ((1u64 << power) - 1) as f64 / 1e9;
        let count = below(buckets, power);
        let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {count}");
    }
    let it = buckets.summary();
    let _ = writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {}", it.count);
    let _ = writeln!(text, "{name}_sum {}", it.sum as f64 / 1e9);
    let _ = writeln!(text, "{name}_count {}", it.count);
}
