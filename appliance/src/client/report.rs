//! The result of a load run: a table for people, JSON for programs, a picture for both.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hdrhistogram::Histogram;
use queue::Summary;
use serde::Serialize;

use super::scenario::Thresholds;

/// The longest latency a histogram tells apart from longer ones: 100 s.
pub const LATENCY_NS_MAX: u64 = 100_000_000_000;

/// Latencies in nanoseconds to three significant digits, up to [`LATENCY_NS_MAX`].
#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

impl Latencies {
    /// No latency yet.
    #[must_use]
    pub fn new() -> Self {
        let bounded = Histogram::new_with_bounds(1, LATENCY_NS_MAX, 3);
        Self(bounded.expect("constant bounds that the histogram accepts"))
    }

    /// Adds one latency; one longer than [`LATENCY_NS_MAX`] counts as that.
    pub fn record(&mut self, ns: u64) {
        self.0.saturating_record(ns.max(1));
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.reset();
    }

    /// How many were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The figures of a row.
    #[must_use]
    pub fn row(&self) -> LatencyRow {
        let at = |quantile| {
            if self.0.is_empty() {
                0
            } else {
                self.0.value_at_quantile(quantile)
            }
        };
        LatencyRow {
            count: self.0.len(),
            min_ns: if self.0.is_empty() { 0 } else { self.0.min() },
            p50_ns: at(0.5),
            p99_ns: at(0.99),
            p999_ns: at(0.999),
            max_ns: if self.0.is_empty() { 0 } else { self.0.max() },
        }
    }

    /// Latency at a share of all, 0.0 to 1.0.
    #[must_use]
    pub fn at(&self, quantile: f64) -> u64 {
        self.0.value_at_quantile(quantile)
    }
}

/// One row of a latency table, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LatencyRow {
    /// How many were measured.
    pub count: u64,
    /// Shortest; 0 where it is not known.
    pub min_ns: u64,
    /// Median.
    pub p50_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// 99.9th percentile.
    pub p999_ns: u64,
    /// Longest.
    pub max_ns: u64,
}

impl LatencyRow {
    /// A histogram's figures.
    #[must_use]
    pub const fn of(summary: &Summary) -> Self {
        Self {
            count: summary.count,
            min_ns: 0,
            p50_ns: summary.p50,
            p99_ns: summary.p99,
            p999_ns: summary.p99_9,
            max_ns: summary.max,
        }
    }
}

/// A duration in the unit that shows three digits or so.
#[must_use]
pub fn duration_text(ns: u64) -> String {
    match ns {
        0..10_000 => format!("{ns} ns"),
        10_000..1_000_000 => format!("{:.1} us", ns as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.2} ms", ns as f64 / 1e6),
        _ => format!("{:.2} s", ns as f64 / 1e9),
    }
}

/// A latency table, the worst figure first; rows without a measurement are left out.
#[must_use]
pub fn table(rows: &[(&str, LatencyRow)]) -> String {
    let width = rows
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0)
        .max(8);
    let mut text = format!(
        "{:width$}  {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}\n",
        "latency", "max", "p99.9", "p99", "p50", "min", "count"
    );
    for (name, row) in rows.iter().filter(|(_, row)| row.count > 0) {
        let _ = writeln!(
            text,
            "{name:width$}  {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}",
            duration_text(row.max_ns),
            duration_text(row.p999_ns),
            duration_text(row.p99_ns),
            duration_text(row.p50_ns),
            if row.min_ns == 0 {
                "-".to_owned()
            } else {
                duration_text(row.min_ns)
            },
            row.count,
        );
    }
    text
}

/// What happened in one second of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Second {
    /// Commands that were due.
    pub due: u64,
    /// Latency from due to reply of the commands that were answered in this second.
    pub reply: LatencyRow,
}

/// The result of a load run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Length of the scenario in seconds.
    pub seconds: f64,
    /// Commands that were due and sent.
    pub sent: u64,
    /// Commands that got an answer.
    pub answered: u64,
    /// Orders and replacements taken.
    pub accepted: u64,
    /// Orders and replacements refused.
    pub rejected: u64,
    /// Why, as the venue's reasons or reject codes unknown here, and how many each.
    pub reject_reasons: BTreeMap<String, u64>,
    /// Executions of our orders, both sides counted.
    pub executions: u64,
    /// Commands without an answer when the run ended.
    pub unanswered: u64,
    /// From the moment a command was due to its reply.
    pub due_to_reply: LatencyRow,
    /// From the moment a command was handed to the socket to its reply.
    pub sent_to_reply: LatencyRow,
    /// Second by second.
    pub timeline: Vec<Second>,
    /// Thresholds that were broken, in words.
    pub broken: Vec<String>,
}

