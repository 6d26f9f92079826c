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
use store::query::Reader;
use venue::Site;
use ways::{WAYS, compare, narrowed};

#[test]
fn queries_give_what_the_rows_rule_says() {
    let site = Site::new();
    let made = Made::of(200_000);
    made.fill(&mut Database::open(&site.database()).unwrap().connection)
        .unwrap();
    answers_are_right(&made, &site);
    if let Some(served) = Site::served() {
        let copied = store::copy(&site.location(), &served.location()).unwrap();
        assert!(copied > made.rows());
        answers_are_right(&made, &served);
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
