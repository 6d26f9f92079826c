//! Sums over columns, near and far.

use std::hint::black_box;

use analytics::arch::Backend;
use analytics::kernels::Bar;

use super::{Series, timed, used, wrong};
use crate::compare::{Case, Subject, compare};
use crate::{BenchError, Effort};

/// VWAP and bars: the peer is the plain loop, and what it takes to read the columns at all.
pub(super) fn sums(place: &str, series: &Series, effort: Effort) -> Result<Vec<Case>, BenchError> {
    let Series {
        prices,
        volumes,
        ticks,
        units,
        ..
    } = series;
    let best = Backend::best();
    let length = prices.len();
    let plain_vwap = || {
        let pairs = prices.iter().zip(volumes);
        let (value, volume) = pairs.fold((0.0, 0.0), |(value, volume), (price, units)| {
            (value + price * units, volume + units)
        });
        value / volume
    };
    let plain_bar = || {
        let mut bar = Bar::of(ticks[0], units[0]);
        for (price, units) in ticks.iter().zip(units).skip(1) {
            bar.add(&Bar::of(*price, *units));
        }
        bar
    };
    wrong(
        "vwap",
        best.vwap(prices, volumes).unwrap_or(0.0),
        plain_vwap(),
    )?;
    if best.bar(ticks, units) != Some(plain_bar()) {
        return Err(BenchError::WrongAnswer("a bar differs".to_owned()));
    }
    let ours = || {
        let vwap = || used(best.vwap(black_box(prices), black_box(volumes)));
        let bar = || used(best.bar(black_box(ticks), black_box(units)));
        Ok(vec![
            timed(length, effort, vwap),
            timed(length, effort, bar),
        ])
    };
    let plain = || {
        let vwap = || used(plain_vwap());
        let bar = || used(plain_bar());
        Ok(vec![
            timed(length, effort, vwap),
            timed(length, effort, bar),
        ])
    };
    let reading = || {
        let vwap = || used((read(prices), read(volumes)));
        let bar = || used((read(ticks), read(units)));
        Ok(vec![
            timed(length, effort, vwap),
            timed(length, effort, bar),
        ])
    };
    let names = [
        format!("VWAP, f64, {place}"),
        format!("bar with VWAP, exact integers, {place}"),
    ];
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let subjects = vec![
        Subject::new("ours", ours),
        Subject::new("plain loop", plain),
        Subject::new("reading alone", reading),
    ];
    let cases = compare(&names, effort.rounds(), subjects)?;
    let exact = plain_bar().vwap() / 100.0;
    let part = |vwap: f64| ((vwap - exact) / exact).abs();
    let note = format!(
        "{length} numbers: off the exact average ours is by {:.1e} of it, sums in f32 by {:.1e}",
        part(best.vwap(prices, volumes).unwrap_or(f64::NAN)),
        part(vwap_in_f32(prices, volumes)),
    );
    Ok(cases.into_iter().map(|case| case.noted(&note)).collect())
}

/// The average as it is often written: eight sums of products, and of volumes, in `f32`.
fn vwap_in_f32(prices: &[f64], volumes: &[f64]) -> f64 {
    let (prices, _) = prices.as_chunks::<8>();
    let (volumes, _) = volumes.as_chunks::<8>();
    let mut sums = [[0.0f32; 8]; 2];
    for (prices, volumes) in prices.iter().zip(volumes) {
        for at in 0..8 {
            sums[0][at] += prices[at] as f32 * volumes[at] as f32;
            sums[1][at] += volumes[at] as f32;
        }
    }
    let [value, volume] = sums.map(|sums| sums.iter().sum::<f32>());
    f64::from(value / volume)
}

/// Reads all words of a column and does next to nothing with them: what memory can give.
fn read<T: bytemuck::Pod>(column: &[T]) -> u64 {
    let (_, words, _) = bytemuck::pod_align_to::<T, u64>(column);
    let (blocks, rest) = words.as_chunks::<32>();
    let mut all = [0u64; 32];
    for block in blocks {
        for (one, word) in all.iter_mut().zip(block) {
            *one ^= word;
        }
    }
    all.iter().chain(rest).fold(0, |all, word| all ^ word)
}
