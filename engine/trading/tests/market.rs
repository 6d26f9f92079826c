//! Steps of prices and quantities: decimal texts become whole numbers exactly, or are refused.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use trading::{NotSteps, Step};

fn step(text: &str) -> Step {
    Step::parse(text).unwrap()
}

#[test]
fn texts_of_venues_are_so_many_steps() {
    assert_eq!(step("0.01").count(b"2683.80000000"), Ok(268_380));
    assert_eq!(step("0.0001").count(b"31.43950000"), Ok(314_395));
    assert_eq!(step("0.25").count(b"5170.75"), Ok(20_683));
    assert_eq!(step("0.001").count(b"-1.5"), Ok(-1_500));
    assert_eq!(step("1").count(b"0.00000000"), Ok(0));
    assert_eq!(step("0.5").steps(2_500_000_000, 9), Ok(5));
    assert_eq!(step("100").count(b"1200"), Ok(12));
}

#[test]
fn what_is_no_multiple_or_no_number_is_refused() {
    assert_eq!(step("0.01").count(b"1.005"), Err(NotSteps::Between));
    assert_eq!(step("0.25").count(b"1.3"), Err(NotSteps::Between));
    for text in ["", ".", "-", "1.2.3", "1e5", " 1", "--1", "NaN", "1,5"] {
        assert_eq!(
            step("1").count(text.as_bytes()),
            Err(NotSteps::Number),
            "{text}"
        );
    }
    assert_eq!(
        step("1").count(b"9223372036854775808"),
        Err(NotSteps::TooMany)
    );
    assert_eq!(
        step("0.1").count(b"9223372036854775807"),
        Err(NotSteps::TooMany)
    );
    for text in ["0", "0.00", "-1", "x", "", "0.0000000000001", "4294967296"] {
        assert_eq!(Step::parse(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn a_number_of_steps_prints_and_is_read_as_itself(
        count: i64, units in 1_u32.., decimals in 0_u8..=12,
    ) {
        let step = Step::new(units, decimals).unwrap();
        let text = step.times(count).to_string();
        match step.count(text.as_bytes()) {
            Ok(found) => prop_assert_eq!(found, count),
            // The digits alone pass 63 bits.
            Err(error) => {
                prop_assert_eq!(error, NotSteps::TooMany);
                prop_assert!(i64::try_from(i128::from(count) * i128::from(units)).is_err());
            }
        }
    }

    #[test]
    fn any_bytes_are_a_number_or_refused(text: Vec<u8>, units in 1_u32.., decimals in 0_u8..=12) {
        let step = Step::new(units, decimals).unwrap();
        if let Ok(count) = step.count(&text) {
            // Zeros behind change nothing.
            let mut longer = text.clone();
            if !longer.contains(&b'.') {
                longer.push(b'.');
            }
            longer.push(b'0');
            prop_assert_eq!(step.count(&longer), Ok(count));
        }
    }
}
