//! How long requests and calls took until their answers began, by what was asked for.

use crate::metrics::family;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The figure's name.
const NAME: &str = "wirecross_request_seconds";

/// Bounds in microseconds. The one of 5 ms is the goal of docs/api.md.
const BOUNDS_US: [u64; 10] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 250_000, 1_000_000, 5_000_000,
];

/// Paths and calls that are told apart at most; there are fewer in our lists, which alone come
/// here.
const ROUTES_MAX: usize = 128;

/// Times of one path or call.
#[derive(Clone, Copy, Debug, Default)]
struct Spread {
    /// How many took no longer than each bound, and longer than the one before.
    counts: [u64; BOUNDS_US.len()],
    /// All of them.
    count: u64,
    sum: Duration,
}

/// Times of all of them.
#[derive(Debug, Default)]
pub(crate) struct Times(Mutex<BTreeMap<String, Spread>>);

impl Times {
    /// An answer to a path or call of our lists began after so long.
    pub(crate) fn note(&self, route: &str, took: Duration) {
        let mut spreads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !spreads.contains_key(route) {
            if spreads.len() >= ROUTES_MAX {
                return;
            }
            spreads.insert(route.to_owned(), Spread::default());
        }
        if let Some(spread) = spreads.get_mut(route) {
            spread.note(took);
        }
    }

    /// In the text format of Prometheus: what was never asked for has no lines.
    pub(crate) fn figures(&self, text: &mut String) {
        let help = "From a request or a call of gRPC to the beginning of its answer";
        family(text, NAME, "histogram", help);
        let spreads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (route, spread) in spreads.iter() {
            spread.figures(text, route);
        }
    }
}

impl Spread {
    fn note(&mut self, took: Duration) {
        let bound = BOUNDS_US
            .iter()
            .position(|bound| took <= Duration::from_micros(*bound));
        if let Some(bound) = bound {
            self.counts[bound] += 1;
        }
        self.count += 1;
        self.sum += took;
    }

    fn figures(&self, text: &mut String, route: &str) {
        let mut below = 0;
        for (bound, count) in BOUNDS_US.into_iter().zip(self.counts) {
            below += count;
            let bound = bound as f64 / 1e6;
            let _ = writeln!(
                text,
                "{NAME}_bucket{{route={route:?},le=\"{bound}\"}} {below}"
            );
        }
        let (count, sum) = (self.count, self.sum.as_secs_f64());
        let _ = writeln!(
            text,
            "{NAME}_bucket{{route={route:?},le=\"+Inf\"}} {count}\n\
             {NAME}_sum{{route={route:?}}} {sum}\n{NAME}_count{{route={route:?}}} {count}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_in_every_bucket_above_it() {
        let times = Times::default();
        for ms in [1, 3, 5, 6, 10_000] {
            times.note("/a", Duration::from_millis(ms));
        }
        for at in 0..2 * ROUTES_MAX {
            times.note(&format!("/{at}"), Duration::ZERO);
        }
        let mut text = String::new();
        times.figures(&mut text);
        for line in [
            "wirecross_request_seconds_bucket{route=\"/a\",le=\"0.0005\"} 0",
            "wirecross_request_seconds_bucket{route=\"/a\",le=\"0.001\"} 1",
            "wirecross_request_seconds_bucket{route=\"/a\",le=\"0.005\"} 3",
            "wirecross_request_seconds_bucket{route=\"/a\",le=\"5\"} 4",
            "wirecross_request_seconds_bucket{route=\"/a\",le=\"+Inf\"} 5",
            "wirecross_request_seconds_sum{route=\"/a\"} 10.015",
            "wirecross_request_seconds_count{route=\"/a\"} 5",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}: {text}");
        }
        let routes = text.matches("_count{").count();
        assert_eq!(routes, ROUTES_MAX, "labels have an end");
    }
}
