"""DuckDB and polars write tables as Parquet, and read ours.

`write FOLDER`: each table by both, in all ways of compression, beside the same as text.
`read FOLDER`: what `rows.parquet` has is what `rows.csv` has.
"""

import datetime
import sys

import duckdb
import polars

ROWS = 120


def prices():
    """Prices whose changes have no pattern, in columns of different kinds."""
    state, price = 9, [100.0, 50.0, 20.0, 400.0]
    columns = {"AA": [], "BB": [], "CC": [], "DD": []}
    for _ in range(ROWS):
        for at, column in enumerate(columns.values()):
            state = (state * 6364136223846793005 + 1) % 2**64
            price[at] *= 1 + ((state >> 60) - 7) / 100
            column.append(round(price[at], 2))
    day = datetime.date(2026, 1, 1)
    days = [day + datetime.timedelta(days=at) for at in range(ROWS)]
    return polars.DataFrame(columns | {"date": days}).select(
        "AA",
        polars.col("BB").cast(polars.Float32),
        polars.col("CC").cast(polars.Decimal(12, 2)),
        (polars.col("DD") * 100).round().cast(polars.UInt32),
        # What names the rows need not stand first, as with pandas' index.
        "date",
    )


def labelled():
    """Rows to learn from, with holes and flags."""
    numbers = [(at * 7919) % 1000 for at in range(2_000)]
    return polars.DataFrame(
        {
            "x": [None if x % 11 == 0 else x / 8 for x in numbers],
            "even": [x % 2 == 0 for x in numbers],
            "small": polars.Series([x % 100 for x in numbers], dtype=polars.Int16),
            "label": ["BUY" if x % 2 == 0 and x > 300 else "HOLD" for x in numbers],
        }
    )


def write(folder):
    for name, frame in [("prices", prices()), ("labelled", labelled())]:
        text = frame.with_columns(polars.col(polars.Boolean).cast(polars.Int8))
        # All digits of what has 32 bits.
        text = text.with_columns(polars.col(polars.Float32).cast(polars.Float64))
        order = ["date"] if "date" in text.columns else []
        text.select(*order, polars.exclude("date")).write_csv(f"{folder}/{name}.csv")
        plain = f"{folder}/{name}_polars_uncompressed.parquet"
        for codec in ["uncompressed", "snappy", "zstd", "gzip", "lz4"]:
            frame.write_parquet(f"{folder}/{name}_polars_{codec}.parquet", compression=codec)
            duckdb.sql(
                f"COPY (FROM '{plain}') TO '{folder}/{name}_duckdb_{codec}.parquet'"
                f" (FORMAT parquet, COMPRESSION {codec})"
            )
    lists = polars.DataFrame({"x": [1.0, 2.0], "all": [[1.0], [2.0, 3.0]]})
    lists.write_parquet(f"{folder}/lists.parquet")
    hole = polars.DataFrame({"x": [1.0, 2.0, None, 4.0], "y": [1, 2, 3, 4]})
    hole.write_parquet(f"{folder}/hole.parquet")
    # Told by how it begins.
    hole.drop_nulls().write_parquet(f"{folder}/named_otherwise.csv")
    load = polars.DataFrame({"time": range(0, 6000, 60), "load": [100.0 + x for x in range(100)]})
    load.write_parquet(f"{folder}/load.parquet")
    load.write_csv(f"{folder}/load.csv")


def read(folder):
    due = polars.read_csv(f"{folder}/rows.csv").rows()
    assert due, "no rows"
    by_polars = polars.read_parquet(f"{folder}/rows.parquet").rows()
    assert by_polars == due, "polars"
    by_duckdb = duckdb.sql(f"SELECT * FROM '{folder}/rows.parquet'").fetchall()
    assert by_duckdb == due, "duckdb"


{"write": write, "read": read}[sys.argv[1]](sys.argv[2])
