//! What strangers may try on a venue, in full: the tests have a short piece of each.

use crate::Outcome;
use crate::command::{cargo, run as run_command};
use clap::Args;

/// What the tests do shortly, and this in full.
const FULL: &str = "SIEGE_FULL";

/// One kind of siege.
struct Kind {
    name: &'static str,
    about: &'static str,
    /// Package and test.
    tests: &'static [(&'static str, &'static str)],
}

const KINDS: &[Kind] = &[
    Kind {
        name: "cuts",
        about: "connections cut at every byte, either way, at one place and at two",
        tests: &[("session", "cuts"), ("appliance", "cut_sessions")],
    },
    Kind {
        name: "overload",
        about: "twice what the venue sustains for 30 s; measures: keep the machine quiet",
        tests: &[("appliance", "overload_rate")],
    },
    Kind {
        name: "hostile",
        about: "nine members beside one that sends ten times what it may; measures",
        tests: &[("appliance", "hostile_rate")],
    },
    Kind {
        name: "strangers",
        about: "10,000 connections without a login, handshakes without an end, and guesses",
        tests: &[("appliance", "strangers")],
    },
    Kind {
        name: "risk",
        about: "10,000,000 random orders, limits and restarts against the naive risk model",
        tests: &[("matching", "risk_model"), ("matching", "incidents")],
    },
    Kind {
        name: "cross-account",
        about: "10,000,000 commands that name other sessions' orders",
        tests: &[("matching", "cross_account")],
    },
];

/// What to try.
#[derive(Args)]
pub struct Siege {
    /// Kinds of siege; none lists them.
    names: Vec<String>,
}

/// Runs the sieges that are named, one after the other.
pub fn run(what: &Siege) -> Outcome {
    for kind in KINDS.iter().filter(|_| what.names.is_empty()) {
        println!("{:<14}{}", kind.name, kind.about);
    }
    let chosen = what.names.iter().map(|name| {
        let kind = KINDS.iter().find(|kind| kind.name == name);
        kind.ok_or_else(|| format!("no siege is called {name}: `cargo x siege` lists them"))
    });
    let chosen = chosen.collect::<Result<Vec<_>, _>>()?;
    let tests = chosen.iter().flat_map(|kind| kind.tests);
    tests
        .copied()
        .try_for_each(|(package, test)| full(package, test))
}

/// Runs a test as long as it can be.
fn full(package: &str, test: &str) -> Outcome {
    let program = ["test", "--quiet", "--release", "-p", package];
    let mut command = cargo(&program);
    command.args(["--test", test, "--", "--nocapture", "--include-ignored"]);
    run_command(command.args(["--test-threads", "1"]).env(FULL, "1"))
}
