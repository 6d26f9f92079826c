//! Models in ONNX, answered by onnxruntime.
//!
//! The library is not linked but loaded when a model is read: what has no such model needs none.
//! It is C++ and reads models with all that can be wrong in them: read those that you trust.
#![forbid(unsafe_code)]

mod model;

pub use model::Model;

use ort::environment::Environment;
use std::fmt;
use std::path::Path;

/// The variable that names the library.
pub const VARIABLE: &str = "ORT_DYLIB_PATH";
/// What is looked for where the system has its libraries, if nothing is named.
const LIBRARY: &str = "libonnxruntime.so";

/// Why there is no answer, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// The library, loaded. A process has one of it.
pub struct Runtime(Environment);

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Runtime")
    }
}

impl Runtime {
    /// Loads the library at a path; without one that of [`VARIABLE`], or else the system's.
    ///
    /// # Errors
    /// It is not there, is another library, or one older than 1.17; it was loaded before.
    pub fn load(path: Option<&Path>) -> Result<Self, Error> {
        let variable = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
        let named = path.or(variable.as_deref().map(Path::new));
        let place = match named {
            // A relative path would be looked for beside the program, too.
            Some(path) => path
                .canonicalize()
                .map_err(|error| Error(format!("{}: {error}", path.display())))?,
            None => LIBRARY.into(),
        };
        let builder = ort::init_from(place).map_err(Error::new)?;
        let environment = builder.with_telemetry(false).build();
        environment.map(Self).map_err(Error::new)
    }
}
