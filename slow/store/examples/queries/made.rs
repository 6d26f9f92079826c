//! Rows that follow from their numbers.

use rusqlite::{Connection, params};
use store::Error;

const SECOND_NS: i64 = 1_000_000_000;
/// The first day's first moment: 2026-01-05, 9:30 in New York.
pub const BEGAN_NS: i64 = 1_767_623_400 * SECOND_NS;
/// Days at most; fewer where there are few rows.
const DAYS_MAX: i64 = 20;
/// Rows of a day, about.
const ROWS_A_DAY: u64 = 1_000_000;
/// Between the beginnings of two days.
const DAY_NS: i64 = 86_400 * SECOND_NS;
/// From a day's beginning to its end.
const OPEN_S: i64 = 23_400;
pub const SYMBOLS: u64 = 200;
const ACCOUNTS: u64 = 400;
/// Bars of each symbol on a day, by width.
pub const BARS: [(i64, i64); 3] = [(1, 300), (60, 390), (3_600, 7)];
pub const AUDITS_A_DAY: i64 = 2_000;
pub const STATES_A_DAY: i64 = 6;
/// An account has a position in one of so many symbols.
const HELD_PART: u64 = 8;
/// One of so many orders of the last day is live.
const LIVE_PART: i64 = 4;
/// Days that an id tells stand above these bits.
const DAY_SHIFT: u32 = 48;

/// How many rows there are.
pub struct Made {
    pub days: i64,
    pub orders_a_day: i64,
    pub trades_a_day: i64,
}

/// Splitmix64's last steps.
pub fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A number below `end` that follows from a row's kind, day and number.
fn drawn(kind: u64, (day, number): (i64, i64), end: u64) -> u64 {
    mixed(kind ^ mixed(day as u64 ^ mixed(number as u64))) % end
}

pub fn symbol_of(number: u64) -> String {
    format!("SYM{number:03}")
}

fn began_ns(day: i64) -> i64 {
    BEGAN_NS + (day - 1) * DAY_NS
}

/// The moment of number `number` of `count` of a day.
pub fn moment(day: i64, number: i64, count: i64) -> i64 {
    began_ns(day) + number * (OPEN_S * SECOND_NS / count)
}

impl Made {
    /// Rows, about as many as asked for: what is not a bar or a position is half orders and half
    /// sides of trades.
    pub fn of(rows: u64) -> Self {
        let days = ((rows / ROWS_A_DAY) as i64).clamp(1, DAYS_MAX);
        let fixed = Self {
            days,
            orders_a_day: 0,
            trades_a_day: 0,
        };
        let rest = (rows as i64 - fixed.rows() as i64).max(4 * days) / days;
        Self {
            days,
            orders_a_day: rest / 2,
            trades_a_day: rest / 4,
        }
    }

    pub fn rows(&self) -> u64 {
        let bars: i64 = BARS.iter().map(|(_, count)| count).sum();
        let symbols = SYMBOLS as i64;
        let a_day = self.orders_a_day
            + 2 * self.trades_a_day
            + bars * symbols
            + AUDITS_A_DAY
            + STATES_A_DAY * symbols;
        // Of each day, and over all of them.
        let positions = self.positions().count() as i64 * (self.days + 1);
        (a_day * self.days + positions + symbols) as u64
    }

    pub fn account(&self, number: u64) -> u32 {
        (1 + number % ACCOUNTS) as u32
    }

    pub fn symbol(&self, number: u64) -> String {
        symbol_of(number % SYMBOLS)
    }

    /// A quarter of an hour in some day.
    pub fn times(&self, number: u64) -> (i64, i64) {
        let day = 1 + (number % self.days as u64) as i64;
        let second = (mixed(number) % (OPEN_S as u64 - 900)) as i64;
        let from_ns = began_ns(day) + second * SECOND_NS;
        (from_ns, from_ns + 900 * SECOND_NS)
    }

    /// Who holds something of what.
    pub fn positions(&self) -> impl Iterator<Item = (u64, u64)> {
        let all = (1..=ACCOUNTS).flat_map(|account| (0..SYMBOLS).map(move |it| (account, it)));
        all.filter(|(account, symbol)| mixed(account * SYMBOLS + symbol).is_multiple_of(HELD_PART))
    }

    /// Bought units and value, sold units and value.
    pub fn sums((account, symbol): (u64, u64), day: i64) -> [i64; 4] {
        let number = (account * SYMBOLS + symbol) as i64;
        let units = |kind| 100 + drawn(kind, (day, number), 900) as i64;
        let price = |kind| 10_000 * (50 + drawn(kind, (day, number), 50) as i64);
        let (bought, sold) = (units(1), units(2));
        [bought, bought * price(3), sold, sold * price(4)]
    }

