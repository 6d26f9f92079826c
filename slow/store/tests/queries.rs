//! Each documented query, narrowed in each way, gives the rows that the rule of the rows says.
#![allow(clippy::unwrap_used)]

#[path = "../examples/queries/due.rs"]
mod due;
#[path = "../examples/queries/made.rs"]
mod made;
mod venue;
#[path = "../examples/queries/ways.rs"]
mod ways;

use made::{Made, mixed};
use store::Database;
use store::query::{Filter, Reader};
use venue::Site;
use ways::{WAYS, compare, narrowed};

#[test]
fn queries_give_what_the_rows_rule_says() {
    let site = Site::new();
    let made = Made::of(200_000);
    made.fill(&mut Database::open(&site.database()).unwrap().connection)
        .unwrap();
    answers_are_right(&made, &site);
    nothing_is_put_in_order_by_a_file(&made, &site);
    if let Some(served) = Site::served() {
        let copied = store::copy(&site.location(), &served.location()).unwrap();
        assert!(copied > made.rows());
        served.sql("VACUUM ANALYZE");
        answers_are_right(&made, &served);
        what_takes_few_rows_is_for_one_process(&made, &served);
        what_takes_all_rows_is_for_several(&served);
        let mut parted = served.another();
        parted.options = "?parts=4";
        store::copy(&site.location(), &parted.location()).unwrap();
        parted.sql("VACUUM ANALYZE");
        answers_are_right(&made, &parted);
        what_takes_few_rows_is_for_one_process(&made, &parted);
        a_symbol_is_in_one_part(&made, &parted);
    }
}

fn answers_are_right(made: &Made, site: &Site) {
    let reader = Reader::at(&site.location()).unwrap();
    let mut rows = 0;
    for (name, ways) in WAYS {
        for (way, number) in ways.iter().zip(0..) {
            let filter = narrowed(made, way, mixed(number));
            let mut answer = Vec::new();
            rows += reader.query(name, &filter, (false, &mut answer)).unwrap();
            compare(made, (name, &filter), &String::from_utf8_lossy(&answer)).unwrap();
        }
    }
    assert!(rows > 5_000, "{rows} rows in all");
}

/// What has a time is read in the order of an index, from its end where the newest rows are asked
/// for; of a symbol or of an account, too.
fn nothing_is_put_in_order_by_a_file(made: &Made, site: &Site) {
    let reader = Reader::at(&site.location()).unwrap();
    for (name, way) in [
        ("trades", "n"),
        ("trades", "sn"),
        ("trades", "stn"),
        ("tape", "n"),
        ("audit", "n"),
        ("audit", "an"),
    ] {
        let plan = reader.explain(name, &narrowed(made, way, 7)).unwrap();
        let plan = plan.join("\n");
        assert!(plan.contains("USING INDEX"), "{name} {way}: {plan}");
        assert!(!plan.contains("B-TREE"), "{name} {way}: {plan}");
    }
}

/// A documented query goes by its index, in the order of its rows, and starts no other process.
fn what_takes_few_rows_is_for_one_process(made: &Made, site: &Site) {
    let reader = Reader::at(&site.location()).unwrap();
    let profits = reader.explain("profits", &Filter::default()).unwrap();
    let is_kept = |step: &String| step.contains("Memoize");
    assert!(profits.iter().any(is_kept), "{profits:?}");
    for (name, ways) in WAYS {
        for way in ways {
            let plan = reader.explain(name, &narrowed(made, way, 7)).unwrap();
            let plan = plan.join("\n");
            let step = match way.contains('n') {
                true => "Scan Backward",
                false => "Index",
            };
            assert!(plan.contains(step), "{name} {way}: {plan}");
            for word in ["Gather", "Parallel", "Seq Scan", "Sort  ("] {
                // Profits are made of rows that are given, and then put in order again.
                let is_due = name == "profits" && word == "Sort  (";
                assert!(is_due || !plan.contains(word), "{name} {way}: {plan}");
            }
        }
    }
}

/// Who asks for a symbol reads one of the parts by symbol, also by a plan that was made before it
/// was known which symbol that is; who asks for all or for an account reads each of them.
fn a_symbol_is_in_one_part(made: &Made, site: &Site) {
    let reader = Reader::at(&site.location()).unwrap();
    let parts = |plan: &str| {
        let part = |line: &str| line.split_once("_p")?.1.chars().next();
        let mut parts: Vec<char> = plan.lines().filter_map(part).collect();
        parts.sort_unstable();
        parts.dedup();
        parts.len()
    };
    for (name, way, due) in [
        ("trades", "s", 1),
        ("trades", "stn", 1),
        ("tape", "s", 1),
        ("fills", "as", 1),
        ("bars", "s", 1),
        ("bars", "stn", 1),
        ("trades", "", 4),
        ("fills", "a", 4),
        ("bars", "t", 4),
    ] {
        let plan = reader.explain(name, &narrowed(made, way, 7)).unwrap();
        let plan = plan.join("\n");
        assert_eq!(parts(&plan), due, "{name} {way}: {plan}");
    }
    let of = |symbol: &str| {
        let text = format!(
            "SET plan_cache_mode = force_generic_plan; PREPARE tape AS SELECT * FROM fills \
             WHERE symbol = $1 AND id & 1 = 0 ORDER BY time_ns, id LIMIT 9; \
             EXPLAIN (COSTS off) EXECUTE tape('{symbol}')"
        );
        let plan: Vec<String> = site.sql(&text).into_iter().flatten().collect();
        plan.join("\n")
    };
    let plan = of("SYM007");
    assert!(plan.contains("Subplans Removed: "), "{plan}");
    assert_eq!(parts(&plan), 1, "{plan}");
}

/// What is made anew of all rows is read by some processes at once, from a size on: the bars of
/// this table are as large, the fills are not.
fn what_takes_all_rows_is_for_several(site: &Site) {
    let plans = store::plans(&site.location()).unwrap().join("\n");
    let (others, bars) = plans.split_once("\nbars:\n").unwrap();
    assert!(others.contains("positions:") && others.contains("holdings:"));
    for step in ["Workers Planned: 2", "Partial", "Parallel Seq Scan on bars"] {
        assert!(bars.contains(step), "no {step}: {bars}");
    }
}
