//! `wirecross.rebalancing`: target weights as orders of whole lots.

use numpy::{PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;
use quant::rebalancing::{Holdings, Order, Rules};

use crate::arrays::{flat, refused, rows};

/// Orders that bring positions to their targets.
#[pyclass(frozen, get_all, module = "wirecross.rebalancing")]
pub(crate) struct Plan {
    /// What all is worth before, in ticks.
    total: i64,
    /// First these: rows of a position's number and its units, below 0.
    sells: Py<PyArray2<i64>>,
    /// Then these.
    buys: Py<PyArray2<i64>>,
    /// Cash after all of them, in ticks.
    cash_after: i64,
}

/// Finds orders that bring positions to target weights, sells first, cash never negative.
///
/// price (ticks a unit), lot, quantity (units), target_ppm (parts of a million): arrays of int64;
/// cash and min_notional in ticks; fee_ppm and band_ppm in parts of a million.
#[pyfunction]
#[pyo3(signature = (price, lot, quantity, target_ppm, cash, *, fee_ppm=0, band_ppm=0,
    min_notional=0))]
#[expect(clippy::too_many_arguments, reason = "by name, as Python has them")]
pub(crate) fn rebalance(
    py: Python<'_>,
    price: PyReadonlyArray1<'_, i64>,
    lot: PyReadonlyArray1<'_, i64>,
    quantity: PyReadonlyArray1<'_, i64>,
    target_ppm: PyReadonlyArray1<'_, i64>,
    cash: i64,
    fee_ppm: u32,
    band_ppm: u32,
    min_notional: i64,
) -> PyResult<Plan> {
    let (price, lot) = (flat("price", &price)?, flat("lot", &lot)?);
    let (quantity, wanted) = (
        flat("quantity", &quantity)?,
        flat("target_ppm", &target_ppm)?,
    );
    let mut targets = Vec::with_capacity(wanted.len());
    for (at, target) in wanted.iter().enumerate() {
        let target = u32::try_from(*target);
        let outside = |_| refused(format!("target_ppm[{at}]: not between 0 and 1000000"));
        targets.push(target.map_err(outside)?);
    }
    let holdings = Holdings {
        price: &price,
        lot: &lot,
        quantity: &quantity,
        target_ppm: &targets,
    };
    let rules = Rules {
        fee_ppm,
        band_ppm,
        min_notional,
    };
    let plan = py.detach(|| quant::rebalancing::rebalance(&holdings, cash, rules));
    let plan = plan.map_err(refused)?;
    Ok(Plan {
        total: plan.total,
        sells: orders(py, &plan.sells)?,
        buys: orders(py, &plan.buys)?,
        cash_after: plan.cash_after,
    })
}

fn orders(py: Python<'_>, orders: &[Order]) -> PyResult<Py<PyArray2<i64>>> {
    let pair = |order: &Order| [order.position as i64, order.quantity];
    rows(py, orders.iter().flat_map(pair).collect(), 2)
}