    pub fn order(&self, day: i64, number: i64) -> Order {
        Order {
            id: day << DAY_SHIFT | number,
            day,
            number,
            account: 1 + drawn(5, (day, number), ACCOUNTS),
            symbol: symbol_of(drawn(6, (day, number), SYMBOLS)),
            is_buy: drawn(7, (day, number), 2) == 0,
            units: 100 + drawn(8, (day, number), 900) as i64,
            price: 10_000 * (50 + drawn(9, (day, number), 50) as i64),
            entered_ns: moment(day, number, self.orders_a_day),
            is_live: day == self.days && number % LIVE_PART == 0,
        }
    }

    pub fn trade(&self, day: i64, number: i64) -> Trade {
        Trade {
            day,
            match_number: number + 1,
            symbol: symbol_of(drawn(10, (day, number), SYMBOLS)),
            time_ns: moment(day, number, self.trades_a_day),
            units: 1 + drawn(11, (day, number), 1_000) as i64,
            price: 10_000 * (50 + drawn(12, (day, number), 50) as i64),
            accounts: [13, 14].map(|kind| 1 + drawn(kind, (day, number), ACCOUNTS)),
        }
    }

    /// All of them, in the order of their times.
    pub fn trades(&self) -> impl Iterator<Item = Trade> {
        let all = (1..=self.days).flat_map(|day| (0..self.trades_a_day).map(move |it| (day, it)));
        all.map(|(day, it)| self.trade(day, it))
    }

    /// Writes all rows.
    pub fn fill(&self, connection: &mut Connection) -> Result<(), Error> {
        for day in 1..=self.days {
            let all = connection.transaction()?;
            self.fill_day(&all, day)?;
            all.commit()?;
        }
        let all = connection.transaction()?;
        for number in 0..SYMBOLS {
            let row = params![symbol_of(number), BEGAN_NS, 1_000, 5, 1_100, 7];
            all.execute("INSERT INTO tops VALUES (?, ?, ?, ?, ?, ?)", row)?;
        }
        let sums = "INSERT INTO holdings SELECT account, symbol, sum(bought_units), \
                    sum(bought_value), sum(sold_units), sum(sold_value) FROM positions \
                    GROUP BY account, symbol";
        all.execute(sums, [])?;
        all.commit()?;
        Ok(())
    }

    fn fill_day(&self, all: &Connection, day: i64) -> Result<(), Error> {
        let name = params![day, format!("day-{day}"), began_ns(day)];
        all.execute("INSERT INTO days VALUES (?, ?, ?)", name)?;
        let text = "INSERT INTO orders VALUES \
                    (?, 1, ?, ?, ?, ?, ?, ?, '0', 'Y', ?, NULL, '', ?, ?, ?, 0, 0, ?, NULL)";
        let mut statement = all.prepare(text)?;
        for number in 0..self.orders_a_day {
            let o = self.order(day, number);
            let state = if o.is_live { "live" } else { "canceled" };
            let open = if o.is_live { o.units } else { 0 };
            statement.execute(params![
                o.id,
                o.number,
                o.account as i64,
                o.symbol,
                o.side(),
                o.units,
                o.price,
                o.number,
                o.entered_ns,
                o.entered_ns,
                open,
                state
            ])?;
        }
        let text = "INSERT INTO fills VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, 'A', NULL)";
        let mut statement = all.prepare(text)?;
        for number in 0..self.trades_a_day {
            let trade = self.trade(day, number);
            for (side, account) in (0..).zip(trade.accounts) {
                let id = day << DAY_SHIFT | trade.match_number << 1 | side;
                let Trade {
                    symbol,
                    time_ns,
                    units,
                    price,
                    ..
                } = &trade;
                let account = account as i64;
                let row = params![id, number, number, account, symbol, time_ns, units, price];
                statement.execute(row)?;
            }
        }
        self.fill_sums(all, day)
    }

