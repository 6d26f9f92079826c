//! Models that others trained, as versions: they are judged by rows with labels.

use std::path::Path;

use quant::monitoring::Reference;
use quant::training::Quality;
use serde_json::json;

use crate::Refused;
use crate::asked::{Asked, likeliest};
use crate::registry::{Card, Registry};
use crate::table::Table;
use crate::train::{classes, left_out, rates, singles};

/// Where the model and the rows are.
pub(crate) struct Entered<'a> {
    pub model: &'a Path,
    /// With a column for each feature, in the model's order, and labels whose sorted names are the
    /// model's results.
    pub rows: &'a Path,
    pub label: &'a str,
    /// Where onnxruntime is, if that is said.
    pub library: Option<&'a Path>,
}

impl Entered<'_> {
    /// Adds the model to a folder: the number of its version.
    ///
    /// # Errors
    /// What cannot be read or written; a model for other features or labels, or without an answer.
    pub fn add(&self, folder: &Path) -> Result<u32, Refused> {
        let (mut model, held) = Asked::nameless(self.model, self.library)?;
        let (mut table, labels) = Table::read_labelled(self.rows, self.label)?;
        let left_out = left_out(&mut table)?;
        let names = classes(&labels);
        if names.len() < 2 {
            let what = "all labels are the same: two at least tell whether a model is right";
            return Err(table.blame(what));
        }
        let rows = singles(&table)?;
        let shares = model.shares(&rows, &table, names.len())?;
        let answers = shares.chunks_exact(names.len()).enumerate();
        let answers = answers.map(|(row, shares)| {
            let class = likeliest(shares).map(|class| class as u32);
            class.ok_or_else(|| {
                let row = row + 1;
                table.blame(&format!(
                    "row {row}: the model says what is no number of it"
                ))
            })
        });
        let answers: Vec<u32> = answers.collect::<Result<_, _>>()?;
        let of = |label: &String| names.iter().position(|name| name == label).unwrap_or(0) as u32;
        let mut quality = Quality::new(names.len())?;
        quality.add(&labels.iter().map(of).collect::<Vec<_>>(), &answers)?;
        let refused = |fault| table.blame(&format!("{fault}"));
        let card = Card {
            reference: Reference::of(&rows, table.width).map_err(refused)?,
            features: table.names,
            accuracy: quality.accuracy(),
            trained: json!({
                "all": rates(&quality), "classes": names, "left_out": left_out,
                "model": self.model.display().to_string(),
                "judged_by": self.rows.display().to_string(),
            }),
            classes: names,
        };
        Registry::add(folder, &held, &card)
    }
}
