//! Tables of hostile days against the same days run through the naive model.
#![allow(clippy::unwrap_used)]

mod venue;

use flow::naive::{Naive, increments};
use serde_json::Value;
use std::collections::BTreeMap;
use store::query::{Filter, Reader, names, parameters};
use venue::{Site, told_inputs};
use wire::ring::{CommandKind, Event, EventKind, Input, Side};

const DAY: &str = "2026010101";
const INPUTS: usize = 4_000;

/// What a day comes to, by the model.
#[derive(Default)]
struct Recomputed {
    /// Session numbers above these were granted.
    users: u16,
    accounts: BTreeMap<u16, u32>,
    symbols: BTreeMap<u16, String>,
    /// Units and values of each account and symbol, bought and sold.
    positions: BTreeMap<(u32, String), [[i64; 2]; 2]>,
    /// Trades by match number: symbol, time, price, units; the buyer's and the seller's accounts.
    trades: BTreeMap<u64, (String, u64, i64, i64, [u32; 2])>,
    broken: Vec<u64>,
    /// Sides of trades that users had for accounts beside their first one.
    further_fills: usize,
    open_orders: usize,
}

/// Runs a day. Of a bust that names what was not so only those sides count that traded.
fn recomputed(inputs: &[Input]) -> Recomputed {
    let mut model = Naive::offering(increments::OFFERED);
    let mut all = Recomputed {
        users: venue::shadowed::topology().users.len() as u16,
        ..Recomputed::default()
    };
    for input in inputs {
        if input.command.kind == CommandKind::DefineSymbol as u8 {
            let name = String::from_utf8_lossy(&input.command.client_id[..8]);
            let name = name.trim_end().to_owned();
            all.symbols.entry(input.command.symbol).or_insert(name);
        }
        for event in model.apply(input) {
            all.take(&event, input.time_ns);
        }
    }
    all.open_orders = model.live_orders();
    all
}

impl Recomputed {
    fn take(&mut self, event: &Event, time_ns: u64) {
        let side = usize::from(event.side == Side::Sell as u8);
        let units = i64::from(event.quantity);
        match EventKind::from_byte(event.kind) {
            Some(EventKind::SessionDefined | EventKind::Granted) => {
                self.accounts.insert(event.session, event.user_ref);
            }
            Some(EventKind::Executed) => {
                self.further_fills += usize::from(event.session > self.users);
                let symbol = self.symbols[&event.symbol].clone();
                let account = self.accounts[&event.session];
                let moved = (account, symbol.clone(), side);
                self.moved(moved, units, event.price);
                let trade = (symbol, time_ns, event.price, units, [0; 2]);
                let trade = self.trades.entry(event.related).or_insert(trade);
                trade.4[side] = account;
            }
            Some(EventKind::Broken) => self.broken.push(event.related),
            _ => {}
        }
    }

    fn moved(&mut self, (account, symbol, side): (u32, String, usize), units: i64, price: i64) {
        let sums = self.positions.entry((account, symbol)).or_default();
        sums[side][0] += units;
        sums[side][1] += units * price;
    }

    /// Takes a trade's side back.
    fn broke(&mut self, match_number: u64, side: usize) {
        let (symbol, _, price, units, accounts) = self.trades[&match_number].clone();
        self.moved((accounts[side], symbol, side), -units, price);
    }
}

fn number(row: &Value, column: &str) -> i64 {
    row[column]
        .as_i64()
        .unwrap_or_else(|| panic!("{column} of {row}"))
}

fn text(row: &Value, column: &str) -> String {
    row[column].as_str().unwrap().to_owned()
}

