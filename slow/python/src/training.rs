//! `wirecross.training`: gradient-boosted trees for classes, judged by what came later.

use std::ops::Range;

use numpy::{AllowTypeChange, PyArray1, PyArrayLike1, PyArrayLike2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use quant::training::Examples;

use crate::arrays::{flat, refused, row};
use crate::interrupted::Interrupted;

type Rows<'py> = PyArrayLike2<'py, f32, AllowTypeChange>;
type Labels<'py> = PyArrayLike1<'py, i64>;

/// How trees grow.
///
/// rounds: at most; patience: rounds without a lesser loss on held back rows after which it ends;
/// leaves: of a tree at most; least_rows: of a leaf; rate: how much of each tree counts; lambda_l2:
/// added to a leaf's second derivatives; balanced: whether all classes weigh the same.
#[pyclass(frozen, module = "wirecross.training")]
#[derive(Clone, Copy, Default)]
pub(crate) struct Growth(quant::training::Growth);

#[pymethods]
impl Growth {
    #[new]
    #[pyo3(signature = (*, rounds=500, patience=20, leaves=31, least_rows=20, rate=0.1,
        lambda_l2=1.0, balanced=false))]
    fn new(
        rounds: usize,
        patience: usize,
        leaves: usize,
        least_rows: u32,
        rate: f64,
        lambda_l2: f64,
        balanced: bool,
    ) -> Self {
        Self(quant::training::Growth {
            rounds,
            patience,
            leaves,
            least_rows,
            rate,
            lambda: lambda_l2,
            is_balanced: balanced,
        })
    }
}

/// Trees that were trained.
#[pyclass(frozen, module = "wirecross.training")]
pub(crate) struct Booster {
    trained: quant::training::Booster,
    features: usize,
}

#[pymethods]
impl Booster {
    /// Rounds of trees.
    #[getter]
    fn rounds(&self) -> usize {
        self.trained.rounds()
    }

    /// The model as LightGBM's text, which `wirecross.models.Model` and LightGBM read. names: of
    /// the features.
    #[pyo3(signature = (names=vec![]), text_signature = "(self, names=())")]
    fn text(&self, names: Vec<String>) -> PyResult<String> {
        if !names.is_empty() && names.len() != self.features {
            let (found, wanted) = (names.len(), self.features);
            return Err(refused(format!("names: {found} of {wanted} features")));
        }
        Ok(self.trained.text(&names))
    }

    /// The likeliest class of each row.
    fn answers(&self, py: Python<'_>, rows: Rows<'_>) -> PyResult<Py<PyArray1<u32>>> {
        if rows.shape()[1] != self.features {
            let (found, wanted) = (rows.shape()[1], self.features);
            let what = format!("rows: of {found} numbers, the model has {wanted} features");
            return Err(refused(what));
        }
        let numbers = flat("rows", &rows)?;
        let found = py.detach(|| self.trained.answers(&numbers));
        found.map(|found| row(py, found)).map_err(refused)
    }
}

/// How good answers are.
#[pyclass(frozen, get_all, module = "wirecross.training")]
pub(crate) struct Quality {
    /// How many there are.
    count: u64,
    /// The share of right ones.
    accuracy: f64,
    /// The mean over the classes of that.
    balanced_accuracy: f64,
    /// The mean F1 over the classes.
    macro_f1: f64,
}

impl Quality {
    fn new(found: &quant::training::Quality) -> Self {
        Self {
            count: found.count(),
            accuracy: found.accuracy(),
            balanced_accuracy: found.balanced_accuracy(),
            macro_f1: found.macro_f1(),
        }
    }
}

/// A part of the rows that was judged by what was learnt from rows before it: first and last but
/// one of each range.
#[pyclass(frozen, get_all, module = "wirecross.training")]
pub(crate) struct Fold {
    /// What was learnt from.
    learnt: (usize, usize),
    /// What ended the rounds.
    held_back: (usize, usize),
    /// What was judged.
    judged: (usize, usize),
    /// Rounds of trees.
    rounds: usize,
    /// Of the answers.
    quality: Py<Quality>,
    /// The class that was answered of each row that was judged.
    answers: Py<PyArray1<u32>>,
}

/// What walking forward found.
#[pyclass(frozen, get_all, module = "wirecross.training")]
pub(crate) struct Walk {
    /// Part by part.
    folds: Vec<Py<Fold>>,
    /// Of all folds.
    all: Py<Quality>,
    /// Of always saying what was most often right in what was learnt from.
    majority: Py<Quality>,
    /// Trained on all rows but the last ones, which ended the rounds.
    booster: Py<Booster>,
}

/// Rows with their classes, as they lie in memory.
struct Given<'a> {
    rows: std::borrow::Cow<'a, [f32]>,
    labels: Vec<u32>,
    features: usize,
}

