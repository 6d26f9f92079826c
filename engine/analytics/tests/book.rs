//! Numbers of a book: by hand, and against their formulas written out naively.

#![allow(clippy::unwrap_used)]

use analytics::book::{
    Cancels, OrderFlow, QueuePosition, RealisedVolatility, Sign, Standing, Touch, Touches,
    TradeSign, imbalance, quantity_of, quantity_within,
};
use proptest::collection::vec;
use proptest::prelude::*;

const fn at(price: i64, quantity: u64) -> Standing {
    Standing { price, quantity }
}

const fn touch(bid: Standing, offer: Standing) -> Touch {
    Touch { bid, offer }
}

const NOTHING: Standing = at(0, 0);

#[test]
fn a_touch_by_hand() {
    let it = touch(at(100, 30), at(102, 10));
    assert_eq!(it.spread(), Some(2));
    assert_eq!(it.middle(), Some(101.0));
    // 30 bid and 10 offered: three quarters of the way to the offer.
    assert_eq!(it.microprice(), Some(101.5));
    assert_eq!(it.imbalance(), Some(0.5));
    // Locked and crossed books have numbers too.
    assert_eq!(touch(at(100, 1), at(100, 1)).spread(), Some(0));
    assert_eq!(touch(at(105, 1), at(100, 1)).spread(), Some(-5));
    assert_eq!(touch(at(105, 1), at(100, 1)).microprice(), Some(102.5));
}

#[test]
fn a_missing_side_is_no_number_and_never_a_nan() {
    for it in [
        touch(NOTHING, NOTHING),
        touch(at(100, 5), NOTHING),
        touch(NOTHING, at(100, 5)),
        // What a price without a quantity says means nothing.
        touch(at(100, 5), at(i64::MAX, 0)),
    ] {
        assert!(!it.is_two_sided());
        assert_eq!(
            (it.spread(), it.middle(), it.microprice()),
            (None, None, None)
        );
    }
    assert_eq!(touch(at(100, 5), NOTHING).imbalance(), Some(1.0));
    assert_eq!(touch(NOTHING, at(100, 5)).imbalance(), Some(-1.0));
    assert_eq!(imbalance(0, 0), None);
    assert_eq!(quantity_of(std::iter::empty(), 5), 0);
    assert_eq!(quantity_within(std::iter::empty(), 5), 0);
    let far = touch(at(i64::MIN, u64::MAX), at(i64::MAX, u64::MAX));
    assert_eq!(far.spread(), Some(i64::MAX));
    assert_eq!(far.imbalance(), Some(0.0));
    assert!(far.microprice().unwrap().is_finite());
}

#[test]
fn levels_and_ticks_by_hand() {
    let bids = [at(100, 1), at(98, 2), at(97, 4), at(90, 8)];
    assert_eq!(quantity_of(bids.into_iter(), 2), 3);
    assert_eq!(quantity_within(bids.into_iter(), 0), 1);
    assert_eq!(quantity_within(bids.into_iter(), 3), 7);
    assert_eq!(quantity_within(bids.into_iter(), u64::MAX), 15);
    assert_eq!(
        quantity_of([at(1, u64::MAX), at(2, 1)].into_iter(), 2),
        u64::MAX
    );
}

#[test]
fn order_flow_by_hand() {
    let mut flow = OrderFlow::new(64_000).unwrap();
    let mut on = |bid, offer| flow.on(0, touch(bid, offer));
    assert_eq!(on(at(100, 10), at(101, 5)), 0);
    // More bids, fewer offers, at the same prices.
    assert_eq!(on(at(100, 13), at(101, 4)), 3 + 1);
    // A better bid: all of it is new.
    assert_eq!(on(at(101, 2), at(102, 7)), 2 + 4);
    // A worse bid: all of what stood is gone; a better offer.
    assert_eq!(on(at(100, 13), at(101, 6)), -2 - 6);
    // The bids vanish, then come back.
    assert_eq!(on(NOTHING, at(101, 6)), -13);
    assert_eq!(on(at(100, 1), at(101, 6)), 1);
    assert_eq!(flow.sum(0), 4 + 6 - 8 - 13 + 1);
    flow.forget();
    assert_eq!(flow.on(0, touch(at(5, 5), NOTHING)), 0);
}

#[test]
fn a_window_of_order_flow_forgets_what_is_older() {
    let mut flow = OrderFlow::new(64_000).unwrap();
    flow.on(0, touch(at(100, 1), NOTHING));
    assert_eq!(flow.on(1_500, touch(at(100, 11), NOTHING)), 10);
    assert_eq!(flow.on(40_000, touch(at(100, 12), NOTHING)), 1);
    assert_eq!(flow.sum(64_999), 11);
    assert_eq!(flow.sum(65_000), 1, "the part with 1,500 is over");
    // A time from before counts as now.
    assert_eq!(flow.on(3, touch(at(100, 14), NOTHING)), 2);
    assert_eq!(flow.sum(70_000), 3);
    assert_eq!(flow.sum(u64::MAX), 0);
    assert!(OrderFlow::new(63).is_err());
}