impl Report {
    /// Compares the figures with the thresholds and keeps what is broken.
    pub fn judge(&mut self, thresholds: &Thresholds) {
        let row = self.due_to_reply;
        let limits = [
            ("p50_us", thresholds.p50_us, row.p50_ns.div_ceil(1_000)),
            ("p99_us", thresholds.p99_us, row.p99_ns.div_ceil(1_000)),
            ("p999_us", thresholds.p999_us, row.p999_ns.div_ceil(1_000)),
            ("max_us", thresholds.max_us, row.max_ns.div_ceil(1_000)),
            ("rejects", thresholds.rejects, self.rejected),
            // A command without an answer is never fine unless somebody says so.
            (
                "unanswered",
                Some(thresholds.unanswered.unwrap_or(0)),
                self.unanswered,
            ),
        ];
        self.broken = limits
            .into_iter()
            .filter_map(|(name, limit, found)| {
                let limit = limit.filter(|&limit| found > limit)?;
                Some(format!("{name} is {found}, more than {limit}"))
            })
            .collect();
    }

    /// How many orders and replacements were refused, and why.
    #[must_use]
    pub fn rejected_text(&self) -> String {
        let reason = |(reason, count): (&String, &u64)| format!("{count} {reason}");
        let reasons: Vec<_> = self.reject_reasons.iter().map(reason).collect();
        match reasons.as_slice() {
            [] => format!("{} rejected", self.rejected),
            _ => format!("{} rejected ({})", self.rejected, reasons.join(", ")),
        }
    }

