//! Times of a journal, nanoseconds since the Unix epoch, as people write them.

use crate::venue::day::{DAY_NS, date};

const SECOND_NS: u64 = 1_000_000_000;

/// `2026-01-30T12:00:00.000000123Z`.
pub(in crate::commands) fn told(time_ns: u64) -> String {
    let (year, month, day) = date((time_ns / DAY_NS) as i64);
    let second = time_ns % DAY_NS / SECOND_NS;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:09}Z",
        second / 3_600,
        second / 60 % 60,
        second % 60,
        time_ns % SECOND_NS
    )
}

/// Reads what [`told`] writes, shorter forms of it, down to the day, or plain nanoseconds.
pub(super) fn read(text: &str) -> Result<u64, String> {
    if let Ok(time_ns) = text.parse() {
        return Ok(time_ns);
    }
    read_date(text).ok_or_else(|| {
        format!("{text:?}: write 2026-01-30T12:00:00.5Z, 2026-01-30, or nanoseconds since 1970")
    })
}

fn read_date(text: &str) -> Option<u64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, time) = text.split_once('T').unwrap_or((text, ""));
    let mut parts = date.splitn(3, '-').map(digits);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let day_ns = days(year, month, day)?.checked_mul(DAY_NS)?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut seconds = 0;
    for (part, unit) in clock
        .split(':')
        .filter(|part| !part.is_empty())
        .zip([3_600, 60, 1])
    {
        seconds += digits(part)? * unit;
    }
    if fraction.len() > 9 || clock.split(':').count() > 3 || seconds >= DAY_NS / SECOND_NS {
        return None;
    }
    let fraction_ns = digits(&format!("{fraction:0<9}"))?;
    day_ns.checked_add(seconds * SECOND_NS + fraction_ns)
}

fn digits(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// The number of a day since 1970, by looking for it.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let wanted = (year as i64, month as u32, day as u32);
    // Every date of a year lies within these days.
    let around = year.checked_sub(1970)?.min(600) * 1_461 / 4;
    (around.saturating_sub(2)..around + 370).find(|days| date(*days as i64) == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read() {
        for time_ns in [0, 1, 951_782_399_999_999_999, 1_769_688_000_000_000_123] {
            assert_eq!(read(&told(time_ns)), Ok(time_ns));
        }
        assert_eq!(
            told(1_769_774_400_000_000_000),
            "2026-01-30T12:00:00.000000000Z"
        );
    }

    #[test]
    fn shorter_forms_are_read() {
        let noon = 1_769_774_400_000_000_000;
        for text in ["2026-01-30T12:00:00Z", "2026-01-30T12", "2026-01-30T12:00"] {
            assert_eq!(read(text), Ok(noon), "{text}");
        }
        assert_eq!(read("2026-01-30"), Ok(noon - DAY_NS / 2));
        assert_eq!(read("2026-01-30T12:00:00.5"), Ok(noon + SECOND_NS / 2));
        assert_eq!(read("1769774400000000000"), Ok(noon));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "noon",
            "2026-13-01",
            "2026-02-30",
            "2026-01-30T25:00",
            "2026-01-30T1:2:3:4",
            "-5",
            "1969-12-31",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
