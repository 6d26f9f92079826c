//! Queries in the words that PostgreSQL answers best.

/// Trades, as a query asks for them: what narrows them follows, and then their order.
const TRADES: &str = " FROM trades WHERE true";

/// Where they are had from: a buyer's row, and who stands behind it. Both sides of a trade have its
/// symbol and its time, and the seller's id is the next one; so they are neighbours in each index
/// that leads to them, and no row is looked up by its id, which takes longer than all the rest.
const SIDES: &str = " FROM (SELECT id, id >> 48 AS day, \
    (id & 281474976710655) >> 1 AS match_number, symbol, time_ns, units, price, \
    account AS buyer, CASE WHEN max(id) OVER other = id + 1 THEN max(account) OVER other END \
    AS seller, broken FROM fills WHERE true";

/// What stands behind what narrows them: the seller is the next one, or the one before where the
/// newest trades come first.
const PAIRED: &str = " WINDOW other AS (ORDER BY time_ns, id \
    ROWS BETWEEN 1 FOLLOWING AND 1 FOLLOWING)) sides WHERE id & 1 = 0";
const PAIRED_BACK: &str = " WINDOW other AS (ORDER BY time_ns DESC, id DESC \
    ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING)) sides WHERE id & 1 = 0";

/// A symbol's last price as profits ask for it, for each row: from here to there.
const LAST: [&str; 2] = ["(SELECT close FROM bars b ", "LIMIT 1)"];

/// Whose rows these are.
const HOLDINGS: &str = "FROM holdings h";

/// The same query: halves are rounded as SQLite rounds them, trades are pairs of neighbours, and a
/// symbol's last price is looked up once.
pub fn of(text: &str) -> String {
    let text = joined(text.replace("round(", "round_half("));
    let Some((columns, rest)) = text.split_once(TRADES) else {
        return text;
    };
    let order = rest.rfind(" ORDER BY ").unwrap_or(rest.len());
    let (narrowed, order) = rest.split_at(order);
    let paired = match order.contains(" DESC") {
        true => PAIRED_BACK,
        false => PAIRED,
    };
    format!("{columns}{SIDES}{narrowed}{paired}{order}")
}

/// Has a last price of each row joined to it: the server keeps what it found of a symbol for that
/// symbol's next row, which it does not do for what stands among the columns.
fn joined(text: String) -> String {
    let [begin, end] = LAST;
    let begin = text.find(begin);
    let found = begin.and_then(|at| Some(at..at + text[at..].find(end)? + end.len()));
    let Some(last) = found.map(|range| text[range].to_owned()) else {
        return text;
    };
    let joined = format!("{HOLDINGS} LEFT JOIN LATERAL {last} last ON true");
    text.replace(&last, "last.close").replace(HOLDINGS, &joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_price_is_joined_and_not_looked_up_for_each_row() {
        let asked = "SELECT coalesce((SELECT close FROM bars b WHERE b.symbol = h.symbol LIMIT 1), \
                     0) AS mark FROM holdings h WHERE true LIMIT 9";
        let due = "SELECT coalesce(last.close, 0) AS mark FROM holdings h LEFT JOIN LATERAL \
                   (SELECT close FROM bars b WHERE b.symbol = h.symbol LIMIT 1) last ON true \
                   WHERE true LIMIT 9";
        assert_eq!(of(asked), due);
    }

    #[test]
    fn what_narrows_trades_narrows_their_sides() {
        let asked = "SELECT day, seller FROM trades WHERE true AND symbol = $1 AND time_ns < $2 \
                     ORDER BY time_ns, id LIMIT 7";
        let said = of(asked);
        let (head, rest) = said
            .split_once(" FROM fills WHERE true")
            .unwrap_or_default();
        assert!(
            head.starts_with("SELECT day, seller FROM (SELECT id, "),
            "{said}"
        );
        assert!(
            rest.starts_with(" AND symbol = $1 AND time_ns < $2 WINDOW "),
            "{said}"
        );
        assert!(
            rest.ends_with(" WHERE id & 1 = 0 ORDER BY time_ns, id LIMIT 7"),
            "{said}"
        );
        let newest = of("SELECT day FROM trades WHERE true ORDER BY time_ns DESC, id DESC LIMIT 7");
        assert!(
            newest.contains("ORDER BY time_ns DESC, id DESC ROWS BETWEEN 1 PRECEDING"),
            "{newest}"
        );
        assert_eq!(
            of("SELECT round(1) FROM tops"),
            "SELECT round_half(1) FROM tops"
        );
    }
}
