"""DuckDB, polars and pandas read a history as it is.

Their rows of each sheet must be those of the tables, with date and symbol from the folders' names.
Arguments: the database, a file of SQLite's, and the folder of the history.
"""

import sqlite3
import sys

import duckdb
import pandas
import polars

# What the tables call the columns of a sheet; every sheet has the day's date, too.
SHEETS = {
    "trades": "symbol match_number time_ns units price buyer seller broken",
    "fills": "id order_id session user_ref account symbol time_ns units price liquidity broken",
    "orders": "id session user_ref account symbol side units price time_in_force display order_ref"
    " replaces client_id entered_ns changed_ns open_units traded_units traded_value state reason",
    "refusals": "id session user_ref time_ns what code client_id",
    "audit": "id time_ns act user why session account symbol flags units price",
    "turns": "id time_ns symbol state",
    "bars": "width_s start_ns open high low close units value trades first_id last_id symbol",
}

DATE = "substr(name, 1, 4) || '-' || substr(name, 5, 2) || '-' || substr(name, 7, 2)"


def of_tables(tables, sheet, columns):
    """The rows of the tables, with the date that a day's name begins with."""
    if sheet == "bars":
        return rows(bars_of(tables))
    chosen = ", ".join(f'"{column}"' for column in columns)
    day = "t.day" if sheet == "trades" else "t.id >> 48"
    text = f"SELECT {DATE}, {chosen} FROM {sheet} t JOIN days ON days.day = {day}"
    return rows(tables.execute(text))


def bars_of(tables):
    """Each day's bars, made of its trades: those of the tables may be of several days."""
    made = {}
    text = f"""SELECT {DATE}, days.day, symbol, time_ns, id, price, units FROM fills
        JOIN days ON days.day = id >> 48 WHERE id & 1 = 0 AND broken IS NULL ORDER BY id"""
    for date, day, symbol, time_ns, *trade in tables.execute(text):
        for width_s in (1, 60, 3600):
            start_ns = time_ns - time_ns % (width_s * 10**9)
            made.setdefault((date, day, symbol, width_s, start_ns), []).append(trade)
    for (date, _, symbol, width_s, start_ns), trades in made.items():
        ids, prices, units = zip(*trades)
        value = sum(price * unit for price, unit in zip(prices, units))
        span = prices[0], max(prices), min(prices), prices[-1], sum(units), value
        yield date, width_s, start_ns, *span, len(trades), ids[0], ids[-1], symbol


def rows(found):
    """Rows in an order that does not depend on who gives them."""
    plain = ([None if cell != cell else cell for cell in row] for row in found)
    return sorted(([str(row[0])[:10], *row[1:]] for row in plain), key=repr)


def by_duckdb(folder, columns):
    chosen = ", ".join(f'"{column}"' for column in columns)
    return duckdb.sql(f"SELECT day, {chosen} FROM '{folder}/**/*.parquet'").fetchall()


def by_polars(folder, columns):
    return polars.read_parquet(f"{folder}/").select("day", *columns).rows()


def by_pandas(folder, columns):
    # Whole numbers that may be absent stay whole.
    found = pandas.read_parquet(folder, dtype_backend="numpy_nullable")[["day", *columns]]
    found = found.astype(object).where(found.notna(), None)
    return found.itertuples(index=False, name=None)


def main():
    database, history = sys.argv[1:]
    tables = sqlite3.connect(database)
    readers = [by_duckdb, by_polars, by_pandas]
    for sheet, columns in SHEETS.items():
        columns = columns.split()
        due = of_tables(tables, sheet, columns)
        assert due, f"{sheet} has no rows"
        for reader in readers:
            found = rows(reader(f"{history}/{sheet}", columns))
            name = f"{sheet} {reader.__name__}"
            assert len(found) == len(due), f"{name}: {len(found)} rows of {len(due)}"
            for row, due_row in zip(found, due):
                assert row == due_row, f"{name}: {row} instead of {due_row}"
    print(" ".join(reader.__name__ for reader in readers))


main()
