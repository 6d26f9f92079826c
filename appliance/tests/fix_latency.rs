//! What a member by FIX waits for the report of its order, against the reply of the same order by
//! OUCH: in turns, one order under way at a time, on the same venue.
//!
//! Few orders show here that both are answered as they should; `cargo x siege fix` sends many and
//! prints the times.
#![allow(clippy::unwrap_used)]

mod gateway;
mod harness;

use gateway::{Fix, Gateway, logon_again, site};
use harness::{BOUND, Member};
use std::time::Instant;
use wire::ouch::Outbound;

/// Orders by either way, and the first of them, which warm everything up.
const ORDERS: usize = 50;
const ORDERS_FULL: usize = 20_000;
const FIRST: usize = 10;

/// One order by OUCH, from the first byte to its reply, in nanoseconds.
fn by_ouch(member: &mut Member) -> u64 {
    let count = member.replies.len();
    let begun = Instant::now();
    member.enter(b'B', 10, "AAPL", 1_000_000);
    while member.replies.len() == count {
        assert!(begun.elapsed() < BOUND, "no reply");
        member.turn();
    }
    let waited_ns = begun.elapsed().as_nanos() as u64;
    let reply = Outbound::parse(member.replies.last().unwrap()).unwrap();
    let Outbound::Accepted(it) = reply else {
        panic!("{reply:?}")
    };
    assert_eq!((it.quantity(), it.price()), (10, 1_000_000));
    waited_ns
}

/// The same order by FIX, from the first byte to its report.
fn by_fix(fix: &mut Fix, number: usize) -> u64 {
    let id = format!("o{number}");
    fix.heard.clear();
    let begun = Instant::now();
    fix.enter(&id, 10);
    let report = loop {
        assert!(begun.elapsed() < BOUND, "no report");
        fix.turn();
        if let Some(at) = fix.heard.iter().position(|message| message.kind() == "8") {
            break &fix.heard[at];
        }
    };
    let waited_ns = begun.elapsed().as_nanos() as u64;
    let told = [11, 150, 38, 44].map(|tag| report.text(tag).unwrap_or("none"));
    assert_eq!(told, [&id, "0", "10", "100.00"]);
    waited_ns
}

fn print(way: &str, mut times_ns: Vec<u64>) {
    times_ns.sort_unstable();
    let at = |share: f64| times_ns[(times_ns.len() as f64 * share) as usize] as f64 / 1e3;
    println!(
        "{way}: max {:.1} us, p99.9 {:.1}, p99 {:.1}, p50 {:.1}, min {:.1}, of {} orders",
        *times_ns.last().unwrap() as f64 / 1e3,
        at(0.999),
        at(0.99),
        at(0.5),
        at(0.0),
        times_ns.len()
    );
}

#[test]
fn an_order_by_fix_is_answered_as_the_same_by_ouch() {
    let Some(site) = site("") else { return };
    let is_full = std::env::var_os("SIEGE_FULL").is_some();
    let orders = if is_full { ORDERS_FULL } else { ORDERS };
    let site = site
        .with("reply_mib = 4", "reply_mib = 64")
        .with("orders = 4096", "orders = 65536")
        .with("ack = \"disk\"", "ack = \"memory\"");
    let venue = site.start();
    let gateway = Gateway::start(&site);
    let mut fix = logon_again(&gateway, 1);
    let mut member = Member::login(venue.order_entry(), "BRAVO");
    let (mut ouch_ns, mut fix_ns) = (Vec::new(), Vec::new());
    for number in 0..orders {
        ouch_ns.push(by_ouch(&mut member));
        fix_ns.push(by_fix(&mut fix, number));
    }
    println!("from an order's first byte to its answer, in turns, acknowledged from memory:");
    print("OUCH", ouch_ns.split_off(FIRST));
    print("FIX ", fix_ns.split_off(FIRST));
    drop(gateway);
    venue.stop();
}
