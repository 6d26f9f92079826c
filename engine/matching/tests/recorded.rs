//! A real day's flow with the exchange's own fills as the answer.

mod common;

use std::path::Path;

use common::Rig;
use flow::recorded::{Recorded, Replay, read};
use matching::Limits;
use wire::ring::Side;

const RECORD: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/data/itch50/AAPL_20191230_0935_first20k.replay.csv"
);

#[test]
fn real_flow_fills_maker_by_maker_as_the_exchange_did() {
    if !Path::new(RECORD).exists() {
        assert!(
            std::env::var_os("CI").is_none(),
            "{RECORD} is missing: mount the shared data"
        );
        println!("skipped: {RECORD} is missing");
        return;
    }
    let text = std::fs::read_to_string(RECORD).expect("a readable record");
    let lines = read(&text).expect("a good record");
    let limits = Limits {
        symbols: 1,
        sessions: 2,
        orders: 2_000,
        special: 1,
        price_groups: 64,
        accounts: 0,
    };
    let (mut rig, mut replay) = (Rig::new(limits), Replay::new());
    for command in Replay::opening() {
        rig.apply(command);
    }
    let (mut aggressors, mut filled) = (0, 0);
    for line in &lines {
        let command = replay.command(line).expect("a live order");
        let events = rig.apply(command);
        let fills = replay.fills(&events);
        if let Recorded::Aggressor {
            fills: expected, ..
        } = line
        {
            assert_eq!(&fills, expected, "{line:?}");
            aggressors += 1;
            filled += fills.len();
        } else {
            assert!(fills.is_empty(), "{line:?}: {fills:?}");
        }
        assert_ne!(events[0].order_ref, 0, "{line:?} was refused: {events:?}");
    }
    assert_eq!((lines.len(), aggressors, filled), (17_848, 656, 803));
    assert_eq!((rig.engine.live_orders(), replay.live_orders()), (251, 251));
    let best = [Side::Buy, Side::Sell].map(|side| rig.engine.best(1, side));
    assert!(
        matches!(best, [Some((buy, _)), Some((sell, _))] if buy < sell),
        "{best:?}"
    );
}