    /// The report as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!(
            "{} commands in {:.1} s: {} answered, {} accepted, {}, {} executions, {} \
             unanswered\n\n",
            self.sent,
            self.seconds,
            self.answered,
            self.accepted,
            self.rejected_text(),
            self.executions,
            self.unanswered
        );
        text.push_str(&table(&[
            ("order due -> reply", self.due_to_reply),
            ("order sent -> reply", self.sent_to_reply),
        ]));
        for broken in &self.broken {
            let _ = writeln!(text, "threshold broken: {broken}");
        }
        text
    }

    /// The report as JSON; its numbers are nanoseconds and counts.
    ///
    /// # Errors
    /// Never for this type, but the serializer can say so.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }

    /// Latency over time as a picture: median, 99th percentile and maximum of each second, with a
    /// logarithmic scale.
    #[must_use]
    pub fn svg(&self) -> String {
        let plot = Plot::new(&self.timeline);
        let mut svg = plot.frame();
        let lines: [(&str, &str, Pick); 3] = [
            ("max", "#b03030", |row| row.max_ns),
            ("p99", "#c08020", |row| row.p99_ns),
            ("p50", "#2060a0", |row| row.p50_ns),
        ];
        for (index, (name, colour, pick)) in lines.into_iter().enumerate() {
            plot.line(&mut svg, &self.timeline, colour, pick);
            let y = 34 + 16 * index;
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{y}\" fill=\"{colour}\">{name}</text>",
                Plot::WIDTH - 50.0
            );
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// Which figure of a row a line shows.
type Pick = fn(&LatencyRow) -> u64;

/// The scales of the picture.
struct Plot {
    seconds: f64,
    decade_low: f64,
    decade_high: f64,
}

impl Plot {
    const WIDTH: f64 = 800.0;
    const HEIGHT: f64 = 400.0;
    const LEFT: f64 = 70.0;
    const TOP: f64 = 20.0;
    const BOTTOM: f64 = 360.0;

    fn new(timeline: &[Second]) -> Self {
        let measured = || {
            timeline
                .iter()
                .map(|second| second.reply)
                .filter(|row| row.count > 0)
        };
        let low = measured()
            .map(|row| row.p50_ns)
            .min()
            .unwrap_or(1_000)
            .max(1) as f64;
        let high = measured()
            .map(|row| row.max_ns)
            .max()
            .unwrap_or(1_000_000)
            .max(10) as f64;
        let decade_low = low.log10().floor();
        Self {
            seconds: timeline.len().max(2) as f64 - 1.0,
            decade_low,
            decade_high: high.log10().ceil().max(decade_low + 1.0),
        }
    }

    fn x(&self, second: usize) -> f64 {
        Self::LEFT + second as f64 / self.seconds * (Self::WIDTH - Self::LEFT - 20.0)
    }

    fn y(&self, ns: u64) -> f64 {
        let decades = self.decade_high - self.decade_low;
        let part = ((ns.max(1) as f64).log10() - self.decade_low) / decades;
        Self::BOTTOM - part.clamp(0.0, 1.0) * (Self::BOTTOM - Self::TOP)
    }

    fn frame(&self) -> String {
        let (width, height) = (Self::WIDTH, Self::HEIGHT);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n\
             <text x=\"{}\" y=\"14\">order due to reply, by second</text>\n",
            Self::LEFT
        );
        let decades = self.decade_low as i32..=self.decade_high as i32;
        for decade in decades {
            let ns = 10u64.saturating_pow(decade.max(0).unsigned_abs());
            let y = self.y(ns);
            let _ = writeln!(
                svg,
                "<line x1=\"{}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>\n\
                 <text x=\"4\" y=\"{:.1}\">{}</text>",
                Self::LEFT,
                Self::WIDTH - 20.0,
                y + 4.0,
                duration_text(ns)
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\">0 s</text>\n\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{} s</text>",
            Self::LEFT,
            Self::BOTTOM + 18.0,
            width - 20.0,
            Self::BOTTOM + 18.0,
            self.seconds
        );
        svg
    }

    fn line(&self, svg: &mut String, timeline: &[Second], colour: &str, pick: Pick) {
        let mut points = String::new();
        for (index, second) in timeline
            .iter()
            .enumerate()
            .filter(|(_, s)| s.reply.count > 0)
        {
            let _ = write!(
                points,
                "{:.1},{:.1} ",
                self.x(index),
                self.y(pick(&second.reply))
            );
        }
        let _ = writeln!(
            svg,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{}\"/>",
            points.trim_end()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut latencies = Latencies::new();
        for ns in 1..=1_000 {
            latencies.record(ns * 1_000);
        }
        let row = latencies.row();
        Report {
            seconds: 1.0,
            sent: 1_001,
            answered: 1_000,
            accepted: 990,
            rejected: 10,
            reject_reasons: BTreeMap::from([
                ("InvalidPrice".to_owned(), 3),
                ("UnknownOrder".to_owned(), 7),
            ]),
            executions: 5,
            unanswered: 1,
            due_to_reply: row,
            sent_to_reply: row,
            timeline: vec![
                Second {
                    due: 500,
                    reply: row,
                },
                Second {
                    due: 501,
                    reply: row,
                },
            ],
            broken: Vec::new(),
        }
    }

    #[test]
    fn percentiles_are_those_of_the_values() {
        let row = report().due_to_reply;
        assert_eq!(
            (row.count, row.min_ns, row.max_ns),
            (1_000, 1_000, 1_000_447)
        );
        assert!((499_000..=501_000).contains(&row.p50_ns), "{}", row.p50_ns);
        assert!((989_000..=991_000).contains(&row.p99_ns), "{}", row.p99_ns);
        assert_eq!(Latencies::new().row().max_ns, 0);
    }

    #[test]
    fn thresholds_are_judged_on_the_worst_side() {
        let mut report = report();
        report.judge(&Thresholds {
            rejects: Some(10),
            unanswered: Some(1),
            ..Thresholds::default()
        });
        assert!(report.broken.is_empty());
        let limits = Thresholds {
            p50_us: Some(400),
            ..Thresholds::default()
        };
        report.judge(&limits);
        assert_eq!(report.broken.len(), 2, "{:?}", report.broken);
        assert!(report.text().contains("threshold broken: p50_us is"));
    }

    #[test]
    fn refusals_say_why() {
        let mut report = report();
        let why = "10 rejected (3 InvalidPrice, 7 UnknownOrder)";
        assert!(report.text().contains(why), "{}", report.text());
        report.rejected = 0;
        report.reject_reasons.clear();
        assert!(report.text().contains(" 0 rejected, 5 executions"));
    }

    #[test]
    fn json_and_picture_hold_the_figures() {
        let report = report();
        let value: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
        assert_eq!(value["sent"], 1_001);
        assert_eq!(value["timeline"].as_array().unwrap().len(), 2);
        let svg = report.svg();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        assert_eq!(svg.matches("<polyline").count(), 3);
    }
}
