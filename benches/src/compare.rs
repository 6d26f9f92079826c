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
    let turns = subjects.len() + 1;
    let mut samples: Vec<Vec<Samples>> = vec![vec![Samples::new(); cases.len()]; turns];
    // By turn and case: one median a round.
    let mut medians: Vec<Vec<Vec<u64>>> = vec![vec![Vec::new(); cases.len()]; turns];
    for round in 0..rounds {
        for step in 0..turns {
            let turn = (round + step) % turns;
            // The turn after the last subject is ours again.
            let subject = &mut subjects[turn % (turns - 1)];
            let got = (subject.turn)()?;
            if got.len() != cases.len() || got.iter().any(Vec::is_empty) {
                let what = format!("{} has no samples for some case", subject.name);
                return Err(BenchError::Failed(what));
            }
            for (case, mut new) in got.into_iter().enumerate() {
                new.sort_unstable();
                medians[turn][case].push(new[(new.len() - 1) / 2]);
                samples[turn][case].extend(new);
            }
        }
    }
    let names: Vec<&str> = subjects.iter().map(|subject| subject.name).collect();
    let mut all = Vec::new();
    for (case, name) in cases.iter().enumerate() {
        let mut found = case_of(name, &names, &mut samples, case)?;
        for (peer, figures) in found.peers.iter_mut().enumerate() {
            figures.ratios = spread(&medians[0][case], &medians[peer + 1][case]);
        }
        all.push(found);
    }
    Ok(all)
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

fn case_of(
    name: &str,
    names: &[&str],
    samples: &mut [Vec<Samples>],
    case: usize,
) -> Result<Case, BenchError> {
    let mut stats = samples.iter_mut().map(|turn| {
        let none = || BenchError::Failed(format!("{name}: no samples"));
        Stats::of(std::mem::take(&mut turn[case])).ok_or_else(none)
    });
    let mut figures = Vec::new();
    for (subject, stats) in names.iter().zip(&mut stats) {
        figures.push(Figures {
            subject: (*subject).to_string(),
            stats: stats?,
            ratios: None,
        });
    }
    let again = stats.next().transpose()?;
    let peers = figures.split_off(1);
    let Some(ours) = figures.pop() else {
        return Err(BenchError::Failed(format!("{name}: nothing to measure")));
    };
    let best = peers.iter().map(|peer| peer.stats.median).reduce(f64::min);
    let noise = again.map_or(0.0, |again| (again.median / ours.stats.median - 1.0).abs());
    Ok(Case {
        name: name.to_string(),
        unit: "ns",
        ratio: best.map(|best| ours.stats.median / best),
        ours,
        peers,
        noise,
        note: None,
    })
}
