//! A model that takes rows of numbers and answers each with some.

use crate::{Error, Runtime};
use ort::inputs;
use ort::session::Session;
use ort::session::builder::SessionBuilder;
use ort::value::{Outlet, TensorElementType, TensorRef, ValueType};

/// Rows that are handed over at once: they are in memory twice meanwhile.
const ROWS: usize = 1 << 12;

/// A model that can be asked.
#[derive(Debug)]
pub struct Model {
    session: Session,
    input: String,
    output: String,
    /// Rows at once, at most.
    rows: usize,
    features: Option<usize>,
}

impl Model {
    /// Reads a model. It has one input, a tensor of `f32` whose rows are what it is asked about,
    /// one row at a time or any number; of its outputs one is a tensor of `f32`, which is the
    /// answer. Others, such as the likeliest label, are passed over.
    ///
    /// # Errors
    /// It is damaged, has operators that the library lacks, weights in other files, or other inputs
    /// and outputs.
    pub fn read(runtime: &Runtime, file: &[u8]) -> Result<Self, Error> {
        let session = builder(runtime)
            .and_then(|mut builder| builder.commit_from_memory(file))
            .map_err(Error::new)?;
        let (rows, features) = taken(session.inputs())?;
        let output = answer(session.outputs())?;
        let input = session.inputs().first();
        Ok(Self {
            input: input.map_or_else(String::new, |input| input.name().to_owned()),
            session,
            output,
            rows,
            features,
        })
    }

    /// Numbers of a row, if the file says how many.
    #[must_use]
    pub const fn features(&self) -> Option<usize> {
        self.features
    }

    /// What the model says of rows of so many numbers, one after the other: the results, row by
    /// row, and how many a row has. One thread works.
    ///
    /// # Errors
    /// `rows` are not whole rows of as many numbers as the model takes, or it fails on them.
    pub fn predict(&mut self, rows: &[f32], features: usize) -> Result<(Vec<f64>, usize), Error> {
        let wanted = self.features.unwrap_or(features);
        if features == 0 || features != wanted || !rows.len().is_multiple_of(features) {
            let found = rows.len();
            let what = format!("{found} numbers are no rows of {features}; it takes {wanted}");
            return Err(Error(what));
        }
        let (mut results, mut width) = (Vec::new(), 0);
        for rows in rows.chunks(self.rows * features) {
            let count = rows.len() / features;
            let before = results.len();
            self.ask(rows, [count, features], &mut results)?;
            let found = (results.len() - before) / count;
            if before > 0 && found != width {
                let what = format!("{found} results of a row, {width} of those before it");
                return Err(Error(what));
            }
            width = found;
        }
        Ok((results, width))
    }

    fn ask(
        &mut self,
        rows: &[f32],
        shape: [usize; 2],
        results: &mut Vec<f64>,
    ) -> Result<(), Error> {
        let tensor = TensorRef::from_array_view((shape, rows)).map_err(Error::new)?;
        let said = self.session.run(inputs![self.input.as_str() => tensor]);
        let said = said.map_err(Error::new)?;
        let Some(said) = said.get(&self.output) else {
            return Err(Error(format!("{}: it did not answer", self.output)));
        };
        let (found, numbers) = said.try_extract_tensor::<f32>().map_err(Error::new)?;
        let [count, _] = shape;
        let is_of_rows = found.first().is_some_and(|rows| *rows == count as i64);
        if !is_of_rows || found.len() > 2 || numbers.is_empty() {
            let what = format!("an answer of shape {:?} to {count} rows", &found[..]);
            return Err(Error(format!("{}: {what}", self.output)));
        }
        results.extend(numbers.iter().map(|x| f64::from(*x)));
        Ok(())
    }
}

fn builder(runtime: &Runtime) -> ort::Result<SessionBuilder> {
    let builder = Session::builder(&runtime.0)?;
    let builder = builder.with_intra_threads(1)?;
    Ok(builder.with_inter_threads(1)?)
}

/// Rows at once at most, and numbers of a row if the file says it.
fn taken(inputs: &[Outlet]) -> Result<(usize, Option<usize>), Error> {
    let [input] = inputs else {
        return Err(Error(format!(
            "{} inputs ({}): one tensor of rows is asked about",
            inputs.len(),
            told(inputs)
        )));
    };
    let refused = || {
        Error(format!(
            "input {}: a tensor of f32 [rows, features]",
            told(inputs)
        ))
    };
    let ValueType::Tensor {
        ty: TensorElementType::Float32,
        shape,
        ..
    } = input.dtype()
    else {
        return Err(refused());
    };
    let size = |size: i64| usize::try_from(size).ok().filter(|size| *size > 0);
    match shape[..] {
        // What is not known is -1.
        [-1, features] => Ok((ROWS, size(features))),
        [1, features] => Ok((1, size(features))),
        _ => Err(refused()),
    }
}

/// The output that is the answer.
fn answer(outputs: &[Outlet]) -> Result<String, Error> {
    let is_answer = |output: &&Outlet| {
        matches!(
            output.dtype(),
            ValueType::Tensor {
                ty: TensorElementType::Float32,
                ..
            }
        )
    };
    let found: Vec<&Outlet> = outputs.iter().filter(is_answer).collect();
    let is_zipped = |output: &Outlet| output.dtype().is_sequence() || output.dtype().is_map();
    match found[..] {
        [output] => Ok(output.name().to_owned()),
        [] if outputs.iter().any(is_zipped) => Err(Error(format!(
            "outputs {}: maps are not read; convert the model without them \
             (skl2onnx and onnxmltools: zipmap=False)",
            told(outputs)
        ))),
        _ => Err(Error(format!(
            "outputs {}: one of them is to be a tensor of f32, it has {}",
            told(outputs),
            found.len()
        ))),
    }
}

/// Names and types.
fn told(all: &[Outlet]) -> String {
    let words = all
        .iter()
        .map(|one| format!("{} {}", one.name(), one.dtype()));
    words.collect::<Vec<_>>().join(", ")
}
