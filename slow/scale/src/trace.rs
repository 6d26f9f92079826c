//! Recorded loads: read from CSV, or made.

use crate::predictor::DAY_S;
use std::fmt::{self, Write as _};

/// Rows of a trace at most.
pub const ROWS_MAX: usize = 1_000_000;

/// Seconds between two rows at most: after a longer silence nothing could be learnt.
pub const GAP_MAX_S: u64 = 3_600;

/// The load up to a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// When it was measured, in seconds.
    pub time_s: u64,
    /// What came a second since the row before.
    pub load: f64,
}

/// What is wrong with a trace, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// From 1; 0: the trace as a whole.
    pub line: usize,
    /// `time` or `load`, if it is one of them.
    pub field: &'static str,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}", self.line)?;
            if !self.field.is_empty() {
                write!(f, ", field {}", self.field)?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for Wrong {}

/// Rows of `time,load`: whole seconds that grow, and commands a second. The first line may name the
/// fields.
///
/// # Errors
/// The first thing that makes no sense.
pub fn parse(text: &str) -> Result<Vec<Row>, Wrong> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rows: Vec<Row> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let is_head = at == 0 && line.split(',').map(str::trim).eq(["time", "load"]);
        if is_head || line.trim().is_empty() {
            continue;
        }
        let row = row(line, rows.last()).map_err(|(field, what)| Wrong {
            line: at + 1,
            field,
            what,
        })?;
        rows.push(row);
        if rows.len() > ROWS_MAX {
            let what = format!("more than {ROWS_MAX} rows: take longer steps, or fewer days");
            return Err(Wrong {
                line: at + 1,
                field: "",
                what,
            });
        }
    }
    if rows.len() < 2 {
        let what = "a trace has two rows of time,load at least".to_owned();
        return Err(Wrong {
            line: 0,
            field: "",
            what,
        });
    }
    Ok(rows)
}

fn row(line: &str, before: Option<&Row>) -> Result<Row, (&'static str, String)> {
    let cells: Vec<&str> = line.split(',').map(str::trim).collect();
    let [time, load] = cells[..] else {
        return Err((
            "",
            format!("{} fields; there are two: time,load", cells.len()),
        ));
    };
    let time_s: u64 = time
        .parse()
        .map_err(|_| ("time", format!("{time:?} is no whole number of seconds")))?;
    if let Some(before) = before {
        let since = before.time_s;
        if time_s <= since {
            return Err((
                "time",
                format!("{time_s} is not after {since}, the time before"),
            ));
        }
        if time_s - since > GAP_MAX_S {
            let what = format!(
                "{time_s} is {} s after {since}: {GAP_MAX_S} at most",
                time_s - since
            );
            return Err(("time", what));
        }
    }
    let is_load = |load: &f64| (0.0..=1e15).contains(load);
    let load = load.parse().ok().filter(is_load);
    let load = load.ok_or_else(|| {
        let what = format!(
            "{:?} is no load: commands a second, from 0 to 1e15",
            cells[1]
        );
        ("load", what)
    })?;
    Ok(Row { time_s, load })
}

/// Rows as [`parse`] reads them.
#[must_use]
pub fn write(rows: &[Row]) -> String {
    let mut text = String::from("time,load\n");
    for row in rows {
        let _ = writeln!(text, "{},{}", row.time_s, row.load);
    }
    text
}

/// What a made trace is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Days that it lasts.
    pub days: u32,
    /// Seconds between rows.
    pub step_s: u64,
    /// The load of a calm minute of the day, about.
    pub base: u32,
    /// What the noise begins with: the same seed, the same rows.
    pub seed: u64,
}

/// A market's days: calm at night, a steep open at 9:30, a quiet noon, a close at 16:00 that is
/// higher still, noise of a tenth, another size each day, and now and then a burst of a few minutes
/// that nothing announces.
#[must_use]
pub fn made(recipe: &Recipe) -> Vec<Row> {
    let mut state = recipe.seed;
    let mut random = || {
        // SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014).
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    };
    let (mut rows, mut size, mut burst_s) = (Vec::new(), 1.0, 0);
    let end_s = u64::from(recipe.days) * DAY_S;
    for time_s in (recipe.step_s..=end_s).step_by(recipe.step_s as usize) {
        if time_s % DAY_S < recipe.step_s {
            size = 0.85 + 0.3 * random();
        }
        // One in eight hours has a burst, of five minutes.
        if random() < recipe.step_s as f64 / 28_800.0 {
            burst_s = time_s + 300;
        }
        let burst = if time_s < burst_s { 4.0 } else { 0.0 };
        let noise = 0.9 + 0.2 * random();
        let load = f64::from(recipe.base) * (shape(time_s % DAY_S) * size * noise + burst);
        rows.push(Row {
            time_s,
            load: load.round(),
        });
    }
    rows
}

/// The day's shape: 1 at night.
fn shape(second: u64) -> f64 {
    let hour = second as f64 / 3_600.0;
    // From a height at once, and down to nothing in so many hours.
    let open = if hour >= 9.5 {
        (12.0 * (1.0 - (hour - 9.5) / 1.5)).max(0.0)
    } else {
        0.0
    };
    let day = if (9.5..16.0).contains(&hour) {
        4.0
    } else {
        0.0
    };
    // Up to a height, over before long.
    let close = if hour < 16.0 {
        (14.0 * (1.0 - (16.0 - hour) / 1.0)).max(0.0)
    } else {
        0.0
    };
    1.0 + open + day + close
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_read_again() {
        let recipe = Recipe {
            days: 1,
            step_s: 60,
            base: 100,
            seed: 7,
        };
        let rows = made(&recipe);
        assert_eq!(parse(&write(&rows)), Ok(rows.clone()));
        assert_eq!((rows.len(), made(&recipe)), (1_440, rows.clone()));
        assert_ne!(made(&Recipe { seed: 8, ..recipe }), rows);
        let most = |from: f64, to: f64| {
            let rows = rows
                .iter()
                .filter(|row| (from..to).contains(&(row.time_s as f64 / 3_600.0)));
            rows.map(|row| row.load).fold(0.0, f64::max)
        };
        assert!(most(9.5, 9.7) > 5.0 * most(9.0, 9.5).min(400.0));
        assert!(most(15.9, 16.0) > 1_000.0 && most(20.0, 24.0) < 700.0);
    }

    #[test]
    fn faults_have_line_and_field() {
        for (text, wanted) in [
            ("", "a trace has two rows of time,load at least"),
            (
                "time,load\n60,5\n",
                "a trace has two rows of time,load at least",
            ),
            (
                "time,load\n60,5\n120\n",
                "line 3: 1 fields; there are two: time,load",
            ),
            (
                "60,5\n1.5,5\n",
                "line 2, field time: \"1.5\" is no whole number of seconds",
            ),
            (
                "60,5\n60,5\n",
                "line 2, field time: 60 is not after 60, the time before",
            ),
            (
                "60,5\n9999,5\n",
                "line 2, field time: 9999 is 9939 s after 60: 3600 at most",
            ),
            (
                "60,5\n120,-1\n",
                "line 2, field load: \"-1\" is no load: commands a second, from 0 to 1e15",
            ),
            (
                "60,5\n\n120,nan\n",
                "line 3, field load: \"nan\" is no load: commands a second, from 0 to 1e15",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), wanted);
        }
    }
}
