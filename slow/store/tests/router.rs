//! Servers that are killed, stalled, cut off and promoted under who reads by a router: an answer is
//! never older than it may be, and there is one as long as some server can give it.
#![allow(clippy::unwrap_used)]

mod fleet;
mod venue;

use fleet::stalling::Stalling;
use fleet::{Fleet, PATIENT, kill, kill_pool, open_orders, replay, server, until};
use serde_json::json;
use std::time::Duration;
use store::query::Filter;
use store::router::{Bounds, Router};
use store::shards::Routes;
use store::{Location, Position};
use venue::{GROUP, told_inputs};

const DAY: &str = "2026010101";
const INPUTS: usize = 1_200;

/// One story, since it takes three servers: each part leaves all of them well.
#[test]
fn reads_go_on_while_servers_come_and_go() {
    let Some(fleet) = Fleet::start() else { return };
    let inputs = told_inputs(31, INPUTS);
    let groups = inputs.len() / GROUP;
    let live = |share: usize| {
        fleet
            .site
            .live(DAY, 31, &inputs[..groups * share / 4 * GROUP])
    };
    live(1);
    let first = fleet.project();
    both_replicas_serve(&fleet, first);
    live(2);
    who_wrote_reads_what_he_wrote(&fleet);
    live(3);
    let third = fleet.project();
    a_replica_that_is_killed_is_not_missed(&fleet, third);
    a_replica_that_answers_no_query_is_waited_for_once(&fleet);
    live(4);
    without_a_primary_replicas_serve_what_it_had(&fleet, third);
    a_pool_that_is_killed_is_gone_around(&fleet);
    shards_answer_as_one_database(&fleet);
    fleet::recovery::measure(&fleet);
    a_replica_that_was_promoted_serves_nobody(&fleet);
    fleet.site.agrees();
}

fn both_replicas_serve(fleet: &Fleet, position: Position) {
    let truth = fleet.truth();
    assert!(truth.lines().count() > 5, "{truth}");
    for replica in [0, 1] {
        fleet.serves(&fleet.router, replica, position);
    }
    for _ in 0..10 {
        let answer = open_orders(&fleet.router, Some(position)).unwrap();
        assert!(!answer.is_primary && answer.value == truth, "{answer:?}");
    }
    // From outside, too.
    let [_, one, two] = fleet.urls();
    let after = position.to_string();
    let output = fleet.site.program(&[
        "query",
        "open-orders",
        "--json",
        "--limit",
        "1000000",
        "--replica",
        &one,
        "--replica",
        &two,
        "--after",
        &after,
        "--served",
    ]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), truth);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.starts_with("served by=/") && told.contains(" wal="),
        "{told}"
    );
    // What nobody can have is refused, and not waited for.
    let ahead = "FFFF/0".parse().unwrap();
    let told = open_orders(&fleet.router, Some(ahead))
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("not yet at FFFF/0") && told.contains("lost"),
        "{told}"
    );
}

/// Replicas that stand still serve whom that is enough for, and nobody else.
fn who_wrote_reads_what_he_wrote(fleet: &Fleet) {
    let before = fleet.truth();
    fleet
        .replicas
        .iter()
        .for_each(|it| replay(&it.cluster, "pause"));
    let position = fleet.project();
    let truth = fleet.truth();
    assert_ne!(before, truth);
    for _ in 0..4 {
        let answer = open_orders(&fleet.router, Some(position)).unwrap();
        assert!(answer.is_primary && answer.value == truth);
        let answer = open_orders(&fleet.router, None).unwrap();
        assert!(!answer.is_primary && answer.value == before);
    }
    // One who takes nothing that is older than a moment, which what was written is by now.
    let moment = Duration::from_millis(1);
    let strict = fleet.router(Bounds {
        lag_max: moment,
        ..PATIENT
    });
    std::thread::sleep(moment);
    let answer = open_orders(&strict, None).unwrap();
    assert!(answer.is_primary && answer.value == truth);
    assert!(
        strict
            .counted()
            .skip(1)
            .all(|it| it.behind == 1 && it.reads == 0)
    );
    fleet
        .replicas
        .iter()
        .for_each(|it| replay(&it.cluster, "resume"));
    for replica in [0, 1] {
        fleet.serves(&fleet.router, replica, position);
    }
}

