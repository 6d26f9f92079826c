//! Volume-weighted average price.

use super::{common, tail, total};
use crate::arch::{Backend, Kernel, LANES, Lanes};

impl Backend {
    /// The sum of prices times volumes by the sum of volumes, of as many trades as the shorter
    /// series has. Without volume the last price; `None` of none.
    #[must_use]
    pub fn vwap(self, prices: &[f64], volumes: &[f64]) -> Option<f64> {
        let (prices, volumes) = common(prices, volumes);
        let last = *prices.last()?;
        let (value, volume) = self.run(Weigh(prices, volumes));
        Some(if volume == 0.0 { last } else { value / volume })
    }
}

struct Weigh<'a>(&'a [f64], &'a [f64]);

impl Kernel for Weigh<'_> {
    type Output = (f64, f64);

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> (f64, f64) {
        let (whole_p, rest_p) = self.0.as_chunks::<LANES>();
        let (whole_v, rest_v) = self.1.as_chunks::<LANES>();
        let (mut values, mut volumes) = (lanes.splat(0.0), lanes.splat(0.0));
        let (rest_p, rest_v) = ([tail(rest_p, 0.0)], [tail(rest_v, 0.0)]);
        for (prices, units) in whole_p
            .iter()
            .zip(whole_v)
            .chain(rest_p.iter().zip(&rest_v))
        {
            let units = lanes.load(units);
            values = lanes.mul_add(lanes.load(prices), units, values);
            volumes = lanes.add(volumes, units);
        }
        (total(lanes, values), total(lanes, volumes))
    }
}
