//! A sum of trees, laid out so that going down them waits for nothing but the nearest cache.

use super::columns::Columns;
use super::layout::{ABREAST, Narrow, Place, Trees, Wide};
use super::model::Room;
use super::tree::Tree;
use super::{CLASSES_MAX, FEATURES_MAX, Link, Unread, lightgbm, xgboost};
use crate::Fault;
use crate::fault::same_length;

/// The most thresholds of a feature, and slots, of the narrow layout.
const NARROW: [usize; 2] = [254, 256];
/// The same of the wide one.
const WIDE: [usize; 2] = [65_534, 65_536];

/// What a file says.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub trees: Vec<Tree>,
    pub features: usize,
    /// What the numbers of a row are called; none if the file does not say.
    pub names: Vec<String>,
    /// What the sums of a row start from: as many as there are results.
    pub start: Vec<f64>,
    /// Sums are rounded to `f32` at each step.
    pub is_single: bool,
    /// Numbers near 0 are 0.
    pub has_zero_rule: bool,
    /// Results are of sums divided by this, if they are means.
    pub divisor: Option<f64>,
    pub link: Link,
}

/// Gradient-boosted trees, ready to be asked.
#[derive(Clone, Debug)]
pub struct Forest {
    columns: Columns,
    layout: Layout,
    told: Told,
}

/// How places are stored.
#[derive(Clone, Debug)]
enum Layout {
    Narrow(Trees<Narrow>),
    Wide(Trees<Wide>),
}

impl Forest {
    /// Reads a model that LightGBM saved as text (`Booster.save_model`).
    ///
    /// # Errors
    ///
    /// [`Unread`] with the line if it is none, or has what is not supported: categorical splits,
    /// linear trees, objectives of one's own.
    pub fn lightgbm(text: &str) -> Result<Self, Unread> {
        Self::compile(lightgbm::read(text)?)
    }

    /// Reads a model that XGBoost saved (`Booster.save_model`, a name ending in `.json` or `.ubj`).
    ///
    /// # Errors
    ///
    /// [`Unread`] with the place if it is none, or has what is not supported: categorical splits,
    /// linear boosters, leaves of several numbers.
    pub fn xgboost(file: &[u8]) -> Result<Self, Unread> {
        Self::compile(xgboost::read(file)?)
    }

    fn compile(mut told: Told) -> Result<Self, Unread> {
        let within = |what: &str, count: usize, most: usize| {
            if (1..=most).contains(&count) {
                return Ok(());
            }
            let limits = format!("{count} {what}: between 1 and {most} are read");
            Err(Unread::new(limits))
        };
        within("features", told.features, FEATURES_MAX)?;
        within("classes", told.start.len(), CLASSES_MAX)?;
        let (columns, slots) = Columns::new(&told.trees, told.has_zero_rule);
        let has_room = |[thresholds, slots]: [usize; 2]| {
            columns.thresholds() <= thresholds && columns.slots() <= slots
        };
        let layout = if has_room(NARROW) {
            Layout::Narrow(Trees::new(&told, &columns, &slots)?)
        } else if has_room(WIDE) {
            Layout::Wide(Trees::new(&told, &columns, &slots)?)
        } else {
            let thresholds = columns.thresholds();
            return Err(Unread::new(format!(
                "{thresholds} thresholds of a feature: {} are read",
                WIDE[0]
            )));
        };
        told.trees = Vec::new();
        Ok(Self {
            columns,
            layout,
            told,
        })
    }

    /// The same trees with ranks of 16 bits, where others have 8.
    #[must_use]
    pub fn widened(mut self) -> Self {
        if let Layout::Narrow(trees) = &self.layout {
            self.layout = Layout::Wide(trees.widened());
        }
        self
    }

    /// Numbers of a row.
    #[must_use]
    pub fn features(&self) -> usize {
        self.told.features
    }

