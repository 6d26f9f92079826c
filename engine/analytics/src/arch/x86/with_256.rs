//! Instructions on registers of 256 bits, by the names that both sizes share.

use std::arch::x86_64::{
    __m256, __m256d, __m256i, _CMP_LT_OQ, _CMP_UNORD_Q, _mm_cvtsi32_si128, _mm256_add_pd,
    _mm256_blend_epi32, _mm256_blendv_pd, _mm256_castps256_ps128, _mm256_castsi256_si128,
    _mm256_cmp_pd, _mm256_cvtepi32_pd, _mm256_cvtps_pd, _mm256_extractf128_ps,
    _mm256_extracti128_si256, _mm256_set1_epi32, _mm256_set1_pd, _mm256_sll_epi32,
    _mm256_slli_epi64, _mm256_sra_epi32, _mm256_srl_epi32, _mm256_srli_epi64, _mm256_xor_si256,
};
pub(super) use std::arch::x86_64::{
    _mm256_add_epi32 as add_u32, _mm256_add_epi64 as add_u64, _mm256_add_pd as add,
    _mm256_add_ps as add_f32, _mm256_and_si256 as and, _mm256_castpd_si256 as long_bits,
    _mm256_castps_si256 as bits, _mm256_castsi256_pd as of_long_bits,
    _mm256_castsi256_ps as of_bits, _mm256_cvtepi32_ps as round_i32, _mm256_div_pd as div,
    _mm256_fmadd_pd as mul_add, _mm256_fmadd_ps as mul_add_f32, _mm256_loadu_pd as load,
    _mm256_loadu_ps as load_f32, _mm256_loadu_si256 as load_ints, _mm256_max_epu32 as max_u32,
    _mm256_max_pd as max, _mm256_max_ps as max_f32, _mm256_min_epu32 as min_u32,
    _mm256_min_pd as min, _mm256_mul_epu32 as mul_u32, _mm256_mul_pd as mul,
    _mm256_mul_ps as mul_f32, _mm256_or_si256 as or, _mm256_set1_epi32 as splat_u32,
    _mm256_set1_epi64x as splat_u64, _mm256_set1_pd as splat, _mm256_set1_ps as splat_f32,
    _mm256_setzero_si256 as zero, _mm256_sqrt_pd as sqrt, _mm256_sqrt_ps as sqrt_f32,
    _mm256_storeu_pd as store, _mm256_storeu_ps as store_f32, _mm256_storeu_si256 as store_ints,
    _mm256_sub_epi32 as sub_u32, _mm256_sub_epi64 as sub_u64, _mm256_sub_pd as sub,
    _mm256_sub_ps as sub_f32, _mm256_xor_si256 as xor,
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

/// `yes` where `a < b`, else `no`.
#[target_feature(enable = "avx2,fma")]
#[inline]
pub(super) fn where_less(a: __m256d, b: __m256d, yes: __m256d, no: __m256d) -> __m256d {
    _mm256_blendv_pd(no, yes, _mm256_cmp_pd::<_CMP_LT_OQ>(a, b))
}

/// Bits of `u64`s moved down by 52, and up.
#[target_feature(enable = "avx2,fma")]
#[inline]
pub(super) fn exponent(bits: __m256i) -> __m256i {
    _mm256_srli_epi64::<52>(bits)
}

#[target_feature(enable = "avx2,fma")]
#[inline]
pub(super) fn to_exponent(bits: __m256i) -> __m256i {
    _mm256_slli_epi64::<52>(bits)
}

#[target_feature(enable = "avx2,fma")]
#[inline]
pub(super) fn up<const BITS: u32>(ints: __m256i) -> __m256i {
    _mm256_sll_epi32(ints, _mm_cvtsi32_si128(BITS.cast_signed()))
}

#[target_feature(enable = "avx2,fma")]
#[inline]
pub(super) fn down<const BITS: u32>(ints: __m256i) -> __m256i {
    _mm256_srl_epi32(ints, _mm_cvtsi32_si128(BITS.cast_signed()))
}

#[target_feature(enable = "avx2,fma")]
#[inline]
pub(super) fn down_signed<const BITS: u32>(ints: __m256i) -> __m256i {
    _mm256_sra_epi32(ints, _mm_cvtsi32_si128(BITS.cast_signed()))
}

/// The low halves of products of even and odd numbers in their places, and the high ones.
#[target_feature(enable = "avx2,fma")]
#[inline]
pub(super) fn halves(even: __m256i, odd: __m256i) -> (__m256i, __m256i) {
    let low = _mm256_blend_epi32::<0b1010_1010>(even, _mm256_slli_epi64::<32>(odd));
    let high = _mm256_blend_epi32::<0b1010_1010>(_mm256_srli_epi64::<32>(even), odd);
    (low, high)
}

/// Whole numbers as `f64`s, the lesser and the greater places.
#[target_feature(enable = "avx2,fma")]
#[inline]
pub(super) fn exactly_u32(ints: __m256i) -> [__m256d; 2] {
    // There are only instructions for numbers with a sign: 2^31 less, and added again.
    let signed = _mm256_xor_si256(ints, _mm256_set1_epi32(i32::MIN));
    let back = _mm256_set1_pd(2_147_483_648.0);
    let half = [
        _mm256_castsi256_si128(signed),
        _mm256_extracti128_si256::<1>(signed),
    ];
    [
        _mm256_add_pd(_mm256_cvtepi32_pd(half[0]), back),
        _mm256_add_pd(_mm256_cvtepi32_pd(half[1]), back),
    ]
}

/// The same numbers as `f64`s, the lesser and the greater places.
#[target_feature(enable = "avx2,fma")]
#[inline]
pub(super) fn widen(floats: __m256) -> [__m256d; 2] {
    [
        _mm256_cvtps_pd(_mm256_castps256_ps128(floats)),
        _mm256_cvtps_pd(_mm256_extractf128_ps::<1>(floats)),
    ]
}
