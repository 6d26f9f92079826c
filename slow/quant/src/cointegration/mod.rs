//! Whether series that wander keep together: unit roots, cointegration, spreads.
//!
//! Conventions are those of statsmodels 0.15 (`adfuller`, `coint`, `coint_johansen`, `kpss`): the
//! same lags are chosen, the same observations counted, the same tables asked.

mod adf;
mod engle_granger;
mod johansen;
mod kpss;
mod regression;
mod scan;
mod spread;
mod surface;
mod tables;

pub use adf::{Adf, Criterion, LAGS_MAX, Lags, adf};
pub use engle_granger::{EngleGranger, engle_granger};
pub use johansen::{Johansen, Level, SERIES_MAX, johansen};
pub use kpss::{Kpss, kpss};
pub use regression::{Ols, Trend, ols};
pub use scan::{PairFound, PairScan};
pub use spread::{HalfLife, HedgeStep, KalmanHedge, half_life};
pub use surface::{critical, p_value};
