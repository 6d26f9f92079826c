//! A model of any kind, told by what its file begins with, and what asks it a row at a time.

use std::sync::Arc;

use super::{Forest, Network, Unread};
use crate::Fault;
use crate::fault::same_length;

/// Bytes of a file that tell its kind.
const BEGIN: usize = 4_096;

/// A model that was trained here or elsewhere.
#[derive(Clone, Debug)]
pub enum Model {
    /// Trees of LightGBM or XGBoost.
    Forest(Forest),
    /// A network, or a logistic regression.
    Network(Network),
}

impl Model {
    /// Reads LightGBM's text, XGBoost's JSON or UBJSON, or scikit-learn's weights as JSON.
    ///
    /// # Errors
    ///
    /// [`Unread`] with the place if it is none of them.
    pub fn read(file: &[u8]) -> Result<Self, Unread> {
        let begin = String::from_utf8_lossy(&file[..file.len().min(BEGIN)]);
        if begin.starts_with("tree") {
            Forest::lightgbm(&String::from_utf8_lossy(file)).map(Self::Forest)
        } else if begin.contains("\"coef") || begin.contains("\"intercept") {
            Network::json(file).map(Self::Network)
        } else {
            Forest::xgboost(file).map(Self::Forest)
        }
    }

    /// Numbers of a row.
    #[must_use]
    pub fn features(&self) -> usize {
        match self {
            Self::Forest(forest) => forest.features(),
            Self::Network(network) => network.features(),
        }
    }

    /// What they are called, if the file says it.
    #[must_use]
    pub fn names(&self) -> &[String] {
        match self {
            Self::Forest(forest) => forest.names(),
            Self::Network(_) => &[],
        }
    }

    /// Results of a row.
    #[must_use]
    pub fn outputs(&self) -> usize {
        match self {
            Self::Forest(forest) => forest.outputs(),
            Self::Network(network) => network.outputs(),
        }
    }

    /// What the model says of rows, one after the other.
    ///
    /// # Errors
    ///
    /// Those of [`Forest::predict`] and [`Network::predict`].
    pub fn predict(&self, rows: &[f32], results: &mut [f64]) -> Result<(), Fault> {
        match self {
            Self::Forest(forest) => forest.predict(rows, results),
            Self::Network(network) => network.predict(rows, results),
        }
    }
}

/// Room for what stands between a row and its results.
#[derive(Clone, Debug)]
pub(super) struct Room {
    pub ranks: [Vec<u16>; 1],
    pub sums: Vec<f32>,
}

/// A model that is asked a row at a time, and allocates nothing then, however great it is.
#[derive(Clone, Debug)]
pub struct Single {
    model: Arc<Model>,
    room: Room,
}

impl Single {
    /// Takes all memory.
    #[must_use]
    pub fn new(model: Arc<Model>) -> Self {
        let [slots, sums] = match &*model {
            Model::Forest(forest) => [forest.slots(), 0],
            Model::Network(network) => [0, network.room()],
        };
        let room = Room {
            ranks: [vec![0; slots]],
            sums: vec![0.0; sums],
        };
        Self { model, room }
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What the model says of a row: the bits of [`Model::predict`].
    ///
    /// # Errors
    ///
    /// [`Fault::Lengths`] if it is not one row, or there is not room for its results alone.
    pub fn ask(&mut self, row: &[f32], results: &mut [f64]) -> Result<(), Fault> {
        same_length("row", row.len(), self.model.features())?;
        same_length("results", results.len(), self.model.outputs())?;
        match &*self.model {
            Model::Forest(forest) => forest.predict_one(row, results, &mut self.room),
            Model::Network(network) => network.predict_one(row, results, &mut self.room),
        }
        Ok(())
    }
}

/// FNV-1a of 64 bits (Fowler, Noll, Vo), as 16 hexadecimal digits: by it a model is known to be the
/// one that was meant. It tells accidents, not forgeries.
#[must_use]
pub fn checksum(bytes: &[u8]) -> String {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, step);
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_published_ones() {
        assert_eq!(checksum(b""), "cbf29ce484222325");
        assert_eq!(checksum(b"a"), "af63dc4c8601ec8c");
        assert_eq!(checksum(b"foobar"), "85944171f73967e8");
    }
}
