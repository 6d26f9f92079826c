//! What a set of mutants consists of, and how it is judged.

use super::{rings, rules, safety};

/// All suites.
pub const SUITES: [&Suite; 3] = [&rings::SUITE, &rules::SUITE, &safety::SUITE];

/// Mutants of some packages that are judged alike.
pub struct Suite {
    pub name: &'static str,
    /// Folders of the packages that the copy consists of, from the root.
    pub packages: &'static [&'static str],
    /// Folders that their tests read.
    pub folders: &'static [&'static str],
    /// Whether every memory ordering is weakened, too.
    pub has_orderings: bool,
    /// Whether all faults are built at once, each behind a switch.
    pub has_switches: bool,
    pub faults: &'static [Fault],
    /// What a mutant must get past to survive.
    pub trials: &'static [Trial],
}

/// A fault of logic: a piece of text that stands in the file exactly once, and what takes its
/// place.
pub struct Fault {
    pub name: &'static str,
    /// From the root.
    pub file: &'static str,
    pub find: &'static str,
    pub replace: &'static str,
}

/// Something that is run on a copy: arguments of cargo.
pub struct Trial {
    pub build: &'static [&'static str],
    pub run: &'static [&'static str],
    /// Its name and what it says when it found something; none for tests, whose names it tells.
    pub program: Option<(&'static str, &'static str)>,
}

impl Suite {
    /// The files that are broken.
    pub fn files(&self) -> Vec<&'static str> {
        let mut files: Vec<_> = self.faults.iter().map(|fault| fault.file).collect();
        files.sort_unstable();
        files.dedup();
        files
    }
}
