//! The lanes as registers of x86 processors, four of 256 bits or two of 512: the only `unsafe` of
//! this crate.
#![allow(unsafe_code)]

mod with_256;
mod with_512;

use std::arch::x86_64::{__m256, __m256d, __m256i, __m512, __m512d, __m512i};

use super::{Kernel, LANES, Lanes, MANTISSA, PARTS_FROM, WHOLE};

/// One instruction on each register of lists, by their places: no closure, which the compiler might
/// leave as a function of its own, that has none of the instructions.
macro_rules! each {
    ([$($at:literal)+] $with:ident::$instruction:ident, $a:expr) => {{
        let a = $a;
        // SAFETY: a value of the backend proves the instruction; it touches no memory.
        [$(unsafe { $with::$instruction(a[$at]) }),+]
    }};
    ([$($at:literal)+] $with:ident::$instruction:ident, $a:expr, $b:expr) => {{
        let (a, b) = ($a, $b);
        // SAFETY: a value of the backend proves the instruction; it touches no memory.
        [$(unsafe { $with::$instruction(a[$at], b[$at]) }),+]
    }};
    ([$($at:literal)+] $with:ident::$instruction:ident, $a:expr, $b:expr, $c:expr) => {{
        let (a, b, c) = ($a, $b, $c);
        // SAFETY: a value of the backend proves the instruction; it touches no memory.
        [$(unsafe { $with::$instruction(a[$at], b[$at], c[$at]) }),+]
    }};
    ([$($at:literal)+] $with:ident::$instruction:ident, $a:expr, $b:expr, $c:expr, $d:expr) => {{
        let (a, b, c, d) = ($a, $b, $c, $d);
        // SAFETY: a value of the backend proves the instruction; it touches no memory.
        [$(unsafe { $with::$instruction(a[$at], b[$at], c[$at], d[$at]) }),+]
    }};
}

