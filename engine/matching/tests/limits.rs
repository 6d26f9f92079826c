//! How much memory an engine takes for what it has room for.

use matching::{LINE_BYTES, Limits};

const FEW: Limits = Limits {
    symbols: 1,
    sessions: 1,
    orders: 1,
    special: 1,
    price_groups: 1,
    accounts: 0,
};

/// Bytes that limits take above [`FEW`], for each of so many.
fn bytes_each(limits: Limits, many: u32) -> f64 {
    let bytes = (limits.lines() - FEW.lines()) * LINE_BYTES;
    bytes as f64 / f64::from(many)
}

#[test]
fn a_resting_order_takes_at_most_64_bytes() {
    for base in [
        1_000, 4_096, 10_000, 87_381, 87_382, 1_000_000, 22_369_621, 50_000_000,
    ] {
        for orders in [base, base + 1] {
            let each = bytes_each(Limits { orders, ..FEW }, orders);
            assert!(
                (50.0..=64.0).contains(&each),
                "{orders} orders: {each} bytes"
            );
        }
    }
    let orders = 1_000_000;
    let each = bytes_each(Limits { orders, ..FEW }, orders);
    assert_eq!((each * 10.0).round(), 568.0);
}

#[test]
fn everything_else_takes_what_is_stated() {
    let many = 10_000;
    let parts = Limits {
        special: many,
        ..FEW
    };
    assert_eq!(bytes_each(parts, many).round(), 68.0);
    let cases = [
        (
            "price group",
            3_072.0,
            Limits {
                price_groups: many,
                ..FEW
            },
        ),
        (
            "symbol",
            512.0,
            Limits {
                symbols: many as u16,
                ..FEW
            },
        ),
        (
            "session",
            128.0,
            Limits {
                sessions: many as u16,
                ..FEW
            },
        ),
    ];
    for (what, most, limits) in cases {
        let each = bytes_each(limits, many);
        assert!(each <= most, "{what}: {each} bytes");
    }
}

#[test]
fn a_usual_number_of_special_orders_is_within_its_range() {
    let usual =
        [1, 500, 1_024, 8_191, 8_192, 100_000, matching::ORDERS_MAX].map(Limits::special_of);
    assert_eq!(
        usual,
        [1, 500, 1_024, 1_024, 1_024, 12_500, matching::SPECIAL_MAX]
    );
}