fn a_replica_that_is_killed_is_not_missed(fleet: &Fleet, position: Position) {
    let truth = fleet.truth();
    fleet.serves(&fleet.router, 1, position);
    for replica in [0, 1] {
        kill(&fleet.replicas[replica].cluster);
        for _ in 0..20 {
            let answer = open_orders(&fleet.router, Some(position)).unwrap();
            assert!(fleet.number_of(&answer) != Some(replica) && answer.value == truth);
        }
        let failed = fleet.router.counted().nth(1 + replica).unwrap();
        assert!(!failed.is_up && failed.failures > 0, "{failed:?}");
        fleet.replicas[replica].cluster.start().unwrap();
        fleet.serves(&fleet.router, replica, position);
    }
}

/// It says where it is all the while.
fn a_replica_that_answers_no_query_is_waited_for_once(fleet: &Fleet) {
    let truth = fleet.truth();
    let stalling = Stalling::before(&fleet.replicas[0].cluster.folder, "tables0");
    let bounds = Bounds {
        answer_max: Duration::from_secs(1),
        ..PATIENT
    };
    let router = Router::new(
        server(&fleet.urls()[0]),
        vec![server(&stalling.url)],
        bounds,
    );
    let replica = || router.counted().nth(1).unwrap();
    for _ in 0..5 {
        let answer = open_orders(&router, None).unwrap();
        assert!(answer.is_primary && answer.value == truth);
        let failed = replica();
        assert!(!failed.is_up && failed.failures == 1, "{failed:?}");
    }
    // It is tried again, in vain, and goes on to be passed by.
    until("it is tried again", || {
        open_orders(&router, None).is_ok() && replica().failures == 2
    });
    assert!(open_orders(&router, None).unwrap().is_primary && !replica().is_up);
    assert_eq!(replica().failures, 2);
    stalling.ends();
    until("it serves", || {
        open_orders(&router, None).is_ok_and(|it| !it.is_primary && it.value == truth)
    });
    assert!(replica().is_up);
}

fn without_a_primary_replicas_serve_what_it_had(fleet: &Fleet, position: Position) {
    let truth = fleet.truth();
    // All that it has written is where it will be looked for.
    let at = fleet.site.sql("SELECT pg_current_wal_insert_lsn()")[0][0]
        .parse()
        .unwrap();
    for replica in [0, 1] {
        fleet.serves(&fleet.router, replica, at);
    }
    kill(fleet.primary());
    for _ in 0..10 {
        let answer = open_orders(&fleet.router, Some(position)).unwrap();
        assert!(!answer.is_primary && answer.value == truth);
    }
    // One who never saw the primary, too.
    assert_eq!(
        open_orders(&fleet.router(PATIENT), None).unwrap().value,
        truth
    );
    let ahead = "FFFF/0".parse().unwrap();
    let told = open_orders(&fleet.router, Some(ahead))
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("not yet at FFFF/0") && told.contains("database"),
        "{told}"
    );
    let said = fleet.site.fails(2, &["project"]);
    assert!(said.contains("database"), "{said}");
    fleet.primary().start().unwrap();
    // Nothing is lost, and what was waiting is written.
    let position = fleet.project();
    for replica in [0, 1] {
        fleet.serves(&fleet.router, replica, position);
    }
    assert_ne!(fleet.truth(), truth);
    let answer = open_orders(&fleet.router, Some(position)).unwrap();
    assert_eq!(answer.value, fleet.truth());
}