/// A backend: its name, what its features are called, how many `f64` and `u32` a register holds,
/// the places of registers in lists of these, its register types, and the module in which its
/// instructions have common names.
macro_rules! backend {
    (
        $(#[$about:meta])*
        $name:ident, $features:literal, $detect:expr,
        $f64s:literal, $u32s:literal, $places:tt, $halves:tt,
        $floats:ident, $singles:ident, $ints:ident, $with:ident
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(());

        impl $name {
            /// Asks the processor.
            #[must_use]
            pub fn detect() -> Option<Self> {
                $detect.then_some(Self(()))
            }

            #[inline]
            pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
                #[target_feature(enable = $features)]
                fn within<K: Kernel>(kernel: K, lanes: $name) -> K::Output {
                    kernel.run(lanes)
                }
                // SAFETY: `self` proves that the instructions are there.
                unsafe { within(kernel, self) }
            }
        }

        impl Lanes for $name {
            type F = [$floats; LANES / $f64s];
            type S = [$singles; LANES / $u32s];
            type I = [$ints; LANES / $u32s];
            type W = [$ints; LANES / $f64s];

            #[inline(always)]
            fn splat(self, value: f64) -> Self::F {
                let values = [value; LANES / $f64s];
                each!($places $with::splat, values)
            }

            #[inline(always)]
            fn load(self, from: &[f64; LANES]) -> Self::F {
                let (parts, _) = from.as_chunks::<$f64s>();
                let mut all = self.splat(0.0);
                for (lanes, part) in all.iter_mut().zip(parts) {
                    // SAFETY: `self` proves the instruction; a part has as many numbers as it
                    // reads.
                    *lanes = unsafe { $with::load(part.as_ptr()) };
                }
                all
            }

            #[inline(always)]
            fn store(self, lanes: Self::F, to: &mut [f64; LANES]) {
                let (parts, _) = to.as_chunks_mut::<$f64s>();
                for (part, lanes) in parts.iter_mut().zip(lanes) {
                    // SAFETY: as for `load`; a part has room for the numbers.
                    unsafe { $with::store(part.as_mut_ptr(), lanes) }
                }
            }

            #[inline(always)]
            fn add(self, a: Self::F, b: Self::F) -> Self::F {
                each!($places $with::add, a, b)
            }

            #[inline(always)]
            fn sub(self, a: Self::F, b: Self::F) -> Self::F {
                each!($places $with::sub, a, b)
            }

            #[inline(always)]
            fn mul(self, a: Self::F, b: Self::F) -> Self::F {
                each!($places $with::mul, a, b)
            }

            #[inline(always)]
            fn div(self, a: Self::F, b: Self::F) -> Self::F {
                each!($places $with::div, a, b)
            }

            #[inline(always)]
            fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
                each!($places $with::mul_add, a, b, c)
            }

            #[inline(always)]
            fn min(self, a: Self::F, b: Self::F) -> Self::F {
                each!($places $with::min, a, b)
            }

            #[inline(always)]
            fn max(self, a: Self::F, b: Self::F) -> Self::F {
                each!($places $with::max, a, b)
            }

            #[inline(always)]
            fn nan(self, a: Self::F, b: Self::F) -> Self::F {
                each!($places $with::nan, a, b)
            }

            #[inline(always)]
            fn sqrt(self, a: Self::F) -> Self::F {
                each!($places $with::sqrt, a)
            }

            #[inline(always)]
            fn where_less(self, a: Self::F, b: Self::F, yes: Self::F, no: Self::F) -> Self::F {
                each!($places $with::where_less, a, b, yes, no)
            }

            #[inline(always)]
            fn parts(self, a: Self::F) -> (Self::F, Self::F) {
                let each_u64 = |bits: u64| -> Self::W {
                    let bits = [bits.cast_signed(); LANES / $f64s];
                    each!($places $with::splat_u64, bits)
                };
                // An exponent is made positive to be moved down without its sign.
                let bias = 1024;
                let (from, mask) = (each_u64(PARTS_FROM), each_u64(MANTISSA));
                let (up, whole) = (each_u64(bias << 52), each_u64(WHOLE));
                let bits: Self::W = each!($places $with::long_bits, a);
                let above: Self::W = each!($places $with::sub_u64, bits, from);
                let low: Self::W = each!($places $with::and, above, mask);
                let mantissa: Self::W = each!($places $with::add_u64, low, from);
                let moved: Self::W = each!($places $with::add_u64, above, up);
                let exponent: Self::W = each!($places $with::exponent, moved);
                let number: Self::W = each!($places $with::or, exponent, whole);
                let number: Self::F = each!($places $with::of_long_bits, number);
                let off = self.splat(f64::from_bits(WHOLE) + bias as f64);
                (each!($places $with::of_long_bits, mantissa), self.sub(number, off))
            }

            #[inline(always)]
            fn scale(self, a: Self::F, shifted: Self::F) -> Self::F {
                let bits: Self::W = each!($places $with::long_bits, shifted);
                let power: Self::W = each!($places $with::to_exponent, bits);
                let bits: Self::W = each!($places $with::long_bits, a);
                let scaled: Self::W = each!($places $with::add_u64, bits, power);
                each!($places $with::of_long_bits, scaled)
            }

            #[inline(always)]
            fn exactly_u32(self, a: Self::I) -> Self::F {
                let parts: [[$floats; 2]; LANES / $u32s] = each!($halves $with::exactly_u32, a);
                let mut all = [parts[0][0]; LANES / $f64s];
                for (at, lanes) in all.iter_mut().enumerate() {
                    *lanes = parts[at / 2][at % 2];
                }
                all
            }

            #[inline(always)]
            fn splat_f32(self, value: f32) -> Self::S {
                let values = [value; LANES / $u32s];
                each!($halves $with::splat_f32, values)
            }

            #[inline(always)]
            fn load_f32(self, from: &[f32; LANES]) -> Self::S {
                let (parts, _) = from.as_chunks::<$u32s>();
                let mut all = self.splat_f32(0.0);
                for (lanes, part) in all.iter_mut().zip(parts) {
                    // SAFETY: as for `load`.
                    *lanes = unsafe { $with::load_f32(part.as_ptr()) };
                }
                all
            }

            #[inline(always)]
            fn store_f32(self, lanes: Self::S, to: &mut [f32; LANES]) {
                let (parts, _) = to.as_chunks_mut::<$u32s>();
                for (part, lanes) in parts.iter_mut().zip(lanes) {
                    // SAFETY: as for `store`.
                    unsafe { $with::store_f32(part.as_mut_ptr(), lanes) }
                }
            }

            #[inline(always)]
            fn add_f32(self, a: Self::S, b: Self::S) -> Self::S {
                each!($halves $with::add_f32, a, b)
            }

            #[inline(always)]
            fn sub_f32(self, a: Self::S, b: Self::S) -> Self::S {
                each!($halves $with::sub_f32, a, b)
            }

            #[inline(always)]
            fn mul_f32(self, a: Self::S, b: Self::S) -> Self::S {
                each!($halves $with::mul_f32, a, b)
            }

            #[inline(always)]
            fn mul_add_f32(self, a: Self::S, b: Self::S, c: Self::S) -> Self::S {
                each!($halves $with::mul_add_f32, a, b, c)
            }

            #[inline(always)]
            fn max_f32(self, a: Self::S, b: Self::S) -> Self::S {
                each!($halves $with::max_f32, a, b)
            }

            #[inline(always)]
            fn sqrt_f32(self, a: Self::S) -> Self::S {
                each!($halves $with::sqrt_f32, a)
            }

            #[inline(always)]
            fn widen(self, a: Self::S) -> Self::F {
                let parts: [[$floats; 2]; LANES / $u32s] = each!($halves $with::widen, a);
                let mut all = [parts[0][0]; LANES / $f64s];
                for (at, lanes) in all.iter_mut().enumerate() {
                    *lanes = parts[at / 2][at % 2];
                }
                all
            }

            #[inline(always)]
            fn round_i32(self, a: Self::I) -> Self::S {
                each!($halves $with::round_i32, a)
            }

            #[inline(always)]
            fn bits(self, a: Self::S) -> Self::I {
                each!($halves $with::bits, a)
            }

            #[inline(always)]
            fn of_bits(self, a: Self::I) -> Self::S {
                each!($halves $with::of_bits, a)
            }

            #[inline(always)]
            fn splat_u32(self, value: u32) -> Self::I {
                let values = [value.cast_signed(); LANES / $u32s];
                each!($halves $with::splat_u32, values)
            }

            #[inline(always)]
            fn load_u32(self, from: &[u32; LANES]) -> Self::I {
                let (parts, _) = from.as_chunks::<$u32s>();
                let mut all = self.splat_u32(0);
                for (lanes, part) in all.iter_mut().zip(parts) {
                    // SAFETY: as for `load`.
                    *lanes = unsafe { $with::load_ints(part.as_ptr().cast()) };
                }
                all
            }

            #[inline(always)]
            fn store_u32(self, lanes: Self::I, to: &mut [u32; LANES]) {
                let (parts, _) = to.as_chunks_mut::<$u32s>();
                for (part, lanes) in parts.iter_mut().zip(lanes) {
                    // SAFETY: as for `store`.
                    unsafe { $with::store_ints(part.as_mut_ptr().cast(), lanes) }
                }
            }

            #[inline(always)]
            fn min_u32(self, a: Self::I, b: Self::I) -> Self::I {
                each!($halves $with::min_u32, a, b)
            }

            #[inline(always)]
            fn max_u32(self, a: Self::I, b: Self::I) -> Self::I {
                each!($halves $with::max_u32, a, b)
            }

            #[inline(always)]
            fn add_u32(self, a: Self::I, b: Self::I) -> Self::I {
                each!($halves $with::add_u32, a, b)
            }

            #[inline(always)]
            fn sub_u32(self, a: Self::I, b: Self::I) -> Self::I {
                each!($halves $with::sub_u32, a, b)
            }

            #[inline(always)]
            fn and(self, a: Self::I, b: Self::I) -> Self::I {
                each!($halves $with::and, a, b)
            }

            #[inline(always)]
            fn xor(self, a: Self::I, b: Self::I) -> Self::I {
                each!($halves $with::xor, a, b)
            }

            #[inline(always)]
            fn up<const BITS: u32>(self, a: Self::I) -> Self::I {
                let mut all = a;
                for lanes in &mut all {
                    // SAFETY: `self` proves the instruction; it touches no memory.
                    *lanes = unsafe { $with::up::<BITS>(*lanes) };
                }
                all
            }

            #[inline(always)]
            fn down<const BITS: u32>(self, a: Self::I) -> Self::I {
                let mut all = a;
                for lanes in &mut all {
                    // SAFETY: `self` proves the instruction; it touches no memory.
                    *lanes = unsafe { $with::down::<BITS>(*lanes) };
                }
                all
            }

            #[inline(always)]
            fn down_signed<const BITS: u32>(self, a: Self::I) -> Self::I {
                let mut all = a;
                for lanes in &mut all {
                    // SAFETY: `self` proves the instruction; it touches no memory.
                    *lanes = unsafe { $with::down_signed::<BITS>(*lanes) };
                }
                all
            }

            #[inline(always)]
            fn mul_wide(self, a: Self::I, b: Self::I) -> (Self::I, Self::I) {
                let (odd_a, odd_b): (Self::I, Self::I) =
                    (each!($halves $with::high, a), each!($halves $with::high, b));
                let even: Self::I = each!($halves $with::mul_u32, a, b);
                let odd: Self::I = each!($halves $with::mul_u32, odd_a, odd_b);
                let halves: [($ints, $ints); LANES / $u32s] =
                    each!($halves $with::halves, even, odd);
                let (mut low, mut high) = (a, b);
                for (at, halves) in halves.iter().enumerate() {
                    (low[at], high[at]) = *halves;
                }
                (low, high)
            }

            #[inline(always)]
            fn zero_sums(self) -> Self::W {
                // SAFETY: `self` proves the instruction; it touches no memory.
                [unsafe { $with::zero() }; LANES / $f64s]
            }

            /// A register's even numbers go to one register of sums, its odd ones to the next.
            #[inline(always)]
            fn add_products(self, sums: [Self::W; 2], a: Self::I, b: Self::I) -> [Self::W; 2] {
                let low = [i64::from(u32::MAX); LANES / $u32s];
                let low: Self::I = each!($halves $with::splat_u64, low);
                let (odd_a, odd_b): (Self::I, Self::I) =
                    (each!($halves $with::high, a), each!($halves $with::high, b));
                let even_b: Self::I = each!($halves $with::and, b, low);
                let even: Self::I = each!($halves $with::mul_u32, a, b);
                let odd: Self::I = each!($halves $with::mul_u32, odd_a, odd_b);
                let both = |even: Self::I, odd: Self::I| -> Self::W {
                    let mut both = self.zero_sums();
                    for (at, lanes) in both.iter_mut().enumerate() {
                        *lanes = [even, odd][at % 2][at / 2];
                    }
                    both
                };
                let [ones, products] = sums;
                let (more_ones, more_products) = (both(even_b, odd_b), both(even, odd));
                [
                    each!($places $with::add_u64, ones, more_ones),
                    each!($places $with::add_u64, products, more_products),
                ]
            }

            #[inline(always)]
            fn total(self, sums: Self::W) -> u64 {
                let mut words = [0u64; LANES];
                let (parts, _) = words.as_chunks_mut::<$f64s>();
                for (part, lanes) in parts.iter_mut().zip(sums) {
                    // SAFETY: as for `store`.
                    unsafe { $with::store_ints(part.as_mut_ptr().cast(), lanes) }
                }
                words.into_iter().fold(0, u64::wrapping_add)
            }
        }
    };
}

backend!(
    /// The processor has AVX2 and FMA: the only way to one is [`Avx2::detect`].
    Avx2, "avx2,fma", is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
    4, 8, [0 1 2 3], [0 1], __m256d, __m256, __m256i, with_256
);

backend!(
    /// The processor has AVX-512 F, too: the only way to one is [`Avx512::detect`].
    Avx512, "avx512f,avx2,fma",
    is_x86_feature_detected!("avx512f") && Avx2::detect().is_some(),
    8, 16, [0 1], [0], __m512d, __m512, __m512i, with_512
);