    /// What they are called, in their order; none if the file does not say.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.told.names
    }

    /// Results of a row.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.told.start.len()
    }

    /// How many trees there are.
    #[must_use]
    pub fn trees(&self) -> usize {
        match &self.layout {
            Layout::Narrow(trees) => trees.count(),
            Layout::Wide(trees) => trees.count(),
        }
    }

    /// What is done with sums to have results.
    #[must_use]
    pub fn link(&self) -> Link {
        self.told.link
    }

    /// The sums of leaves of rows, one after the other. NaN is a number that is missing.
    ///
    /// # Errors
    ///
    /// [`Fault::Lengths`] if `rows` are not whole rows, or `sums` has not room for all of theirs.
    pub fn margins(&self, rows: &[f32], sums: &mut [f64]) -> Result<(), Fault> {
        let count = rows.len() / self.features();
        same_length("rows", rows.len(), count * self.features())?;
        same_length("sums", sums.len(), count * self.outputs())?;
        match &self.layout {
            Layout::Narrow(trees) => self.sum(trees, rows, sums, || [0; 256]),
            Layout::Wide(trees) => self.sum(trees, rows, sums, || vec![0; self.columns.slots()]),
        }
        Ok(())
    }

    /// What the model says of rows: probabilities, rates or values, by its objective.
    ///
    /// # Errors
    ///
    /// Those of [`Forest::margins`].
    pub fn predict(&self, rows: &[f32], results: &mut [f64]) -> Result<(), Fault> {
        self.margins(rows, results)?;
        self.link_all(results);
        Ok(())
    }

    /// Ranks of a row that are not on the stack.
    pub(super) fn slots(&self) -> usize {
        match &self.layout {
            Layout::Narrow(_) => 0,
            Layout::Wide(_) => self.columns.slots(),
        }
    }

    /// The same of one row that has been checked, without allocation.
    pub(super) fn predict_one(&self, row: &[f32], results: &mut [f64], room: &mut Room) {
        results.copy_from_slice(&self.told.start);
        let is_single = self.told.is_single;
        match &self.layout {
            Layout::Narrow(trees) => {
                let mut ranks = [[0; 256]];
                self.columns.rank([row], &mut ranks);
                trees.add_row(&ranks[0], results, is_single);
            }
            Layout::Wide(trees) => {
                self.columns.rank([row], &mut room.ranks);
                trees.add_row(&room.ranks[0], results, is_single);
            }
        }
        self.link_all(results);
    }

    /// Results of sums.
    fn link_all(&self, sums: &mut [f64]) {
        if let Some(divisor) = self.told.divisor {
            sums.iter_mut().for_each(|sum| *sum /= divisor);
        }
        for row in sums.chunks_exact_mut(self.outputs()) {
            self.told.link.apply(row);
        }
    }

    /// Rows side by side while there are enough, then the others one by one, trees side by side.
    #[inline]
    fn sum<P: Place>(
        &self,
        trees: &Trees<P>,
        rows: &[f32],
        sums: &mut [f64],
        empty: impl Fn() -> P::Row,
    ) where
        P::Row: AsMut<[P::Rank]>,
    {
        for (at, row) in sums.iter_mut().enumerate() {
            *row = self.told.start[at % self.told.start.len()];
        }
        let (features, outputs) = (self.features(), self.outputs());
        let blocks = rows.len() / (features * ABREAST);
        let (blocks, rest) = rows.split_at(blocks * features * ABREAST);
        let (block_sums, rest_sums) = sums.split_at_mut(blocks.len() / features * outputs);
        let is_single = self.told.is_single;
        if !blocks.is_empty() {
            let mut ranks: [P::Row; ABREAST] = std::array::from_fn(|_| empty());
            let block_sums = block_sums.chunks_exact_mut(outputs * ABREAST);
            for (block, sums) in blocks.chunks_exact(features * ABREAST).zip(block_sums) {
                let rows = std::array::from_fn(|at| &block[at * features..][..features]);
                self.columns.rank(rows, &mut ranks);
                trees.add_rows(&ranks, sums, is_single);
            }
        }
        let mut ranks = [empty()];
        let rest_sums = rest_sums.chunks_exact_mut(outputs);
        for (row, sums) in rest.chunks_exact(features).zip(rest_sums) {
            self.columns.rank([row], &mut ranks);
            trees.add_row(&ranks[0], sums, is_single);
        }
    }
}
