//! The models that are asked: ours, and those that onnxruntime answers.

use std::path::Path;

use quant::models::{Link, Model};

use crate::Refused;
use crate::table::{Table, bytes, is_given};

/// What ONNX begins with: the tag of its version, in the order in which all write it. No text does.
const ONNX_BEGIN: u8 = 0x08;

/// A model of any kind.
pub(crate) enum Asked {
    Ours(Model),
    #[cfg(feature = "onnx")]
    Onnx(onnx::Model),
}

impl Asked {
    /// Reads a model; `library` is where onnxruntime is, if that is said.
    pub fn read(file: &Path, library: Option<&Path>) -> Result<Self, Refused> {
        Self::of(file, &bytes(file)?, library)
    }

    /// A model that has to be known without its name, and what its file holds.
    pub fn nameless(file: &Path, library: Option<&Path>) -> Result<(Self, Vec<u8>), Refused> {
        let held = bytes(file)?;
        let asked = Self::of(file, &held, library)?;
        if !matches!(asked, Self::Ours(_)) && held.first() != Some(&ONNX_BEGIN) {
            let what = "does not begin with its version, by which a model in ONNX is known";
            return Err(Refused(format!("{}: {what}", file.display())));
        }
        Ok((asked, held))
    }

    fn of(file: &Path, model: &[u8], library: Option<&Path>) -> Result<Self, Refused> {
        let refused = |what: &dyn std::fmt::Display| Refused(format!("{}: {what}", file.display()));
        let is_called = file
            .extension()
            .is_some_and(|it| it.eq_ignore_ascii_case("onnx"));
        if !is_called && model.first() != Some(&ONNX_BEGIN) {
            let model = Model::read(model).map_err(|unread| refused(&unread))?;
            return Ok(Self::Ours(model));
        }
        // A stranger's file is no business of a library in C++.
        if is_given() {
            return Err(refused(
                &"a model in ONNX is only asked on the command line",
            ));
        }
        Self::onnx(model, library).map_err(|what| refused(&what))
    }

    #[cfg(feature = "onnx")]
    fn onnx(model: &[u8], library: Option<&Path>) -> Result<Self, String> {
        let runtime = onnx::Runtime::load(library).map_err(|error| {
            format!(
                "a model in ONNX takes onnxruntime: {error}\n\
                 install it (pip install onnxruntime, or a package of the system) and name its \
                 library, libonnxruntime.so with its version, by --onnxruntime or {}",
                onnx::VARIABLE
            )
        })?;
        let model = onnx::Model::read(&runtime, model).map_err(|error| error.to_string())?;
        Ok(Self::Onnx(model))
    }

    #[cfg(not(feature = "onnx"))]
    fn onnx(_: &[u8], _: Option<&Path>) -> Result<Self, String> {
        Err("a model in ONNX: this program was built without the feature onnx".into())
    }

    /// Numbers of a row, if the model says how many.
    pub fn features(&self) -> Option<usize> {
        match self {
            Self::Ours(model) => Some(model.features()),
            #[cfg(feature = "onnx")]
            Self::Onnx(model) => model.features(),
        }
    }

    /// What it says of rows, and how many results each has; `is_raw`: its sums.
    pub fn predict(
        &mut self,
        rows: &[f32],
        features: usize,
        is_raw: bool,
    ) -> Result<(Vec<f64>, usize), Refused> {
        let model = match self {
            Self::Ours(model) => model,
            #[cfg(feature = "onnx")]
            Self::Onnx(model) if !is_raw => {
                let said = model.predict(rows, features);
                return said.map_err(|error| Refused(error.to_string()));
            }
            #[cfg(feature = "onnx")]
            Self::Onnx(_) => return Err(Refused("--raw: only of trees".into())),
        };
        let outputs = model.outputs();
        let mut results = vec![0.0; rows.len() / features.max(1) * outputs];
        match model {
            Model::Forest(forest) if is_raw => forest.margins(rows, &mut results),
            Model::Network(_) if is_raw => return Err(Refused("--raw: only of trees".into())),
            model => model.predict(rows, &mut results),
        }?;
        Ok((results, outputs))
    }

    /// The shares of so many classes in rows of a table, one after the other. A model that gives
    /// the probability of "yes" gives those of two classes, of which that is the second.
    pub fn shares(
        &mut self,
        rows: &[f32],
        table: &Table,
        classes: usize,
    ) -> Result<Vec<f64>, Refused> {
        let width = rows.len() / table.height().max(1);
        let features = self.features().unwrap_or(width);
        if width != features {
            let what = format!("{width} columns of numbers, the model has {features}");
            return Err(table.blame(&what));
        }
        let (shares, outputs) = self.predict(rows, features, false)?;
        if (outputs, classes) == (1, 2) && self.says_yes() {
            return Ok(shares.iter().flat_map(|yes| [1.0 - yes, *yes]).collect());
        }
        if outputs != classes {
            let what = format!("{classes} labels, the model has {outputs} results");
            return Err(table.blame(&what));
        }
        Ok(shares)
    }

    /// Whether a single result is the probability of "yes".
    fn says_yes(&self) -> bool {
        let link = match self {
            Self::Ours(Model::Forest(forest)) => forest.link(),
            Self::Ours(Model::Network(network)) => network.link(),
            #[cfg(feature = "onnx")]
            Self::Onnx(_) => return false,
        };
        matches!(link, Link::Logistic { .. })
    }
}

/// The class with the greatest share, the first of those; none where a share is no number.
pub(crate) fn likeliest(shares: &[f64]) -> Option<usize> {
    let better = |best: usize, at: usize| if shares[at] > shares[best] { at } else { best };
    let are_known = !shares.is_empty() && shares.iter().all(|share| share.is_finite());
    are_known.then(|| (1..shares.len()).fold(0, better))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_no_class() {
        assert_eq!(likeliest(&[0.2, 0.5, 0.5]), Some(1));
        assert_eq!(likeliest(&[f64::NAN; 3]), None);
        assert_eq!(likeliest(&[0.9, f64::NAN, 0.1]), None);
        assert_eq!(likeliest(&[f64::INFINITY, 0.0]), None);
        assert_eq!(likeliest(&[]), None);
    }
}
