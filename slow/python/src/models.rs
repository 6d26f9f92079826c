//! `wirecross.models`: trees, networks and logistic regressions that were trained elsewhere.

use numpy::{AllowTypeChange, PyArray2, PyArrayLike2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use quant::Fault;
use quant::models::{Forest, Network};

use crate::arrays::{flat, refused, rows as in_rows};

/// A model; results are the library's that made it.
#[pyclass(frozen, module = "wirecross.models")]
pub(crate) struct Model(Kind);

enum Kind {
    Forest(Forest),
    Network(Network),
}

type Rows<'py> = PyArrayLike2<'py, f32, AllowTypeChange>;

#[pymethods]
impl Model {
    /// Reads the bytes of a model: LightGBM's text, XGBoost's JSON or UBJSON, scikit-learn's
    /// weights as JSON.
    #[new]
    fn new(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        let begin = String::from_utf8_lossy(&data[..data.len().min(4_096)]).into_owned();
        let read = py.detach(|| {
            if begin.starts_with("tree") {
                let text = String::from_utf8_lossy(data);
                Forest::lightgbm(&text).map(Kind::Forest)
            } else if begin.contains("\"coef") || begin.contains("\"intercept") {
                Network::json(data).map(Kind::Network)
            } else {
                Forest::xgboost(data).map(Kind::Forest)
            }
        });
        read.map(Self).map_err(refused)
    }

    /// Numbers of a row.
    #[getter]
    fn features(&self) -> usize {
        match &self.0 {
            Kind::Forest(forest) => forest.features(),
            Kind::Network(network) => network.features(),
        }
    }

    /// Results of a row.
    #[getter]
    fn outputs(&self) -> usize {
        match &self.0 {
            Kind::Forest(forest) => forest.outputs(),
            Kind::Network(network) => network.outputs(),
        }
    }

    /// Probabilities, rates or values of rows, which are taken as float32; nan is missing.
    fn predict(&self, py: Python<'_>, rows: Rows<'_>) -> PyResult<Py<PyArray2<f64>>> {
        self.ask(py, &rows, |rows, results| match &self.0 {
            Kind::Forest(forest) => forest.predict(rows, results),
            Kind::Network(network) => network.predict(rows, results),
        })
    }

    /// Sums before they are made probabilities, rates or values; of trees only.
    fn margins(&self, py: Python<'_>, rows: Rows<'_>) -> PyResult<Py<PyArray2<f64>>> {
        let Kind::Forest(forest) = &self.0 else {
            return Err(refused("margins: only trees have them"));
        };
        self.ask(py, &rows, |rows, results| forest.margins(rows, results))
    }
}

impl Model {
    fn ask(
        &self,
        py: Python<'_>,
        rows: &Rows<'_>,
        ask: impl FnOnce(&[f32], &mut [f64]) -> Result<(), Fault> + Send,
    ) -> PyResult<Py<PyArray2<f64>>> {
        let [height, width] = [rows.shape()[0], rows.shape()[1]];
        if width != self.features() {
            let wanted = self.features();
            let what = format!("rows: of {width} numbers, the model has {wanted} features");
            return Err(refused(what));
        }
        let numbers = flat("rows", rows)?;
        let mut results = vec![0.0; height * self.outputs()];
        py.detach(|| ask(&numbers, &mut results)).map_err(refused)?;
        in_rows(py, results, self.outputs())
    }
}
