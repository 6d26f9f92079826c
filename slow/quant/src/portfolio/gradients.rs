//! What is done with each asset once a step: reduced gradients, and the proof of a portfolio.

use analytics::arch::{Kernel, LANES, Lanes};

use super::optimum::Certificate;

/// Takes off covariances with a portfolio what assets return and what equalities pay for: the
/// greatest number that goes into a reduced gradient.
pub(super) struct Reduce<'a> {
    pub held: &'a mut [f64],
    pub pull: &'a [f64],
    /// Coefficients.
    pub equalities: &'a [(&'a [f64], f64)],
    pub multipliers: &'a [f64],
}

impl Kernel for Reduce<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> f64 {
        let mut scale = lanes.splat(0.0);
        for (at, held) in self.held.chunks_mut(LANES).enumerate() {
            let (pull, mut x) = (load(lanes, self.pull, at), load(lanes, held, 0));
            scale = lanes.max(scale, lanes.max(size(lanes, x), size(lanes, pull)));
            x = lanes.sub(x, pull);
            for ((row, _), multiplier) in self.equalities.iter().zip(self.multipliers) {
                x = lanes.mul_add(load(lanes, row, at), lanes.splat(-multiplier), x);
            }
            let mut all = [0.0; LANES];
            lanes.store(x, &mut all);
            held.copy_from_slice(&all[..held.len()]);
        }
        greatest(lanes, scale)
    }
}

/// Bounds, stationarity and gap of weights with such reduced gradients by aversion.
pub(super) struct Prove<'a> {
    pub weights: &'a [f64],
    pub reduced: &'a [f64],
    pub lower: &'a [f64],
    pub upper: &'a [f64],
    pub aversion: f64,
    /// Of all weights, without their signs.
    pub whole: f64,
}

impl Kernel for Prove<'_> {
    type Output = Certificate;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Certificate {
        let zero = lanes.splat(0.0);
        let [aversion, whole] = [self.aversion, self.whole].map(|x| lanes.splat(x));
        let (mut bound, mut stationarity, mut gap) = (zero, zero, zero);
        for at in 0..self.weights.len().div_ceil(LANES) {
            let of = |numbers| load(lanes, numbers, at);
            let weight = of(self.weights);
            let [down, up] = [
                lanes.sub(weight, of(self.lower)),
                lanes.sub(of(self.upper), weight),
            ];
            bound = lanes.max(bound, lanes.sub(zero, lanes.min(down, up)));
            let reduced = lanes.mul(aversion, of(self.reduced));
            let way = lanes.where_less(zero, reduced, down, lanes.min(up, whole));
            let size = size(lanes, reduced);
            stationarity = lanes.max(stationarity, lanes.min(size, way));
            gap = lanes.mul_add(size, lanes.max(way, zero), gap);
        }
        Certificate {
            equality: 0.0,
            bound: greatest(lanes, bound),
            stationarity: greatest(lanes, stationarity),
            gap: analytics::kernels::total(lanes, gap),
        }
    }
}

/// When the first of the assets at bounds would gain by leaving, and which it is.
pub(super) struct Leave<'a> {
    /// Reduced gradients: `fixed + t * moving`.
    pub reduced: [&'a [f64]; 2],
    /// 1 at a lower bound, -1 at an upper one, 0 where an asset cannot leave.
    pub sides: &'a [f64],
    /// A movement up to here is none.
    pub still: f64,
    /// Nothing is before this.
    pub from: f64,
}

impl Kernel for Leave<'_> {
    type Output = Option<(f64, usize)>;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Self::Output {
        let never = lanes.splat(f64::INFINITY);
        let [zero, still, from] = [0.0, -self.still, self.from].map(|x| lanes.splat(x));
        let (mut first, mut places) = (never, zero);
        for at in 0..self.sides.len().div_ceil(LANES) {
            let [fixed, moving] = self.reduced.map(|numbers| load(lanes, numbers, at));
            let gain = lanes.mul(load(lanes, self.sides, at), moving);
            let reached = lanes.sub(zero, lanes.div(fixed, moving));
            let when = lanes.where_less(gain, still, lanes.max(reached, from), never);
            places = lanes.where_less(when, first, lanes.splat(at as f64), places);
            first = lanes.min(when, first);
        }
        let (mut times, mut tiles) = ([0.0; LANES], [0.0; LANES]);
        lanes.store(first, &mut times);
        lanes.store(places, &mut tiles);
        let all = times.into_iter().zip(tiles).enumerate();
        let all = all.map(|(lane, (time, tile))| (time, tile as usize * LANES + lane));
        let found = all.filter(|(time, _)| *time < f64::INFINITY);
        found.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
    }
}

/// Sixteen of the numbers, zeros behind the last one.
#[inline(always)]
fn load<L: Lanes>(lanes: L, numbers: &[f64], at: usize) -> L::F {
    let rest = &numbers[at * LANES..];
    if let Some(all) = rest.first_chunk() {
        return lanes.load(all);
    }
    let mut all = [0.0; LANES];
    all[..rest.len()].copy_from_slice(rest);
    lanes.load(&all)
}

