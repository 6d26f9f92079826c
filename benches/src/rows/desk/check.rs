//! Whether what the desk decided is what its inputs say.

use std::io::Sink;
use std::path::Path;

use appliance::desk::brain::Digest;
use appliance::desk::keeper::{Keeper, Records};
use appliance::desk::session::{Session, replay};
use trading::backtest::Watcher;
use trading::desk::{Decision, Desk};

use crate::BenchError;

/// A digest that looks on.
#[derive(Default)]
struct Looking(Digest);

impl Watcher for Looking {
    fn decided(&mut self, _desk: &Desk, decision: &Decision) {
        self.0.add(decision);
    }
}

/// Runs what was kept through the book-keeper's desk, and the session that this writes through
/// another one; how many decisions there were, all the same.
pub fn decisions(
    keeper: &mut Keeper<Sink>,
    records: &mut Records,
    session: &Path,
    (live, lost): (&Digest, u64),
    again: Desk,
) -> Result<u64, BenchError> {
    while keeper.take(records) > 0 {}
    keeper
        .end()
        .map_err(|error| BenchError::failed("the session", error))?;
    let failed = |error| BenchError::failed("the session", error);
    let mut looking = Looking::default();
    replay(again, Session::open(session).map_err(failed)?, &mut looking).map_err(failed)?;
    let essence = |digest: &Digest| (digest.count, digest.value());
    let all = [live, keeper.digest(), &looking.0].map(essence);
    if lost > 0 || all[0] != all[1] || all[0] != all[2] {
        return Err(BenchError::WrongAnswer(format!(
            "decisions live, by the book-keeper and by a backtest: {all:?}; {lost} inputs lost"
        )));
    }
    Ok(live.count)
}
