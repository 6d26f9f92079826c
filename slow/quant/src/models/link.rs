//! From a model's sums to what it says.

/// What is done with the sums of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Link {
    /// Nothing.
    Identity,
    /// `1 / (1 + exp(-slope * x))` of each: the probability of "yes".
    Logistic {
        /// How steep it is.
        slope: f64,
    },
    /// `exp(x)` of each, by their sum: probabilities of classes.
    Softmax,
    /// `exp(x)`: rates.
    Exponential,
    /// `ln(1 + exp(x))`.
    LogPlusOne,
    /// `x * |x|`, of a model that learnt roots.
    SignedSquare,
}

impl Link {
    /// Turns the sums of a row into results.
    pub fn apply(self, sums: &mut [f64]) {
        match self {
            Self::Identity => {}
            Self::Logistic { slope } => each(sums, |x| 1.0 / (1.0 + (-slope * x).exp())),
            Self::Exponential => each(sums, f64::exp),
            Self::LogPlusOne => each(sums, |x| x.exp().ln_1p()),
            Self::SignedSquare => each(sums, |x| x * x.abs()),
            Self::Softmax => {
                let most = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                each(sums, |x| (x - most).exp());
                let whole: f64 = sums.iter().sum();
                each(sums, |x| x / whole);
            }
        }
    }
}

fn each(sums: &mut [f64], what: impl Fn(f64) -> f64) {
    sums.iter_mut().for_each(|x| *x = what(*x));
}