/// Compares trades; takes from the model's positions what the tables say to be broken. That no
/// more is broken than the model's busts name is looked at, too.
fn trades_agree(site: &Site, model: &mut Recomputed) {
    let rows = site.rows(&["trades"]);
    assert_eq!(rows.len(), model.trades.len());
    for row in &rows {
        let match_number = number(row, "match_number") as u64;
        let (symbol, time_ns, price, units, [buyer, seller]) = model.trades[&match_number].clone();
        assert_eq!(text(row, "symbol"), symbol, "{row}");
        assert_eq!(number(row, "time_ns") as u64, time_ns, "{row}");
        assert_eq!(
            (number(row, "price"), number(row, "units")),
            (price, units),
            "{row}"
        );
        assert_eq!(number(row, "buyer"), i64::from(buyer), "{row}");
        assert_eq!(number(row, "seller"), i64::from(seller), "{row}");
    }
    let text = "SELECT (id & 281474976710655) >> 1, id & 1 FROM fills WHERE broken IS NOT NULL";
    for row in site.sql(text) {
        let (match_number, side) = (row[0].parse().unwrap(), row[1].parse().unwrap());
        assert!(model.broken.contains(&match_number));
        model.broke(match_number, side);
    }
}

/// Bars of one width from the trades that stand, as `bars` lists them.
fn bars(trades: &[Value], width_s: i64) -> BTreeMap<(String, i64), [i64; 7]> {
    let mut bars = BTreeMap::<_, [i64; 7]>::new();
    for trade in trades.iter().filter(|trade| trade["broken"].is_null()) {
        let width_ns = width_s * 1_000_000_000;
        let start = number(trade, "time_ns") / width_ns * width_ns;
        let (price, units) = (number(trade, "price"), number(trade, "units"));
        let bar = bars.entry((text(trade, "symbol"), start));
        let [_, high, low, close, all, value, count] =
            bar.or_insert([price, price, price, price, 0, 0, 0]);
        (*high, *low, *close) = ((*high).max(price), (*low).min(price), price);
        (*all, *value, *count) = (*all + units, *value + price * units, *count + 1);
    }
    bars
}

fn bars_agree(site: &Site) {
    let trades = site.rows(&["trades"]);
    for width_s in [1, 60, 3_600] {
        let rows = site.rows(&["bars", "--width", &width_s.to_string()]);
        let columns = ["open", "high", "low", "close", "units", "value", "trades"];
        let found = rows.iter().map(|row| {
            let key = (text(row, "symbol"), number(row, "start_ns"));
            (key, columns.map(|column| number(row, column)))
        });
        assert_eq!(found.collect::<BTreeMap<_, _>>(), bars(&trades, width_s));
    }
}

fn positions_agree(site: &Site, model: &Recomputed) {
    let rows = site.rows(&["positions"]);
    let found = rows.iter().map(|row| {
        let key = (number(row, "account") as u32, text(row, "symbol"));
        let sums = ["bought_units", "bought_value", "sold_units", "sold_value"];
        let [bought, bought_value, sold, sold_value] = sums.map(|sum| number(row, sum));
        (key, [[bought, bought_value], [sold, sold_value]])
    });
    assert_eq!(found.collect::<BTreeMap<_, _>>(), model.positions);
    for row in site.rows(&["profits"]) {
        let sum = number(&row, "realised") + number(&row, "unrealised");
        let marked = number(&row, "cash") + number(&row, "position") * number(&row, "mark");
        assert_eq!((number(&row, "profit"), sum), (marked, marked), "{row}");
    }
}

fn hostile_days_are_what_the_model_says(site: &Site) {
    let (mut busts, mut further) = (0, 0);
    for seed in 1..=4 {
        let site = site.another();
        let inputs = told_inputs(seed, INPUTS);
        site.live(DAY, seed, &inputs);
        site.succeeds(&["project"]);
        let mut model = recomputed(&inputs);
        trades_agree(&site, &mut model);
        positions_agree(&site, &model);
        bars_agree(&site);
        assert_eq!(site.rows(&["open-orders"]).len(), model.open_orders);
        site.agrees();
        busts += model.broken.len();
        further += model.further_fills;
    }
    assert!(busts > 0, "no trade was taken back");
    assert!(further > 0, "nobody traded for a further account");
}

