//! The numbers of instruments as a table, and their best levels.

use std::fmt::Write as _;

use trading::Decimal;
use wire::ring::Side;

use crate::board::Page;

/// The pages as a table; empty for none.
#[must_use]
pub fn table(pages: &[Page]) -> String {
    if pages.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "{:<24} {:>11} {:>11} {:>13} {:>6} {:>6} {:>14} {:>8} {:>8} {:>9}\n",
        "market",
        "bid",
        "offer",
        "microprice",
        "imbal",
        "5 lev",
        "order flow",
        "vol bp",
        "trades",
        "updates"
    );
    for page in pages {
        let it = &page.line;
        let _ = writeln!(
            text,
            "{:<24} {:>11} {:>11} {:>13} {:>6} {:>6} {:>14} {:>8} {:>8} {:>9}{}",
            format!("{} {}", page.name(), page.venue()),
            price(page, it.bid),
            price(page, it.offer),
            page.price_between(it.microprice),
            number(it.imbalance[0]),
            number(it.imbalance[1]),
            decimal(page.quantity(it.order_flow)),
            number(it.volatility * 1e4),
            it.trades,
            it.updates,
            if page.is_running() { "" } else { "  ended" },
        );
    }
    text
}

/// The best levels of an instrument, side by side; empty where the feed tells none.
#[must_use]
pub fn levels(page: &Page) -> String {
    let mut text = String::new();
    let [mut bids, mut offers] = [Side::Buy, Side::Sell].map(|side| page.levels(side));
    loop {
        let (bid, offer) = (bids.next(), offers.next());
        if (bid, offer) == (None, None) {
            return text;
        }
        if text.is_empty() {
            let _ = writeln!(text, "\n{} {}", page.name(), page.venue());
        }
        let [bid, offer] = [bid, offer].map(Option::unwrap_or_default);
        let quantity = |level: [i64; 2]| decimal(page.quantity(level[1]).filter(|_| level[1] > 0));
        let _ = writeln!(
            text,
            "{:>18} {:>12} | {:<12} {:<18}",
            quantity(bid),
            price(page, bid),
            price(page, offer),
            quantity(offer)
        );
    }
}

/// The price of a level, if anything stands there.
fn price(page: &Page, level: [i64; 2]) -> String {
    match level[1] {
        0 => "-".to_owned(),
        _ => decimal(page.price(level[0])),
    }
}

fn decimal(it: Option<Decimal>) -> String {
    it.map_or("-".to_owned(), |it| it.to_string())
}

fn number(it: f64) -> String {
    if it.is_nan() {
        "-".to_owned()
    } else {
        format!("{it:.2}")
    }
}
