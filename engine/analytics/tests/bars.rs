//! Bars against exact integer answers, and the rules of their windows.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod vectors;

use analytics::bars::{Bars, Ended, EndedBar, Refused, Rule};
use analytics::kernels::Bar;
use vectors::{rows, text};

fn word(ended: Ended) -> &'static str {
    match ended {
        Ended::Time => "time",
        Ended::Count => "count",
        Ended::Volume => "volume",
        Ended::Flush => "flush",
    }
}

/// As a line of the answers; the average apart, for it is to be compared as a number.
fn line(ended: &EndedBar) -> (Vec<String>, f64) {
    let EndedBar {
        symbol,
        key,
        bar,
        ended,
    } = ended;
    let Bar {
        open,
        high,
        low,
        close,
        volume,
        value,
        count,
    } = bar;
    let line = format!("{symbol} {key} {open} {high} {low} {close} {volume} {value} {count}");
    let mut line: Vec<String> = line.split(' ').map(str::to_owned).collect();
    line.push(word(*ended).to_owned());
    (line, bar.vwap())
}

#[test]
fn bars_are_those_of_exact_arithmetic() {
    for case in ["small", "dense", "late"] {
        for count_max in [0, 100] {
            let rule = Rule {
                count_max,
                ..Rule::default()
            };
            let mut bars = Bars::new(rule, 64);
            let mut found = Vec::new();
            for row in rows(&format!("market/ohlcv_{case}_events.csv")) {
                let time_ns = row[0].parse().unwrap();
                let [symbol, price, units] = [1, 2, 3].map(|at| row[at].parse::<u32>().unwrap());
                let taken = bars.trade(symbol, time_ns, (price, units), |bar| found.push(bar));
                assert!(matches!(taken, Ok(()) | Err(Refused::Late { .. })));
            }
            bars.flush(|bar| found.push(bar));
            let wanted = rows(&format!("market/ohlcv_{case}_bars_limit{count_max}.csv"));
            assert_eq!(found.len(), wanted.len(), "{case} {count_max}");
            for (found, mut wanted) in found.iter().zip(wanted) {
                let (fields, vwap) = line(found);
                let wanted_vwap = wanted.remove(9);
                assert_eq!(fields, wanted, "{case} {count_max}");
                assert_eq!(vwap, wanted_vwap.parse::<f64>().unwrap(), "{found:?}");
            }
            let said = text(&format!("market/ohlcv_{case}_limit{count_max}.json"));
            let said: serde_json::Value = serde_json::from_str(&said).unwrap();
            assert_eq!(Some(bars.late()), said["late_dropped"].as_u64());
        }
    }
}

/// Runs trades of one symbol; gives key, trades and reason of each bar.
fn ended(rule: Rule, trades: &[(u64, u32)]) -> Vec<(u64, u64, Ended)> {
    let mut bars = Bars::new(rule, 1);
    let mut found = Vec::new();
    let mut on = |ended: EndedBar| found.push((ended.key, ended.bar.count, ended.ended));
    for (time_ns, units) in trades {
        bars.trade(0, *time_ns, (7, *units), &mut on).unwrap();
    }
    bars.flush(&mut on);
    found
}

#[test]
fn a_bar_ends_behind_the_trade_that_fills_it() {
    let by_volume = Rule {
        width_ns: 0,
        count_max: 0,
        volume_max: 10,
    };
    let trades = [(5, 4), (6, 5), (99, 1), (100, 30), (200, 2)];
    let wanted = [
        (0, 3, Ended::Volume),
        (0, 1, Ended::Volume),
        (0, 1, Ended::Flush),
    ];
    assert_eq!(ended(by_volume, &trades), wanted);
    let by_count = Rule {
        width_ns: 100,
        count_max: 2,
        volume_max: 0,
    };
    let wanted = [
        (0, 2, Ended::Count),
        (0, 1, Ended::Time),
        (1, 1, Ended::Time),
    ];
    assert_eq!(ended(by_count, &trades)[..3], wanted);
}

#[test]
fn windows_end_by_time_alone_and_late_trades_are_told() {
    let rule = Rule {
        width_ns: 100,
        ..Rule::default()
    };
    let mut bars = Bars::new(rule, 2);
    let mut found = Vec::new();
    let mut on = |ended: EndedBar| found.push((ended.symbol, ended.key, ended.ended));
    bars.trade(1, 120, (7, 1), &mut on).unwrap();
    bars.trade(1, 110, (8, 1), &mut on).unwrap();
    bars.advance(199, &mut on);
    assert_eq!(bars.open(1).unwrap().count, 2);
    bars.advance(200, &mut on);
    assert!(bars.open(1).is_none());
    let late = bars.trade(1, 199, (7, 1), &mut on).unwrap_err();
    assert_eq!(late, Refused::Late { key: 1, open: 2 });
    // A symbol without trades is as far as time is.
    assert!(bars.trade(0, 150, (7, 1), &mut on).is_err());
    let unknown = bars.trade(2, 300, (7, 1), &mut on).unwrap_err();
    assert_eq!(unknown.to_string(), "there is no room for symbol 2");
    assert_eq!((bars.late(), found), (2, vec![(1, 1, Ended::Time)]));
}
