//! Small dense networks, and logistic regressions, which are networks of one layer.

use std::borrow::Cow;

use analytics::arch::{Backend, LANES};
use serde::Deserialize;

use super::abreast::{ALONE, Predict};
use super::layer::{Layer, Register};
use super::model::Room;
use super::{CLASSES_MAX, FEATURES_MAX, Link, Unread};
use crate::Fault;
use crate::fault::same_length;

/// The most layers.
const LAYERS_MAX: usize = 64;
/// Numbers between layers that need no allocation.
const NEAR: usize = 64;

const _: () = assert!(NEAR.is_multiple_of(LANES));

/// What a layer does with its sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Activation {
    Identity,
    Relu,
    Tanh,
    Logistic,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Out {
    Softmax,
    Logistic,
    Identity,
}

/// What scikit-learn calls `coefs_` and `intercepts_`, or `coef_` and `intercept_`.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum File {
    Network {
        coefs: Vec<Vec<Vec<f64>>>,
        intercepts: Vec<Vec<f64>>,
        activation: Activation,
        out: Out,
    },
    Classes {
        coef: Vec<Vec<f64>>,
        intercept: Vec<f64>,
    },
    YesOrNo {
        coef: Vec<f64>,
        intercept: f64,
    },
}

/// Layers of sums, ready to be asked.
#[derive(Clone, Debug)]
pub struct Network {
    layers: Vec<Layer>,
    link: Link,
    backend: Backend,
    /// Of the layers, in whole registers.
    width_max: usize,
}

impl Network {
    /// Reads weights as scikit-learn has them, as JSON: `coefs` (layers, each with a row for each
    /// input), `intercepts`, `activation` (identity, relu, tanh, logistic) and `out` (softmax,
    /// logistic, identity), or `coef` and `intercept` of a logistic regression: for two classes a
    /// list and a number, for more a list of lists and a list.
    ///
    /// # Errors
    ///
    /// [`Unread`] with the place if it is something else.
    pub fn json(text: &[u8]) -> Result<Self, Unread> {
        // First only whether it is JSON: what fits no variant has no line of its own.
        let value: serde_json::Value = serde_json::from_slice(text)?;
        let file = serde_json::from_value(value).map_err(|_| {
            Unread::new(
                "no network (coefs, intercepts, activation, out) and no logistic regression \
                 (coef, intercept) of scikit-learn",
            )
        })?;
        let (coefs, intercepts, activation, link) = match file {
            File::Network {
                coefs,
                intercepts,
                activation,
                out,
            } => (coefs, intercepts, activation, out.link()),
            File::YesOrNo { coef, intercept } => {
                let column = coef.into_iter().map(|x| vec![x]).collect();
                let link = Link::Logistic { slope: 1.0 };
                (
                    vec![column],
                    vec![vec![intercept]],
                    Activation::Identity,
                    link,
                )
            }
            File::Classes { coef, intercept } => {
                let links = [Link::Softmax, Link::Logistic { slope: 1.0 }];
                let link = links[usize::from(coef.len() == 1)];
                (
                    vec![turned(&coef)?],
                    vec![intercept],
                    Activation::Identity,
                    link,
                )
            }
        };
        Self::new(&coefs, &intercepts, activation, link)
    }

    fn new(
        coefs: &[Vec<Vec<f64>>],
        intercepts: &[Vec<f64>],
        activation: Activation,
        link: Link,
    ) -> Result<Self, Unread> {
        let count = coefs.len();
        if count != intercepts.len() || !(1..=LAYERS_MAX).contains(&count) {
            let what = format!(
                "{count} layers and {} intercepts: as many of both, up to {LAYERS_MAX}",
                intercepts.len()
            );
            return Err(Unread::new(what));
        }
        let mut layers = Vec::<Layer>::new();
        for (at, (coefs, intercepts)) in coefs.iter().zip(intercepts).enumerate() {
            let is_last = at + 1 == count;
            let activation = if is_last {
                Activation::Identity
            } else {
                activation
            };
            let inputs = layers.last().map_or(coefs.len(), Layer::outputs);
            let layer = Layer::new(coefs, intercepts, inputs, activation);
            layers.push(layer.map_err(|unread| unread.within(format!("layer {at}")))?);
        }
        let outputs = layers.last().map_or(0, Layer::outputs);
        if layers[0].inputs() > FEATURES_MAX || outputs > CLASSES_MAX {
            let what = format!("up to {FEATURES_MAX} inputs and {CLASSES_MAX} results are read");
            return Err(Unread::new(what));
        }
        let width_max = layers.iter().map(Layer::width).max().unwrap_or(0);
        Ok(Self {
            layers,
            link,
            backend: Backend::best(),
            width_max,
        })
    }

