//! Walking forward: what is learnt from some time is judged by the time that follows, again and
//! again. Nothing that is judged, nor what labels near it have seen, is ever learnt from.

use std::ops::{ControlFlow, Range};

use super::quality::Quality;
use super::{Booster, Examples, Growth};
use crate::fault::{Fault, within};
use crate::models::Forest;

/// Folds at most.
const FOLDS_MAX: usize = 100;
/// Of what a fold learns from, one part in so many is held back to end the rounds.
const HELD_BACK: usize = 5;
/// Rows that are learnt from, held back, or judged by, at least.
const ROWS_MIN: usize = 20;

/// Rows of a fold: all that is learnt from comes before all that is held back, and that before
/// all that is judged; between two of them a gap is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// What is learnt from.
    pub learnt: Range<usize>,
    /// What ends the rounds.
    pub held_back: Range<usize>,
    /// What is judged.
    pub judged: Range<usize>,
}

impl Fold {
    /// So many folds of so many rows. The first of `folds + 1` equal parts is only learnt from,
    /// each other one is judged by what was learnt from all before it. `gap` rows before each part
    /// are left out: as many as a label looks ahead.
    ///
    /// # Errors
    /// `Outside` for `folds`, `TooShort` for rows that are too few.
    pub fn all(rows: usize, folds: usize, gap: usize) -> Result<Vec<Self>, Fault> {
        within("folds", folds as f64, 1.0, FOLDS_MAX as f64)?;
        let part = rows / (folds + 1);
        let short = Fault::TooShort {
            what: "examples",
            found: rows,
            needed: (HELD_BACK * ROWS_MIN).saturating_add(gap.saturating_mul(3)) * (folds + 1),
        };
        let fold = |at: usize| {
            let start = part * (at + 1);
            let end = if at + 1 == folds { rows } else { start + part };
            let (learnt, held_back) = learnt(start.checked_sub(gap)?, gap)?;
            let fold = Self {
                learnt,
                held_back,
                judged: start..end,
            };
            (fold.judged.len() >= ROWS_MIN).then_some(fold)
        };
        let all: Option<Vec<Self>> = (0..folds).map(fold).collect();
        all.ok_or(short)
    }
}

/// What of the first rows is learnt from and what is held back, if both are enough.
fn learnt(rows: usize, gap: usize) -> Option<(Range<usize>, Range<usize>)> {
    let held_back = rows - rows / HELD_BACK..rows;
    let learnt = 0..held_back.start.checked_sub(gap)?;
    (learnt.len() >= ROWS_MIN && held_back.len() >= ROWS_MIN).then_some((learnt, held_back))
}

/// What walking forward found.
pub struct Walk {
    /// Of each fold, and how many rounds it took.
    pub folds: Vec<(Fold, usize, Quality)>,
    /// What was answered of the rows that judge, fold by fold.
    pub answers: Vec<Vec<u32>>,
    /// Of all folds.
    pub all: Quality,
    /// Of always saying what was most often right in what was learnt from.
    pub majority: Quality,
    /// Trained on all rows but the last ones, which are held back to end the rounds; none if it was
    /// stopped before that was done.
    pub booster: Option<Booster>,
}

/// Judges `growth` by folds, and then trains on all. Answers are those of the text that is written,
/// read back. `watch` is told how many rounds were done of how many there may be; if it stops the
/// work there are the folds that were judged, and no booster.
///
/// # Errors
/// As [`Fold::all`] and [`Booster::train`].
pub fn walk(
    examples: &Examples<'_>,
    (folds, gap): (usize, usize),
    growth: Growth,
    mut watch: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Walk, Fault> {
    let plan = Fold::all(examples.len(), folds, gap)?;
    let most = (plan.len() + 1) * growth.rounds;
    let mut train = |at: usize, learnt: &Range<usize>, held_back: &Range<usize>| {
        let mut is_stopped = false;
        let (learnt, later) = (
            examples.part(learnt.clone()),
            examples.part(held_back.clone()),
        );
        let booster = Booster::train(&learnt, Some(&later), growth, |round| {
            let flow = watch(at * growth.rounds + round, most);
            is_stopped |= flow.is_break();
            flow
        })?;
        Ok::<_, Fault>((!is_stopped).then_some(booster))
    };
    let mut all = Quality::new(examples.classes)?;
    let mut majority = all.clone();
    let (mut done, mut said) = (Vec::with_capacity(plan.len()), Vec::new());
    let mut is_stopped = false;
    for (at, fold) in plan.into_iter().enumerate() {
        let Some(booster) = train(at, &fold.learnt, &fold.held_back)? else {
            is_stopped = true;
            break;
        };
        let judged = examples.part(fold.judged.clone());
        let answers = booster.answers(judged.rows)?;
        let mut quality = Quality::new(examples.classes)?;
        quality.add(judged.labels, &answers)?;
        all.add(judged.labels, &answers)?;
        let seen = examples.part(0..fold.held_back.end).counts();
        let most = (0..seen.len()).max_by_key(|class| (seen[*class], usize::MAX - class));
        let usual = vec![most.unwrap_or(0) as u32; judged.len()];
        majority.add(judged.labels, &usual)?;
        done.push((fold, booster.rounds(), quality));
        said.push(answers);
    }
    let (learnt, held_back) = learnt(examples.len(), gap).ok_or(Fault::TooShort {
        what: "examples",
        found: examples.len(),
        needed: HELD_BACK * ROWS_MIN + gap,
    })?;
    let booster = match is_stopped {
        true => None,
        false => train(done.len(), &learnt, &held_back)?,
    };
    Ok(Walk {
        folds: done,
        answers: said,
        all,
        majority,
        booster,
    })
}

impl Booster {
    /// The likeliest class of each row, the first of those that are equally likely.
    ///
    /// # Errors
    /// `Lengths` for rows that are not whole.
    pub fn answers(&self, rows: &[f32]) -> Result<Vec<u32>, Fault> {
        let Ok(forest) = Forest::lightgbm(&self.text(&[])) else {
            // The text is ours: it is read, or there is no round that it could have.
            return Ok(vec![0; rows.len() / self.features]);
        };
        let mut results = vec![0.0; rows.len() / self.features * self.classes];
        forest.predict(rows, &mut results)?;
        let likeliest = |shares: &[f64]| {
            let better = |best: usize, at: usize| if shares[at] > shares[best] { at } else { best };
            (1..shares.len()).fold(0, better) as u32
        };
        Ok(results.chunks_exact(self.classes).map(likeliest).collect())
    }
}
