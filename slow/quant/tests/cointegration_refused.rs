//! What cointegration refuses, and that nothing panics.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

use proptest::prelude::{Strategy, any, prop, prop_assert, prop_oneof, proptest};
use quant::Fault;
use quant::cointegration::{
    Criterion, KalmanHedge, Lags, PairScan, Trend, adf, critical, engle_granger, half_life,
    johansen, kpss, p_value,
};

#[test]
fn tables_end_where_they_end() {
    assert_eq!(p_value(-3.0, Trend::Constant, 0), None);
    assert!(p_value(-3.0, Trend::Constant, 6).is_some());
    assert_eq!(p_value(-3.0, Trend::Constant, 7), None);
    assert!(critical(Trend::Linear, 12, 100).is_some());
    assert_eq!(critical(Trend::Linear, 13, 100), None);
    assert_eq!(critical(Trend::None, 2, 100), None);
    assert_eq!(p_value(-100.0, Trend::Constant, 1), Some(0.0));
    assert_eq!(p_value(100.0, Trend::Constant, 1), Some(1.0));
}

#[test]
fn what_cannot_be_answered_is_refused() {
    let wave = |step: f64| {
        (0..60)
            .map(|at| (f64::from(at * at) * step).sin())
            .collect()
    };
    let [x, y]: [Vec<f64>; 2] = [wave(0.7), wave(1.3)];
    let [x, y] = [&x, &y];
    let fixed = Lags::Fixed(1);
    let mut broken = x.clone();
    broken[17] = f64::NAN;
    let bad = Fault::NotFinite {
        what: "series",
        place: 17,
    };
    assert_eq!(adf(&broken, Trend::Constant, fixed), Err(bad));
    assert_eq!(
        kpss(&broken, Trend::Constant, None).map_err(|e| e.to_string()),
        Err("y[17]: no number up to 1e100; leave out what is missing".to_owned())
    );
    let flat = vec![5.0; 60];
    assert_eq!(
        adf(&flat, Trend::None, fixed),
        Err(Fault::Constant { what: "series" })
    );
    assert_eq!(
        kpss(&flat, Trend::Constant, None),
        Err(Fault::Constant { what: "series" })
    );
    assert_eq!(half_life(&flat), Err(Fault::Constant { what: "spread" }));
    let constant = engle_granger(x, &[&flat], Trend::Constant, fixed);
    assert_eq!(
        constant,
        Err(Fault::Collinear {
            what: "regression",
            column: 1
        })
    );
    let twice = engle_granger(x, &[y, y], Trend::Constant, fixed);
    assert_eq!(
        twice,
        Err(Fault::Collinear {
            what: "regression",
            column: 2
        })
    );
    let shorter = engle_granger(x, &[&y[1..]], Trend::Constant, fixed);
    assert_eq!(
        shorter,
        Err(Fault::Lengths {
            what: "x",
            found: 59,
            wanted: 60
        })
    );
    let doubled = johansen(&[x, x], Trend::Constant, 1);
    assert!(
        matches!(doubled, Err(Fault::Collinear { .. })),
        "{doubled:?}"
    );
    assert!(matches!(
        johansen(&[], Trend::None, 1),
        Err(Fault::Outside { .. })
    ));
    assert!(matches!(
        adf(x, Trend::None, Lags::Fixed(30)),
        Err(Fault::Outside { .. })
    ));
    assert!(matches!(
        kpss(x, Trend::None, None),
        Err(Fault::Outside { .. })
    ));
    assert!(matches!(
        PairScan::new(&[x, &flat], 1),
        Err(Fault::Constant { .. })
    ));
    assert!(matches!(
        PairScan::new(&[x, &y[1..]], 1),
        Err(Fault::Lengths { .. })
    ));
    assert!(KalmanHedge::new(1.0, 1e-3).is_err() && KalmanHedge::new(1e-4, 0.0).is_err());
}

/// Few different numbers at any scale, many different ones, or anything at all.
fn any_series() -> impl Strategy<Value = Vec<f64>> {
    let scale = prop::sample::select(vec![1e-170, 1e-9, 1.0, 1e99]);
    let few = (prop::collection::vec(-3i8..3, 0..40), scale)
        .prop_map(|(xs, scale)| xs.into_iter().map(|x| f64::from(x) * scale).collect());
    let many = prop::collection::vec(-1e6..1e6, 0..40);
    let all = prop::collection::vec(prop::num::f64::ANY, 0..8);
    prop_oneof![few, many, all]
}

proptest! {
    /// Whatever it is given, it answers with numbers or refuses.
    #[test]
    fn nothing_panics(x in any_series(), y in any_series(), lags in 0usize..5, trend in 0..3u8,
                      same in any::<bool>()) {
        let trend = [Trend::None, Trend::Constant, Trend::Linear][usize::from(trend)];
        let y = if same { x.iter().rev().copied().collect() } else { y };
        for lags in [Lags::Fixed(lags), Lags::Best { by: Criterion::Aic, most: None }] {
            if let Ok(found) = adf(&x, trend, lags) {
                prop_assert!(found.statistic.is_finite() && (0.0..=1.0).contains(&found.p_value));
            }
            if let Ok(found) = engle_granger(&x, &[&y], trend, lags) {
                prop_assert!(!found.statistic.is_nan());
            }
        }
        if let Ok(found) = johansen(&[&x, &y], trend, lags) {
            prop_assert!(found.trace.iter().all(|x| x.is_finite()));
            prop_assert!(found.eigenvalues.iter().all(|x| (0.0..=1.0).contains(x)));
        }
        if let Ok(found) = kpss(&x, trend, None) {
            prop_assert!(found.statistic >= 0.0);
        }
        if let Ok(found) = half_life(&x) {
            prop_assert!(found.slope.is_finite());
        }
        if let Ok(scan) = PairScan::new(&[&x, &y], lags.min(4)) {
            let mut is_number = true;
            let _ = scan.run(|found| is_number &= found.statistic.iter().all(|x| !x.is_nan()));
            prop_assert!(is_number);
        }
    }
}
