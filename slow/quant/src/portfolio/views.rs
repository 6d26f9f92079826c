//! Black and Litterman's mean: what a market's weights imply, and one's own views (Financial
//! Analysts Journal 48, 1992; the form is that of A. Meucci, 2008).

use analytics::arch::Backend;

use super::covariance::Covariance;
use crate::Fault;
use crate::fault::{same_length, series, within};
use crate::linear::Cholesky;

/// The most views.
const VIEWS_MAX: usize = 256;

/// A portfolio, what it is expected to return, and how sure that is.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// How much of each asset.
    pub weights: &'a [f64],
    /// What it is expected to return.
    pub mean: f64,
    /// The variance of that expectation; above 0.
    pub variance: f64,
}

/// Returns that make a market's weights the best ones: `aversion * S w`.
///
/// # Errors
/// As many weights as assets are needed; numbers that are none.
pub fn implied_mean(
    covariance: &Covariance<'_>,
    weights: &[f64],
    aversion: f64,
) -> Result<Vec<f64>, Fault> {
    series("weights", weights, 0)?;
    same_length("weights", weights.len(), covariance.count())?;
    within("aversion", aversion, 1e-12, 1e12)?;
    let held = covariance.times(weights);
    Ok(held.into_iter().map(|held| aversion * held).collect())
}

/// The mean after views: `m + t S P' (P t S P' + W)^-1 (q - P m)` for prior means `m`, whose
/// covariance is `t S`.
///
/// # Errors
/// Lengths that do not go together, numbers that are none, more than 256 views, `t` outside 1e-9 to
/// 1e3, a view without a variance.
pub fn black_litterman(
    covariance: &Covariance<'_>,
    prior: &[f64],
    t: f64,
    views: &[View<'_>],
) -> Result<Vec<f64>, Fault> {
    let count = covariance.count();
    series("prior", prior, 0)?;
    same_length("prior", prior.len(), count)?;
    within("t", t, 1e-9, 1e3)?;
    within("views", views.len() as f64, 0.0, VIEWS_MAX as f64)?;
    for view in views {
        series("view", view.weights, 0)?;
        series("view's mean", &[view.mean], 1)?;
        same_length("view", view.weights.len(), count)?;
        within(
            "view's variance",
            view.variance,
            f64::MIN_POSITIVE,
            f64::MAX,
        )?;
    }
    let spread = |view: &View<'_>| -> Vec<f64> {
        let held = covariance.times(view.weights).into_iter();
        held.map(|held| t * held).collect()
    };
    let spreads: Vec<Vec<f64>> = views.iter().map(spread).collect();
    let backend = Backend::best();
    let row = |at: usize| {
        let (spreads, own) = (&spreads, views[at].variance);
        let between = move |other: usize| {
            let own = if other == at { own } else { 0.0 };
            backend.dot(views[at].weights, &spreads[other]) + own
        };
        (0..=at).map(between)
    };
    let failed = |column| Fault::Collinear {
        what: "views",
        column,
    };
    let factor = Cholesky::new(backend, views.len(), row).map_err(failed)?;
    let surprise = |view: &View<'_>| view.mean - backend.dot(view.weights, prior);
    let mut surprises: Vec<f64> = views.iter().map(surprise).collect();
    factor.solve(&mut surprises);
    let mut mean = prior.to_vec();
    for (spread, surprise) in spreads.iter().zip(surprises) {
        mean.iter_mut()
            .zip(spread)
            .for_each(|(x, spread)| *x += spread * surprise);
    }
    Ok(mean)
}
