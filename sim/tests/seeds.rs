//! Whole days by seed. `SIM_SEEDS=n` runs n seeds, `SIM_FIRST=s` begins with seed s; a failure
//! names its seed.

use sim::{Plan, Report, run};

/// Seeds that every CI run tries.
const SEEDS: u64 = 20;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

fn add(total: &mut Report, one: &Report) {
    total.lives += one.lives;
    total.disk_failures += one.disk_failures;
    total.torn += one.torn;
    total.disk_full += one.disk_full;
    total.sent += one.sent;
    total.journaled += one.journaled;
    total.special += one.special;
    total.crossed += one.crossed;
    total.words += one.words;
    total.replies += one.replies;
    total.logins += one.logins;
    total.broken += one.broken;
    total.dropped += one.dropped;
    total.gaps += one.gaps;
}

#[test]
fn no_seed_breaks_a_promise() {
    let first = number("SIM_FIRST", 1);
    let seeds = number("SIM_SEEDS", SEEDS);
    let mut total = Report::default();
    let mut broken = Vec::new();
    for seed in first..first + seeds {
        match run(&Plan::of(seed)) {
            Ok(report) => add(&mut total, &report),
            Err(error) => broken.push(error),
        }
    }
    println!("{seeds} seeds from {first}: {total:?}");
    assert!(
        broken.is_empty(),
        "{} of {seeds} seeds:\n{}",
        broken.len(),
        broken.join("\n")
    );
    // A run in which nothing went wrong proves nothing.
    if first == 1 && seeds >= SEEDS {
        for (name, count) in [
            ("restarts", total.lives - seeds),
            ("torn tails", total.torn),
            ("failing disks", total.disk_failures),
            ("full disks", total.disk_full),
            ("broken connections", total.broken),
            ("lost datagrams", total.dropped),
            ("filled gaps", total.gaps),
            ("special orders", total.special),
            ("operator's words", total.words),
            ("units crossed in auctions", total.crossed),
        ] {
            assert!(count > 0, "no {name} in {seeds} seeds");
        }
        assert!(total.journaled > total.sent / 2 && total.replies > total.journaled / 2);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in [3, 11] {
        let first = run(&Plan::of(seed)).expect("no broken promise");
        let second = run(&Plan::of(seed)).expect("no broken promise");
        assert_eq!(first, second);
        let other = run(&Plan {
            seed: seed + 1_000,
            ..Plan::of(seed)
        })
        .expect("no broken promise");
        assert_ne!(first.digest, other.digest);
    }
}