impl<'a> Given<'a> {
    fn new(rows: &'a Rows<'_>, labels: &Labels<'_>) -> PyResult<Self> {
        let classes = labels.as_array();
        let class = |(at, label): (usize, &i64)| {
            let outside = |_| refused(format!("labels[{at}]: {label} is no class from 0 on"));
            u32::try_from(*label).map_err(outside)
        };
        let labels: PyResult<Vec<u32>> = classes.iter().enumerate().map(class).collect();
        Ok(Self {
            rows: flat("rows", rows)?,
            labels: labels?,
            features: rows.shape()[1],
        })
    }

    /// One more than the greatest.
    fn classes(&self) -> usize {
        self.labels
            .iter()
            .max()
            .map_or(0, |most| *most as usize + 1)
    }

    fn examples(&self, classes: usize) -> PyResult<Examples<'_>> {
        Examples::new(&self.rows, &self.labels, self.features, classes).map_err(refused)
    }
}

/// Trains trees on rows (float32; nan is missing) with classes from 0 on (int64), the oldest row
/// first.
///
/// classes: how many there are, without it one more than the greatest; held_back: later rows and
/// their classes, by which the rounds end; growth: how trees grow.
#[pyfunction]
#[pyo3(signature = (rows, labels, *, classes=None, held_back=None, growth=None))]
pub(crate) fn train(
    py: Python<'_>,
    rows: Rows<'_>,
    labels: Labels<'_>,
    classes: Option<usize>,
    held_back: Option<(Rows<'_>, Labels<'_>)>,
    growth: Option<Bound<'_, Growth>>,
) -> PyResult<Booster> {
    let given = Given::new(&rows, &labels)?;
    let later = held_back.as_ref();
    let later = later.map(|(rows, labels)| Given::new(rows, labels));
    let later = later.transpose()?;
    if let Some(found) = later.as_ref().map(|later| later.features)
        && found != given.features
    {
        let wanted = given.features;
        let what = format!("held_back: rows of {found} numbers beside {wanted}");
        return Err(refused(what));
    }
    let seen = later.as_ref().map_or(0, Given::classes);
    let classes = classes.unwrap_or_else(|| given.classes().max(seen));
    let examples = given.examples(classes)?;
    let later = later.as_ref().map(|later| later.examples(classes));
    let later = later.transpose()?;
    let growth = growth.map_or_else(Growth::default, |growth| *growth.get());
    let mut interrupted = Interrupted::every(1);
    let found = py.detach(|| {
        quant::training::Booster::train(&examples, later.as_ref(), growth.0, |_| interrupted.ask())
    });
    Ok(Booster {
        trained: interrupted.end(found)?,
        features: given.features,
    })
}

/// Judges trees by rows that came after those that they were trained on, and trains on all.
///
/// rows (float32; nan is missing) and labels (int64, classes from 0 on), the oldest first. The rows
/// are cut into `folds + 1` equal parts, each but the first is judged by what was learnt from all
/// before it; `gap` rows between them are left out: as many as a label looks ahead.
#[pyfunction]
#[pyo3(signature = (rows, labels, *, classes=None, folds=4, gap=0, growth=None))]
pub(crate) fn walk(
    py: Python<'_>,
    rows: Rows<'_>,
    labels: Labels<'_>,
    classes: Option<usize>,
    folds: usize,
    gap: usize,
    growth: Option<Bound<'_, Growth>>,
) -> PyResult<Walk> {
    let given = Given::new(&rows, &labels)?;
    let examples = given.examples(classes.unwrap_or_else(|| given.classes()))?;
    let growth = growth.map_or_else(Growth::default, |growth| *growth.get());
    let mut interrupted = Interrupted::every(1);
    let found = py.detach(|| {
        quant::training::walk(&examples, (folds, gap), growth.0, |_, _| interrupted.ask())
    });
    let found = interrupted.end(found)?;
    let booster = found.booster;
    let booster = booster.ok_or_else(|| refused("stopped before it was done"))?;
    let pairs = found.folds.into_iter().zip(found.answers);
    let folds = pairs.map(|((fold, rounds, quality), answers)| {
        let pair = |range: Range<usize>| (range.start, range.end);
        let fold = Fold {
            learnt: pair(fold.learnt),
            held_back: pair(fold.held_back),
            judged: pair(fold.judged),
            rounds,
            quality: Py::new(py, Quality::new(&quality))?,
            answers: row(py, answers),
        };
        Py::new(py, fold)
    });
    Ok(Walk {
        folds: folds.collect::<PyResult<_>>()?,
        all: Py::new(py, Quality::new(&found.all))?,
        majority: Py::new(py, Quality::new(&found.majority))?,
        booster: Py::new(
            py,
            Booster {
                trained: booster,
                features: given.features,
            },
        )?,
    })
}
