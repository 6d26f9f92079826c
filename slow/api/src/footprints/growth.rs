//! Whether memory grows for good.

/// Parts of what is kept whose least values are compared.
const PARTS: usize = 6;

/// Milliseconds that moments span at least before a line through them says anything of an hour: a
/// process that has just started takes what it needs, and a few seconds of that are no rate.
const SPAN_MIN_MS: u64 = 600_000;

/// How many bytes grow in an hour by the line through moments in milliseconds and bytes (least
/// squares); nothing where they span less than ten minutes.
pub(super) fn an_hour(moments: &[(u64, u64)]) -> Option<i64> {
    let count = moments.len() as f64;
    let (first, last) = (moments.first()?, moments.last()?);
    if last.0.saturating_sub(first.0) < SPAN_MIN_MS {
        return None;
    }
    let hours = |at: u64| at.saturating_sub(first.0) as f64 / 3.6e6;
    let mean_at = moments.iter().map(|it| hours(it.0)).sum::<f64>() / count;
    let mean = moments.iter().map(|it| it.1 as f64).sum::<f64>() / count;
    let (mut above, mut below) = (0.0, 0.0);
    for (at, bytes) in moments {
        let from_mean = hours(*at) - mean_at;
        above += from_mean * (*bytes as f64 - mean);
        below += from_mean * from_mean;
    }
    (below > 0.0).then_some((above / below) as i64)
}

/// Whether it grows steadily by more than so many bytes: the least of each sixth of the moments is
/// above that of the one before. What goes up and down, or up once, is no leak.
pub(super) fn is_steady(moments: &[(u64, u64)], more_than: u64) -> bool {
    if moments.len() < PARTS {
        return false;
    }
    // Those that are too many for equal parts are the oldest.
    let size = moments.len() / PARTS;
    let parts = moments[moments.len() - size * PARTS..].chunks(size);
    let least = parts.map(|part| part.iter().map(|it| it.1).min().unwrap_or(0));
    let least: Vec<u64> = least.collect();
    let rises = least.windows(2).all(|pair| pair[0] < pair[1]);
    rises && least[PARTS - 1] - least[0] > more_than
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An hour of looks, each 10 s after the last.
    fn hour(bytes: impl Fn(u64) -> u64) -> Vec<(u64, u64)> {
        (0..360).map(|at| (at * 10_000, bytes(at))).collect()
    }

    #[test]
    fn a_leak_is_told_from_what_breathes() {
        const MIB: u64 = 1 << 20;
        let is_leak = |bytes: &dyn Fn(u64) -> u64| is_steady(&hour(bytes), 64 * MIB);
        assert!(is_leak(&|at| 100 * MIB + at * MIB));
        assert!(
            is_leak(&|at| 100 * MIB + at * MIB + at % 7 * 5 * MIB),
            "also under what breathes"
        );
        assert!(!is_leak(&|_| 100 * MIB));
        assert!(!is_leak(&|at| 100 * MIB + at * MIB / 10), "below the bound");
        assert!(
            !is_leak(&|at| (at % 90) * 10 * MIB),
            "grows and is given back"
        );
        assert!(!is_leak(&|at| if at < 100 { 0 } else { 500 * MIB }), "once");
        assert!(!is_leak(&|at| 1_000 * MIB - at * MIB), "shrinks");
        assert!(!is_steady(&[(0, 0), (1, 1 << 40)], 0), "too few");
    }

    #[test]
    fn the_line_says_how_much_an_hour_adds() {
        assert_eq!(an_hour(&hour(|at| 1_000 + at * 10)), Some(3_600));
        assert_eq!(an_hour(&hour(|at| 10_000 - at * 10)), Some(-3_600));
        assert_eq!(an_hour(&hour(|_| 7)), Some(0));
        let start = hour(|at| at << 20);
        assert_eq!(an_hour(&start[..60]), None, "it has just started");
        assert!(an_hour(&start[..61]).is_some());
        assert_eq!(an_hour(&[]), None);
        assert_eq!(an_hour(&[(5, 100)]), None);
    }
}
