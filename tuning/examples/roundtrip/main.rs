//! Applies every stage to this host and undoes it, and compares all that it can touch byte for
//! byte: `cargo x tune-roundtrip` builds the program and starts this in namespaces of its own.
//!
//! One line a stage: `restored`, or why there was nothing to change, or `FAILED` and what is not
//! as before. The exit status is 0 if nothing failed.

mod dump;
mod place;
mod trial;

use std::path::PathBuf;
use std::process::ExitCode;
use trial::{Bench, Outcome};
use tuning::{Host, STAGES, Setup, Stage, Wish};

/// Stages that namespaces keep from the rest of the host.
const PRIVATE: &[&str] = &[
    "command-line",
    "nic-queues",
    "nic-rings",
    "nic-coalescing",
    "nic-offloads",
    "steering",
    "busy-poll",
    "limits",
];

fn main() -> ExitCode {
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("roundtrip: {error}");
            ExitCode::from(2)
        }
    }
}

/// Takes `host` or `namespaces`, the program, a folder for its journal, and stages if only these
/// are meant; says how many failed.
fn run() -> Result<usize, String> {
    let mut words = std::env::args().skip(1);
    let usage = "host|namespaces PROGRAM FOLDER [STAGE...]";
    let mut word = || words.next().ok_or(usage);
    let (place, program, folder) = (word()?, word()?, word()?);
    let named: Vec<String> = words.collect();
    tuning::stages_named(&named)?;
    let mut wish = Wish::default();
    let is_host = match place.as_str() {
        "host" => true,
        "namespaces" => false,
        _ => return Err(usage.to_owned()),
    };
    if is_host {
        place::of_host()?;
    } else {
        place::of_namespaces()?;
        wish.interfaces.push(place::INTERFACE.to_owned());
    }
    let host = Host::live();
    let setup = Setup::of(&host, &wish).map_err(|error| error.to_string())?;
    println!("{} files are compared", dump::dump(&host).len());
    let bench = Bench {
        program: PathBuf::from(program),
        folder: PathBuf::from(folder),
    };
    let is_meant = |stage: &&Stage| {
        let is_named = named.is_empty() || named.iter().any(|name| name == stage.name);
        is_named && (is_host || PRIVATE.contains(&stage.name))
    };
    let failed = STAGES
        .iter()
        .filter(is_meant)
        .filter(|stage| !tell(stage.name, bench.attempt(&host, &setup, stage)));
    let failed = failed.count();
    let is_held = !is_host || !named.is_empty() || tell("(tune hold)", bench.attempt_hold(&host));
    Ok(failed + usize::from(!is_held))
}

/// Prints one line; whether it is a good one.
fn tell(stage: &str, outcome: Result<Outcome, String>) -> bool {
    let (word, text) = match &outcome {
        Ok(Outcome::Restored(text)) => ("restored", text),
        Ok(Outcome::Nothing(text)) => ("nothing", text),
        Err(text) => ("FAILED", text),
    };
    println!("{word:<9} {stage:<23} {text}");
    outcome.is_ok()
}
