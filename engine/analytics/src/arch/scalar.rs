//! The lanes as arrays: what the other backends are held to.

use super::{LANES, Lanes, MANTISSA, PARTS_FROM};

/// No special instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scalar;

#[inline(always)]
fn each<T: Copy, U>(a: [T; LANES], b: [T; LANES], what: impl Fn(T, T) -> U) -> [U; LANES] {
    std::array::from_fn(|lane| what(a[lane], b[lane]))
}

impl Lanes for Scalar {
    type F = [f64; LANES];
    type S = [f32; LANES];
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
    fn sqrt(self, a: Self::F) -> Self::F {
        a.map(f64::sqrt)
    }

    #[inline(always)]
    fn where_less(self, a: Self::F, b: Self::F, yes: Self::F, no: Self::F) -> Self::F {
        std::array::from_fn(|lane| {
            if a[lane] < b[lane] {
                yes[lane]
            } else {
                no[lane]
            }
        })
    }

    #[inline(always)]
    fn parts(self, a: Self::F) -> (Self::F, Self::F) {
        let above = a.map(|a| a.to_bits().wrapping_sub(PARTS_FROM));
        let mantissa = above.map(|bits| f64::from_bits((bits & MANTISSA) + PARTS_FROM));
        (
            mantissa,
            above.map(|bits| (bits.cast_signed() >> 52) as f64),
        )
    }

    #[inline(always)]
    fn scale(self, a: Self::F, shifted: Self::F) -> Self::F {
        each(a, shifted, |a, n| {
            f64::from_bits(a.to_bits().wrapping_add(n.to_bits() << 52))
        })
    }

    #[inline(always)]
    fn exactly_u32(self, a: Self::I) -> Self::F {
        a.map(f64::from)
    }

    #[inline(always)]
    fn splat_f32(self, value: f32) -> Self::S {
        [value; LANES]
    }

    #[inline(always)]
    fn load_f32(self, from: &[f32; LANES]) -> Self::S {
        *from
    }

    #[inline(always)]
    fn store_f32(self, lanes: Self::S, to: &mut [f32; LANES]) {
        *to = lanes;
    }

    #[inline(always)]
    fn add_f32(self, a: Self::S, b: Self::S) -> Self::S {
        each(a, b, |a, b| a + b)
    }

    #[inline(always)]
    fn sub_f32(self, a: Self::S, b: Self::S) -> Self::S {
        each(a, b, |a, b| a - b)
    }

    #[inline(always)]
    fn mul_f32(self, a: Self::S, b: Self::S) -> Self::S {
        each(a, b, |a, b| a * b)
    }

    #[inline(always)]
    fn mul_add_f32(self, a: Self::S, b: Self::S, c: Self::S) -> Self::S {
        std::array::from_fn(|lane| a[lane].mul_add(b[lane], c[lane]))
    }

    #[inline(always)]
    fn max_f32(self, a: Self::S, b: Self::S) -> Self::S {
        each(a, b, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn sqrt_f32(self, a: Self::S) -> Self::S {
        a.map(f32::sqrt)
    }

    #[inline(always)]
    fn widen(self, a: Self::S) -> Self::F {
        a.map(f64::from)
    }

    #[inline(always)]
    fn round_i32(self, a: Self::I) -> Self::S {
        a.map(|a| a.cast_signed() as f32)
    }

    #[inline(always)]
    fn bits(self, a: Self::S) -> Self::I {
        a.map(f32::to_bits)
    }

    #[inline(always)]
    fn of_bits(self, a: Self::I) -> Self::S {
        a.map(f32::from_bits)
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
    fn add_u32(self, a: Self::I, b: Self::I) -> Self::I {
        each(a, b, u32::wrapping_add)
    }

    #[inline(always)]
    fn sub_u32(self, a: Self::I, b: Self::I) -> Self::I {
        each(a, b, u32::wrapping_sub)
    }

    #[inline(always)]
    fn and(self, a: Self::I, b: Self::I) -> Self::I {
        each(a, b, |a, b| a & b)
    }

    #[inline(always)]
    fn xor(self, a: Self::I, b: Self::I) -> Self::I {
        each(a, b, |a, b| a ^ b)
    }

    #[inline(always)]
    fn up<const BITS: u32>(self, a: Self::I) -> Self::I {
        a.map(|a| a << BITS)
    }

    #[inline(always)]
    fn down<const BITS: u32>(self, a: Self::I) -> Self::I {
        a.map(|a| a >> BITS)
    }

    #[inline(always)]
    fn down_signed<const BITS: u32>(self, a: Self::I) -> Self::I {
        a.map(|a| (a.cast_signed() >> BITS).cast_unsigned())
    }

    #[inline(always)]
    fn mul_wide(self, a: Self::I, b: Self::I) -> (Self::I, Self::I) {
        let wide = each(a, b, |a, b| u64::from(a) * u64::from(b));
        (
            wide.map(|wide| wide as u32),
            wide.map(|wide| (wide >> 32) as u32),
        )
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
