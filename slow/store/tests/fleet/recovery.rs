//! How long readers and writers wait when a server is killed, stalled and back: printed for whoever
//! runs this with `--nocapture`, and judged by nobody, since a busy machine takes its time.

use super::{Fleet, Pooled, kill, kill_pool, open_orders, server, tell, until};
use rustix::process::Signal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use store::router::{Bounds, Router};

/// How often each is done; once unless this says more.
const ROUNDS: &str = "FAILOVER_ROUNDS";

/// How long one stays away.
const AWAY: Duration = Duration::from_millis(200);

/// What a reader met who never stopped.
struct Met {
    answers: u64,
    failures: u64,
    /// The longest time without an answer.
    gap: Duration,
    /// From when it was started again to when it did its work again.
    back: Duration,
}

pub fn measure(fleet: &Fleet) {
    let rounds = std::env::var(ROUNDS).ok().and_then(|it| it.parse().ok());
    let rounds: usize = rounds.unwrap_or(1);
    let pooled = fleet.pooled(4);
    let replica = &fleet.replicas[0].cluster;
    let direct = || fleet.router(Bounds::default());
    let by_replica = |router: &Router| reads_of(router, 1);
    tells("replica killed", rounds, || {
        let router = direct();
        met(fleet, &router, &|| kill(replica), &|| {
            let before = by_replica(&router);
            replica.start().unwrap();
            until("it serves", || by_replica(&router) > before);
        })
    });
    // One round is to be over soon, and is not looked at.
    let look_max = match rounds {
        1 => Duration::from_millis(100),
        _ => Bounds::default().look_max,
    };
    tells("replica stalled", rounds, || {
        let router = fleet.router(Bounds {
            look_max,
            ..Bounds::default()
        });
        let stalls = || {
            tell(replica, Signal::STOP);
            let is_up = || router.counted().nth(1).unwrap().is_up;
            until("it is passed by", || !is_up());
        };
        met(fleet, &router, &stalls, &|| {
            let before = by_replica(&router);
            tell(replica, Signal::CONT);
            until("it serves", || by_replica(&router) > before);
        })
    });
    tells("primary killed", rounds, || {
        let router = direct();
        met(fleet, &router, &|| kill(fleet.primary()), &|| {
            fleet.primary().start().unwrap();
            fleet.project();
        })
    });
    tells("pool killed", rounds, || {
        let router = around(fleet, &pooled);
        met(fleet, &router, &|| kill_pool(&pooled.bouncer), &|| {
            let before = by_replica(&router);
            pooled.bouncer.start(&pooled.pool.text()).unwrap();
            until("it serves", || by_replica(&router) > before);
        })
    });
}

/// Replicas by the pool, the primary by itself.
fn around(fleet: &Fleet, pooled: &Pooled) -> Router {
    let urls = pooled.pool.urls();
    let replicas = vec![server(&urls[1]), server(&urls[2])];
    Router::new(server(&fleet.urls()[0]), replicas, Bounds::default())
}

fn reads_of(router: &Router, at: usize) -> u64 {
    router.counted().nth(at).unwrap().reads
}

/// One server goes and comes back under a reader, who is never told anything that is not so.
fn met(fleet: &Fleet, router: &Router, goes: &dyn Fn(), comes: &dyn Fn()) -> Met {
    let truth = fleet.truth();
    until("the first replica serves", || {
        let _ = open_orders(router, None);
        reads_of(router, 1) > 0
    });
    let is_over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let reader = threads.spawn(|| {
            let (mut answers, mut failures) = (0, 0);
            let (mut last, mut gap) = (Instant::now(), Duration::ZERO);
            while !is_over.load(Ordering::Relaxed) {
                match open_orders(router, None) {
                    Ok(answer) => {
                        assert_eq!(answer.value, truth);
                        answers += 1;
                        gap = gap.max(last.elapsed());
                        last = Instant::now();
                    }
                    Err(_) => failures += 1,
                }
            }
            (answers, failures, gap)
        });
        goes();
        std::thread::sleep(AWAY);
        let begun = Instant::now();
        comes();
        let back = begun.elapsed();
        is_over.store(true, Ordering::Relaxed);
        let (answers, failures, gap) = reader.join().unwrap();
        Met {
            answers,
            failures,
            gap,
            back,
        }
    })
}

fn tells(what: &str, rounds: usize, mut round: impl FnMut() -> Met) {
    let all: Vec<Met> = (0..rounds).map(|_| round()).collect();
    let sorted = |of: fn(&Met) -> Duration| {
        let mut times: Vec<f64> = all.iter().map(|it| of(it).as_secs_f64() * 1e3).collect();
        times.sort_by(f64::total_cmp);
        (times[times.len() / 2], times[times.len() - 1])
    };
    let ((gap, gap_max), (back, back_max)) = (sorted(|it| it.gap), sorted(|it| it.back));
    let answers: u64 = all.iter().map(|it| it.answers).sum();
    let failures: u64 = all.iter().map(|it| it.failures).sum();
    println!(
        "{what}: rounds={rounds} answers={answers} failures={failures} gap_ms={gap:.1} \
         gap_ms_max={gap_max:.1} back_ms={back:.1} back_ms_max={back_max:.1}"
    );
}