/// The day that a released version left behind, in the folder of the appliance's golden days.
fn a_day_of_the_first_version_is_read_as_today(site: &Site) {
    let golden = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../appliance/tests/golden_venue/0.1.0"
    );
    std::fs::create_dir(site.day(DAY)).unwrap();
    for file in std::fs::read_dir(golden).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        let mut bytes = std::fs::read(file.path()).unwrap();
        if name.starts_with("journal-") {
            // It is kept without the zeros behind it; its opening record says how many blocks.
            let blocks = u32::from_le_bytes(bytes[12..16].try_into().unwrap());
            bytes.resize(blocks as usize * journal::BLOCK_BYTES, 0);
        }
        std::fs::write(site.day(DAY).join(name), bytes).unwrap();
    }
    // A day behind it says that nothing more is written.
    site.live_day("2026010102", 1, 300);
    site.succeeds(&["project"]);
    let is_first = |row: &&Value| row["day"] == 1;
    let positions = site.rows(&["positions"]);
    let positions: Vec<&Value> = positions.iter().filter(is_first).collect();
    let bought: i64 = positions
        .iter()
        .map(|row| number(row, "bought_units"))
        .sum();
    let sold: i64 = positions.iter().map(|row| number(row, "sold_units")).sum();
    let trades = site.rows(&["trades"]);
    let traded = trades
        .iter()
        .filter(is_first)
        .filter(|row| row["broken"].is_null());
    let traded: i64 = traded.map(|row| number(row, "units")).sum();
    assert!(traded > 0);
    assert_eq!((bought, sold), (traded, traded));
}

fn small_transactions_and_large_ones_end_in_the_same_tables(site: &Site) {
    site.live_day(DAY, 5, INPUTS);
    site.succeeds(&["project", "--batch", "37"]);
    // Bars came piece by piece and session by session: out of order.
    bars_agree(site);
    site.agrees();
}

fn queries_are_narrowed_by_what_they_have(site: &Site) {
    site.live_day(DAY, 6, INPUTS);
    site.succeeds(&["project"]);
    let all = site.rows(&["trades"]);
    let (from, to) = (
        number(&all[10], "time_ns"),
        number(&all[all.len() - 10], "time_ns"),
    );
    let (from_text, to_text) = (from.to_string(), to.to_string());
    let asked = [
        "trades", "--symbol", "AAPL", "--from", &from_text, "--to", &to_text,
    ];
    let is_asked = |row: &&Value| {
        let time_ns = number(row, "time_ns");
        row["symbol"] == "AAPL" && time_ns >= from && time_ns < to
    };
    let due: Vec<Value> = all.iter().filter(is_asked).cloned().collect();
    assert!(!due.is_empty());
    assert_eq!(site.rows(&asked), due);
    let of_account = site.rows(&["positions", "--account", "2"]);
    assert!(of_account.iter().all(|row| row["account"] == 2) && !of_account.is_empty());
    assert!(!site.rows(&["audit"]).is_empty());
    assert!(!site.rows(&["tops"]).is_empty());
    let said = site.fails(2, &["query", "tops", "--account", "2"]);
    assert!(
        said.contains("nothing that this option could narrow"),
        "{said}"
    );
    let said = site.fails(2, &["query", "secrets"]);
    assert!(said.contains("open-orders"), "{said}");
    let symbol = "x' OR '1'='1";
    assert!(site.rows(&["trades", "--symbol", symbol]).is_empty());
}

fn words_of_others_are_no_statements(site: &Site) {
    site.live_day(DAY, 6, 500);
    site.succeeds(&["project"]);
    let reader = Reader::at(&site.location()).unwrap();
    for line in include_str!("words.txt").lines() {
        let words: String = serde_json::from_str(line).unwrap();
        let filter = Filter {
            symbol: Some(words.clone()),
            account: Some(1),
            ..Filter::default()
        };
        let has = |name: &&str| {
            ["symbol", "account"]
                .iter()
                .all(|it| parameters(name).contains(it))
        };
        for name in names().filter(has) {
            let mut told = Vec::new();
            match reader.query(name, &filter, (true, &mut told)) {
                Ok(rows) => assert_eq!((rows, told.len()), (0, 0), "{words:?}"),
                // A text of PostgreSQL has no such letter.
                Err(error) => assert!(words.contains('\0'), "{words:?}: {error}"),
            }
        }
    }
    drop(reader);
    site.agrees();
}

on_both!(
    words_of_others_are_no_statements,
    hostile_days_are_what_the_model_says,
    a_day_of_the_first_version_is_read_as_today,
    small_transactions_and_large_ones_end_in_the_same_tables,
    queries_are_narrowed_by_what_they_have
);
