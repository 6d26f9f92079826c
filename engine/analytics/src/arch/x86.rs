//! The lanes as registers of x86 processors, four of 256 bits or two of 512: the only `unsafe` of
//! this crate.
#![allow(unsafe_code)]

use std::arch::x86_64::{__m256d, __m256i, __m512d, __m512i};

use super::{Kernel, LANES, Lanes};

/// One instruction on each register of one, two or three lists.
macro_rules! each {
    ($with:ident::$instruction:ident, $($lanes:expr),+) => {
        std::array::from_fn(|at| {
            // SAFETY: a value of the backend proves the instruction; it touches no memory.
            unsafe { $with::$instruction($($lanes[at]),+) }
        })
    };
}

/// Instructions on registers of 256 bits.
mod with_256 {
    use std::arch::x86_64::{
        __m256d, __m256i, _CMP_UNORD_Q, _mm256_blendv_pd, _mm256_cmp_pd, _mm256_srli_epi64,
    };
    pub(super) use std::arch::x86_64::{
        _mm256_add_epi64 as add_u64, _mm256_add_pd as add, _mm256_and_si256 as and,
        _mm256_div_pd as div, _mm256_fmadd_pd as mul_add, _mm256_loadu_pd as load,
        _mm256_loadu_si256 as load_ints, _mm256_max_epu32 as max_u32, _mm256_max_pd as max,
        _mm256_min_epu32 as min_u32, _mm256_min_pd as min, _mm256_mul_epu32 as mul_u32,
        _mm256_mul_pd as mul, _mm256_set1_epi32 as splat_u32, _mm256_set1_epi64x as splat_u64,
        _mm256_set1_pd as splat, _mm256_setzero_si256 as zero, _mm256_storeu_pd as store,
        _mm256_storeu_si256 as store_ints, _mm256_sub_pd as sub,
    };

    /// The odd `u32`s in the even ones' places, and zeros.
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    pub(super) fn high(ints: __m256i) -> __m256i {
        _mm256_srli_epi64::<32>(ints)
    }

    /// `b` where it is no number, else `a`.
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    pub(super) fn nan(a: __m256d, b: __m256d) -> __m256d {
        let is_none = _mm256_cmp_pd::<_CMP_UNORD_Q>(b, b);
        _mm256_blendv_pd(a, b, is_none)
    }
}

/// Instructions on registers of 512 bits.
mod with_512 {
    use std::arch::x86_64::{
        __m512d, __m512i, _CMP_UNORD_Q, _mm512_cmp_pd_mask, _mm512_mask_mov_pd, _mm512_srli_epi64,
    };
    pub(super) use std::arch::x86_64::{
        _mm512_add_epi64 as add_u64, _mm512_add_pd as add, _mm512_and_si512 as and,
        _mm512_div_pd as div, _mm512_fmadd_pd as mul_add, _mm512_loadu_pd as load,
        _mm512_loadu_si512 as load_ints, _mm512_max_epu32 as max_u32, _mm512_max_pd as max,
        _mm512_min_epu32 as min_u32, _mm512_min_pd as min, _mm512_mul_epu32 as mul_u32,
        _mm512_mul_pd as mul, _mm512_set1_epi32 as splat_u32, _mm512_set1_epi64 as splat_u64,
        _mm512_set1_pd as splat, _mm512_setzero_si512 as zero, _mm512_storeu_pd as store,
        _mm512_storeu_si512 as store_ints, _mm512_sub_pd as sub,
    };

    /// The odd `u32`s in the even ones' places, and zeros.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(super) fn high(ints: __m512i) -> __m512i {
        _mm512_srli_epi64::<32>(ints)
    }

    /// `b` where it is no number, else `a`.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(super) fn nan(a: __m512d, b: __m512d) -> __m512d {
        let is_none = _mm512_cmp_pd_mask::<_CMP_UNORD_Q>(b, b);
        _mm512_mask_mov_pd(a, is_none, b)
    }
}

/// A backend: its name, what its features are called, how many `f64` and `u32` a register holds,
/// its register types, and the module in which its instructions have common names.
macro_rules! backend {
    (
        $(#[$about:meta])*
        $name:ident, $features:literal, $detect:expr,
        $f64s:literal, $u32s:literal, $floats:ident, $ints:ident, $with:ident
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
            type I = [$ints; LANES / $u32s];
            type W = [$ints; LANES / $f64s];

            #[inline(always)]
            fn splat(self, value: f64) -> Self::F {
                let values = [value; LANES / $f64s];
                each!($with::splat, values)
            }

            #[inline(always)]
            fn load(self, from: &[f64; LANES]) -> Self::F {
                let (parts, _) = from.as_chunks::<$f64s>();
                std::array::from_fn(|at| {
                    // SAFETY: `self` proves the instruction; a part has as many numbers as it
                    // reads.
                    unsafe { $with::load(parts[at].as_ptr()) }
                })
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
                each!($with::add, a, b)
            }

            #[inline(always)]
            fn sub(self, a: Self::F, b: Self::F) -> Self::F {
                each!($with::sub, a, b)
            }

            #[inline(always)]
            fn mul(self, a: Self::F, b: Self::F) -> Self::F {
                each!($with::mul, a, b)
            }

            #[inline(always)]
            fn div(self, a: Self::F, b: Self::F) -> Self::F {
                each!($with::div, a, b)
            }

            #[inline(always)]
            fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
                each!($with::mul_add, a, b, c)
            }

            #[inline(always)]
            fn min(self, a: Self::F, b: Self::F) -> Self::F {
                each!($with::min, a, b)
            }

            #[inline(always)]
            fn max(self, a: Self::F, b: Self::F) -> Self::F {
                each!($with::max, a, b)
            }

            #[inline(always)]
            fn nan(self, a: Self::F, b: Self::F) -> Self::F {
                each!($with::nan, a, b)
            }

            #[inline(always)]
            fn splat_u32(self, value: u32) -> Self::I {
                let values = [value.cast_signed(); LANES / $u32s];
                each!($with::splat_u32, values)
            }

            #[inline(always)]
            fn load_u32(self, from: &[u32; LANES]) -> Self::I {
                let (parts, _) = from.as_chunks::<$u32s>();
                std::array::from_fn(|at| {
                    // SAFETY: as for `load`.
                    unsafe { $with::load_ints(parts[at].as_ptr().cast()) }
                })
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
                each!($with::min_u32, a, b)
            }

            #[inline(always)]
            fn max_u32(self, a: Self::I, b: Self::I) -> Self::I {
                each!($with::max_u32, a, b)
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
                let low: Self::I = each!($with::splat_u64, low);
                let (odd_a, odd_b): (Self::I, Self::I) =
                    (each!($with::high, a), each!($with::high, b));
                let even_b: Self::I = each!($with::and, b, low);
                let even: Self::I = each!($with::mul_u32, a, b);
                let odd: Self::I = each!($with::mul_u32, odd_a, odd_b);
                let both = |even: Self::I, odd: Self::I| -> Self::W {
                    std::array::from_fn(|at| [even, odd][at % 2][at / 2])
                };
                let [ones, products] = sums;
                let (more_ones, more_products) = (both(even_b, odd_b), both(even, odd));
                [
                    each!($with::add_u64, ones, more_ones),
                    each!($with::add_u64, products, more_products),
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
    4, 8, __m256d, __m256i, with_256
);

backend!(
    /// The processor has AVX-512 F, too: the only way to one is [`Avx512::detect`].
    Avx512, "avx512f,avx2,fma",
    is_x86_feature_detected!("avx512f") && Avx2::detect().is_some(),
    8, 16, __m512d, __m512i, with_512
);
