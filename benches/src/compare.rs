//! Runs ours and its peers in turns and compares their medians.

use serde::Serialize;

use crate::BenchError;
use crate::stats::{Samples, Stats};

/// One turn of a subject: samples for each case, in the order of the cases' names.
pub type Turn<'a> = Box<dyn FnMut() -> Result<Vec<Samples>, BenchError> + 'a>;

/// Something that is measured.
pub struct Subject<'a> {
    name: &'static str,
    turn: Turn<'a>,
    is_twice: bool,
}

impl<'a> Subject<'a> {
    /// A subject does its work, checks its answer and returns its samples once a round.
    pub fn new(
        name: &'static str,
        turn: impl FnMut() -> Result<Vec<Samples>, BenchError> + 'a,
    ) -> Self {
        Self {
            name,
            turn: Box::new(turn),
            is_twice: false,
        }
    }

    /// The same with two turns a round, so that its own noise is known.
    #[must_use]
    pub fn twice(self) -> Self {
        Self {
            is_twice: true,
            ..self
        }
    }
}

/// The least, middle and greatest of the rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The least.
    pub min: f64,
    /// Half of them are not above it.
    pub median: f64,
    /// The greatest.
    pub max: f64,
}

/// Figures of one subject in one case.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// The subject.
    pub subject: String,
    /// Its figures, in nanoseconds.
    pub stats: Stats,
    /// Of a peer: median of ours by its own, round by round. Below 1 is better for ours.
    pub ratios: Option<Spread>,
}

/// A comparison of ours with its peers.
#[derive(Clone, Debug, Serialize)]
pub struct Case {
    /// What is measured.
    pub name: String,
    /// The unit of all figures.
    pub unit: &'static str,
    /// Ours.
    pub ours: Figures,
    /// The others.
    pub peers: Vec<Figures>,
    /// Median of ours by that of the best peer: below 1 is better. Without a peer there is none.
    pub ratio: Option<f64>,
    /// By what share the medians of two runs of ours differ: what a ratio must exceed to mean
    /// anything.
    pub noise: f64,
    /// What a reader must know to judge the figures.
    pub note: Option<String>,
}

impl Case {
    /// The same with a note.
    #[must_use]
    pub fn noted(self, note: &str) -> Self {
        let note = Some(note.to_string());
        Self { note, ..self }
    }
}

/// Gives each subject its turn, `rounds` times; the first is ours and has two turns a round, so
/// that its own noise is known. The order changes from round to round.
pub fn compare(
    cases: &[&str],
    rounds: usize,
    mut subjects: Vec<Subject<'_>>,
) -> Result<Vec<Case>, BenchError> {
    if let Some(ours) = subjects.first_mut() {
        ours.is_twice = true;
    }
    let names: Vec<&str> = subjects.iter().map(|subject| subject.name).collect();
    let measured = interleave(cases.len(), rounds, subjects)?;
    let Some((ours, peers)) = names.split_first() else {
        return Err(BenchError::Failed("nothing to measure".to_string()));
    };
    let case = |(place, name): (usize, &&str)| measured.case(name, place, ours, peers);
    cases.iter().enumerate().map(case).collect()
}

/// What all subjects gave, for cases that compare some of them.
pub struct Measured {
    turns: Vec<Measurements>,
}

/// What the same turn of each round gave, case by case.
struct Measurements {
    name: &'static str,
    samples: Vec<Samples>,
    /// One a round.
    medians: Vec<Vec<u64>>,
}

/// Gives each subject its turn, or two, `rounds` times, in an order that changes from round to
/// round; each gives samples for so many cases. A subject that is skipped is left out, with the
/// reason on stderr.
pub fn interleave(
    cases: usize,
    rounds: usize,
    mut subjects: Vec<Subject<'_>>,
) -> Result<Measured, BenchError> {
    let again = (0..subjects.len()).filter(|place| subjects[*place].is_twice);
    let order: Vec<usize> = (0..subjects.len()).chain(again).collect();
    let mut turns: Vec<Measurements> = order
        .iter()
        .map(|place| Measurements {
            name: subjects[*place].name,
            samples: vec![Samples::new(); cases],
            medians: vec![Vec::new(); cases],
        })
        .collect();
    let mut skipped = Vec::new();
    for round in 0..rounds {
        for step in 0..order.len() {
            let turn = (round + step) % order.len();
            let subject = &mut subjects[order[turn]];
            if skipped.contains(&subject.name) {
                continue;
            }
            let got = match (subject.turn)() {
                Err(BenchError::Skipped(why)) => {
                    eprintln!("benches: {}: skipped: {why}", subject.name);
                    skipped.push(subject.name);
                    continue;
                }
                result => result?,
            };
            if got.len() != cases || got.iter().any(Vec::is_empty) {
                let what = format!("{} has no samples for some case", subject.name);
                return Err(BenchError::Failed(what));
            }
            turns[turn].take(got);
        }
    }
    turns.retain(|turn| !skipped.contains(&turn.name));
    Ok(Measured { turns })
}

impl Measurements {
    fn take(&mut self, got: Vec<Samples>) {
        for (case, mut new) in got.into_iter().enumerate() {
            new.sort_unstable();
            self.medians[case].push(new[(new.len() - 1) / 2]);
            self.samples[case].extend(new);
        }
    }
}

/// Ours by theirs, round by round.
fn spread(ours: &[u64], theirs: &[u64]) -> Option<Spread> {
    let pairs = ours.iter().zip(theirs);
    let mut ratios: Vec<f64> = pairs
        .map(|(ours, theirs)| *ours as f64 / (*theirs).max(1) as f64)
        .collect();
    ratios.sort_unstable_by(f64::total_cmp);
    Some(Spread {
        min: *ratios.first()?,
        median: ratios[(ratios.len() - 1) / 2],
        max: *ratios.last()?,
    })
}

impl Measured {
    /// The case at `place`, called `name`: one subject against others, without those that were
    /// skipped. A subject with one turn a round has no noise of its own to show.
    pub fn case(
        &self,
        name: &str,
        place: usize,
        ours: &str,
        peers: &[&str],
    ) -> Result<Case, BenchError> {
        let mut turns = self.turns.iter().filter(|turn| turn.name == ours);
        let missing = || BenchError::Skipped(format!("{name}: {ours} was not measured"));
        let mine = turns.next().ok_or_else(missing)?;
        let figures = mine.figures(name, place)?;
        let again = turns.next().map(|turn| turn.figures(name, place));
        let noise = again.transpose()?.map_or(0.0, |again| {
            (again.stats.median / figures.stats.median - 1.0).abs()
        });
        let mut others = Vec::new();
        for peer in peers {
            let Some(theirs) = self.turns.iter().find(|turn| turn.name == *peer) else {
                continue;
            };
            others.push(Figures {
                ratios: spread(&mine.medians[place], &theirs.medians[place]),
                ..theirs.figures(name, place)?
            });
        }
        let best = others.iter().map(|peer| peer.stats.median).reduce(f64::min);
        Ok(Case {
            name: name.to_string(),
            unit: "ns",
            ratio: best.map(|best| figures.stats.median / best),
            ours: figures,
            peers: others,
            noise,
            note: None,
        })
    }
}

impl Measurements {
    fn figures(&self, name: &str, place: usize) -> Result<Figures, BenchError> {
        let none = || BenchError::Failed(format!("{name}: no samples"));
        Ok(Figures {
            subject: self.name.to_string(),
            stats: Stats::of(self.samples[place].clone()).ok_or_else(none)?,
            ratios: None,
        })
    }
}
