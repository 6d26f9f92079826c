//! A report for people, for programs, and for the record.

use std::fmt::Write as _;

use serde::Serialize;

use crate::calibration::Calibration;
use crate::compare::{Case, Figures, Spread};
use crate::machine::Machine;

/// What one row gave.
#[derive(Clone, Debug, Serialize)]
pub struct RowReport {
    /// Name of the row.
    pub row: String,
    /// Its cases, the worst ratio first.
    pub cases: Vec<Case>,
    /// Why there are none.
    pub skipped: Option<String>,
}

/// What one run of the program gave.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Where it ran.
    pub machine: Machine,
    /// The command line.
    pub command: String,
    /// What the machine charged between cores.
    pub calibration: Calibration,
    /// The rows.
    pub rows: Vec<RowReport>,
}

/// Columns of the record, one line a subject and case.
pub const CSV_HEADER: &str = "date,commit,row,case,subject,unit,samples,max,p99.9,p99,median,min,\
                              ratio_min,ratio,ratio_max,noise,ping_pong_before,\
                              ping_pong_after,command";

impl RowReport {
    /// Orders the cases: the worst ratio first, then those without a peer.
    #[must_use]
    pub fn new(row: &str, mut cases: Vec<Case>) -> Self {
        let badness = |case: &Case| case.ratio.unwrap_or(0.0);
        cases.sort_by(|left, right| badness(right).total_cmp(&badness(left)));
        Self {
            row: row.to_string(),
            cases,
            skipped: None,
        }
    }
}

impl Report {
    /// The report as people read it: the worst numbers come first.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let Machine {
            processor,
            processors,
            kernel,
            load,
            commit,
            date,
        } = &self.machine;
        let Calibration { before, after } = &self.calibration;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{date} commit {commit}: {}", self.command);
        let _ = writeln!(
            text,
            "{processor}, {processors} processors, {kernel}, load {load}"
        );
        let _ = writeln!(
            text,
            "cache line there and back: {:.0} ns before, {:.0} ns after (max {:.0}, {:.0})",
            before.median, after.median, before.max, after.max
        );
        for row in &self.rows {
            if let Some(why) = &row.skipped {
                let _ = writeln!(text, "\n{}: skipped: {why}", row.row);
            }
            for case in &row.cases {
                write_case(&mut text, &row.row, case);
            }
        }
        text
    }

    /// The report as lines of the record, without [`CSV_HEADER`].
    #[must_use]
    pub fn csv(&self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            for case in &row.cases {
                for figures in std::iter::once(&case.ours).chain(&case.peers) {
                    self.write_csv_line(&mut text, &row.row, case, figures);
                }
            }
        }
        text
    }

    fn write_csv_line(&self, text: &mut String, row: &str, case: &Case, figures: &Figures) {
        let Machine { date, commit, .. } = &self.machine;
        let Case {
            name, unit, noise, ..
        } = case;
        // A comma would be a column.
        let cell = |text: &str| text.replace(',', ";");
        let (name, subject) = (cell(name), cell(&figures.subject));
        let stats = &figures.stats;
        let ours = figures.subject == case.ours.subject;
        let ratio = case
            .ratio
            .filter(|_| ours)
            .map_or(String::new(), |ratio| format!("{ratio:.3}"));
        // Ours by the best peer stands with ours; ours by each peer, by rounds, with that one.
        let ratios = figures.ratios.map_or(format!(",{ratio},"), |ratios| {
            format!("{:.3},{:.3},{:.3}", ratios.min, ratios.median, ratios.max)
        });
        let _ = writeln!(
            text,
            "{date},{commit},{row},{name},{subject},{unit},{},{},{},{},{},{},{ratios},\
             {noise:.3},{:.1},{:.1},{}",
            stats.count,
            digits(stats.max),
            digits(stats.p999),
            digits(stats.p99),
            digits(stats.median),
            digits(stats.min),
            self.calibration.before.median,
            self.calibration.after.median,
            cell(&self.command),
        );
    }
}

/// A figure to a tenth of a nanosecond, or to a picosecond if it is less than one.
fn digits(value: f64) -> String {
    if value.abs() < 1.0 {
        format!("{value:.3}")
    } else {
        format!("{value:.1}")
    }
}

fn write_case(text: &mut String, row: &str, case: &Case) {
    let ratio = case
        .ratio
        .map_or("no peer".to_string(), |ratio| format!("ratio {ratio:.2}"));
    let _ = writeln!(
        text,
        "\n{row}: {} ({}): {ratio}, noise {:.0} %",
        case.name,
        case.unit,
        case.noise * 100.0
    );
    let head = ["max", "p99.9", "p99", "median", "min", "samples"];
    let _ = write!(text, "  {:<28}", "");
    head.iter().for_each(|name| {
        let _ = write!(text, "{name:>12}");
    });
    let _ = writeln!(text);
    for figures in std::iter::once(&case.ours).chain(&case.peers) {
        let stats = &figures.stats;
        let _ = write!(text, "  {:<28}", figures.subject);
        for value in [stats.max, stats.p999, stats.p99, stats.median, stats.min] {
            let _ = write!(text, "{:>12}", digits(value));
        }
        let _ = write!(text, "{:>12}", stats.count);
        if let Some(Spread { min, median, max }) = figures.ratios {
            let _ = write!(text, "  ours by it {min:.3} {median:.3} {max:.3}");
        }
        let _ = writeln!(text);
    }
    if let Some(note) = &case.note {
        let _ = writeln!(text, "  {note}");
    }
}
