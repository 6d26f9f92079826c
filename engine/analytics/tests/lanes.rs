//! Each operation of the lanes gives on every backend the bits that the scalar one gives.

use analytics::arch::{Backend, Kernel, LANES, Lanes, SHIFTER};
use proptest::prelude::*;

/// All operations that take numbers apart or turn one kind into another.
struct Operations {
    floats: [f64; LANES],
    ints: [u32; LANES],
    others: [u32; LANES],
}

impl Kernel for Operations {
    type Output = (Vec<[u64; LANES]>, Vec<[u32; LANES]>);

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Self::Output {
        let a = lanes.load(&self.floats);
        let (x, y) = (lanes.load_u32(&self.ints), lanes.load_u32(&self.others));
        let (mantissa, exponent) = lanes.parts(a);
        let shifted = lanes.add(exponent, lanes.splat(SHIFTER));
        let from = lanes.exactly_u32(x);
        let singles = lanes.round_i32(x);
        let positive = lanes.of_bits(lanes.down::<2>(y));
        let of_singles = [
            lanes.add_f32(singles, positive),
            lanes.sub_f32(singles, positive),
            lanes.mul_f32(singles, positive),
            lanes.mul_add_f32(singles, positive, lanes.splat_f32(0.3)),
            lanes.max_f32(singles, positive),
            lanes.sqrt_f32(positive),
        ];
        let floats = [
            mantissa,
            exponent,
            lanes.scale(mantissa, shifted),
            from,
            lanes.sqrt(a),
            lanes.where_less(a, from, exponent, mantissa),
            lanes.widen(singles),
            lanes.widen(of_singles[3]),
        ];
        let (low, high) = lanes.mul_wide(x, y);
        let mut ints = vec![
            low,
            high,
            lanes.add_u32(x, y),
            lanes.sub_u32(x, y),
            lanes.and(x, y),
            lanes.xor(x, y),
            lanes.up::<5>(x),
            lanes.down::<7>(x),
            lanes.down_signed::<9>(x),
            lanes.bits(singles),
        ];
        ints.extend(of_singles.map(|single| lanes.bits(single)));
        let stored = |float| {
            let mut stored = [0.0; LANES];
            lanes.store(float, &mut stored);
            stored.map(f64::to_bits)
        };
        let stored_u32 = |int| {
            let mut stored = [0; LANES];
            lanes.store_u32(int, &mut stored);
            stored
        };
        (
            floats.into_iter().map(stored).collect(),
            ints.into_iter().map(stored_u32).collect(),
        )
    }
}

proptest! {
    #[test]
    fn all_backends_agree(
        floats in prop::array::uniform16(0f64..1e9),
        exponents in prop::array::uniform16(-900i32..900),
        ints in prop::array::uniform16(any::<u32>()),
        others in prop::array::uniform16(any::<u32>()),
    ) {
        let near_one = |lane: usize| (1.0 + (floats[lane] % 1.0)) * 2f64.powi(exponents[lane]);
        let floats = std::array::from_fn(near_one);
        let run = |backend: Backend| backend.run(Operations { floats, ints, others });
        let all: Vec<_> = Backend::all().into_iter().map(run).collect();
        for (lane, float) in floats.into_iter().enumerate() {
            let (doubles, words) = &all[0];
            let [mantissa, exponent, whole] =
                [0, 1, 2].map(|at| f64::from_bits(doubles[at][lane]));
            prop_assert!((0.75..1.5).contains(&mantissa));
            prop_assert_eq!(mantissa * exponent.exp2(), float);
            prop_assert_eq!(whole, float);
            let product = u64::from(ints[lane]) * u64::from(others[lane]);
            prop_assert_eq!(u64::from(words[1][lane]) << 32 | u64::from(words[0][lane]), product);
        }
        for other in &all[1..] {
            prop_assert_eq!(other, &all[0]);
        }
    }
}
