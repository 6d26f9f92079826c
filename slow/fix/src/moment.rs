//! Times as FIX writes them: `20261121-21:58:03.125`, UTC.

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

/// A time in nanoseconds since 1970, to the millisecond.
#[must_use]
pub fn text(unix_ns: u64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_ns))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!(
        "{:04}{:02}{:02}-{:02}:{:02}:{:02}.{:03}",
        moment.year(),
        u8::from(moment.month()),
        moment.day(),
        moment.hour(),
        moment.minute(),
        moment.second(),
        moment.millisecond()
    )
}

/// The nanoseconds since 1970 of such a text, with or without a fraction; `None` if it is none.
#[must_use]
pub fn read(text: &str) -> Option<u64> {
    let (day, hour) = text.split_once('-')?;
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if day.len() != 8 || !is_digits(day) {
        return None;
    }
    let month = Month::try_from(day[4..6].parse::<u8>().ok()?).ok()?;
    let date = Date::from_calendar_date(day[..4].parse().ok()?, month, day[6..].parse().ok()?);
    let (hour, fraction) = hour.split_once('.').unwrap_or((hour, "0"));
    let [hours, minutes, seconds] = [hour.get(..3)?, hour.get(3..6)?, hour.get(6..)?];
    let part = |text: &str| -> Option<u8> {
        (text.len() == 2 && is_digits(text)).then(|| text.parse().ok())?
    };
    let hours = part(hours.strip_suffix(':')?)?;
    let minutes = part(minutes.strip_suffix(':')?)?;
    // A leap second is told as the one before it.
    let seconds = part(seconds)?.min(59);
    if fraction.is_empty() || fraction.len() > 9 || !is_digits(fraction) {
        return None;
    }
    let nanos: u32 = format!("{fraction:0<9}").parse().ok()?;
    let time = Time::from_hms_nano(hours, minutes, seconds, nanos).ok()?;
    let moment = PrimitiveDateTime::new(date.ok()?, time).assume_utc();
    u64::try_from(moment.unix_timestamp_nanos()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_rubbish_is_not() {
        let ns = 1_795_298_283_125_000_000;
        assert_eq!(text(ns), "20261121-21:58:03.125");
        assert_eq!(read("20261121-21:58:03.125"), Some(ns));
        assert_eq!(read("20261121-21:58:03"), Some(ns - 125_000_000));
        for rubbish in [
            "",
            "-",
            "20261121",
            "20261321-00:00:00",
            "2026112-21:58:03",
            "20261121-24:00:00",
            "20261121-1:58:03",
            "20261121-21:58:03.",
            "20261121-21:58:0é",
            "99999999-99:99:99",
        ] {
            assert_eq!(read(rubbish), None, "{rubbish}");
        }
    }
}