#[inline(always)]
fn size<L: Lanes>(lanes: L, x: L::F) -> L::F {
    lanes.max(x, lanes.sub(lanes.splat(0.0), x))
}

#[inline(always)]
fn greatest<L: Lanes>(lanes: L, x: L::F) -> f64 {
    let mut all = [0.0; LANES];
    lanes.store(x, &mut all);
    all.into_iter().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use analytics::arch::Backend;

    const COUNTS: [usize; 8] = [1, 2, 15, 16, 17, 31, 40, 100];

    /// Numbers of all sizes, zeros with either sign, and some that are the same.
    fn numbers(count: usize, seed: usize) -> Vec<f64> {
        let number = |at: usize| match (at * 5 + seed) % 7 {
            0 => 0.0,
            1 => -0.0,
            2 => 0.25,
            _ => ((at * 13 + seed * 29) as f64).sin() * 10_f64.powi((at % 5) as i32 - 2),
        };
        (0..count).map(number).collect()
    }

    fn bits(numbers: &[f64]) -> Vec<u64> {
        numbers.iter().map(|x| x.to_bits()).collect()
    }

    #[test]
    fn all_backends_reduce_with_the_same_bits() {
        for count in COUNTS {
            let [pull, one, two] = [1, 2, 3].map(|seed| numbers(count, seed));
            let equalities = [(&one[..], 1.0), (&two[..], 2.0)];
            let multipliers = [0.3, -1.7];
            for backend in Backend::all() {
                let before = numbers(count, 4);
                let mut held = before.clone();
                let scale = backend.run(Reduce {
                    held: &mut held,
                    pull: &pull,
                    equalities: &equalities,
                    multipliers: &multipliers,
                });
                let due = (0..count).map(|at| {
                    let x = one[at].mul_add(-multipliers[0], before[at] - pull[at]);
                    two[at].mul_add(-multipliers[1], x)
                });
                assert_eq!(bits(&held), bits(&due.collect::<Vec<_>>()), "{count}");
                let all = before.iter().chain(&pull);
                assert_eq!(scale, all.fold(0.0, |most, x| x.abs().max(most)));
            }
        }
    }

    #[test]
    fn all_backends_prove_with_the_same_bits() {
        for count in COUNTS {
            let [weights, reduced, lower] = [1, 2, 3].map(|seed| numbers(count, seed));
            let mut upper: Vec<f64> = lower.iter().map(|x| x + 0.5).collect();
            upper.iter_mut().step_by(3).for_each(|x| *x = f64::INFINITY);
            let of = |backend: Backend| {
                let proof = backend.run(Prove {
                    weights: &weights,
                    reduced: &reduced,
                    lower: &lower,
                    upper: &upper,
                    aversion: 3.5,
                    whole: 7.0,
                });
                let Certificate {
                    equality,
                    bound,
                    stationarity,
                    gap,
                } = proof;
                bits(&[equality, bound, stationarity, gap])
            };
            let all: Vec<_> = Backend::all().into_iter().map(of).collect();
            assert!(all.iter().all(|it| *it == all[0]), "{count}");
            let ways = (0..count).map(|at| {
                let (down, up) = (weights[at] - lower[at], upper[at] - weights[at]);
                let reduced = 3.5 * reduced[at];
                let way = if reduced > 0.0 { down } else { up.min(7.0) };
                (reduced.abs(), way, -down.min(up))
            });
            let [mut bound, mut stationarity, mut gap] = [0.0_f64; 3];
            for (size, way, beyond) in ways {
                bound = bound.max(beyond);
                stationarity = stationarity.max(size.min(way));
                gap += size * way.max(0.0);
            }
            assert_eq!(bits(&[bound, stationarity]), all[0][1..3], "{count}");
            let found = f64::from_bits(all[0][3]);
            assert!((found - gap).abs() <= 1e-13 * gap, "{found} {gap}");
        }
    }

    #[test]
    fn all_backends_find_the_same_who_leaves_first() {
        let mut found_any = 0;
        for (count, seed) in COUNTS
            .into_iter()
            .flat_map(|it| [(it, 1), (it, 4), (it, 6)])
        {
            let [fixed, moving] = [1, 2].map(|of| numbers(count, of * seed));
            let side = |at: usize| [1.0, -1.0, 0.0][(at * seed + 1) % 3];
            let sides: Vec<f64> = (0..count).map(side).collect();
            let (still, from) = (1e-3, -0.5);
            let due = (0..count).filter(|at| sides[*at] * moving[*at] < -still);
            let due = due.map(|at| ((0.0 - fixed[at] / moving[at]).max(from), at));
            let due = due.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            found_any += usize::from(due.is_some());
            for backend in Backend::all() {
                let found = backend.run(Leave {
                    reduced: [&fixed, &moving],
                    sides: &sides,
                    still,
                    from,
                });
                assert_eq!(found, due, "{count} {seed}");
            }
        }
        assert!(found_any > 12, "{found_any}");
    }
}
