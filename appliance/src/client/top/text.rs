//! The picture as tables.

use queue::Summary;
use std::fmt::Write as _;

use super::picture::{Hop, Picture, Row, Waiting};
use crate::client::report::duration_text;

impl Picture {
    /// The picture as tables, for files, pipes and people without a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}\n\n", self.title);
        let _ = writeln!(
            text,
            "{:<24} {:>20} {:>14}",
            "counter", "value", "per second"
        );
        for Row { name, value, rate } in &self.rows {
            let rate = rate.map_or("-".to_owned(), |rate| format!("{rate:.1}"));
            let _ = writeln!(text, "{name:<24} {value:>20} {rate:>14}");
        }
        let _ = writeln!(text, "\n{:<24} {:>20}", "link", "waiting");
        for Waiting { link, count } in &self.waiting {
            let _ = writeln!(text, "{link:<24} {count:>20}");
        }
        let total: Vec<_> = self
            .hops
            .iter()
            .map(|hop| (&*hop.name, hop.total))
            .collect();
        let _ = write!(text, "\n{}", latencies("hop, since the start", &total));
        if let Some(seconds) = self.seconds {
            let recent = |hop: &Hop| hop.recent.unwrap_or(NOTHING);
            let recent: Vec<_> = self
                .hops
                .iter()
                .map(|hop| (&*hop.name, recent(hop)))
                .collect();
            let title = format!("hop, last {seconds:.1} s");
            let _ = write!(text, "\n{}", latencies(&title, &recent));
        }
        text
    }
}

const NOTHING: Summary = Summary {
    count: 0,
    sum: 0,
    p50: 0,
    p99: 0,
    p99_9: 0,
    max: 0,
};

/// The five columns of a hop, the worst first.
#[must_use]
pub(super) fn columns(summary: &Summary) -> [String; 5] {
    let time = |ns| {
        if summary.count == 0 {
            "-".to_owned()
        } else {
            duration_text(ns)
        }
    };
    let Summary {
        p50,
        p99,
        p99_9,
        max,
        ..
    } = *summary;
    [
        time(max),
        time(p99_9),
        time(p99),
        time(p50),
        summary.count.to_string(),
    ]
}

/// Names of these columns.
pub(super) const COLUMNS: [&str; 5] = ["max", "p99.9", "p99", "p50", "count"];

fn latencies(title: &str, hops: &[(&str, Summary)]) -> String {
    let line = |text: &mut String, name: &str, cells: [&str; 5]| {
        let [max, p99_9, p99, p50, count] = cells;
        let _ = writeln!(
            text,
            "{name:<24} {max:>10} {p99_9:>10} {p99:>10} {p50:>10} {count:>12}"
        );
    };
    let mut text = String::new();
    line(&mut text, title, COLUMNS);
    for (name, summary) in hops {
        let cells = columns(summary);
        line(&mut text, name, cells.each_ref().map(String::as_str));
    }
    text
}
