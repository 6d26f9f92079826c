//! A picture of where prices may go.

use std::sync::{Mutex, PoisonError};

use quant::Fault;
use quant::montecarlo::{Custom, Model, Path, Settings, Simulation};

use crate::picture::{Picture, Style};
use crate::watch::Watch;

/// Paths that are drawn, and their prices, of all assets together.
const DRAWN: [usize; 2] = [4_096, 1 << 22];

/// Between what `level` of all assets' prices is at each time, in how many of a hundred cases. Who
/// is asked to stop draws fewer.
pub(super) fn fan<M: Model>(
    model: &M,
    seed: u64,
    watch: &Watch,
    level: impl Fn(&mut dyn Iterator<Item = f64>) -> f64 + Sync,
) -> Result<String, Fault> {
    let steps = model.grid().steps();
    let prices = steps * model.starts().len();
    let paths = DRAWN[0].min(DRAWN[1] / prices).max(1);
    let seen = Mutex::new(vec![Vec::with_capacity(paths); steps]);
    let look = Custom(|path: &Path<'_>| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (step, levels) in seen.iter_mut().enumerate() {
            let mut prices = (0..path.assets()).map(|asset| path.price(step, asset));
            levels.push(level(&mut prices));
        }
        0.0
    });
    let settings = Settings::new(paths as u64, seed);
    Simulation::new(model, &look, settings)?.run(|_| watch.goes_on());
    let mut seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    seen.iter_mut()
        .for_each(|levels| levels.sort_by(f64::total_cmp));
    let start = level(&mut model.starts().iter().copied());
    Ok(drawn(model.grid().times(), &seen, start))
}

/// Levels at each time, the least first.
fn drawn(times: &[f64], seen: &[Vec<f64>], start: f64) -> String {
    let edge = |share: f64| {
        let later = times.iter().zip(seen).map(move |(time, levels)| {
            let at = share * (levels.len() - 1) as f64;
            [*time, levels[at.round() as usize]]
        });
        [[0.0, start]].into_iter().chain(later).collect::<Vec<_>>()
    };
    let band = |low: f64, high: f64| {
        let back = edge(high).into_iter().rev();
        edge(low).into_iter().chain(back).collect()
    };
    let mut picture = Picture::new("Where the price may go", "years", "price");
    picture.add("98, 90 and 50 of 100 paths", Style::Band, band(0.01, 0.99));
    picture.add("", Style::Band, band(0.05, 0.95));
    picture.add("", Style::Band, band(0.25, 0.75));
    picture.add("median", Style::Line, edge(0.5));
    picture.svg()
}
