//! Every row runs tiny, so that it cannot rot, and the harness is held to its promises.

use benches::compare::{Subject, compare, interleave};
use benches::report::RowReport;
use benches::rows::ring::{Link, Message, Ours, turn};
use benches::stats::Stats;
use benches::{BenchError, Effort, Options, row};

/// Runs a row tiny: its answers are checked, and it has figures in order.
fn run_tiny(name: &str) {
    let directory = tempfile::tempdir().expect("a directory");
    let options = Options {
        effort: Effort::Tiny,
        directory: directory.path().to_path_buf(),
    };
    let cases = match (row(name).expect("the row").run)(&options) {
        Err(BenchError::Skipped(why)) => {
            println!("skipped: {why}");
            return;
        }
        result => result.expect("right answers"),
    };
    assert!(!cases.is_empty());
    for case in &cases {
        for figures in std::iter::once(&case.ours).chain(&case.peers) {
            let Stats {
                count,
                max,
                p999,
                p99,
                median,
                min,
            } = figures.stats;
            assert!(count > 0 && min <= median && median <= p99 && p99 <= p999 && p999 <= max);
        }
        let best = case
            .peers
            .iter()
            .map(|peer| peer.stats.median)
            .reduce(f64::min);
        assert_eq!(case.ratio, best.map(|best| case.ours.stats.median / best));
    }
    let left: Vec<_> = std::fs::read_dir(directory.path())
        .expect("a directory")
        .collect();
    assert!(left.is_empty(), "the row cleans up: {left:?}");
}

#[test]
fn ring() {
    run_tiny("ring");
}

#[test]
fn matching() {
    run_tiny("matching");
}

#[test]
fn risk() {
    run_tiny("risk");
}

#[test]
fn publish() {
    run_tiny("publish");
}

#[test]
fn latency() {
    run_tiny("latency");
}

#[test]
fn desk() {
    run_tiny("desk");
}

#[test]
fn book() {
    run_tiny("book");
}

#[test]
fn aapl() {
    run_tiny("aapl");
}

#[test]
fn regimes() {
    run_tiny("regimes");
}

#[test]
fn cointegration() {
    run_tiny("cointegration");
}

#[test]
fn rebalance() {
    run_tiny("rebalance");
}

#[test]
fn portfolio() {
    run_tiny("portfolio");
}

#[test]
fn montecarlo() {
    run_tiny("montecarlo");
}

#[test]
fn models() {
    run_tiny("models");
}

#[test]
fn journal() {
    run_tiny("journal");
}

#[test]
fn durable() {
    run_tiny("durable");
}

#[test]
fn packets() {
    run_tiny("packets");
}

#[test]
fn venue() {
    run_tiny("venue");
}

#[test]
fn roundtrip() {
    run_tiny("roundtrip");
}

#[test]
fn an_unknown_row_lists_what_exists() {
    let error = row("rings").err().expect("an error");
    assert!(matches!(error, BenchError::Request(_)));
    let text = error.to_string();
    let rows = "roundtrip, packets, venue, ring, matching, risk, leaving, publish, latency, aapl, \
                regimes, book, numbers, triangles, desk, cointegration, rebalance, \
                portfolio, montecarlo, models, journal";
    assert!(text.contains("rings") && text.contains(rows), "{text}");
}

/// Our ring with one message changed on its way.
struct Wrong;

impl Link for Wrong {
    type Sender = <Ours as Link>::Sender;
    type Receiver = <Ours as Link>::Receiver;

    fn open(depth: usize) -> Result<(Self::Sender, Self::Receiver), BenchError> {
        Ours::open(depth)
    }

    fn send(to: &mut Self::Sender, messages: &[Message]) -> usize {
        Ours::send(to, messages)
    }

    fn receive(from: &mut Self::Receiver, on: &mut dyn FnMut(&Message)) -> usize {
        Ours::receive(from, &mut |message| {
            let mut message = *message;
            message.payload[3] ^= u64::from(message.number == 50);
            on(&message);
        })
    }
}

#[test]
fn a_wrong_answer_is_no_figure() {
    let error = turn::<Wrong>(60, 4).expect_err("a wrong payload");
    assert!(matches!(error, BenchError::WrongAnswer(_)), "{error}");
}

#[test]
fn figures_are_samples_and_ours_is_compared_with_the_best_peer() {
    let stats = Stats::of((1..=1_000).map(|number| number * 1_000).rev().collect());
    let expected = Stats {
        count: 1_000,
        max: 1_000.0,
        p999: 999.0,
        p99: 990.0,
        median: 500.0,
        min: 1.0,
    };
    assert_eq!(stats, Some(expected));
    assert_eq!(Stats::of(Vec::new()), None);

    let mut order = String::new();
    let log = std::cell::RefCell::new(&mut order);
    let subject = |name: &'static str, picoseconds: u64| {
        let log = &log;
        Subject::new(name, move || {
            log.borrow_mut().push_str(name);
            Ok(vec![vec![picoseconds], vec![picoseconds * 3]])
        })
    };
    let subjects = vec![
        subject("a", 2_000),
        subject("b", 4_000),
        subject("c", 1_000),
    ];
    let cases = compare(&["one", "two"], 2, subjects).expect("figures");
    assert_eq!(
        order, "abcabcaa",
        "turns rotate and the first subject has two a round"
    );
    assert_eq!(
        (cases[0].ratio, cases[0].noise, cases[0].ours.stats.count),
        (Some(2.0), 0.0, 2)
    );
    assert_eq!(cases[1].peers[0].stats.median, 12.0);

    let mut better = cases[0].clone();
    better.ratio = Some(0.5);
    let report = RowReport::new("row", vec![better, cases[1].clone()]);
    assert_eq!(report.cases[0].ratio, Some(2.0), "the worst comes first");
}

#[test]
fn who_is_skipped_is_left_out_and_who_has_one_turn_shows_no_noise() {
    let next = std::cell::Cell::new(0);
    let subjects = vec![
        Subject::new("twice", || {
            next.set(next.get() + 1_000);
            Ok(vec![vec![next.get()]])
        })
        .twice(),
        Subject::new("once", || Ok(vec![vec![4_000]])),
        Subject::new("absent", || {
            Err(BenchError::Skipped("no such card".to_string()))
        }),
    ];
    let measured = interleave(1, 1, subjects).expect("figures");
    let case = measured.case("case", 0, "twice", &["absent", "once"]);
    let case = case.expect("a case");
    // Its second turn took 2 ns.
    assert_eq!((case.ours.stats.median, case.noise), (1.0, 1.0));
    let peers: Vec<&str> = case.peers.iter().map(|it| it.subject.as_str()).collect();
    assert_eq!((peers, case.ratio), (vec!["once"], Some(0.25)));
    let case = measured.case("case", 0, "once", &["twice"]);
    assert_eq!(case.expect("a case").noise, 0.0);
    let error = measured.case("case", 0, "absent", &["once"]).err();
    assert!(matches!(error, Some(BenchError::Skipped(_))), "{error:?}");
}

#[test]
fn a_subject_without_samples_is_a_failure() {
    let subjects = vec![Subject::new("a", || Ok(vec![vec![]]))];
    assert!(compare(&["one"], 1, subjects).is_err());
}
