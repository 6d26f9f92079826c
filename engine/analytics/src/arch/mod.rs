//! What the kernels are made of: sixteen lanes of numbers, on whatever the processor has.
//!
//! A kernel is written once, against [`Lanes`]. Every backend has the same sixteen lanes and does
//! the same operations on them in the same order, multiply-add fused, so that all of them give the
//! same bits; the scalar one says what the others must do.
//!
//! A value of [`Avx2`] or [`Avx512`] is the proof that the processor has these instructions: it is
//! only made by asking it.

mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use scalar::Scalar;
#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

/// How many numbers go at a time.
pub const LANES: usize = 16;

/// Added to a number below 2^51 it leaves the nearest whole one in the last bits.
pub const SHIFTER: f64 = 6_755_399_441_055_744.0;
/// The bits of 0.75, from which on [`Lanes::parts`] counts.
const PARTS_FROM: u64 = 0x3FE8_0000_0000_0000;
const MANTISSA: u64 = (1 << 52) - 1;
/// A whole number below 2^52 among the bits of this is a number of its own, that much greater.
const WHOLE: u64 = 0x4330_0000_0000_0000;

/// Sixteen numbers at a time. A value of an implementation proves that its instructions are there.
pub trait Lanes: Copy {
    /// Sixteen `f64`.
    type F: Copy;
    /// Sixteen `f32`.
    type S: Copy;
    /// Sixteen `u32`.
    type I: Copy;
    /// Sixteen sums of 64 bits, which wrap. Which number went to which is not said.
    type W: Copy;

