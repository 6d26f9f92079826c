//! Reads the reference portfolios and what they are made of.

#![allow(dead_code, clippy::unwrap_used)] // each test program uses its part

use std::path::PathBuf;

use quant::portfolio::Covariance;
use serde_json::Value;

/// A file beside the checkout.
pub fn beside(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = path.join(name);
    std::fs::read(&path).unwrap_or_else(|error| {
        let path = path.display();
        panic!("{path}: {error}: lay shared/ beside the checkout")
    })
}

/// The numbers of a NumPy file of `<f8`.
pub fn numbers(name: &str) -> Vec<f64> {
    let bytes = beside(&format!("vectors/portfolio/{name}.npy"));
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert!(
        String::from_utf8_lossy(&bytes[10..10 + header]).contains("'<f8', 'fortran_order': False")
    );
    let (numbers, rest) = bytes[10 + header..].as_chunks::<8>();
    assert!(rest.is_empty());
    numbers.iter().map(|x| f64::from_le_bytes(*x)).collect()
}

/// Assets of a reference case.
pub struct Market {
    pub name: String,
    pub count: usize,
    pub mean: Vec<f64>,
    pub matrix: Vec<f64>,
    /// Loadings, variances of factors, own variances, if there are factors.
    pub factors: Option<[Vec<f64>; 3]>,
    pub case: Value,
}

impl Market {
    /// All of them.
    pub fn all() -> Vec<Self> {
        let text = beside("vectors/portfolio/portfolio.json");
        let all: Value = serde_json::from_slice(&text).unwrap();
        all["cases"]
            .as_array()
            .unwrap()
            .iter()
            .map(Self::read)
            .collect()
    }

    fn read(case: &Value) -> Self {
        let name = case["name"].as_str().unwrap().to_owned();
        let of = |part: &str| numbers(&format!("{name}_{part}"));
        let count = case["n"].as_u64().unwrap() as usize;
        let factors = (name != "lw120").then(|| ["B", "f", "d"].map(of));
        let matrix = match &factors {
            Some([loadings, variances, own]) => product(loadings, variances, own),
            None => of("S"),
        };
        Self {
            mean: of("mu"),
            count,
            matrix,
            factors,
            case: case.clone(),
            name,
        }
    }

    pub fn dense(&self) -> Covariance<'_> {
        Covariance::dense(&self.matrix, self.count).unwrap()
    }

    pub fn in_factors(&self) -> Option<Covariance<'_>> {
        let [loadings, variances, own] = self.factors.as_ref()?;
        Some(Covariance::factors(loadings, variances, own).unwrap())
    }

    pub fn covariances(&self) -> Vec<Covariance<'_>> {
        [Some(self.dense()), self.in_factors()]
            .into_iter()
            .flatten()
            .collect()
    }
}

fn product(loadings: &[f64], variances: &[f64], own: &[f64]) -> Vec<f64> {
    let (count, factors) = (own.len(), variances.len());
    let row = |at: usize| &loadings[at * factors..][..factors];
    let mut matrix = vec![0.0; count * count];
    for at in 0..count {
        for other in 0..=at {
            let parts = row(at).iter().zip(row(other)).zip(variances);
            let sum: f64 = parts.map(|((x, y), f)| x * f * y).sum();
            matrix[at * count + other] = sum;
            matrix[other * count + at] = sum;
        }
        matrix[at * count + at] += own[at];
    }
    matrix
}
