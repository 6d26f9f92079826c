//! The lanes as arrays: what the other backends are held to.

use super::{LANES, Lanes};

/// No special instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scalar;

#[inline(always)]
fn each<T: Copy, U>(a: [T; LANES], b: [T; LANES], what: impl Fn(T, T) -> U) -> [U; LANES] {
    std::array::from_fn(|lane| what(a[lane], b[lane]))
}

impl Lanes for Scalar {
    type F = [f64; LANES];
    type I = [u32; LANES];
    type W = [u64; LANES];

    #[inline(always)]
    fn splat(self, value: f64) -> Self::F {
        [value; LANES]
    }

    #[inline(always)]
    fn load(self, from: &[f64; LANES]) -> Self::F {
        *from
    }

    #[inline(always)]
    fn store(self, lanes: Self::F, to: &mut [f64; LANES]) {
        *to = lanes;
    }

    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        each(a, b, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, a: Self::F, b: Self::F) -> Self::F {
        each(a, b, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, a: Self::F, b: Self::F) -> Self::F {
        each(a, b, |a, b| a * b)
    }

    #[inline(always)]
    fn div(self, a: Self::F, b: Self::F) -> Self::F {
        each(a, b, |a, b| a / b)
    }

    #[inline(always)]
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        std::array::from_fn(|lane| a[lane].mul_add(b[lane], c[lane]))
    }

    #[inline(always)]
    fn min(self, a: Self::F, b: Self::F) -> Self::F {
        each(a, b, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        each(a, b, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn nan(self, a: Self::F, b: Self::F) -> Self::F {
        each(a, b, |a, b| if b.is_nan() { b } else { a })
    }

    #[inline(always)]
    fn splat_u32(self, value: u32) -> Self::I {
        [value; LANES]
    }

    #[inline(always)]
    fn load_u32(self, from: &[u32; LANES]) -> Self::I {
        *from
    }

    #[inline(always)]
    fn store_u32(self, lanes: Self::I, to: &mut [u32; LANES]) {
        *to = lanes;
    }

    #[inline(always)]
    fn min_u32(self, a: Self::I, b: Self::I) -> Self::I {
        each(a, b, u32::min)
    }

    #[inline(always)]
    fn max_u32(self, a: Self::I, b: Self::I) -> Self::I {
        each(a, b, u32::max)
    }

    #[inline(always)]
    fn zero_sums(self) -> Self::W {
        [0; LANES]
    }

    #[inline(always)]
    fn add_products(self, sums: [Self::W; 2], a: Self::I, b: Self::I) -> [Self::W; 2] {
        let [ones, products] = sums;
        let more = each(a, b, |a, b| u64::from(a) * u64::from(b));
        [
            each(ones, b.map(u64::from), u64::wrapping_add),
            each(products, more, u64::wrapping_add),
        ]
    }

    #[inline(always)]
    fn total(self, sums: Self::W) -> u64 {
        sums.into_iter().fold(0, u64::wrapping_add)
    }
}
