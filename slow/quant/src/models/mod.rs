//! Models that were trained elsewhere: trees of XGBoost and LightGBM, small networks, logistic
//! regressions. Their answers are those of the libraries that made them.

mod abreast;
mod columns;
mod dense;
mod forest;
mod layer;
mod layout;
mod lightgbm;
mod link;
mod model;
mod tree;
mod ubjson;
mod xgboost;

pub use dense::Network;
pub use forest::Forest;
pub use link::Link;
pub use model::{Model, Single, checksum};

use std::error::Error;
use std::fmt::{self, Display, Formatter};

/// The most numbers that a model may look at.
pub const FEATURES_MAX: usize = 1 << 15;
/// The most results of a row.
pub const CLASSES_MAX: usize = 1_024;

/// Why a text is no model, and where. Who read it from a file puts the file's name before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    place: String,
    what: String,
}

impl Unread {
    fn new(what: impl Into<String>) -> Self {
        Self {
            place: String::new(),
            what: what.into(),
        }
    }

    /// The same, in this part of the text.
    fn within(mut self, place: impl Display) -> Self {
        let inner = if self.place.is_empty() { "" } else { ", " };
        self.place = format!("{place}{inner}{}", self.place);
        self
    }
}

impl Display for Unread {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            return self.what.fmt(f);
        }
        write!(f, "{}: {}", self.place, self.what)
    }
}

impl Error for Unread {}

impl From<serde_json::Error> for Unread {
    fn from(error: serde_json::Error) -> Self {
        // It ends with the line and column.
        Self::new(error.to_string())
    }
}
