//! What each query must give: the rows' rule alone, without tables.

use crate::made::{
    AUDITS_A_DAY, BARS, BEGAN_NS, Made, SYMBOLS, audited, bar, moment, symbol_of, turned_ns, turns,
};
use store::query::{Filter, ROWS_MAX, WIDTH_S};

impl Made {
    /// The rows that a query must give, as it writes them.
    pub fn answer(&self, name: &str, filter: &Filter) -> Vec<String> {
        let days = || 1..=self.days;
        let is_in = |time_ns: i64| {
            filter.from_ns.is_none_or(|from| time_ns >= from)
                && filter.to_ns.is_none_or(|to| time_ns < to)
        };
        let is_of = |symbol: &str| filter.symbol.as_deref().is_none_or(|it| it == symbol);
        let is_by = |account: u64| filter.account.is_none_or(|it| u64::from(it) == account);
        let limit = ROWS_MAX as usize;
        let most = if filter.is_newest_first {
            usize::MAX
        } else {
            limit
        };
        let mut rows: Vec<String> = match name {
            "open-orders" => (0..self.orders_a_day)
                .map(|number| self.order(self.days, number))
                .filter(|it| it.is_live && is_of(&it.symbol) && is_by(it.account))
                .filter(|it| is_in(it.entered_ns))
                .take(most)
                .map(|it| it.row())
                .collect(),
            "trades" => self
                .trades()
                .filter(|it| is_in(it.time_ns) && is_of(&it.symbol))
                .take(most)
                .map(|it| it.row())
                .collect(),
            "tape" => self
                .trades()
                .filter(|it| is_in(it.time_ns) && is_of(&it.symbol))
                .take(most)
                .map(|it| it.tape_row())
                .collect(),
            "fills" => self
                .trades()
                .filter(|it| is_in(it.time_ns) && is_of(&it.symbol))
                .flat_map(|it| [0, 1].map(|side| (it.accounts[side], it.fill_row(side))))
                .filter(|(account, _)| is_by(*account))
                .take(most)
                .map(|(_, row)| row)
                .collect(),
            "bars" => {
                let at = BARS.iter().find(|it| it.0 == i64::from(WIDTH_S));
                let (width_s, count) = at.copied().unwrap_or_default();
                let all = days().flat_map(|day| (0..count).map(move |it| (day, it)));
                let all = all.flat_map(|at| (0..SYMBOLS).map(move |symbol| (at, symbol)));
                all.filter(|(_, symbol)| is_of(&symbol_of(*symbol)))
                    .map(|((day, it), symbol)| (symbol, bar(symbol, (width_s, count), day, it)))
                    .filter(|(_, (start_ns, _))| is_in(*start_ns))
                    .take(most)
                    .map(|(symbol, (start_ns, [open, high, low, close, units]))| {
                        let symbol = symbol_of(symbol);
                        let value = units * close;
                        format!(
                            "{symbol}\t{width_s}\t{start_ns}\t{open}\t{high}\t{low}\t{close}\t\
                             {units}\t{value}\t1"
                        )
                    })
                    .collect()
            }
            "positions" => self
                .positions()
                .filter(|it| is_by(it.0) && is_of(&symbol_of(it.1)))
                .flat_map(|it| days().map(move |day| (it, day, Self::sums(it, day))))
                .take(most)
                .map(|((account, symbol), day, [bought, paid, sold, taken])| {
                    let (symbol, position) = (symbol_of(symbol), bought - sold);
                    format!(
                        "{account}\t{symbol}\t{day}\t{position}\t{bought}\t{paid}\t{sold}\t{taken}"
                    )
                })
                .collect(),
            "profits" => self
                .positions()
                .filter(|it| is_by(it.0) && is_of(&symbol_of(it.1)))
                .take(most)
                .map(|it| profit(it, self.days))
                .collect(),
            "audit" => days()
                .flat_map(|day| (0..AUDITS_A_DAY).map(move |it| (day, it)))
                .map(|(day, it)| (day, moment(day, it, AUDITS_A_DAY), audited(day, it)))
                .filter(|(_, time_ns, (account, symbol))| {
                    is_in(*time_ns) && is_of(symbol) && is_by(*account as u64)
                })
                .take(most)
                .map(|(day, time_ns, (account, symbol))| {
                    format!(
                        "{day}\t{time_ns}\tKill\t1000\tby rule\t1\t{account}\t{symbol}\t0\t0\t0"
                    )
                })
                .collect(),
            "turns" => days()
                .flat_map(|day| turns().map(move |turn| (day, turn)))
                .map(|(day, (number, symbol, state))| (day, turned_ns(day, number), symbol, state))
                .filter(|(_, time_ns, symbol, _)| is_in(*time_ns) && is_of(symbol))
                .take(most)
                .map(|(day, time_ns, symbol, state)| format!("{day}\t{time_ns}\t{symbol}\t{state}"))
                .collect(),
            _ => (0..SYMBOLS)
                .map(symbol_of)
                .filter(|symbol| is_of(symbol))
                .map(|symbol| format!("{symbol}\t{BEGAN_NS}\t1000\t5\t1100\t7"))
                .collect(),
        };
        if filter.is_newest_first {
            rows.reverse();
            rows.truncate(limit);
        }
        rows
    }
}

/// A row of profits: what was bought and sold on all days, at the last hour's last price.
fn profit((account, symbol): (u64, u64), days: i64) -> String {
    let mut all = [0; 4];
    for day in 1..=days {
        let sums = Made::sums((account, symbol), day);
        all.iter_mut().zip(sums).for_each(|(all, one)| *all += one);
    }
    let [bought, paid, sold, taken] = all;
    let (width_s, count) = BARS[2];
    let (_, [.., mark, _]) = bar(symbol, (width_s, count), days, count - 1);
    let (position, cash) = (bought - sold, taken - paid);
    let profit = cash + position * mark;
    let each = taken as f64 / sold as f64 - paid as f64 / bought as f64;
    let realised = (bought.min(sold) as f64 * each).round() as i64;
    let (symbol, unrealised) = (symbol_of(symbol), profit - realised);
    format!("{account}\t{symbol}\t{position}\t{cash}\t{mark}\t{profit}\t{realised}\t{unrealised}")
}
