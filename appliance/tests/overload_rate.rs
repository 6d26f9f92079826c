//! Twice what the program can sustain, for 30 seconds, by an open loop: measured, so by command
//! only (`cargo x siege overload`, on an optimised build and a quiet machine).
//!
//! What it can do is what it answers per second when it is never idle; what it sustains is three
//! quarters of that, as beyond it every pause of the machine makes a queue that does not go.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{Site, program};
use serde_json::Value;

/// Commands a second that nothing here can do.
const FLOOD: f64 = 1_000_000.0;
/// Seconds of the flood, of the overload, and of what is usual before and behind it.
const FLOOD_S: u32 = 4;
const OVERLOAD_S: u32 = 30;
const USUAL_S: u32 = 6;

const SUSTAINED_PART: f64 = 0.75;
/// What must still be accepted of what is sustained.
const ACCEPTED_PART: f64 = 0.9;

/// A venue that acknowledges what is on disk.
fn site(refuses: bool) -> Site {
    let order_entry = if refuses {
        "reply_mib = 1024\nrefuse_after_ms = 20"
    } else {
        "reply_mib = 1024"
    };
    let mut site = Site::new()
        .with("reply_mib = 4", order_entry)
        .with("segment_mib = 1", "segment_mib = 256")
        .with("orders = 4096", "orders = 1000000")
        .with(
            "journal = { thread = \"all\" }",
            "journal = { thread = \"disk\" }",
        );
    for depth in ["256", "1024"] {
        site.topology = site
            .topology
            .replace(&format!("depth = {depth},"), "depth = 16384,");
    }
    site
}

/// Stages of seconds and commands a second, driven against a venue; the report.
fn load(site: &Site, to: &str, stages: &[(u32, f64)]) -> Value {
    let text: String = stages
        .iter()
        .map(|(seconds, rate)| {
            format!("[[stage]]\nkind = \"constant\"\nseconds = {seconds}.0\nrate = {rate:.0}\n")
        })
        .collect();
    let [scenario, json] = ["stages.toml", "report.json"].map(|name| site.dir.path().join(name));
    std::fs::write(&scenario, text).unwrap();
    let logins = ["--login", "ALPHA:alpha", "--login", "BRAVO:bravo"];
    let files = [
        "--scenario",
        scenario.to_str().unwrap(),
        "--json",
        json.to_str().unwrap(),
    ];
    let args = [
        "load",
        "--connect",
        to,
        "--symbols",
        "AAPL,MSFT",
        "--patience",
        "60",
    ];
    let ended = program(&[&args[..], &logins, &files].concat());
    ended.succeeds();
    serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap()
}

/// Of the seconds of a report: a figure of its replies.
fn seconds(report: &Value, figure: &str) -> Vec<f64> {
    let all = report["timeline"].as_array().unwrap().iter();
    all.map(|second| second["reply"][figure].as_f64().unwrap())
        .collect()
}

#[test]
#[ignore = "measures for two minutes: cargo x siege overload"]
fn twice_what_is_sustained_is_refused_and_the_rest_goes_on() {
    let flooded = site(false);
    let venue = flooded.start();
    let report = load(&flooded, venue.ready("order_entry"), &[(FLOOD_S, FLOOD)]);
    venue.kill();
    let mut counts = seconds(&report, "count")[1..FLOOD_S as usize].to_vec();
    counts.sort_by(f64::total_cmp);
    let capacity = counts[counts.len() / 2];
    let sustained = capacity * SUSTAINED_PART;
    println!("can do {capacity:.0} commands a second, sustains {sustained:.0}");
    println!(
        "  waiting, the worst reply of a flood took {:.0} ms",
        worst_ms(&report)
    );

    let site = site(true);
    let venue = site.start();
    let usual = (USUAL_S, sustained / 2.0);
    let stages = [usual, (OVERLOAD_S, 2.0 * sustained), usual];
    let report = load(&site, venue.ready("order_entry"), &stages);
    let number = |field: &str| report[field].as_u64().unwrap();
    let refused = report["reject_reasons"]["Overloaded"].as_u64().unwrap_or(0);
    let due = 2.0 * sustained * f64::from(OVERLOAD_S);
    let accepted = (due - refused as f64) / f64::from(OVERLOAD_S);
    println!(
        "of {due:.0} commands in {OVERLOAD_S} s {refused} were refused: {accepted:.0} a second \
         went through, {:.3} of what is sustained; the worst reply took {:.0} ms",
        accepted / sustained,
        worst_ms(&report)
    );
    let p99 = seconds(&report, "p99_ns");
    let told = |from: u32, seconds: u32| -> Vec<String> {
        let part = p99[from as usize..(from + seconds) as usize].iter();
        part.map(|ns| format!("{:.1}", ns / 1e6)).collect()
    };
    let ended = USUAL_S + OVERLOAD_S;
    println!(
        "99th percentile by second, ms: before {}",
        told(0, USUAL_S).join(" ")
    );
    println!("  behind {}", told(ended, USUAL_S).join(" "));

    // Nothing that was acknowledged is lost by a power switch.
    venue.kill();
    let data = site.data_dir();
    let stat = program(&["journal", "stat", data.to_str().unwrap()]);
    stat.succeeds();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    let mut lines = stat.out.lines().map(words);
    let inputs = lines.find(|words: &Vec<String>| words[0] == "inputs");
    let recovered: u64 = inputs.unwrap()[1].replace(',', "").parse().unwrap();
    let applied = number("sent") - refused;
    println!("{applied} commands were acknowledged, {recovered} inputs are in the journal");
    assert_eq!(number("unanswered"), 0);
    assert!(recovered >= applied, "acknowledged commands are lost");
    assert!(refused > 0 && accepted >= ACCEPTED_PART * sustained);
    // What is normal is what was seen before; the first second warms everything up.
    let worst = p99[1..USUAL_S as usize].iter().copied().fold(0.0, f64::max);
    let behind = p99[ended as usize..].iter();
    let normal = behind.clone().position(|ns| *ns <= worst);
    println!("  as before it {normal:?} s after the load's end");
    assert!(
        normal.is_some_and(|seconds| seconds <= 1),
        "{behind:?} ns behind the load, {worst} ns at most before it"
    );
}

fn worst_ms(report: &Value) -> f64 {
    report["due_to_reply"]["max_ns"].as_f64().unwrap() / 1e6
}
