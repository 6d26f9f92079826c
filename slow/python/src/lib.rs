//! The module `wirecross` for Python: what `analytics` and `quant` compute, of NumPy's arrays.
//!
//! Arrays are read where they lie; what cannot be computed is a `ValueError` with the message of
//! the crate that refuses it. Other threads of Python run while a long call does.
#![forbid(unsafe_code)]

mod arrays;
mod baskets;
mod cointegration;
mod constraints;
mod forecasting;
mod indicators;
mod interrupted;
mod kernels;
mod models;
mod montecarlo;
mod portfolio;
mod pricing;
mod rebalancing;
mod risk;
mod training;

use pyo3::prelude::*;

/// Kernels, portfolios, Monte Carlo, models, training, rebalancing and forecasts of wirecross.
#[pymodule]
mod wirecross {
    use pyo3::prelude::*;

    /// Vector kernels and TA-Lib's indicators: the same bits on every processor.
    #[pymodule]
    mod kernels {
        #[pymodule_export]
        use crate::indicators::{atr, bollinger, ema, macd, rsi, sma};
        #[pymodule_export]
        use crate::kernels::{
            Bar, bar, correlation, covariance, dot, extremes, mean, regression, returns, sum,
            variance, vwap,
        };
    }

    /// Optimal portfolios with their certificates, estimates of covariances, and risk.
    #[pymodule]
    mod portfolio {
        #[pymodule_export]
        use crate::constraints::{ConstrainedSolution, constrained};
        #[pymodule_export]
        use crate::portfolio::{
            Estimate, Frontier, Parity, Solution, black_litterman, estimate, frontier,
            implied_mean, max_sharpe, optimise, risk_parity,
        };
        #[pymodule_export]
        use crate::risk::{contributions, drawdown, gaussian_risk, historical_risk};
    }

    /// Options by simulation, with standard errors, and the paths themselves.
    #[pymodule]
    mod montecarlo {
        #[pymodule_export]
        use crate::baskets::{Basket, CorrelatedGbm};
        #[pymodule_export]
        use crate::montecarlo::{Gbm, Heston, Merton, paths};
        #[pymodule_export]
        use crate::pricing::{Contract, Estimate, price};
    }

    /// Trees of LightGBM and XGBoost, networks and logistic regressions of scikit-learn.
    #[pymodule]
    mod models {
        #[pymodule_export]
        use crate::models::Model;
    }

    /// Gradient-boosted trees for classes, judged by rows that came later.
    #[pymodule]
    mod training {
        #[pymodule_export]
        use crate::training::{Booster, Fold, Growth, Quality, Walk, train, walk};
    }

    /// Target weights as orders of whole lots.
    #[pymodule]
    mod rebalancing {
        #[pymodule_export]
        use crate::rebalancing::{Plan, rebalance};
    }

    /// Exponential smoothing and the last season, with their errors.
    #[pymodule]
    mod forecasting {
        #[pymodule_export]
        use crate::forecasting::{Score, backtest, forecast};
    }

    /// Which series keep together.
    #[pymodule]
    mod cointegration {
        #[pymodule_export]
        use crate::cointegration::{Adf, EngleGranger, adf, engle_granger, scan};
    }

    /// Lets `import wirecross.kernels` find what is no file.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        let modules = module.py().import("sys")?.getattr("modules")?;
        for name in [
            "kernels",
            "portfolio",
            "montecarlo",
            "models",
            "training",
            "rebalancing",
            "forecasting",
            "cointegration",
        ] {
            modules.set_item(format!("wirecross.{name}"), module.getattr(name)?)?;
        }
        Ok(())
    }
}