#[test]
fn trade_signs_by_hand() {
    let quotes = touch(at(100, 1), at(102, 1));
    let mut sign = TradeSign::new();
    assert_eq!(sign.on(101, quotes), None, "the middle, and nothing before");
    assert_eq!(sign.on(102, quotes), Some(Sign::Buy));
    assert_eq!(sign.on(100, quotes), Some(Sign::Sell));
    assert_eq!(
        sign.on(101, quotes),
        Some(Sign::Buy),
        "the middle after a rise"
    );
    assert_eq!(
        sign.on(101, quotes),
        Some(Sign::Buy),
        "a zero tick goes on as before"
    );
    assert_eq!(sign.on(100, touch(NOTHING, at(99, 1))), Some(Sign::Sell));
    // Bid 100 and offer 101: no whole tick is the middle.
    assert_eq!(sign.on(101, touch(at(100, 1), at(101, 1))), Some(Sign::Buy));
}

#[test]
fn touches_are_found_by_the_time_before() {
    let bid = |price| touch(at(price, 1), NOTHING);
    let mut touches = Touches::new(3);
    assert_eq!(touches.before(9), Touch::default());
    for (now, price) in [(10, 1), (20, 2), (20, 3), (30, 4)] {
        touches.on(now, bid(price));
    }
    let found = [31, 30, 21, 20, 5].map(|time| touches.before(time).bid.price);
    // What stood before 20 is forgotten: the oldest that is remembered is next to it.
    assert_eq!(found, [4, 3, 3, 2, 2]);
    // A time that falls counts as the newest.
    touches.on(7, bid(5));
    assert_eq!(touches.before(31).bid.price, 5);
    assert_eq!(touches.before(30).bid.price, 3);
}

#[test]
fn a_queue_by_hand() {
    let mut exact = QueuePosition::new(100, Cancels::Behind);
    assert_eq!(exact.on_trade(30), 0);
    exact.on_level(70);
    assert_eq!(exact.ahead(), 70, "the trade explains the fall");
    // 50 come behind, then 40 leave: of those behind, as the rule says.
    exact.on_level(120);
    exact.on_level(80);
    assert_eq!(exact.ahead(), 70);
    // 30 leave: only 10 are behind.
    exact.on_level(50);
    assert_eq!(exact.ahead(), 50);
    // 60 trade: 10 pass the order's place.
    assert_eq!(exact.on_trade(60), 10);
    assert_eq!(exact.ahead(), 0);
    exact.on_level(0);
    assert_eq!(exact.on_trade(5), 5);

    let mut alike = QueuePosition::new(60, Cancels::Alike);
    alike.on_level(80);
    // 21 of 80 leave, three quarters of whom are ahead: 15.75, of which 15 are believed.
    alike.on_level(59);
    assert_eq!(alike.ahead(), 45);
    alike.on_level(0);
    assert_eq!(alike.ahead(), 0);
}

#[test]
fn volatility_by_hand() {
    let mut vol = RealisedVolatility::new(1_000, 2).unwrap();
    let log = |ratio: f64| ratio.ln();
    vol.on(100, 100.0);
    vol.on(900, 110.0);
    assert_eq!(vol.value(), None);
    // The price at 1,000 was 110; the one at 2,000 is known when 2,000 has passed.
    vol.on(1_100, 50.0);
    vol.on(1_900, 121.0);
    vol.on(1_950, f64::NAN);
    vol.on(1_960, 0.0);
    assert_eq!(vol.value(), None);
    vol.on(2_000, 7.0);
    let one = log(121.0 / 110.0);
    assert!((vol.value().unwrap() - one.abs()).abs() < 1e-15);
    // At 3,000, 4,000 and 5,000 the price was 7: one return and two of nothing.
    vol.on(5_500, 8.0);
    assert_eq!(vol.count(), 2);
    assert_eq!(vol.value(), Some(0.0));
    vol.on(6_000, 9.0);
    let two = log(8.0 / 7.0);
    assert!((vol.value().unwrap() - two).abs() < 1e-15);
    assert!(RealisedVolatility::new(0, 2).is_err());
    assert!(RealisedVolatility::new(1, 0).is_err());
}

/// The volatility from all prices, sampled point by point.
fn volatility(prices: &[(u64, f64)], interval: u64, window: usize) -> Option<f64> {
    let newest = prices.last()?.0 / interval;
    let sampled: Vec<f64> = (1..=newest)
        .filter_map(|point| {
            let before = prices.iter().rev().find(|it| it.0 < point * interval);
            before.map(|it| it.1)
        })
        .collect();
    let squares: Vec<f64> = sampled
        .windows(2)
        .map(|pair| (pair[1] / pair[0]).ln().powi(2))
        .collect();
    let last = &squares[squares.len().saturating_sub(window)..];
    (!last.is_empty()).then(|| last.iter().sum::<f64>().sqrt())
}