fn a_pool_that_is_killed_is_gone_around(fleet: &Fleet) {
    let truth = fleet.truth();
    let pooled = fleet.pooled(1);
    let (bouncer, pool) = (&pooled.bouncer, &pooled.pool);
    let urls = pool.urls();
    let [primary, one, two] = [0, 1, 2].map(|at| server(&urls[at]));
    let replicas = vec![one, two];
    let behind_it = Router::new(primary, replicas.clone(), PATIENT);
    let around_it = Router::new(server(&fleet.urls()[0]), replicas, PATIENT);
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                for _ in 0..10 {
                    assert_eq!(open_orders(&behind_it, None).unwrap().value, truth);
                }
            });
        }
    });
    // Also where there are no rows an answer has its columns.
    let mut none = Vec::new();
    let filter = Filter {
        symbol: Some("NONE".to_owned()),
        ..Filter::default()
    };
    let by_it = Location::read(urls[0].as_ref()).unwrap();
    let reader = store::query::Reader::at(&by_it).unwrap();
    reader.query("tops", &filter, (false, &mut none)).unwrap();
    assert_eq!(none, b"symbol\ttime_ns\tbid\tbid_units\task\task_units\n");
    drop(reader);
    let written = store::Projector::open(&fleet.site.data_dir(), &by_it).unwrap_err();
    assert!(written.to_string().contains("own address"), "{written}");

    let is_by_a_replica = || open_orders(&around_it, None).is_ok_and(|it| !it.is_primary);
    until("replicas are reached by the pool", is_by_a_replica);
    kill_pool(bouncer);
    for _ in 0..10 {
        let answer = open_orders(&around_it, None).unwrap();
        assert!(answer.is_primary && answer.value == truth);
    }
    let told = open_orders(&behind_it, None).unwrap_err().to_string();
    assert!(
        told.contains(&format!("127.0.0.1:{}", bouncer.port)),
        "{told}"
    );
    bouncer.start(&pool.text()).unwrap();
    until("replicas are reached by the pool", is_by_a_replica);
    until("all are", || {
        open_orders(&behind_it, None).is_ok_and(|it| it.value == truth)
    });
}