    fn fill_sums(&self, all: &Connection, day: i64) -> Result<(), Error> {
        let text = "INSERT INTO bars VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, 0)";
        let mut statement = all.prepare(text)?;
        for symbol in 0..SYMBOLS {
            for (width_s, count) in BARS {
                for number in 0..count {
                    let (start_ns, [open, high, low, close, units]) =
                        bar(symbol, (width_s, count), day, number);
                    let name = symbol_of(symbol);
                    let value = units * close;
                    statement.execute(params![
                        name, width_s, start_ns, open, high, low, close, units, value
                    ])?;
                }
            }
        }
        let mut statement = all.prepare("INSERT INTO positions VALUES (?, ?, ?, ?, ?, ?, ?)")?;
        for (account, symbol) in self.positions() {
            let [bought, paid, sold, taken] = Self::sums((account, symbol), day);
            let name = symbol_of(symbol);
            statement.execute(params![
                day,
                account as i64,
                name,
                bought,
                paid,
                sold,
                taken
            ])?;
        }
        let text = "INSERT INTO audit VALUES (?, ?, 'Kill', 1000, 'by rule', 1, ?, ?, 0, 0, 0)";
        let mut statement = all.prepare(text)?;
        for number in 0..AUDITS_A_DAY {
            let (account, symbol) = audited(day, number);
            let (id, time_ns) = (day << DAY_SHIFT | number, moment(day, number, AUDITS_A_DAY));
            statement.execute(params![id, time_ns, account, symbol])?;
        }
        let mut statement = all.prepare("INSERT INTO turns VALUES (?, ?, ?, ?)")?;
        for (number, symbol, state) in turns() {
            let (id, time_ns) = (day << DAY_SHIFT | number, turned_ns(day, number));
            statement.execute(params![id, time_ns, symbol, state])?;
        }
        Ok(())
    }
}

/// A bar's start; its open, high, low, close and units.
pub fn bar(symbol: u64, (width_s, count): (i64, i64), day: i64, number: i64) -> (i64, [i64; 5]) {
    // Those of a second are spread over the day.
    let apart_s = (OPEN_S / count / width_s).max(1) * width_s;
    let start_ns = began_ns(day) + number * apart_s * SECOND_NS;
    let price = |kind| {
        let kind = kind + symbol * 100 + width_s as u64;
        10_000 * (50 + drawn(kind, (day, number), 50) as i64)
    };
    let (open, close) = (price(20), price(21));
    let (high, low) = (open.max(close) + 100, open.min(close) - 100);
    (start_ns, [open, high, low, close, 10 + number])
}

pub fn audited(day: i64, number: i64) -> (i64, String) {
    let account = 1 + drawn(15, (day, number), ACCOUNTS) as i64;
    (account, symbol_of(drawn(16, (day, number), SYMBOLS)))
}

/// A day's turns: number, symbol and state; all symbols at once, state by state.
pub fn turns() -> impl Iterator<Item = (i64, String, &'static str)> {
    let states = ["pre-open", "opening", "open", "halted", "open", "closed"];
    let all = states
        .into_iter()
        .flat_map(|state| (0..SYMBOLS).map(move |it| (it, state)));
    (0..)
        .zip(all)
        .map(|(number, (symbol, state))| (number, symbol_of(symbol), state))
}

pub fn turned_ns(day: i64, number: i64) -> i64 {
    moment(day, number / SYMBOLS as i64, STATES_A_DAY)
}

pub struct Order {
    pub id: i64,
    pub day: i64,
    pub number: i64,
    pub account: u64,
    pub symbol: String,
    pub is_buy: bool,
    pub units: i64,
    pub price: i64,
    pub entered_ns: i64,
    pub is_live: bool,
}

impl Order {
    pub const fn side(&self) -> &'static str {
        if self.is_buy { "B" } else { "S" }
    }

    pub fn row(&self) -> String {
        let Self {
            day,
            number,
            account,
            symbol,
            units,
            price,
            entered_ns,
            ..
        } = self;
        let side = self.side();
        format!(
            "{day}\t1\t{number}\t{account}\t{symbol}\t{side}\t{units}\t{units}\t{price}\t{number}\t\
             {entered_ns}"
        )
    }
}

pub struct Trade {
    pub day: i64,
    pub match_number: i64,
    pub symbol: String,
    pub time_ns: i64,
    pub units: i64,
    pub price: i64,
    pub accounts: [u64; 2],
}

impl Trade {
    pub fn tape_row(&self) -> String {
        let row = self.row();
        let columns: Vec<&str> = row.split('\t').collect();
        format!("{}\t-", columns[..6].join("\t"))
    }

    pub fn fill_row(&self, side: usize) -> String {
        let Self {
            day,
            match_number,
            symbol,
            time_ns,
            units,
            price,
            accounts,
        } = self;
        let (account, user_ref) = (accounts[side], match_number - 1);
        let side = ["buy", "sell"][side];
        format!(
            "{day}\t{match_number}\t{account}\t{symbol}\t{side}\t{time_ns}\t{units}\t{price}\t1\t\
             {user_ref}\tA\t-"
        )
    }

    pub fn row(&self) -> String {
        let Self {
            day,
            match_number,
            symbol,
            time_ns,
            units,
            price,
            accounts: [buyer, seller],
        } = self;
        format!(
            "{day}\t{match_number}\t{symbol}\t{time_ns}\t{units}\t{price}\t{buyer}\t{seller}\t-"
        )
    }
}
