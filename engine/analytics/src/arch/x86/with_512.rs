//! Instructions on registers of 512 bits, by the names that both sizes share.

use std::arch::x86_64::{
    __m512, __m512d, __m512i, _CMP_LT_OQ, _CMP_UNORD_Q, _mm_cvtsi32_si128, _mm256_castpd_ps,
    _mm512_castps_pd, _mm512_castps512_ps256, _mm512_castsi512_si256, _mm512_cmp_pd_mask,
    _mm512_cvtepu32_pd, _mm512_cvtps_pd, _mm512_extractf64x4_pd, _mm512_extracti64x4_epi64,
    _mm512_mask_mov_pd, _mm512_mask_shuffle_epi32, _mm512_sll_epi32, _mm512_slli_epi64,
    _mm512_sra_epi32, _mm512_srl_epi32, _mm512_srli_epi64,
};
pub(super) use std::arch::x86_64::{
    _mm512_add_epi32 as add_u32, _mm512_add_epi64 as add_u64, _mm512_add_pd as add,
    _mm512_add_ps as add_f32, _mm512_and_si512 as and, _mm512_castpd_si512 as long_bits,
    _mm512_castps_si512 as bits, _mm512_castsi512_pd as of_long_bits,
    _mm512_castsi512_ps as of_bits, _mm512_cvtepi32_ps as round_i32, _mm512_div_pd as div,
    _mm512_fmadd_pd as mul_add, _mm512_fmadd_ps as mul_add_f32, _mm512_loadu_pd as load,
    _mm512_loadu_ps as load_f32, _mm512_loadu_si512 as load_ints, _mm512_max_epu32 as max_u32,
    _mm512_max_pd as max, _mm512_max_ps as max_f32, _mm512_min_epu32 as min_u32,
    _mm512_min_pd as min, _mm512_mul_epu32 as mul_u32, _mm512_mul_pd as mul,
    _mm512_mul_ps as mul_f32, _mm512_or_si512 as or, _mm512_set1_epi32 as splat_u32,
    _mm512_set1_epi64 as splat_u64, _mm512_set1_pd as splat, _mm512_set1_ps as splat_f32,
    _mm512_setzero_si512 as zero, _mm512_sqrt_pd as sqrt, _mm512_sqrt_ps as sqrt_f32,
    _mm512_storeu_pd as store, _mm512_storeu_ps as store_f32, _mm512_storeu_si512 as store_ints,
    _mm512_sub_epi32 as sub_u32, _mm512_sub_epi64 as sub_u64, _mm512_sub_pd as sub,
    _mm512_sub_ps as sub_f32, _mm512_xor_si512 as xor,
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

/// `yes` where `a < b`, else `no`.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn where_less(a: __m512d, b: __m512d, yes: __m512d, no: __m512d) -> __m512d {
    _mm512_mask_mov_pd(no, _mm512_cmp_pd_mask::<_CMP_LT_OQ>(a, b), yes)
}

/// Bits of `u64`s moved down by 52, and up.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn exponent(bits: __m512i) -> __m512i {
    _mm512_srli_epi64::<52>(bits)
}

#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn to_exponent(bits: __m512i) -> __m512i {
    _mm512_slli_epi64::<52>(bits)
}

#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn up<const BITS: u32>(ints: __m512i) -> __m512i {
    _mm512_sll_epi32(ints, _mm_cvtsi32_si128(BITS.cast_signed()))
}

#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn down<const BITS: u32>(ints: __m512i) -> __m512i {
    _mm512_srl_epi32(ints, _mm_cvtsi32_si128(BITS.cast_signed()))
}

#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn down_signed<const BITS: u32>(ints: __m512i) -> __m512i {
    _mm512_sra_epi32(ints, _mm_cvtsi32_si128(BITS.cast_signed()))
}

/// The low halves of products of even and odd numbers in their places, and the high ones.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn halves(even: __m512i, odd: __m512i) -> (__m512i, __m512i) {
    // Each number of a pair from its neighbour, where the mask says so.
    let low = _mm512_mask_shuffle_epi32::<0b10_10_00_00>(even, 0xAAAA, odd);
    let high = _mm512_mask_shuffle_epi32::<0b11_11_01_01>(odd, 0x5555, even);
    (low, high)
}

/// Whole numbers as `f64`s, the lesser and the greater places.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn exactly_u32(ints: __m512i) -> [__m512d; 2] {
    [
        _mm512_cvtepu32_pd(_mm512_castsi512_si256(ints)),
        _mm512_cvtepu32_pd(_mm512_extracti64x4_epi64::<1>(ints)),
    ]
}

/// The same numbers as `f64`s, the lesser and the greater places.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn widen(floats: __m512) -> [__m512d; 2] {
    let greater = _mm512_extractf64x4_pd::<1>(_mm512_castps_pd(floats));
    [
        _mm512_cvtps_pd(_mm512_castps512_ps256(floats)),
        _mm512_cvtps_pd(_mm256_castpd_ps(greater)),
    ]
}
