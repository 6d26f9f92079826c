//! The table of hops: where the time between the first touch of a message and the kick of its
//! answer goes, in the venue and in the echo.

use super::door::Way;
use crate::BenchError;
use crate::stats::{Samples, Stats};

/// Ways through one server in one case.
#[derive(Debug, Default)]
pub struct Server {
    ways: Vec<Way>,
    /// Sum over the ways.
    engine_ns: f64,
    looks_ns: Vec<u64>,
}

impl Server {
    /// Adds a turn's ways; each cost the engine so much in the mean.
    pub fn add(&mut self, ways: &[Way], engine_ns: f64) {
        self.ways.extend_from_slice(ways);
        self.engine_ns += engine_ns * ways.len() as f64;
    }

    /// Adds distances of looks at the port in vain.
    pub fn looks_add(&mut self, looks_ns: &[u64]) {
        self.looks_ns.extend_from_slice(looks_ns);
    }

    fn mean(&self, ns: impl Fn(&Way) -> u64) -> f64 {
        self.ways.iter().map(ns).sum::<u64>() as f64 / self.ways.len().max(1) as f64
    }

    fn median(&self, ns: impl Fn(&Way) -> u64) -> f64 {
        let times: Samples = self.ways.iter().map(|way| ns(way) * 1_000).collect();
        Stats::of(times).map_or(0.0, |stats| stats.median)
    }

    /// Mean of each hop and the median where each message has one.
    fn hops(&self) -> [(f64, Option<f64>); HOPS.len()] {
        let hop = |place: usize| {
            let of = move |way: &Way| way.hops_ns()[place];
            (self.mean(of), Some(self.median(of)))
        };
        let engine = self.engine_ns / self.ways.len().max(1) as f64;
        let answer = (hop(2).0 - engine, None);
        [hop(0), hop(1), (engine, None), answer, hop(3)]
    }
}

const HOPS: [&str; 5] = [
    "first touch to bytes (TCP in)",
    "to parsed, on the ring (gate)",
    "to matched (engine)",
    "to reply written (gate)",
    "to kick (TCP out)",
];

/// The table. Means add up to the mean of the whole; medians stand beside where there are any.
pub fn hops(venue: &Server, echo: &Server) -> Result<String, BenchError> {
    let mut text = format!(
        "\n  {:<34}{:>14}{:>14}",
        "mean (median), ns", "venue", "echo"
    );
    let columns = [venue, echo].map(Server::hops);
    let cell = |(mean, median): (f64, Option<f64>)| match median {
        Some(median) => format!("{mean:.0} ({median:.0})"),
        None => format!("{mean:.0}"),
    };
    for (place, name) in HOPS.iter().enumerate() {
        let [venue, echo] = columns.map(|hops| cell(hops[place]));
        text.push_str(&format!("\n  {name:<34}{venue:>14}{echo:>14}"));
    }
    let mut totals = Vec::new();
    for (server, hops) in [venue, echo].into_iter().zip(columns) {
        let whole = server.mean(Way::total_ns);
        let sum: f64 = hops.iter().map(|(mean, _)| mean).sum();
        if (sum - whole).abs() > 1.0 {
            let what = format!("hops of {sum:.0} ns make a way of {whole:.0} ns");
            return Err(BenchError::WrongAnswer(what));
        }
        totals.push(cell((whole, Some(server.median(Way::total_ns)))));
    }
    let (name, venue, echo) = ("first touch to kick", &totals[0], &totals[1]);
    text.push_str(&format!("\n  {name:<34}{venue:>14}{echo:>14}"));
    Ok(text)
}

/// How often the servers look at their ports while nothing comes.
pub fn looks(venue: &Server, echo: &Server) -> String {
    let [venue, echo] = [venue, echo].map(|server| {
        let times = server.looks_ns.iter().map(|ns| ns * 1_000).collect();
        Stats::of(times).map_or(0.0, |stats| stats.median)
    });
    format!(
        "an idle venue looks at its port each {venue:.0} ns, the echo each {echo:.0} ns: a message \
         waits half of that"
    )
}
