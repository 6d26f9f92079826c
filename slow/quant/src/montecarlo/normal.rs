//! Standard normal numbers from random bits: Box and Muller's circle.
//!
//! Of two words of bits, 40 give the distance from the centre and 24 the direction: numbers up to
//! 7.5, whose every moment around the circle below the 16 millionth is exact. Four numbers are one
//! block of [`Philox`]; the numbers of a path are its blocks 0, 1, 2 and so on.

use analytics::arch::{Backend, Kernel, LANES, Lanes};

use super::functions::{COSINE, SINE, ln, polynomial};
use super::philox::{Counter, Philox};

/// How many numbers a block gives.
pub(super) const BLOCK: usize = 4;
/// Bits of a direction, without the side, and how far apart directions are.
const DIRECTION: u32 = (1 << 23) - 1;
const STEP: f64 = 1.0 / 8_388_608.0;
/// One of 2^32 equal parts, and one of 2^40.
const WORD: f64 = 1.0 / 4_294_967_296.0;
const BYTE: f64 = WORD / 256.0;

/// Where a path's random numbers are: its number, and what they are for.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The first of sixteen paths; a multiple of sixteen.
    pub first: u64,
    pub stream: u32,
}

impl Place {
    /// Where a block of these paths' numbers is.
    #[inline(always)]
    pub(super) const fn counter(self, block: usize) -> Counter {
        Counter {
            first: self.first,
            block: block as u32,
            stream: self.stream,
        }
    }
}

/// Fills `to` with a sequence of independent standard normal numbers, which is the same for each
/// length, thread and processor. The error of each is a few times the last bit.
pub fn fill_normals(backend: Backend, seed: u64, to: &mut [f64]) {
    backend.run(Fill(Philox::new(seed), to));
}

struct Fill<'a>(Philox, &'a mut [f64]);

impl Kernel for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self(philox, to) = self;
        let mut place = Place {
            first: 0,
            stream: 0,
        };
        for part in to.chunks_mut(BLOCK * LANES) {
            let mut block = [[0.0; LANES]; BLOCK];
            normals(lanes, &philox, place, &mut block);
            part.copy_from_slice(&block.as_flattened()[..part.len()]);
            place.first += LANES as u64;
        }
    }
}

/// Standard normal numbers for sixteen paths, one after the other.
#[inline(always)]
pub(super) fn normals<L: Lanes>(lanes: L, philox: &Philox, place: Place, to: &mut [[f64; LANES]]) {
    for (block, part) in to.chunks_mut(BLOCK).enumerate() {
        let words = philox.blocks(lanes, place.counter(block));
        for (to, number) in part.iter_mut().zip(of_block(lanes, words)) {
            lanes.store(number, to);
        }
    }
}

/// The normal numbers of a block.
#[inline(always)]
pub(super) fn of_block<L: Lanes>(lanes: L, words: [L::I; 4]) -> [L::F; BLOCK] {
    let ([a, b], [c, d]) = (
        pair(lanes, words[0], words[1]),
        pair(lanes, words[2], words[3]),
    );
    [a, b, c, d]
}

/// Numbers between 0 and 1, ends left out, for sixteen paths.
#[inline(always)]
pub(super) fn uniforms<L: Lanes>(lanes: L, philox: &Philox, place: Place, to: &mut [[f64; LANES]]) {
    for (block, part) in to.chunks_mut(BLOCK).enumerate() {
        let words = philox.blocks(lanes, place.counter(block));
        for (to, word) in part.iter_mut().zip(words) {
            lanes.store(uniform(lanes, word), to);
        }
    }
}

/// The middle of one of 2^32 equal parts of the numbers between 0 and 1.
#[inline(always)]
pub(super) fn uniform<L: Lanes>(lanes: L, word: L::I) -> L::F {
    let middle = lanes.splat(WORD / 2.0);
    lanes.mul_add(lanes.exactly_u32(word), lanes.splat(WORD), middle)
}

/// Two normal numbers from two words.
#[inline(always)]
fn pair<L: Lanes>(lanes: L, high: L::I, low: L::I) -> [L::F; 2] {
    let rest = lanes.exactly_u32(lanes.down::<24>(low));
    let rest = lanes.mul_add(rest, lanes.splat(BYTE), lanes.splat(BYTE / 2.0));
    let share = lanes.mul_add(lanes.exactly_u32(high), lanes.splat(WORD), rest);
    let square = lanes.mul(ln(lanes, share), lanes.splat(-2.0));
    let distance = lanes.sqrt(square);

    let direction = lanes.exactly_u32(lanes.and(low, lanes.splat_u32(DIRECTION)));
    let first = lanes.splat(STEP / 2.0 - 0.5);
    let turn = lanes.mul_add(direction, lanes.splat(STEP), first);
    // Half a circle, and the side of it that is reflected.
    let side = lanes.and(lanes.down::<23>(low), lanes.splat_u32(1));
    let sign = lanes.mul_add(lanes.exactly_u32(side), lanes.splat(-2.0), lanes.splat(1.0));
    let around = lanes.mul(turn, turn);
    let sine = lanes.mul(polynomial(lanes, &SINE, around), turn);
    let cosine = lanes.mul(polynomial(lanes, &COSINE, around), sign);
    [lanes.mul(distance, cosine), lanes.mul(distance, sine)]
}