    /// The same network, computed with these instructions.
    #[must_use]
    pub fn with(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// Numbers of a row.
    #[must_use]
    pub fn features(&self) -> usize {
        self.layers[0].inputs()
    }

    /// Results of a row.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, Layer::outputs)
    }

    /// What is done with the last layer's sums to have results.
    #[must_use]
    pub fn link(&self) -> Link {
        self.link
    }

    /// What the network says of rows, one after the other: sums in `f32`, results of them in
    /// `f64`. All backends give the same bits; NaN makes NaN.
    ///
    /// # Errors
    ///
    /// [`Fault::Lengths`] if `rows` are not whole rows, or `results` has not room for all of
    /// theirs.
    pub fn predict(&self, rows: &[f32], results: &mut [f64]) -> Result<(), Fault> {
        let count = rows.len() / self.features();
        same_length("rows", rows.len(), count * self.features())?;
        same_length("results", results.len(), count * self.outputs())?;
        let (mut near, mut far) = ([0.0; 2 * NEAR], Vec::new());
        let both = if self.width_max <= NEAR {
            &mut near[..]
        } else {
            far.resize(2 * self.width_max, 0.0);
            &mut far[..]
        };
        let mut abreast = Vec::new();
        if count > ALONE {
            let height = self.width_max.max(self.features());
            abreast.resize(2 * height, Register::ZERO);
        }
        self.answer(rows, results, both, &mut abreast);
        Ok(())
    }

    /// Numbers that [`Network::predict_one`] needs room for.
    pub(super) fn room(&self) -> usize {
        2 * self.width_max
    }

    /// The same of one row that has been checked, without allocation.
    pub(super) fn predict_one(&self, row: &[f32], results: &mut [f64], room: &mut Room) {
        self.answer(row, results, &mut room.sums, &mut []);
    }

    /// Rows layer by layer, between the halves of `both`, or of `abreast` if there are many.
    fn answer(
        &self,
        rows: &[f32],
        results: &mut [f64],
        both: &mut [f32],
        abreast: &mut [Register],
    ) {
        self.backend.run(Predict {
            layers: &self.layers,
            link: self.link,
            rows,
            results,
            room: both.split_at_mut(both.len() / 2),
            abreast: abreast.split_at_mut(abreast.len() / 2),
        });
    }

    /// What the network says of one row, all in `f64` and slowly.
    ///
    /// # Errors
    ///
    /// Those of [`Network::predict`].
    pub fn predict_exactly(&self, row: &[f64], results: &mut [f64]) -> Result<(), Fault> {
        same_length("row", row.len(), self.features())?;
        same_length("results", results.len(), self.outputs())?;
        let start = Cow::Borrowed(row);
        let all = self.layers.iter();
        let sums = all.fold(start, |row, layer| Cow::Owned(layer.apply_exactly(&row)));
        results.copy_from_slice(&sums);
        self.link.apply(results);
        Ok(())
    }
}

impl Out {
    fn link(self) -> Link {
        match self {
            Self::Softmax => Link::Softmax,
            Self::Logistic => Link::Logistic { slope: 1.0 },
            Self::Identity => Link::Identity,
        }
    }
}

/// Rows of classes as rows of inputs.
fn turned(coef: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, Unread> {
    let inputs = coef.first().map_or(0, Vec::len);
    if coef.iter().any(|class| class.len() != inputs) {
        return Err(Unread::new("coef: its rows are not of one length"));
    }
    let row = |at: usize| coef.iter().map(|class| class[at]).collect();
    Ok((0..inputs).map(row).collect())
}
