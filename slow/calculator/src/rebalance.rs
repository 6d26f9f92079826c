//! `rebalance`.

use std::path::PathBuf;

use clap::Args;
use quant::Fault;
use quant::rebalancing::{Holdings, Order, Plan, Rules, rebalance as plan};
use serde_json::{Value, json};

use crate::Refused;
use crate::answer::{Answer, columns, facts};
use crate::table::Table;

/// Whole numbers up to here are exact in a table.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// Arguments of `rebalance`.
#[derive(Debug, Args)]
pub(crate) struct Rebalance {
    /// Positions: columns price (ticks), lot, quantity (units), target_ppm (parts of a million), in
    /// any order, and names of rows if there are any.
    #[arg(value_name = "POSITIONS.csv")]
    file: PathBuf,
    /// Cash, in ticks.
    #[arg(long)]
    cash: i64,
    /// What trading costs, in parts of a million of the notional.
    #[arg(long, default_value_t = 0)]
    fee_ppm: u32,
    /// How far from its target a position may be, in parts of a million of all.
    #[arg(long, default_value_t = 0)]
    band_ppm: u32,
    /// The least notional of an order, in ticks.
    #[arg(long, default_value_t = 0)]
    min_notional: i64,
}

pub(crate) fn rebalance(args: &Rebalance) -> Result<Answer, Refused> {
    let table = Table::read(&args.file)?;
    let [price, lot, quantity, target] = ["price", "lot", "quantity", "target_ppm"]
        .map(|name| table.find(name).and_then(|column| whole(&table, column)));
    let (price, lot, quantity) = (price?, lot?, quantity?);
    let column = table.find("target_ppm")?;
    let targets = target?.into_iter().enumerate().map(|(row, target)| {
        let wrong = |_| table.blame_cell(row, column, "parts of a million are from 0 to a million");
        u32::try_from(target).map_err(wrong)
    });
    let target_ppm = targets.collect::<Result<Vec<u32>, _>>()?;
    let holdings = Holdings {
        price: &price,
        lot: &lot,
        quantity: &quantity,
        target_ppm: &target_ppm,
    };
    let rules = Rules {
        fee_ppm: args.fee_ppm,
        band_ppm: args.band_ppm,
        min_notional: args.min_notional,
    };
    let found = plan(&holdings, args.cash, rules);
    let found = found.map_err(|fault| {
        let row = |wrong: &dyn Fn(usize) -> bool| (0..price.len()).position(wrong);
        let worth = |at: usize| price[at] as f64 * lot[at] as f64;
        let place = match fault {
            Fault::Outside { what, found, .. } => match what {
                "price" => row(&|at| price[at] as f64 == found).map(|row| (row, what)),
                "lot" => row(&|at| lot[at] as f64 == found).map(|row| (row, what)),
                "quantity" => row(&|at| quantity[at] as f64 == found).map(|row| (row, what)),
                "price * lot" => row(&|at| worth(at) == found).map(|row| (row, "lot")),
                _ => None,
            },
            _ => None,
        };
        let cell = place.and_then(|(row, name)| Some((row, table.find(name).ok()?)));
        let told = fault.to_string();
        cell.map_or_else(
            || table.blame(&told),
            |(row, column)| table.blame_cell(row, column, &told),
        )
    })?;
    Ok(Answer {
        text: told(&found, &table, &price),
        json: json!({
            "total": found.total, "cash_after": found.cash_after,
            "sells": orders(&found.sells, &table), "buys": orders(&found.buys, &table),
        }),
        picture: None,
        is_complete: true,
    })
}

fn told(plan: &Plan, table: &Table, price: &[i64]) -> String {
    let sides = [("sell", &plan.sells), ("buy", &plan.buys)];
    let rows = sides.into_iter().flat_map(|(side, orders)| {
        orders.iter().map(move |order| {
            let units = order.quantity.abs();
            let notional = units * price[order.position];
            let name = table.label(order.position);
            vec![
                name,
                side.to_owned(),
                units.to_string(),
                notional.to_string(),
            ]
        })
    });
    let rows: Vec<_> = rows.collect();
    let lines = facts(&[
        ("all is worth", plan.total.to_string()),
        ("cash afterwards", plan.cash_after.to_string()),
    ]);
    if rows.is_empty() {
        return format!("no orders: all is where it should be\n\n{lines}");
    }
    let head = ["position", "side", "units", "notional"];
    format!("{}\n{lines}", columns(&head, &rows))
}

fn orders(orders: &[Order], table: &Table) -> Vec<Value> {
    let told = |order: &Order| {
        json!({
            "position": order.position, "name": table.label(order.position),
            "quantity": order.quantity,
        })
    };
    orders.iter().map(told).collect()
}

fn whole(table: &Table, column: usize) -> Result<Vec<i64>, Refused> {
    let cells = table.column(column).enumerate();
    let whole = cells.map(|(row, x)| {
        if x.fract() == 0.0 && x.abs() < WHOLE_MAX {
            return Ok(x as i64);
        }
        Err(table.blame_cell(row, column, &format!("{x} is no whole number")))
    });
    whole.collect()
}
