//! What strangers may try on a venue, in full: the tests have a short piece of each.

use crate::Outcome;
use crate::command::{cargo, run as run_command};
use Piece::{Command, Example, Test};
use clap::Args;

/// What the tests do shortly, and this in full.
const FULL: &str = "SIEGE_FULL";

/// One piece of a siege.
enum Piece {
    /// A test of a package, as long as it can be.
    Test(&'static str, &'static str),
    /// An example of a package, which a test starts: to be built.
    Example(&'static str, &'static str),
    /// A command of `cargo`.
    Command(&'static [&'static str]),
}

/// One kind of siege.
struct Kind {
    name: &'static str,
    about: &'static str,
    pieces: &'static [Piece],
}

const KINDS: &[Kind] = &[
    Kind {
        name: "cuts",
        about: "connections cut at every byte, either way, at one place and at two",
        pieces: &[Test("session", "cuts"), Test("appliance", "cut_sessions")],
    },
    Kind {
        name: "overload",
        about: "twice what the venue sustains for 30 s; measures: keep the machine quiet",
        pieces: &[Test("appliance", "overload_rate")],
    },
    Kind {
        name: "hostile",
        about: "nine members beside one that sends ten times what it may; measures",
        pieces: &[Test("appliance", "hostile_rate")],
    },
    Kind {
        name: "slow",
        about: "the slow path beside the venue, attacked, its database stalled, killed, full; root",
        pieces: &[
            Command(&["build", "--quiet", "--release", "-p", "store", "-p", "api"]),
            Test("appliance", "slow_rate"),
        ],
    },
    Kind {
        name: "strangers",
        about: "10,000 connections without a login, handshakes without an end, and guesses",
        pieces: &[Test("appliance", "strangers")],
    },
    Kind {
        name: "timing",
        about: "10,000 refused logins: whether their time tells who exists; ten minutes or more",
        pieces: &[Command(&[
            "run",
            "--quiet",
            "--release",
            "-p",
            "appliance",
            "--example",
            "login_timing",
            "--",
            "10000",
        ])],
    },
    Kind {
        name: "risk",
        about: "10,000,000 random orders, limits and restarts against the naive risk model",
        pieces: &[
            Test("matching", "risk_model"),
            Test("matching", "incidents"),
        ],
    },
    Kind {
        name: "cross-account",
        about: "10,000,000 commands that name other sessions' orders",
        pieces: &[Test("matching", "cross_account")],
    },
    Kind {
        name: "day",
        about: "an auction under a storm of cancels, and a scripted day against its transcript",
        pieces: &[
            Test("matching", "incidents"),
            Test("appliance", "scripted_day"),
        ],
    },
    Kind {
        name: "feed",
        about: "10,000,000 messages over two bad lines: the receiver's book is the publisher's",
        pieces: &[Command(&["x", "feed-lines", "--messages", "10000000"])],
    },
    Kind {
        name: "evil",
        about: "a process that was taken over tries what is forbidden; as root",
        pieces: &[
            Example("sandbox", "evil_gateway"),
            Test("sandbox", "evil"),
            Test("appliance", "rings"),
        ],
    },
    Kind {
        name: "fix",
        about: "20,000 orders by FIX, and as many by OUCH, in turns; measures; as root",
        pieces: &[
            Example("appliance", "fix_gateway"),
            Test("appliance", "fix_latency"),
        ],
    },
    Kind {
        name: "leaving",
        about: "100,000 orders taken off by one kill switch; measures",
        pieces: &[Command(&["x", "bench", "leaving"])],
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
    let mut pieces = chosen.iter().flat_map(|kind| kind.pieces);
    pieces.try_for_each(|piece| match *piece {
        Test(package, test) => full(package, test),
        Example(package, name) => {
            let built = ["build", "--quiet", "--release", "-p", package];
            run_command(cargo(&built).args(["--example", name]))
        }
        Command(arguments) => run_command(&mut cargo(arguments)),
    })
}

/// Runs a test as long as it can be.
fn full(package: &str, test: &str) -> Outcome {
    let program = ["test", "--quiet", "--release", "-p", package];
    let mut command = cargo(&program);
    command.args(["--test", test, "--", "--nocapture", "--include-ignored"]);
    run_command(command.args(["--test-threads", "1"]).env(FULL, "1"))
}
