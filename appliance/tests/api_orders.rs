//! Orders that come by the API: members by gRPC trade with each other under the venue's rules.
#![allow(clippy::unwrap_used)]

mod harness;

// Where `cargo x setup` puts it is the builder's tool's business.
#[path = "../../tools/src/setup/venv.rs"]
#[allow(dead_code, reason = "a part is used here")]
mod venv;

use harness::{Member, Site, counter, free_port, program_beside, wait_until, write_for_all};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// SHA-256 of the names of keys with `-token` behind them.
const KEYS: [(&str, &str, u32, &str, &str); 3] = [
    ("alpha", "ALPHA", 1, "alpha", ALPHA),
    ("bravo", "BRAVO", 2, "bravo", BRAVO),
    ("wrong", "BRAVO", 2, "alpha", WRONG),
];
const ALPHA: &str = "a336d9b1d8b8647875238537ca5087b0ea335afd2032936aecdffc3e4b13f720";
const BRAVO: &str = "7b9808d7d9c6e15f6a7b4186c099d6dee95db11b08c8e495feee326a10bd8b3c";
const WRONG: &str = "5645a758e6a8f12b6a2715cc22565a9f68d1ed73d98d33a1c5adf99277cd0b73";

fn site(grpc: u16) -> Site {
    program_beside("wirecross-slow");
    program_beside("wirecross-api");
    let site = Site::new();
    let dir = site.dir.path();
    let mut text = format!(
        "listen = \"127.0.0.1:{}\"\n[limits]\nstall_s = 2\n[orders]\n[grpc]\n\
         listen = \"127.0.0.1:{grpc}\"\n",
        free_port()
    );
    for (name, user, account, password, hash) in KEYS {
        let file = dir.join(format!("{name}.password"));
        write_for_all(&file, password);
        text += &format!(
            "[[keys]]\nname = \"{name}\"\nrole = \"trader\"\naccounts = [{account}]\n\
             user = \"{user}\"\npassword_file = {file:?}\ntoken_sha256 = \"{hash}\"\n\
             per_second = 10000\nat_once = 10000\n"
        );
    }
    let (tables, settings) = (dir.join("tables"), dir.join("api.toml"));
    write_for_all(&settings, &text);
    site.with(
        "[tiles]",
        &format!(
            "[shadow]\n\n[slow]\ndir = {tables:?}\n\n[api]\nsettings = {settings:?}\n\n[tiles]"
        ),
    )
    .with(
        "password = \"alpha\"",
        "password = \"alpha\"\ncancel_on_disconnect_ms = 0",
    )
}

fn python() -> Option<PathBuf> {
    venv::python_with(env!("CARGO_BIN_EXE_wirecross"), &["grpc_tools"])
}

/// The client, trying this.
fn client(python: &Path, grpc: u16, what: &str) -> Child {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Command::new(python)
        .arg(here.join("tests/api_orders.py"))
        .arg(format!("127.0.0.1:{grpc}"))
        .arg(here.join("../slow/api/proto"))
        .arg(what)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn orders_by_grpc_live_as_those_by_ouch_do() {
    let Some(python) = python() else {
        return;
    };
    let grpc = free_port();
    let site = site(grpc);
    let venue = site.start();
    let mut client = client(&python, grpc, "day");
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    let is_through = lines.next().is_some_and(|line| line.unwrap() == "stop");
    if is_through {
        venue.stop();
    }
    let is_well = lines.next().is_some_and(|line| line.unwrap() == "well");
    let output = client.wait_with_output().unwrap();
    assert!(is_through && is_well, "{output:?}");
}

#[test]
fn who_takes_no_events_is_told_so_and_let_go_of() {
    let Some(python) = python() else {
        return;
    };
    let grpc = free_port();
    let site = site(grpc);
    let venue = site.start();
    // More than all that waits on the way.
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    for _ in 0..4 {
        alpha.enter_many(3_000, b'B', (1, "AAPL", 900_000));
        alpha.mass_cancel(1);
        alpha.until("the orders' end", |it| it.kinds().ends_with('X'));
    }
    let output = client(&python, grpc, "rest").wait_with_output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "well\n",
        "{output:?}"
    );
    wait_until("its connection's end", || {
        counter(&site, "gate.connections") == 0
    });
    venue.stop();
}