/// Shards by time and by symbol, some of them with replicas.
fn shards_answer_as_one_database(fleet: &Fleet) {
    // By these names the two symbols that are traded most are on two shards of each time.
    let names = ["old_east", "old_west", "new_a", "new_b"];
    let url = |at: usize| fleet.primary().url(names[at]);
    for name in names {
        fleet.primary().create_database(name).unwrap();
    }
    let text = "SELECT CAST(percentile_disc(0.5) WITHIN GROUP (ORDER BY time_ns) AS BIGINT), \
                min(symbol) FROM fills";
    let found = fleet.site.sql(text).remove(0);
    let (middle, symbol): (i64, &String) = (found[0].parse().unwrap(), &found[1]);
    let shard = |at: usize| json!({"name": names[at], "database": url(at)});
    let mut last = shard(3);
    last["replicas"] = json!([fleet.replicas[1].cluster.url(names[3])]);
    let table = json!({"ranges": [
        {"until_ns": middle, "shards": [shard(0), shard(1)]},
        {"shards": [shard(2), last]},
    ]});
    let path = fleet.site.dir.path().join("routes.json");
    std::fs::write(&path, table.to_string()).unwrap();
    let path = path.to_str().unwrap();
    let url = fleet.site.place().into_string().unwrap();
    let program = |args: &[&str]| {
        let program = env!("CARGO_BIN_EXE_wirecross-slow");
        let output = std::process::Command::new(program).args(args).output();
        let output = output.unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), told)
    };
    let filled = program(&["copy", "--from", &url, "--routes", path]);
    assert!(filled.0, "{}", filled.1);
    let (is_done, told) = program(&["copy", "--from", &url, "--routes", path]);
    assert!(!is_done && told.contains("days in it already"), "{told}");
    // Each has some of what is parted, and none of another's.
    let fills = |name: &str| {
        let psql = fleet.rows(name, "SELECT id FROM wirecross.fills ORDER BY id");
        assert!(!psql.is_empty(), "no fills in {name}");
        psql.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut parts: Vec<String> = names.into_iter().flat_map(fills).collect();
    parts.sort();
    let mut all = fills("tables0");
    all.sort();
    assert_eq!(parts, all);

    let routes = Routes::load(path.as_ref()).unwrap();
    let reader = store::query::Reader::at(&fleet.site.location()).unwrap();
    let base = Filter {
        rows_max: Some(1_000_000),
        ..Filter::default()
    };
    let all = Filter {
        account: None,
        ..base.clone()
    };
    let of_symbol = Filter {
        symbol: Some(symbol.clone()),
        ..base.clone()
    };
    let early = Filter {
        to_ns: Some(middle),
        ..base.clone()
    };
    let late = Filter {
        from_ns: Some(middle),
        ..base.clone()
    };
    let across = Filter {
        from_ns: Some(middle - 1_000_000_000),
        to_ns: Some(middle + 1_000_000_000),
        symbol: Some(symbol.clone()),
        ..base.clone()
    };
    let few = Filter {
        rows_max: Some(7),
        ..base.clone()
    };
    let newest = Filter {
        rows_max: Some(7),
        is_newest_first: true,
        ..base.clone()
    };
    let wide = Filter {
        width_s: Some(3_600),
        ..base.clone()
    };
    let none = Filter {
        to_ns: Some(0),
        ..base.clone()
    };
    let mut with_rows = 0;
    for filter in [all, of_symbol, early, late, across, few, newest, wide, none] {
        for name in store::query::names() {
            let account = (name == "fills").then_some(1);
            let filter = Filter {
                account,
                ..filter.clone()
            };
            let (mut one, mut many) = (Vec::new(), Vec::new());
            let Ok(rows) = reader.query(name, &filter, (false, &mut one)) else {
                assert!(routes.query(name, &filter, (false, &mut many)).is_err());
                continue;
            };
            let told = routes.query(name, &filter, (false, &mut many)).unwrap();
            assert_eq!(told, rows, "{name} {filter:?}");
            assert!(many == one, "{name} {filter:?}");
            with_rows += u32::from(rows > 0);
        }
    }
    assert!(with_rows > 25, "{with_rows} answers with rows");
    // A projection goes on in the youngest range alone: the shards of old times never hear of the
    // day that follows, and their orders are open no more all the same.
    let text = "INSERT INTO wirecross.days SELECT 1 + max(day), 'next', 0 FROM wirecross.days";
    for name in [names[2], names[3]] {
        fleet.rows(name, text);
    }
    let open = |out| routes.query("open-orders", &base, (false, out)).unwrap();
    assert_eq!(open(&mut Vec::new()), 0);
}

fn a_replica_that_was_promoted_serves_nobody(fleet: &Fleet) {
    let promoted = &fleet.replicas[0].cluster;
    let mut promote = promoted.programs.command("pg_ctl");
    promote
        .arg("promote")
        .arg("-D")
        .arg(promoted.data())
        .args(["-w", "-s", "-t", "300"]);
    assert!(promote.status().unwrap().success());
    let [primary, one, two] = fleet.urls();
    for _ in 0..4 {
        let answer = open_orders(&fleet.router, None).unwrap();
        assert_ne!(fleet.number_of(&answer), Some(0));
    }
    // Nor is one who follows it taken for a primary.
    let wrong = Router::new(server(&two), vec![server(&one)], PATIENT);
    let told = open_orders(&wrong, None).unwrap_err().to_string();
    assert!(
        told.contains("no primary") && told.contains("follows nobody"),
        "{told}"
    );
    assert!(
        open_orders(&Router::new(server(&primary), vec![], PATIENT), None)
            .unwrap()
            .is_primary
    );
}
