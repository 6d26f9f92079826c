//! Two databases with the same rows: how long each takes to be filled and to answer, in turns.

use crate::made::{Made, mixed};
use crate::ways::{WAYS, compare, narrowed};
use crate::{COMPARED, words_of};
use std::path::Path;
use std::time::{Duration, Instant};
use store::query::Reader;
use store::{Error, Location};

/// Copies a file's rows into each that has no tables, and says how fast.
pub fn copied(from: &Path, both: &[Location; 2]) -> Result<(), Error> {
    let from = Location::File(from.to_owned());
    for to in both {
        if Reader::at(to).is_ok() {
            continue;
        }
        let begun = Instant::now();
        let rows = store::copy(&from, to)?;
        let seconds = begun.elapsed().as_secs_f64();
        let rate = rows as f64 / seconds;
        println!("copied into {to}: {rows} rows in {seconds:.1} s, {rate:.0} a second");
    }
    Ok(())
}

/// Asks both the same, one after the other, and says what the second takes of the first one's time.
pub fn asked(made: &Made, times: u64, both: &[Location; 2]) -> Result<(), Error> {
    let readers = [Reader::at(&both[0])?, Reader::at(&both[1])?];
    println!(
        "{:<12} {:<28} {:>9} {:>9} {:>6} {:>9} {:>9} {:>6}",
        "query", "narrowed by", "p50 us", "beside", "ratio", "p99 us", "beside", "ratio"
    );
    for (name, ways) in WAYS {
        for way in ways {
            let took = in_turns(&readers, made, (name, way, times.max(1)))?;
            let of = |part: usize| took.each_ref().map(|it| at(it, part));
            let [[one, other], [one_late, other_late]] = [of(50), of(99)];
            let ratio = |one: u128, other: u128| other as f64 / one.max(1) as f64;
            println!(
                "{name:<12} {:<28} {one:>9} {other:>9} {:>6.2} {one_late:>9} {other_late:>9} \
                 {:>6.2}",
                words_of(way),
                ratio(one, other),
                ratio(one_late, other_late),
            );
        }
    }
    Ok(())
}

fn at(took: &[Duration], part: usize) -> u128 {
    took[(took.len() * part / 100).min(took.len() - 1)].as_micros()
}

/// How long each took for each answer, sorted.
fn in_turns(
    readers: &[Reader; 2],
    made: &Made,
    (name, way, times): (&str, &'static str, u64),
) -> Result<[Vec<Duration>; 2], Error> {
    let mut took = [Vec::new(), Vec::new()];
    for time in 0..times {
        let filter = narrowed(made, way, mixed(time ^ mixed(name.len() as u64)));
        // Whoever is first pays for what both find in the processor's memory.
        let first = (time % 2) as usize;
        for at in [first, 1 - first] {
            let mut answer = Vec::new();
            let begun = Instant::now();
            readers[at].query(name, &filter, (false, &mut answer))?;
            took[at].push(begun.elapsed());
            if time < COMPARED {
                compare(made, (name, &filter), &String::from_utf8_lossy(&answer))?;
            }
        }
    }
    took.iter_mut().for_each(|it| it.sort_unstable());
    Ok(took)
}
