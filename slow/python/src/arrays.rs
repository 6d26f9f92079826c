//! Arguments that are arrays, and arrays as answers.

use std::borrow::Cow;
use std::fmt::Display;

use numpy::ndarray::Dimension;
use numpy::{
    AllowTypeChange, Element, PyArray1, PyArray2, PyArrayLike1, PyArrayLike2, PyArrayMethods,
    PyReadonlyArray, PyUntypedArrayMethods,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// A series: an array of `float64` is read where it lies, anything else is copied.
pub(crate) type Numbers<'py> = PyArrayLike1<'py, f64, AllowTypeChange>;
/// Rows of numbers.
pub(crate) type Table<'py> = PyArrayLike2<'py, f64, AllowTypeChange>;

/// One number for all, or one for each.
#[derive(FromPyObject)]
pub(crate) enum Each<'py> {
    #[pyo3(transparent, annotation = "number")]
    All(f64),
    #[pyo3(transparent, annotation = "array")]
    One(Numbers<'py>),
}

impl Each<'_> {
    pub(crate) fn numbers(&self, what: &str, count: usize) -> PyResult<Cow<'_, [f64]>> {
        match self {
            Self::All(number) => Ok(Cow::Owned(vec![*number; count])),
            Self::One(numbers) => flat(what, numbers),
        }
    }
}

/// Numbers from which on a kernel lets other threads of Python run: before that, asking costs more
/// than the kernel.
const LONG: usize = 1 << 15;

/// What a crate of ours says, as Python's exception.
pub(crate) fn refused(fault: impl Display) -> PyErr {
    PyValueError::new_err(fault.to_string())
}

/// The numbers of an array, row by row: borrowed if they lie so.
///
/// # Errors
/// Numbers that are not at whole addresses, as those of packed records.
pub(crate) fn flat<'a, T: Element + Copy, D: Dimension>(
    what: &str,
    array: &'a PyReadonlyArray<'_, T, D>,
) -> PyResult<Cow<'a, [T]>> {
    if !array.is_aligned() && !array.is_empty() {
        return Err(refused(format!(
            "{what}: numbers at odd addresses; pass numpy.require({what}, requirements=\"A\")"
        )));
    }
    match array.as_slice() {
        // Columns one after the other are contiguous, too.
        Ok(numbers) if array.is_c_contiguous() => Ok(Cow::Borrowed(numbers)),
        _ => Ok(Cow::Owned(array.as_array().iter().copied().collect())),
    }
}

/// Does it beside Python if it takes long.
pub(crate) fn aside<T: Send>(py: Python<'_>, numbers: usize, work: impl FnOnce() -> T + Send) -> T {
    if numbers < LONG {
        return work();
    }
    py.detach(work)
}

/// An array of numbers, which are not copied.
pub(crate) fn row<T: Element>(py: Python<'_>, numbers: Vec<T>) -> Py<PyArray1<T>> {
    PyArray1::from_vec(py, numbers).unbind()
}

/// Rows of so many numbers, which are not copied.
///
/// # Errors
/// Numbers that are not whole rows.
pub(crate) fn rows<T: Element>(
    py: Python<'_>,
    numbers: Vec<T>,
    width: usize,
) -> PyResult<Py<PyArray2<T>>> {
    let height = numbers.len().checked_div(width).unwrap_or(0);
    let array = PyArray1::from_vec(py, numbers).reshape([height, width])?;
    Ok(array.unbind())
}

/// Refuses two series that go together and differ in length.
///
/// # Errors
/// They do.
pub(crate) fn same_length(what: &str, found: usize, other: &str, wanted: usize) -> PyResult<()> {
    if found == wanted {
        return Ok(());
    }
    Err(refused(format!(
        "{what}: {found} numbers beside {wanted} of {other}"
    )))
}