fn standing() -> impl Strategy<Value = Standing> {
    (-3_i64..3, 0_u64..4).prop_map(|(price, quantity)| at(price, quantity))
}

fn touches() -> impl Strategy<Value = Vec<(u64, Touch)>> {
    let one = (0_u64..300, standing(), standing());
    vec(
        one.prop_map(|(wait, bid, offer)| (wait, touch(bid, offer))),
        0..200,
    )
}

/// The paper's formula, with prices that may be infinite.
fn flow_of(last: Touch, now: Touch) -> f64 {
    let side = |it: Standing, none: f64| {
        let price = if it.quantity > 0 {
            it.price as f64
        } else {
            none
        };
        (price, it.quantity as f64)
    };
    let when = |condition: bool, quantity: f64| if condition { quantity } else { 0.0 };
    let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
    let ((b0, qb0), (b1, qb1)) = (side(last.bid, low), side(now.bid, low));
    let ((a0, qa0), (a1, qa1)) = (side(last.offer, high), side(now.offer, high));
    when(b1 >= b0, qb1) - when(b1 <= b0, qb0) - when(a1 <= a0, qa1) + when(a1 >= a0, qa0)
}

proptest! {
    #[test]
    fn order_flow_is_its_formula_and_a_window_the_sum_of_it(touches in touches()) {
        const WINDOW: u64 = 64 * 10;
        let mut flow = OrderFlow::new(WINDOW).unwrap();
        let (mut now, mut last, mut flows) = (0, None, Vec::new());
        for (wait, touch) in touches {
            now += wait;
            let wanted = last.map_or(0.0, |last| flow_of(last, touch));
            prop_assert_eq!(flow.on(now, touch) as f64, wanted);
            flows.push((now, wanted));
            last = Some(touch);
            let inside = flows.iter().filter(|it| it.0 / 10 + 64 > now / 10);
            prop_assert_eq!(flow.sum(now) as f64, inside.map(|it| it.1).sum::<f64>());
        }
    }

    #[test]
    fn volatility_is_that_of_all_prices_sampled_anew(
        steps in vec((0_u64..2_500, 1.0..1e6_f64), 1..120), window in 1_usize..9,
    ) {
        let mut vol = RealisedVolatility::new(1_000, window).unwrap();
        let (mut now, mut prices) = (0, Vec::new());
        for (wait, price) in steps {
            now += wait;
            prices.push((now, price));
            vol.on(now, price);
            match (vol.value(), volatility(&prices, 1_000, window)) {
                (Some(found), Some(wanted)) => {
                    prop_assert!((found - wanted).abs() <= 1e-9 * wanted.max(1.0));
                }
                (found, wanted) => prop_assert_eq!(found, wanted),
            }
        }
    }

    #[test]
    fn a_microprice_lies_within_the_touch(
        bid: i32, spread in 0_i32..1_000_000, quantities in (1_u64..1 << 40, 1_u64..1 << 40),
    ) {
        let (bid, offer) = (i64::from(bid), i64::from(bid) + i64::from(spread));
        let it = touch(at(bid, quantities.0), at(offer, quantities.1));
        let micro = it.microprice().unwrap();
        prop_assert!(micro >= bid as f64 && micro <= offer as f64);
        let (qb, qo) = (quantities.0 as f64, quantities.1 as f64);
        let naive = (bid as f64 * qo + offer as f64 * qb) / (qb + qo);
        prop_assert!((micro - naive).abs() <= 1e-14 * naive.abs().max(spread.into()).max(1.0));
    }

    /// Cancels by the whole truth: the estimate that blames those behind never says fewer ahead.
    #[test]
    fn the_wary_estimate_is_never_too_near(
        orders in vec(1_u64..9, 0..9),
        doings in vec((any::<bool>(), 0_usize..12, 1_u64..9), 0..60),
    ) {
        let standing: u64 = orders.iter().sum();
        // Orders ahead and behind an own one, which is the boundary.
        let (mut ahead, mut behind) = (orders, Vec::new());
        let total = |ahead: &[u64], behind: &[u64]| {
            ahead.iter().sum::<u64>() + behind.iter().sum::<u64>()
        };
        let mut wary = QueuePosition::new(standing, Cancels::Behind);
        for (is_cancel, at, quantity) in doings {
            if is_cancel && at < ahead.len() {
                ahead.remove(at);
            } else if is_cancel && at - ahead.len() < behind.len() {
                behind.remove(at - ahead.len());
            } else if at % 2 == 0 && !ahead.is_empty() {
                let traded = quantity.min(ahead[0]);
                ahead[0] -= traded;
                ahead.retain(|it| *it > 0);
                wary.on_trade(traded);
            } else {
                behind.push(quantity);
            }
            wary.on_level(total(&ahead, &behind));
            prop_assert!(wary.ahead() >= ahead.iter().sum());
            prop_assert!(wary.ahead() <= total(&ahead, &behind));
        }
    }
}