    /// The same number in each lane.
    fn splat(self, value: f64) -> Self::F;
    /// From memory, of any alignment.
    fn load(self, from: &[f64; LANES]) -> Self::F;
    /// To memory.
    fn store(self, lanes: Self::F, to: &mut [f64; LANES]);
    /// `a + b`.
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a - b`.
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a * b`.
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a / b`.
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a * b + c`, rounded once.
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// `a` where it is less, else `b`: `b` where either is no number.
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a` where it is greater, else `b`: `b` where either is no number.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;

    /// `b` where it is no number, else `a`.
    fn nan(self, a: Self::F, b: Self::F) -> Self::F;
    /// The square root.
    fn sqrt(self, a: Self::F) -> Self::F;
    /// `yes` where `a < b`, else `no`.
    fn where_less(self, a: Self::F, b: Self::F, yes: Self::F, no: Self::F) -> Self::F;
    /// `m` and `e` so that `a` is `m * 2^e` and `0.75 <= m < 1.5`, of a normal `a` above 0.
    fn parts(self, a: Self::F) -> (Self::F, Self::F);
    /// `a * 2^n`, where `n` is the whole number that was added to [`SHIFTER`] to get `shifted`,
    /// and neither `a` nor the result is 0 or subnormal.
    fn scale(self, a: Self::F, shifted: Self::F) -> Self::F;
    /// The same numbers, exactly.
    fn exactly_u32(self, a: Self::I) -> Self::F;

    /// The same number in each lane.
    fn splat_f32(self, value: f32) -> Self::S;
    /// From memory, of any alignment.
    fn load_f32(self, from: &[f32; LANES]) -> Self::S;
    /// To memory.
    fn store_f32(self, lanes: Self::S, to: &mut [f32; LANES]);
    /// `a + b`.
    fn add_f32(self, a: Self::S, b: Self::S) -> Self::S;
    /// `a - b`.
    fn sub_f32(self, a: Self::S, b: Self::S) -> Self::S;
    /// `a * b`.
    fn mul_f32(self, a: Self::S, b: Self::S) -> Self::S;
    /// `a * b + c`, rounded once.
    fn mul_add_f32(self, a: Self::S, b: Self::S, c: Self::S) -> Self::S;
    /// `a` where it is greater, else `b`.
    fn max_f32(self, a: Self::S, b: Self::S) -> Self::S;
    /// The square root.
    fn sqrt_f32(self, a: Self::S) -> Self::S;
    /// The same numbers, exactly.
    fn widen(self, a: Self::S) -> Self::F;
    /// The nearest numbers, of whole ones with a sign.
    fn round_i32(self, a: Self::I) -> Self::S;
    /// The bits of numbers.
    fn bits(self, a: Self::S) -> Self::I;
    /// The numbers of bits.
    fn of_bits(self, a: Self::I) -> Self::S;

    /// The same number in each lane.
    fn splat_u32(self, value: u32) -> Self::I;
    /// From memory, of any alignment.
    fn load_u32(self, from: &[u32; LANES]) -> Self::I;
    /// To memory.
    fn store_u32(self, lanes: Self::I, to: &mut [u32; LANES]);
    /// The lesser ones.
    fn min_u32(self, a: Self::I, b: Self::I) -> Self::I;
    /// The greater ones.
    fn max_u32(self, a: Self::I, b: Self::I) -> Self::I;
    /// `a + b`, wrapped.
    fn add_u32(self, a: Self::I, b: Self::I) -> Self::I;
    /// `a - b`, wrapped.
    fn sub_u32(self, a: Self::I, b: Self::I) -> Self::I;
    /// The bits that are in both.
    fn and(self, a: Self::I, b: Self::I) -> Self::I;
    /// The bits that are in one of them.
    fn xor(self, a: Self::I, b: Self::I) -> Self::I;
    /// Bits moved up, zeros behind them.
    fn up<const BITS: u32>(self, a: Self::I) -> Self::I;
    /// Bits moved down, zeros before them.
    fn down<const BITS: u32>(self, a: Self::I) -> Self::I;
    /// Bits moved down, copies of the first one before them.
    fn down_signed<const BITS: u32>(self, a: Self::I) -> Self::I;
    /// The low and the high half of each product.
    fn mul_wide(self, a: Self::I, b: Self::I) -> (Self::I, Self::I);
    /// Sums that are 0.
    fn zero_sums(self) -> Self::W;
    /// Adds `b` to the first sums and `a * b` to the second ones.
    fn add_products(self, sums: [Self::W; 2], a: Self::I, b: Self::I) -> [Self::W; 2];
    /// The sum of all sums.
    fn total(self, sums: Self::W) -> u64;
}

/// Work that is written against [`Lanes`]. `run` must be `#[inline(always)]`, or it is compiled
/// without the instructions that its lanes stand for.
pub trait Kernel {
    /// What it finds.
    type Output;
    /// Does the work.
    fn run<L: Lanes>(self, lanes: L) -> Self::Output;
}

/// Which instructions to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// None but those that every processor has: slow, and the answer for the others.
    Scalar(Scalar),
    /// AVX2 and fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// AVX-512 F, too.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Backend {
    /// The fastest that the processor has.
    #[must_use]
    pub fn best() -> Self {
        let mut all = Self::all();
        all.pop().unwrap_or(Self::Scalar(Scalar))
    }

    /// All that the processor has, the fastest last.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let scalar = Some(Self::Scalar(Scalar));
        #[cfg(target_arch = "x86_64")]
        let all = [
            scalar,
            Avx2::detect().map(Self::Avx2),
            Avx512::detect().map(Self::Avx512),
        ];
        #[cfg(not(target_arch = "x86_64"))]
        let all = [scalar];
        all.into_iter().flatten().collect()
    }

    /// The same with registers of four `f64` at most. What goes from call to call through memory in
    /// fours is not to be gathered in wider ones: these may lie across two lines of the cache, and
    /// then wait until what was written is there.
    #[must_use]
    pub fn narrow(self) -> Self {
        #[cfg(target_arch = "x86_64")]
        if let (Self::Avx512(_), Some(avx2)) = (self, Avx2::detect()) {
            return Self::Avx2(avx2);
        }
        self
    }

    /// Runs a kernel with these instructions.
    #[inline]
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            Self::Scalar(lanes) => kernel.run(lanes),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(lanes) => lanes.run(kernel),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(lanes) => lanes.run(kernel),
        }
    }
}
