//! Findings and plans as people read them.

use crate::change::Change;
use crate::finding::{Finding, Verdict};
use std::fmt::Write as _;

/// Columns of the widest found text in the table.
const FOUND_MAX: usize = 60;

/// One line a finding: verdict, stage, what was looked at, what is there, what should be.
#[must_use]
pub fn table(findings: &[Finding]) -> String {
    let rows: Vec<[String; 5]> = findings
        .iter()
        .map(|finding| {
            [
                finding.verdict.word().to_owned(),
                finding.stage.to_owned(),
                finding.subject.clone(),
                shortened(&finding.found),
                shortened(&finding.wanted),
            ]
        })
        .collect();
    let heads = ["verdict", "stage", "what", "found", "wanted"].map(str::to_owned);
    let width = |column: usize| {
        let cells = rows
            .iter()
            .chain([&heads])
            .map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: [usize; 4] = std::array::from_fn(width);
    let mut text = String::new();
    for row in [&heads].into_iter().chain(&rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        line.push_str(&row[4]);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let count = |verdict| findings.iter().filter(|f| f.verdict == verdict).count();
    let _ = writeln!(
        text,
        "\n{} good, {} poor, {} to choose, {} absent on this host",
        count(Verdict::Good),
        count(Verdict::Poor),
        count(Verdict::Choice),
        count(Verdict::Absent)
    );
    text
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= FOUND_MAX {
        return text.to_owned();
    }
    text.chars()
        .take(FOUND_MAX - 3)
        .chain("...".chars())
        .collect()
}

/// All that stands behind the findings that are not good: why, how, what it risks, and the undo.
#[must_use]
pub fn details(findings: &[Finding]) -> String {
    let mut text = String::new();
    let told = [Verdict::Poor, Verdict::Choice];
    for finding in findings
        .iter()
        .filter(|finding| told.contains(&finding.verdict))
    {
        let Finding {
            stage,
            subject,
            verdict,
            found,
            wanted,
            why,
            risk,
            changes,
            by_hand,
        } = finding;
        let _ = writeln!(text, "{stage}: {subject}: {}", verdict.word());
        let _ = writeln!(
            text,
            "  found   {found}\n  wanted  {wanted}\n  why     {why}"
        );
        for change in changes {
            let _ = writeln!(text, "  change  {}", one_line(&change.command()));
            let _ = writeln!(text, "  undo    {}", one_line(&change.undo_command()));
        }
        if !by_hand.is_empty() {
            let _ = writeln!(text, "  by hand {by_hand}");
        }
        let _ = writeln!(text, "  risk    {risk}\n");
    }
    text
}

fn one_line(command: &str) -> String {
    command.replace('\n', "\\n")
}

/// What would be written, stage by stage, as commands.
#[must_use]
pub fn plan_text(plan: &[(&'static str, Change)]) -> String {
    let mut text = String::new();
    let mut last = "";
    for (stage, change) in plan {
        if *stage != last {
            let _ = writeln!(text, "# {stage}");
            last = stage;
        }
        let _ = writeln!(text, "{}", change.command());
    }
    text
}
