-- The tables that docs/store.md describes. Times are nanoseconds since the Unix epoch, prices and
-- values in 1/10,000 of the currency. The upper bits of an id are its day: id >> 48 is days.day.
CREATE TABLE days (
    day INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, began_ns INTEGER NOT NULL
);
CREATE TABLE progress (
    day INTEGER NOT NULL, kind INTEGER NOT NULL, number INTEGER NOT NULL,
    next INTEGER NOT NULL, time_ns INTEGER NOT NULL, mark BLOB,
    PRIMARY KEY (day, kind, number)
) WITHOUT ROWID;
CREATE TABLE remarks (
    day INTEGER PRIMARY KEY, "user" INTEGER NOT NULL, text BLOB NOT NULL, is_whole INTEGER NOT NULL
);
CREATE TABLE symbols (
    day INTEGER NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, tick INTEGER NOT NULL,
    PRIMARY KEY (day, number)
) WITHOUT ROWID;
CREATE TABLE sessions (
    day INTEGER NOT NULL, session INTEGER NOT NULL, account INTEGER NOT NULL, firm TEXT NOT NULL,
    PRIMARY KEY (day, session)
) WITHOUT ROWID;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, act TEXT NOT NULL, "user" INTEGER, why TEXT,
    session INTEGER NOT NULL, account INTEGER NOT NULL, symbol TEXT, flags INTEGER NOT NULL,
    units INTEGER NOT NULL, price INTEGER NOT NULL
);
CREATE INDEX audit_times ON audit (time_ns);
CREATE INDEX audit_accounts ON audit (account, time_ns);
CREATE INDEX audit_symbols ON audit (symbol, time_ns);
CREATE TABLE turns (
    id INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, symbol TEXT, state TEXT NOT NULL
);
CREATE INDEX turns_times ON turns (time_ns);
CREATE INDEX turns_symbols ON turns (symbol, time_ns);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, session INTEGER NOT NULL, user_ref INTEGER NOT NULL,
    account INTEGER NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL, units INTEGER NOT NULL,
    price INTEGER NOT NULL, time_in_force TEXT NOT NULL, display TEXT NOT NULL,
    order_ref INTEGER NOT NULL, replaces INTEGER, client_id TEXT NOT NULL,
    entered_ns INTEGER NOT NULL, changed_ns INTEGER NOT NULL, open_units INTEGER NOT NULL,
    traded_units INTEGER NOT NULL, traded_value INTEGER NOT NULL, state TEXT NOT NULL,
    reason TEXT
);
CREATE INDEX live_times ON orders (entered_ns) WHERE state = 'live';
CREATE INDEX live_accounts ON orders (account, entered_ns) WHERE state = 'live';
CREATE INDEX live_symbols ON orders (symbol, entered_ns) WHERE state = 'live';
CREATE TABLE fills (
    id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, session INTEGER NOT NULL,
    user_ref INTEGER NOT NULL, account INTEGER NOT NULL, symbol TEXT NOT NULL,
    time_ns INTEGER NOT NULL, units INTEGER NOT NULL, price INTEGER NOT NULL,
    liquidity TEXT NOT NULL, broken TEXT
);
CREATE INDEX trade_times ON fills (time_ns) WHERE id & 1 = 0;
CREATE INDEX trade_symbols ON fills (symbol, time_ns) WHERE id & 1 = 0;
CREATE INDEX fill_accounts ON fills (account, time_ns);
CREATE INDEX fill_symbols ON fills (account, symbol, time_ns);
CREATE TABLE refusals (
    id INTEGER PRIMARY KEY, session INTEGER NOT NULL, user_ref INTEGER NOT NULL,
    time_ns INTEGER NOT NULL, what TEXT NOT NULL, code INTEGER NOT NULL, client_id TEXT
);
CREATE TABLE positions (
    day INTEGER NOT NULL, account INTEGER NOT NULL, symbol TEXT NOT NULL,
    bought_units INTEGER NOT NULL, bought_value INTEGER NOT NULL,
    sold_units INTEGER NOT NULL, sold_value INTEGER NOT NULL,
    PRIMARY KEY (account, symbol, day)
) WITHOUT ROWID;
CREATE INDEX position_symbols ON positions (symbol, account, day);
CREATE TABLE holdings (
    account INTEGER NOT NULL, symbol TEXT NOT NULL,
    bought_units INTEGER NOT NULL, bought_value INTEGER NOT NULL,
    sold_units INTEGER NOT NULL, sold_value INTEGER NOT NULL,
    PRIMARY KEY (account, symbol)
) WITHOUT ROWID;
CREATE INDEX holding_symbols ON holdings (symbol, account);
CREATE TABLE bars (
    symbol TEXT NOT NULL, width_s INTEGER NOT NULL, start_ns INTEGER NOT NULL,
    open INTEGER NOT NULL, high INTEGER NOT NULL, low INTEGER NOT NULL, close INTEGER NOT NULL,
    units INTEGER NOT NULL, value INTEGER NOT NULL, trades INTEGER NOT NULL,
    first_id INTEGER NOT NULL, last_id INTEGER NOT NULL,
    PRIMARY KEY (symbol, width_s, start_ns)
) WITHOUT ROWID;
CREATE INDEX bar_times ON bars (width_s, start_ns, symbol);
CREATE TABLE shown (
    id INTEGER PRIMARY KEY, symbol TEXT NOT NULL, side TEXT NOT NULL, price INTEGER NOT NULL,
    units INTEGER NOT NULL
);
CREATE TABLE tops (
    symbol TEXT PRIMARY KEY, time_ns INTEGER NOT NULL, bid INTEGER, bid_units INTEGER,
    ask INTEGER, ask_units INTEGER
) WITHOUT ROWID;
CREATE TABLE versions (name TEXT PRIMARY KEY, version INTEGER NOT NULL);
INSERT INTO versions VALUES ('opened', 0), ('days', 0), ('remarks', 0), ('symbols', 0),
    ('sessions', 0), ('audit', 0), ('turns', 0), ('orders', 0), ('fills', 0), ('refusals', 0),
    ('positions', 0), ('holdings', 0), ('bars', 0), ('shown', 0), ('tops', 0);
CREATE VIEW trades AS
    SELECT b.id AS id, b.id >> 48 AS day, (b.id & 281474976710655) >> 1 AS match_number,
        b.symbol AS symbol, b.time_ns AS time_ns, b.units AS units, b.price AS price,
        b.account AS buyer, s.account AS seller, b.broken AS broken
    FROM fills b LEFT JOIN fills s ON s.id = b.id + 1 WHERE b.id & 1 = 0;
CREATE VIEW marks AS
    SELECT symbol, close AS mark, max(start_ns) AS start_ns FROM bars
    WHERE width_s = 3600 GROUP BY symbol;
